"""Test peers on bare blocking sockets, with their own idea of the protocol, so that they share no mistake with it."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Self, TypeAlias

from tests.support.deadline import DEADLINE_S
from tests.support.tls import TlsSocket

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"


class Closed(Exception):
    """The other side has closed the connection, or reset it."""


class CutOff(Exception):
    """The connection has ended in the middle of a line."""


class Silent(Exception):
    """Nothing came for as long as a test waits."""


class Peer:
    """A connection that sends and reads what it is told to.

    Args:
        port: where the server listens.
        host: its address.
        source: the address to connect from; None for any.
        receive_buffer: SO_RCVBUF in bytes, for a reader that is meant to be small.
        tls: how to encrypt the connection; None for not at all.
    """

    def __init__(
        self,
        port: int,
        *,
        host: str = "127.0.0.1",
        source: str | None = None,
        receive_buffer: int | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket: socket.socket | TlsSocket = tcp
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer is not None:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        tcp.settimeout(DEADLINE_S)
        with self._closed_on_failure():
            if source is not None:
                tcp.bind((source, 0))
            tcp.connect((host, port))
            own: tuple[str, int] = tcp.getsockname()
            self.local_port = own[1]
            if tls is not None:
                self.socket = TlsSocket(tcp, tls)
        self._rest = b""
        self._lines: deque[str] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def sendall(self, data: bytes) -> None:
        """Send bytes as they are.

        Raises:
            Closed: the server has closed the connection.
        """
        self.socket.settimeout(DEADLINE_S)
        try:
            self.socket.sendall(data)
        except ConnectionError as error:
            raise Closed(str(error)) from error

    def send_line(self, line: str) -> None:
        """Send one line."""
        self.sendall(line.encode() + b"\n")

    def send_cut(self, data: bytes, size: int = 1) -> None:
        """Send bytes in pieces of `size`."""
        for start in range(0, len(data), size):
            self.sendall(data[start : start + size])

    def finish_sending(self) -> None:
        """Say that nothing more will be sent, and go on reading."""
        self.socket.shutdown(socket.SHUT_WR)

    def read_line(self, deadline_s: float = DEADLINE_S) -> str:
        """The next line without its end.

        Raises:
            Closed: there will not be any.
            Silent: none came in time.
        """
        deadline = time.monotonic() + deadline_s
        while not self._lines:
            self._fill(deadline)
        return self._lines.popleft()

    def read_until(self, wanted: Callable[[str], bool], deadline_s: float = DEADLINE_S) -> list[str]:
        """The lines up to the first that is wanted, which is the last of them.

        Raises:
            Closed, Silent: as `read_line`; the message holds the lines that were read.
        """
        deadline = time.monotonic() + deadline_s
        read: list[str] = []
        while True:
            try:
                read.append(self.read_line(max(0.001, deadline - time.monotonic())))
            except (Closed, Silent) as error:
                raise type(error)(f"{error}; read before it: {read[-20:]}") from None
            if wanted(read[-1]):
                return read

    def expect_closed(self, deadline_s: float = DEADLINE_S) -> list[str]:
        """Read to the end of the connection, which has to come in time; the lines before it."""
        deadline = time.monotonic() + deadline_s
        read: list[str] = []
        try:
            while True:
                read.append(self.read_line(max(0.001, deadline - time.monotonic())))
        except Closed:
            return read

    def reset(self) -> None:
        """Close with RST, as a crashed machine's kernel or a middlebox does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self) -> None:
        """Close in the ordinary way."""
        if isinstance(self.socket, TlsSocket):
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
        self.socket.close()

    @contextmanager
    def _closed_on_failure(self) -> Iterator[None]:
        """For constructors: whoever never gets the peer cannot close it."""
        with ExitStack() as stack:
            stack.callback(self.close)
            yield
            stack.pop_all()

    def _fill(self, deadline: float) -> None:
        self.socket.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            chunk = self.socket.recv(65536)
        except TimeoutError:
            raise Silent(f"nothing came in time; unfinished: {self._rest[-200:]!r}") from None
        except ConnectionError as error:
            raise Closed(str(error)) from error
        if not chunk:
            if self._rest:
                raise CutOff(f"the connection ended within a line: {self._rest[-200:]!r}")
            raise Closed("the server has closed the connection")
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        self._lines.extend(line.decode() for line in lines)


