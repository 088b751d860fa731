"""Rows, days, the order of messages and what is selected."""

from datetime import date, datetime

import pytest

from twocans.gui.transcript.dates import clock_time, day_label
from twocans.gui.transcript.model import Bubble, Status
from twocans.gui.transcript.rows import MAX_KEPT_ROWS, Metrics, Row, Rows
from twocans.gui.transcript.ruler import Ruler
from twocans.gui.transcript.selection import Selection, Unit, word_at
from twocans.gui.transcript.store import Store

MINUTE = 60_000
NOON = int(datetime(2025, 3, 14, 12, 0).timestamp() * 1000)
DAY = 24 * 60 * MINUTE


def bubble(key: str, *, own: bool = False, text: str = "hello", at: int = NOON, **more: object) -> Bubble:
    status = Status.SENT if own else Status.NONE
    return Bubble(key, own, text, at, **{"status": status, **more})  # type: ignore[arg-type]


def rows_of(*bubbles: Bubble, divider: str = "", width: int = 600) -> list[Row]:
    ruler = Ruler(lambda text: 8 * len(text), reorders=False)
    rows = Rows(
        Metrics(16, 20, 16),
        ruler,
        ruler,
        today=lambda: date(2025, 3, 14),
        astral=True,
        picture_size=lambda _: None,
    )
    rows.set_width(width)
    return [
        rows.row(
            one,
            bubbles[index - 1] if index else None,
            bubbles[index + 1] if index + 1 < len(bubbles) else None,
            divider=one.key == divider,
        )
        for index, one in enumerate(bubbles)
    ]


def test_messages_of_one_sender_within_five_minutes_stand_together() -> None:
    a, b, c, d = rows_of(
        bubble("a"),
        bubble("b", at=NOON + 4 * MINUTE),
        bubble("c", at=NOON + 9 * MINUTE),
        bubble("d", own=True),
    )
    assert [row.context.first for row in (a, b, c, d)] == [True, False, True, True]
    assert [row.context.last for row in (a, b, c, d)] == [False, True, True, True]
    assert b.box.head < c.box.head


def test_day_is_shown_above_its_first_message_only() -> None:
    rows = rows_of(bubble("a", at=NOON - DAY), bubble("b"), bubble("c"))
    assert [row.context.day for row in rows] == ["Yesterday", "Today", ""]


def test_divider_parts_a_group() -> None:
    rows = rows_of(bubble("a"), bubble("b"), divider="b")
    assert rows[1].context.divider
    assert rows[1].context.first


def test_own_bubbles_are_at_the_right_and_none_is_too_wide() -> None:
    own, other = rows_of(bubble("a", own=True, text="word " * 99), bubble("b", text="word " * 99), width=1000)
    assert own.x + own.width == 1000 - other.x
    assert own.width <= 36 * 16
    assert other.width <= 36 * 16


def test_time_stands_beside_a_short_last_line_and_below_a_full_one() -> None:
    short, full = rows_of(bubble("a", text="hi"), bubble("b", text="x" * 37), width=480)
    assert short.box.body < full.box.body
    assert short.time_x >= 8 * 2
    assert len(full.text.lines) == 1


def test_failed_message_offers_another_try() -> None:
    (row,) = rows_of(bubble("a", own=True, status=Status.FAILED, note="bob is not online."))
    assert row.note is not None
    assert row.note.shown.text == "bob is not online.  Try again"
    assert row.note.links
    assert row.box.tail > 0


def test_rows_kept_are_bounded_and_changed_ones_are_laid_out_anew() -> None:
    measured: list[str] = []

    def measure(text: str) -> int:
        measured.append(text)
        return 8

    ruler = Ruler(measure, reorders=False)
    rows = Rows(
        Metrics(16, 20, 16),
        ruler,
        ruler,
        today=lambda: date(2025, 3, 14),
        astral=True,
        picture_size=lambda _: None,
    )
    rows.set_width(600)
    first = rows.row(bubble("first"), None, None, divider=False)
    assert rows.row(bubble("first"), None, None, divider=False) is first
    sent = rows.row(bubble("first", own=True), None, None, divider=False)
    assert sent is not first
    assert sent.text is first.text
    for number in range(MAX_KEPT_ROWS):
        rows.row(bubble(str(number)), None, None, divider=False)
    assert rows.row(bubble("first", own=True), None, None, divider=False) is not sent


