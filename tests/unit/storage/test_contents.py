"""The bytes of files on disk: counted, bounded, and what breaks off stays."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from twocans.protocol.messages import FileRef
from twocans.storage.contents import Contents, Incoming, NoRoom, Stopped
from twocans.storage.disk_space import (
    BLOCK_BYTES,
    MAX_RESERVE_BYTES,
    MIN_FREE_INODES,
    MIN_RESERVE_BYTES,
    Room,
    room_left,
)

CONTENT = b"hello, file"


def ref(content: bytes) -> FileRef:
    return FileRef(hashlib.sha256(content).hexdigest(), len(content))


REPORT = Incoming(7, ref(CONTENT))
OTHER = Incoming(7, ref(b"another file"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


class Disk:
    """A disk with so much room for files, and a clock."""

    def __init__(self, room: int = 10**6) -> None:
        self.room = room
        self.now_s = 0.0


def opened(
    folder: Path, *, max_bytes: int = 1000, durable: bool = False, disk: Disk | None = None
) -> Contents:
    disk = disk or Disk()
    return Contents(
        folder,
        max_bytes=max_bytes,
        durable=durable,
        block_bytes=1,
        room=lambda _: disk.room,
        clock=lambda: disk.now_s,
    )


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
    assert again.uploads_of(7, besides=OTHER) == (1, 5)
    assert again.uploads_of(8, besides=OTHER) == (0, 0)
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


def test_no_file_takes_what_the_disk_keeps_for_messages(folder: Path) -> None:
    disk = Disk(room=8)
    contents = opened(folder, disk=disk)
    assert contents.capacity() == 8
    with contents.open_part(REPORT) as part:
        part.write(CONTENT[:6])
        disk.room = 2
        assert contents.capacity() == 8
        with pytest.raises(NoRoom):
            part.write(CONTENT[6:])
    assert contents.used == 6


def test_full_disk_opens_no_upload(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = opened(folder)

    def open_(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no room")

    with monkeypatch.context() as patched:
        patched.setattr("os.open", open_)
        with pytest.raises(NoRoom):
            contents.open_part(REPORT)
    contents.open_part(REPORT).close()


def test_upload_counts_as_a_whole_while_it_may_go_on_without_asking(folder: Path) -> None:
    disk = Disk()
    contents = opened(folder, disk=disk)
    size = REPORT.file.size
    contents.reserve(REPORT, valid_s=10)
    assert contents.uploads_of(7, besides=OTHER) == (1, size)
    assert contents.uploads_of(7, besides=REPORT) == (0, 0)
    assert (contents.is_reserved(REPORT), contents.awaited(besides=OTHER)) == (True, 0)
    with contents.open_part(REPORT) as part:
        part.write(CONTENT[:5])
        disk.now_s = 10
        assert contents.uploads_of(7, besides=OTHER) == (1, size)
        assert (contents.awaited(besides=OTHER), contents.awaited(besides=REPORT)) == (size - 5, 0)
    assert contents.uploads_of(7, besides=OTHER) == (1, 5)
    assert contents.awaited(besides=OTHER) == 0
    contents.drop(REPORT)
    assert contents.uploads_of(7, besides=OTHER) == (0, 0)


def test_reserve_on_a_small_disk_and_on_a_large_one(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    for total, reserve in ((10**8, MIN_RESERVE_BYTES), (10**9, 5 * 10**7), (10**12, MAX_RESERVE_BYTES)):
        monkeypatch.setattr(
            shutil, "disk_usage", lambda _, total=total: usage._replace(total=total, free=total)
        )
        assert room_left(Path("/")) == Room(total - reserve, reserve - reserve // 4)


def test_disk_without_inodes_has_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    short = SimpleNamespace(f_files=10**6, f_favail=MIN_FREE_INODES - 1)
    monkeypatch.setattr(os, "statvfs", lambda _: short)
    assert room_left(Path("/")).beyond_reserve == 0


def test_part_that_could_not_be_synced_starts_over(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = opened(folder, durable=True)
    part = contents.open_part(REPORT)
    part.write(CONTENT[:5])

    def fsync(_: int) -> None:
        raise OSError(errno.EIO, "the disk fails")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", fsync)
        with pytest.raises(OSError, match="the disk fails"):
            part.close()
    assert (contents.come(REPORT), contents.used) == (0, 1)
    assert opened(folder).come(REPORT) == 0
    bring(contents, REPORT, CONTENT)
    assert contents.used == len(CONTENT)


def test_small_files_count_as_the_disk_counts_them(folder: Path) -> None:
    contents = Contents(folder, max_bytes=3 * BLOCK_BYTES, durable=False)
    bring(contents, REPORT, CONTENT)
    assert contents.used == BLOCK_BYTES
    with contents.open_part(OTHER) as part:
        assert contents.used == 2 * BLOCK_BYTES
        part.write(b"another ")
        part.write(b"file")
    assert contents.used == 2 * BLOCK_BYTES
    with contents.open_part(Incoming(8, FileRef("0" * 64, 2 * BLOCK_BYTES))) as part:
        part.write(bytes(BLOCK_BYTES))
        with pytest.raises(NoRoom):
            part.write(b"x")
    assert contents.used == 3 * BLOCK_BYTES
    assert Contents(folder, max_bytes=0, durable=False).used == contents.used
    contents.remove(REPORT.file.hash)
    contents.drop(OTHER)
    assert contents.used == BLOCK_BYTES
