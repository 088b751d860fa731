"""What a hostile client does, on bare sockets: as fast as it can, until it is told to stop.

An attack is bounded in connections, never in what it sends: to bound that is the server's business.
"""

from __future__ import annotations

import itertools
import os
import selectors
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import Final, NamedTuple, Protocol

from tests.support.http import Document, HttpClient, path_of, upload_ticket
from tests.support.raw import Closed, CutOff, JsonPeer, Peer, Silent, encode, hello
from tests.support.tls import client_context

HOST: Final = "127.0.0.1"
ELSEWHERE: Final = "127.0.0.66"
"""An address that is not that of the people who chat."""
WORKERS: Final = 8
"""How many connections at a time those attacks have that connect again and again."""
CROWD: Final = 100
"""How many connections those have that stay."""
SILENT: Final = 490
"""As many as one address may have, but for those who chat."""
GUESSES_AT_ONCE: Final = 4
"""How many passwords one address has checked at once; those of all workers are more than may wait."""
PASSWORD: Final = "korrekt horse"
GONE: Final = (OSError, Closed, CutOff, Silent)
"""What happens to those who attack."""


class Target(Protocol):
    """Whom to attack, for how long, and how far it has got."""

    port: int

    def over(self) -> bool:
        """Whether to stop."""
        ...

    def count(self, number: int = 1) -> None:
        """The attack has got through so much more, whatever the server has made of it."""
        ...


class Attack(NamedTuple):
    """One way to be hostile."""

    run: Callable[[Target], None]
    met: Sequence[str] = ()
    """The event of the server's that shows that a limit has been met, and values of its fields."""
    options: Sequence[str] = ()
    """The settings of the server that make it short enough for a test."""
    least: int = 1
    """How far it gets before it is measured; where there is no event, so far only if a limit has been met."""
    connections: int = WORKERS
    """How many connections it has at a time."""
    memory_mib: int = 0
    """What it may take besides what every connection may."""
    files: int = 0
    """How many files the server may have open for it."""
    threads: int = 0
    """How many threads the server keeps once it has needed them."""
    lingers: bool = False
    """Whether lines are left that wait their turn, for which the server keeps the connections for a while."""

    @property
    def invite(self) -> str | None:
        """The invite that the server asks newcomers for."""
        return dict(itertools.pairwise(self.options)).get("--invite")


def connect(port: int, *, receive_buffer: int | None = None) -> socket.socket:
    """A connected socket that waits a second at most."""
    sock = socket.socket()
    sock.settimeout(1.0)
    try:
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.connect((HOST, port))
    except OSError:
        sock.close()
        raise
    return sock


def reset(sock: socket.socket) -> None:
    """Close with RST, which leaves no port behind that waits."""
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def client_hello() -> bytes:
    """The hello of TLS 1.3, which the server answers with its most expensive step."""
    outgoing = ssl.MemoryBIO()
    tls = client_context().wrap_bio(ssl.MemoryBIO(), outgoing)
    with suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def again_and_again(target: Target, attempt: Callable[[int, int], None]) -> None:
    """Make attempts on `WORKERS` threads, each after the one before; they get the worker and a number."""

    def work(worker: int) -> None:
        for number in itertools.count():
            if target.over():
                return
            with suppress(*GONE):
                attempt(worker, number)
                target.count()

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def talk(
    target: Target, opening: Callable[[int], bytes], lines: Callable[[], bytes], *, size: int = CROWD
) -> None:
    """Keep connections that say something first, and then lines as fast as they are taken; read all answers."""
    with selectors.DefaultSelector() as selector:
        unsent: dict[socket.socket, bytes] = {}
        for number in range(size):
            sock = connect(target.port)
            sock.sendall(opening(number))
            sock.setblocking(False)
            selector.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE)
            unsent[sock] = b""
        while unsent and not target.over():
            for key, events in selector.select(0.1):
                sock = key.fileobj  # type: ignore[assignment]
                try:
                    ended = bool(events & selectors.EVENT_READ) and not sock.recv(262144)
                    if events & selectors.EVENT_WRITE and not ended:
                        data = unsent[sock] or lines()
                        unsent[sock] = data[sock.send(data) :]
                        target.count()
                except BlockingIOError:
                    continue
                except ConnectionError:
                    ended = True
                if ended:
                    selector.unregister(sock)
                    del unsent[sock]
                    sock.close()


