"""What the operator does about names, devices and bans."""

from __future__ import annotations

import time

import pytest

from tests.unit.hub.fakes import FakeSession, World
from twocans.hub.owners import device_key
from twocans.hub.session import Reason
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.keys import server_key
from twocans.protocol.messages import CodeQuery, DeviceCode
from twocans.server.console import Console

KEY = server_key(b"the server's")


class Operated:
    """A server and its operator."""

    def __init__(self) -> None:
        self.world = World()
        self.console = Console(
            self.world.hub, started_at=time.monotonic(), quit_server=lambda: None, log=self.world.log, key=KEY
        )

    def do(self, line: str) -> str:
        """What a command answers."""
        return "\n".join(self.console.carry_out(line))

    def refusal(self, name: str, token: str | None = None, *, address: str = "10.9.9.9:1") -> ProtocolError:
        """Why somebody is not let in."""
        with pytest.raises(ProtocolError) as error:
            self.world.program(name, token, address=address)
        return error.value


@pytest.fixture
def operated() -> Operated:
    """A server with an operator."""
    return Operated()


def key_of(session: FakeSession) -> str:
    """The key of a session's device."""
    assert session.device is not None
    return device_key(session.device.token)


def test_banned_name_is_out_and_stays_out_until_it_is_unbanned(operated: Operated) -> None:
    alice = operated.world.program("Alice")
    token = alice.welcome().token
    assert "Alice is banned. One session has ended." in operated.do("ban ALICE shouting")
    assert alice.ended == [(Reason.BANNED, "This name is banned from this server: shouting")]
    error = operated.refusal("alice", token)
    assert (error.code, error.text) == (Code.BANNED, "This name is banned from this server: shouting")
    assert "alice may come in again" in operated.do("unban Alice")
    assert operated.world.program("alice", token).account is not None


def test_name_that_nobody_has_can_be_banned(operated: Operated) -> None:
    assert "admin is banned." in operated.do("ban admin")
    assert operated.refusal("Admin").code is Code.BANNED


def test_banned_device_is_out_under_every_name_and_the_owners_other_one_is_not(operated: Operated) -> None:
    world = operated.world
    laptop = world.program("alice")
    world.hub.owners.give_code(laptop, CodeQuery(rid=1))
    phone = world.program("alice", secret=laptop.of(DeviceCode)[0].code, device="phone")
    token = phone.welcome().token
    key = key_of(phone)
    assert key in operated.do("devices alice")
    assert f"{key} is banned. One session has ended." in operated.do(f"ban {key.lower()} lost")
    assert [reason for reason, _ in phone.ended] == [Reason.BANNED]
    assert not laptop.ended
    assert operated.refusal("alice", token).code is Code.BANNED
    assert operated.refusal("somebody", token).code is Code.BANNED
    assert key in operated.do("bans")
    assert f"{key} may come in again" in operated.do(f"unban {key}")
    assert world.program("alice", token).account is not None


@pytest.mark.parametrize(
    ("typed", "shown"), [("192.168.1.5", "192.168.1.5"), ("192.168.1.77/24", "192.168.1.0/24")]
)
def test_banned_address_loses_its_sessions(operated: Operated, typed: str, shown: str) -> None:
    near, far = operated.world.plain("near"), operated.world.program("far", address="10.0.0.1:1")
    assert f"{shown} is banned. One session has ended." in operated.do(f"ban {typed} noise")
    assert [reason for reason, _ in near.ended] == [Reason.BANNED]
    assert not far.ended
    assert shown in operated.do("bans")
    assert f"{shown} may come in again" in operated.do(f"unban {typed}")
    assert operated.do("bans") == "Nobody is banned."


def test_name_that_looks_like_a_key_is_a_name_if_somebody_has_it(operated: Operated) -> None:
    alice = operated.world.program("alice")
    other = operated.world.program(key_of(alice).lower())
    operated.do(f"ban {key_of(alice)}")
    assert not alice.ended
    assert other.ended


@pytest.mark.parametrize("command", ["ban", "unban", "devices", "free", "code"])
def test_command_without_its_object_says_how_it_is_used(operated: Operated, command: str) -> None:
    assert f"{command} NAME" in operated.do(command)


@pytest.mark.parametrize("what", ["!", "a b c", "999.1.1.1/4", "alice"])
def test_what_is_not_banned_cannot_be_unbanned(operated: Operated, what: str) -> None:
    assert "is not banned" in operated.do(f"unban {what}")


def test_what_is_no_name_address_or_key_cannot_be_banned(operated: Operated) -> None:
    assert operated.do("ban !!!") == "!!! is no name, address or key."


def test_devices_tells_of_names_that_have_none(operated: Operated) -> None:
    operated.world.plain("bob")
    assert "bob is not bound to any device" in operated.do("devices bob")
    assert "There is nobody called carol here." in operated.do("devices carol")


def test_freed_name_is_anybodys(operated: Operated) -> None:
    alice = operated.world.program("alice")
    assert "alice is free." in operated.do("free Alice")
    assert [reason for reason, _ in alice.ended] == [Reason.REVOKED]
    assert operated.world.program("alice").account is not None


def test_code_of_the_operator_lets_the_owner_back_in(operated: Operated) -> None:
    operated.world.program("alice")
    code = operated.do("code alice").split()[0]
    assert operated.world.program("alice", secret=code).account is not None


@pytest.mark.parametrize("command", ["free", "code"])
def test_name_that_nobody_has_bound_needs_no_freeing(operated: Operated, command: str) -> None:
    operated.world.plain("bob")
    assert "bob is free already" in operated.do(f"{command} bob")
    assert "There is nobody called carol here." in operated.do(f"{command} carol")


def test_log_tells_what_the_operator_has_done_and_no_code(operated: Operated) -> None:
    operated.world.program("alice")
    code = operated.do("code alice").split()[0]
    for line in ("ban bob why", "unban bob", "free alice"):
        operated.do(line)
    events = operated.world.log.events
    assert {"code_given", "banned", "unbanned", "name_freed"} <= {event for event, _ in events}
    assert code not in str(events)
