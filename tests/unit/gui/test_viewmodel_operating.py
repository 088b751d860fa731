"""Moderation of one's own server: the pages, what they say, and the commands that come of them."""

from __future__ import annotations

import pytest

from tests.unit.gui.desk import KEY, START_MS, Desk
from twocans.gui.viewmodel.effects import FindServer, FollowPeople, OperateServer
from twocans.gui.viewmodel.inputs import (
    ServerAnswered,
    ServerEnded,
    ServerPeople,
    ServerRuns,
    ServerTold,
)
from twocans.gui.viewmodel.operating import HostPage, Operating
from twocans.gui.viewmodel.operating_rows import MAX_LINES
from twocans.gui.viewmodel.state import Presence
from twocans.protocol.keys import server_key
from twocans.protocol.messages import Status
from twocans.protocol.operator import (
    MAX_ANNOUNCEMENT_CHARS,
    MAX_REASON_CHARS,
    AddBan,
    Answer,
    BanEntry,
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
    OwnedDevice,
    People,
    Person,
    Refused,
    Say,
)

LAPTOP = Connected(address="192.168.1.7", since=START_MS, encrypted=True, device="laptop", key="7KQF-2M4T")
PHONE = Connected(address="192.168.1.8", since=START_MS, encrypted=True, device="phone", key="AB12-CD34")
NETCAT = Connected(address="192.168.1.9", since=START_MS - 86_400_000, encrypted=False, plain=True)


def person(name: str, *sessions: Connected, status: Status = Status.HERE, more: int = 0) -> Person:
    return Person(
        name=name,
        status=status,
        owned=any(one.key for one in sessions),
        sessions=sessions,
        session_count=len(sessions) + more,
    )


class Hosted(Desk):
    """Somebody at the window about their own server, to which they are connected as alice."""

    def __init__(self, *, commands: bool = True) -> None:
        super().__init__()
        self.vm.hosting.start()
        self.vm.handle(
            ServerRuns(
                address="localhost:5050",
                port=5050,
                key=KEY,
                started_at=1,
                background=True,
                folder="/folder",
                online=1,
                addresses=("192.168.1.5",),
                commands=commands,
            )
        )
        self.event(self.welcome())
        self.forget()
        self.vm.hosting.open()

    @property
    def operating(self) -> Operating:
        return self.vm.operating

    def listed(self, *people: Person, total: int = 0) -> None:
        self.vm.handle(ServerPeople(People(people=people, total=total or len(people))))

    def command(self) -> Command:
        """The newest command, apart from listing bans."""
        return self._newest().command

    def answer(self, answer: Answer) -> None:
        """The server answers it."""
        asked = self._newest()
        self.vm.handle(ServerAnswered(asked.number, asked.command, answer))

    def answer_bans(self, *bans: BanEntry, total: int = 0) -> None:
        asked = [one for one in self.all(OperateServer) if isinstance(one.command, ListBans)][-1]
        answer = BanList(bans=bans, total=total or len(bans))
        self.vm.handle(ServerAnswered(asked.number, asked.command, answer))

    def _newest(self) -> OperateServer:
        return [one for one in self.all(OperateServer) if not isinstance(one.command, ListBans)][-1]


@pytest.fixture
def hosted() -> Hosted:
    return Hosted()


def test_people_are_followed_while_the_window_is_open(hosted: Hosted) -> None:
    assert hosted.all(FollowPeople) == [FollowPeople("")]
    assert not hosted.operating.loaded
    hosted.listed(person("alice", LAPTOP), person("bob", PHONE, NETCAT, status=Status.AWAY))
    alice, bob = hosted.operating.people
    assert (alice.is_me, alice.presence, alice.owned) == (True, Presence.ONLINE, True)
    assert alice.lines == ("192.168.1.7 · since 12:00 · laptop",)
    assert (bob.is_me, bob.presence) == (False, Presence.AWAY)
    assert bob.lines[1] == "192.168.1.9 · since 03 May 2026 12:00 · plain text · not encrypted"
    by_password = Connected(address="10.0.0.7", since=START_MS, encrypted=True, plain=True, by="password")
    hosted.listed(person("alice", by_password))
    assert hosted.operating.people[0].lines == (
        "10.0.0.7 · since 12:00 · plain text · logged in with the password",
    )
    hosted.vm.hosting.close()
    assert hosted.all(FollowPeople)[-1] == FollowPeople(None)
    hosted.listed(person("carol", LAPTOP))
    assert hosted.operating.people == ()


