"""One's devices: the list, cutting off, codes that end, and the password."""

from __future__ import annotations

import pytest
from msgspec import convert

from tests.unit.gui.desk import Desk
from twocans.client.events import Loss, Offline
from twocans.gui.viewmodel.devices import NOT_CONNECTED, REFRESH_S, Page
from twocans.gui.viewmodel.effects import (
    ChangePassword,
    CutOff,
    LoadDevices,
    MakeCode,
    SignOut,
)
from twocans.gui.viewmodel.inputs import (
    CodeMade,
    DevicesLoaded,
)
from twocans.gui.viewmodel.state import Screen
from twocans.protocol.messages import Device, LoggedIn

DAY_MS = 24 * 3600 * 1000
GOOD = "correct horse"


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.log_in("bob")
    desk.vm.open_devices()
    load(desk, this(desk), phone(desk))
    desk.forget()
    return desk


def this(desk: Desk) -> Device:
    return Device(1, "desktop", desk.now_ms() - 3 * DAY_MS, desk.now_ms(), online=True, this=True)


def phone(desk: Desk) -> Device:
    return Device(2, "phone", desk.now_ms() - 2 * DAY_MS, desk.now_ms() - DAY_MS, online=False, this=False)


def load(
    desk: Desk,
    *devices: Device,
    asked: LoadDevices | CutOff | ChangePassword | None = None,
    password: bool = False,
    sessions: tuple[LoggedIn, ...] = (),
) -> None:
    desk.vm.handle(
        DevicesLoaded(desk.vm.form.session, asked or LoadDevices(), devices, password, sessions=sessions)
    )


def fail(desk: Desk, asked: LoadDevices | CutOff | SignOut | ChangePassword, problem: str) -> None:
    desk.vm.handle(DevicesLoaded(desk.vm.form.session, asked, None, problem=problem))


def code(desk: Desk, text: str = "ABCD-1234", valid_s: int = 600) -> None:
    desk.vm.handle(CodeMade(desk.vm.form.session, text, valid_s))


def test_the_list_has_this_device_first_and_says_who_was_here_when(desk: Desk) -> None:
    tablet = Device(3, "tablet", desk.now_ms(), desk.now_ms(), online=True, this=False)
    load(desk, phone(desk), tablet, this(desk))
    assert [(row.name, row.text) for row in desk.vm.devices.rows] == [
        ("desktop", "this device · added Fri"),
        ("tablet", "online · added at 12:00"),
        ("phone", "last here yesterday · added Sat"),
    ]
    assert [row.this for row in desk.vm.devices.rows] == [True, False, False]


def logged_in(desk: Desk, by: str, **fields: bool | int) -> LoggedIn:
    known = {"encrypted": True, "plain": False, "this": False, **fields}
    return convert({"address": "192.168.1.7", "since": desk.now_ms(), "by": by, **known}, LoggedIn)


def test_sessions_without_a_device_are_listed_and_cannot_be_cut_off(desk: Desk) -> None:
    sessions = (
        logged_in(desk, "password", plain=True),
        logged_in(desk, "name", encrypted=False),
        logged_in(desk, "retina"),
        logged_in(desk, "device", device=1, this=True),
    )
    load(desk, this(desk), sessions=sessions)
    assert [(row.id, row.name, row.text) for row in desk.vm.devices.rows[1:]] == [
        (None, "Logged in with the password", "from 192.168.1.7 · since at 12:00 · plain text"),
        (None, "Logged in by the name alone", "from 192.168.1.7 · since at 12:00 · not encrypted"),
        (None, "Logged in", "from 192.168.1.7 · since at 12:00"),
    ]


def test_device_that_came_in_with_the_password_or_a_code_says_so(desk: Desk) -> None:
    new = Device(3, "tablet", desk.now_ms(), desk.now_ms(), online=True, this=False)
    load(desk, this(desk), new, sessions=(logged_in(desk, "password", device=3),) * 2)
    assert desk.vm.devices.rows[1].text == "online · added at 12:00 · logged in with the password"


def test_cutting_off_says_that_the_password_goes_if_there_is_one(desk: Desk) -> None:
    desk.vm.devices.choose(2)
    assert desk.vm.devices.password_goes == ""
    load(desk, this(desk), phone(desk), password=True)
    assert "password is removed" in desk.vm.devices.password_goes


def test_a_list_that_cannot_be_had_is_not_waited_for() -> None:
    desk = Desk()
    desk.log_in("bob")
    desk.vm.open_devices()
    assert desk.vm.devices.waiting
    fail(desk, LoadDevices(), "This name is not bound to this device.")
    assert not desk.vm.devices.waiting
    assert desk.vm.devices.problem == "This name is not bound to this device."


