"""Bans reach whoever is there already, in whatever state: not registered, over HTTP, in the middle of a transfer."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.contract.conftest import Setup
from tests.support.deadline import DEADLINE_S
from tests.support.http import Document, HttpClient, bring, path_of, send_file, upload_ticket
from tests.support.raw import JsonPeer, Peer, PlainPeer, decode, hello
from tests.support.serving import Serving, serve
from tests.support.tls import client_context
from twocans.hub.hub import Hub
from twocans.hub.owners import token_digest
from twocans.protocol.names import user_key
from twocans.server.http.peer import RequestReader
from twocans.server.settings.config import Concurrency, TlsMode
from twocans.storage.identities import BanKind

BANNED = "banned from this server"
SMALL, OTHER = Document(b"hello, file"), Document(b"another file")
LARGE = Document(hashlib.sha256(b"x").digest() * 500_000)


@pytest.fixture
def server(setup: Setup, tmp_path: Path) -> Iterator[Serving]:
    """A server that takes files."""
    with ExitStack() as stack:
        yield stack.enter_context(
            serve(
                concurrency=setup.concurrency,
                data=tmp_path,
                mode=TlsMode.OFFERED if setup.tls is None else TlsMode.REQUIRED,
                tls=setup.tls,
            )
        )


def ban(server: Serving, kind: BanKind, value: str) -> int:
    """Ban something as the operator does; how many sessions have ended."""
    return server.operate(lambda hub: hub.ban(kind, value, "", lambda _: None))


def ban_here(server: Serving) -> int:
    """Ban the address of all peers of these tests."""
    return ban(server, BanKind.ADDRESS, "127.0.0.1/32")


# --- an address -------------------------------------------------------------------------------------------


def say_nothing(_peer: Peer) -> None:
    """Do not send anything."""


def begin_a_name(peer: Peer) -> None:
    """Send a part of the first line."""
    peer.sendall(hello("mallory")[:10])


def be_refused(peer: Peer) -> None:
    """Send a name that is refused, so that the server waits for another."""
    peer.send_line("no name!")
    assert "name" in peer.read_line()


@pytest.mark.parametrize("begin", [say_nothing, begin_a_name, be_refused])
def test_ban_of_an_address_ends_connections_that_have_no_name_yet(
    server: Serving, begin: Callable[[Peer], None]
) -> None:
    waiting = server.peer()
    begin(waiting)
    registered = server.json("mallory")  # so the one before it has been accepted too
    assert ban_here(server) == 1
    assert BANNED in waiting.expect_closed()[-1]
    assert BANNED in registered.expect_closed()[-1]


def test_ban_of_an_address_ends_http_connections_that_are_kept_alive(server: Serving) -> None:
    kept, begun = HttpClient(server.peer()), HttpClient(server.peer())
    assert kept.ask("GET", "/").status == 404
    begun.peer.sendall(b"GET / HTTP/1.1\r\n")
    server.json("mallory")
    ban_here(server)
    kept.expect_closed()
    begun.expect_closed()


# --- files ------------------------------------------------------------------------------------------------


@pytest.fixture
def encrypted(concurrency: Concurrency, tmp_path: Path) -> Iterator[Serving]:
    """A server that takes files, and whose peers encrypt, so that their names belong to devices."""
    with serve(concurrency=concurrency, data=tmp_path, tls=client_context()) as serving:
        yield serving


@pytest.fixture
def clear(concurrency: Concurrency, tmp_path: Path) -> Iterator[Serving]:
    """A server that takes files, and whose peers do not encrypt unless a test says so."""
    with serve(concurrency=concurrency, data=tmp_path) as serving:
        yield serving


@pytest.fixture
def paused(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set once a download waits for its reader."""
    event = threading.Event()
    pause = RequestReader.pause_writing

    def pause_and_tell(reader: RequestReader) -> None:
        pause(reader)
        event.set()

    monkeypatch.setattr(RequestReader, "pause_writing", pause_and_tell)
    return event


