"""Drafts between the disk and the window: files that are gone, and a disk that does not take any more."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

from twocans.client import Address, MemoryOutbox
from twocans.client.drafts import Draft
from twocans.gui.backend.drafting import Drafting
from twocans.gui.backend.login_store import LoginStore
from twocans.gui.viewmodel.inputs import DraftsLoaded, KeepingFailed, KeptDraft
from twocans.protocol.keys import ServerKey

KEY = ServerKey("aa" * 32)


def kept(folder: Path) -> LoginStore:
    return LoginStore(folder / "outbox.db", Address("localhost"), "alice", MemoryOutbox())


def test_files_that_are_gone_or_too_large_are_left_out_and_told(tmp_path: Path) -> None:
    keeping = kept(tmp_path)
    small, large = tmp_path / "small.txt", tmp_path / "large.txt"
    small.write_bytes(b"x")
    large.write_bytes(b"x" * 11)
    drafting = Drafting(7, keeping, KEY)
    paths = (str(small), str(tmp_path / "gone.txt"), str(large))
    assert drafting.keep(Draft("bob", "Bob", "look", paths)) is None
    assert drafting.keep(Draft("carol", "Carol", "hello")) is None
    loaded = asyncio.run(drafting.load(10))
    bob, carol = loaded.drafts
    assert (bob.name, bob.text, bob.changed) == ("Bob", "look", True)
    assert [(one.path, one.size) for one in bob.attachments] == [(str(small), 1)]
    assert carol == KeptDraft("Carol", "hello", (), changed=False)
    assert loaded.problem == (
        "From your draft to Bob: “gone.txt” is not there any more. 1 more could not be taken."
    )
    keeping.close()


def test_a_disk_that_takes_no_more_is_told(tmp_path: Path) -> None:
    keeping = kept(tmp_path)
    with sqlite3.connect(tmp_path / "outbox.db") as other:
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON drafts BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
    other.close()
    failed = Drafting(7, keeping, KEY).keep(Draft("bob", "bob", "hello"))
    assert failed == KeepingFailed(7, "Your drafts cannot be kept: disk is full.")
    keeping.close()


def test_whoever_has_no_file_keeps_nothing_and_nothing_comes_after_the_end(tmp_path: Path) -> None:
    first, second = kept(tmp_path), kept(tmp_path)
    drafting, alone = Drafting(7, first, KEY), Drafting(8, second, KEY)
    assert alone.keep(Draft("bob", "bob", "from the second window")) is None
    assert asyncio.run(alone.load(10)) == DraftsLoaded(8, ())
    first.close()
    assert drafting.keep(Draft("bob", "bob", "too late")) is None
    assert asyncio.run(drafting.load(10)) == DraftsLoaded(7, ())
    second.close()
    third = kept(tmp_path)
    assert asyncio.run(Drafting(9, third, KEY).load(10)) == DraftsLoaded(9, ())
    third.close()
