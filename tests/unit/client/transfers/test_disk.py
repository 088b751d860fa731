"""Files on the disk: parts that grow, what tells that a file has changed, and names."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from pathlib import Path

import pytest

from tests.unit.client.transfers.file_server import content
from twocans.client import sentences
from twocans.client.transfers import disk
from twocans.client.transfers.disk import Part, Stopped
from twocans.client.transfers.failures import Failed


def test_part_keeps_what_is_asked_for_and_nothing_beyond(tmp_path: Path) -> None:
    part = Part(tmp_path / "a.part", tmp_path / "a")
    assert part.size() is None
    for keep, piece, wanted in ((0, b"0123456789", b"0123456789"), (4, b"x", b"0123x"), (0, b"", b"")):
        part.open(keep)
        part.write(piece)
        part.close()
        assert part.path.read_bytes() == wanted
        assert part.size() == len(wanted)


def test_part_does_not_follow_links(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(b"theirs")
    (tmp_path / "a.part").symlink_to(tmp_path / "theirs")
    part = Part(tmp_path / "a.part", tmp_path / "a")
    with pytest.raises(Failed):
        part.size()
    with pytest.raises(Failed):
        part.open(0)
    assert (tmp_path / "theirs").read_bytes() == b"theirs"


def test_part_that_got_both_names_before_a_crash_loses_the_one(tmp_path: Path) -> None:
    part = Part(tmp_path / "a.part", tmp_path / "a")
    part.open(0)
    part.close()
    (tmp_path / "a").hardlink_to(part.path)
    assert part.place(tmp_path / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_part_replaces_an_ordinary_file_and_nothing_else(tmp_path: Path) -> None:
    part = Part(tmp_path / "a.part", tmp_path / "a")
    part.path.write_bytes(b"new")
    (tmp_path / "theirs").write_bytes(b"theirs")
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("link", "pipe", "folder"):
        with pytest.raises(Failed, match=f"{name} is a folder, a link or a device, so it was not replaced"):
            part.replace(tmp_path / name)
    part.replace(tmp_path / "theirs")
    assert (tmp_path / "link").read_bytes() == b"new"


@pytest.mark.parametrize("name", ["a", "report.pdf", "ö" * 127, "x" * 255])
def test_name_of_a_part_fits_and_says_whose_it_is(tmp_path: Path, name: str) -> None:
    path = disk.part_path(tmp_path / name, "01a211f3-d3ac-7f12-973b-b53b62ebf3af")
    assert path.parent == tmp_path
    assert path.name.endswith(".b53b62ebf3af.part")
    path.touch()


def test_hash_is_that_of_the_whole_and_tells_how_far_it_is(tmp_path: Path) -> None:
    data = content(5_000_000)
    (tmp_path / "a").write_bytes(data)
    told: list[int] = []
    hash_, found = disk.hash_file(tmp_path / "a", threading.Event(), told.append)
    assert hash_ == hashlib.sha256(data).hexdigest()
    assert found == disk.look(tmp_path / "a")
    assert (told[-1], len(told)) == (len(data), 3)


def test_hash_ends_early_when_nobody_wants_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content(5_000_000))
    stop, told = threading.Event(), list[int]()

    def progress(done: int) -> None:
        told.append(done)
        stop.set()

    with pytest.raises(Stopped):
        disk.hash_file(tmp_path / "a", stop, progress)
    assert len(told) == 1


def test_file_that_grows_while_it_is_hashed_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content(5_000_000))

    def grow(done: int) -> None:
        with (tmp_path / "a").open("ab") as file:
            file.write(b"x")

    with pytest.raises(Failed, match="was changed"):
        disk.hash_file(tmp_path / "a", threading.Event(), grow)


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        (errno.ENOSPC, "There is no room left on the disk for a. Make room for it, and then let it go on."),
        (errno.ENOENT, "/x/a is not there."),
        (
            errno.EACCES,
            "This computer does not allow /x/a to be used. Check the permissions of the file and its folder.",
        ),
        (errno.EFBIG, "The disk does not take files as large as a."),
        (errno.EIO, "/x/a cannot be used: Input/output error."),
    ],
)
def test_what_the_system_says_becomes_a_sentence(number: int, wanted: str) -> None:
    assert sentences.disk(Path("/x/a"), OSError(number, "")) == wanted.replace("/x/a", str(Path("/x/a")))
