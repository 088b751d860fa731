"""Who is in the list, in which order; search; people who leave and return; asking for attention."""

from __future__ import annotations

import pytest

from tests.unit.gui.desk import Desk
from twocans.client.events import Loss, Offline, UserJoined, UserLeft
from twocans.client.timing import BACK_WITHIN_S, Timers
from twocans.gui.viewmodel.effects import (
    FindPeople,
    PlaySound,
    RaiseWindow,
    ShowNotification,
    WithdrawNotifications,
)
from twocans.gui.viewmodel.inputs import (
    NotificationClicked,
    PeopleFound,
)
from twocans.gui.viewmodel.people import folded, rank, when
from twocans.gui.viewmodel.state import Heading, Presence


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.log_in("carol", "bob")
    return desk


def test_everybody_online_is_listed_without_oneself(desk: Desk) -> None:
    assert desk.names == ["bob", "carol"]
    assert desk.vm.people.items[0] == Heading("Online — 2")
    desk.event(UserJoined("dora"), UserJoined("alice"), UserLeft("bob"))
    assert desk.names == ["carol", "dora"]


def test_joining_twice_in_another_spelling_makes_one_person(desk: Desk) -> None:
    desk.event(UserJoined("BOB"))
    assert desk.names == ["BOB", "carol"]


def test_somebody_who_is_gone_stays_in_the_list_while_there_is_something_to_read(desk: Desk) -> None:
    desk.receive("bob", "bye")
    desk.event(UserLeft("bob"))
    assert desk.row("bob").presence is Presence.OFFLINE
    assert desk.row("bob").unread == 1
    assert [item.text for item in desk.vm.people.items if isinstance(item, Heading)] == [
        "Online — 1",
        "Offline — 1",
    ]


def test_the_latest_in_touch_are_on_top_and_the_others_follow_by_name(desk: Desk) -> None:
    desk.event(UserJoined("Aaron"))
    desk.receive("carol", "hi")
    assert desk.names == ["carol", "Aaron", "bob"]


def test_an_empty_list_says_why() -> None:
    desk = Desk()
    desk.log_in()
    assert "first one here" in desk.vm.people.empty
    desk.vm.search("zoe")
    assert "zoe" in desk.vm.people.empty


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("an", ["an", "Anna", "Carol-Ann", "Diana", "Alain"]),
        ("jose", ["José"]),
        ("xyz", []),
    ],
)
def test_search_finds_the_whole_name_first_then_beginnings_words_parts_and_letters(
    query: str, names: list[str]
) -> None:
    desk = Desk()
    desk.log_in("Alain", "Diana", "Carol-Ann", "Anna", "an", "José")
    desk.vm.search(query)
    assert desk.names == names


def test_the_first_one_found_is_opened_by_enter_and_the_search_is_done(desk: Desk) -> None:
    desk.vm.search("car")
    desk.vm.open_selected()
    assert desk.vm.header is not None
    assert desk.vm.header.name == "carol"
    assert desk.vm.query == ""


def test_people_who_are_away_are_found_too(desk: Desk) -> None:
    desk.vm.search("zo")
    assert desk.all(FindPeople) == [FindPeople("zo")]
    desk.vm.handle(PeopleFound(desk.vm.form.session, "zo", ("zoe", "alice")))
    assert desk.row("zoe").presence is Presence.OFFLINE
    assert desk.names == ["zoe"]
    desk.vm.search("zoa")
    desk.vm.handle(PeopleFound(desk.vm.form.session, "zo", ("zoe",)))
    assert desk.names == []


def test_somebody_away_who_is_meant_exactly_comes_before_somebody_here_who_is_not(desk: Desk) -> None:
    desk.receive("bo", "bye")
    assert desk.names == ["bob", "carol", "bo"]
    desk.vm.search("bo")
    assert desk.names == ["bo", "bob"]


def test_the_cursor_stays_with_its_person_when_the_list_changes(desk: Desk) -> None:
    desk.vm.move(1)
    desk.vm.move(1)
    assert desk.vm.people.selected == "carol"
    desk.event(UserJoined("aaron"))
    assert desk.vm.people.selected == "carol"
    desk.vm.move(-1)
    assert desk.vm.people.selected == "bob"