def sent_file(server: Serving, sender: JsonPeer, recipient: JsonPeer, document: Document) -> int:
    """Send a file; return the id of its message."""
    bring(sender, server.peer, document)
    return send_file(sender, recipient.name, document, document.hash).number("id")


def begin_upload(server: Serving, peer: JsonPeer, document: Document) -> HttpClient:
    """Begin an upload that goes no further."""
    client = HttpClient(server.peer())
    client.begin("PUT", path_of(upload_ticket(peer, document)), length=document.size, Expect="100-continue")
    assert client.answer_head().status == 100
    return client


def begin_download(server: Serving, path: str, paused: threading.Event) -> HttpClient:
    """Begin a download whose reader reads nothing."""
    client = HttpClient(server.peer(receive_buffer=4096))
    client.begin("GET", path)
    assert paused.wait(DEADLINE_S)
    return client


def ban_name(server: Serving, peer: JsonPeer) -> None:
    """Ban the name of a peer."""
    ban(server, BanKind.NAME, peer.name)


def ban_device(server: Serving, peer: JsonPeer) -> None:
    """Ban the device of a peer."""
    ban(server, BanKind.KEY, token_digest(peer.token).hex())


def free_name(server: Serving, peer: JsonPeer) -> None:
    """Free the name of a peer."""

    def free(hub: Hub) -> None:
        account = hub.roster.get(user_key(peer.name))
        assert account is not None
        hub.owners.free(account, lambda _: None)

    server.operate(free)


def ban_address(server: Serving, _peer: JsonPeer) -> None:
    """Ban the address of all peers."""
    ban_here(server)


@pytest.mark.parametrize("end", [ban_name, ban_device, free_name])
def test_tickets_end_with_what_they_were_given_to(
    encrypted: Serving, end: Callable[[Serving, JsonPeer], None]
) -> None:
    alice, mallory = encrypted.json("alice"), encrypted.json("mallory")
    download = path_of(mallory.ask("DOWNLOAD", id=sent_file(encrypted, alice, mallory, SMALL)))
    upload = path_of(upload_ticket(mallory, OTHER))
    others = path_of(upload_ticket(alice, OTHER))
    kept = HttpClient(encrypted.peer())
    assert kept.ask("GET", download).body == SMALL.content
    assert kept.ask("GET", "/").status == 404  # so the one before it has ended at the server, too
    end(encrypted, mallory)
    assert kept.ask("GET", download).status == 403
    assert kept.ask("DELETE", upload).status == 403
    with HttpClient(encrypted.peer()) as fresh:
        assert fresh.ask("GET", download).status == 403
        assert fresh.ask("PUT", others, OTHER.content).status == 201
    with HttpClient(encrypted.peer()) as fresh:
        fresh.begin("PUT", upload, length=OTHER.size, Expect="100-continue")
        assert fresh.answer_head().status == 403


@pytest.mark.parametrize("end", [ban_name, ban_device, free_name, ban_address])
def test_transfers_under_way_end_with_what_they_were_given_to(
    encrypted: Serving, paused: threading.Event, end: Callable[[Serving, JsonPeer], None]
) -> None:
    alice, mallory = encrypted.json("alice"), encrypted.json("mallory")
    path = path_of(mallory.ask("DOWNLOAD", id=sent_file(encrypted, alice, mallory, LARGE)))
    download, upload = begin_download(encrypted, path, paused), begin_upload(encrypted, mallory, SMALL)
    others = begin_upload(encrypted, alice, OTHER)
    end(encrypted, mallory)
    upload.expect_closed()
    assert len(download.expect_closed()) < LARGE.size
    if end is not ban_address:
        others.peer.sendall(OTHER.content)
        assert others.answer().status == 201


