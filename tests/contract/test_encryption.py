"""Both dialects encrypted and in the clear on one port, and servers that take only the one."""

from __future__ import annotations

import hashlib
import ipaddress
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.deadline import DEADLINE_S
from tests.support.raw import Closed, JsonPeer, Peer, PlainPeer, decode, eventually, hello
from tests.support.serving import Serving, serve
from tests.support.tls import TlsSocket, client_context
from twocans.hub.limits import Limits
from twocans.server.settings.config import Concurrency, TlsMode


@pytest.fixture
def offering(concurrency: Concurrency) -> Iterator[Serving]:
    """A server as it is out of the box."""
    with serve(concurrency=concurrency) as server:
        yield server


@pytest.fixture
def requiring(concurrency: Concurrency) -> Iterator[Serving]:
    """A server that takes encrypted connections only."""
    with serve(concurrency=concurrency, mode=TlsMode.REQUIRED) as server:
        yield server


def test_encrypted_and_clear_clients_talk_to_each_other(offering: Serving) -> None:
    tls = client_context()
    with (
        PlainPeer(offering.port, "alice", tls=tls) as alice,
        PlainPeer(offering.port, "bob") as bob,
        JsonPeer(offering.port, "carol", tls=tls) as carol,
        JsonPeer(offering.port, "dave") as dave,
    ):
        alice.say("bob", "hello")
        assert bob.read_message() == ("alice", "hello")
        bob.say("carol", "hello")
        assert carol.expect("MSG")["from"] == "bob"
        carol.deliver("dave", "hello")
        assert dave.expect("MSG")["from"] == "carol"


@pytest.mark.parametrize("slice_records", [1, 3])
def test_records_in_many_slices_are_heard_all_the_same(
    offering: Serving, monkeypatch: pytest.MonkeyPatch, slice_records: int
) -> None:
    monkeypatch.setattr("twocans.server.transports.tls.SLICE_RECORDS", slice_records)
    monkeypatch.setattr("twocans.server.connection.turns.TURN_S", 1e-9)
    texts = [str(number) for number in range(200)]
    with PlainPeer(offering.port, "bob", tls=client_context()) as bob:
        with PlainPeer(offering.port, "alice", tls=client_context()) as alice:
            for text in texts:
                alice.say("bob", text)
            alice.finish_sending()
            assert [bob.read_message()[1] for _ in texts] == texts
            alice.expect_closed()
        assert bob.read_until(lambda line: line == "LIST: bob")


def test_server_shows_the_key_that_it_says_it_has(offering: Serving) -> None:
    with Peer(offering.port, tls=client_context()) as peer:
        assert isinstance(peer.socket, TlsSocket)
        shown = peer.socket.tls.getpeercert(binary_form=True)
    assert shown is not None
    public = x509.load_der_x509_certificate(shown).public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert hashlib.sha256(der).hexdigest() == offering.key


def test_required_encryption_refuses_netcat_with_a_sentence(requiring: Serving) -> None:
    peer = requiring.peer()
    peer.send_line("alice")
    told = peer.expect_closed()
    assert told[0].startswith("MSG: Server: This server accepts encrypted connections only.")
    with PlainPeer(requiring.port, "alice", tls=client_context()) as alice:
        assert alice.users == ["alice"]


def test_required_encryption_refuses_a_program_with_a_code(requiring: Serving) -> None:
    peer = requiring.peer()
    peer.sendall(hello("alice"))
    error, bye = (decode(line) for line in peer.expect_closed())
    assert (error.verb, error["code"], error["needs"]) == ("ERROR", "auth_required", "tls")
    assert (bye.verb, bye["reason"]) == ("BYE", "refused")
    with JsonPeer(requiring.port, "alice", tls=client_context()) as alice:
        assert alice.name == "alice"


def test_required_encryption_hears_nothing_that_follows_in_the_clear(requiring: Serving) -> None:
    peer = requiring.peer()
    with PlainPeer(requiring.port, "bob", tls=client_context()) as bob:
        peer.sendall(b"alice\nMSG: bob: in the clear\n" * 100)
        peer.expect_closed()
        bob.say("bob", "mine")
        assert bob.read_message() == ("bob", "mine")
        assert bob.users == ["bob"]