def numbered(to: str, text: str = "hi") -> Callable[[], bytes]:
    """What gives ten messages at a time, each with an id of its own."""
    cids = itertools.count()

    def ten() -> bytes:
        return b"".join(
            encode("MSG", to=to, text=text, cid=str(next(cids))).encode() + b"\n" for _ in range(10)
        )

    return ten


# --- connections ------------------------------------------------------------------------------------------


def silent(target: Target) -> None:
    """As many connections as one address may have, which say nothing, or never finish what they say."""
    openings = (b"", b"ali", client_hello()[:100], client_hello(), b"HELLO: {")
    with selectors.DefaultSelector() as selector:
        for number in itertools.count():
            if target.over():
                break
            if len(selector.get_map()) < SILENT:
                with suppress(OSError):
                    sock = connect(target.port)
                    sock.sendall(openings[number % len(openings)])
                    selector.register(sock, selectors.EVENT_READ)
                    target.count()
                if number % 10:
                    continue  # look at the others now and then only
            for key, _ in selector.select(0):
                assert isinstance(key.fileobj, socket.socket)
                with suppress(OSError):
                    if key.fileobj.recv(65536):
                        continue
                selector.unregister(key.fileobj)
                key.fileobj.close()


def dribble(target: Target) -> None:
    """A name that comes byte by byte and never ends."""

    def attempt(_worker: int, _number: int) -> None:
        with connect(target.port) as sock, suppress(ConnectionError):
            while not target.over():
                sock.sendall(b"a")
                time.sleep(0.01)

    again_and_again(target, attempt)


def churn(target: Target) -> None:
    """Connect, and be gone."""
    again_and_again(target, lambda _worker, _number: reset(connect(target.port)))


def refused_connections(target: Target) -> None:
    """Connect where no more connections of the address are let in."""

    def attempt(_worker: int, _number: int) -> None:
        with connect(target.port) as sock:
            while sock.recv(1024):
                pass

    again_and_again(target, attempt)


def refused_names(target: Target) -> None:
    """Give names that are none until the server closes."""

    def attempt(_worker: int, _number: int) -> None:
        with connect(target.port) as sock:
            sock.sendall(b"no name\nMSG\nlist\n")
            while sock.recv(1024):
                pass

    again_and_again(target, attempt)


def new_names(target: Target) -> None:
    """Take one new name after another."""

    def attempt(worker: int, number: int) -> None:
        with connect(target.port) as sock:
            sock.sendall(f"new{worker}n{number}\n".encode())
            sock.recv(1024)
            reset(sock)

    again_and_again(target, attempt)


def presence(target: Target) -> None:
    """Join and leave under the same names."""

    def attempt(worker: int, _number: int) -> None:
        with connect(target.port) as sock:
            sock.sendall(hello(f"here{worker}"))
            sock.recv(1024)

    again_and_again(target, attempt)


# --- TLS --------------------------------------------------------------------------------------------------


def handshakes(target: Target) -> None:
    """Begin to shake hands, and be gone when the server has done its part."""
    first = client_hello()

    def attempt(_worker: int, _number: int) -> None:
        sock = connect(target.port)
        try:
            sock.sendall(first)
            sock.recv(1)
        finally:
            reset(sock)

    again_and_again(target, attempt)


