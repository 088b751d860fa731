"""Backing up and checking with the real programs, while a server runs and when none does; what all commands share."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import threading
from pathlib import Path

import pytest

from tests.support.disk import without_privileges
from tests.support.keeping import (
    DATABASE,
    assert_one_sentence,
    database,
    fill,
    fill_as_version_1,
    in_folder,
    is_private,
    make_larger,
    serve_and_say,
    served,
    spoil_page,
)
from tests.support.process import START_S, command, environment, run
from tests.support.raw import JsonPeer, eventually
from twocans.storage.sqlite.schema import MIGRATIONS

COMMANDS = {
    "export": ["export", "--user", "alice", "--format", "text"],
    "backup": ["backup", "copy.db"],
    "check": ["check"],
}
every_command = pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three messages, to be copied."""
    return fill(tmp_path_factory.mktemp("spoken"))


# --- backup ----------------------------------------------------------------------------------------------


def test_backup_while_messages_flow_is_whole_and_serves(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy.db"
    serve_and_say(data, "hello")
    # Large enough to be copied in several slices, with messages coming in between.
    make_larger(data, messages=10_000)
    with served(data, "--rate-limit", "0") as server, JsonPeer(server.port, "alice") as alice:
        acked: list[int] = []
        enough = threading.Event()

        def chat() -> None:
            while not enough.is_set():
                acked.append(alice.deliver("bob", f"message {len(acked)} " + "x" * 2000).number("id"))

        chatting = threading.Thread(target=chat)
        chatting.start()
        try:
            eventually(lambda: len(acked) > 50)
            before = list(acked)
            finished = run("backup", str(copy), data=data)
        finally:
            enough.set()
            chatting.join()
        assert finished.returncode == 0, finished
        assert str(copy) in finished.stdout
    assert is_private(copy)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "data"]
    restored = tmp_path / "restored"
    restored.mkdir()
    shutil.copy(copy, restored / DATABASE)
    assert run("check", data=restored).returncode == 0
    with served(restored) as server, JsonPeer(server.port, "bob") as bob:
        ids = [frame.number("id") for frame in bob.missed if frame.number("id") > 10_000]
        assert ids[: len(before)] == before
        assert ids == acked[: len(ids)]


def test_client_that_has_seen_more_than_a_restored_backup_holds_misses_nothing_new(
    spoken: Path, tmp_path: Path
) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy.db"
    shutil.copytree(spoken, data)
    assert run("backup", str(copy), data=data).returncode == 0
    with (
        served(data) as server,
        JsonPeer(server.port, "alice") as alice,
        JsonPeer(server.port, "bob") as bob,
    ):
        last = [alice.deliver("bob", text).number("id") for text in ("four", "five", "six")][-1]
        bob.expect("MSG", id=last)
        bob.send("GOT", id=last)
        bob.drain()
    for suffix in ("-wal", "-shm"):
        (data / f"{DATABASE}{suffix}").unlink(missing_ok=True)
    copy.replace(data / DATABASE)
    with served(data) as server:
        with JsonPeer(server.port, "alice") as alice:
            assert alice.deliver("bob", "new").number("id") <= last
        with JsonPeer(server.port, "bob", after=last, log=bob.log) as again:
            assert again.log != bob.log
            assert "new" in [frame["text"] for frame in again.missed]


