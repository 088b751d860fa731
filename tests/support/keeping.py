"""A server's folder and what is done with it beside serving: filled, looked at, spoilt."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.support.process import START_S, ServerProcess, command, environment, run
from tests.support.raw import JsonPeer
from twocans.storage.sqlite.schema import APPLICATION_ID, MIGRATIONS

DATABASE: Final = "messages.db"


@contextlib.contextmanager
def served(data: Path, *arguments: str) -> Iterator[ServerProcess]:
    """A server on this folder, stopped as an operator does."""
    with ServerProcess("--data", str(data), *arguments, forked=True) as server:
        yield server
        if server.process.poll() is None:
            server.stop(signal.SIGTERM)


def serve_and_say(data: Path, *texts: str) -> None:
    """Fill a folder: alice has said these to bob, and the server has stopped."""
    with served(data) as server, JsonPeer(server.port, "alice") as alice, JsonPeer(server.port, "Bob"):
        for text in texts:
            alice.deliver("bob", text)


def fill(data: Path) -> Path:
    """Let alice say three things to bob, all of which come into the search index."""
    with served(data) as server, JsonPeer(server.port, "alice") as alice, JsonPeer(server.port, "bob"):
        for text in ("one", "two", "three"):
            alice.deliver("bob", text)
        alice.ask("SEARCH", query="two")
    finished = run("check", data=data)
    assert finished.returncode == 0, finished
    return data


@contextlib.contextmanager
def database(data: Path) -> Iterator[sqlite3.Connection]:
    """The database of a server, to be looked at or spoilt."""
    with contextlib.closing(sqlite3.connect(data / DATABASE, isolation_level=None, timeout=30)) as connection:
        yield connection


def assert_one_sentence(finished: subprocess.CompletedProcess[str], *words: str) -> None:
    """It ended with exit code 1 and one line on standard error that holds these words."""
    assert finished.returncode == 1, finished
    assert finished.stdout == ""
    (line,) = finished.stderr.splitlines()
    assert line.endswith(".")
    for word in words:
        assert word in line


def in_folder(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the server's program from a folder, where relative names lead to."""
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=START_S,
        check=False,
    )


def is_private(path: Path) -> bool:
    """Whether only its owner can read it, where there are such rights."""
    return sys.platform == "win32" or path.stat().st_mode & 0o777 == 0o600


def spoil_page(data: Path, table: str) -> None:
    """Write nonsense over a page of a table in the file."""
    with database(data) as connection:
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    with (data / DATABASE).open("rb+") as file:
        file.seek((root - 1) * page_bytes)
        file.write(b"\xa5" * page_bytes)


def make_larger(data: Path, *, messages: int, at: int = 1_700_000_000_000) -> None:
    """Have the log begin with so many messages like its only one, of 2000 bytes each, sent at a time."""
    with database(data) as connection:
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO message(id, at, sender, recipient, cid, text)"
            " SELECT ?, ?, sender, recipient, ?, ? FROM message WHERE id = 1",
            [(id_, at, f"c{id_}", f"number {id_} {'x' * 2000}") for id_ in range(2, messages + 1)],
        )
        connection.execute("COMMIT")


@contextlib.contextmanager
def database_of_version(folder: Path, version: int) -> Iterator[sqlite3.Connection]:
    """A database as that version made it, to be filled."""
    with contextlib.closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as connection:
        for statements in MIGRATIONS[:version]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("INSERT INTO log(name, indexed) VALUES ('first', 0)")
        yield connection


def fill_as_version_1(folder: Path, *, at: int) -> None:
    """Make the database of a server as the first version did: alice has said hello to bob at a time."""
    with database_of_version(folder, 1) as connection:
        connection.execute(
            "INSERT INTO account(id, key, name) VALUES (1, 'alice', 'Alice'), (2, 'bob', 'bob')"
        )
        connection.execute("INSERT INTO message VALUES (1, ?, 1, 2, 'c1', 'hello')", (at,))
        connection.execute("INSERT INTO chat(user, peer, last, inbound) VALUES (1, 2, 1, 0), (2, 1, 1, 1)")