class PlainPeer(Peer):
    """Somebody with netcat: registers and gets the first list.

    Args:
        port: where the server listens.
        name: the user name.
        source, receive_buffer, tls: as for `Peer`.
    """

    def __init__(
        self,
        port: int,
        name: str,
        *,
        source: str | None = None,
        receive_buffer: int | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(port, source=source, receive_buffer=receive_buffer, tls=tls)
        self.name = name
        with self._closed_on_failure():
            self.send_line(name)
            self.users = self._list(self.read_line())

    def say(self, to: str, text: str) -> None:
        """Send a message."""
        self.send_line(f"MSG: {to}: {text}")

    def read_message(self) -> tuple[str, str]:
        """The next message that is not a list: from whom, and what."""
        while True:
            line = self.read_line()
            if line.startswith("LIST:"):
                self.users = self._list(line)
                continue
            verb, sender, text = line.split(": ", 2)
            assert verb == "MSG", line
            return sender, text

    def read_messages(self, count: int) -> list[tuple[str, str]]:
        """The next `count` messages."""
        return [self.read_message() for _ in range(count)]

    def await_users(self, users: Sequence[str]) -> None:
        """Read until a list names exactly these, in this order."""
        wanted = list(users)
        if self.users == wanted:
            return
        line = self.read_until(lambda line: line.startswith("LIST:") and self._list(line) == wanted)[-1]
        self.users = self._list(line)

    @staticmethod
    def _list(line: str) -> list[str]:
        assert line.startswith("LIST: "), line
        return line.removeprefix("LIST: ").split(", ")


@dataclass(frozen=True)
class Frame:
    """One frame of the JSON dialect."""

    verb: str
    fields: dict[str, Value] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Value:
        return self.fields[name]

    def text(self, name: str) -> str:
        """A field that is a string."""
        value = self.fields[name]
        assert isinstance(value, str), self
        return value

    def number(self, name: str) -> int:
        """A field that is an integer."""
        value = self.fields[name]
        assert isinstance(value, int), self
        assert not isinstance(value, bool), self
        return value

    def names(self, name: str) -> list[str]:
        """A field that is a list of strings."""
        value = self.fields[name]
        assert isinstance(value, list), self
        names = [each for each in value if isinstance(each, str)]
        assert len(names) == len(value), self
        return names

    def part(self, name: str) -> Frame:
        """A field that is an object."""
        value = self.fields[name]
        assert isinstance(value, dict), self
        return Frame(name, value)

    def parts(self, name: str) -> list[Frame]:
        """A field that is a list of objects."""
        value = self.fields[name]
        assert isinstance(value, list), self
        parts = [Frame(name, each) for each in value if isinstance(each, dict)]
        assert len(parts) == len(value), self
        return parts

    def holds(self, fields: dict[str, Value]) -> bool:
        """Whether it has these fields with these values."""
        return all(name in self.fields and self.fields[name] == value for name, value in fields.items())


class JsonPeer(Peer):
    """A program: says HELLO, gets WELCOME and whatever it has missed, up to SYNCED.

    Args:
        port: where the server listens.
        name: the user name.
        token, invite, after, log, status: as in HELLO.
        source, receive_buffer, tls: as for `Peer`.
        sync: whether to read up to SYNCED; else only WELCOME is read.
    """

    def __init__(
        self,
        port: int,
        name: str,
        *,
        token: str | None = None,
        invite: str | None = None,
        after: int | None = None,
        log: str | None = None,
        status: str | None = None,
        source: str | None = None,
        receive_buffer: int | None = None,
        tls: ssl.SSLContext | None = None,
        sync: bool = True,
    ) -> None:
        super().__init__(port, source=source, receive_buffer=receive_buffer, tls=tls)
        self.answers_pings = True
        self.skipped: list[Frame] = []
        """Frames that came before one that was expected."""
        optional: dict[str, Value] = {
            "token": token,
            "invite": invite,
            "after": after,
            "log": log,
            "status": status,
        }
        given = {key: value for key, value in optional.items() if value is not None}
        with self._closed_on_failure():
            self.send("HELLO", user=name, agent="test", **given)
            self.welcome = self.read()
            assert self.welcome.verb == "WELCOME", self.welcome
            self.name = self.welcome.text("user")
            self.token = self.welcome.text("token")
            self.log = self.welcome.text("log")
            self.missed: list[Frame] = self.await_synced() if sync else []
            """The messages that came before SYNCED."""

    def await_synced(self) -> list[Frame]:
        """Read up to SYNCED; the messages before it."""
        return [frame for frame in self.read_frames("SYNCED") if frame.verb == "MSG"]

    def send(self, verb: str, **fields: Value) -> None:
        """Send one frame."""
        self.send_line(encode(verb, **fields))

    def read(self, deadline_s: float = DEADLINE_S) -> Frame:
        """The next frame; a PING is answered and passed over, unless the peer is told to play dead."""
        deadline = time.monotonic() + deadline_s
        while True:
            frame = decode(self.read_line(max(0.001, deadline - time.monotonic())))
            if frame.verb != "PING" or not self.answers_pings:
                return frame
            self.send("PONG", n=frame["n"])

    def read_frames(self, verb: str, **fields: Value) -> list[Frame]:
        """The frames up to the first with this verb and these fields, which is the last of them."""
        deadline = time.monotonic() + DEADLINE_S
        read: list[Frame] = []
        while True:
            try:
                read.append(self.read(max(0.001, deadline - time.monotonic())))
            except (Closed, Silent) as error:
                raise type(error)(f"waiting for {verb} {fields}: {error}; before it: {read[-20:]}") from None
            if read[-1].verb == verb and read[-1].holds(fields):
                return read

    def expect(self, verb: str, **fields: Value) -> Frame:
        """The next frame with this verb and these fields; what came before it goes to `skipped`."""
        *before, found = self.read_frames(verb, **fields)
        self.skipped += before
        return found

    def expect_messages(self, count: int) -> list[Frame]:
        """The next `count` messages."""
        return [self.expect("MSG") for _ in range(count)]

    def ask(self, verb: str, **fields: Value) -> Frame:
        """Send a request and get what answers it, be it an error."""
        rid = uuid.uuid4().hex
        self.send(verb, rid=rid, **fields)
        deadline = time.monotonic() + DEADLINE_S
        while True:
            frame = self.read(max(0.001, deadline - time.monotonic()))
            if frame.fields.get("rid") == rid:
                return frame
            self.skipped.append(frame)

    def say(self, to: str, text: str, cid: str | None = None) -> str:
        """Send a message and do not wait; its cid."""
        cid = uuid.uuid4().hex if cid is None else cid
        self.send("MSG", to=to, text=text, cid=cid)
        return cid

    def deliver(self, to: str, text: str, cid: str | None = None) -> Frame:
        """Send a message and wait for its ACK."""
        return self.expect("ACK", cid=self.say(to, text, cid))

    def drain(self) -> list[Frame]:
        """Everything that the server has sent on this connection until it answers a PING of now."""
        number = time.monotonic_ns()
        self.send("PING", n=number)
        return self.read_frames("PONG", n=number)[:-1]


def encode(verb: str, **fields: Value) -> str:
    """The line of a frame, without its end."""
    return f"{verb}: {json.dumps(fields, ensure_ascii=False)}"


def decode(line: str) -> Frame:
    """The frame of a line of the server's, checked against the grammar."""
    verb, colon, payload = line.partition(": ")
    assert colon, line
    assert verb.isascii(), line
    assert verb.isupper(), line
    fields = json.loads(payload)
    assert isinstance(fields, dict), line
    return Frame(verb, fields)


def hello(name: str, **fields: Value) -> bytes:
    """The bytes of a HELLO."""
    return encode("HELLO", user=name, agent="test", **fields).encode() + b"\n"


def eventually(holds: Callable[[], bool], deadline_s: float = DEADLINE_S) -> None:
    """Look again and again until something holds that no event tells of, such as a count of the system's."""
    deadline = time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)
