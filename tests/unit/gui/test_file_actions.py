"""Pictures that are kept to be shown, and files that are sent."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import pytest

from tests.unit.client.scripted import run
from tests.unit.client.transfers.file_server import FileServer, done
from twocans.client import Client
from twocans.client.errors import MessageNotSent
from twocans.gui.backend.file_actions import FileActions
from twocans.gui.backend.picture_cache import PictureCache
from twocans.gui.viewmodel.effects import FetchPicture, SendFiles
from twocans.gui.viewmodel.inputs import FileRefused, Input
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


class Refusing:
    """Transfers that take no file that is called bad."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def start_upload(self, to: str, path: Path) -> None:
        if path.name == "bad.txt":
            raise MessageNotSent("BUSY", "Too many files wait to be sent.")
        self.sent.append(f"{path.name} to {to}")


class ClientWithout:
    """A client of which only the transfers are used."""

    def __init__(self) -> None:
        self.transfers = Refusing()


def test_a_file_that_is_refused_keeps_no_other_back_and_is_named(tmp_path: Path) -> None:
    told: list[Input] = []
    client = ClientWithout()
    filing = FileActions(PictureCache(tmp_path), told.append, lambda what: what.close())
    filing.do(SendFiles("bob", ("/a.txt", "/bad.txt", "/c.txt")), cast("Client", client), 1)
    assert client.transfers.sent == ["a.txt to bob", "c.txt to bob"]
    assert told == [FileRefused(1, "“bad.txt” was not sent. Too many files wait to be sent.")]


def test_picture_that_was_tidied_away_is_fetched_again(tmp_path: Path) -> None:
    """The transfer that once brought it is remembered, and is done."""

    def tidy_away() -> None:
        (picture,) = tmp_path.glob("*.png")
        picture.unlink()

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            filing = FileActions(PictureCache(tmp_path), lambda _: None, lambda what: what.close())
            carrying = server.offer(b"a picture", "cat.png")
            for _ in range(2):
                filing.do(FetchPicture(carrying), client, 1)
                await done(client, client.transfers.all[0].id)
                tidy_away()
            assert len(client.transfers.all) == 1

    run(scenario())