def test_the_list_is_asked_for_again_while_it_is_shown(desk: Desk) -> None:
    desk.later(REFRESH_S - 0.1)
    assert not desk.all(LoadDevices)
    desk.later(0.2)
    assert desk.all(LoadDevices) == [LoadDevices()]
    desk.vm.devices.close()
    desk.forget()
    desk.later(10 * REFRESH_S)
    assert not desk.all(LoadDevices)


def test_a_device_is_cut_off_only_after_a_question(desk: Desk) -> None:
    desk.vm.devices.choose(2)
    assert desk.vm.devices.page is Page.CUT_OFF
    assert desk.vm.devices.chosen is not None
    assert desk.vm.devices.chosen.name == "phone"
    assert not desk.all(CutOff)
    desk.vm.devices.cut_off()
    assert desk.all(CutOff) == [CutOff(2)]
    load(desk, this(desk), asked=CutOff(2))
    assert (desk.vm.devices.page, desk.vm.devices.told) == (Page.LIST, "phone was removed.")
    assert [row.name for row in desk.vm.devices.rows] == ["desktop"]


def test_who_thinks_better_of_it_cuts_nothing_off(desk: Desk) -> None:
    desk.vm.devices.choose(2)
    desk.vm.devices.back()
    assert desk.vm.devices.page is Page.LIST
    desk.vm.devices.cut_off()
    assert not desk.all(CutOff)


def test_this_device_is_signed_out_only_after_a_question(desk: Desk) -> None:
    load(desk, this(desk), password=True)
    desk.vm.devices.choose(1)
    assert desk.vm.devices.page is Page.CUT_OFF
    assert desk.vm.devices.password_goes == ""
    desk.vm.devices.cut_off()
    assert (desk.all(SignOut), desk.all(CutOff)) == ([SignOut()], [])
    desk.event(Offline(Loss.SIGNED_OUT, "This device is signed out.", None))
    assert desk.vm.screen is Screen.LOGIN
    assert desk.vm.form.state.message == "This device is signed out."


def test_only_device_is_told_why_it_cannot_sign_out(desk: Desk) -> None:
    desk.vm.devices.choose(1)
    desk.vm.devices.cut_off()
    fail(desk, SignOut(), "This is the only device.")
    assert (desk.vm.devices.page, desk.vm.devices.problem) == (Page.CUT_OFF, "This is the only device.")


def test_pressing_twice_asks_once(desk: Desk) -> None:
    desk.vm.devices.choose(2)
    desk.vm.devices.cut_off()
    desk.vm.devices.cut_off()
    assert len(desk.all(CutOff)) == 1


def test_what_the_server_refuses_is_told_and_can_be_tried_again(desk: Desk) -> None:
    desk.vm.devices.choose(2)
    desk.vm.devices.cut_off()
    fail(desk, CutOff(2), "There is no such device.")
    assert (desk.vm.devices.page, desk.vm.devices.problem) == (Page.CUT_OFF, "There is no such device.")
    desk.vm.devices.cut_off()
    assert len(desk.all(CutOff)) == 2


def test_what_could_not_be_seen_in_the_servers_words_or_a_devices_name_is_spelled_out(desk: Desk) -> None:
    evil = Device(3, "pho\u202ene", desk.now_ms(), desk.now_ms(), online=False, this=False)
    load(desk, this(desk), evil)
    assert "pho\\u202ene" in [row.name for row in desk.vm.devices.rows]
    fail(desk, LoadDevices(), "No.\u202e")
    assert desk.vm.devices.problem == "No.\\u202e"


def test_a_code_counts_down_and_ends(desk: Desk) -> None:
    desk.vm.devices.add()
    assert desk.all(MakeCode) == [MakeCode()]
    assert desk.vm.devices.code_left == ""
    code(desk)
    assert (desk.vm.devices.code, desk.vm.devices.code_left) == ("ABCD-1234", "10:00")
    desk.later(61)
    assert desk.vm.devices.code_left == "8:59"
    assert desk.vm.next_tick_s <= 0.5
    desk.later(540)
    assert (desk.vm.devices.code, desk.vm.devices.code_left) == ("", "")
    desk.vm.devices.new_code()
    code(desk, "WXYZ-9876")
    assert (desk.vm.devices.code, desk.vm.devices.code_left) == ("WXYZ-9876", "10:00")


def test_a_device_that_used_the_code_is_told_and_the_code_goes(desk: Desk) -> None:
    desk.vm.devices.add()
    code(desk)
    tablet = Device(3, "tablet", desk.now_ms(), desk.now_ms(), online=True, this=False)
    load(desk, this(desk), phone(desk), tablet)
    assert (desk.vm.devices.page, desk.vm.devices.code) == (Page.LIST, "")
    assert desk.vm.devices.told == "tablet has your name now, too."


