"""Moving the bytes of files between disk and network, on threads of their own, so that the loop never waits for a disk."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol, TypeVar

from twocans.protocol.messages import FileRef
from twocans.protocol.names import UserKey
from twocans.server.http.peer import HttpPeer
from twocans.storage.contents import Contents, Incoming, Part
from twocans.storage.files import Carried, Unkept
from twocans.storage.sqlite.files import SqliteFiles

MOVERS: Final = 4
"""How many threads read and write pieces."""
CHECKERS: Final = 2
"""How many threads look whether a file is what it was said to be, which takes seconds for a large one."""

MAX_UPLOADS: Final = 10_000
"""The number of uploads from which on devices are remembered only for those of which something has come."""

_T = TypeVar("_T")


class _CanClose(Protocol):
    def close(self) -> object: ...


_Closable = TypeVar("_Closable", bound=_CanClose)


class Bringing:
    """A file that somebody is bringing just now.

    Args:
        peer: who.
        device: the account's device on which.
    """

    def __init__(self, peer: HttpPeer, device: int | str) -> None:
        self.peer = peer
        self.device = device
        self.over = asyncio.Event()
        self.kept = False


class IoPool:
    """What a server does with the bytes of files.

    Args:
        files: what is kept of them.
    """

    def __init__(self, files: SqliteFiles) -> None:
        self.contents: Contents = files.contents
        self._files = files
        self._io_pool = ThreadPoolExecutor(MOVERS, thread_name_prefix="file mover")
        self._checkers = ThreadPoolExecutor(CHECKERS, thread_name_prefix="file checker")
        self._bringing: dict[Incoming, Bringing] = {}
        self._devices: dict[Incoming, set[int | str]] = {}
        """The devices that have begun an upload and not cancelled it: they share what has come."""
        self._finishing: set[asyncio.Task[bool]] = set()

    def incoming(self, user: UserKey, file: FileRef) -> Incoming:
        """What is coming of a file that somebody brings."""
        return self._files.incoming(user, file)

    async def carried(self, user: UserKey, id_: int) -> Carried | Unkept:
        """The file that a message carries, if somebody may read it."""
        answer: asyncio.Future[Carried | Unkept] = asyncio.get_running_loop().create_future()
        self._files.carried(user, id_, lambda carried: _answer(answer, carried))
        return await answer

    async def move(self, work: Callable[[], _T]) -> _T:
        """Read or write a piece; it is done once it has begun, even if nobody waits for it any more."""
        return await _in(self._io_pool, work)

    @contextlib.asynccontextmanager
    async def opened(self, open_: Callable[[], _Closable]) -> AsyncIterator[_Closable]:
        """Open something to be moved, and close it afterwards, even if nobody waits for it by then."""
        files: list[_Closable] = []
        try:
            await self.move(lambda: files.append(open_()))
            yield files[0]
        finally:
            for file in files:
                await self.move(file.close)

    def join(self, incoming: Incoming, device: int | str) -> None:
        """Let an upload go on for a device until that one cancels it."""
        if len(self._devices) >= MAX_UPLOADS:
            self._devices = {
                one: devices
                for one, devices in self._devices.items()
                if one in self._bringing or self.contents.come(one)
            }
        self._devices.setdefault(incoming, set()).add(device)

    def leave(self, incoming: Incoming, device: int | str) -> None:
        """An upload need not go on for a device any more."""
        devices = self._devices.get(incoming, set())
        devices.discard(device)
        if not devices:
            self._devices.pop(incoming, None)

    def is_shared(self, incoming: Incoming) -> bool:
        """True while an upload is to go on for a device."""
        return incoming in self._devices

    def is_moving_elsewhere(self, incoming: Incoming, device: int | str) -> bool:
        """True while another device of the account brings a file."""
        bringing = self._bringing.get(incoming)
        return bringing is not None and bringing.device != device

    async def begin(self, incoming: Incoming, peer: HttpPeer, device: int | str) -> Bringing:
        """Let a peer bring a file, once whoever else does has been cut off: that is the same one on a dead connection."""
        while (before := self._bringing.get(incoming)) is not None:
            before.peer.abort()
            await before.over.wait()
            if before.kept:
                return before
        bringing = self._bringing[incoming] = Bringing(peer, device)
        return bringing

    async def reserve(self, user: UserKey, file: FileRef) -> int | Unkept:
        """Count an upload as its account's once more, by the rules by which tickets are given."""
        answer: asyncio.Future[int | Unkept] = asyncio.get_running_loop().create_future()
        self._files.offset(user, file, lambda offset: _answer(answer, offset))
        return await answer

    async def drop(self, incoming: Incoming) -> None:
        """Remove what has come of a file that nobody is bringing any more.

        Raises:
            OSError: it cannot be removed.
        """
        self._devices.pop(incoming, None)
        await self.move(lambda: self.contents.drop(incoming))

    def ended(self, incoming: Incoming, bringing: Bringing) -> None:
        """A peer brings a file no more."""
        del self._bringing[incoming]
        bringing.over.set()

    async def finish(self, part: Part, bringing: Bringing) -> bool:
        """Look whether a file that has come is the right one, and keep it if so; goes on if its peer leaves meanwhile.

        Raises:
            OSError: it cannot be kept.
            Stopped: the server stops.
        """
        task = asyncio.create_task(self._finish(part, bringing))
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)
        return await _whatever_comes(task)

    async def stop(self) -> None:
        """End the threads when they are done with what they have begun."""
        self.contents.stop()
        if self._finishing:
            await asyncio.wait(self._finishing)
        self._io_pool.shutdown()
        self._checkers.shutdown()

    async def _finish(self, part: Part, bringing: Bringing) -> bool:
        right = await _in(self._checkers, part.is_right)
        await _in(self._io_pool, part.close)
        if not right:
            await self.drop(part.incoming)
            return False
        kept: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._files.keep(part.incoming, lambda well: _answer(kept, well))
        if not await kept:
            raise OSError("the file cannot be kept")
        bringing.kept = True
        self._devices.pop(part.incoming, None)
        return True


async def _in(executor: ThreadPoolExecutor, work: Callable[[], _T]) -> _T:
    return await _whatever_comes(asyncio.get_running_loop().run_in_executor(executor, work))


async def _whatever_comes(work: asyncio.Future[_T]) -> _T:
    """Wait for something to the end, even when this is called off: what it uses must not be closed under it."""
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            try:
                await asyncio.wait([work])
            except asyncio.CancelledError:
                continue
        if not work.cancelled():
            work.exception()
        raise


def _answer(future: asyncio.Future[_T], result: _T) -> None:
    if not future.done():
        future.set_result(result)
