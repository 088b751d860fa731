"""Encoding a frame that goes to many clients only once."""

from __future__ import annotations

from collections.abc import Callable

from twocans.protocol.messages import Frame


class EncodeOnce:
    """Encodes a frame, and gives the same line again when the same frame comes again.

    Args:
        encode: the dialect's.
    """

    __slots__ = ("_data", "_encode", "_frame")

    def __init__(self, encode: Callable[[Frame], bytes]) -> None:
        self._encode = encode
        self._frame: Frame | None = None
        self._data = b""

    def __call__(self, frame: Frame) -> bytes:
        if frame is not self._frame:
            self._data = self._encode(frame)
            self._frame = frame
        return self._data
