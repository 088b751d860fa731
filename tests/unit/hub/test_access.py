"""What was decided about a connection is asked again: a ban may be newer than the connection."""

from __future__ import annotations

import pytest

from tests.unit.hub.fakes import FakeSession, SlowIdentities, World
from twocans.hub.session import Reason
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.messages import Hello, SetPassword
from twocans.storage.identities import BanKind

PASSWORD = "correct horse"
HERE = "192.168.1.5/32"


def ban(world: World, kind: BanKind, value: str) -> None:
    world.hub.ban(kind, value, "", lambda _: None)


def test_connection_opened_before_the_ban_of_its_address_cannot_register() -> None:
    world = World()
    json, plain = world.session(), world.session()
    ban(world, BanKind.ADDRESS, HERE)
    with pytest.raises(ProtocolError) as of_json:
        world.hub.register_json(json, Hello(user="mallory", agent="test"))
    with pytest.raises(ProtocolError) as of_plain:
        world.hub.register_plain(plain, "mallory")
    assert (of_json.value.code, of_plain.value.code) == (Code.BANNED, Code.BANNED)


def turned_away_as_banned(session: FakeSession) -> None:
    assert session.account is None
    assert [error.code for error in session.refusals] == [Code.BANNED]


@pytest.mark.parametrize(("kind", "value"), [(BanKind.ADDRESS, HERE), (BanKind.NAME, "alice")])
def test_ban_while_a_password_is_checked_counts(kind: BanKind, value: str) -> None:
    world = World()
    owner = world.program("alice", address="10.0.0.1:1")
    world.hub.owners.set_password(owner, SetPassword(rid=1, password=PASSWORD))
    world.passwords.waits = True
    plain, program = world.netcat("alice", PASSWORD), world.program("alice", secret=PASSWORD)
    ban(world, kind, value)
    world.passwords.answer_all()
    turned_away_as_banned(plain)
    turned_away_as_banned(program)


def test_ban_while_a_new_device_is_kept_counts() -> None:
    identities = SlowIdentities()
    world = World(identities=identities)
    session = world.program("mallory")
    ban(world, BanKind.ADDRESS, HERE)
    for on_kept in identities.due:
        on_kept(True)
    turned_away_as_banned(session)


def test_ban_tells_those_who_hold_connections_after_sessions_have_ended() -> None:
    world = World()
    session = world.json("mallory")
    seen: list[list[tuple[Reason, str]]] = []
    world.hub.access.on_change(lambda: seen.append(list(session.ended)))
    ban(world, BanKind.NAME, "mallory")
    assert [reason for reason, _ in seen[0]] == [Reason.BANNED]