def test_device_that_is_cut_off_keeps_no_ticket_and_no_transfer(encrypted: Serving) -> None:
    laptop = encrypted.json("alice")
    phone = encrypted.peer()
    phone.sendall(hello("alice", secret=laptop.ask("CODE")["code"]))
    welcome = decode(phone.read_line())
    phone_owner = encrypted.json("alice", token=welcome.text("token"))
    upload = begin_upload(encrypted, phone_owner, SMALL)
    ticket = path_of(upload_ticket(phone_owner, OTHER))
    own = path_of(upload_ticket(laptop, OTHER))
    laptop.ask("REVOKE", device=welcome["device"])
    upload.expect_closed()
    with HttpClient(encrypted.peer()) as client:
        assert client.ask("DELETE", ticket).status == 403
        assert client.ask("PUT", own, OTHER.content).status == 201


def test_link_of_a_plain_client_ends_with_a_ban_of_its_name(server: Serving) -> None:
    alice, bob = server.json("alice"), server.plain("bob")
    bring(alice, server.peer, SMALL)
    send_file(alice, "bob", SMALL, "c1")
    _, text = bob.read_message()
    path = urlsplit(text.rpartition(" ")[2]).path
    kept = HttpClient(server.peer())
    assert kept.ask("GET", path).body == SMALL.content
    assert kept.ask("GET", "/").status == 404  # so the one before it has ended at the server, too
    ban(server, BanKind.NAME, "bob")
    assert kept.ask("GET", path).status == 403


# --- a name that is bound, or freed -----------------------------------------------------------------------


def link_of(server: Serving, sender: JsonPeer, reader: PlainPeer, cid: str = "c1") -> str:
    """Send a file to a plain client; return the path of the link that it gets."""
    bring(sender, server.peer, SMALL)
    send_file(sender, reader.name, SMALL, cid)
    return urlsplit(reader.read_message()[1].rpartition(" ")[2]).path


def test_name_that_becomes_bound_ends_what_it_had_in_the_clear(
    clear: Serving, paused: threading.Event
) -> None:
    bob, early = clear.json("bob"), clear.json("alice")
    ticket = path_of(early.ask("DOWNLOAD", id=sent_file(clear, bob, early, SMALL)))
    large = path_of(early.ask("DOWNLOAD", id=sent_file(clear, bob, early, LARGE)))
    kept = HttpClient(clear.peer())
    assert kept.ask("GET", ticket).body == SMALL.content
    download, upload = begin_download(clear, large, paused), begin_upload(clear, early, OTHER)
    with JsonPeer(clear.port, "alice", token=early.token, tls=client_context()) as owner:
        assert "device" in owner.welcome.fields
        bye = decode(early.expect_closed()[-1])
        assert (bye.verb, bye["reason"]) == ("BYE", "revoked")
        assert "belongs to a device now" in bye.text("text")
        upload.expect_closed()
        assert len(download.expect_closed()) < LARGE.size
        assert kept.ask("GET", ticket).status == 403
        bob.deliver("alice", "for the device only")
        owner.expect("MSG", text="for the device only")


@pytest.mark.parametrize("restarts", [False, True], ids=["at once", "after a restart"])
def test_link_from_before_a_name_was_bound_leads_nowhere_once_it_is_freed(
    concurrency: Concurrency, tmp_path: Path, *, restarts: bool
) -> None:
    with serve(concurrency=concurrency, data=tmp_path) as server:
        bob = server.json("bob")
        with server.plain("alice") as plain:
            path = link_of(server, bob, plain)
        bob.expect("LEFT", user="alice")
        with JsonPeer(server.port, "alice", tls=client_context()) as owner:
            with HttpClient(server.peer()) as client:
                assert client.ask("GET", path).status == 403
            free_name(server, owner)
        with HttpClient(server.peer()) as client:
            assert client.ask("GET", path).status == 403
        if not restarts:
            with server.plain("alice") as next_one, HttpClient(server.peer()) as client:
                assert client.ask("GET", link_of(server, bob, next_one, "c2")).body == SMALL.content
    if restarts:
        with serve(concurrency=concurrency, data=tmp_path) as server, HttpClient(server.peer()) as client:
            assert client.ask("GET", path).status == 403