def broken_tls(target: Target) -> None:
    """Say what is no TLS where TLS is expected: noise, records that are too long, endless hellos."""
    first = client_hello()
    handshake = b"\x16\x03\x01\x40\x00" + b"\x01\xff\xff\xff" + bytes(16380)
    openings = (
        b"\x16" + os.urandom(65536),
        b"\x16\x03\x01\xff\xff" + bytes(65535),
        handshake + (b"\x16\x03\x01\x40\x00" + bytes(16384)) * 16,
        first + b"\x17\x03\x03\x40\x00" + os.urandom(16384),
        first + b"\x16\x03\x03\x00\x00" * 10_000,
        first + b"\x15\x03\x03\x00\x02\x01\x00" * 10_000,
        first * 50,
    )

    def attempt(_worker: int, number: int) -> None:
        with connect(target.port) as sock, suppress(ConnectionError):
            sock.sendall(openings[number % len(openings)])
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass

    again_and_again(target, attempt)


# --- lines ------------------------------------------------------------------------------------------------


def endless_line(target: Target) -> None:
    """Lines without an end, as fast as the server takes them."""
    chunk = b"x" * 65536

    def attempt(worker: int, number: int) -> None:
        with connect(target.port) as sock:
            sock.sendall((b"", b"MSG: ", hello(f"endless{worker}") + b"MSG: ")[number % 3])
            while True:
                sock.sendall(chunk)
                if target.over():
                    return

    def counted(worker: int, number: int) -> None:
        with suppress(ConnectionError):
            attempt(worker, number)

    again_and_again(target, counted)


def messages(target: Target) -> None:
    """Messages from many at once, as fast as they are taken."""
    talk(target, lambda number: hello(f"loud{number}"), numbered("loud0"))


def large_messages(target: Target) -> None:
    """The same with texts as long as may be."""
    talk(target, lambda number: hello(f"loud{number}"), numbered("loud0", "x" * 16_000))


def nested(target: Target) -> None:
    """Lines as long as may be, of objects within objects."""
    deep = b'MSG: {"to": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}"
    wide = b'MSG: {"x": [' + b"{}," * 20_000 + b"0]}"
    talk(target, lambda number: hello(f"deep{number}"), lambda: deep + b"\n" + wide + b"\n", size=20)


def sessions(target: Target) -> None:
    """Many sessions of one account, each of which writes to all of them."""
    with JsonPeer(target.port, "many") as first:
        talk(target, lambda _: hello("many", token=first.token), numbered("many"))


def stored(target: Target) -> None:
    """Messages for somebody who never comes, until none is stored any more."""
    with JsonPeer(target.port, "hoarder") as hoarder:
        while not target.over():
            hoarder.say("hoarder", "x")
            target.count(
                sum(frame["code"] == "rate_limited" for frame in hoarder.drain() if frame.verb == "ERROR")
            )


def stored_bytes(target: Target) -> None:
    """Long messages under many names, until nothing more of their address is stored."""
    with ExitStack() as stack:
        hoarders = [
            stack.enter_context(JsonPeer(target.port, f"hoarder{number}", source=ELSEWHERE))
            for number in range(WORKERS)
        ]
        while not target.over():
            for hoarder in hoarders:
                hoarder.say(hoarder.name, "x" * 16_000)
                target.count(
                    sum(frame["code"] == "rate_limited" for frame in hoarder.drain() if frame.verb == "ERROR")
                )


def queries(target: Target) -> None:
    """Questions about what was said, from many at once."""
    with JsonPeer(target.port, "rich") as rich:
        for number in range(400):
            rich.say("rich", f"{number} " + "word " * 1000)
        rich.drain()
        ask = "".join(
            encode(verb, rid=1, **fields) + "\n"
            for verb, fields in (
                ("HISTORY", {"peer": "rich", "limit": 500}),
                ("SEARCH", {"query": "w o", "limit": 500}),
                ("CHATS", {}),
                ("FIND", {"prefix": "r"}),
            )
        )
        talk(target, lambda _: hello("rich", token=rich.token, after=10**6, log=rich.log), ask.encode)


