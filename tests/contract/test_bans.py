"""Bans reach whoever is there already, in whatever state: not registered, over HTTP, in the middle of a transfer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.contract.conftest import Setup
from tests.support.http import HttpClient
from tests.support.raw import Peer, hello
from tests.support.serving import Serving, serve
from twocans.server.config import TlsMode
from twocans.storage.identities import BanKind

BANNED = "banned from this server"


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
