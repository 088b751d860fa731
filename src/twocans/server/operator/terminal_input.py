"""The keys of the terminal for `prompt`, with an end that is noticed in whatever way the system tells it."""

from __future__ import annotations

import sys

from prompt_toolkit.input import Input, create_input

if sys.platform == "win32":

    def terminal_input() -> Input:
        """Return the keys that are pressed; closing the console ends the program."""
        return create_input()

else:
    import codecs
    import os
    import select

    from prompt_toolkit.input.posix_utils import PosixStdinReader
    from prompt_toolkit.input.vt100 import Vt100Input

    def terminal_input() -> Input:
        """Return the keys that are pressed; `closed` once the terminal is gone."""
        keys = create_input()
        if isinstance(keys, Vt100Input):
            keys.stdin_reader = _Reader(keys.fileno())
        return keys

    class _Reader(PosixStdinReader):
        """Takes an error for the end, which prompt_toolkit's own does not, so that it tries again without end."""

        def __init__(self, descriptor: int) -> None:
            super().__init__(descriptor)
            self._decoder = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")

        def read(self, count: int = 1024) -> str:
            """See `PosixStdinReader.read`."""
            if self.closed:
                return ""
            try:
                if not select.select([self.stdin_fd], [], [], 0)[0]:
                    return ""
                data = os.read(self.stdin_fd, count)
            except OSError:
                data = b""
            self.closed = not data
            return self._decoder.decode(data)
