"""Attacks by what is said first, and by what waits for whoever comes back."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

from tests.hostile.attacks import CROWD, WORKERS, Attack, Target, again_and_again, connect, talk
from tests.support.raw import JsonPeer, Peer, PlainPeer, encode, hello
from tests.support.tls import client_context

_TEXT_CHARS: Final = 16_000
_BACKLOG: Final = 16
"""How many texts of line breaks wait for their reader: four megabytes in the plain dialect."""
_LAST: Final = "the last one"


def long_names(target: Target) -> None:
    """Names of sixty thousand characters, each another one, until the server closes."""

    def attempt(_worker: int, _number: int) -> None:
        with connect(target.port) as sock, suppress(ConnectionError):
            while True:
                sock.sendall(os.urandom(30_000).hex().encode() + b"\n")
                if not sock.recv(65536):
                    return

    again_and_again(target, attempt)


def line_breaks(target: Target) -> None:
    """Texts of line breaks for a plain client that is away; it counts when the reader has got all that is shown of them."""

    tokens: dict[int, str] = {}

    def attempt(worker: int, _number: int) -> None:
        reader = f"lines{worker}"
        with PlainPeer(target.port, reader):
            pass
        with JsonPeer(target.port, f"breaks{worker}", token=tokens.get(worker)) as writer:
            tokens[worker] = writer.token
            for text in [*["x\n" * (_TEXT_CHARS // 2)] * _BACKLOG, _LAST]:
                writer.expect("ACK", cid=writer.say(reader, text))
        with PlainPeer(target.port, reader) as back:
            back.read_until(lambda line: line.endswith(_LAST))

    again_and_again(target, attempt)


@contextmanager
def _long_log(target: Target, text: str) -> Iterator[JsonPeer]:
    """Somebody who has said a text four hundred times."""
    with JsonPeer(target.port, "rich") as rich:
        for number in range(400):
            rich.say("rich", f"{number} {text}")
        rich.drain()
        yield rich


def resumes(target: Target) -> None:
    """Come back again and again to a long log of others, as if everything had been missed."""
    with _long_log(target, "word " * 1000) as rich:
        tokens: dict[int, str] = {}

        def attempt(worker: int, _number: int) -> None:
            name, token = f"poor{worker}", tokens.get(worker)
            with JsonPeer(target.port, name, token=token, after=0, log=rich.log) as poor:
                tokens[worker] = poor.token

        again_and_again(target, attempt)


def searches(target: Target) -> None:
    """Searches for hundreds of words that nearly every text has."""
    with _long_log(target, "a b c d e f g h " * 300) as rich:
        question = encode("SEARCH", rid=1, query=" ".join("abcdefgh" * 60), limit=500) + "\n"
        talk(target, lambda _: hello("rich", token=rich.token, after=10**6, log=rich.log), question.encode)


def typing(target: Target) -> None:
    """Tell two people in turn, without end, that one is writing."""
    lines = "".join(encode("TYPING", to=f"typist{number}") + "\n" for number in (0, 1) * 20).encode()
    talk(target, lambda number: hello(f"typist{number}"), lambda: lines)


def tickets(target: Target) -> None:
    """Ask for room for file after file and bring none of them; what is refused counts."""
    with JsonPeer(target.port, "collector") as collector:
        while not target.over():
            answer = collector.ask("UPLOAD", hash=os.urandom(32).hex(), size=10_000_000)
            target.count(answer.verb == "ERROR")


def invites(target: Target) -> None:
    """Guess the invite from one address after another."""
    tls = client_context()

    def attempt(worker: int, number: int) -> None:
        source = f"127.{1 + worker}.{number // 250 % 250}.{1 + number % 250}"
        with Peer(target.port, tls=tls, source=source) as peer:
            peer.sendall(f"guest{worker}n{number} 1234\n".encode())
            peer.read_line()

    again_and_again(target, attempt)


BY_LOGIN: Final[Mapping[str, Attack]] = {
    "long names": Attack(long_names, ("name_refused", "name_invalid"), least=200),
    "texts of line breaks": Attack(
        line_breaks,
        options=("--rate-limit", "0", "--connection-rate", "0"),
        least=WORKERS,
        memory_mib=WORKERS * 8,
    ),
    "resumes": Attack(resumes, options=("--connection-rate", "0"), least=100),
    "searches": Attack(searches, least=500, connections=CROWD + 1, lingers=True),
    "typing": Attack(typing, least=1000, connections=CROWD, lingers=True),
    "tickets": Attack(tickets, options=("--max-storage", "100 MB"), least=200),
    "invites of many addresses": Attack(
        invites, ("name_refused", "rate_limited"), ("--invite", "correct-horse")
    ),
}
