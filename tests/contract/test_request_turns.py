"""Requests are parsed in slices, so that nobody who sends many small chunks holds up the chat."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.conftest import Setup, serve_as
from tests.support.http import Document, HttpClient, head, path_of, upload_ticket
from tests.support.serving import Serving
from twocans.server.http.peer import SLICE_BYTES, RequestReader

SMALLEST_CHUNK = b"1\r\nx\r\n"
LAST_CHUNK = b"0\r\n\r\n"
DOCUMENT = Document(b"x" * 1000)


@pytest.fixture
def server(setup: Setup, tmp_path: Path) -> Iterator[Serving]:
    """A server with a folder, in which alone files can be."""
    with serve_as(setup, tmp_path) as serving:
        yield serving


def test_request_of_many_small_chunks_is_parsed_in_slices(
    server: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    feed = RequestReader.data_received

    def feed_and_note(reader: RequestReader, data: bytes) -> None:
        sizes.append(len(data))
        feed(reader, data)

    monkeypatch.setattr(RequestReader, "data_received", feed_and_note)
    with HttpClient(server.peer()) as client:
        client.begin("PUT", "/files/x", Transfer_Encoding="chunked")
        client.peer.sendall(SMALLEST_CHUNK * 50_000 + LAST_CHUNK)
        assert client.answer().status == 403
        assert client.ask("GET", "/").status == 404
    assert sum(sizes) > 50_000 * len(SMALLEST_CHUNK)
    assert max(sizes) <= SLICE_BYTES


@pytest.mark.parametrize("slice_bytes", [1, 7])
def test_requests_in_many_slices_are_answered_all_the_same(
    server: Serving, monkeypatch: pytest.MonkeyPatch, slice_bytes: int
) -> None:
    monkeypatch.setattr("twocans.server.http.peer.SLICE_BYTES", slice_bytes)
    monkeypatch.setattr("twocans.server.connection.turns.TURN_S", 1e-9)
    alice = server.json("alice")
    path = path_of(upload_ticket(alice, DOCUMENT))
    upload = head("PUT", path, Transfer_Encoding="chunked") + SMALLEST_CHUNK * DOCUMENT.size + LAST_CHUNK
    with HttpClient(server.peer()) as client:
        client.peer.sendall(upload + head("GET", "/") * 50)
        client.peer.finish_sending()
        assert [client.answer().status for _ in range(51)] == [201] + [404] * 50
        assert client.expect_closed() == b""


def test_peer_that_is_gone_while_its_request_waits_to_be_parsed_holds_up_nobody(
    server: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twocans.server.http.peer.SLICE_BYTES", 1)
    monkeypatch.setattr("twocans.server.connection.turns.TURN_S", 1e-9)
    for _ in range(5):
        with HttpClient(server.peer()) as client:
            client.peer.sendall(head("GET", "/") * 50)
    with HttpClient(server.peer()) as client:
        assert client.ask("GET", "/").status == 404
