"""Pictures that are kept to be shown, and opening what is here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from twocans.gui.picturecache import PictureCache
from twocans.protocol.messages import FileRef, Message

HASH = "ab" * 32


def message(name: str) -> Message:
    return Message(1, 0, "bob", "alice", name, "c", FileRef(HASH, 3))


def test_a_picture_is_known_by_its_hash_whatever_it_is_called(tmp_path: Path) -> None:
    cache = PictureCache(tmp_path / "pictures")
    path = cache.path(message("../../Cat.PNG"))
    assert path == tmp_path / "pictures" / f"{HASH}.png"
    assert path.parent.is_dir()
    assert cache.hash_of(path) == HASH


@pytest.mark.parametrize("name", ["cat.png", f"{HASH}.png.part", f"../{HASH}.png", HASH])
def test_what_is_no_picture_of_the_folder_is_told_from_those(tmp_path: Path, name: str) -> None:
    assert PictureCache(tmp_path / "pictures").hash_of(tmp_path / "pictures" / name) is None


def test_the_pictures_that_came_first_go_when_there_are_too_many(tmp_path: Path) -> None:
    cache = PictureCache(tmp_path, max_bytes=250)
    for number, name in enumerate(("old", "newer", "newest")):
        (tmp_path / name).write_bytes(b"x" * 100)
        os.utime(tmp_path / name, (number, number))
    cache.tidy()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["newer", "newest"]


def test_nothing_to_tidy_is_no_error(tmp_path: Path) -> None:
    PictureCache(tmp_path / "none").tidy()
