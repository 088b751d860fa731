"""One attempt to bring a file to the server, and to post its message."""

from __future__ import annotations

import threading
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

from twocans.client import sentences
from twocans.client.outbox import Outgoing
from twocans.client.transfers import disk, http
from twocans.client.transfers.failures import Changed, Cut, Failed
from twocans.client.transfers.http import Reply
from twocans.client.transfers.job import Job
from twocans.client.transfers.model import TransferState
from twocans.client.transfers.server import Server
from twocans.client.transfers.threads import Threads
from twocans.protocol.messages import UploadQuery


async def upload(job: Job, server: Server, threads: Threads) -> None:
    """Go on with an upload until its message is in the outbox.

    Raises:
        Cut: another attempt may succeed.
        Failed: it makes no sense.
    """
    try:
        await _upload(job, server, threads)
    except Changed:
        job.keep(hash="")
        raise


async def withdraw(job: Job, server: Server) -> None:
    """Have the server remove what it has of a cancelled upload.

    Raises:
        Cut: the connection was lost; the server removes it by itself a day later.
        Failed: the server refused.
    """
    file = job.file
    where, ticket = await server.ticket(lambda rid: UploadQuery(hash=file.hash, size=file.size, rid=rid))
    if ticket.offset < file.size:
        await http.delete(where, ticket.ticket, connect_s=server.connect_s)


async def _upload(job: Job, server: Server, threads: Threads) -> None:
    await _know(job, threads)
    job.move(TransferState.WAITING, done=0, text=job.record.text)
    await server.wait_until_withdrawn(job.record.hash)
    await server.wait_until_online()
    limit = server.limits.file_bytes if server.limits is not None else 0
    if not limit or job.record.size > limit:
        raise Failed(sentences.file_too_large(job.record.size, limit))
    file = job.file
    where, ticket = await server.ticket(lambda rid: UploadQuery(hash=file.hash, size=file.size, rid=rid))
    if ticket.offset > file.size:
        raise Failed(sentences.FILE_GARBLED)
    job.safe = max(job.safe, ticket.offset)
    # An empty file is brought too: that all of it is there says nothing of it.
    if ticket.offset < file.size or not file.size:
        job.move(TransferState.RUNNING, done=ticket.offset)
        source = _Source(job, threads, ticket.offset)
        try:
            await source.open()
            reply = await http.put(
                where,
                ticket.ticket,
                first=ticket.offset,
                size=file.size,
                source=source,
                connect_s=server.connect_s,
            )
        finally:
            await source.close()
        await _compare(job, threads)
        _judge(job, reply)
    else:
        await _compare(job, threads)
    server.post(Outgoing(job.record.id, job.record.peer, job.record.name, file))
    job.move(TransferState.DONE, done=file.size)


async def _know(job: Job, threads: Threads) -> None:
    """Have the hash of what is to be sent."""
    if job.record.hash:
        await _compare(job, threads)
        return
    path = Path(job.record.path)
    found = await threads.run(partial(disk.look, path))
    job.keep(size=found.size)
    job.move(TransferState.HASHING, done=0)
    hash_, found = await threads.hash_file(path, job.progress)
    job.keep(hash=hash_, size=found.size, modified_ns=found.modified_ns)


async def _compare(job: Job, threads: Threads) -> None:
    """See that the file has not been changed since its hash was taken.

    Raises:
        Changed: it has.
        Failed: it cannot be looked at.
    """
    if await threads.run(partial(disk.look, Path(job.record.path))) != job.look:
        raise Changed(sentences.file_changed(job.record.name))


def _judge(job: Job, reply: Reply) -> None:
    """What comes of the server's answer.

    Raises:
        Cut: the file is not there yet.
        Failed: it never will be.
    """
    match reply.status:
        case HTTPStatus.CREATED:
            return
        case HTTPStatus.UNPROCESSABLE_ENTITY:
            # It was read wrongly, here or there.
            job.wrong += 1
            job.keep(hash="")
            if job.wrong > 1:
                raise Failed(reply.text or sentences.FILE_NOT_KEPT)
            raise Cut(reply.text or sentences.FILE_NOT_KEPT)
        case (
            HTTPStatus.ACCEPTED
            | HTTPStatus.CONFLICT
            | HTTPStatus.FORBIDDEN
            | HTTPStatus.REQUEST_TIMEOUT
            | HTTPStatus.TOO_MANY_REQUESTS
            | HTTPStatus.INTERNAL_SERVER_ERROR
            | HTTPStatus.SERVICE_UNAVAILABLE
        ):
            raise Cut(reply.text or sentences.FILE_CUT)
        case _:
            raise Failed(reply.text or sentences.FILE_GARBLED)


class _Source:
    """What is still to be brought, from the disk."""

    def __init__(self, job: Job, threads: Threads, offset: int) -> None:
        self._job = job
        self._threads = threads
        self._path = Path(job.record.path)
        self._at = offset
        # A request that ends early leaves the thread that reads for it behind.
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None

    async def open(self) -> None:
        """Open the file, if it is still the one whose hash is known."""
        await self._threads.run(self._open)

    async def piece(self) -> bytes:
        """What comes next; nothing at the end."""
        self._job.progress(self._at)
        if self._at == self._job.record.size:
            return b""
        piece = await self._threads.run(self._read)
        self._at += len(piece)
        return piece

    async def close(self) -> None:
        """Close the file."""
        await self._threads.run(self._close)

    def _open(self) -> None:
        self._file = disk.open_source(self._path, self._at, self._job.look)

    def _read(self) -> bytes:
        with self._lock:
            if self._file is None:
                return b""
            return disk.read_piece(self._file, self._path, self._job.record.size - self._at)

    def _close(self) -> None:
        with self._lock:
            file, self._file = self._file, None
            if file is not None:
                file.close()
