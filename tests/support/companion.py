"""Somebody else, for tests of one window: the client library on a thread of its own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from tests.support.deadline import DEADLINE_S
from twocans.client import Client, MemoryTokens, Message, MessageReceived, TransferState
from twocans.client.events import TransferMoved

_T = TypeVar("_T")


class Companion:
    """Connected from its making to its end.

    Args:
        port: the server's.
        name: who it is.
    """

    def __init__(self, port: int, name: str) -> None:
        self.messages: list[Message] = []
        self.states: dict[str, TransferState] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name)
        self._thread.start()
        self._client = self._run(self._connect(port, name))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._client.close())
        self._run(self._listening())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def send(self, to: str, path: Path) -> str:
        """Send a file; returns its id at once."""
        return self._call(lambda: self._client.transfers.start_upload(to, path))

    def fetch(self, message: Message, into: Path) -> None:
        """Fetch a file, and wait until it is there."""
        id_ = self._call(lambda: self._client.transfers.start_download(message, into))
        wait_until(lambda: self.states.get(id_) is TransferState.DONE)

    def say(self, to: str, text: str) -> None:
        """Send a message."""
        self._call(lambda: self._client.enqueue(to, text))

    # --- inside -------------------------------------------------------------------------------------------

    async def _connect(self, port: int, name: str) -> Client:
        client = Client(f"127.0.0.1:{port}", name, tokens=MemoryTokens())
        await client.connect()
        self._listener = asyncio.create_task(self._listen(client))
        return client

    async def _listen(self, client: Client) -> None:
        async for event in client:
            match event:
                case MessageReceived(message):
                    self.messages.append(message)
                case TransferMoved(transfer):
                    self.states[transfer.id] = transfer.state
                case _:
                    pass

    async def _listening(self) -> None:
        await self._listener

    def _run(self, what: Coroutine[None, None, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(DEADLINE_S)

    def _call(self, what: Callable[[], _T]) -> _T:
        async def call() -> _T:
            return what()

        return self._run(call())


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until another thread has made something true."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "this never came true"
        time.sleep(0.005)
