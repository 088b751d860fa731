"""The time for which pasted pictures are kept."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from twocans.client import Address, SqliteOutbox
from twocans.client.drafts import Draft
from twocans.client.files_in_use import files_in_use
from twocans.client.transfers.model import TransferState
from twocans.client.transfers.records import Record
from twocans.gui.platform.paste import KEPT_DAYS, remove_old
from twocans.protocol.keys import ServerKey

NOW = datetime(2026, 3, 1, 12)
KEY = ServerKey("aa" * 32)


class Pictures:
    """A folder of pasted pictures, and the outbox of the same computer."""

    def __init__(self, folder: Path) -> None:
        self.outbox_path = folder / "o.db"
        self.folder = folder / "pasted"
        self.folder.mkdir()

    def outbox(self, user: str) -> SqliteOutbox:
        """The outbox of a user of this computer."""
        return SqliteOutbox(self.outbox_path, Address("localhost", 5050), user)

    def paste(self, name: str, *, days_ago: int = KEPT_DAYS + 1) -> str:
        """A picture pasted some days ago."""
        path = self.folder / name
        path.write_bytes(b"picture")
        then = (NOW - timedelta(days=days_ago)).timestamp()
        os.utime(path, (then, then))
        return str(path)

    def left(self) -> list[str]:
        """The names of those that are kept when one more is pasted."""
        remove_old(self.folder, NOW, lambda: files_in_use(self.outbox_path))
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    return Pictures(tmp_path)


def test_picture_goes_after_a_week_if_it_is_in_no_draft(pictures: Pictures) -> None:
    pictures.paste("old.png")
    pictures.paste("new.png", days_ago=KEPT_DAYS - 1)
    assert pictures.left() == ["new.png"]


def test_picture_that_a_draft_names_is_kept_whoever_wrote_it(pictures: Pictures) -> None:
    for user in ("alice", "bob"):
        pictures.outbox(user).drafts.put(KEY, Draft("carol", "carol", "", (pictures.paste(f"{user}.png"),)))
    pictures.paste("other.png")
    assert pictures.left() == ["alice.png", "bob.png"]
    pictures.outbox("bob").drafts.put(KEY, Draft("carol", "carol", ""))
    assert pictures.left() == ["alice.png"]


def test_picture_of_an_upload_is_kept_until_that_is_done(pictures: Pictures) -> None:
    outbox = pictures.outbox("alice")
    for state in TransferState:
        if not state.is_moving or state is TransferState.WAITING:
            path = pictures.paste(f"{state.value}.png")
            outbox.transfers.put(
                Record(id=state.value, outgoing=True, peer="bob", name="p", path=path, state=state)
            )
    assert pictures.left() == ["failed.png", "paused.png", "waiting.png"]


def test_no_picture_goes_if_drafts_cannot_be_read(pictures: Pictures) -> None:
    pictures.paste("old.png")
    pictures.outbox_path.write_bytes(b"no database")
    assert pictures.left() == ["old.png"]