def test_the_first_list_greets_nobody(desk: Desk) -> None:
    assert desk.vm.devices.told == ""


def test_a_code_that_cannot_be_had_says_why(desk: Desk) -> None:
    desk.vm.devices.add()
    desk.vm.handle(CodeMade(desk.vm.form.session, "", problem="You have 50 devices."))
    assert (desk.vm.devices.code, desk.vm.devices.problem) == ("", "You have 50 devices.")
    assert not desk.vm.devices.busy


def test_a_code_is_gone_when_its_page_is_left(desk: Desk) -> None:
    desk.vm.devices.add()
    code(desk)
    desk.vm.devices.back()
    assert desk.vm.devices.code == ""
    code(desk, "LATE-CODE")
    assert desk.vm.devices.code == ""


def test_a_password_that_cannot_be_one_is_told_beside_its_field(desk: Desk) -> None:
    desk.vm.devices.edit_password()
    desk.vm.devices.set_password("short", "short")
    assert "too short" in desk.vm.devices.password_error
    desk.vm.devices.edited()
    assert desk.vm.devices.password_error == ""
    desk.vm.devices.set_password("x" * 257, "x" * 257)
    assert "too long" in desk.vm.devices.password_error
    desk.vm.devices.set_password("e\u0301" * 4, "e\u0301" * 4)  # four letters, however they are typed
    assert "too short" in desk.vm.devices.password_error
    assert not desk.all(ChangePassword)


def test_a_password_that_is_not_repeated_alike_is_told_beside_the_repetition(desk: Desk) -> None:
    desk.vm.devices.edit_password()
    desk.vm.devices.set_password(GOOD, "correct hose")
    assert desk.vm.devices.password_error == ""
    assert "not the same" in desk.vm.devices.repeat_error
    assert not desk.all(ChangePassword)


def test_a_password_is_set_and_taken_away(desk: Desk) -> None:
    desk.vm.devices.edit_password()
    desk.vm.devices.set_password(GOOD, GOOD)
    assert desk.all(ChangePassword) == [ChangePassword(GOOD)]
    load(desk, this(desk), asked=ChangePassword(GOOD), password=True)
    assert (desk.vm.devices.page, desk.vm.devices.told) == (Page.LIST, "Your password is set.")
    assert desk.vm.devices.has_password
    desk.vm.devices.edit_password()
    desk.vm.devices.take_password_away()
    assert desk.all(ChangePassword)[-1] == ChangePassword(None)
    load(desk, this(desk), asked=ChangePassword(None))
    assert desk.vm.devices.told == "You have no password now."
    assert not desk.vm.devices.has_password


def test_what_the_server_says_of_a_password_is_told_beside_it(desk: Desk) -> None:
    desk.vm.devices.edit_password()
    desk.vm.devices.set_password(GOOD, GOOD)
    fail(desk, ChangePassword(GOOD), "A password has at least 8 letters.")
    assert desk.vm.devices.password_error == "A password has at least 8 letters."
    assert desk.vm.devices.page is Page.PASSWORD


def test_a_password_is_in_nothing_that_could_be_logged(desk: Desk) -> None:
    desk.vm.devices.edit_password()
    desk.vm.devices.set_password(GOOD, GOOD)
    desk.vm.devices.add()
    code(desk)
    assert GOOD not in repr((desk.all(ChangePassword), vars(desk.vm.devices)))
    assert "ABCD" not in repr(CodeMade(1, "ABCD-1234", 600))


def test_without_a_connection_nothing_is_asked_and_that_is_told(desk: Desk) -> None:
    desk.event(Offline(Loss.LOST, "Lost.", 5.0))
    assert desk.vm.devices.offline == NOT_CONNECTED
    desk.vm.devices.choose(2)
    desk.vm.devices.cut_off()
    desk.vm.devices.add()
    desk.vm.devices.set_password(GOOD, GOOD)
    assert not desk.all(CutOff)
    assert not desk.all(MakeCode)
    assert not desk.all(ChangePassword)
    desk.online_again("bob")
    assert desk.vm.devices.offline == ""
    assert desk.all(LoadDevices)


def test_nothing_of_the_devices_is_left_after_the_login(desk: Desk) -> None:
    desk.vm.devices.add()
    code(desk)
    desk.event(Offline(Loss.REVOKED, "This device has been cut off.", None))
    assert desk.vm.devices.page is Page.CLOSED
    assert (desk.vm.devices.rows, desk.vm.devices.code) == ((), "")
