"""A server whose folder or disk fails it: one clear sentence, nothing overwritten, nothing lost or doubled."""

from __future__ import annotations

import hashlib
import random
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.disk import fill, on_small_disk, seen_by, without_privileges
from tests.support.process import START_S, ServerProcess, command, environment, run
from tests.support.raw import Frame, JsonPeer, eventually
from twocans.storage.sqlite.schema import MIGRATIONS

DATABASE = "messages.db"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder in which a server has kept a few hundred messages."""
    folder = tmp_path / "data"
    with ServerProcess("--data", str(folder), "--rate-limit", "0") as server:
        with JsonPeer(server.port, "alice") as alice:
            for number in range(300):
                alice.say("alice", f"note {number} {'x' * 500}")
            for _ in range(300):
                alice.expect("ACK")
        server.stop()
    return folder


def digests(folder: Path) -> dict[str, str]:
    """What is in the database's files.

    The `-shm` is memory shared by processes, and an empty `-wal` is none.
    """
    files = [folder / DATABASE, folder / f"{DATABASE}-wal"]
    contents = {file.name: file.read_bytes() for file in files if file.exists()}
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items() if content}


def refusal(folder: Path, *start: str) -> str:
    """The sentence with which a server, started in some way, refuses to start on a folder."""
    ended = subprocess.run(
        [*start, *command("--port", "0", "--host", "127.0.0.1", "--data", str(folder))],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )
    assert ended.returncode == 1, ended
    (sentence,) = ended.stderr.splitlines()
    assert sentence.startswith("The server could not start. ")
    assert "--data DIR" in sentence
    return sentence


def refusal_that_changes_nothing(folder: Path) -> str:
    """The same; the database is afterwards as it was, byte for byte."""
    before = digests(folder)
    sentence = refusal(folder)
    assert digests(folder) == before
    return sentence


def change(folder: Path, statement: str) -> None:
    """Change a database behind the server's back."""
    with closing(sqlite3.connect(folder / DATABASE)) as database, database:
        database.execute(statement)


def overwrite(start: int, size: int) -> Callable[[bytes], bytes]:
    """Replaces some bytes by noise."""
    noise = random.Random(0).randbytes(size)  # noqa: S311
    return lambda content: content[:start] + noise + content[start + size :]


def test_database_of_a_newer_version_is_left_as_it_is(data: Path) -> None:
    change(data, f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    assert "newer version" in refusal_that_changes_nothing(data)


def test_database_of_a_newer_version_that_was_killed_is_left_as_it_is(data: Path) -> None:
    """Even what stands in its write-ahead log stays there."""
    _kill_in_the_middle(data / DATABASE, f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    assert "newer version" in refusal_that_changes_nothing(data)


def test_database_of_another_program_is_left_as_it_is(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / DATABASE)) as database, database:
        database.execute("CREATE TABLE recipes(name)")
    assert "another program" in refusal_that_changes_nothing(tmp_path)


def test_database_of_another_program_that_was_killed_is_left_as_it_is(tmp_path: Path) -> None:
    _kill_in_the_middle(tmp_path / DATABASE, "CREATE TABLE recipes(name)")
    assert "another program" in refusal_that_changes_nothing(tmp_path)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: random.Random(0).randbytes(len(content)), id="noise"),  # noqa: S311
        pytest.param(lambda _: b"Dear diary,\n" * 1000, id="a text"),
        pytest.param(overwrite(0, 100), id="header overwritten"),
        pytest.param(overwrite(100, 4000), id="first page overwritten"),
        pytest.param(lambda content: content[: len(content) // 2], id="cut in half"),
        pytest.param(lambda content: content[:5000], id="cut to a page and a bit"),
        pytest.param(lambda content: content[:50], id="cut within the header"),
    ],
)
def test_damaged_database_is_left_as_it_is(data: Path, damage: Callable[[bytes], bytes]) -> None:
    file = data / DATABASE
    file.write_bytes(damage(file.read_bytes()))
    sentence = refusal_that_changes_nothing(data)
    assert "damaged" in sentence
    assert "backup" in sentence


def test_folder_without_rights_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    assert "cannot be written to" in refusal(folder, *without_privileges())
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("mode", [0o000, 0o400])
def test_database_without_rights_is_told(data: Path, mode: int) -> None:
    file = data / DATABASE
    content = file.read_bytes()
    file.chmod(mode)
    assert "no permission" in refusal(data, *without_privileges())
    file.chmod(0o600)
    assert file.read_bytes() == content


def test_full_disk_at_the_start_is_told(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, *on_small_disk(tmp_path, size_kib=1024, filled=True))
    assert "full" in sentence or "No space left" in sentence


@pytest.mark.parametrize("size_kib", [8, 20, 32, 64])
def test_disk_with_little_left_at_the_start_is_called_full(tmp_path: Path, size_kib: int) -> None:
    sentence = refusal(tmp_path, *on_small_disk(tmp_path, size_kib=size_kib))
    assert f"The disk with {tmp_path / DATABASE} is full. Make room" in sentence


