"""A small server for chat and files on one port, which does what the test wants wrongly: a script for both sides of it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import secrets
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final, Self

from tests.support.certificates import Identity, identity
from tests.unit.client.scripted import QUICK, next_of, until
from tests.unit.client.sessions import welcome
from twocans.client import Client, Outbox, Timers, Transfer, TransferMoved, TransferState
from twocans.protocol import json
from twocans.protocol.messages import (
    Ack,
    Bye,
    DownloadQuery,
    Error,
    FileRef,
    Frame,
    Hello,
    LimitsInForce,
    Message,
    Send,
    Synced,
    Ticket,
    UploadQuery,
)

MOST: Final = 1 << 40
LIMITS: Final = LimitsInForce(line_bytes=65536, text_bytes=16384, rate=0.0, burst=1.0, file_bytes=MOST)


def ref(content: bytes) -> FileRef:
    """A file by its content."""
    return FileRef(hash=hashlib.sha256(content).hexdigest(), size=len(content))


class Request:
    """One HTTP request, whose body has not been read."""

    def __init__(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.method = method
        self.ticket = path.removeprefix("/files/")
        self.headers = headers
        self.reader = reader
        self.writer = writer

    def go_on(self) -> None:
        """Tell a client that asks whether to send its body that it may."""
        if "expect" in self.headers:
            self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    async def answer(self, status: str, body: bytes = b"", *headers: str) -> None:
        """Answer; the length is told unless a header does so."""
        if not any(header.lower().startswith(("content-length", "transfer-encoding")) for header in headers):
            headers = (*headers, f"Content-Length: {len(body)}")
        head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", "Connection: close", *headers, ""))
        self.writer.write(head.encode() + body)
        await self.writer.drain()

    def cut(self) -> None:
        """End the connection, whatever is under way."""
        self.writer.transport.abort()


class FileServer:
    """Keeps files in memory.

    Args:
        key: what it encrypts with.
    """

    def __init__(self, key: Identity | None = None) -> None:
        self.context = (key or identity()).context()
        self.limits = LIMITS
        self.files: dict[str, bytes] = {}
        """What can be fetched, by its hash."""
        self.brought: dict[str, bytearray] = {}
        """What has been brought so far, by its hash."""
        self.messages: list[Send] = []
        self.requests: list[Request] = []
        self.on_request: Callable[[Request, FileServer], object] | None = None
        """Answers in the place of the server, and says so by returning a coroutine."""
        self.refusals: list[Error] = []
        """How the next requests for a ticket are refused."""
        self.refuse_message = ""
        """The code with which the next message is refused."""
        self.cut_after: list[int] = []
        """After how many bytes of a body the next connections are cut."""
        self.seen: Callable[[], int] | None = None
        """How much of a file the client has taken in, which is waited for before a connection is cut."""
        self.gate = asyncio.Event()
        """Closed, bodies stand still after their first piece."""
        self.gate.set()
        self.next_ticket = ""
        """What tickets are called; something that cannot be guessed if empty."""
        self.offered: dict[int, FileRef] = {}
        self.running = 0
        self.most_running = 0
        self.port = 0
        self._tickets: dict[str, tuple[bool, FileRef]] = {}
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._chats: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def open(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", self.port, family=socket.AF_INET, ssl=self.context, limit=1 << 20
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """End as a process does that is killed."""
        if self._server is not None:
            self._server.close()
        self.cut()
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)

    def cut(self, *, chats_only: bool = False) -> None:
        """Cut all connections."""
        for writer in list(self._chats if chats_only else self._writers):
            writer.transport.abort()

    def client(self, *, outbox: Outbox | None = None, user: str = "alice", timers: Timers = QUICK) -> Client:
        """A client for this server that is not connected yet."""
        return Client(f"127.0.0.1:{self.port}", user, timers=timers, outbox=outbox, device="test")

    def offer(self, content: bytes, name: str = "report.pdf", *, claimed: FileRef | None = None) -> Message:
        """A message from bob with a file."""
        file = claimed or ref(content)
        self.files[file.hash] = content
        id_ = len(self.offered) + 1
        self.offered[id_] = file
        return Message(id=id_, at=id_, sender="bob", to="alice", text=name, cid=f"c{id_}", file=file)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                line = await reader.readline()
                if line.rstrip().endswith(b"HTTP/1.1"):
                    await self._serve(line, reader, writer)
                elif line:
                    self._chats.add(writer)
                    await self._chat(line, reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            self._chats.discard(writer)
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.close()

    # --- chat --------------------------------------------------------------------------------------------

    async def _chat(self, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line:
            frame = json.decode_client(line.removesuffix(b"\n"))
            if isinstance(frame, Bye):
                return
            for answer in self._answers(frame):
                writer.write(json.encode(answer))
            line = await reader.readline()

    def _answers(self, frame: Frame) -> list[Frame]:
        match frame:
            case Hello():
                return [welcome(limits=self.limits, user=frame.user), Synced(last=0)]
            case UploadQuery() | DownloadQuery() if self.refusals:
                refusal = self.refusals.pop(0)
                return [Error(code=refusal.code, text=refusal.text, rid=frame.rid)]
            case UploadQuery():
                file = FileRef(hash=frame.hash, size=frame.size)
                return [self._ticket(frame.rid, file, len(self.brought.get(file.hash, b"")), up=True)]
            case DownloadQuery():
                return [self._ticket(frame.rid, self.offered[frame.id], 0, up=False)]
            case Send() if self.refuse_message:
                code, self.refuse_message = self.refuse_message, ""
                return [Error(code=code, text="That file is not there.", cid=frame.cid)]
            case Send():
                self.messages.append(frame)
                return [Ack(cid=frame.cid, id=1000 + len(self.messages), at=1)]
            case _:
                return []

    def _ticket(self, rid: int | str, file: FileRef, offset: int, *, up: bool) -> Ticket:
        ticket = self.next_ticket or secrets.token_urlsafe(16)
        self._tickets[ticket] = (up, file)
        return Ticket(rid=rid, ticket=ticket, offset=offset, valid_s=600)

    # --- files -------------------------------------------------------------------------------------------

    async def _serve(self, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, path, _ = line.decode().split(" ", 2)
        headers: dict[str, str] = {}
        while (header := await reader.readline()).strip():
            name, _, value = header.decode().partition(":")
            headers[name.lower()] = value.strip()
        request = Request(method, path, headers, reader, writer)
        self.requests.append(request)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            instead = self.on_request(request, self) if self.on_request is not None else None
            if asyncio.iscoroutine(instead):
                await instead
            elif request.ticket not in self._tickets:
                await request.answer("403 Forbidden", b"That ticket is not known.")
            elif method == "DELETE":
                self.brought.pop(self._tickets[request.ticket][1].hash, None)
                await request.answer("200 OK")
            elif method == "PUT":
                await self.take(request)
            else:
                await self.give(request)
            await writer.drain()
        finally:
            self.running -= 1

    async def take(self, request: Request) -> None:
        """Answer an upload as a server should."""
        _, file = self._tickets[request.ticket]
        held = self.brought.setdefault(file.hash, bytearray())
        first = int(re.split(r"[ -]", request.headers.get("content-range", "bytes 0-"))[1])
        if first != len(held):
            await request.answer("409 Conflict", b"", f"Upload-Offset: {len(held)}")
            return
        request.go_on()
        left, cut_after = int(request.headers["content-length"]), self._cut_after()
        while left:
            piece = await request.reader.read(min(left, 65536, cut_after))
            if not piece:
                raise ConnectionResetError
            held += piece
            left -= len(piece)
            cut_after -= len(piece)
            if not cut_after:
                request.cut()
                return
            await self.gate.wait()
        if len(held) < file.size:
            await request.answer("202 Accepted", b"", f"Upload-Offset: {len(held)}")
        elif hashlib.sha256(held).hexdigest() != file.hash:
            held.clear()
            await request.answer("422 Unprocessable Entity", b"That is not the file that was announced.")
        else:
            await request.answer("201 Created")

    async def give(self, request: Request) -> None:
        """Answer a download as a server should."""
        _, file = self._tickets[request.ticket]
        content, first = self.files[file.hash], 0
        if "range" in request.headers and request.headers.get("if-range") == f'"{file.hash}"':
            first = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
        body = content[first:]
        headers = [f"Content-Length: {len(body)}", f'ETag: "{file.hash}"']
        if first:
            headers.append(f"Content-Range: bytes {first}-{len(content) - 1}/{len(content)}")
        await request.answer("206 Partial Content" if first else "200 OK", b"", *headers)
        cut_after = self._cut_after()
        for at in range(0, len(body), 65536):
            request.writer.write(body[at : at + 65536][:cut_after])
            cut_after -= 65536
            await request.writer.drain()
            if cut_after <= 0:
                await self._wait_until_seen(first + at + 65536 + cut_after)
                request.cut()
                return
            await self.gate.wait()

    async def _wait_until_seen(self, sent: int) -> None:
        await until(lambda: self.seen is None or self.seen() >= sent)

    def _cut_after(self) -> int:
        return self.cut_after.pop(0) if self.cut_after else MOST


def content(size: int, seed: int = 1) -> bytes:
    """Bytes that are nowhere the same."""
    return Random(seed).randbytes(size)  # noqa: S311 - data for tests


async def moved_to(client: Client, id_: str, *states: TransferState) -> Transfer:
    """The transfer once it is in one of these states; others that are an end, where nobody waits for them, fail."""
    ends = {TransferState.DONE, TransferState.FAILED, TransferState.CANCELLED, *states}
    event = await next_of(
        client, TransferMoved, lambda event: event.transfer.id == id_ and event.transfer.state in ends
    )
    assert event.transfer.state in states, event.transfer
    return event.transfer


async def done(client: Client, id_: str) -> Transfer:
    """The transfer once it is done."""
    return await moved_to(client, id_, TransferState.DONE)


async def failed(client: Client, id_: str) -> Transfer:
    """The transfer once it has failed."""
    return await moved_to(client, id_, TransferState.FAILED)


def files_in(folder: Path) -> list[Path]:
    """What is in a folder."""
    return sorted(folder.iterdir())


def read(path: str) -> bytes:
    """What is in a file."""
    return Path(path).read_bytes()
