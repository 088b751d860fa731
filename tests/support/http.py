"""Requests on bare sockets, with their own idea of HTTP; and files to send by them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Self

from tests.support.deadline import DEADLINE_S
from tests.support.raw import Closed, Frame, JsonPeer, Peer, Silent

_CHUNK: Final = 65536


@dataclass(frozen=True)
class Answer:
    """What a request was answered with; the headers' names in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes = b""

    @property
    def text(self) -> str:
        """The sentence that the body is."""
        return self.body.decode()

    @property
    def offset(self) -> int:
        """How much of a file the server says it has."""
        return int(self.headers["upload-offset"])


class HttpClient:
    """A connection that makes requests.

    Args:
        peer: the connection; it is closed here.
    """

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self.peer.close()

    def begin(self, method: str, path: str, *, length: int | None = None, **headers: str) -> None:
        """Send the head of a request; an underscore in a header's name is a hyphen."""
        self.peer.sendall(head(method, path, length=length, **headers))

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Make a request and read what answers it."""
        self.begin(method, path, length=None if body is None else len(body), **headers)
        if body:
            self.peer.sendall(body)
        return self.answer(method)

    def answer(self, method: str = "GET") -> Answer:
        """Read the next answer."""
        answer = self.answer_head()
        if method == "HEAD":
            return answer
        return Answer(
            answer.status, answer.headers, self.take(int(answer.headers.get("content-length", "0")))
        )

    def answer_head(self) -> Answer:
        """Read the head of the next answer."""
        while b"\r\n\r\n" not in self._rest:
            self._fill()
        first, self._rest = self._rest.split(b"\r\n\r\n", 1)
        start, *lines = first.decode("ascii").split("\r\n")
        version, status, _ = start.split(" ", 2)
        assert version in ("HTTP/1.1", "HTTP/1.0"), start
        pairs = [line.split(": ", 1) for line in lines]
        return Answer(int(status), {name.lower(): value for name, value in pairs})

    def take(self, size: int) -> bytes:
        """Read so many bytes of a body."""
        while len(self._rest) < size:
            self._fill()
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def expect_closed(self) -> bytes:
        """Read to the end of the connection; what came before it."""
        try:
            while True:
                self._fill()
        except Closed:
            return self._rest

    def _fill(self) -> None:
        self.peer.socket.settimeout(DEADLINE_S)
        try:
            chunk = self.peer.socket.recv(_CHUNK)
        except TimeoutError:
            raise Silent(f"nothing came in time; unfinished: {self._rest[-200:]!r}") from None
        except ConnectionError as error:
            raise Closed(str(error)) from error
        if not chunk:
            raise Closed("the server has closed the connection")
        self._rest += chunk


@dataclass(frozen=True)
class Document:
    """A file to send."""

    content: bytes
    name: str = "report.pdf"
    hash: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hash", hashlib.sha256(self.content).hexdigest())

    @property
    def size(self) -> int:
        """How long it is, in bytes."""
        return len(self.content)

    @property
    def ref(self) -> dict[str, str | int]:
        """What a message says of it."""
        return {"hash": self.hash, "size": self.size}

    def range(self, first: int) -> str:
        """What says that it is brought from a byte on."""
        return f"bytes {first}-{self.size - 1}/{self.size}"


def head(method: str, path: str, *, length: int | None = None, **headers: str) -> bytes:
    """The bytes of a request's head."""
    if length is not None:
        headers["Content_Length"] = str(length)
    lines = [f"{method} {path} HTTP/1.1", "Host: here"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def upload_ticket(peer: JsonPeer, document: Document) -> Frame:
    """Ask to bring a file."""
    ticket = peer.ask("UPLOAD", hash=document.hash, size=document.size)
    assert ticket.verb == "TICKET", ticket
    return ticket


def path_of(ticket: Frame) -> str:
    """Where a ticket leads."""
    return f"/files/{ticket.text('ticket')}"


def bring(peer: JsonPeer, connect: Callable[[], Peer], document: Document) -> None:
    """Bring a file, all of it."""
    ticket = upload_ticket(peer, document)
    with HttpClient(connect()) as http:
        answer = http.ask("PUT", path_of(ticket), document.content)
        assert answer.status == 201, answer


def send_file(peer: JsonPeer, to: str, document: Document, cid: str) -> Frame:
    """Send the message with a file that has been brought; what answers it."""
    peer.send("MSG", to=to, text=document.name, cid=cid, file=dict(document.ref))
    while True:
        frame = peer.read()
        if frame.fields.get("cid") == cid and frame.verb in ("ACK", "ERROR"):
            return frame
        peer.skipped.append(frame)


def fetch(peer: JsonPeer, connect: Callable[[], Peer], id_: int) -> bytes:
    """Fetch the file of a message."""
    ticket = peer.ask("DOWNLOAD", id=id_)
    assert ticket.verb == "TICKET", ticket
    with HttpClient(connect()) as http:
        answer = http.ask("GET", path_of(ticket))
        assert answer.status == 200, answer
        return answer.body
