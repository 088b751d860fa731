"""Files: brought, told of in a message, fetched; what breaks off goes on, and who has no right to one gets none."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.contract.conftest import Setup, serve_as
from tests.support.deadline import DEADLINE_S
from tests.support.http import (
    Document,
    HttpClient,
    bring,
    fetch,
    head,
    path_of,
    send_file,
    upload_ticket,
)
from tests.support.raw import JsonPeer, eventually
from tests.support.serving import Serving
from twocans.hub.limits import Limits
from twocans.server.http.peer import RequestReader
from twocans.server.settings.config import HistoryMode
from twocans.storage.contents import Contents, Incoming, Part

REPORT = Document(bytes(range(256)) * 4000)
"""About a megabyte."""
SMALL = Document(b"hello, file")

Start = Callable[..., Serving]


@pytest.fixture
def start(setup: Setup, tmp_path: Path) -> Iterator[Start]:
    """Starts servers with a folder, in which alone files can be."""
    with ExitStack() as servers:

        def start_one(limits: Limits | None = None, *, history: HistoryMode = HistoryMode.ON) -> Serving:
            return servers.enter_context(serve_as(setup, tmp_path, limits=limits, history=history))

        yield start_one


@pytest.fixture
def server(start: Start) -> Serving:
    """A server as it is out of the box."""
    return start()


def http(server: Serving) -> HttpClient:
    """A connection for requests."""
    return HttpClient(server.peer())


def kept(folder: Path) -> list[str]:
    """The names of the files that are kept as a whole."""
    return sorted(path.name for path in (folder / "files").glob("??/*"))


def parts(folder: Path) -> list[Path]:
    """What is coming."""
    return list((folder / "files" / "incoming").iterdir())


def received(server: Serving, sender: JsonPeer, recipient: JsonPeer, document: Document) -> int:
    """Let one send a file to the other; the message's id."""
    bring(sender, server.peer, document)
    ack = send_file(sender, recipient.name, document, document.hash[:8] + recipient.name)
    assert ack.verb == "ACK", ack
    return recipient.expect("MSG", id=ack["id"]).number("id")


# --- from one to the other -------------------------------------------------------------------------------


