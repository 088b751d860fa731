"""All files of one client on their way: who goes when, what is told, and what stays until another time of the program."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from os import PathLike
from pathlib import Path
from random import Random
from typing import Final

from msgspec import structs

from twocans.client import sentences
from twocans.client.backoff import Backoff
from twocans.client.cids import check_cid, new_cid
from twocans.client.codes import ErrorCode
from twocans.client.errors import MessageNotSent, OutboxUnusable, TransferFailed
from twocans.client.events import Event, MessageRefused, MessageStored, Offline, Online
from twocans.client.outbox import Outgoing
from twocans.client.timing import Clock, Timers
from twocans.client.transfers.disk import Part, part_path
from twocans.client.transfers.failures import Cut, Failed
from twocans.client.transfers.job import Job, Listener
from twocans.client.transfers.model import Transfer, TransferState
from twocans.client.transfers.records import Record, Records
from twocans.client.transfers.server import ChatConnection, Server
from twocans.client.transfers.threads import Threads
from twocans.client.transfers.waiters import Waiters
from twocans.protocol.file_names import safe_name
from twocans.protocol.messages import Message

MAX_AT_ONCE: Final = 2
"""How many files go in one direction at a time; the others wait for their turn."""

MAX_UNFINISHED: Final = 1000
"""How many transfers are unfinished at most; more are refused."""

MAX_FINISHED: Final = 1000
"""How many finished ones are remembered; of more the oldest are forgotten."""

MAX_IN_VAIN: Final = 10
"""How many attempts in a row may bring nothing forward while there is a connection."""


class Transfers:
    """The files that one user sends and fetches, by `client.transfers`.

    `await upload(…)` and `await download(…)` wait until it is done; `start_upload` and `start_download` return at
    once. Starting the same again goes on with what is there, so a program may do so after each of its restarts.

    A transfer goes on by itself after a loss of the connection, and after a restart of the program if the outbox
    is on disk. What becomes of it comes out of the client's iteration as `TransferMoved`: at each change of its
    state, and about ten times a second while bytes move. A program that does not take its events finds the newest
    one only.

    Args:
        chat: the connection by which the user chats.
        records: where transfers are kept.
        listener: who is told.
        timers: how long things may take.
        clock: the time, in seconds.
        wall_ms: the time of day, in Unix milliseconds.
        random: for ids and pauses.
    """

    def __init__(
        self,
        chat: ChatConnection,
        records: Records,
        listener: Listener,
        *,
        timers: Timers,
        clock: Clock,
        wall_ms: Callable[[], int],
        random: Random,
    ) -> None:
        self._records = records
        self._waiters = Waiters(listener)
        self._timers = timers
        self._clock = clock
        self._wall_ms = wall_ms
        self._random = random
        self._chat = chat
        self._server = Server(chat, connect_s=timers.connect)
        self._threads = Threads()
        self._turns = {outgoing: asyncio.Semaphore(MAX_AT_ONCE) for outgoing in (True, False)}
        self._tasks: set[asyncio.Task[None]] = set()
        self._user = ""
        self._begun = False
        self._closed = False
        self._jobs = {record.id: self._job(record) for record in records.load()}

    # --- what the user does ------------------------------------------------------------------------------

    @property
    def all(self) -> tuple[Transfer, ...]:
        """The transfers that are there, oldest first; of an earlier time of the program too."""
        return tuple(job.transfer for job in self._jobs.values() if not job.is_cancelled)

    def get(self, id: str) -> Transfer | None:  # noqa: A002 - as elsewhere in the client
        """Return a transfer as it is now; None if it is unknown, cancelled or forgotten.

        One that is done is there after a restart too, if the outbox is on disk: the last thousand are.
        """
        job = self._open_job(id)
        return None if job is None else job.transfer

    async def upload(
        self, to: str, path: str | PathLike[str], *, name: str | None = None, cid: str | None = None
    ) -> Transfer:
        """Send a file, and wait until its message is stored; see `start_upload`.

        Losses of the connection and pauses are waited for. A caller that stops waiting leaves the transfer under way.

        Returns:
            The transfer, with the `message_id` of its message.

        Raises:
            MessageNotSent: the client is closed, too many files wait, or it cannot be kept that this one does.
            TransferFailed: the file was not sent.
            ValueError: as for `start_upload`.
        """
        transfer = await self._end_of(self.start_upload(to, path, name=name, cid=cid))
        if transfer.message_id is None:
            if self._closed:
                raise TransferFailed(sentences.CLOSED, transfer)
            result = await self._chat.result(transfer.id)
            if isinstance(result, MessageRefused):
                raise TransferFailed(result.text, transfer)
            transfer = structs.replace(transfer, message_id=result.id)
        return transfer

    async def download(self, message: Message, folder: str | PathLike[str]) -> Path:
        """Fetch the file that a message carries into a folder, and wait until it is there; see `start_download`.

        Losses of the connection and pauses are waited for. A caller that stops waiting leaves the transfer under way.

        Args:
            message: as it came.
            folder: where the file goes, under its own name made safe, or a similar one if that is taken.

        Returns:
            The file: the same one if this message's file is in the folder already.

        Raises:
            MessageNotSent: the client is closed, too many files wait, or it cannot be kept that this one does.
            TransferFailed: the file did not arrive.
            ValueError: the message carries no file, or the path is no text.
        """
        into = Path(folder) / safe_name(message.text)
        return Path((await self._end_of(self.start_download(message, into))).path)

    def start_upload(
        self, to: str, path: str | PathLike[str], *, name: str | None = None, cid: str | None = None
    ) -> str:
        """Send a file: it is brought to the server, and then a message tells of it.

        The file is read later, and must not be changed until it is sent.

        Args:
            to: the recipient's name.
            path: the file.
            name: what the recipient sees it as, made safe; its own name if None.
            cid: the id of the transfer and its message, 1 to 64 characters; a fresh one if None. A file that was
                sent under it already is not sent again: what became of it is told again.

        Returns:
            The transfer's id, which the message has as its cid.

        Raises:
            MessageNotSent: the client is closed, too many files wait, or it cannot be kept that this one does.
            ValueError: the recipient's name or the path is no text, or the cid is none, or that of another transfer.
        """
        path = Path(path)
        name = safe_name(path.name if name is None else name)
        path = path.absolute()
        f"{to}{path}".encode()
        id_ = self._new_id() if cid is None else check_cid(cid)
        record = Record(id=id_, outgoing=True, peer=to, name=name, path=str(path))
        if id_ not in self._jobs:
            return self._add(record)
        known = self._jobs[id_]
        kept = known.record
        same = (kept.outgoing, kept.peer, kept.name, kept.path) == (True, to, name, str(path))
        if known.is_cancelled or not same:
            raise ValueError(f"the cid {id_} belongs to another transfer")
        return self._start_again(known)

    def start_download(self, message: Message, into: str | PathLike[str], *, replace: bool = False) -> str:
        """Fetch the file that a message carries.

        It grows beside `into` in a file that ends in `.part`. What is called `into` by then is not overwritten unless
        `replace` says so: the file gets a similar name, which `Transfer.path` tells. For the same message and place
        there is one transfer: if the file is there it is told again that it is done, else it is fetched again.

        Args:
            message: as it came.
            into: the file that it becomes.
            replace: whether what is called so may be lost.

        Returns:
            The transfer's id.

        Raises:
            MessageNotSent: the client is closed, too many files wait, or it cannot be kept that this one does.
            ValueError: the message carries no file, or the path is no text.
        """
        if message.file is None:
            raise ValueError("the message carries no file")
        id_, into = self._new_id(), Path(into).absolute()
        str(into).encode()
        known = self._download_of(message, str(into), replace=replace)
        if known is not None:
            return self._start_again(known)
        return self._add(
            Record(
                id=id_,
                outgoing=False,
                peer=message.to if message.sender == self._user else message.sender,
                name=safe_name(message.text),
                path=str(into),
                into=str(into),
                part=str(part_path(into, id_)),
                size=message.file.size,
                hash=message.file.hash,
                message_id=message.id,
                replace=replace,
            )
        )

    def pause(self, id: str) -> None:  # noqa: A002 - as elsewhere in the client
        """Stop until `resume`, over restarts too; what has been done stays. Nothing happens to what does not move."""
        job = self._open_job(id)
        if job is not None and job.state.is_moving:
            job.move(TransferState.PAUSED)
            _stop(job)

    def resume(self, id: str) -> None:  # noqa: A002
        """Go on with what is paused, or try again what has failed."""
        job = self._open_job(id)
        if job is not None and job.state in {TransferState.PAUSED, TransferState.FAILED} and not self._closed:
            job.wrong = 0
            job.move(TransferState.WAITING)
            self._start(job)

    def cancel(self, id: str) -> None:  # noqa: A002
        """Give up, and remove what has come of the file; then the transfer is gone. What is done stays done."""
        job = self._open_job(id)
        if job is None or job.state is TransferState.DONE or self._closed:
            return
        # Kept at once, told when nothing is left: the program may end in between.
        job.keep(state=TransferState.CANCELLED)
        _stop(job)
        if self._begun:
            self._do(self._clear_away(job))

    def forget(self, id: str) -> None:  # noqa: A002
        """Forget a transfer that is done; its file stays. Nothing happens to what is unknown.

        Raises:
            ValueError: it is not done: `cancel` it instead.
        """
        job = self._open_job(id)
        if job is not None:
            if job.state is not TransferState.DONE:
                raise ValueError("only a transfer that is done can be forgotten")
            self._forget(job)

    # --- what the client tells ---------------------------------------------------------------------------

    def happened(self, event: Event) -> None:
        """Something has come of the chat; called before the program hears of it."""
        match event:
            case Online():
                self._user = event.user
                self._server.is_online(event.limits)
                self._begin()
            case Offline():
                self._server.is_offline()
            case MessageStored() if event.cid in self._jobs:
                self._jobs[event.cid].learn(message_id=event.id)
            case MessageRefused() if event.cid in self._jobs:
                self._jobs[event.cid].move(TransferState.FAILED, text=event.text)
            case _:
                pass

    def ended(self) -> None:
        """There will be no connection any more."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        self._waiters.end(tuple(job.transfer for job in self._jobs.values()))

    async def close(self) -> None:
        """Stop everything; what is unfinished stays for another time."""
        self.ended()
        while self._tasks:
            await asyncio.wait(self._tasks)
        self._threads.close()

    # --- one after the other -----------------------------------------------------------------------------

    def _begin(self) -> None:
        """Go on with what an earlier time of the program has left, once there is a first connection."""
        if not self._begun and not self._closed:
            self._begun = True
            for job in list(self._jobs.values()):
                if job.is_cancelled:
                    self._do(self._clear_away(job))
                elif job.state.is_moving:
                    self._start(job)

    def _add(self, record: Record) -> str:
        if self._closed:
            raise MessageNotSent(ErrorCode.CLOSED, sentences.SENT_TOO_LATE)
        finished = [job for job in self._jobs.values() if job.state is TransferState.DONE]
        if len(self._jobs) - len(finished) >= MAX_UNFINISHED:
            raise MessageNotSent(ErrorCode.BUSY, sentences.TOO_MANY_FILES)
        try:
            self._records.put(record)
        except OutboxUnusable as error:
            raise MessageNotSent(ErrorCode.UNWRITTEN, error.text) from None
        for job in finished[: max(0, len(finished) - MAX_FINISHED + 1)]:
            self._forget(job)
        job = self._jobs[record.id] = self._job(record)
        if self._begun:
            self._start(job)
        return record.id

    def _start_again(self, job: Job) -> str:
        """Go on with a transfer that the program starts once more, or tell again what became of it."""
        if self._closed:
            raise MessageNotSent(ErrorCode.CLOSED, sentences.SENT_TOO_LATE)
        record = job.record
        if job.state is TransferState.DONE and record.outgoing:
            if record.message_id is None:
                # The program may have ended between the acknowledgement and noting it; the server knows the cid.
                with contextlib.suppress(Cut, Failed):
                    self._server.post(Outgoing(record.id, record.peer, record.name, job.file))
            job.tell()
        elif not job.state.is_moving:
            job.wrong = 0
            job.move(TransferState.WAITING)
            self._start(job)
        return record.id

    def _download_of(self, message: Message, into: str, *, replace: bool) -> Job | None:
        file = message.file
        for job in self._jobs.values():
            record = job.record
            if (
                (record.message_id, record.into, record.replace) == (message.id, into, replace)
                and not record.outgoing
                and not job.is_cancelled
                and file is not None
                and record.hash == file.hash
            ):
                return job
        return None

    async def _end_of(self, id_: str) -> Transfer:
        ended = await self._waiters.wait(self._jobs[id_].transfer)
        # By the time the task runs, its message may have been stored, or refused.
        job = self._jobs.get(id_)
        return ended if job is None else await self._waiters.wait(job.transfer)

    def _open_job(self, id_: str) -> Job | None:
        """Return a transfer, unless it is cancelled."""
        job = self._jobs.get(id_)
        return None if job is None or job.is_cancelled else job

    def _job(self, record: Record) -> Job:
        return Job(record, records=self._records, listener=self._waiters, clock=self._clock)

    def _forget(self, job: Job) -> None:
        job.forget()
        self._jobs.pop(job.record.id, None)

    def _start(self, job: Job) -> None:
        if self._begun:
            task = self._do(self._run(job, frozenset(job.tasks)))
            job.tasks.add(task)
            task.add_done_callback(job.tasks.discard)

    def _do(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name="twocans: file")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _run(self, job: Job, before: frozenset[asyncio.Task[None]]) -> None:
        """Bring a transfer to its end, over all losses; `before` is what did so until it was paused."""
        if before:
            await asyncio.wait(before)
        try:
            await self._attempt_until_done(job)
        except Failed as failed:
            # Whoever has paused or cancelled it meanwhile is not to hear of it.
            if job.state.is_moving and not job.is_cancelled:
                job.move(TransferState.FAILED, text=failed.text)
        except Exception:  # noqa: BLE001 - the root of the task: the program has to hear of it
            job.move(TransferState.FAILED, text=sentences.FILE_UNEXPECTED)

    async def _attempt_until_done(self, job: Job) -> None:
        in_vain, text = 0, ""
        backoff = self._backoff()
        while True:
            job.move(TransferState.WAITING, text=text)
            safe = job.safe
            try:
                async with self._turns[job.record.outgoing]:
                    attempt = await self._threads.run(partial(_way, outgoing=job.record.outgoing))
                    await attempt(job, self._server, self._threads)
            except Cut as cut:
                text = cut.text
            else:
                return
            if job.safe > safe:
                in_vain, backoff = 0, self._backoff()
            elif self._server.connected:
                in_vain += 1
                if in_vain >= MAX_IN_VAIN:
                    raise Failed(text)
            job.move(TransferState.WAITING, text=text)
            # While somebody waits, others have their turn.
            await asyncio.sleep(backoff.next_s())

    def _backoff(self) -> Backoff:
        timers = self._timers
        return Backoff(first_s=timers.retry_first, most_s=timers.file_retry_max, random=self._random)

    async def _clear_away(self, job: Job) -> None:
        if job.tasks:
            await asyncio.wait(job.tasks)
        if job.state is TransferState.DONE:
            return
        if job.record.part:
            await self._threads.run(Part(Path(job.record.part), Path(job.record.path)).remove)
        job.move(TransferState.CANCELLED)
        self._forget(job)
        if job.record.outgoing and job.record.hash:
            await self._withdraw(job)

    async def _withdraw(self, job: Job) -> None:
        """Have the server remove what it has of an upload, unless another one of the same file needs it."""
        from twocans.client.transfers import upload

        hash_ = job.record.hash
        await self._server.wait_until_withdrawn(hash_)
        if any(other.record.outgoing and other.record.hash == hash_ for other in self._jobs.values()):
            return
        with self._server.withdrawing(hash_), contextlib.suppress(Cut, Failed):
            await upload.withdraw(job, self._server)

    def _new_id(self) -> str:
        return new_cid(now_ms=self._wall_ms(), random=self._random)


def _way(*, outgoing: bool) -> Callable[[Job, Server, Threads], Awaitable[None]]:
    # A client for HTTP takes long to load, and most times of a program need none.
    from twocans.client.transfers import download, upload

    return upload.upload if outgoing else download.download


def _stop(job: Job) -> None:
    for task in job.tasks:
        task.cancel()