def test_many_sessions_and_people_are_counted(hosted: Hosted) -> None:
    hosted.listed(person("bob", *[PHONE] * (MAX_LINES + 2), more=4), total=120)
    (bob,) = hosted.operating.people
    assert len(bob.lines) == MAX_LINES + 1
    assert bob.lines[-1] == "and 6 more connections"
    assert hosted.operating.hidden_people == 119
    hosted.operating.search("bo")
    assert hosted.all(FollowPeople)[-1] == FollowPeople("bo")


def test_own_name_at_another_server_is_not_me() -> None:
    hosted = Hosted()
    hosted.vm.back_to_login()
    hosted.log_in(key=server_key(b"another's"))
    hosted.vm.hosting.open()
    hosted.listed(person("alice", LAPTOP))
    assert [one.is_me for one in hosted.operating.people] == [False]


def test_kick_is_confirmed_and_told(hosted: Hosted) -> None:
    hosted.listed(person("bob", PHONE))
    hosted.operating.ask_kick("bob")
    assert (hosted.operating.page, hosted.operating.name) == (HostPage.KICK, "bob")
    assert not [one for one in hosted.all(OperateServer) if isinstance(one.command, Kick)]
    hosted.operating.kick(" too loud ")
    assert hosted.command() == Kick(name="bob", reason="too loud")
    assert hosted.operating.busy
    hosted.answer(Done(text="bob was kicked."))
    assert (hosted.operating.page, hosted.operating.told) == (HostPage.SERVER, "bob was kicked.")
    assert not hosted.operating.busy


def test_refused_command_stays_on_its_page_with_the_reason(hosted: Hosted) -> None:
    hosted.operating.ask_kick("bob")
    hosted.operating.kick("")
    hosted.answer(Refused(text="bob is not online.\u202e"))
    assert (hosted.operating.page, hosted.operating.problem) == (HostPage.KICK, "bob is not online.\\u202e")
    hosted.operating.kick("")
    assert hosted.operating.problem == ""


def test_second_press_while_an_answer_is_awaited_does_nothing(hosted: Hosted) -> None:
    hosted.operating.ask_kick("bob")
    hosted.operating.kick("")
    hosted.operating.kick("")
    assert len([one for one in hosted.all(OperateServer) if isinstance(one.command, Kick)]) == 1


def test_answer_that_comes_after_its_page_was_left_is_told_all_the_same(hosted: Hosted) -> None:
    hosted.operating.ask_kick("bob")
    hosted.operating.kick("")
    hosted.vm.hosting.back()
    hosted.operating.write()
    hosted.answer(Done(text="bob was kicked."))
    assert (hosted.operating.page, hosted.operating.told) == (HostPage.SAY, "bob was kicked.")
    assert not hosted.operating.busy


def test_name_addresses_and_devices_of_somebody_can_be_banned(hosted: Hosted) -> None:
    hosted.listed(person("bob", LAPTOP, PHONE, PHONE))
    hosted.operating.ask_ban("bob")
    assert [(one.target, one.value) for one in hosted.operating.choices] == [
        (BanTarget.NAME, "bob"),
        (BanTarget.ADDRESS, "192.168.1.7"),
        (BanTarget.ADDRESS, "192.168.1.8"),
        (BanTarget.DEVICE, "7KQF-2M4T"),
        (BanTarget.DEVICE, "AB12-CD34"),
    ]
    hosted.operating.choose(hosted.operating.choices[4])
    assert hosted.operating.choices[4].text == "The device phone (AB12-CD34)"
    hosted.operating.ban("lost")
    assert hosted.command() == AddBan(target=BanTarget.DEVICE, value="AB12-CD34", reason="lost")
    hosted.answer(Done(text="AB12-CD34 is banned."))
    assert (hosted.operating.page, hosted.operating.told) == (HostPage.SERVER, "AB12-CD34 is banned.")


def test_who_has_left_meanwhile_can_still_be_banned_by_name(hosted: Hosted) -> None:
    hosted.operating.ask_ban("bob")
    assert [(one.target, one.value) for one in hosted.operating.choices] == [(BanTarget.NAME, "bob")]