def devices(target: Target) -> None:
    """Codes and lists of devices over and over, and all devices that a name may have."""
    with JsonPeer(target.port, "owner", tls=client_context()) as owner:

        def attempt(_worker: int, _number: int) -> None:
            code = owner_code()
            fields = {"secret": code}
            with Peer(target.port, tls=client_context()) as peer:
                peer.sendall(hello("owner", **fields))
                peer.read_line()

        lock = threading.Lock()

        def owner_code() -> str:
            with lock:
                for _ in range(20):
                    owner.send("DEVICES", rid=1)
                    owner.send("CODE", rid=1)
                answer = owner.ask("CODE")
                return str(answer.fields.get("code", "none"))

        again_and_again(target, attempt)


# --- readers ----------------------------------------------------------------------------------------------


def _unread(target: Target, tls: ssl.SSLContext | None) -> None:
    def attempt(worker: int, number: int) -> None:
        name = f"deaf{worker}n{number}"
        with (
            Peer(target.port, receive_buffer=4096, tls=tls) as deaf,
            JsonPeer(target.port, f"to{name}") as talker,
        ):
            deaf.sendall(hello(name))
            talker.expect("JOINED", user=name)
            while not target.over():
                talker.say(name, "x" * 16_000)
                if any(frame.verb == "LEFT" and frame["user"] == name for frame in talker.drain()):
                    return

    again_and_again(target, attempt)


def unread(target: Target) -> None:
    """Have things sent to oneself and read none of them."""
    _unread(target, None)


def unread_tls(target: Target) -> None:
    """The same over TLS."""
    _unread(target, client_context())


# --- passwords --------------------------------------------------------------------------------------------


def guesses(target: Target) -> None:
    """Guess the password of a name."""
    _secrets(target, "wrong horse")


def passwords(target: Target) -> None:
    """Come in with a password that is right, over and over, which takes the server as much as a wrong one."""
    _secrets(target, PASSWORD)


def _secrets(target: Target, secret: str) -> None:
    tls = client_context()
    with JsonPeer(target.port, "mallory", tls=tls) as mallory:
        assert mallory.ask("PASSWORD", password=PASSWORD)["password"] is True

        def attempt(_worker: int, _number: int) -> None:
            with Peer(target.port, tls=tls) as peer:
                peer.sendall(f"mallory {secret}\n".encode())
                peer.read_line()

        again_and_again(target, attempt)


def crowded_passwords(target: Target) -> None:
    """Guess from one address after another, on more connections at once than may wait for a check."""
    tls = client_context()
    with JsonPeer(target.port, "mallory", tls=tls) as mallory:
        assert mallory.ask("PASSWORD", password=PASSWORD)["password"] is True

        def attempt(worker: int, number: int) -> None:
            source = f"127.{1 + worker}.{number // 250 % 250}.{1 + number % 250}"
            with ExitStack() as open_peers:
                peers = [
                    open_peers.enter_context(Peer(target.port, tls=tls, source=source))
                    for _ in range(GUESSES_AT_ONCE)
                ]
                for peer in peers:
                    peer.sendall(b"mallory wrong horse\n")
                for peer in peers:
                    peer.read_line()

        again_and_again(target, attempt)


def bound_names(target: Target) -> None:
    """Take names in the clear, bind them over TLS, and use what the clear session was given before."""
    tls = client_context()

    def attempt(worker: int, number: int) -> None:
        name = f"bound{worker}n{number}"
        # One that is refused, for opening connections too fast, gets a line for people in place of a frame.
        with suppress(ValueError), JsonPeer(target.port, name) as early:
            document = Document(name.encode())
            ticket = path_of(upload_ticket(early, document))
            with JsonPeer(target.port, name, token=early.token, tls=tls):
                early.expect_closed()
                with HttpClient(Peer(target.port)) as client:
                    assert client.ask("PUT", ticket, document.content).status == 403

    again_and_again(target, attempt)


