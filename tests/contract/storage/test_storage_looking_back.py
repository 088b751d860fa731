"""What every storage promises to whoever looks back: conversations, search, and chats with what is unread."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.storage.kinds import ALICE, BOB, CAROL, KINDS, NAMES, Draft, draft, ids, involves, said
from tests.contract.storage.test_storage_log import every_storage, stored, traffic, users
from twocans.protocol.messages import Message
from twocans.protocol.names import UserKey

_HOSTILE = [
    '"',
    '""',
    '"a',
    "*",
    "a*",
    "a OR b",
    "NOT",
    "a NOT b",
    "NEAR(a b)",
    "text:a",
    "-a",
    "^a",
    "a AND",
    "(",
    "{a}",
    "'; DROP TABLE messages; --",
    "%",
    "_",
    "a\x00b",
    "\\",
    "+",
    "",
    "   ",
    "👋",
    "\u202e",
    "a" * 1000,
    "a " * 500,
]

words = st.text("aAb1", min_size=1, max_size=3)
sentences = st.lists(
    st.tuples(words, st.sampled_from([" ", ", ", "\n", "-", "."])), min_size=1, max_size=5
).map(lambda parts: "".join(word + gap for word, gap in parts))


@every_storage
@given(drafts=traffic(), limit=st.integers(1, 6), max_bytes=st.integers(1, 60))
@settings(deadline=None)
def test_walk_back_gives_every_message_of_a_conversation_exactly_once(
    kind: str, drafts: list[Draft], limit: int, max_bytes: int
) -> None:
    with KINDS[kind]() as asked:
        log = stored(asked, drafts)
        for user, peer in ((ALICE, BOB), (BOB, ALICE), (ALICE, ALICE), (BOB, CAROL)):
            between = {NAMES[user], NAMES[peer]}
            expected = [message for message in log if {message.sender, message.to} == between]
            walked: list[Message] = []
            before: int | None = None
            more = True
            while more:
                page = asked.conversation(user, peer, before=before, limit=limit, max_bytes=max_bytes)
                assert len(page.messages) <= limit
                size = sum(len(message.text.encode()) for message in page.messages)
                assert size <= max_bytes or len(page.messages) == 1
                assert page.messages or not page.more
                walked = [*page.messages, *walked]
                before = walked[0].id if walked else None
                more = page.more
            assert walked == expected


@every_storage
def test_first_page_is_the_newest_and_oldest_message_stands_first_in_it(kind: str) -> None:
    with KINDS[kind]() as asked:
        numbers = []
        for n in range(5):
            outcome = asked.append(ALICE if n % 2 else BOB, BOB if n % 2 else ALICE, str(n), f"c{n}")
            assert isinstance(outcome, Message)
            numbers.append(outcome.id)
        assert ids(asked.conversation(ALICE, BOB, limit=2)) == numbers[3:]
        assert ids(asked.conversation(BOB, ALICE, before=numbers[3], limit=2)) == numbers[1:3]
        assert ids(asked.conversation(ALICE, BOB, before=numbers[0])) == []


# --- search ----------------------------------------------------------------------------------------------


@every_storage
@given(
    said=st.lists(st.tuples(users, users, sentences), max_size=15),
    query=st.lists(words, min_size=1, max_size=2),
    whose=users,
    peer=st.none() | users,
    data=st.data(),
)
@settings(deadline=None)
def test_search_finds_exactly_the_messages_with_words_that_begin_so(
    kind: str,
    said: list[tuple[UserKey, UserKey, str]],
    query: list[str],
    whose: UserKey,
    peer: UserKey | None,
    data: st.DataObject,
) -> None:
    with KINDS[kind]() as asked:
        log = stored(asked, [draft(*one, f"c{n}") for n, one in enumerate(said)])
        before = data.draw(st.sampled_from([None, *(message.id for message in log)]))

        def fits(text: str) -> bool:
            there = re.split("[^a-z0-9]+", text.lower())
            return all(any(one.startswith(word.lower()) for one in there) for word in query)

        expected = [
            message.id
            for message in reversed(log)
            if fits(message.text)
            and involves(message, whose)
            and (peer is None or {message.sender, message.to} == {NAMES[whose], NAMES[peer]})
            and (before is None or message.id < before)
        ]
        assert ids(asked.search(whose, " ".join(query), peer=peer, before=before)) == expected
        walked: list[int] = []
        cursor, more = before, True
        while more:
            page = asked.search(whose, " ".join(query), peer=peer, before=cursor, limit=2)
            walked += ids(page)
            cursor, more = (walked[-1] if walked else None), page.more
        assert walked == expected


@every_storage
@pytest.mark.parametrize("query", _HOSTILE)
def test_any_query_is_safe_and_finds_nobody_elses_messages(kind: str, query: str) -> None:
    with KINDS[kind]() as asked:
        asked.append(ALICE, BOB, "a b text messages NOT near", "c1")
        assert list(asked.search(CAROL, query).messages) == []
        asked.search(ALICE, query)
        assert len(asked.search(ALICE, "messages").messages) == 1


@every_storage
@given(query=st.text(max_size=20))
@settings(deadline=None)
def test_any_text_can_be_searched_for(kind: str, query: str) -> None:
    with KINDS[kind]() as asked:
        asked.append(ALICE, BOB, "word", "c1")
        assert len(asked.search(ALICE, query).messages) <= 1


@every_storage
@pytest.mark.parametrize("query", ["", " ", "!?", "\t"])
def test_query_without_a_word_finds_nothing(kind: str, query: str) -> None:
    with KINDS[kind]() as asked:
        asked.append(ALICE, BOB, "word", "c1")
        assert list(asked.search(ALICE, query).messages) == []


@every_storage
@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Привет, мир", "МИР"),
        ("Grüße", "grüß"),
        ("one, two; three", "THREE on"),
        ("don't", "don"),
        ("你好 世界", "世"),
    ],
)
def test_words_of_any_script_are_found_in_any_case(kind: str, text: str, query: str) -> None:
    with KINDS[kind]() as asked:
        asked.append(ALICE, BOB, text, "c1")
        assert len(asked.search(BOB, query).messages) == 1


@every_storage
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("over", True),
        ("ove", True),
        ("o", True),
        ("ver", False),
        ("overs", False),
        ("sea over", True),
        ("over see", False),
    ],
)
def test_word_is_found_by_its_beginning_and_by_nothing_else_of_it(kind: str, query: str, found: bool) -> None:
    with KINDS[kind]() as asked:
        asked.append(ALICE, BOB, "Over the sea", "c1")
        assert bool(asked.search(ALICE, query).messages) is found


# --- chats -----------------------------------------------------------------------------------------------


@every_storage
@given(drafts=traffic(), marks=st.lists(st.tuples(users, users, st.integers(0, 40)), max_size=6))
@settings(deadline=None)
def test_chats_show_the_last_message_and_count_what_came_after_the_read_mark(
    kind: str, drafts: list[Draft], marks: list[tuple[UserKey, UserKey, int]]
) -> None:
    with KINDS[kind]() as asked:
        log = stored(asked, drafts)
        read: dict[tuple[UserKey, UserKey], int] = {}
        for reader, peer, place in marks:
            upto = log[place].id if place < len(log) else 0
            asked.storage.mark_read(reader, peer, upto)
            read[reader, peer] = max(upto, read.get((reader, peer), 0))
        for user, name in NAMES.items():
            expected = []
            for peer, peer_name in NAMES.items():
                between = [message for message in log if {message.sender, message.to} == {name, peer_name}]
                if not between:
                    continue
                unread = [
                    message
                    for message in between
                    if message.sender == peer_name != name and message.id > read.get((user, peer), 0)
                ]
                expected.append((peer_name, between[-1], len(unread)))
            expected.sort(key=lambda chat: -chat[1].id)
            assert [(chat.peer, chat.last, chat.unread) for chat in asked.chats(user)] == expected


@every_storage
def test_read_mark_never_goes_back(kind: str) -> None:
    with KINDS[kind]() as asked:
        for n in range(3):
            last = said(asked.append(ALICE, BOB, str(n), f"c{n}"))
        asked.storage.mark_read(BOB, ALICE, last.id)
        asked.storage.mark_read(BOB, ALICE, 1)
        assert [chat.unread for chat in asked.chats(BOB)] == [0]


@every_storage
def test_no_more_chats_are_given_than_asked_for_and_the_latest_of_them(kind: str) -> None:
    with KINDS[kind]() as asked:
        asked.append(ALICE, BOB, "one", "c1")
        asked.append(CAROL, ALICE, "two", "c2")
        asked.append(ALICE, ALICE, "three", "c3")
        assert [chat.peer for chat in asked.chats(ALICE, limit=2)] == ["Alice", "CAROL"]
