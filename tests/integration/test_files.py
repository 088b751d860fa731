"""Files and the real programs: killed and started again, on a full disk, backed up, checked and exported."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.disk import fill, on_small_disk, seen_by
from tests.support.http import (
    Document,
    HttpClient,
    bring,
    fetch,
    path_of,
    send_file,
    upload_ticket,
)
from tests.support.keeping import database, is_private, served
from tests.support.process import ServerProcess, run
from tests.support.raw import Closed, Frame, JsonPeer, Peer, PlainPeer, eventually
from tests.support.tls import client_context
from twocans.hub.posting import FULL, TOO_MUCH_FROM_ADDRESS

REPORT = Document(bytes(range(256)) * 8000)
"""About two megabytes."""
NOTE = Document(b"a note", "note.txt")

on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a disk of its own size")


def http(server: ServerProcess) -> HttpClient:
    """A connection for requests."""
    return HttpClient(Peer(server.port))


def files(data: Path) -> list[Path]:
    """The files that are kept as a whole."""
    return sorted((data / "files").glob("??/*"))


def come(data: Path) -> int:
    """How many bytes of files are coming."""
    return sum(path.stat().st_size for path in (data / "files" / "incoming").iterdir())


def fill_folder(data: Path) -> None:
    """Alice has sent bob two files, and has brought one more."""
    with served(data) as server, JsonPeer(server.port, "alice") as alice, JsonPeer(server.port, "bob"):
        for document in (REPORT, NOTE):
            bring(alice, lambda: Peer(server.port), document)
            send_file(alice, "bob", document, document.hash[:8])
        bring(alice, lambda: Peer(server.port), Document(b"unsent"))


def test_upload_goes_on_after_the_server_was_killed(tmp_path: Path) -> None:
    half = REPORT.size // 2
    with served(tmp_path) as server, JsonPeer(server.port, "alice") as alice, http(server) as client:
        token = alice.token
        client.begin("PUT", path_of(upload_ticket(alice, REPORT)), length=REPORT.size)
        client.peer.sendall(REPORT.content[:half])
        eventually(lambda: come(tmp_path) == half)
        server.process.kill()
        server.wait()
    with served(tmp_path) as server, JsonPeer(server.port, "alice", token=token) as alice:
        ticket = upload_ticket(alice, REPORT)
        assert ticket["offset"] == half
        with http(server) as client:
            rest = REPORT.content[half:]
            assert client.ask("PUT", path_of(ticket), rest, Content_Range=REPORT.range(half)).status == 201
        ack = send_file(alice, "alice", REPORT, "c1")
        assert fetch(alice, lambda: Peer(server.port), ack.number("id")) == REPORT.content


def test_upload_that_was_whole_when_the_server_was_killed_is_looked_at_again(tmp_path: Path) -> None:
    with served(tmp_path) as server, JsonPeer(server.port, "alice") as alice, http(server) as client:
        path = path_of(upload_ticket(alice, REPORT))
        client.ask("PUT", path, REPORT.content[:-1], Content_Range=f"bytes 0-{REPORT.size - 2}/{REPORT.size}")
        server.process.kill()
        server.wait()
    (part,) = (tmp_path / "files" / "incoming").iterdir()
    with part.open("ab") as file:
        file.write(b"\0")  # what the last byte would not be
    with served(tmp_path) as server, JsonPeer(server.port, "alice") as alice, http(server) as client:
        ticket = upload_ticket(alice, REPORT)
        assert ticket["offset"] == REPORT.size - 1
        last = REPORT.content[-1:]
        answer = client.ask("PUT", path_of(ticket), last, Content_Range=REPORT.range(REPORT.size - 1))
        assert answer.status == 201


def test_ticket_and_link_outlive_the_server(tmp_path: Path) -> None:
    with served(tmp_path) as server, JsonPeer(server.port, "alice") as alice:
        bring(alice, lambda: Peer(server.port), REPORT)
        ack = send_file(alice, "alice", REPORT, "c1")
        path = path_of(alice.ask("DOWNLOAD", id=ack["id"]))
        server.process.kill()
        server.wait()
    with served(tmp_path) as server, http(server) as client:
        assert client.ask("GET", path).body == REPORT.content


def test_link_of_a_message_whose_time_is_over_says_that_it_is_gone(tmp_path: Path) -> None:
    with served(tmp_path) as server, JsonPeer(server.port, "alice") as alice:
        bring(alice, lambda: Peer(server.port), REPORT)
        ack = send_file(alice, "alice", REPORT, "c1")
        path = path_of(alice.ask("DOWNLOAD", id=ack["id"]))
    with database(tmp_path) as connection:
        connection.execute("UPDATE message SET at = at - ?", (2 * 86_400_000,))
        connection.execute("UPDATE upload SET at = 1000")
    with served(tmp_path, "--keep-days", "1") as server, http(server) as client:
        server.event("messages_cleared", number=1)
        answer = client.ask("GET", path)
        assert answer.status == 410
        assert answer.text == "The message with this file was deleted, and so was the file.\n"
        eventually(lambda: files(tmp_path) == [])


@on_linux
def test_upload_that_fills_the_disk_stops_no_chat(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    start = [*on_small_disk(data, size_kib=48 * 1024), sys.executable, "-m", "twocans.server"]
    large, fits = Document(b"l" * 20_000_000), Document(b"x" * 10_000_000)
    with (
        ServerProcess("--data", str(data), "--max-storage", "1GB", start=start) as server,
        JsonPeer(server.port, "alice") as alice,
        JsonPeer(server.port, "bob") as bob,
    ):
        inside = seen_by(server.process, data)
        # Half of what the disk has room for is one person's, whatever max_storage says.
        assert alice.ask("UPLOAD", hash=large.hash, size=large.size)["code"] == "storage_full"
        path = path_of(upload_ticket(alice, fits))
        ballast = fill(inside)
        with http(server) as client:
            answer = client.ask("PUT", path, fits.content)
        assert (answer.status, answer.offset) == (507, 0)
        assert "no room" in answer.text
        assert list((inside / "files" / "incoming").iterdir()) == []
        assert alice.ask("UPLOAD", hash=fits.hash, size=fits.size)["code"] == "storage_full"
        ballast.unlink()
        bring(alice, lambda: Peer(server.port), fits)
        assert send_file(alice, "bob", fits, "c1").verb == "ACK"
        assert bob.expect("MSG").part("file").fields == fits.ref


@on_linux
def test_files_leave_room_for_messages_and_newcomers(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    start = [*on_small_disk(data, size_kib=40 * 1024), sys.executable, "-m", "twocans.server"]
    with ServerProcess("--data", str(data), "--max-storage", "1GB", start=start) as server:
        for number in range(20):
            with JsonPeer(server.port, f"user{number}") as user:
                document = Document(bytes([number]) * 4_000_000)
                answer = user.ask("UPLOAD", hash=document.hash, size=document.size)
                if answer.verb == "TICKET":
                    with http(server) as client:
                        client.ask("PUT", path_of(answer), document.content)
        assert answer["code"] == "storage_full"
        with JsonPeer(server.port, "bob") as bob:
            for sender in range(5):
                with JsonPeer(server.port, f"sender{sender}", source=f"127.0.2.{sender + 1}") as peer:
                    for number in range(100):
                        peer.say("bob", f"{number} " + "x" * 1000)
                    assert len(bob.expect_messages(100)) == 100


def answers(peer: PlainPeer, most: int) -> Iterator[tuple[str, str]]:
    """Send so many long messages to oneself, and yield what each is answered with."""
    for _ in range(most):
        peer.say(peer.name, "z" * 16_000)
        yield peer.read_message()


@on_linux
@pytest.mark.parametrize("concurrency", ["async", "thread"])
def test_names_of_one_address_do_not_fill_the_disk_with_messages(tmp_path: Path, concurrency: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    start = [*on_small_disk(data, size_kib=120 * 1024), sys.executable, "-m", "twocans.server"]
    options = ["--data", str(data), "--rate-limit", "0", "--concurrency", concurrency]
    with ServerProcess(*options, start=start) as server, contextlib.ExitStack() as closing:
        alice, bob = (closing.enter_context(JsonPeer(server.port, name)) for name in ("alice", "bob"))
        flood = [
            closing.enter_context(JsonPeer(server.port, f"e{number}", source="127.0.0.66"))
            for number in range(40)
        ]
        told: list[Frame] = []
        for _ in range(10):
            for peer in flood:
                for _ in range(20):
                    peer.say(peer.name, "z" * 16_000)
            for peer in flood:
                told += [frame for frame in peer.drain() if frame.verb == "ERROR"]
        # The disk is as good as full as long as the index has not caught up.
        assert {frame["text"] for frame in told} <= {TOO_MUCH_FROM_ADDRESS, FULL}
        with PlainPeer(server.port, "old", source="127.0.0.66") as old:
            # The disk may have got a little more room meanwhile.
            assert ("Server", TOO_MUCH_FROM_ADDRESS) in answers(old, 3000)
        # 128 MB were sent.
        assert shutil.disk_usage(seen_by(server.process, data)).free > 20_000_000
        for number in range(200):
            alice.say("bob", f"{number} " + "x" * 1000)
        assert len(bob.expect_messages(200)) == 200
        with JsonPeer(server.port, "carol") as carol:
            carol.deliver("bob", "hello")
        assert server.stop() == 0


def is_taken(peer: JsonPeer, to: str, text: str) -> bool:
    """Send a message; true if it is stored, false if it is refused."""
    cid = peer.say(to, text)
    while (frame := peer.read()).fields.get("cid") != cid:
        pass
    return frame.verb == "ACK"


@on_linux
@pytest.mark.parametrize("concurrency", ["async", "thread"])
def test_many_addresses_together_do_not_fill_the_disk_with_messages(tmp_path: Path, concurrency: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    start = [*on_small_disk(data, size_kib=64 * 1024), sys.executable, "-m", "twocans.server"]
    options = ["--data", str(data), "--rate-limit", "0", "--concurrency", concurrency]
    with ServerProcess(*options, start=start) as server, contextlib.ExitStack() as closing:
        flood = [
            closing.enter_context(JsonPeer(server.port, f"e{number}", source=f"127.0.1.{number}"))
            for number in range(1, 31)
        ]
        for peer in [*flood, *flood]:
            told: list[Frame] = []
            while not told:
                for _ in range(20):
                    peer.say(peer.name, "z" * 16_000)
                told = [frame for frame in peer.drain() if frame.verb == "ERROR"]
        # A quarter of the reserve, and what WAL and index turned out not to need.
        assert shutil.disk_usage(seen_by(server.process, data)).free > 4_000_000
        alice, bob = (closing.enter_context(JsonPeer(server.port, name)) for name in ("alice", "bob"))
        # What is not in the index yet still counts as taking room.
        eventually(lambda: is_taken(alice, "bob", "hello"))
        for number in range(9):
            alice.say("bob", f"{number} " + "x" * 1000)
        assert len(bob.expect_messages(10)) == 10
        assert server.stop() == 0


def test_request_in_the_clear_is_refused_where_encryption_is_required(tmp_path: Path) -> None:
    with served(tmp_path, "--tls", "required") as server:
        tls = client_context()
        with JsonPeer(server.port, "alice", tls=tls) as alice:
            path = path_of(upload_ticket(alice, NOTE))
            with http(server) as client:
                answer = client.ask("PUT", path, NOTE.content)
                assert answer.status == 403
                assert answer.text == "This server takes encrypted connections only: use https.\n"
            with HttpClient(Peer(server.port, tls=tls)) as client:
                assert client.ask("PUT", path, NOTE.content).status == 201


def test_requests_leave_one_line_at_most_and_no_names(tmp_path: Path) -> None:
    with served(tmp_path) as server, JsonPeer(server.port, "alice") as alice:
        bring(alice, lambda: Peer(server.port), NOTE)
        send_file(alice, "alice", NOTE, "c1")
        with http(server) as client:
            client.peer.sendall(b"nonsense HTTP/1.1\r\n\r\n")
            client.expect_closed()
        malformed = server.event("request_malformed", address=f"127.0.0.1:{client.peer.local_port}")
        assert set(malformed.fields) == {"address", "time"} or "address" in malformed.fields
        assert server.event("file_stored")["bytes"] == NOTE.size
        server.stop()
        said = "\n".join([*server.output.all(), *server.errors.all()])
        assert "Traceback" not in said
        for word in (NOTE.name, NOTE.hash, "aiohttp"):
            assert word not in said


# --- commands ----------------------------------------------------------------------------------------------


def test_backup_has_the_files_and_a_server_that_gets_it_serves_them(tmp_path: Path) -> None:
    data, copy, restored = tmp_path / "data", tmp_path / "copy.db", tmp_path / "restored"
    fill_folder(data)
    made = run("backup", str(copy), data=data)
    assert made.returncode == 0, made
    assert made.stdout.splitlines()[1] == f"{copy}.files holds the 3 files of them (2.0 MB)."
    copied = sorted((tmp_path / "copy.db.files").glob("??/*"))
    assert [path.name for path in copied] == [path.name for path in files(data)]
    assert all(is_private(path) for path in copied)
    restored.mkdir()
    shutil.copy(copy, restored / "messages.db")
    shutil.copytree(tmp_path / "copy.db.files", restored / "files")
    checked = run("check", "--files", data=restored)
    assert checked.returncode == 0, checked
    assert "3 files" in checked.stdout
    with served(restored) as server, JsonPeer(server.port, "bob") as bob:
        first, second = bob.ask("HISTORY", peer="alice").parts("messages")
        assert fetch(bob, lambda: Peer(server.port), first.number("id")) == REPORT.content
        assert fetch(bob, lambda: Peer(server.port), second.number("id")) == NOTE.content


def test_backup_again_takes_over_what_is_there_and_leaves_out_what_is_gone(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy.db"
    fill_folder(data)
    run("backup", str(copy), data=data)
    with database(data) as connection:
        connection.execute("DELETE FROM upload WHERE hash = ?", (Document(b"unsent").hash,))
    again = run("backup", "--force", str(copy), data=data)
    assert again.returncode == 0, again
    names = {path.name for path in (tmp_path / "copy.db.files").glob("??/*")}
    assert names == {REPORT.hash, NOTE.hash}


def test_backup_without_files_makes_no_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with served(data) as server, JsonPeer(server.port, "alice") as alice:
        alice.deliver("alice", "hello")
    assert run("backup", str(tmp_path / "copy.db"), data=data).returncode == 0
    assert not (tmp_path / "copy.db.files").exists()


def test_check_tells_of_files_that_are_missing_or_damaged(tmp_path: Path) -> None:
    fill_folder(tmp_path)
    report, note = (tmp_path / "files" / one.hash[:2] / one.hash for one in (REPORT, NOTE))
    note.write_bytes(b"A note")
    assert run("check", data=tmp_path).returncode == 0
    damaged = run("check", "--files", data=tmp_path)
    assert damaged.returncode == 1
    assert f"Damaged: the file {NOTE.hash}" in damaged.stderr
    report.unlink()
    missing = run("check", data=tmp_path)
    assert missing.returncode == 1
    assert f"Missing: the file {REPORT.hash}" in missing.stderr
    backed_up = run("backup", str(tmp_path / "copy.db"), data=tmp_path)
    assert backed_up.returncode == 1
    assert "1 file not found in the server's folder" in backed_up.stderr


def test_export_names_files(tmp_path: Path) -> None:
    fill_folder(tmp_path)
    exported = run("export", "--user", "bob", "--format", "text", data=tmp_path)
    assert exported.returncode == 0, exported
    assert "File: report.pdf (2.0 MB)" in exported.stdout
    assert "File: note.txt (6 bytes)" in exported.stdout


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1", b"PUT /files/x HTTP/1.0"])
def test_connection_that_speaks_http_counts_as_any(tmp_path: Path, first: bytes) -> None:
    with served(tmp_path, "--max-connections-per-address", "2") as server:
        with Peer(server.port) as one, Peer(server.port) as two:
            for peer in (one, two):
                peer.sendall(first + b"\r\n")
            with Peer(server.port) as three:
                assert "too many connections" in three.expect_closed()[0]
        eventually(lambda: _answers(server))


def _answers(server: ServerProcess) -> bool:
    with http(server) as client:
        try:
            return client.ask("GET", "/").status == 404
        except Closed:
            return False