_SOON: Final = ("--registration-s", "1")
_FEW: Final = ("--connection-rate", "20")
_TOO_FAST: Final = ("connection_refused", "too_fast")
_TOO_MANY: Final = ("name_refused", "rate_limited")
_TOO_SLOW: Final = ("session_closed", "too_slow")
_UNLIMITED: Final = ("--rate-limit", "0")
_QUEUES_MIB: Final = 2 * WORKERS + 64
"""What waits for readers, once as text and once encrypted, and for the disk and the index."""
_BURSTS_MIB: Final = CROWD * 500 * 4096 // 1024**2
"""What all of a crowd may say at once, which may wait for the disk."""
_SHORT_BURSTS_MIB: Final = CROWD * 500 * 1024 // 1024**2
"""The same with short texts: what Python keeps for a message, its delivery to its reader, and its place in the index."""
_ARGON2_MIB: Final = 64
"""What one hash takes."""

ATTACKS: Final[Mapping[str, Attack]] = {
    "silent connections": Attack(
        silent, ("never_registered", "not_registered"), _SOON, least=600, connections=SILENT
    ),
    "bytes one by one": Attack(dribble, ("never_registered", "not_registered"), _SOON, least=WORKERS),
    "connection churn": Attack(churn, _TOO_FAST, _FEW),
    "refused connections": Attack(
        refused_connections, ("connection_refused", "address_full"), ("--max-connections-per-address", "2")
    ),
    "refused names": Attack(refused_names, ("name_refused", "name_invalid"), least=1000),
    "new names": Attack(new_names, _TOO_MANY, ("--new-names-per-address", "20")),
    "joins and leaves": Attack(presence, _TOO_FAST, _FEW),
    "TLS handshakes": Attack(handshakes, _TOO_FAST, _FEW),
    "broken TLS": Attack(broken_tls, _TOO_FAST, _FEW),
    "endless lines": Attack(endless_line, ("session_closed", "protocol_error"), least=20),
    "nested JSON": Attack(nested, least=100, connections=20, lingers=True),
    "messages": Attack(messages, least=2000, connections=CROWD, memory_mib=_SHORT_BURSTS_MIB, lingers=True),
    "large messages": Attack(
        large_messages, least=2000, connections=CROWD, memory_mib=_BURSTS_MIB, lingers=True
    ),
    "sessions of one name": Attack(sessions, least=2000, connections=CROWD + 1, lingers=True),
    "stored bytes": Attack(
        stored_bytes, options=("--stored-bytes-per-address", "3000000", *_UNLIMITED), memory_mib=8
    ),
    "stored messages": Attack(stored, options=("--stored-messages-per-sender", "300")),
    "looking back": Attack(queries, least=2000, connections=CROWD + 1, lingers=True),
    "devices and codes": Attack(devices, connections=WORKERS + 1),
    "unread": Attack(unread, _TOO_SLOW, _UNLIMITED, connections=2 * WORKERS, memory_mib=_QUEUES_MIB),
    "unread over TLS": Attack(
        unread_tls, _TOO_SLOW, _UNLIMITED, connections=2 * WORKERS, memory_mib=_QUEUES_MIB
    ),
    "wrong passwords": Attack(guesses, _TOO_MANY, connections=WORKERS + 1, memory_mib=_ARGON2_MIB),
    "passwords of many addresses": Attack(
        crowded_passwords,
        _TOO_MANY,
        connections=GUESSES_AT_ONCE * WORKERS + 1,
        memory_mib=_ARGON2_MIB,
    ),
    "names bound after use": Attack(bound_names, least=20, connections=3 * WORKERS),
    "right passwords": Attack(passwords, connections=WORKERS + 1, memory_mib=_ARGON2_MIB),
}