def test_backup_replaces_a_file_only_when_told_to(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy.db"
    serve_and_say(data, "hello")
    copy.write_bytes(b"mine")
    assert_one_sentence(run("backup", str(copy), data=data), str(copy), "--force")
    assert copy.read_bytes() == b"mine"
    assert run("backup", str(copy), "--force", data=data).returncode == 0
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT text FROM message").fetchall() == [("hello",)]
    assert is_private(copy)


@pytest.mark.parametrize("name", [DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", "server.lock"])
def test_backup_never_replaces_what_the_server_uses(tmp_path: Path, name: str) -> None:
    with served(tmp_path) as server, JsonPeer(server.port, "alice") as alice:
        alice.deliver("alice", "hello")
        assert_one_sentence(run("backup", "--force", str(tmp_path / name), data=tmp_path), "server itself")
        (tmp_path / "sub").mkdir()
        roundabout = tmp_path / "sub" / ".." / name
        assert_one_sentence(run("backup", "--force", str(roundabout), data=tmp_path), "server itself")
        alice.deliver("alice", "and on")
    assert run("check", data=tmp_path).returncode == 0


def test_backup_to_where_none_can_be_is_told_in_one_sentence(tmp_path: Path) -> None:
    serve_and_say(tmp_path, "hello")
    assert_one_sentence(run("backup", str(tmp_path / "no" / "copy.db"), data=tmp_path), "copy.db")
    assert_one_sentence(run("backup", str(tmp_path), data=tmp_path), "folder")


def test_backup_of_a_damaged_database_is_not_made(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy.db"
    serve_and_say(data, *(f"{number} " + "x" * 3000 for number in range(30)))
    spoil_page(data, "message")
    assert_one_sentence(run("backup", str(copy), data=data), "damaged")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


# --- check -----------------------------------------------------------------------------------------------


def test_check_says_that_all_is_well_while_the_server_runs(tmp_path: Path) -> None:
    with (
        served(tmp_path) as server,
        JsonPeer(server.port, "alice") as alice,
        JsonPeer(server.port, "bob") as bob,
    ):
        for number in range(20):
            alice.deliver("bob", f"hello {number}")
            bob.deliver("alice", f"hi {number}")
            alice.deliver("alice", "a note")
        finished = run("check", data=tmp_path)
        assert (finished.returncode, finished.stderr) == (0, "")
        assert "in order: 60 messages, 2 people" in finished.stdout


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ("UPDATE chat SET last = 1 WHERE user = 2", "ends with its newest message"),
        ("UPDATE chat SET inbound = 1 WHERE user = 3", "knows that of the other side"),
        ("UPDATE chat SET inbound = 99 WHERE user = 2", "knows that of the other side"),
        ("DELETE FROM chat WHERE user = 2", "conversation of both sides"),
        ("UPDATE message SET sender = 77 WHERE id = 1", "senders and recipients are known"),
        ("INSERT INTO chat VALUES (2, 77, 1, 0, 0)", "both sides of a conversation are known"),
        ("UPDATE message SET id = -1 WHERE id = 1", "ids above 0"),
        ("UPDATE account SET delivered = 1000 WHERE id = 2", "marks lie within the log"),
        ("UPDATE log SET cleared = 2", "have lost their text"),
        ("INSERT INTO log(name, indexed) VALUES ('other', 0)", "the log has one name"),
        ("UPDATE message SET text = NULL WHERE id = 2", "what can be searched is a message with a text"),
        (
            "INSERT INTO message_text(message_text, rowid, text, who) VALUES ('delete', 2, '', 'u2 u3 f2t3')",
            "words that can be found belong to a message",
        ),
        (
            "INSERT INTO message_text(message_text, rowid, text, who) VALUES ('delete', 2, 'two', 'u2 u3 f2t3')",
            "messages with a text can be searched",
        ),
        ("UPDATE sent SET id = 1 WHERE id = 2", "what has been sent once is known again"),
        ("DELETE FROM sent WHERE id = 3", "what has been sent once is known again"),
        ("INSERT INTO sent VALUES (3, 'c', 1)", "what is known to have been sent is a message"),
        ("UPDATE message SET cid = 'other' WHERE id = 1", "what is known to have been sent is a message"),
        ("UPDATE message SET recipient = 2 WHERE id = 2", "found in the conversation to which they belong"),
        ("DROP TABLE sent", "sent"),
    ],
)
def test_check_finds_what_does_not_agree(spoken: Path, tmp_path: Path, spoil: str, told: str) -> None:
    shutil.copytree(spoken, tmp_path, dirs_exist_ok=True)
    with database(tmp_path) as connection:
        connection.execute(spoil)
    finished = run("check", data=tmp_path)
    assert finished.returncode == 1
    assert told in finished.stderr
    assert "backup" in finished.stderr
    assert "in order" not in finished.stdout


@pytest.mark.parametrize("table", ["message", "sent", "message_text_data", "account"])
def test_check_finds_a_damaged_page(tmp_path: Path, table: str) -> None:
    serve_and_say(tmp_path, *(f"{number} " + "x" * 3000 for number in range(30)))
    spoil_page(tmp_path, table)
    finished = run("check", data=tmp_path)
    assert finished.returncode == 1
    assert "Traceback" not in finished.stderr
    assert "not in order" in finished.stderr


def test_check_counts_one_message_in_the_singular(tmp_path: Path) -> None:
    with served(tmp_path) as server, JsonPeer(server.port, "alice") as alice:
        alice.deliver("alice", "a note")
    finished = run("check", data=tmp_path)
    assert "in order: 1 message, 1 person" in finished.stdout


def test_check_changes_nothing(tmp_path: Path) -> None:
    serve_and_say(tmp_path, "hello")
    before = (tmp_path / DATABASE).read_bytes()
    assert run("check", data=tmp_path).returncode == 0
    assert (tmp_path / DATABASE).read_bytes() == before


# --- what all commands share -----------------------------------------------------------------------------


@every_command
def test_folder_without_messages_is_told_in_one_sentence_and_stays_as_it_is(
    tmp_path: Path, arguments: list[str]
) -> None:
    data = tmp_path / "data"
    assert_one_sentence(in_folder(tmp_path, "--data", str(data), *arguments), DATABASE, "--data")
    data.mkdir()
    assert_one_sentence(in_folder(tmp_path, "--data", str(data), *arguments), DATABASE, "--data")
    assert [path.name for path in tmp_path.rglob("*")] == ["data"]


@every_command
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("PRAGMA application_id = 7", "another program"),
        ("PRAGMA user_version = 999", "newer version"),
        ("PRAGMA user_version = 0", "holds nothing yet"),
    ],
)
def test_database_of_another_program_or_version_is_told_in_one_sentence(
    spoken: Path, tmp_path: Path, arguments: list[str], change: str, told: str
) -> None:
    data = tmp_path / "data"
    shutil.copytree(spoken, data)
    with database(data) as connection:
        connection.execute(change)
    assert_one_sentence(in_folder(tmp_path, "--data", str(data), *arguments), told)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_database_of_an_older_version_can_be_backed_up_before_the_server_upgrades_it(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    fill_as_version_1(data, at=1_700_000_000_000)
    content = (data / DATABASE).read_bytes()
    for name in ("export", "check"):
        finished = in_folder(tmp_path, "--data", str(data), *COMMANDS[name])
        assert_one_sentence(finished, "older version", "server.py backup FILE")
    finished = run("backup", str(tmp_path / "copy.db"), data=data)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert (data / DATABASE).read_bytes() == content
    with contextlib.closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("PRAGMA user_version").fetchone() == (1,)
        assert copy.execute("SELECT text FROM message").fetchall() == [("hello",)]
    restored = tmp_path / "restored"
    restored.mkdir()
    shutil.copy(tmp_path / "copy.db", restored / DATABASE)
    with served(restored) as server, JsonPeer(server.port, "alice") as alice:
        upgraded = server.event("database_upgraded")
        assert (upgraded["before"], upgraded["now"]) == (1, len(MIGRATIONS))
        assert alice.deliver("bob", "again").number("id") > 1
    with served(restored) as server:
        assert "database_upgraded" not in [event.verb for event in server.events()]


@every_command
def test_folder_that_cannot_be_looked_into_is_told_in_one_sentence(
    spoken: Path, tmp_path: Path, arguments: list[str]
) -> None:
    data = tmp_path / "data"
    shutil.copytree(spoken, data)
    data.chmod(0)
    start = [*without_privileges(), *command("--data", str(data), *arguments)]
    finished = subprocess.run(
        start,
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )
    data.chmod(0o700)
    assert_one_sentence(finished, f"{data / DATABASE} cannot be read (Permission denied)")


@every_command
def test_file_that_is_no_database_is_told_in_one_sentence(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / DATABASE).write_bytes(b"This is no database, only a text. " * 100)
    assert_one_sentence(in_folder(tmp_path, "--data", ".", *arguments), DATABASE, "no database")


@every_command
def test_folder_may_be_named_before_or_after_the_command(
    spoken: Path, tmp_path: Path, arguments: list[str]
) -> None:
    data = tmp_path / "data"
    shutil.copytree(spoken, data)
    after = in_folder(tmp_path, *arguments, "--data", str(data))
    assert after.returncode == 0, after
    (tmp_path / "copy.db").unlink(missing_ok=True)
    before = in_folder(tmp_path, "--data", str(data), *arguments)
    assert before.returncode == 0, before


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["backup"], ["export", "--format", "text"], ["export", "--user", "a", "--format", "pdf"]],
)
def test_command_that_is_not_understood_is_told_with_what_is(tmp_path: Path, arguments: list[str]) -> None:
    finished = run(*arguments, data=tmp_path)
    assert finished.returncode == 2
    assert "usage: server.py" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_help_names_the_commands_and_the_days(tmp_path: Path) -> None:
    shown = run("--help", data=tmp_path).stdout
    for word in ("export", "backup", "check", "--keep-days", "for ever"):
        assert word in shown
