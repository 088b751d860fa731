"""What a search is given, put to a real database."""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from functools import cache
from typing import Final

from hypothesis import strategies as st

from tests.contract.storage.kinds import ALICE, BOB, CAROL, KINDS, Asked, involves
from tests.fuzz.grammar import WORDS, text
from tests.fuzz.target import Target, option

_TEXTS: Final = (
    "a b text NOT near",
    "Grüße, Welt",
    "e\u0301te\u0301 été",
    "漢字 かな",
    'don\'t* "quote"',
    "1st 2nd",
    "İstanbul ß ﬁ",
)


@cache
def _storages() -> tuple[Asked, ...]:
    """One of each kind with some messages in it, for as long as this process runs."""
    stack = ExitStack()
    atexit.register(stack.close)
    kept = tuple(stack.enter_context(make()) for make in KINDS.values())
    for asked in kept:
        for number, said in enumerate(_TEXTS * 3):
            asked.append((ALICE, BOB)[number % 2], (BOB, CAROL)[number % 3 == 0], said, f"c{number}")
    return kept


def check_search(data: bytes) -> None:
    """Any query has an answer, which is one's own messages only, newest first, and the pages make up the whole."""
    variant, data = option(data)
    query = data.decode("utf-8", "replace")[:1000]
    user, peer = (ALICE, BOB, CAROL)[variant % 3], (None, ALICE, BOB, CAROL)[variant // 3 % 4]
    for asked in _storages():
        page = asked.search(user, query, peer=peer)
        assert not page.failed
        assert not page.more
        ids = [message.id for message in page.messages]
        assert ids == sorted(ids, reverse=True)
        assert all(involves(message, user) for message in page.messages)
        first = asked.search(user, query, peer=peer, limit=2)
        assert [message.id for message in first.messages] == ids[:2]
        assert first.more == (len(ids) > 2)


_queries = st.one_of(
    text,
    st.lists(
        st.sampled_from(
            [
                "a",
                "b",
                "NOT",
                "gru",
                "ete",
                "été",
                "漢",
                "don",
                '"',
                "*",
                "AND",
                "(",
                ")",
                "text:",
                "^",
                "-",
                "'",
            ]
        ),
        max_size=8,
    ).map(" ".join),
)

TARGETS: Final = (
    Target(
        "search",
        check_search,
        st.builds(
            lambda variant, query: bytes([variant]) + query.encode("utf-8", "replace"),
            st.integers(0, 255),
            _queries,
        ),
        (*WORDS, b"NOT ", b"AND ", b"NEAR(", b"text:", b"*", b"^", b"'"),
    ),
)