@pytest.mark.parametrize(
    ("day", "label"),
    [
        (date(2025, 3, 14), "Today"),
        (date(2025, 3, 13), "Yesterday"),
        (date(2025, 3, 10), "Monday"),
        (date(2025, 3, 7), "Friday, 7 March 2025"),
        (date(2025, 3, 15), "Saturday, 15 March 2025"),
        (date(2024, 12, 31), "Tuesday, 31 December 2024"),
    ],
)
def test_days_are_called_what_people_call_them(day: date, label: str) -> None:
    assert day_label(day, date(2025, 3, 14)) == label


@pytest.mark.parametrize("at_ms", [-(10**18), -1, 0, 10**15, 2**63 - 1])
def test_impossible_times_are_shown_as_some_time(at_ms: int) -> None:
    assert len(clock_time(at_ms)) == 5


def test_store_grows_at_both_ends_and_takes_no_message_twice() -> None:
    store = Store()
    store.set([bubble("b")])
    assert [one.key for one in store.prepend([bubble("a"), bubble("b")])] == ["a"]
    assert [one.key for one in store.append([bubble("b"), bubble("c")])] == ["c"]
    assert [store.index_of(key) for key in ("a", "b", "c", "d")] == [0, 1, 2, None]


def test_message_may_change_its_key_but_not_to_one_that_is_taken() -> None:
    store = Store()
    store.set([bubble("a"), bubble("b")])
    assert store.replace("a", bubble("a2", text="new")) == 0
    assert store.index_of("a") is None
    assert store[0].text == "new"
    assert store.replace("a2", bubble("b")) is None
    assert store.replace("gone", bubble("x")) is None


def selection_on(*bubbles: Bubble) -> tuple[Store, Selection]:
    store = Store()
    store.set(bubbles)
    return store, Selection(store.index_of)


def test_part_of_one_message_is_selected_in_either_direction() -> None:
    one = bubble("a", text="hello world")
    store, selection = selection_on(one)
    selection.start(one, 8, Unit.CHARACTER)
    selection.extend(one, 2)
    assert selection.text(store.all) == "llo wo"


def test_several_messages_are_selected_whole_and_copied_line_by_line() -> None:
    a, b, c = bubble("a", text="one"), bubble("b", text="two"), bubble("c", text="three")
    store, selection = selection_on(a, b, c)
    selection.start(c, 2, Unit.CHARACTER)
    selection.extend(a, 1)
    assert selection.text(store.all) == "one\ntwo\nthree"
    assert selection.span(b) == (0, 3)
    selection.extend(c, 4)
    assert selection.text(store.all) == "re"


def test_words_and_whole_messages_are_selected_by_more_clicks() -> None:
    one = bubble("a", text="hello brave world")
    store, selection = selection_on(one)
    selection.start(one, 7, Unit.WORD)
    assert selection.text(store.all) == "brave"
    selection.extend(one, 13)
    assert selection.text(store.all) == "brave world"
    selection.start(one, 7, Unit.MESSAGE)
    assert selection.text(store.all) == "hello brave world"


def test_selection_outlives_a_new_key_and_ends_with_the_message() -> None:
    one = bubble("a", text="hello")
    store, selection = selection_on(one)
    selection.start(one, 0, Unit.MESSAGE)
    store.replace("a", bubble("z", text="hello"))
    selection.rename("a", "z")
    assert selection.text(store.all) == "hello"
    store.set([bubble("other")])
    assert selection.text(store.all) == ""


@pytest.mark.parametrize(("index", "span"), [(0, (0, 2)), (2, (2, 4)), (4, (4, 6)), (6, (6, 7)), (7, (7, 7))])
def test_word_at_a_position(index: int, span: tuple[int, int]) -> None:
    assert word_at("ab  cd!", index) == span
