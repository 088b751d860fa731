"""One attempt to fetch a file into a folder."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from pathlib import Path

from twocans.client import sentences
from twocans.client.transfers import disk, http
from twocans.client.transfers.disk import PIECE_BYTES, Part
from twocans.client.transfers.failures import Cut, Failed
from twocans.client.transfers.http import Content, Reply
from twocans.client.transfers.job import Job
from twocans.client.transfers.model import TransferState
from twocans.client.transfers.server import Server
from twocans.client.transfers.threads import Threads
from twocans.protocol.messages import DownloadQuery


async def download(job: Job, server: Server, threads: Threads) -> None:
    """Go on with a download until the file has its name.

    Raises:
        Cut: another attempt may succeed.
        Failed: it makes no sense.
    """
    into, size = Path(job.record.path), job.record.size
    part = Part(Path(job.record.part), into)
    held = await threads.run(part.size)
    if held is None and await _is_there(job, threads, into):
        job.move(TransferState.DONE, done=size)
        return
    held = held or 0
    if held > size:
        held = 0
    job.move(TransferState.WAITING, done=held, text=job.record.text)
    if held < size:
        await _fetch(job, server, threads, part, held)
    elif not size:
        try:
            await threads.run(partial(part.open, 0))
        finally:
            await threads.run(part.close)
    job.move(TransferState.CHECKING, done=0)
    hash_, _ = await threads.hash_file(part.path, job.progress)
    if hash_ != job.record.hash:
        await threads.run(part.remove)
        job.wrong += 1
        job.done = 0
        raise Failed(sentences.FILE_WRONG) if job.wrong > 1 else Cut(sentences.FILE_WRONG_ONCE)
    await threads.run(part.sync)
    await _place(job, threads, part, into)


async def _is_there(job: Job, threads: Threads, into: Path) -> bool:
    """Whether the file has its name already: the program ended before it could be written down."""
    try:
        if (await threads.run(partial(disk.look, into))).size != job.record.size:
            return False
        job.move(TransferState.CHECKING, done=0)
        hash_, _ = await threads.hash_file(into, job.progress)
    except Failed:
        return False
    return hash_ == job.record.hash


async def _fetch(job: Job, server: Server, threads: Threads, part: Part, held: int) -> None:
    """Have all bytes of the file in its part, after those that it has.

    Raises:
        Cut: not all came.
        Failed: the disk does not take them, or the server will not give them.
    """
    message_id, size = job.record.message_id or 0, job.record.size
    where, ticket = await server.ticket(lambda rid: DownloadQuery(id=message_id, rid=rid))
    job.move(TransferState.RUNNING, done=held)
    try:
        async with http.get(
            where, ticket.ticket, first=held, size=size, hash_=job.record.hash, connect_s=server.connect_s
        ) as content:
            if isinstance(content, Reply):
                await _judge(content, threads, part)
            else:
                await threads.run(partial(part.open, content.start))
                await _write(job, threads, part, content)
    finally:
        await threads.run(part.close)


async def _write(job: Job, threads: Threads, part: Part, content: Content) -> None:
    gathered, done = bytearray(), content.start
    try:
        while piece := await content.piece():
            gathered += piece
            job.progress(done + len(gathered))
            if len(gathered) >= PIECE_BYTES:
                whole, gathered = gathered, bytearray()
                await threads.run(partial(part.write, whole))
                done += len(whole)
                job.safe = max(job.safe, done)
    finally:
        # What came before the connection was lost need not come again.
        if gathered:
            await threads.run(partial(part.write, gathered))
            job.safe = max(job.safe, done + len(gathered))


async def _judge(reply: Reply, threads: Threads, part: Part) -> None:
    """What comes of the server's refusal.

    Raises:
        Cut: another attempt may succeed.
        Failed: it makes no sense.
    """
    match reply.status:
        case HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            await threads.run(part.remove)
            raise Cut(reply.text or sentences.FILE_CUT)
        case (
            HTTPStatus.FORBIDDEN
            | HTTPStatus.REQUEST_TIMEOUT
            | HTTPStatus.TOO_MANY_REQUESTS
            | HTTPStatus.INTERNAL_SERVER_ERROR
            | HTTPStatus.SERVICE_UNAVAILABLE
        ):
            raise Cut(reply.text or sentences.FILE_CUT)
        case _:
            raise Failed(reply.text or sentences.FILE_GARBLED)


async def _place(job: Job, threads: Threads, part: Part, into: Path) -> None:
    """Give the file its name, or a similar one if that is taken and nobody has said that it may be lost."""
    if job.record.replace:
        await threads.run_to_the_end(partial(part.replace, into))
        job.move(TransferState.DONE, done=job.record.size)
        return
    for path in disk.names_beside(into):
        # Written down first: after a crash it is found there.
        job.keep(path=str(path))
        if await threads.run_to_the_end(partial(part.place, path)):
            job.move(TransferState.DONE, done=job.record.size)
            return
    raise Failed(sentences.name_taken(into))
