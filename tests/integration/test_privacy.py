"""What a server keeps is for its user alone, and what people say and prove themselves with is in no log."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.support.process import ServerProcess
from tests.support.raw import JsonPeer, Peer, PlainPeer, decode, hello
from tests.support.tls import client_context
from twocans.protocol.faults import places
from twocans.server.identity.permissions import describe_storage_error

PASSWORD: Final = "marked-password"
WRONG: Final = "marked-guess"
INVITE: Final = "marked-invite"
TEXT: Final = "marked-text"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def open_to_all() -> Iterator[None]:
    """What is made meanwhile, by this process or one that it starts, is readable for everybody by default."""
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


def start(data: Path, *options: str) -> ServerProcess:
    return ServerProcess("--data", str(data), *options)


def test_folder_and_files_are_for_the_servers_user_alone(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    with open_to_all(), start(data) as server, JsonPeer(server.port, "alice", tls=client_context()) as alice:
        alice.deliver("alice", "a note")
        assert mode(data) == 0o700
        names = {path.name: mode(path) for path in data.iterdir()}
    assert {"messages.db", "messages.db-wal", "server.key", "server.log", "security.log"} <= names.keys()
    assert names.pop("files") == 0o700
    assert set(names.values()) == {0o600}


def test_folder_and_files_that_were_open_are_closed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with start(data) as server:
        server.stop()
    data.chmod(0o755)
    for path in data.iterdir():
        path.chmod(0o644)
    with start(data):
        assert mode(data) == 0o700
        assert {mode(path) for path in data.iterdir()} == {0o600}


def test_folder_with_other_things_in_it_is_left_open_and_told(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o755)
    other = data / "photo.jpg"
    other.touch()
    other.chmod(0o644)
    with start(data) as server:
        assert server.event("folder_open")["folder"] == str(data)
        assert (mode(data), mode(other)) == (0o755, 0o644)
        assert mode(data / "messages.db") == 0o600


def test_root_is_told_that_an_ordinary_user_is_safer(tmp_path: Path) -> None:
    with start(tmp_path) as server:
        server.stop()
        told = any(event.verb == "runs_as_root" for event in server.events())
    assert told == (os.geteuid() == 0)


def everything_said(port: int) -> list[str]:
    """Say, prove and get wrong all that there is; the tokens and codes that came up."""
    tls = client_context()
    with ExitStack() as peers:
        with Peer(port, tls=tls) as peer:
            peer.sendall(hello("alice", invite=INVITE))
            token = decode(peer.read_line()).text("token")
        alice = peers.enter_context(JsonPeer(port, "alice", token=token, tls=tls))
        code = alice.ask("CODE").text("code")
        alice.ask("PASSWORD", password=PASSWORD)
        alice.deliver("alice", TEXT)
        alice.ask("SEARCH", query=TEXT)
        for line in (
            hello("alice", secret=WRONG, token="ab" * 32),
            hello("bob", invite=WRONG),
            f"alice\t{PASSWORD}\n".encode(),
            f"bob:{INVITE}\n".encode(),
            f"HELLO: {{'user': '{WRONG}'}}\n".encode(),
            f"GET /f/{WRONG} HTTP/1.1\r\nHost: x\r\n{WRONG}\r\n\r\n".encode(),
        ):
            for encrypted in (tls, None):
                with Peer(port, tls=encrypted) as peer:
                    peer.sendall(line)
                    peer.read_line()
        with Peer(port, tls=tls) as peer:
            peer.sendall(hello("alice", secret=code))
            second = decode(peer.read_line()).text("token")
        with Peer(port, tls=tls) as peer:
            peer.sendall(f"alice {PASSWORD}\n".encode())
            peer.read_line()
        alice.send_line(f"MSG: {{broken {TEXT}")
        alice.send_line(f"NONSENSE: {TEXT}")
        alice.send_line(f'MSG: {{"to": "{WRONG}", "text": "{TEXT}", "cid": "c"}}')
        alice.drain()
    return [token, second, code, code.replace("-", "")]


@pytest.mark.parametrize("concurrency", ["async", "thread"])
def test_no_log_holds_a_text_a_token_a_code_a_password_or_an_invite(tmp_path: Path, concurrency: str) -> None:
    data = tmp_path / "data"
    with start(data, "--concurrency", concurrency, "--invite", INVITE) as server:
        secrets = everything_said(server.port)
        server.stop()
        said = "\n".join(
            [*server.output.all(), *server.errors.all(), *(one.read_text() for one in data.glob("*.log"))]
        )
    assert "device_added" in said
    assert "name_refused" in said
    for secret in (*secrets, PASSWORD, WRONG, INVITE, TEXT):
        assert secret.casefold() not in said.casefold()


def test_database_holds_no_token_code_or_password_as_it_is(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with start(data, "--invite", INVITE) as server:
        secrets = everything_said(server.port)
        server.stop()
    kept = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    assert TEXT.encode() in kept
    for secret in (*secrets, PASSWORD, INVITE):
        assert secret.encode() not in kept
        assert secret.replace("-", "").encode() not in kept


def test_settings_that_are_shown_hold_no_invite(tmp_path: Path) -> None:
    (tmp_path / "twocans.toml").write_text(f'invite = "{INVITE}"\n', encoding="utf-8")
    with start(tmp_path) as server, PlainPeerRefused(server.port) as refused:
        assert "asks newcomers for an invite" in refused.said
        assert mode(tmp_path / "twocans.toml") == 0o600


class PlainPeerRefused(Peer):
    """Somebody with netcat who is not let in."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.send_line("bob")
        self.said = self.read_line()


def test_places_of_a_fault_tell_where_and_what_and_nothing_that_was_said() -> None:
    def fail() -> None:
        try:
            os.environ[TEXT]
        except KeyError as error:
            raise ValueError(TEXT) from error

    with pytest.raises(ValueError, match=TEXT) as caught:
        fail()
    told = places(caught.value)
    assert told.index("KeyError") < told.index("ValueError")
    assert "in fail" in told
    assert TEXT not in told


def test_errors_of_the_disk_are_told_and_what_sqlite_quotes_of_a_statement_is_not() -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        with pytest.raises(sqlite3.Error, match=TEXT) as quoting:
            database.execute(f'DROP TABLE "{TEXT}"')
        database.execute("PRAGMA query_only = on")
        with pytest.raises(sqlite3.Error) as readonly:
            database.execute("CREATE TABLE t (a)")
    assert describe_storage_error(quoting.value) == "SQLITE_ERROR"
    assert describe_storage_error(readonly.value) == "attempt to write a readonly database"
    assert describe_storage_error(OSError(errno.ENOSPC, "No space left on device")).endswith(
        "No space left on device"
    )
    assert describe_storage_error(ValueError(TEXT)) == "ValueError"


def test_peers_in_the_clear_are_marked_in_the_log(tmp_path: Path) -> None:
    with start(tmp_path) as server:
        with PlainPeer(server.port, "bob"), JsonPeer(server.port, "alice", tls=client_context()):
            pass
        assert server.event("user_registered", user="bob")["encrypted"] is False
        assert server.event("user_registered", user="alice")["encrypted"] is True
