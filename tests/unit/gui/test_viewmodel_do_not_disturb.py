"""Do not disturb, and muted chats: what is silent, what is counted all the same, and that both end by themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.unit.gui.desk import KEY, START_MS, Desk
from twocans.client.events import CaughtUp
from twocans.gui.viewmodel.do_not_disturb import Span, tomorrow_morning
from twocans.gui.viewmodel.effects import (
    PlaySound,
    RememberMuted,
    RememberQuiet,
    ShowNotification,
)
from twocans.gui.viewmodel.muted import MAX_MUTED, Muted
from twocans.gui.viewmodel.state import Part
from twocans.protocol.keys import server_key

HOUR_MS = 3_600_000


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.log_in("bob", "carol", front=False)
    return desk


def heard(desk: Desk) -> tuple[int, list[str]]:
    """How many sounds there were, and whose notifications."""
    return len(desk.all(PlaySound)), [shown.peer for shown in desk.all(ShowNotification)]


def test_nothing_is_heard_until_do_not_disturb_ends_and_what_came_is_counted(desk: Desk) -> None:
    desk.vm.quiet.begin(Span.HALF_AN_HOUR)
    desk.receive("bob", "psst")
    desk.later(29 * 60)
    desk.receive("bob", "are you there?")
    assert heard(desk) == (0, [])
    assert desk.vm.title == "(2) Twocans – alice"
    desk.later(60)
    assert heard(desk) == (0, [])
    desk.receive("bob", "now?")
    assert heard(desk) == (1, ["bob"])


def test_what_another_window_has_set_counts_and_is_not_written_again(desk: Desk) -> None:
    desk.take()
    muted = Muted(server=KEY, user="alice", peer="bob", name="bob")
    desk.vm.quiet.follow(START_MS + HOUR_MS, [muted])
    assert (desk.vm.quiet.is_on, desk.vm.quiet.muted) == (True, (muted,))
    update = desk.take()
    assert Part.ME | Part.QUIET | Part.PEOPLE in update.parts
    assert (desk.all(RememberQuiet), desk.all(RememberMuted)) == ([], [])
    desk.later(3600)
    desk.receive("bob", "hello")
    assert heard(desk) == (0, [])
    desk.vm.quiet.follow(0, [])
    desk.receive("bob", "hello?")
    assert heard(desk) == (1, ["bob"])


def test_do_not_disturb_ends_by_itself_and_shows_that(desk: Desk) -> None:
    desk.vm.quiet.begin(Span.HOUR)
    assert (desk.vm.quiet.is_on, desk.vm.quiet.until) == (True, "13:00")
    desk.take()
    assert desk.vm.next_tick_s <= 30
    desk.later(3600)
    assert not desk.vm.quiet.is_on
    assert Part.ME | Part.QUIET in desk.take().parts
    assert desk.all(RememberQuiet) == [RememberQuiet(START_MS + HOUR_MS), RememberQuiet(0)]


def test_the_window_ticks_in_time_for_the_end(desk: Desk) -> None:
    desk.vm.quiet.begin(Span.HALF_AN_HOUR)
    desk.later(30 * 60 - 5)
    assert desk.vm.next_tick_s == pytest.approx(5)


def test_do_not_disturb_can_be_ended_before(desk: Desk) -> None:
    desk.vm.quiet.begin(Span.MORNING)
    assert desk.vm.quiet.until == "tomorrow, 08:00"
    desk.vm.quiet.end()
    desk.receive("bob", "hello")
    assert heard(desk) == (1, ["bob"])


def test_a_notification_that_waits_is_not_shown_in_do_not_disturb_nor_after_it(desk: Desk) -> None:
    desk.receive("bob", "one")
    desk.receive("bob", "two")
    desk.forget()
    desk.vm.quiet.begin(Span.HALF_AN_HOUR)
    desk.later(10)
    desk.later(1800)
    assert heard(desk) == (0, [])


def test_do_not_disturb_goes_on_after_a_restart_until_its_end() -> None:
    desk = Desk(quiet_until_ms=START_MS + HOUR_MS)
    desk.log_in("bob", front=False)
    desk.receive("bob", "hello")
    assert heard(desk) == (0, [])
    desk.later(3600)
    desk.receive("bob", "hello")
    assert heard(desk) == (1, ["bob"])


def test_an_end_that_was_over_before_the_start_is_forgotten() -> None:
    desk = Desk(quiet_until_ms=START_MS - 1)
    assert not desk.vm.quiet.is_on
    desk.later(1)
    assert desk.all(RememberQuiet) == [RememberQuiet(0)]


def test_a_muted_chat_is_silent_and_only_its_own_count_goes_on(desk: Desk) -> None:
    desk.vm.quiet.mute("Bob", Span.ALWAYS)
    desk.receive("bob", "psst")
    desk.receive("carol", "hello")
    assert heard(desk) == (1, ["carol"])
    assert (desk.row("bob").unread, desk.row("bob").muted) == (1, True)
    assert (desk.vm.unread, desk.vm.title) == (1, "(1) Twocans – alice")
    desk.vm.open("bob")
    assert desk.vm.header is not None
    assert desk.vm.header.muted


def test_unmuting_counts_what_is_unread_again(desk: Desk) -> None:
    desk.vm.quiet.mute("bob", Span.ALWAYS)
    desk.receive("bob", "psst")
    assert desk.vm.title == "Twocans – alice"
    desk.take()
    desk.vm.quiet.unmute("bob")
    assert Part.TITLE | Part.PEOPLE in desk.take().parts
    assert desk.vm.title == "(1) Twocans – alice"
    assert desk.all(RememberMuted)[-1] == RememberMuted(())


def test_a_mute_ends_by_itself(desk: Desk) -> None:
    desk.vm.quiet.mute("bob", Span.HOUR)
    assert desk.vm.quiet.muted_until("bob") == "13:00"
    desk.later(3600 - 2)
    assert desk.vm.next_tick_s == pytest.approx(2)
    desk.later(2)
    assert not desk.row("bob").muted
    assert desk.all(RememberMuted)[-1] == RememberMuted(())
    desk.receive("bob", "hello")
    assert heard(desk) == (1, ["bob"])


def test_muted_chats_belong_to_one_login_at_one_server(desk: Desk) -> None:
    desk.vm.quiet.mute("bob", Span.ALWAYS)
    desk.vm.back_to_login()
    assert desk.vm.quiet.muted == ()
    desk.log_in("bob", key=server_key(b"another"))
    assert not desk.row("bob").muted
    desk.vm.back_to_login()
    desk.log_in("bob")
    assert desk.row("bob").muted


def test_muted_chats_are_kept_by_server_and_user_and_the_oldest_is_forgotten() -> None:
    kept = [Muted(server=KEY, user="alice", peer=f"p{n}", name=f"P{n}") for n in range(MAX_MUTED)]
    desk = Desk(muted=kept)
    desk.log_in("bob")
    desk.vm.quiet.mute("Bob", Span.ALWAYS)
    (remembered,) = desk.all(RememberMuted)
    assert remembered.muted == (*kept[1:], Muted(server=KEY, user="alice", peer="bob", name="Bob"))
    assert desk.vm.quiet.muted[0].name == "Bob"


def test_messages_that_were_missed_do_not_sound_in_a_muted_chat(desk: Desk) -> None:
    desk.vm.quiet.mute("bob", Span.ALWAYS)
    desk.event(desk.welcome("bob"))
    desk.receive("bob", "while you were away")
    desk.event(CaughtUp(1))
    assert heard(desk) == (0, [])


@pytest.mark.parametrize(
    ("now", "morning"),
    [
        ((2026, 5, 4, 12, 0), (2026, 5, 5, 8, 0)),
        ((2026, 5, 4, 23, 59), (2026, 5, 5, 8, 0)),
        ((2026, 12, 31, 9, 0), (2027, 1, 1, 8, 0)),
        ((2026, 3, 28, 22, 0), (2026, 3, 29, 8, 0)),  # the clocks go forward in that night
        ((2026, 10, 24, 22, 0), (2026, 10, 25, 8, 0)),  # and back
    ],
)
def test_tomorrow_morning_is_eight_by_the_clock_on_the_wall(
    now: tuple[int, int, int, int, int], morning: tuple[int, int, int, int, int]
) -> None:
    zone = ZoneInfo("Europe/Berlin")

    def local(at_ms: int) -> datetime:
        return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)

    now_ms = round(datetime(*now, tzinfo=zone).timestamp() * 1000)
    assert tomorrow_morning(now_ms, local) == datetime(*morning, tzinfo=zone).timestamp() * 1000
