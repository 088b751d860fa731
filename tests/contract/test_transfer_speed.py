"""The least speed of transfers, and their shares for each address; the time is the test's."""

from __future__ import annotations

import asyncio
import hashlib
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from aiohttp import web

from tests.contract.conftest import Setup, serve_as
from tests.support.deadline import DEADLINE_S
from tests.support.http import Document, HttpClient, bring, path_of, send_file, upload_ticket
from tests.support.raw import Closed, JsonPeer, Peer, eventually
from tests.support.serving import Serving
from tests.unit.hub.fakes import ManualClock
from twocans.server.http.files import FileService
from twocans.server.http.least_speed import MIN_BYTES
from twocans.server.http.peer import HttpPeer
from twocans.server.http.server import HttpServer

SMALL = Document(b"s" * 10_000)
LARGE = Document(hashlib.sha256(b"x").digest() * 500_000)
"""Larger than what the systems of both sides keep for a connection."""


class Timed(NamedTuple):
    """A server and the clock of its transfers."""

    server: Serving
    clock: ManualClock

    def pass_time(self, seconds: float) -> None:
        """Let time pass for the one transfer, which is waiting for its peer."""
        eventually(lambda: self.server.operate(lambda _: len(self.clock.waiting())) == 1)
        self.server.operate(lambda _: self.clock.advance(seconds))

    def http(self) -> HttpClient:
        """A connection for requests."""
        return HttpClient(self.server.peer())

    def come(self, uploader: JsonPeer, document: Document) -> int:
        """Return the number of bytes of a file that have come."""
        return upload_ticket(uploader, document).number("offset")


@pytest.fixture
def timed(setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Timed]:
    """A server with a folder, in which alone files can be."""
    clock = ManualClock()
    monkeypatch.setattr("twocans.server.runtime.HttpServer", partial(HttpServer, speed_timers=clock))
    with serve_as(setup, tmp_path) as server:
        yield Timed(server, clock)


def test_upload_of_a_byte_a_minute_ends_with_a_sentence_and_goes_on_where_it_was(timed: Timed) -> None:
    alice = timed.server.json("alice")
    with timed.http() as client:
        client.begin("PUT", path_of(upload_ticket(alice, SMALL)), length=SMALL.size)
        client.peer.sendall(SMALL.content[:1])
        eventually(lambda: timed.come(alice, SMALL) == 1)
        timed.pass_time(50)
        client.peer.sendall(SMALL.content[1:2])
        eventually(lambda: timed.come(alice, SMALL) == 2)
        timed.pass_time(11)
        answer = client.answer()
    assert (answer.status, answer.offset) == (408, 2)
    assert (
        answer.text
        == "This upload was too slow, so it was ended. 2 bytes of the file arrived; resume there.\n"
    )
    ticket = upload_ticket(alice, SMALL)
    assert ticket["offset"] == 2
    with timed.http() as client:
        again = client.ask("PUT", path_of(ticket), SMALL.content[2:], Content_Range=SMALL.range(2))
    assert again.status == 201


def test_upload_over_a_slow_network_is_waited_for(timed: Timed) -> None:
    document = Document(b"d" * (3 * MIN_BYTES + 1))
    alice = timed.server.json("alice")
    with timed.http() as client:
        client.begin("PUT", path_of(upload_ticket(alice, document)), length=document.size)
        for number in range(3):
            client.peer.sendall(document.content[number * MIN_BYTES : (number + 1) * MIN_BYTES])
            eventually(lambda: timed.come(alice, document) == (number + 1) * MIN_BYTES)  # noqa: B023 - called at once
            timed.pass_time(60)
        client.peer.sendall(document.content[-1:])
        assert client.answer().status == 201


def test_download_of_a_byte_a_minute_ends_and_goes_on_where_it_was(timed: Timed) -> None:
    path = download_path(timed.server)
    with HttpClient(timed.server.peer(receive_buffer=4096)) as client:
        client.begin("GET", path)
        # How much the systems take before they take no more is theirs to say.
        eventually(lambda: has_ended_after_a_minute_more(timed, client))
    with timed.http() as client:
        answer = client.ask("GET", path, Range=f"bytes={LARGE.size - 10}-")
    assert (answer.status, answer.body) == (206, LARGE.content[-10:])


def has_ended_after_a_minute_more(timed: Timed, client: HttpClient) -> bool:
    """Fetch a byte and let a minute pass; True if that has ended the connection."""
    try:
        client.peer.socket.recv(1)
        timed.server.operate(lambda _: timed.clock.advance(60))
        client.peer.sendall(b"x")
    except (OSError, Closed):
        return True
    return False


def download_path(server: Serving) -> str:
    """Return where a large file can be fetched."""
    alice = server.json("alice")
    bring(alice, server.peer, LARGE)
    ack = send_file(alice, "alice", LARGE, "c1")
    return path_of(alice.ask("DOWNLOAD", id=ack["id"]))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs several addresses of this computer")
def test_one_address_leaves_transfers_to_others(timed: Timed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twocans.server.http.files.MAX_TRANSFERS", 5)
    monkeypatch.setattr("twocans.server.http.files.MAX_TRANSFERS_PER_ADDRESS", 3)
    server = timed.server
    held: list[HttpClient] = []
    for number in range(4):
        document = Document(bytes([number]) * 1000)
        path = path_of(upload_ticket(server.json(f"e{number}"), document))
        client = HttpClient(Peer(server.port, source="127.0.0.66", tls=server.tls))
        held.append(client)
        client.begin("PUT", path, length=document.size)
        client.peer.sendall(document.content[:1])
        if number < 3:
            eventually(lambda: server.operate(lambda _: len(timed.clock.waiting())) == number + 1)  # noqa: B023
    refused = held[-1].answer()
    assert (refused.status, refused.headers["retry-after"]) == (503, "5")
    assert refused.text == "Too many files are under way from your address. Please try again in a moment.\n"
    bring(server.json("alice"), server.peer, SMALL)
    for client in held:
        client.close()


def test_upload_whose_peer_has_said_no_more_before_it_began_is_not_waited_for(
    timed: Timed, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    eof, answer = HttpPeer.eof, FileService._answer

    def eof_and_tell(peer: HttpPeer) -> None:
        eof(peer)
        ended.set()

    async def answer_after_the_end(
        service: FileService, request: web.BaseRequest, peer: HttpPeer
    ) -> web.StreamResponse:
        await asyncio.to_thread(ended.wait, DEADLINE_S)
        return await answer(service, request, peer)

    monkeypatch.setattr(HttpPeer, "eof", eof_and_tell)
    monkeypatch.setattr(FileService, "_answer", answer_after_the_end)
    with timed.http() as client:
        client.begin("PUT", path_of(upload_ticket(timed.server.json("alice"), SMALL)), length=SMALL.size)
        client.peer.sendall(SMALL.content[:1])
        client.peer.finish_sending()
        client.expect_closed()