def test_file_arrives_as_it_was_sent(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    assert alice.welcome.part("limits").number("file_bytes") == Limits().max_file_bytes
    bring(alice, server.peer, REPORT)
    ack = send_file(alice, "bob", REPORT, "c1")
    message = bob.expect("MSG")
    assert message.part("file").fields == REPORT.ref
    assert message["text"] == "report.pdf"
    assert fetch(bob, server.peer, ack.number("id")) == REPORT.content
    assert fetch(alice, server.peer, ack.number("id")) == REPORT.content


def test_ordinary_messages_have_no_field_for_files(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    alice.deliver("bob", "hello")
    assert "file" not in bob.expect("MSG").fields
    assert "file" not in bob.ask("HISTORY", peer="alice").parts("messages")[0].fields


def test_who_was_away_finds_the_file_in_every_answer(server: Serving) -> None:
    alice, away = server.json("alice"), server.json("bob")
    away.close()
    alice.expect("LEFT", user="bob")
    bring(alice, server.peer, SMALL)
    send_file(alice, "bob", SMALL, "c1")
    bob = server.json("bob", token=away.token)
    (missed,) = bob.missed
    (history,) = bob.ask("HISTORY", peer="alice").parts("messages")
    (found,) = bob.ask("SEARCH", query="report").parts("messages")
    last = bob.ask("CHATS").parts("chats")[0].part("last")
    for message in (missed, history, found, last):
        assert message.part("file").fields == SMALL.ref


def test_plain_client_gets_a_link_that_leads_to_the_file(server: Serving) -> None:
    alice, bob = server.json("alice"), server.plain("bob")
    document = Document(b"x" * 2100, "my report.pdf")
    bring(alice, server.peer, document)
    alice.deliver("bob", "before")
    send_file(alice, "bob", document, "c1")
    alice.deliver("bob", "after")
    assert bob.read_message() == ("alice", "before")
    sender, text = bob.read_message()
    assert bob.read_message() == ("alice", "after")
    assert sender == "alice"
    assert text.startswith("my report.pdf (2.1 KB) http")
    link = urlsplit(text.rpartition(" ")[2])
    assert link.scheme == ("http" if server.tls is None else "https")
    assert (link.hostname, link.port) == ("127.0.0.1", server.port)
    assert unquote(link.path).endswith("/my report.pdf")
    answer = http(server).ask("GET", link.path)
    assert (answer.status, answer.body) == (200, document.content)


def test_plain_client_that_was_away_gets_the_link_too(server: Serving) -> None:
    alice = server.json("alice")
    server.plain("bob").close()
    bring(alice, server.peer, SMALL)
    send_file(alice, "bob", SMALL, "c1")
    bob = server.plain("bob")
    _, text = bob.read_message()
    assert http(server).ask("GET", urlsplit(text.rpartition(" ")[2]).path).body == SMALL.content


def test_empty_file_needs_no_bytes(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    empty = Document(b"")
    ticket = upload_ticket(alice, empty)
    assert ticket["offset"] == 0
    assert http(server).ask("PUT", path_of(ticket), b"").status == 201
    ack = send_file(alice, "bob", empty, "c1")
    assert fetch(bob, server.peer, ack.number("id")) == b""


def test_one_connection_serves_several_requests(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    client = http(server)
    assert client.ask("PUT", path_of(upload_ticket(alice, REPORT)), REPORT.content).status == 201
    id_ = send_file(alice, "bob", REPORT, "c1").number("id")
    path = path_of(bob.ask("DOWNLOAD", id=id_))
    assert client.ask("GET", path).body == REPORT.content
    assert client.ask("HEAD", path).headers["content-length"] == str(REPORT.size)
    assert client.ask("GET", f"{path}/report.pdf").body == REPORT.content


def test_requests_at_once_are_answered_in_their_order(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    path = path_of(bob.ask("DOWNLOAD", id=received(server, alice, bob, SMALL)))
    client = http(server)
    client.peer.sendall(head("GET", path) + head("GET", "/nothing") + head("HEAD", path) + head("GET", path))
    assert client.answer().body == SMALL.content
    assert client.answer().status == 404
    assert client.answer("HEAD").status == 200
    assert client.answer().body == SMALL.content


def test_requests_may_come_byte_by_byte(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    ticket = upload_ticket(alice, SMALL)
    client = http(server)
    client.peer.send_cut(head("PUT", path_of(ticket), length=SMALL.size) + SMALL.content)
    assert client.answer().status == 201
    ack = send_file(alice, "bob", SMALL, "c1")
    assert fetch(bob, server.peer, ack.number("id")) == SMALL.content


def test_peer_that_says_no_more_is_answered_still(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    path = path_of(bob.ask("DOWNLOAD", id=received(server, alice, bob, SMALL)))
    client = http(server)
    client.peer.sendall(head("GET", path) * 2)
    client.peer.finish_sending()
    assert client.answer().body == SMALL.content
    assert client.answer().body == SMALL.content
    client.expect_closed()


def test_peer_that_has_brought_all_and_says_no_more_is_answered_still(server: Serving) -> None:
    alice = server.json("alice")
    client = http(server)
    client.peer.sendall(head("PUT", path_of(upload_ticket(alice, SMALL)), length=SMALL.size) + SMALL.content)
    client.peer.finish_sending()
    assert client.answer().status == 201
    client.expect_closed()


def test_what_is_announced_may_be_waited_for(server: Serving) -> None:
    alice = server.json("alice")
    client = http(server)
    client.begin("PUT", path_of(upload_ticket(alice, SMALL)), length=SMALL.size, Expect="100-continue")
    assert client.answer_head().status == 100
    client.peer.sendall(SMALL.content)
    assert client.answer().status == 201


# --- what breaks off goes on -----------------------------------------------------------------------------


def test_upload_that_broke_off_goes_on_where_it_did(server: Serving, tmp_path: Path) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    half = REPORT.size // 2
    with http(server) as client:
        client.begin("PUT", path_of(upload_ticket(alice, REPORT)), length=REPORT.size)
        client.peer.sendall(REPORT.content[:half])
        eventually(lambda: sum(part.stat().st_size for part in parts(tmp_path)) == half)
        client.peer.reset()
    ticket = upload_ticket(alice, REPORT)
    assert ticket["offset"] == half
    answer = http(server).ask("PUT", path_of(ticket), REPORT.content[half:], Content_Range=REPORT.range(half))
    assert answer.status == 201
    ack = send_file(alice, "bob", REPORT, "c1")
    assert fetch(bob, server.peer, ack.number("id")) == REPORT.content


def test_upload_goes_on_while_the_server_still_believes_in_the_old_connection(
    server: Serving, tmp_path: Path
) -> None:
    alice = server.json("alice")
    old = http(server)
    old.begin("PUT", path_of(upload_ticket(alice, REPORT)), length=REPORT.size)
    old.peer.sendall(REPORT.content[:1000])
    eventually(lambda: sum(part.stat().st_size for part in parts(tmp_path)) == 1000)
    ticket = upload_ticket(alice, REPORT)
    assert ticket["offset"] == 1000
    answer = http(server).ask("PUT", path_of(ticket), REPORT.content[1000:], Content_Range=REPORT.range(1000))
    assert answer.status == 201
    old.expect_closed()


def test_upload_whose_peer_was_gone_before_it_began_is_in_nobodys_way(
    server: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening, gone = threading.Event(), threading.Event()
    open_part = Contents.open_part

    def slow(contents: Contents, incoming: Incoming) -> Part:
        opening.set()
        gone.wait(DEADLINE_S)
        return open_part(contents, incoming)

    alice = server.json("alice")
    monkeypatch.setattr(Contents, "open_part", slow)
    first = http(server)
    first.begin("PUT", path_of(upload_ticket(alice, SMALL)), length=SMALL.size)
    assert opening.wait(DEADLINE_S)
    first.peer.reset()
    second = http(server)
    second.begin("PUT", path_of(upload_ticket(alice, SMALL)), length=SMALL.size)
    second.peer.sendall(SMALL.content)
    gone.set()
    assert second.answer().status == 201


def test_file_that_fails_to_be_read_is_told_once_and_can_be_brought_again(
    server: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Part) -> bool:
        raise OSError("the disk fails")

    alice = server.json("alice")
    client = http(server)
    with monkeypatch.context() as failing:
        failing.setattr(Part, "is_right", fail)
        answer = client.ask("PUT", path_of(upload_ticket(alice, SMALL)), SMALL.content)
    assert (answer.status, answer.text) == (500, "The server has a disk error. Please try again later.\n")
    ticket = upload_ticket(alice, SMALL)
    assert ticket["offset"] == SMALL.size - 1
    last = SMALL.content[-1:]
    assert client.ask("PUT", path_of(ticket), last, Content_Range=SMALL.range(SMALL.size - 1)).status == 201


def test_upload_may_come_in_several_requests(server: Serving) -> None:
    alice = server.json("alice")
    path = path_of(upload_ticket(alice, REPORT))
    client = http(server)
    first = client.ask("PUT", path, REPORT.content[:5000], Content_Range=f"bytes 0-4999/{REPORT.size}")
    assert (first.status, first.offset) == (202, 5000)
    assert client.ask("PUT", path, REPORT.content[5000:], Content_Range=REPORT.range(5000)).status == 201


def test_upload_from_elsewhere_is_told_where_to_go_on(server: Serving) -> None:
    alice = server.json("alice")
    path = path_of(upload_ticket(alice, REPORT))
    client = http(server)
    client.ask("PUT", path, REPORT.content[:5000], Content_Range=f"bytes 0-4999/{REPORT.size}")
    answer = client.ask("PUT", path, REPORT.content[9000:], Content_Range=REPORT.range(9000))
    assert (answer.status, answer.offset) == (409, 5000)


def test_what_one_has_brought_or_got_need_not_be_brought_again(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    bring(alice, server.peer, SMALL)
    assert upload_ticket(alice, SMALL)["offset"] == SMALL.size
    send_file(alice, "bob", SMALL, "c1")
    bob.expect("MSG")
    assert upload_ticket(bob, SMALL)["offset"] == SMALL.size
    assert send_file(bob, "alice", SMALL, "c2").verb == "ACK"


def test_wrong_content_is_refused_and_starts_over(server: Serving, tmp_path: Path) -> None:
    alice = server.json("alice")
    wrong = bytes(REPORT.size)
    answer = http(server).ask("PUT", path_of(upload_ticket(alice, REPORT)), wrong)
    assert (answer.status, answer.offset) == (422, 0)
    assert kept(tmp_path) == []
    assert upload_ticket(alice, REPORT)["offset"] == 0
    assert send_file(alice, "alice", REPORT, "c1")["code"] == "no_such_file"
    bring(alice, server.peer, REPORT)


def test_more_than_was_announced_is_refused(server: Serving) -> None:
    alice = server.json("alice")
    answer = http(server).ask("PUT", path_of(upload_ticket(alice, SMALL)), SMALL.content + b"more")
    assert answer.status == 400


@pytest.mark.parametrize(
    "said", ["bytes 0-4/99", "bytes 5-4/11", "bytes 0-11/11", "bytes */11", "bytes 0-10", "lines 0-1/11"]
)
def test_range_that_does_not_fit_is_refused(server: Serving, said: str) -> None:
    alice = server.json("alice")
    path = path_of(upload_ticket(alice, SMALL))
    assert http(server).ask("PUT", path, SMALL.content, Content_Range=said).status == 400


# --- who may what ----------------------------------------------------------------------------------------


def test_same_file_of_two_people_is_kept_once_and_brought_by_both(server: Serving, tmp_path: Path) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    bring(alice, server.peer, REPORT)
    assert upload_ticket(bob, REPORT)["offset"] == 0
    assert send_file(bob, "bob", REPORT, "c1")["code"] == "no_such_file"
    bring(bob, server.peer, REPORT)
    assert send_file(bob, "bob", REPORT, "c1").verb == "ACK"
    assert kept(tmp_path) == [REPORT.hash]


def test_hash_alone_gives_nothing(server: Serving) -> None:
    alice, bob, eve = server.json("alice"), server.json("bob"), server.json("eve")
    id_ = received(server, alice, bob, REPORT)
    assert upload_ticket(eve, REPORT)["offset"] == 0
    assert send_file(eve, "eve", REPORT, "c1")["code"] == "no_such_file"
    assert eve.ask("DOWNLOAD", id=id_)["code"] == "no_such_file"
    assert eve.ask("DOWNLOAD", id=id_ + 1)["code"] == "no_such_file"


def test_message_without_a_file_has_none_to_fetch(server: Serving) -> None:
    alice = server.json("alice")
    id_ = alice.deliver("alice", "hello").number("id")
    assert alice.ask("DOWNLOAD", id=id_)["code"] == "no_such_file"


def test_ticket_is_for_one_direction_only(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    fetching = path_of(bob.ask("DOWNLOAD", id=received(server, alice, bob, SMALL)))
    bringing = path_of(upload_ticket(alice, REPORT))
    client = http(server)
    assert client.ask("PUT", fetching, SMALL.content).status == 403
    assert client.ask("GET", bringing).status == 403


def test_ticket_that_was_changed_is_none(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    path = path_of(bob.ask("DOWNLOAD", id=received(server, alice, bob, SMALL)))
    client = http(server)
    for changed in (path[:-1], path + "A", path.swapcase(), "/files/x", "/files/%00", "/files/" + "A" * 500):
        answer = client.ask("GET", changed)
        assert answer.status == (403 if changed.startswith("/files/") else 404)


def test_there_is_nothing_else(server: Serving) -> None:
    client = http(server)
    for path in ("/", "/files", "/files/", "/index.html", "/../etc/passwd", "/FILES/x"):
        assert client.ask("GET", path).status == 404
    answer = client.ask("POST", "/files/x", b"")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, PUT, DELETE")
    assert "aiohttp" not in str(answer).lower()
    assert "python" not in str(answer).lower()


def test_same_message_again_is_known_and_with_another_file_refused(server: Serving) -> None:
    alice = server.json("alice")
    bring(alice, server.peer, REPORT)
    bring(alice, server.peer, SMALL)
    first = send_file(alice, "alice", REPORT, "c1")
    assert send_file(alice, "alice", REPORT, "c1").fields == first.fields
    assert send_file(alice, "alice", SMALL, "c1")["code"] == "conflict"
    alice.send("MSG", to="alice", text=REPORT.name, cid="c1")
    assert alice.expect("ERROR")["code"] == "conflict"


def test_message_whose_file_was_missing_may_be_sent_again(server: Serving) -> None:
    alice = server.json("alice")
    assert send_file(alice, "alice", SMALL, "c1")["code"] == "no_such_file"
    bring(alice, server.peer, SMALL)
    assert send_file(alice, "alice", SMALL, "c1").verb == "ACK"


@pytest.mark.parametrize("name", ["../x", "a/b", "a\\b", "CON", "x.", "a\u202eb", "a:b"])
def test_name_that_leads_elsewhere_is_refused(server: Serving, name: str) -> None:
    alice = server.json("alice")
    bring(alice, server.peer, SMALL)
    assert send_file(alice, "alice", Document(SMALL.content, name), "c1")["code"] == "bad_request"


def test_files_are_for_those_who_said_who_they_are(server: Serving) -> None:
    peer = server.peer()
    peer.send_line(f'HELLO: {{"user": "alice", "agent": "test", "x": "{"x"}"}}')
    peer.read_until(lambda line: line.startswith("SYNCED"))
    early = server.peer()
    early.send_line('HELLO: {"user": "no such name, as it has spaces", "agent": "test"}')
    early.read_until(lambda line: line.startswith("ERROR"))
    early.send_line(f'UPLOAD: {{"hash": "{SMALL.hash}", "size": 11, "rid": 1}}')
    assert "not_registered" in early.read_line()


# --- parts of a file -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "span"),
    [
        ("bytes=0-0", range(1)),
        ("bytes=100-", range(100, REPORT.size)),
        ("bytes=-10", range(REPORT.size - 10, REPORT.size)),
        ("bytes=5-99999999999", range(5, REPORT.size)),
        (f"bytes=-{REPORT.size * 2}", range(REPORT.size)),
        ("bytes=700000-700099", range(700_000, 700_100)),
    ],
)
def test_part_of_a_file_can_be_fetched(server: Serving, wanted: str, span: range) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    path = path_of(bob.ask("DOWNLOAD", id=received(server, alice, bob, REPORT)))
    answer = http(server).ask("GET", path, Range=wanted)
    assert answer.status == 206
    assert answer.headers["content-range"] == f"bytes {span.start}-{span.stop - 1}/{REPORT.size}"
    assert answer.body == REPORT.content[span.start : span.stop]


@pytest.mark.parametrize("wanted", ["bytes=1020000000-", f"bytes={REPORT.size}-", "bytes=-0"])
def test_part_beyond_the_end_is_refused(server: Serving, wanted: str) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    path = path_of(bob.ask("DOWNLOAD", id=received(server, alice, bob, REPORT)))
    answer = http(server).ask("GET", path, Range=wanted)
    assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{REPORT.size}")


@pytest.mark.parametrize("wanted", ["bytes=5-4", "bytes=-", "bytes=1-2,5-6", "lines=1-2", "bytes=a-b"])
def test_part_that_is_none_is_the_whole(server: Serving, wanted: str) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    path = path_of(bob.ask("DOWNLOAD", id=received(server, alice, bob, SMALL)))
    answer = http(server).ask("GET", path, Range=wanted)
    assert (answer.status, answer.body) == (200, SMALL.content)


def test_part_is_of_the_file_that_was_begun_with(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    path = path_of(bob.ask("DOWNLOAD", id=received(server, alice, bob, SMALL)))
    client = http(server)
    whole = client.ask("GET", path)
    etag = whole.headers["etag"]
    assert etag == f'"{SMALL.hash}"'
    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.headers["content-type"] == "application/octet-stream"
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["content-disposition"] == "attachment; filename*=UTF-8''report.pdf"
    assert client.ask("GET", path, Range="bytes=7-", If_Range=etag).body == b"file"
    assert client.ask("GET", path, Range="bytes=7-", If_Range='"other"').body == SMALL.content


# --- limits ----------------------------------------------------------------------------------------------


def test_file_that_is_too_large_is_refused(start: Start) -> None:
    server = start(Limits(max_file_bytes=1000))
    alice = server.json("alice")
    refused = alice.ask("UPLOAD", hash=REPORT.hash, size=1001)
    assert refused["code"] == "file_too_large"
    assert refused.text("text").endswith("files of at most 1.0 KB.")
    assert send_file(alice, "alice", REPORT, "c1")["code"] == "file_too_large"
    bring(alice, server.peer, SMALL)


@pytest.mark.parametrize("history", list(HistoryMode))
def test_server_without_files_says_so(start: Start, history: HistoryMode) -> None:
    server = start(Limits(max_file_bytes=0) if history is HistoryMode.ON else Limits(), history=history)
    alice = server.json("alice")
    assert alice.welcome.part("limits")["file_bytes"] == 0
    for refused in (
        alice.ask("UPLOAD", hash=SMALL.hash, size=11),
        alice.ask("DOWNLOAD", id=1),
        send_file(alice, "alice", SMALL, "c1"),
    ):
        assert refused["code"] == "file_too_large"
        assert refused["text"] == "This server doesn't accept files."
    assert http(server).ask("GET", "/files/x").status == 404


def test_one_person_cannot_take_all_the_room(start: Start) -> None:
    server = start(Limits(max_storage_bytes=4 * REPORT.size))
    alice, bob = server.json("alice"), server.json("bob")
    bring(alice, server.peer, REPORT)
    bring(alice, server.peer, Document(b"1" * REPORT.size))
    refused = alice.ask("UPLOAD", hash=SMALL.hash, size=SMALL.size)
    assert refused["code"] == "storage_full"
    assert "one person" in refused.text("text")
    bring(bob, server.peer, SMALL)


def test_all_together_cannot_take_more_than_there_is(start: Start, tmp_path: Path) -> None:
    server = start(Limits(max_storage_bytes=3 * REPORT.size))
    people = [server.json(name) for name in ("alice", "bob", "carol")]
    for number, person in enumerate(people[:2]):
        bring(person, server.peer, Document(bytes([number]) * (REPORT.size + 1000)))
    refused = people[2].ask("UPLOAD", hash=REPORT.hash, size=REPORT.size)
    assert refused["code"] == "storage_full"
    assert "the person who runs the server" in refused.text("text")
    bring(people[2], server.peer, SMALL)


def test_tickets_that_are_not_used_keep_no_room_from_others(start: Start) -> None:
    server = start(Limits(max_storage_bytes=3 * REPORT.size))
    alice, bob, carol = (server.json(name) for name in ("alice", "bob", "carol"))
    for person, fill in ((alice, b"a"), (bob, b"b")):
        upload_ticket(person, Document(fill * (REPORT.size + REPORT.size // 3)))
    bring(carol, server.peer, REPORT)


@pytest.mark.parametrize("ends", ["cancelled", "not the file"])
def test_ticket_of_an_upload_that_has_ended_is_asked_for_again(start: Start, ends: str) -> None:
    server = start(Limits(max_storage_bytes=4 * REPORT.size))
    alice, client = server.json("alice"), http(server)
    ticket = upload_ticket(alice, REPORT)
    if ends == "cancelled":
        client.ask("DELETE", path_of(ticket))
    else:
        assert client.ask("PUT", path_of(ticket), b"x" * REPORT.size).status == 422
    upload_ticket(alice, Document(b"1" * REPORT.size))
    upload_ticket(alice, Document(b"2" * REPORT.size))
    answer = client.ask("PUT", path_of(ticket), REPORT.content)
    assert (answer.status, answer.text) == (
        507,
        "Your files take as much room on the server as those of one person may. Please send a smaller one.\n",
    )


def test_tickets_of_one_person_together_are_no_more_than_their_share(start: Start) -> None:
    server = start(Limits(max_storage_bytes=4 * REPORT.size))
    alice = server.json("alice")
    documents = [Document(bytes([number]) * REPORT.size) for number in range(3)]
    answers = [alice.ask("UPLOAD", hash=one.hash, size=one.size) for one in documents]
    assert [answer.verb for answer in answers] == ["TICKET", "TICKET", "ERROR"]
    assert answers[2]["code"] == "storage_full"
    with http(server) as client:
        assert client.ask("DELETE", path_of(answers[0])).status == 200
    upload_ticket(alice, documents[2])


def test_cancelled_upload_leaves_nothing(server: Serving) -> None:
    alice = server.json("alice")
    ticket = upload_ticket(alice, REPORT)
    uploading, other = http(server), http(server)
    uploading.begin("PUT", path_of(ticket), length=REPORT.size)
    uploading.peer.sendall(REPORT.content[:1000])
    eventually(lambda: upload_ticket(alice, REPORT)["offset"] == 1000)
    answer = other.ask("DELETE", path_of(ticket))
    assert (answer.status, answer.text) == (200, "The upload is cancelled.\n")
    uploading.expect_closed()
    assert upload_ticket(alice, REPORT)["offset"] == 0


def test_file_that_is_whole_can_no_longer_be_cancelled(server: Serving) -> None:
    alice, client = server.json("alice"), http(server)
    ticket = upload_ticket(alice, REPORT)
    client.ask("PUT", path_of(ticket), REPORT.content)
    assert client.ask("DELETE", path_of(ticket)).status == 201
    assert send_file(alice, "alice", REPORT, "c1").verb == "ACK"


def test_ticket_for_fetching_cancels_nothing(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    path = path_of(bob.ask("DOWNLOAD", id=received(server, alice, bob, SMALL)))
    assert http(server).ask("DELETE", path).status == 403
    assert http(server).ask("GET", path).body == SMALL.content


def test_so_many_files_of_one_person_may_come_at_once(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    client = http(server)
    for number in range(16):
        document = Document(bytes([number]) * 10)
        path = path_of(upload_ticket(alice, document))
        if number % 2:
            begun = client.ask("PUT", path, document.content[:5], Content_Range="bytes 0-4/10")
            assert begun.status == 202
    assert alice.ask("UPLOAD", hash=SMALL.hash, size=SMALL.size)["code"] == "rate_limited"
    upload_ticket(bob, SMALL)


# --- bad company -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        b"GET HTTP/1.1\r\n\r\n",
        b" HTTP/1.1\r\n\r\n",
        b"one two three HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 5000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
    ],
)
def test_request_that_is_none_is_answered_so_and_the_connection_closed(server: Serving, sent: bytes) -> None:
    client = http(server)
    client.peer.sendall(sent)
    said = client.expect_closed()
    assert b" 400 " in said.split(b"\r\n")[0]
    assert b"Traceback" not in said
    assert b"aiohttp" not in said
    assert server.plain("alice").users == ["alice"]


def test_request_that_never_ends_is_not_waited_for(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twocans.server.http.server.IDLE_S", 0.2)
    server = start()
    client = http(server)
    client.peer.sendall(b"GET / HTTP/1.1\r\nX: ")
    client.expect_closed()
    idle = http(server)
    assert idle.ask("GET", "/").status == 404
    idle.expect_closed()


def test_download_that_had_to_wait_for_its_reader_goes_on_once_it_reads(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused = threading.Event()
    pause = RequestReader.pause_writing

    def pause_and_tell(reader: RequestReader) -> None:
        pause(reader)
        paused.set()

    monkeypatch.setattr(RequestReader, "pause_writing", pause_and_tell)
    server = start()
    alice, bob = server.json("alice"), server.json("bob")
    large = Document(hashlib.sha256(b"x").digest() * 500_000)
    path = path_of(bob.ask("DOWNLOAD", id=received(server, alice, bob, large)))
    client = HttpClient(server.peer(receive_buffer=4096))
    client.begin("GET", path)
    assert paused.wait(DEADLINE_S)
    assert client.answer().body == large.content


def test_first_line_of_a_chat_in_pieces_is_understood(server: Serving) -> None:
    peer = server.peer()
    peer.send_cut(b"alice\r\nMSG: alice: x HTTP/1.1\r\n")
    assert peer.read_line() == "LIST: alice"
    assert peer.read_line() == "MSG: alice: x HTTP/1.1"


def test_transfers_end_with_the_server(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    path = path_of(bob.ask("DOWNLOAD", id=received(server, alice, bob, SMALL)))
    idle, halfway, silent = http(server), http(server), http(server)
    assert idle.ask("GET", path).status == 200
    halfway.begin("PUT", path_of(upload_ticket(alice, REPORT)), length=REPORT.size)
    halfway.peer.sendall(REPORT.content[:1000])
    silent.peer.sendall(b"GET / HTTP/1.1\r\n")
    server.stop()
    for client in (idle, halfway, silent):
        client.expect_closed()
