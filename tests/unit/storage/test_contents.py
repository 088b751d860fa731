"""The bytes of files on disk: counted, bounded, and what breaks off stays."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path

import pytest

from twocans.protocol.messages import FileRef
from twocans.storage.contents import Contents, Incoming, NoRoom, Stopped

CONTENT = b"hello, file"


def ref(content: bytes) -> FileRef:
    return FileRef(hashlib.sha256(content).hexdigest(), len(content))


REPORT = Incoming(7, ref(CONTENT))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


def opened(folder: Path, *, max_bytes: int = 1000, durable: bool = False) -> Contents:
    return Contents(folder, max_bytes=max_bytes, durable=durable)


def bring(contents: Contents, incoming: Incoming, content: bytes) -> None:
    with contents.open_part(incoming) as part:
        part.write(content)
        assert part.is_right()
    contents.keep(incoming)


@pytest.mark.parametrize("durable", [False, True])
def test_file_is_kept_by_its_hash_and_found_by_the_next_run(folder: Path, *, durable: bool) -> None:
    bring(opened(folder, durable=durable), REPORT, CONTENT)
    again = opened(folder)
    assert again.has(REPORT.file)
    assert not again.has(FileRef(REPORT.file.hash, 5))
    assert again.path(REPORT.file.hash).read_bytes() == CONTENT
    assert (again.number, again.used) == (1, len(CONTENT))


def test_only_the_owner_can_read_files(folder: Path) -> None:
    contents = opened(folder)
    bring(contents, REPORT, CONTENT)
    with contents.open_part(Incoming(8, REPORT.file)) as part:
        part.write(b"x")
    paths = [folder, *folder.rglob("*")]
    assert len(paths) == 5
    for path in paths:
        assert not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) or os.name != "posix"


def test_what_has_come_counts_and_outlives_a_run(folder: Path) -> None:
    with opened(folder).open_part(REPORT) as part:
        part.write(CONTENT[:5])
    again = opened(folder)
    assert (again.come(REPORT), again.used, again.number) == (5, 5, 0)
    assert again.parts_of(7) == (1, 5)
    assert again.parts_of(8) == (0, 0)
    with again.open_part(REPORT) as part:
        part.write(CONTENT[5:])
        assert part.is_right()


def test_parts_of_two_people_are_apart_and_the_whole_is_one(folder: Path) -> None:
    contents = opened(folder)
    bring(contents, REPORT, CONTENT)
    other = Incoming(8, REPORT.file)
    assert contents.come(other) == 0
    bring(contents, other, CONTENT)
    assert (contents.number, contents.used) == (1, len(CONTENT))


def test_whole_part_that_nobody_has_looked_at_needs_its_last_byte_again(folder: Path) -> None:
    contents = opened(folder)
    with contents.open_part(REPORT) as part:
        part.write(CONTENT)
    assert contents.come(REPORT) == len(CONTENT) - 1
    with contents.open_part(REPORT) as part:
        assert part.size == len(CONTENT) - 1
        part.write(CONTENT[-1:])
        assert part.is_right()
    assert contents.used == len(CONTENT)


@pytest.mark.parametrize("content", [b"hello, lies", b"short", b""])
def test_other_content_is_not_right(folder: Path, content: bytes) -> None:
    with opened(folder).open_part(REPORT) as part:
        part.write(content)
        assert not part.is_right()


def test_there_is_only_so_much_room_and_what_has_come_stays(folder: Path) -> None:
    contents = opened(folder, max_bytes=8)
    with contents.open_part(REPORT) as part:
        part.write(CONTENT[:6])
        with pytest.raises(NoRoom):
            part.write(CONTENT[6:])
    assert (contents.come(REPORT), contents.used) == (6, 6)
    contents.drop(REPORT)
    assert contents.used == 0
    assert list((folder / "incoming").iterdir()) == []


def test_full_disk_is_no_room_and_counts_what_was_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = opened(folder)
    written: list[int] = []

    def write(descriptor: int, data: memoryview) -> int:
        if written:
            raise OSError(errno.ENOSPC, "no room")
        written.append(os_write(descriptor, data[:4]))
        return written[0]

    os_write = os.write
    with contents.open_part(REPORT) as part:
        monkeypatch.setattr("os.write", write)
        with pytest.raises(NoRoom):
            part.write(CONTENT)
    assert (contents.come(REPORT), contents.used) == (4, 4)


def test_one_at_a_time_writes_a_part(folder: Path) -> None:
    contents = opened(folder)
    with contents.open_part(REPORT), pytest.raises(OSError, match=r"\S") as busy:
        contents.open_part(REPORT)
    assert busy.value.errno == errno.EBUSY
    contents.open_part(REPORT).close()


def test_parts_that_get_no_further_are_forgotten_unless_somebody_writes(folder: Path) -> None:
    contents = opened(folder)
    stale, fresh, open_ = (Incoming(number, REPORT.file) for number in (1, 2, 3))
    for part in (stale, fresh):
        contents.open_part(part).close()
    with contents.open_part(open_):
        for part in (stale, open_):
            os.utime(folder / "incoming" / part.name, (1000, 1000))
        assert contents.drop_stale(2000.0) == 1
    assert {path.name for path in (folder / "incoming").iterdir()} == {fresh.name, open_.name}


def test_what_is_not_ours_is_left_alone(folder: Path) -> None:
    opened(folder)
    strange = [folder / "notes.txt", folder / "incoming" / "x", folder / "ab" / "short"]
    (folder / "ab").mkdir()
    for path in strange:
        path.write_text("mine")
    contents = opened(folder)
    assert contents.drop_stale(1e12) == 0
    assert (contents.number, contents.used) == (0, 0)
    assert all(path.read_text() == "mine" for path in strange)


def test_looking_at_a_large_file_ends_with_the_server(folder: Path) -> None:
    contents = opened(folder)
    with contents.open_part(REPORT) as part:
        part.write(CONTENT)
        contents.stop()
        with pytest.raises(Stopped):
            part.is_right()
