"""The operator's commands on the control socket, carried out against a real hub."""

from __future__ import annotations

import pytest

from tests.unit.hub.fakes import World
from twocans.hub.owners import device_key
from twocans.hub.session import Reason
from twocans.protocol.local_control import decode_answer, encode
from twocans.protocol.messages import Message, SetStatus, Status
from twocans.protocol.operator import (
    MAX_ENTRIES,
    MAX_SESSIONS,
    AddBan,
    BanList,
    BanTarget,
    CodeGiven,
    Command,
    Connected,
    DeviceList,
    Done,
    FreeName,
    GiveCode,
    Kick,
    LiftBan,
    ListBans,
    ListDevices,
    ListPeople,
    People,
    Refused,
    Say,
)
from twocans.server.operator.moderation import Moderation
from twocans.server.operator.operator import Operator


class Operated:
    """A server, operated from elsewhere."""

    def __init__(self) -> None:
        self.world = World()
        self.operator = Operator(Moderation(self.world.hub, self.world.log))

    def does(self, command: Command) -> str:
        """The sentence about a command that was carried out."""
        answer = self.operator.answer(command)
        assert isinstance(answer, Done), answer
        return answer.text

    def refuses(self, command: Command) -> str:
        """Why a command was not carried out."""
        answer = self.operator.answer(command)
        assert isinstance(answer, Refused), answer
        return answer.text

    def people(self, find: str = "") -> People:
        answer = self.operator.answer(ListPeople(find=find))
        assert isinstance(answer, People)
        return answer

    def bans(self, find: str = "") -> BanList:
        answer = self.operator.answer(ListBans(find=find))
        assert isinstance(answer, BanList)
        return answer


@pytest.fixture
def operated() -> Operated:
    """A server with an operator."""
    return Operated()


def test_people_are_listed_with_what_the_operator_needs_to_know(operated: Operated) -> None:
    world = operated.world
    alice = world.program("Alice", device="laptop", address="192.168.1.7:4000")
    world.hub.set_status(alice, SetStatus(status=Status.AWAY))
    world.plain("bob")
    people = operated.people()
    assert (people.total, [one.name for one in people.people]) == (2, ["Alice", "bob"])
    assert alice.device is not None
    first, second = people.people
    since = world.hub.roster.online()[0].sessions[0].since_ms
    assert (first.status, first.owned, first.session_count) == (Status.AWAY, True, 1)
    assert first.sessions == (
        Connected(
            address="192.168.1.7",
            since=since,
            encrypted=True,
            device="laptop",
            key=device_key(alice.device.token),
            by="device",
        ),
    )
    assert (second.status, second.owned) == (Status.HERE, False)
    assert (second.sessions[0].plain, second.sessions[0].encrypted, second.sessions[0].device) == (
        True,
        False,
        "",
    )


def test_every_session_is_listed_and_beyond_a_limit_counted(operated: Operated) -> None:
    world = operated.world
    token = world.json("alice").welcome().token
    for _ in range(MAX_SESSIONS + 1):
        world.json("alice", token=token)
    (alice,) = operated.people().people
    assert (len(alice.sessions), alice.session_count) == (MAX_SESSIONS, MAX_SESSIONS + 2)


def test_of_many_people_those_are_listed_whose_names_are_looked_for(operated: Operated) -> None:
    for number in range(MAX_ENTRIES + 5):
        operated.world.json(f"person{number}")
    people = operated.people()
    assert (len(people.people), people.total) == (MAX_ENTRIES, MAX_ENTRIES + 5)
    assert [one.name for one in operated.people(" SON104").people] == ["person104"]
    assert decode_answer(encode(people)) == people


def test_kick_ends_sessions_with_the_reason(operated: Operated) -> None:
    bob = operated.world.json("bob")
    assert operated.does(Kick(name="BOB", reason=" shouting ")) == "BOB was kicked."
    assert bob.ended == [(Reason.KICKED, "The operator has ended your session: shouting")]
    assert operated.refuses(Kick(name="bob")) == "bob is not online."