def test_stranger_that_never_finishes_its_hello_is_closed_in_time(concurrency: Concurrency) -> None:
    with serve(concurrency=concurrency, limits=Limits(registration_s=0.3)) as server:
        peer = server.peer()
        peer.sendall(b"\x16\x03\x01\x02\x00")
        assert peer.expect_closed() == []


@pytest.mark.parametrize("end", [Peer.finish_sending, Peer.close, Peer.reset], ids=["fin", "close", "rst"])
def test_handshake_that_breaks_off_harms_nobody(offering: Serving, end: object) -> None:
    assert callable(end)
    for number in range(20):
        peer = offering.peer()
        peer.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[: number % 11 + 1])
        end(peer)
    assert offering.plain("alice").users == ["alice"]


def test_cut_connection_does_not_lose_what_was_said_before(offering: Serving) -> None:
    bob = offering.json("bob")
    alice = PlainPeer(offering.port, "alice", tls=client_context())
    alice.say("bob", "last words")
    alice.socket.close()
    assert bob.expect("MSG")["text"] == "last words"
    bob.expect("LEFT", user="alice")


def test_denied_network_is_told_so(concurrency: Concurrency) -> None:
    with serve(concurrency=concurrency, deny=(ipaddress.IPv4Network("127.0.0.0/8"),)) as server:
        assert server.peer().expect_closed() == [
            "MSG: Server: This server doesn't accept connections from your network. Ask the person who runs it."
        ]


def test_address_with_too_many_connections_is_told_so_until_one_ends(concurrency: Concurrency) -> None:
    with serve(concurrency=concurrency, limits=Limits(max_connections_per_address=2)) as server:
        alice, bob = server.plain("alice"), server.plain("bob")
        assert "too many connections" in server.peer().expect_closed()[0]
        bob.close()
        alice.await_users(["alice"])
        eventually(lambda: is_let_in(server))


def is_let_in(server: Serving) -> bool:
    with Peer(server.port) as peer:
        try:
            peer.send_line("carol")
            return peer.read_line().startswith("LIST")
        except Closed:
            return False


# --- OpenSSL's own client --------------------------------------------------------------------------------


@contextmanager
def s_client(server: Serving, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """`openssl s_client`, connected."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", *options]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def until(process: subprocess.Popen[bytes], wanted: bytes) -> list[bytes]:
    """The lines up to one that has these bytes in it."""
    assert process.stdout is not None
    read: list[bytes] = []
    for line in process.stdout:
        read.append(line)
        if wanted in line:
            return read
    raise AssertionError(f"it did not come: {read}")


def say(process: subprocess.Popen[bytes], line: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(line)
    process.stdin.flush()


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_chats_and_leaves_in_order(requiring: Serving, version: str) -> None:
    with s_client(requiring, version, "-quiet", "-no_ign_eof") as client:
        say(client, b"alice\nMSG: alice: hello\n")
        until(client, b"LIST: alice")
        until(client, b"MSG: alice: hello")
        assert client.stdin is not None
        client.stdin.close()
        assert client.wait(DEADLINE_S) == 0


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_openssl_is_refused_below_1_2(requiring: Serving, version: str) -> None:
    with s_client(requiring, version, "-cipher", "ALL:@SECLEVEL=0") as client:
        until(client, b"alert protocol version")
        assert client.wait(DEADLINE_S) != 0


def test_openssl_cannot_renegotiate(offering: Serving) -> None:
    with s_client(offering, "-tls1_2") as client:
        say(client, b"alice\n")
        until(client, b"LIST: alice")
        say(client, b"R\n")
        until(client, b"no renegotiation")
    assert "bob" in offering.plain("bob").users


def test_old_ciphers_are_refused(offering: Serving) -> None:
    context = client_context(ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("AES128-SHA:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, Closed, ConnectionError)):
        Peer(offering.port, tls=context)