def test_when_the_other_side_leaves_the_list_is_back_with_a_notice_and_the_draft_is_kept(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.vm.set_draft("unfinished")
    desk.event(UserLeft("bob"))
    assert desk.vm.chats.open is None
    assert desk.vm.notice is not None
    assert desk.vm.notice.text == "bob left. Your draft is kept."
    assert desk.names == ["carol", "bob"]
    desk.event(UserJoined("bob"))
    assert desk.vm.notice.text == "bob is back. Your draft is kept."
    desk.vm.open_notice()
    assert desk.vm.chats.open is not None
    assert desk.vm.chats.open.draft == "unfinished"


def test_when_somebody_else_leaves_the_open_chat_stays(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.event(UserLeft("carol"))
    assert desk.vm.header is not None
    assert desk.vm.header.name == "bob"
    assert desk.vm.notice is None


def test_a_chat_with_somebody_who_is_offline_can_be_opened_and_stays_open(desk: Desk) -> None:
    desk.receive("bob", "bye")
    desk.event(UserLeft("bob"))
    desk.vm.open("bob")
    desk.later(60)
    assert desk.vm.header is not None
    assert desk.vm.header.status == "offline"
    assert desk.vm.composer.enabled


def test_a_notice_goes_away_by_itself(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.event(UserLeft("bob"))
    assert desk.vm.notice is not None
    assert desk.vm.next_tick_s <= 7
    desk.later(7.1)
    assert desk.vm.notice is None


def test_after_a_reconnect_the_other_side_has_a_moment_to_be_back(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.event(Offline(Loss.LOST, "Lost.", 1.0))
    desk.online_again("carol")
    assert desk.vm.header is not None
    assert desk.vm.header.status == "offline"
    desk.later(1)
    desk.event(UserJoined("bob"))
    desk.later(10)
    assert desk.vm.header is not None


def test_after_a_reconnect_somebody_who_is_not_back_has_left(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.event(Offline(Loss.LOST, "Lost.", 1.0))
    desk.online_again("carol")
    desk.later(BACK_WITHIN_S - 1)
    assert desk.vm.header is not None
    desk.later(1)
    assert desk.vm.header is None
    assert desk.vm.notice is not None
    assert desk.vm.notice.text == "bob left."


def test_after_a_reconnect_the_other_side_has_as_long_as_its_longest_pause(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.event(Offline(Loss.LOST, "Lost.", 1.0))
    desk.online_again()
    desk.later(Timers().connect + Timers().retry_max)
    assert desk.vm.header is not None
    desk.event(UserJoined("bob"))
    desk.later(BACK_WITHIN_S)
    assert desk.vm.header is not None
    assert desk.vm.header.status == "online"
    assert desk.vm.notice is None


def test_the_time_to_be_back_starts_anew_with_each_reconnect(desk: Desk) -> None:
    desk.vm.open("bob")
    for _ in range(3):
        desk.event(Offline(Loss.LOST, "Lost.", 1.0))
        desk.later(BACK_WITHIN_S + 1)
        assert desk.vm.header is not None, "nobody can be seen leaving without a connection"
        desk.online_again("carol")
        desk.later(BACK_WITHIN_S - 1)
        assert desk.vm.header is not None
    desk.later(1)
    assert desk.vm.header is None


def test_without_a_connection_nothing_is_due_for_somebody_who_may_be_back(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.event(Offline(Loss.LOST, "Lost.", 1.0))
    desk.online_again("carol")
    desk.event(Offline(Loss.LOST, "Lost.", 1000.0))
    desk.later(BACK_WITHIN_S + 1)
    assert desk.vm.next_tick_s >= 0.5


def test_a_session_that_the_server_gives_up_shortly_after_a_reconnect_has_time_to_be_back(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.event(Offline(Loss.LOST, "Lost.", 1.0))
    desk.online_again("bob", "carol")
    desk.later(BACK_WITHIN_S - 5)
    desk.event(UserLeft("bob"))
    assert desk.vm.header is not None
    assert desk.vm.header.status == "offline"
    desk.event(UserJoined("bob"))
    desk.later(5)
    assert desk.vm.header is not None
    desk.event(UserLeft("bob"))
    assert desk.vm.header is None


def test_somebody_who_leaves_shortly_after_a_reconnect_and_stays_away_has_left(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.event(Offline(Loss.LOST, "Lost.", 1.0))
    desk.online_again("bob")
    desk.later(BACK_WITHIN_S - 5)
    desk.event(UserLeft("bob"))
    desk.later(5)
    assert desk.vm.header is None
    assert desk.vm.notice is not None
    assert desk.vm.notice.text == "bob left."


def test_a_server_that_stops_closes_no_chat(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.vm.set_draft("unfinished")
    desk.event(UserLeft("bob"), UserLeft("carol"), Offline(Loss.SERVER_CLOSED, "The server stops.", 1.0))
    assert desk.vm.header is not None
    assert desk.vm.header.name == "bob"
    assert desk.vm.notice is None


def test_a_message_notifies_only_when_the_window_is_not_in_front(desk: Desk) -> None:
    desk.receive("bob", "seen in the list")
    assert not desk.all(ShowNotification)
    assert len(desk.all(PlaySound)) == 1
    desk.vm.set_in_front(False)
    desk.receive("carol", "hello\nthere")
    assert desk.all(ShowNotification) == [ShowNotification("carol", "carol", "hello there")]


def test_a_message_that_is_seen_makes_no_sound(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.receive("bob", "hello")
    assert not desk.all(PlaySound)


def test_a_flood_makes_one_sound_a_second_and_few_notifications(desk: Desk) -> None:
    desk.vm.set_in_front(False)
    for number in range(50):
        desk.receive("bob", f"message {number}")
    assert len(desk.all(PlaySound)) == 1
    assert len(desk.all(ShowNotification)) == 1
    desk.later(2.1)
    assert [note.body for note in desk.all(ShowNotification)][1:] == ["49 new messages: message 49"]


def test_notifications_and_sound_can_be_switched_off(desk: Desk) -> None:
    desk.preferences.sound = desk.preferences.notifications = False
    desk.vm.set_in_front(False)
    desk.receive("bob", "hello")
    assert not desk.all(PlaySound)
    assert not desk.all(ShowNotification)


def test_a_click_on_a_notification_opens_its_chat_and_raises_the_window(desk: Desk) -> None:
    desk.vm.set_in_front(False)
    desk.receive("bob", "hello")
    desk.vm.handle(NotificationClicked("bob"))
    assert desk.all(RaiseWindow)
    assert desk.vm.header is not None
    assert desk.vm.header.name == "bob"
    assert desk.all(WithdrawNotifications) == [WithdrawNotifications("bob")]


def test_an_unread_message_of_an_open_chat_withdraws_its_notification_once_seen(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.vm.set_in_front(False)
    desk.receive("bob", "hello")
    assert desk.all(ShowNotification)
    desk.vm.set_in_front(True)
    assert desk.all(WithdrawNotifications) == [WithdrawNotifications("bob")]


def test_times_in_the_list_are_short(desk: Desk) -> None:
    minute, day = 60_000, 86_400_000
    now = desk.now_ms()  # a Monday, 12:00
    local = desk.vm._clock.local
    assert when(now - 5 * minute, now, local) == "11:55"
    assert when(now - day, now, local) == "Yesterday"
    assert when(now - 3 * day, now, local) == "Fri"
    assert when(now - 40 * day, now, local) == "25 Mar"
    assert when(now - 400 * day, now, local) == "2025-03-30"


def test_ranking_prefers_what_is_closer() -> None:
    ranks = [rank(folded(name), "ann") for name in ("Ann", "Anna", "Mary-Ann", "Joanna", "Alan-n", "Bob")]
    assert ranks == [0, 1, 2, 3, 4, None]