@pytest.mark.parametrize(
    ("target", "value", "warns"),
    [
        (BanTarget.NAME, "ALICE", True),
        (BanTarget.NAME, "bob", False),
        (BanTarget.ADDRESS, "127.0.0.1", True),
        (BanTarget.ADDRESS, "192.168.1.5", True),
        (BanTarget.ADDRESS, " 192.168.0.0/16 ", True),
        (BanTarget.ADDRESS, "192.168.1.7", False),
        (BanTarget.ADDRESS, "192.168", False),
        (BanTarget.DEVICE, "7KQF-2M4T", False),
    ],
)
def test_ban_that_hits_the_host_is_warned_of(
    hosted: Hosted, target: BanTarget, value: str, warns: bool
) -> None:
    assert bool(hosted.operating.warning(target, value)) is warns


def test_bans_are_shown_and_lifted(hosted: Hosted) -> None:
    hosted.operating.show_bans()
    assert hosted.operating.bans is None
    ban = BanEntry(target=BanTarget.ADDRESS, value="10.0.0.0/8", reason="spam\u2028", at=START_MS)
    hosted.answer_bans(ban, total=150)
    assert hosted.operating.bans is not None
    (row,) = hosted.operating.bans
    assert (row.what, row.text) == ("The address 10.0.0.0/8", "since 12:00: spam\\u2028")
    assert (hosted.operating.ban_count, hosted.operating.hidden_bans) == (150, 149)
    hosted.operating.search_bans("10.")
    assert hosted.all(OperateServer)[-1].command == ListBans(find="10.")
    hosted.operating.unban(row.entry)
    assert hosted.command() == LiftBan(target=BanTarget.ADDRESS, value="10.0.0.0/8")
    hosted.answer(Done(text="10.0.0.0/8 is no longer banned."))
    assert hosted.operating.page is HostPage.BANS
    assert hosted.all(OperateServer)[-1].command == ListBans(find="10.")
    hosted.answer_bans()
    assert hosted.operating.bans == ()


def test_bans_that_were_looked_for_before_are_not_taken_for_those_now(hosted: Hosted) -> None:
    hosted.operating.show_bans()
    hosted.operating.search_bans("x")
    early = [one for one in hosted.all(OperateServer) if one.command == ListBans()][-1]
    answer = BanList(bans=(), total=0)
    hosted.vm.handle(ServerAnswered(early.number, early.command, answer))
    assert hosted.operating.bans is None


def test_typed_ban_goes_back_to_the_bans(hosted: Hosted) -> None:
    hosted.operating.show_bans()
    hosted.operating.ask_typed_ban()
    hosted.operating.ban_typed(BanTarget.NAME, "  ", "")
    assert hosted.operating.problem == "Type what is to be banned."
    hosted.operating.ban_typed(BanTarget.NAME, " mallory ", "")
    assert hosted.command() == AddBan(target=BanTarget.NAME, value="mallory")
    hosted.answer(Done(text="mallory is banned."))
    assert hosted.operating.page is HostPage.BANS


def test_code_is_shown_until_when_it_counts_and_is_gone_with_the_window(hosted: Hosted) -> None:
    hosted.operating.show_name()
    hosted.operating.typed_name("carol ")
    hosted.operating.ask_code(hosted.operating.name)
    hosted.operating.give_code()
    assert hosted.command() == GiveCode(name="carol")
    hosted.answer(CodeGiven(name="carol", code="ABCD-1234", valid_s=600))
    assert (hosted.operating.code, hosted.operating.code_until) == ("ABCD-1234", "12:10")
    assert "ABCD-1234" not in repr(hosted.operating._state)
    hosted.vm.hosting.back()
    assert hosted.operating.page is HostPage.NAME
    hosted.vm.hosting.close()
    assert hosted.operating.code == ""


