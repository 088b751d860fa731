"""What a hostile client does by HTTP: requests that never end, that are none, and files without end or reader."""

from __future__ import annotations

import itertools
import os
import selectors
import socket
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Final

from tests.hostile.attacks import CROWD, SILENT, WORKERS, Attack, Target, again_and_again, connect
from tests.support.http import Document, HttpClient, bring, head, path_of, send_file, upload_ticket
from tests.support.raw import JsonPeer, Peer
from twocans.server.http.files import MAX_TRANSFERS_PER_ADDRESS

_FILES: Final = 16
"""As many as the server moves at once for one person."""
_THREADS: Final = 6
"""Those that move bytes, and those that look whether they are right."""
_PAUSE_S: Final = 0.1
"""How long those wait who send a byte now and then."""
_LARGE: Final = 8 * 1024 * 1024


def unfinished(target: Target) -> None:
    """As many connections as one address may have, with requests that never end, and one more header now and then."""
    openings = (
        b"GET / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 4000,
        b"PUT /files/x HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n",
        b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n",
    )
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
                sock = key.fileobj  # type: ignore[assignment]
                with suppress(OSError):
                    if sock.recv(65536):
                        sock.sendall(b"X: y\r\n")
                        continue
                selector.unregister(sock)
                sock.close()


def nonsense(target: Target) -> None:
    """What begins as a request and is none, and requests for what is not there, as many at once as fit."""
    many = head("GET", "/nothing") * 200
    openings = (
        many,
        b"nonsense HTTP/1.1\r\n\r\n" * 100,
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000,
        b"GET /" + b"x" * 60_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 1_000_000,
        head("PUT", "/files/x", length=10**12) + bytes(1_000_000),
        b"PUT /files/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 20_000,
        b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n" + os.urandom(65536),
    )

    def attempt(_worker: int, number: int) -> None:
        with connect(target.port) as sock, suppress(ConnectionError):
            sock.sendall(openings[number % len(openings)])
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass

    again_and_again(target, attempt)


def uploads(target: Target) -> None:
    """Parts of files that never become whole, as many as there may be, broken off and begun again."""
    chunk = os.urandom(1_000_000)
    with JsonPeer(target.port, "bringer") as bringer:
        paths = [path_of(upload_ticket(bringer, Document(bytes([number]) * _LARGE))) for number in range(16)]

        def attempt(worker: int, number: int) -> None:
            with connect(target.port) as sock, suppress(ConnectionError):
                sock.sendall(head("PUT", paths[(worker + number) % len(paths)], length=_LARGE) + chunk)

        again_and_again(target, attempt)


def slow_uploads(target: Target) -> None:
    """Uploads under many names that send a byte now and then; what the server does not take is begun again."""
    with ExitStack() as stack:
        paths = [
            path_of(upload_ticket(holder, Document(os.urandom(_LARGE // 64))))
            for holder in [stack.enter_context(JsonPeer(target.port, f"holder{n}")) for n in range(WORKERS)]
            for _ in range(_FILES)
        ]
        held: dict[str, socket.socket] = {}
        while not target.over():
            time.sleep(_PAUSE_S)
            for path in paths:
                try:
                    if path not in held:
                        held[path] = stack.enter_context(connect(target.port))
                        held[path].sendall(head("PUT", path, length=_LARGE // 64))
                    held[path].sendall(b"x")
                    held[path].setblocking(False)
                    with suppress(BlockingIOError):
                        if b" 503 " in held[path].recv(65536):
                            target.count()
                        held.pop(path).close()
                except OSError:
                    if path in held:
                        held.pop(path).close()


def unread_files(target: Target) -> None:
    """Large files that are asked for over and over, and not read."""
    with JsonPeer(target.port, "asker") as asker:
        document = Document(os.urandom(1000) * 16_000)
        bring(asker, lambda: Peer(target.port), document)
        ack = send_file(asker, "asker", document, "c1")
        path = path_of(asker.ask("DOWNLOAD", id=ack["id"]))
        deaf: list[HttpClient] = []
        try:
            while not target.over():
                if len(deaf) < CROWD:
                    client = HttpClient(Peer(target.port, receive_buffer=4096))
                    deaf.append(client)
                    client.peer.sendall(head("GET", path) * 10)
                target.count()
                asker.ask("DOWNLOAD", id=ack["id"])
        finally:
            for client in deaf:
                client.close()


BY_HTTP: Final[Mapping[str, Attack]] = {
    "unfinished requests": Attack(unfinished, least=SILENT, connections=SILENT),
    "nonsense by HTTP": Attack(nonsense, ("request_malformed",), least=200, memory_mib=16),
    # Each file has a connection that the attacker may have left already, and of which the server has yet to read the end.
    "uploads": Attack(
        uploads, least=100, connections=WORKERS + 1, memory_mib=32, files=2 * _FILES, threads=_THREADS
    ),
    "slow uploads": Attack(
        slow_uploads,
        least=200,
        connections=WORKERS * (_FILES + 1),
        memory_mib=16,
        files=2 * MAX_TRANSFERS_PER_ADDRESS,
        threads=_THREADS,
    ),
    "unread files": Attack(
        unread_files, least=CROWD, connections=CROWD + 1, memory_mib=CROWD, files=_FILES, threads=_THREADS
    ),
}
