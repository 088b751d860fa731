"""Files through the server: how fast one is brought and fetched, and how long others' messages take meanwhile.

The yardstick is a copy of the same file over a socket of the same machine, with nothing in between. The server hashes
and keeps what comes, and all of that counts.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from bench.encryption import Connect, in_the_clear, over_tls
from bench.figures import percentile
from bench.lookback import Talker
from bench.processes import BenchFailed, Cores, pinned
from bench.records import Run
from bench.servers import Serving, serving
from bench.subjects import SUBJECTS

SUBJECT: Final = "process"
SIZE: Final = 200 * 1024 * 1024
ALONE_S: Final = 1.0
"""How long the pair chats without anything beside it."""
_PIECE: Final = 256 * 1024
_WAYS: Final = ("in the clear", "over TLS")
_MAX_HEAD_BYTES: Final = 65536


def measure(python: Path, cores: Cores, turns: int, tell: Callable[[str], None]) -> list[Run]:
    """Bring and fetch a file from a fresh server in each turn, both ways.

    Raises:
        BenchFailed: the server does not do what it is asked.
    """
    runs = []
    for turn in range(1, turns + 1):
        for way, connect in zip(_WAYS, (in_the_clear, over_tls()), strict=True):
            with (
                tempfile.TemporaryDirectory(prefix="twocans-bench-") as folder,
                serving(SUBJECTS[SUBJECT], python=python, folder=Path(folder), cores=cores) as server,
                pinned(cores.generator),
            ):
                for name, figures in load(server, connect, Path(folder), cores):
                    runs.append(Run(case=f"{name}, {way}", subject=SUBJECT, turn=turn, figures=figures))
                    shown = ", ".join(f"{figure} {value:,.2f}" for figure, value in figures.items())
                    tell(f"turn {turn} of {turns} · {name}, {way}: {shown}")
    return runs


def load(
    server: Serving, connect: Connect, folder: Path, cores: Cores, *, size: int = SIZE
) -> Iterator[tuple[str, dict[str, float]]]:
    """What comes of each thing that is done with a file: its name, and megabytes per second, delays and ratios."""
    path, copy = folder / "file", folder / "copy"
    path.write_bytes(os.urandom(size))
    with path.open("rb") as file:
        hash_ = hashlib.file_digest(file, "sha256").hexdigest()
    with (
        Talker(server.port, "alice", connect=connect) as alice,
        Talker(server.port, "carol", connect=connect) as carol,
        Talker(server.port, "dave", connect=connect) as dave,
    ):

        def beside(work: Callable[[], None]) -> tuple[float, dict[str, float]]:
            delays_ms: list[float] = []
            over = threading.Event()
            pair = threading.Thread(target=_chat, args=(carol, dave, over, delays_ms))
            pair.start()
            try:
                began = time.perf_counter()
                work()
                rate = size / (time.perf_counter() - began) / 1e6
            finally:
                over.set()
                pair.join()
            return rate, {
                "delay_ms_p50": percentile(delays_ms, 0.5),
                "delay_ms_p99": percentile(delays_ms, 0.99),
            }

        _, alone = beside(lambda: time.sleep(ALONE_S))
        yield "messages alone", alone
        copied, delays = beside(lambda: _copy(path, copy, cores.server))
        yield "copied over a socket", {"mb_per_s": copied, "of_copy": 1.0} | delays
        file_ref = {"hash": hash_, "size": size}
        alice.send(b"UPLOAD: " + json.dumps({**file_ref, "rid": 1}).encode() + b"\n")
        ticket = str(alice.answer("TICKET")["ticket"])
        brought, delays = beside(lambda: _bring(connect(server.port), ticket, path))
        yield "brought to the server", {"mb_per_s": brought, "of_copy": brought / copied} | delays
        message = {"to": "carol", "text": "file", "cid": "c1", "file": file_ref}
        alice.send(b"MSG: " + json.dumps(message).encode() + b"\n")
        id_ = alice.answer("ACK")["id"]
        alice.send(b"DOWNLOAD: " + json.dumps({"id": id_, "rid": 2}).encode() + b"\n")
        ticket = str(alice.answer("TICKET")["ticket"])
        fetched, delays = beside(lambda: _fetch(connect(server.port), ticket, copy, size))
        yield "fetched from the server", {"mb_per_s": fetched, "of_copy": fetched / copied} | delays


def _chat(carol: Talker, dave: Talker, over: threading.Event, delays_ms: list[float]) -> None:
    """One message after the other, each as soon as the last has arrived; at least one."""
    while not delays_ms or not over.is_set():
        began = time.perf_counter()
        text = f"n{len(delays_ms)}-{began}"
        carol.send(b"MSG: " + json.dumps({"to": "dave", "text": text, "cid": text}).encode() + b"\n")
        while dave.answer("MSG")["text"] != text:
            pass
        delays_ms.append((time.perf_counter() - began) * 1e3)
        carol.acknowledged(1)


def _copy(path: Path, copy: Path, core: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def take() -> None:
            os.sched_setaffinity(0, {core})  # of this thread alone, as the server has a core of its own
            with listening.accept()[0] as sock, copy.open("wb") as file:
                _save(sock, file.fileno(), path.stat().st_size)

        taking = threading.Thread(target=take)
        taking.start()
        with socket.create_connection(listening.getsockname()) as sock:
            _pour(path, sock)
            taking.join()


def _bring(sock: socket.socket, ticket: str, path: Path) -> None:
    with sock:
        size = path.stat().st_size
        head = f"PUT /files/{ticket} HTTP/1.1\r\nHost: bench\r\nContent-Length: {size}\r\n\r\n"
        sock.sendall(head.encode())
        _pour(path, sock)
        _expect(sock, b"201")


def _fetch(sock: socket.socket, ticket: str, copy: Path, size: int) -> None:
    with sock, copy.open("wb") as file:
        sock.sendall(f"GET /files/{ticket} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
        file.write(first := _expect(sock, b"200"))
        file.flush()
        _save(sock, file.fileno(), size - len(first))


def _expect(sock: socket.socket, status: bytes) -> bytes:
    """What has come of the body when the head of an answer has.

    Raises:
        BenchFailed: it has another status.
    """
    head, end, said = b"", b"", b""
    while not end:
        chunk = sock.recv(_PIECE)
        said += chunk
        head, end, rest = said.partition(b"\r\n\r\n")
        if not chunk or len(head) > _MAX_HEAD_BYTES:
            break
    if head.split(b" ")[1:2] != [status]:
        raise BenchFailed(f"The server answered {said[:200]!r}")
    return rest


def _pour(path: Path, sock: socket.socket) -> None:
    with path.open("rb", buffering=0) as file:
        while piece := file.read(_PIECE):
            sock.sendall(piece)


def _save(sock: socket.socket, file: int, size: int) -> None:
    buffer = memoryview(bytearray(_PIECE))
    while size:
        count = sock.recv_into(buffer)
        if not count:
            raise BenchFailed("The connection ended before the file did.")
        os.write(file, buffer[:count])
        size -= count
