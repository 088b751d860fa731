"""Bytes to lines, bounded.

TCP cuts anywhere, so a line may arrive in pieces and several at once. `LineReader` puts them together and
never holds more than one unfinished line. What a line means is left to `plain` and `json`.
"""

from __future__ import annotations

from typing import Final

DEFAULT_MAX_LINE_BYTES: Final = 64 * 1024


class FramingError(Exception):
    """The bytes of a peer do not make lines; the connection cannot go on."""


class LineTooLong(FramingError):
    """A line passed the limit before it ended.

    Args:
        limit: the greatest length of a line, in bytes, without its line end.
        beginning: as much of the line as has come: at least its first `limit` bytes.
    """

    def __init__(self, limit: int, beginning: bytes) -> None:
        super().__init__(f"a line is longer than {limit} bytes")
        self.limit = limit
        self.beginning = beginning


class LineReader:
    """Collects bytes and gives out whole lines.

    Any cutting of the same bytes into chunks gives the same lines.

    Args:
        max_line_bytes: the greatest length of a line, without its line end.
    """

    __slots__ = ("_max_line_bytes", "_rest")

    def __init__(self, max_line_bytes: int = DEFAULT_MAX_LINE_BYTES) -> None:
        self._max_line_bytes = max_line_bytes
        self._rest: bytes | bytearray = b""

    @property
    def pending_bytes(self) -> int:
        """How many bytes of an unfinished line are held; never more than the limit and one `\\r`."""
        return len(self._rest)

    def feed(self, chunk: bytes) -> tuple[list[bytes], LineTooLong | None]:
        """Take a chunk in and give back the lines that it completes, each without `\\n` and a `\\r` before it.

        Returns:
            The whole lines in order, and `LineTooLong` if the bytes after them pass the limit: those lines
            still count, but nothing after them can be read any more.
        """
        block, error = self.feed_block(chunk)
        return block.split(b"\n")[:-1], error

    def feed_block(self, chunk: bytes) -> tuple[bytes, LineTooLong | None]:
        """As `feed`, but the lines come as they stand, each with its `\\n`, for those who handle them together."""
        end = chunk.rfind(b"\n") + 1
        block = chunk[:end]
        rest: bytes | bytearray = chunk[end:]
        if self._rest:
            if end:
                block = b"".join((self._rest, block))
            else:
                # One buffer that grows: a peer that sends a byte now and then must not have all of it copied.
                gathered = self._rest if isinstance(self._rest, bytearray) else bytearray(self._rest)
                gathered += rest
                rest = gathered
        if block.find(b"\r") >= 0:
            block = block.replace(b"\r\n", b"\n")
        limit = self._max_line_bytes
        if len(block) > limit + 1:
            whole = 0
            for line in block.split(b"\n"):
                if len(line) > limit:
                    self._rest = b""
                    return block[:whole], LineTooLong(limit, line)
                whole += len(line) + 1
        if len(rest) > limit + 1 or (len(rest) == limit + 1 and not rest.endswith(b"\r")):
            self._rest = b""
            return block, LineTooLong(limit, bytes(rest))
        self._rest = rest
        return block, None
