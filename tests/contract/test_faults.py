"""A fault of the server's own in serving one connection ends that connection, and touches no other."""

from __future__ import annotations

import errno
from collections.abc import Sequence

import pytest

from tests.contract.conftest import Start
from tests.contract.frames import chat
from tests.support.raw import Peer, eventually
from tests.support.serving import Serving
from twocans.hub.posting import Posting
from twocans.hub.session import Session
from twocans.protocol import plain
from twocans.protocol.messages import Message, Send
from twocans.server.connection.connection import Connection
from twocans.server.http.server import HttpServer

POISON = "poison"


def has_ended(peer: Peer) -> bool:
    peer.expect_closed()
    return True


def goes_on(server: Serving) -> None:
    """The server serves everybody else, and newcomers, and nobody is shown as online who is not."""
    with server.json("alice") as alice, server.json("bob") as bob:
        chat(alice, bob)
    with server.plain("carol") as carol:
        carol.await_users(["witness", "carol"])


def test_fault_while_a_message_is_handled_ends_its_senders_connection_alone(
    server: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = Posting.post

    def fail_at_poison(posting: Posting, session: Session, sends: Sequence[Send]) -> None:
        if any(send.text == POISON for send in sends):
            raise LookupError(POISON)
        post(posting, session, sends)

    monkeypatch.setattr(Posting, "post", fail_at_poison)
    witness, mallory = server.json("witness"), server.plain("mallory")
    mallory.say("witness", POISON)
    assert has_ended(mallory)
    witness.expect("LEFT", user="mallory")
    assert len(server.take_faults()) == 1
    goes_on(server)


def test_fault_while_a_reader_is_written_to_leaves_nobody_else_of_that_turn_deaf(
    server: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = plain.encode_messages

    def fail_at_poison(messages: Sequence[Message]) -> bytes:
        if any(message.text == POISON for message in messages):
            raise LookupError(POISON)
        return encode(messages)

    monkeypatch.setattr(plain, "encode_messages", fail_at_poison)
    witness, mallory, victim = server.json("witness"), server.json("mallory"), server.plain("victim")
    last = server.json("last")
    mallory.sendall(
        b'MSG: {"to": "victim", "text": "poison", "cid": "1"}\n'
        b'MSG: {"to": "last", "text": "hello", "cid": "2"}\n'
        b'MSG: {"to": "witness", "text": "hello", "cid": "3"}\n'
    )
    assert has_ended(victim)
    assert last.expect("MSG")["text"] == "hello"
    assert witness.expect("MSG")["text"] == "hello"
    mallory.expect("ACK", cid="3")
    last.deliver("witness", "still here")
    witness.expect("MSG", text="still here")
    if "victim" not in [frame["user"] for frame in witness.skipped if frame.verb == "LEFT"]:
        witness.expect("LEFT", user="victim")
    for peer in (mallory, last):
        peer.close()
        witness.expect("LEFT", user=peer.name)
    assert len(server.take_faults()) == 1
    goes_on(server)


def test_fault_at_the_end_of_a_connection_leaves_nobody_online_who_is_gone(
    server: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_connection: Connection, *, orderly: bool) -> None:
        raise ImportError("no more descriptors" if orderly else "")

    monkeypatch.setattr(Connection, "confirm", fail)
    witness = server.json("witness")
    for leave in (Peer.close, Peer.reset):
        mallory = server.plain("mallory")
        witness.expect("JOINED", user="mallory")
        leave(mallory)
        witness.expect("LEFT", user="mallory")
    monkeypatch.undo()
    eventually(lambda: bool(server.take_faults()))
    goes_on(server)
    server.stop()
    server.take_faults()


def test_part_that_does_not_stop_well_keeps_no_other_from_stopping(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_http: HttpServer) -> None:
        raise OSError(errno.EMFILE, "no more descriptors")

    server = start()
    alice = server.json("alice")
    monkeypatch.setattr(HttpServer, "stop", fail)
    server.stop()
    assert [frame["reason"] for frame in alice.read_frames("BYE")] == ["server_stopping"]
    assert len(server.take_faults()) == 1
    monkeypatch.undo()
    # The folder is free again: the storage was closed.
    assert start().json("bob").name == "bob"