@pytest.mark.parametrize("target", list(BanTarget))
def test_ban_is_listed_with_its_reason_and_lifted(operated: Operated, target: BanTarget) -> None:
    bob = operated.world.program("bob")
    assert bob.device is not None
    value = {
        BanTarget.NAME: "bob",
        BanTarget.ADDRESS: "192.168.1.5",
        BanTarget.DEVICE: device_key(bob.device.token),
    }[target]
    said = operated.does(AddBan(target=target, value=value, reason="spam"))
    assert said == f"{value} is banned. One session has ended."
    assert [reason for reason, _ in bob.ended] == [Reason.BANNED]
    (ban,) = operated.bans().bans
    assert (ban.target, ban.value, ban.reason) == (target, value, "spam")
    assert operated.does(LiftBan(target=target, value=value)) == f"{value} is no longer banned."
    assert operated.bans().bans == ()
    assert operated.refuses(LiftBan(target=target, value=value)) == f"{value} is not banned."


def test_of_many_bans_the_newest_are_listed_and_others_are_found(operated: Operated) -> None:
    for number in range(MAX_ENTRIES + 5):
        operated.does(AddBan(target=BanTarget.NAME, value=f"name{number}", reason="x" * 200))
    bans = operated.bans()
    assert (bans.bans[0].value, len(bans.bans), bans.total) == (
        f"name{MAX_ENTRIES + 4}",
        MAX_ENTRIES,
        MAX_ENTRIES + 5,
    )
    assert [ban.value for ban in operated.bans("NAME3 ").bans[-2:]] == ["name30", "name3"]


def test_announcement_reaches_everybody(operated: Operated) -> None:
    assert operated.does(Say(text="Tea")) == "Nobody is online."
    bob = operated.world.json("bob")
    assert operated.does(Say(text=" Tea\nis ready ")) == "Sent to 1 person."
    assert [(one.sender, one.text) for one in bob.of(Message)] == [("Server", "Tea\nis ready")]
    assert operated.refuses(Say(text=" \n ")) == "There is nothing to send."


def test_code_and_freeing_are_for_names_that_belong_to_somebody(operated: Operated) -> None:
    world = operated.world
    alice = world.program("alice")
    answer = operated.operator.answer(GiveCode(name=" Alice "))
    assert isinstance(answer, CodeGiven)
    assert (answer.name, answer.valid_s) == ("alice", 600)
    assert world.program("alice", secret=answer.code, device="phone").account is not None
    devices = operated.operator.answer(ListDevices(name="alice"))
    assert isinstance(devices, DeviceList)
    assert [(one.name, one.online) for one in devices.devices] == [("laptop", True), ("phone", True)]
    assert [(one.device, one.by) for one in devices.sessions] == [("phone", "code"), ("laptop", "device")]
    assert devices.session_count == 2
    assert "alice is free." in operated.does(FreeName(name="alice"))
    assert [reason for reason, _ in alice.ended] == [Reason.REVOKED]
    assert operated.refuses(GiveCode(name="alice")) == "alice is free already: no device has it."
    for command in (GiveCode(name="carol"), FreeName(name="carol"), ListDevices(name="carol")):
        assert operated.refuses(command) == "There is nobody called carol here."


@pytest.mark.parametrize(
    "command",
    [
        Kick(name="bob", reason="\x1b[2J"),
        Kick(name="bob\x07"),
        AddBan(target=BanTarget.NAME, value="bob", reason="\x9b"),
        Say(text="a\x1b]0;root\x07"),
        ListPeople(find="\x00"),
    ],
)
def test_control_characters_do_nothing(operated: Operated, command: Command) -> None:
    bob = operated.world.json("bob")
    assert "control characters" in operated.refuses(command)
    assert (bob.ended, bob.of(Message), operated.bans().bans) == ([], [], ())
