"""Looking back in a million messages: how long a page of history and a search take, asked over the wire.

The messages are sent through the running server by fifty people, so that the database is one that it made itself.
Half of all are Alice's, who is away meanwhile, a thousand are Zoe's: what is found for Zoe, it is found among the
messages of others.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

import psutil

from bench.encryption import Connect, in_the_clear
from bench.figures import percentile
from bench.processes import BenchFailed, Cores, pinned
from bench.records import Run
from bench.servers import Serving, serving
from bench.subjects import SUBJECTS

MESSAGES: Final = 1_000_000
QUESTIONS: Final = 40
"""How often each question is asked in a turn."""

SUBJECT: Final = "process"
_PEOPLE: Final = 50
_ZOES: Final = 1000
_BATCH: Final = 100
_RARE: Final = "zanzibar"
_RARELY: Final = 20_000
"""One message in so many of Alice's has the rare word."""
_VOCABULARY: Final = 20_000
_TEXTS: Final = 20_000
_INDEXED_S: Final = 300.0


class Talker:
    """A client in the JSON dialect that sends and asks, and does nothing else.

    Args:
        port: of the server, on the loopback address.
        user: its name.
        log: the server's log that it knows, and with `after` resumes.
        after: the id up to which it has everything.
        connect: how.
    """

    def __init__(
        self,
        port: int,
        user: str,
        *,
        log: str = "",
        after: int | None = None,
        connect: Connect = in_the_clear,
    ) -> None:
        self._socket = connect(port)
        self._lines = self._socket.makefile("rb")
        hello: dict[str, object] = {"user": user, "agent": "bench"}
        if after is not None:
            hello |= {"log": log, "after": after}
        self.send(f"HELLO: {json.dumps(hello)}\n".encode())
        self.welcome = self.answer("WELCOME")
        self.answer("SYNCED")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send whole lines."""
        self._socket.sendall(data)

    def answer(self, verb: str) -> dict[str, object]:
        """The payload of the next frame of this kind; others are passed over.

        Raises:
            BenchFailed: the server refuses, or ends the connection.
        """
        wanted = verb.encode() + b":"
        for line in self._lines:
            if line.startswith(wanted):
                payload: dict[str, object] = json.loads(line[len(wanted) :])
                return payload
            if line.startswith((b"ERROR:", b"BYE:")):
                raise BenchFailed(f"The server answered {line.decode().strip()}")
        raise BenchFailed(f"The server closed the connection before {verb}.")

    def acknowledged(self, count: int) -> None:
        """Wait for so many acknowledgements."""
        for _ in range(count):
            self.answer("ACK")


def measure(python: Path, cores: Cores, turns: int, tell: Callable[[str], None]) -> list[Run]:
    """Fill a database once, and ask each question many times in each turn.

    Raises:
        BenchFailed: the server does not do what it is asked.
    """
    with (
        tempfile.TemporaryDirectory(prefix="twocans-bench-") as folder,
        serving(SUBJECTS[SUBJECT], python=python, folder=Path(folder), cores=cores) as server,
        pinned(cores.generator),
    ):
        began = time.monotonic()
        fill(server.port, MESSAGES)
        filled_s = time.monotonic() - began
        wait_for_index(server)
        tell(
            f"{MESSAGES:,} messages sent in {filled_s:.0f} s, indexed after {time.monotonic() - began:.0f} s"
        )
        runs = []
        for turn in range(1, turns + 1):
            runs += ask(server, turn)
            tell(f"turn {turn} of {turns}")
        return runs


def fill(port: int, messages: int) -> None:
    """Send messages through the server; returns when all are acknowledged."""
    chance = random.Random(1)  # noqa: S311 - the same texts every time
    texts = _texts(chance)
    with ExitStack() as stack:
        for name in ("alice", "zoe"):
            Talker(port, name).__exit__()
        people = [stack.enter_context(Talker(port, f"p{number}")) for number in range(_PEOPLE)]
        sent = 0
        while sent < messages:
            for number, person in enumerate(people):
                lines = []
                for position in range(sent + number * _BATCH, sent + (number + 1) * _BATCH):
                    to, text = _message(position, number, messages, texts, chance)
                    lines.append(f'MSG: {{"to":"{to}","text":"{text}","cid":"{_cid(chance)}"}}\n')
                person.send("".join(lines).encode())
            for person in people:
                person.acknowledged(_BATCH)
            sent += _PEOPLE * _BATCH


def _message(
    position: int, sender: int, messages: int, texts: list[str], chance: random.Random
) -> tuple[str, str]:
    text = f"{chance.choice(texts)} {position}"
    if position % 2 == 0:
        return "alice", f"{_RARE} {text}" if position % (2 * _RARELY) == 0 else text
    if position % max(1, messages // _ZOES) == 1:
        return "zoe", text
    return f"p{(sender + 1 + chance.randrange(_PEOPLE - 1)) % _PEOPLE}", text


def _texts(chance: random.Random) -> list[str]:
    """Texts of 3 to 20 words, which are as frequent as words are: the n-th is there 1/n as often as the first."""
    words = [_word(number) for number in range(_VOCABULARY)]
    weights = [1 / (number + 1) for number in range(_VOCABULARY)]
    return [" ".join(chance.choices(words, weights, k=chance.randint(3, 20))) for _ in range(_TEXTS)]


def _word(number: int) -> str:
    """The word that is the n-th most frequent."""
    syllables = ("ba", "de", "fi", "go", "lu", "ma", "ne", "pi", "ro", "su")
    return "".join(syllables[int(digit)] for digit in f"{number:02}")


def _cid(chance: random.Random) -> str:
    digits = f"{chance.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def wait_for_index(server: Serving) -> None:
    """Wait until the server has done what it left for later: it then uses no processor time."""
    process = psutil.Process(server.pid)
    deadline = time.monotonic() + _INDEXED_S
    used = -1.0
    while time.monotonic() < deadline:
        times = process.cpu_times()
        now = times.user + times.system
        if now - used < 0.02:
            return
        used = now
        time.sleep(1)
    raise BenchFailed(f"The server was still busy {_INDEXED_S:.0f} s after the last message.")


def questions(last: int) -> Iterator[tuple[str, str, dict[str, object]]]:
    """What is asked: its name, the verb and the fields."""
    yield "newest page", "HISTORY", {"peer": "p0"}
    yield "page from the middle", "HISTORY", {"peer": "p0", "before": last // 2}
    yield "search, frequent word", "SEARCH", {"query": _word(0)}
    yield "search, frequent word, from the middle", "SEARCH", {"query": _word(0), "before": last // 2}
    yield "search, rare word", "SEARCH", {"query": _RARE}
    yield "search, two words", "SEARCH", {"query": f"{_word(1)} {_word(40)}"}
    yield "search, short prefix (in most messages)", "SEARCH", {"query": _word(10)[:2]}
    yield "search, long prefix (in few)", "SEARCH", {"query": _word(5310)[:6]}
    yield "search, no such word", "SEARCH", {"query": "xyzzy"}


def ask(server: Serving, turn: int, count: int = QUESTIONS) -> list[Run]:
    """Ask every question as Alice and as Zoe, and time the answers."""
    runs = []
    for name in ("alice", "zoe"):
        with Talker(server.port, f"{name}-looks-on") as onlooker:
            log = str(onlooker.welcome["log"])
        with Talker(server.port, name, log=log, after=_LAST) as talker:
            last = int(str(talker.welcome["last"]))
            for what, verb, fields in questions(last):
                line = f"{verb}: {json.dumps(fields | {'rid': 1})}\n".encode()
                answer = "RESULTS" if verb == "SEARCH" else verb
                times_ms = []
                found = 0
                for _ in range(count):
                    began = time.perf_counter()
                    talker.send(line)
                    page = talker.answer(answer)
                    times_ms.append((time.perf_counter() - began) * 1000)
                    messages = page["messages"]
                    found = len(messages) if isinstance(messages, list) else 0
                figures = {
                    "median_ms": percentile(times_ms, 0.5),
                    "p95_ms": percentile(times_ms, 0.95),
                    "worst_ms": max(times_ms),
                    "found": float(found),
                }
                runs.append(Run(case=f"{name.title()}: {what}", subject=SUBJECT, turn=turn, figures=figures))
    return runs


_LAST: Final = 1 << 53
"""An id beyond all: who resumes after it has nothing to catch up with."""