def test_second_server_on_a_folder_is_refused_and_the_first_goes_on(data: Path) -> None:
    with ServerProcess("--data", str(data)) as first:
        ended = run("--port", "0", "--host", "127.0.0.1", data=data)
        assert ended.returncode == 1
        assert "Another server is using the folder" in ended.stderr
        with JsonPeer(first.port, "alice") as alice:
            assert alice.deliver("alice", "still here").number("id") > 300


def test_killed_server_leaves_the_folder_free(data: Path) -> None:
    with ServerProcess("--data", str(data)) as first:
        first.process.kill()
        first.wait()
        with ServerProcess("--data", str(data)) as second, JsonPeer(second.port, "alice") as alice:
            assert alice.ask("HISTORY", peer="alice", limit=500)["more"] is False


def test_migrations_are_recorded(data: Path) -> None:
    with closing(sqlite3.connect(data / DATABASE)) as database:
        versions = database.execute("SELECT version, applied_at FROM migration ORDER BY version").fetchall()
        assert [version for version, _ in versions] == list(range(1, len(MIGRATIONS) + 1))
        assert all(at > 1_600_000_000_000 for _, at in versions)
        assert database.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


def test_files_are_for_their_owner_alone(data: Path) -> None:
    with ServerProcess("--data", str(data)) as server, JsonPeer(server.port, "alice") as alice:
        alice.deliver("alice", "secret")
        rights = {file.name: stat.S_IMODE(file.stat().st_mode) for file in data.iterdir()}
        assert rights.pop("files") == 0o700
        assert {DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", "server.lock"} <= rights.keys()
        assert set(rights.values()) == {0o600}, rights


@pytest.fixture
def small_disk_server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server whose disk has 32 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    start = on_small_disk(folder, size_kib=32 * 1024)
    with ServerProcess("--data", str(folder), "--rate-limit", "0", start=[*start, *command()]) as server:
        yield server


def test_full_disk_refuses_messages_until_there_is_room_and_loses_and_doubles_none(
    small_disk_server: ServerProcess, tmp_path: Path
) -> None:
    folder = seen_by(small_disk_server.process, tmp_path / "disk")
    port = small_disk_server.port
    with JsonPeer(port, "alice") as alice, JsonPeer(port, "bob") as bob:
        stored = [alice.deliver("bob", f"before {number}", f"before-{number}") for number in range(3)]
        ballast = fill(folder)
        refused = _send_until_refused(alice)
        while_full = [frame for frame in alice.skipped if frame.verb == "ACK"]
        # Nothing changes by trying again.
        for _ in range(3):
            alice.say("bob", "x" * 9000, refused)
            again = alice.expect("ERROR", cid=refused)
            assert again["code"] == "internal"
            assert "full" in again.text("text")
        # Whoever looks back and searches meanwhile gets an answer.
        assert alice.ask("HISTORY", peer="bob").verb == "HISTORY"
        assert alice.ask("SEARCH", query="before").verb == "RESULTS"
        bob.send("GOT", id=stored[-1].number("id"))
        ballast.unlink()
        late = _deliver_once_there_is_room(alice, refused)
        assert alice.deliver("bob", "x" * 9000, refused)["id"] == late["id"]
        assert alice.deliver("bob", "before 0", "before-0")["id"] == stored[0]["id"]
        acknowledged = [*stored, *while_full, late]
        live = bob.drain()
        said = {frame.text("cid") for frame in acknowledged}
    with JsonPeer(port, "bob", after=0, log=bob.log) as again_bob:
        log = again_bob.missed
    ids = [frame.number("id") for frame in log]
    assert ids == sorted(set(ids))
    assert sorted(frame.text("cid") for frame in log) == sorted(said)
    assert [frame["id"] for frame in [*bob.skipped, *live] if frame.verb == "MSG"] == ids


def _send_until_refused(alice: JsonPeer) -> str:
    """Send until the full disk shows; the cid of what was refused."""
    for number in range(2000):
        cid = alice.say("bob", "x" * 9000, f"full-{number}")
        frame = next(frame for frame in _frames(alice) if frame.fields.get("cid") == cid)
        if frame.verb == "ERROR":
            assert frame["code"] == "internal"
            assert "disk is full" in frame.text("text")
            return cid
        alice.skipped.append(frame)
    raise AssertionError("the disk does not get full")


def _deliver_once_there_is_room(alice: JsonPeer, cid: str) -> Frame:
    """Send again what was refused, until the server has seen that the disk has room."""
    answers: list[Frame] = []

    def is_stored() -> bool:
        alice.say("bob", "x" * 9000, cid)
        answers.append(next(frame for frame in _frames(alice) if frame.fields.get("cid") == cid))
        return answers[-1].verb == "ACK"

    eventually(is_stored)
    return answers[-1]


def _frames(peer: JsonPeer) -> Iterator[Frame]:
    while True:
        yield peer.read()


def _kill_in_the_middle(file: Path, statement: str) -> None:
    """Leave a write-ahead log behind, as a program does that is killed."""
    source = (
        "import os, sqlite3, sys\n"
        "database = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "database.execute('PRAGMA journal_mode = WAL')\n"
        "database.execute(sys.argv[2])\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", source, str(file), statement], check=False)
    assert Path(f"{file}-wal").stat().st_size > 0
