"""Drafts on disk: one for each person, for one user at one server, and not without end."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from twocans.client import Address, OutboxUnusable, SqliteOutbox
from twocans.client.drafts import Draft
from twocans.client.sqlite_drafts import MAX_DRAFT_CHARS, MAX_DRAFTS
from twocans.protocol.keys import ServerKey

HERE, THERE = ServerKey("aa" * 32), ServerKey("bb" * 32)


def opened(folder: Path, user: str = "alice", *, port: int = 5050) -> SqliteOutbox:
    return SqliteOutbox(folder / "o.db", Address("localhost", port), user)


def test_a_draft_survives_the_end_of_the_program_and_the_newest_text_counts(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.drafts.put(HERE, Draft("bob", "Bob", "half a sen"))
    first.drafts.put(HERE, Draft("carol", "carol", "", ("/a b/ü.txt", "/c.png")))
    first.drafts.put(HERE, Draft("bob", "Bob", "half a sentence\n🦆"))
    # Not closed: a killed program closes nothing either. The address is another one, the server is not.
    second = opened(tmp_path, port=6000)
    assert set(second.drafts.load(HERE)) == {
        Draft("bob", "Bob", "half a sentence\n🦆"),
        Draft("carol", "carol", "", ("/a b/ü.txt", "/c.png")),
    }
    first.close()
    second.close()


def test_an_empty_draft_is_forgotten(tmp_path: Path) -> None:
    box = opened(tmp_path)
    box.drafts.put(HERE, Draft("bob", "bob", "hello"))
    box.drafts.put(HERE, Draft("bob", "bob", " \n"))
    assert box.drafts.load(HERE) == ()
    box.close()


def test_another_user_or_server_gets_none(tmp_path: Path) -> None:
    box, other = opened(tmp_path), opened(tmp_path, "carol")
    box.drafts.put(HERE, Draft("bob", "bob", "hello"))
    assert other.drafts.load(HERE) == box.drafts.load(THERE) == ()
    other.drafts.put(HERE, Draft("bob", "bob", ""))
    assert box.drafts.load(HERE) == (Draft("bob", "bob", "hello"),)
    box.close()
    other.close()


def test_text_and_names_that_are_in_no_encoding_are_kept(tmp_path: Path) -> None:
    box = opened(tmp_path)
    odd = Draft("bob", "bob", "half an emoji \ud83d", ("/home/\udcff.txt",))
    box.drafts.put(HERE, odd)
    assert box.drafts.load(HERE) == (odd,)
    box.close()


def test_drafts_are_bounded_in_length_and_number(tmp_path: Path) -> None:
    box, other = opened(tmp_path), opened(tmp_path, "carol")
    other.drafts.put(HERE, Draft("first", "first", "the oldest"))
    box.drafts.put(HERE, Draft("second", "second", "x" * (MAX_DRAFT_CHARS + 1)))
    assert len(box.drafts.load(HERE)[0].text) == MAX_DRAFT_CHARS
    for number in range(MAX_DRAFTS):
        box.drafts.put(THERE, Draft(f"p{number}", f"p{number}", "hello"))
    assert other.drafts.load(HERE) == box.drafts.load(HERE) == ()
    assert len(box.drafts.load(THERE)) == MAX_DRAFTS
    box.close()
    other.close()


def test_a_draft_that_cannot_be_written_or_read_is_told_or_left_out(tmp_path: Path) -> None:
    box = opened(tmp_path)
    box.drafts.put(HERE, Draft("bob", "bob", "hello"))
    box.drafts.put(HERE, Draft("carol", "carol", "hi"))
    with sqlite3.connect(tmp_path / "o.db") as other:
        other.execute("UPDATE drafts SET text = ? WHERE peer = 'bob'", (b"\xff",))
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON drafts BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
    other.close()
    assert box.drafts.load(HERE) == (Draft("carol", "carol", "hi"),)
    with pytest.raises(OutboxUnusable, match=r"drafts cannot be kept: disk is full"):
        box.drafts.put(HERE, Draft("dora", "dora", "hello"))
    box.close()


def test_an_outbox_of_the_second_version_takes_drafts(tmp_path: Path) -> None:
    older = opened(tmp_path)
    older.close()
    with sqlite3.connect(tmp_path / "o.db") as database:
        database.execute("DROP TABLE drafts")
        database.execute("PRAGMA user_version = 2")
    database.close()
    box = opened(tmp_path)
    box.drafts.put(HERE, Draft("bob", "bob", "hello"))
    assert box.drafts.load(HERE) == (Draft("bob", "bob", "hello"),)
    box.close()
