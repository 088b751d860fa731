"""Names and messages can reorder, hide and forge nothing in lists, title, notifications and questions."""

from __future__ import annotations

import pytest

from tests.unit.gui.desk import KEY, LIMITS, Desk
from twocans.client.events import Online
from twocans.gui.viewmodel.effects import (
    AskLink,
    OpenLink,
    ShowNotification,
)
from twocans.gui.viewmodel.inputs import (
    ConnectRefused,
)

EVIL = "\u202egnp.exe\u2028\u2066\u200b\x1b]0;x\x07"
SHOWN = "\\u202egnp.exe\\u2028\\u2066\\u200b\\u001b]0;x\\u0007"


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.log_in("bob")
    return made


def test_preview_spells_out_what_would_not_be_seen(desk: Desk) -> None:
    desk.receive("bob", EVIL)
    assert desk.row("bob").preview == SHOWN


def test_message_itself_stays_as_it_was_written(desk: Desk) -> None:
    desk.receive("bob", EVIL)
    desk.vm.open("bob")
    assert desk.texts == [EVIL]


def test_notification_spells_out_what_would_not_be_seen(desk: Desk) -> None:
    desk.vm.set_in_front(False)
    desk.receive("bob\u202e", EVIL)
    (shown,) = desk.all(ShowNotification)
    assert (shown.title, shown.body) == ("bob\\u202e", SHOWN)


def test_title_spells_out_a_name_that_only_a_hostile_server_can_give() -> None:
    desk = Desk()
    desk.vm.connect()
    desk.event(Online("al\u202eice\n\x1b", "server", (), LIMITS, True, KEY))
    assert desk.vm.title == "Twocans – al\\u202eice \\u001b"


def test_sentence_of_a_hostile_server_is_spelled_out_at_the_login() -> None:
    desk = Desk()
    desk.vm.connect()
    desk.vm.handle(ConnectRefused(desk.vm.form.session, f"No. {EVIL}"))
    assert desk.vm.form.state.server_error == f"No. {SHOWN}"


def test_ordinary_link_opens_at_once(desk: Desk) -> None:
    desk.vm.open_link("https://a.example/x")
    assert desk.all(OpenLink) == [OpenLink("https://a.example/x")]
    assert desk.all(AskLink) == []


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("https://google.com@evil.example/", "https://google.com@evil.example/"),
        ("https://аpple.com/", "https://xn--pple-43d.com/"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
    ],
)
def test_link_that_could_mislead_opens_only_after_a_yes(desk: Desk, target: str, url: str) -> None:
    desk.vm.open_link(target)
    assert desk.all(OpenLink) == []
    (asked,) = desk.all(AskLink)
    desk.vm.open_asked_link(asked.destination)
    assert desk.all(OpenLink) == [OpenLink(url)]
