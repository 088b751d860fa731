"""Bounds what a server may send for one request: aiohttp itself reads interim responses and trailers without end."""

from __future__ import annotations

import asyncio


class Allowance:
    """The bytes that a server may still send for one request; below 0 once it has sent more."""

    def __init__(self, most: int) -> None:
        self.left = most


class Metered(asyncio.Protocol):
    """Ends a connection that brings more than it may.

    Args:
        inner: gets what comes.
        allowance: what may still come; shared, because aiohttp connects a second time after a lost connection.
    """

    def __init__(self, inner: asyncio.Protocol, transport: asyncio.Transport, allowance: Allowance) -> None:
        self._inner = inner
        self._transport = transport
        self._allowance = allowance

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self._allowance.left -= len(data)
        if self._allowance.left >= 0:
            self._inner.data_received(data)
        else:
            self._transport.abort()

    def eof_received(self) -> bool | None:
        """Called by the event loop."""
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """Called by the event loop."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Called by the event loop."""
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self._inner.connection_lost(exc)
