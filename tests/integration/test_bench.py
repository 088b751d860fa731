"""The bench works: the load generator is built, and what it sends through our server arrives. Never how fast."""

from __future__ import annotations

import contextlib
import json
import socketserver
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import encryption, files, load, lookback
from bench.load import Outcome
from bench.plan import Load
from bench.processes import Cores
from bench.servers import Serving, serving
from bench.subjects import SUBJECTS

SECONDS = 0.3


@pytest.fixture(scope="module")
def chatload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The load generator."""
    return load.build(tmp_path_factory.mktemp("chatload"))


@pytest.fixture
def cores() -> Cores:
    """Two cores."""
    return Cores()


def loaded(chatload: Path, subject: str, what: Load, *, folder: Path, cores: Cores) -> Outcome:
    """What came of a short load on a fresh server."""
    with serving(SUBJECTS[subject], python=Path(sys.executable), folder=folder, cores=cores) as server:
        return load.run(chatload, what, SUBJECTS[subject], server, core=cores.generator, seconds=SECONDS)


@pytest.mark.parametrize(
    ("subject", "payload_bytes"),
    [
        ("plain", 16),
        ("plain", 16384),
        ("json", 16),
        ("thread", 64),
        ("process", 16),
        ("process", 16384),
        ("process-plain", 64),
        ("power", 64),
    ],
)
def test_messages_arrive_in_order_and_without_errors(
    chatload: Path, subject: str, payload_bytes: int, tmp_path: Path, cores: Cores
) -> None:
    what = Load(workload="pairs", clients=4, window=8, payload_bytes=payload_bytes)
    came = loaded(chatload, subject, what, folder=tmp_path, cores=cores)
    assert came.failed == ""
    assert came.figures["delivered_per_s"] > 0
    assert came.figures["errors"] == came.figures["out_of_order"] == came.figures["disconnects"] == 0
    assert ("acked_per_s" in came.figures) == SUBJECTS[subject].ack


def test_on_a_schedule_everything_is_delivered_and_acknowledged(
    chatload: Path, tmp_path: Path, cores: Cores
) -> None:
    what = Load(workload="mesh", clients=4, rate_per_s=500)
    came = loaded(chatload, "process", what, folder=tmp_path, cores=cores)
    assert came.failed == ""
    assert came.figures["undelivered"] == 0
    assert came.figures["ack_us_max"] > 0
    assert came.figures["receipts_per_s"] > 0


@pytest.mark.parametrize("subject", ["plain", "json"])
def test_those_who_stay_are_told_of_those_who_come_and_go(
    chatload: Path, subject: str, tmp_path: Path, cores: Cores
) -> None:
    what = Load(workload="churn", clients=4, at_once=2)
    came = loaded(chatload, subject, what, folder=tmp_path, cores=cores)
    assert came.failed == ""
    assert came.figures["joins_per_s"] > 0
    assert came.figures["notices_per_s"] > 0
    assert came.figures["resident_bytes_per_s"] > 0


def test_long_list_of_users_does_not_hold_up_a_registration(
    chatload: Path, tmp_path: Path, cores: Cores
) -> None:
    # 1,000 names are more than the generator keeps of a line.
    came = loaded(chatload, "json", Load(workload="idle", clients=1000), folder=tmp_path, cores=cores)
    assert came.failed == ""
    assert came.figures["server_bytes_per_connection"] > 0


def test_load_that_cannot_be_put_on_is_told(chatload: Path, cores: Cores) -> None:
    nowhere = Serving(port=1, pid=0)
    what = Load(workload="pairs", clients=2, window=1)
    came = load.run(chatload, what, SUBJECTS["plain"], nowhere, core=cores.generator, seconds=SECONDS)
    assert came.figures == {}
    assert "only 0 of 2 clients registered" in came.failed


class InOrder(socketserver.StreamRequestHandler):
    """A server for one client in the JSON dialect: every message comes back to it, acknowledged the other way round."""

    def order(self, places: list[int]) -> list[int]:
        """In which order messages that came together are delivered."""
        return places

    def handle(self) -> None:
        """Serve one connection, two messages at a time."""
        self.rfile.readline()
        self.say("WELCOME", {"users": ["u0"], "x": "y" * 10_000})
        self.say("SYNCED", {"last": 0})
        next_id = 1
        while messages := self.two():
            places = list(range(len(messages)))
            for place in self.order(places):
                fields = {"id": next_id + place, "from": "u0", "to": "u0", "text": messages[place]["text"]}
                self.say("MSG", fields | {"cid": messages[place]["cid"]})
            for place in reversed(places):
                self.say("ACK", {"cid": messages[place]["cid"], "id": next_id + place, "at": 0})
            next_id += len(messages)

    def two(self) -> list[dict[str, str]]:
        """Two messages; fewer when the client has gone."""
        messages: list[dict[str, str]] = []
        while len(messages) < 2 and (line := self.rfile.readline()):
            if line.startswith(b"MSG: "):
                messages.append(json.loads(line[5:]))
        return messages

    def say(self, verb: str, fields: dict[str, object]) -> None:
        """Send one frame, written as our server writes it."""
        payload = json.dumps(fields, separators=(",", ":"))
        with contextlib.suppress(ConnectionError):  # the client has gone: reading will tell
            self.wfile.write(f"{verb}: {payload}\n".encode())


class Swapped(InOrder):
    """The same, but of two messages the later one comes first."""

    def order(self, places: list[int]) -> list[int]:
        """The last first."""
        return places[::-1]


class Listener(socketserver.ThreadingTCPServer):
    """One of them for each client."""

    daemon_threads = True
    block_on_close = False


@pytest.mark.parametrize(("handler", "wrong"), [(InOrder, False), (Swapped, True)])
def test_wrong_order_is_found_and_acknowledgements_may_come_in_any(
    chatload: Path, cores: Cores, handler: type[InOrder], *, wrong: bool
) -> None:
    with Listener(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = Serving(port=server.server_address[1], pid=0)
        what = Load(workload="pairs", clients=2, window=2)
        came = load.run(chatload, what, SUBJECTS["process"], address, core=cores.generator, seconds=SECONDS)
        server.shutdown()
    assert came.figures["errors"] == 0, came.failed
    assert came.figures["acked_per_s"] > 0
    assert (came.figures["out_of_order"] > 0) is wrong


def test_encryption_is_measured_beside_the_clear(tmp_path: Path, cores: Cores) -> None:
    subject = SUBJECTS[encryption.SUBJECT]
    with serving(subject, python=Path(sys.executable), folder=tmp_path, cores=cores) as server:
        for connect in (encryption.in_the_clear, encryption.over_tls()):
            costs = dict(encryption.load(server, connect, rounds=20, connections=30, idle=30))
            assert [set(figures) for figures in costs.values()] == [{"us"}, {"us"}, {"kib"}]


@pytest.mark.parametrize("connect", [encryption.in_the_clear, encryption.over_tls()], ids=["clear", "tls"])
def test_files_are_measured_beside_a_copy(tmp_path: Path, cores: Cores, connect: encryption.Connect) -> None:
    subject = SUBJECTS[files.SUBJECT]
    with serving(subject, python=Path(sys.executable), folder=tmp_path, cores=cores) as server:
        came = dict(files.load(server, connect, tmp_path, cores, size=3_000_000))
    delays = {"delay_ms_p50", "delay_ms_p99"}
    assert set(came.pop("messages alone")) == delays
    assert [set(figures) for figures in came.values()] == [delays | {"mb_per_s", "of_copy"}] * 3
    assert (tmp_path / "copy").read_bytes() == (tmp_path / "file").read_bytes()


@pytest.fixture
def filled(tmp_path: Path, cores: Cores) -> Iterator[Serving]:
    """A server with ten thousand messages."""
    subject = SUBJECTS[lookback.SUBJECT]
    with serving(subject, python=Path(sys.executable), folder=tmp_path, cores=cores) as server:
        lookback.fill(server.port, 10_000)
        lookback.wait_for_index(server)
        yield server


def test_questions_about_the_past_find_what_was_said(filled: Serving) -> None:
    found = {run.case: run.figures["found"] for run in lookback.ask(filled, turn=1, count=2)}
    for who in ("Alice", "Zoe"):
        assert found[f"{who}: newest page"] > 0
        assert found[f"{who}: search, frequent word"] > 0
        assert found[f"{who}: search, short prefix (in most messages)"] > 0
        assert found[f"{who}: search, no such word"] == 0
    assert found["Alice: search, rare word"] == 1
    assert found["Zoe: search, rare word"] == 0
    assert found["Alice: search, two words"] > 0
    assert found["Alice: search, long prefix (in few)"] > 0
