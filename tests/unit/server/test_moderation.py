"""What the operator does about names, devices and bans."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable

import pytest

from tests.unit.hub.fakes import FakeSession, World
from twocans.hub.owners import device_key, token_digest
from twocans.hub.session import Reason
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.keys import server_key
from twocans.protocol.messages import CodeQuery, DeviceCode, SetPassword
from twocans.protocol.names import user_key
from twocans.server.operator import moderation
from twocans.server.operator.console import Console

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


def test_log_hears_who_was_kicked_and_why(operated: Operated) -> None:
    operated.world.program("alice")
    operated.do("kick alice too loud")
    operated.do("kick nobody too loud")
    assert operated.world.log.named("kicked") == [{"user": "alice", "why": "too loud"}]


def test_banned_name_is_out_and_stays_out_until_it_is_unbanned(operated: Operated) -> None:
    alice = operated.world.program("Alice")
    token = alice.welcome().token
    assert "Alice is banned. One session has ended." in operated.do("ban ALICE shouting")
    assert alice.ended == [(Reason.BANNED, "This name is banned from this server: shouting")]
    error = operated.refusal("alice", token)
    assert (error.code, error.text) == (Code.BANNED, "This name is banned from this server: shouting")
    assert "alice is no longer banned" in operated.do("unban Alice")
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
    assert f"{key} is no longer banned" in operated.do(f"unban {key}")
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
    assert f"{shown} is no longer banned" in operated.do(f"unban {typed}")
    assert operated.do("bans") == "Nobody is banned."


def token_with_key(fits: Callable[[str], bool]) -> str:
    """A token whose device gets a key that the test wants, as anybody can find one."""
    tokens = (f"{number:064x}" for number in itertools.count())
    return next(token for token in tokens if fits(device_key(token_digest(token))))


def known(operated: Operated, name: str) -> FakeSession:
    """Somebody who has had a name since before it was refused."""
    operated.world.hub.roster.create(user_key(name), name)
    return operated.world.program(name, address="10.6.6.6:1")


@pytest.mark.parametrize("name", ["127.0.0.20", "999.1.1.1", "１２７.0.0.20", "4KQF-2M4T", "oili-7abc"])
def test_newcomer_gets_no_name_that_looks_like_an_address_or_a_key(operated: Operated, name: str) -> None:
    error = operated.refusal(name)
    assert error.code is Code.NAME_INVALID
    assert error.text.startswith("That name looks like a network address or the key of a device.")


@pytest.mark.parametrize("name", ["mary-jane", "1.2.3", "robert01", "jean-luc2", "anna-2u24"])
def test_other_names_with_hyphens_dots_and_digits_are_free(operated: Operated, name: str) -> None:
    assert operated.world.program(name).account is not None


def test_name_like_an_address_from_before_keeps_working(operated: Operated) -> None:
    assert known(operated, "127.0.0.20").account is not None


def test_ban_of_an_address_that_is_a_name_too_asks_which_and_does_what_is_said(operated: Operated) -> None:
    shadow = known(operated, "192.168.1.5")
    victim = operated.world.program("victim", address="192.168.1.5:1")
    assert operated.do("ban 192.168.1.5 spam") == (
        "192.168.1.5 is a name and an address. "
        "Say which you mean: ban name 192.168.1.5 or ban address 192.168.1.5."
    )
    assert not shadow.ended
    assert not victim.ended
    assert "192.168.1.5 is banned. One session has ended." in operated.do("ban name 192.168.1.5 spam")
    assert shadow.ended
    assert not victim.ended
    assert "192.168.1.5 is banned. One session has ended." in operated.do("ban ADDRESS 192.168.1.5")
    assert victim.ended
    assert "unban name 192.168.1.5 or unban address 192.168.1.5" in operated.do("unban 192.168.1.5")
    assert "is no longer banned" in operated.do("unban name 192.168.1.5")
    assert operated.do("bans").startswith("address  192.168.1.5")


@pytest.mark.parametrize("with_digits", [True, False])
def test_ban_of_a_device_whose_key_is_a_name_too_asks_which(operated: Operated, with_digits: bool) -> None:
    token = token_with_key(lambda key: any(char.isdigit() for char in key) is with_digits)
    mallory = operated.world.program("mallory", token)
    key = key_of(mallory)
    shadow = known(operated, key.lower())
    assert f"ban name {key} or ban device {key}" in operated.do(f"ban {key} spam")
    assert not mallory.ended
    assert not shadow.ended
    assert f"{key} is banned. One session has ended." in operated.do(f"ban device {key} spam")
    assert mallory.ended
    assert not shadow.ended
    assert operated.refusal("mallory", token).code is Code.BANNED


def test_ban_of_a_key_reaches_all_devices_whose_keys_look_the_same(
    operated: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Anybody finds two such tokens among a million; the test need not.
    monkeypatch.setattr(moderation, "device_key", lambda _: "AAAA-1111")
    first, second = operated.world.program("mallory"), operated.world.program("malvin")
    assert "AAAA-1111 is banned. 2 sessions have ended." in operated.do("ban AAAA-1111")
    assert first.ended
    assert second.ended
    assert "is no longer banned" in operated.do("unban AAAA-1111")
    assert operated.do("bans") == "Nobody is banned."


def test_key_that_no_device_has_is_not_taken_for_a_name(operated: Operated) -> None:
    assert "there is none like it" in operated.do("ban 4KQF-2M4T")
    assert "No device here has the key 4KQF-2M4T." in operated.do("ban device 4KQF-2M4T")
    assert operated.do("bans") == "Nobody is banned."
    assert "4KQF-2M4T is banned." in operated.do("ban name 4KQF-2M4T")


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("ban address bob", "bob is not an IPv4 address"),
        ("ban name !!!", "!!! is not a name."),
        ("ban device bob", "No device here has the key bob."),
        ("unban device bob", "bob is not banned."),
    ],
)
def test_what_is_not_of_the_kind_that_was_said_is_not_banned(
    operated: Operated, line: str, part: str
) -> None:
    bob = operated.world.program("bob")
    assert part in operated.do(line)
    assert not bob.ended


@pytest.mark.parametrize("line", ["ban", "unban", "ban name", "unban device", "devices", "free", "code"])
def test_command_without_its_object_says_how_it_is_used(operated: Operated, line: str) -> None:
    operated.world.program("name")
    assert f"Usage: {line.split()[0]} " in operated.do(line)
    assert operated.do("bans") == "Nobody is banned."


@pytest.mark.parametrize("what", ["!", "999.1.1.1/4", "alice"])
def test_what_is_not_banned_cannot_be_unbanned(operated: Operated, what: str) -> None:
    assert "is not banned" in operated.do(f"unban {what}")


def test_what_is_no_name_address_or_key_cannot_be_banned(operated: Operated) -> None:
    assert operated.do("ban !!!") == "!!! is not a name, an address or the key of a device."


@pytest.mark.parametrize("text", ["300.1.1.1", "192.168.1", "192.168.1.", "1.2.3.4.5", "10.0.0.1-10.0.0.9"])
def test_what_was_meant_as_an_address_and_is_none_is_not_banned_as_a_name(
    operated: Operated, text: str
) -> None:
    told = operated.do(f"ban {text} spam")
    assert told.startswith(f"{text} is not an IPv4 address, or a network ")
    assert told.endswith(f"To ban it as a name, write ban name {text}.")
    assert operated.do("bans") == "Nobody is banned."
    assert f"{text} is banned." in operated.do(f"ban name {text} spam")


@pytest.mark.parametrize("text", ["10.0.0.0/33", "192.168.1.*", "300.1.1.1/24", "10.0.0.1:5050"])
def test_what_is_neither_an_address_nor_a_name_says_what_a_network_looks_like(
    operated: Operated, text: str
) -> None:
    assert operated.do(f"ban {text}") == (
        f"{text} is not an IPv4 address, or a network such as 192.168.7.0/24."
    )


def test_somebody_who_is_called_like_part_of_an_address_can_be_banned(operated: Operated) -> None:
    person = operated.world.program("1.2.3")
    assert "1.2.3 is banned. One session has ended." in operated.do("ban 1.2.3")
    assert person.ended


def test_devices_tells_of_names_that_have_none(operated: Operated) -> None:
    operated.world.plain("bob")
    assert "bob belongs to no device" in operated.do("devices bob")
    assert "There is nobody called carol here." in operated.do("devices carol")


def test_devices_shows_every_session_and_what_it_came_in_by(operated: Operated) -> None:
    world = operated.world
    owner = world.program("alice")
    world.hub.owners.set_password(owner, SetPassword(rid=1, password="correct horse"))
    world.netcat("alice", "correct horse")
    world.hub.owners.give_code(owner, CodeQuery(rid=1))
    world.program("alice", secret=owner.of(DeviceCode)[-1].code, device="phone")
    told = re.sub(r"since [-:\d ]+ from \S+", "since … from …", operated.do("devices alice")).splitlines()
    assert told[-3:] == [
        "connected by its device laptop since … from …",
        "connected with the password since … from … (plain text)",
        "connected with a code phone since … from …",
    ]
    operated.world.json("bob")
    assert re.search(r"by the name alone since .* \(not encrypted\)", operated.do("devices bob"))


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
