"""Secrets that somebody puts in the wrong place before they are registered are in no event of the log."""

from __future__ import annotations

from typing import Final

import pytest

from tests.support.raw import Value, encode, hello
from tests.unit.hub.fakes import World
from tests.unit.server.fakes import Wire
from twocans.protocol.typed import TypedKind
from twocans.server.operator.log import sentence

INVITE: Final = "marked-invite"
WRONG: Final = "marked-guess"
KINDS: Final = {kind.value for kind in TypedKind}


def misplaced(secret: str) -> list[bytes]:
    """First lines, of people and of programs, with a secret in the wrong place."""
    apart = [" ", "\t", ",", ":", ";", "|", "/", "=", "\r", "\v", "\xa0", "\u2003", "\u2028", "\x85", "\x00"]
    typed = [f"{name}{sign}{secret}" for name in ("alice", "newcomer") for sign in apart]
    typed += [secret, f"{secret} alice", f"MSG: alice: {secret}", f"MSG:alice:{secret}", f"PASS {secret}"]
    sent = [f"HELLO: {{'user': '{secret}'}}", f'HELLO: {{"user": "{secret}"', f"HELLO: {secret}"]
    lines = [f"{line}\n".encode() for line in (*typed, *sent)]
    lines += [hello(one) for one in typed]
    wrong: list[Value] = [secret, [secret], {secret: secret}]
    fields = ("status", "after", "log", "token", "device", "invite")
    lines += [hello("alice", **{field: value}) for field in fields for value in wrong]
    lines += [
        encode("HELLO", user=[secret]).encode() + b"\n",
        encode("HELLO", **{secret: "alice"}).encode() + b"\n",
    ]
    # The dialect is found, so what follows is a frame, too.
    lines += [
        hello("") + f"{line}\n".encode() for line in (secret, f"{secret.upper()}: {{}}", f"MSG: {secret}")
    ]
    return lines


def guarded(*, encrypted: bool) -> tuple[World, Wire]:
    """A server that asks for an invite and knows alice, and a connection to it."""
    world = World(invite=INVITE)
    alice = Wire(world)
    alice.connection.encrypted = True
    alice.send(hello("alice", invite=INVITE))
    wire = Wire(world)
    wire.connection.encrypted = encrypted
    return world, wire


@pytest.mark.parametrize("encrypted", [True, False])
@pytest.mark.parametrize("secret", [INVITE, WRONG])
def test_misplaced_secret_is_in_no_event_and_no_sentence(secret: str, encrypted: bool) -> None:
    for line in misplaced(secret):
        world, wire = guarded(encrypted=encrypted)
        wire.send(line)
        heard = [
            *map(str, world.log.events),
            *(sentence(name, fields)[0] for name, fields in world.log.events),
        ]
        assert secret not in "\n".join(heard).casefold(), line
        refused = world.log.named("name_refused")
        assert refused or wire.connection.account is not None, line
        assert {fields["kind"] for fields in refused} <= KINDS


@pytest.mark.parametrize(
    ("line", "kind", "length"),
    [
        (b"alice\tsecret\n", "spaces", 12),
        ("alice\xa0secret\n".encode(), "spaces", 12),
        (b"bob secret\n", "spaces", 10),
        (b"alice,secret\n", "other", 12),
        (b"bob\n", "name", 3),
        (b"\xff\xfe\n", "bytes", 2),
        (b"a\x00b\n", "bytes", 3),
        (hello("alice:secret"), "other", 12),
        (hello("a\x00b"), "control", 3),
        (b'HELLO: {"user": 7}\n', "frame", 18),
    ],
)
def test_refused_login_is_told_by_its_kind_and_length(line: bytes, kind: str, length: int) -> None:
    world, wire = guarded(encrypted=True)
    wire.send(line)
    (fields,) = world.log.named("name_refused")
    assert (fields["name"], fields["kind"], fields["length"]) == ("", kind, length)


@pytest.mark.parametrize(("typed", "told"), [("ALICE", "alice"), ("Server", "Server"), ("server", "Server")])
def test_refused_name_that_everybody_knows_is_told(typed: str, told: str) -> None:
    world, wire = guarded(encrypted=True)
    wire.send(f"{typed}\n".encode())
    (fields,) = world.log.named("name_refused")
    assert fields["name"] == told
    assert fields["text"]


def test_name_of_an_earlier_try_is_not_told_for_a_line_that_is_no_frame() -> None:
    world, wire = guarded(encrypted=True)
    wire.send(hello("alice"), b"secret\n")
    assert [fields["name"] for fields in world.log.named("name_refused")] == ["alice", ""]