def test_name_is_looked_up_with_its_devices(hosted: Hosted) -> None:
    hosted.operating.show_name("carol")
    assert hosted.command() == ListDevices(name="carol")
    device = OwnedDevice(key="7KQF-2M4T", name="laptop", created=START_MS, seen=START_MS, online=False)
    hosted.answer(DeviceList(name="carol", devices=(device,), password=True))
    assert hosted.operating.devices_text == "carol belongs to 1 device and has a password."
    assert hosted.operating.devices == ("laptop · 7KQF-2M4T · since 12:00 · last here 12:00",)
    session = Connected(address="10.0.0.7", since=START_MS, encrypted=True, plain=True, by="password")
    hosted.answer(
        DeviceList(name="carol", devices=(device,), password=True, sessions=(session,), session_count=12)
    )
    assert list(hosted.operating.devices)[1:] == [
        "Connected with the password · 10.0.0.7 · since 12:00 · plain text",
        "and 11 more connections",
    ]
    hosted.operating.typed_name("carola")
    assert not hosted.operating.devices_text
    assert not hosted.operating.devices
    hosted.operating.look_up("")
    assert hosted.operating.problem == "Type a name first."
    hosted.operating.look_up("bob")
    hosted.answer(DeviceList(name="bob", devices=(), password=False))
    assert "bob belongs to no device" in hosted.operating.devices_text


def test_freeing_a_name_is_confirmed(hosted: Hosted) -> None:
    hosted.operating.ask_free("bob")
    hosted.operating.free()
    assert hosted.command() == FreeName(name="bob")
    hosted.answer(Done(text="bob is free."))
    assert (hosted.operating.page, hosted.operating.told) == (HostPage.SERVER, "bob is free.")


def test_message_to_everybody_is_sent_as_it_was_typed(hosted: Hosted) -> None:
    hosted.operating.write()
    hosted.operating.say(" \n")
    assert hosted.operating.problem == "Type the message first."
    hosted.operating.say("Tea\nis ready\n")
    assert hosted.command() == Say(text="Tea\nis ready")
    hosted.answer(Done(text="Sent to 2 people."))
    assert (hosted.operating.page, hosted.operating.told) == (HostPage.SERVER, "Sent to 2 people.")


def test_what_is_too_long_is_said_and_not_sent(hosted: Hosted) -> None:
    hosted.operating.ask_kick("bob")
    hosted.operating.kick("x" * (MAX_REASON_CHARS + 1))
    assert hosted.operating.problem == "A reason has at most 200 characters; this has 201."
    hosted.operating.say("x" * (MAX_ANNOUNCEMENT_CHARS + 1))
    assert "A message has at most 2000 characters" in hosted.operating.problem
    assert not hosted.operating.busy


def test_escape_goes_back_page_by_page_and_then_away(hosted: Hosted) -> None:
    hosted.operating.show_bans()
    hosted.operating.ask_typed_ban()
    pages = []
    while hosted.vm.hosting.is_open:
        pages.append(hosted.operating.page)
        hosted.vm.hosting.back()
    assert pages == [HostPage.BAN, HostPage.BANS, HostPage.SERVER]


def test_server_of_an_earlier_version_is_not_asked() -> None:
    hosted = Hosted(commands=False)
    assert hosted.vm.hosting.is_open
    assert not hosted.all(FollowPeople)
    assert not hosted.all(OperateServer)


def test_end_of_the_server_closes_everything(hosted: Hosted) -> None:
    hosted.operating.ask_kick("bob")
    hosted.vm.handle(ServerEnded(""))
    assert not hosted.vm.hosting.is_open
    assert hosted.operating.page is HostPage.SERVER


# --- where the host looks first --------------------------------------------------------------------------


def test_address_for_others_is_shown_while_the_host_is_alone() -> None:
    hosted = Hosted()
    assert hosted.vm.invitation == "192.168.1.5"
    assert "Others can join with 192.168.1.5." in hosted.vm.people.empty
    hosted.online_again("bob")
    assert hosted.vm.invitation == ""
    hosted.online_again()
    assert hosted.vm.invitation == "192.168.1.5"
    hosted.vm.handle(ServerTold(1, ("127.0.0.1",)))
    assert hosted.vm.invitation == ""
    assert "Others appear as soon as they connect." in hosted.vm.people.empty


def test_address_is_not_shown_at_a_server_of_somebody_else() -> None:
    hosted = Hosted()
    hosted.vm.back_to_login()
    hosted.log_in(key=server_key(b"another's"))
    assert hosted.vm.invitation == ""


def test_own_server_is_looked_for_whenever_a_connection_comes_about() -> None:
    desk = Desk()
    desk.log_in("bob")
    desk.online_again("bob")
    assert desk.all(FindServer) == [FindServer(again=True)]
    hosted = Hosted()
    hosted.online_again()
    assert not hosted.all(FindServer)
