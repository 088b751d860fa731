"""Files that are fetched: they grow beside their name, and get it once they are what was sent."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import psutil
import pytest

from tests.unit.client.scripted import run, run_on_fast_loop, until
from tests.unit.client.transfers.file_server import (
    FileServer,
    Request,
    content,
    done,
    failed,
    files_in,
    moved_to,
    read,
    ref,
)
from tests.unit.client.transfers.test_uploads import SIZES
from twocans.client import TransferState
from twocans.client.transfers import disk, http
from twocans.client.transfers.disk import Part
from twocans.protocol.messages import FileRef, Message


@pytest.mark.parametrize("size", SIZES)
def test_file_is_fetched_and_gets_its_name(tmp_path: Path, size: int) -> None:
    data = content(size)

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            message = server.offer(data)
            transfer = await done(client, client.transfers.start_download(message, tmp_path / "here.pdf"))
            assert (tmp_path / "here.pdf").read_bytes() == data
            assert files_in(tmp_path) == [tmp_path / "here.pdf"]
            assert (transfer.name, transfer.peer, transfer.message_id) == ("report.pdf", "bob", message.id)
            assert (transfer.path, transfer.size) == (str(tmp_path / "here.pdf"), size)

    run_on_fast_loop(scenario())


def test_download_that_is_cut_goes_on_where_it_was(tmp_path: Path) -> None:
    data = content(3_000_000)

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.seen = lambda: client.transfers.all[0].done
            server.cut_after = [1, 500_000, 700_000, 65_536]
            await done(client, client.transfers.start_download(server.offer(data), tmp_path / "a"))
            assert (tmp_path / "a").read_bytes() == data
            ranges = [request.headers.get("range") for request in server.requests]
            assert ranges[0] is None
            assert len(ranges) == 5
            assert all(ranges[1:])

    run(scenario())


def test_download_waits_for_a_lost_connection_and_goes_on(tmp_path: Path) -> None:
    data = content(3_000_000)

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.gate.clear()
            id_ = client.transfers.start_download(server.offer(data), tmp_path / "a")
            await moved_to(client, id_, TransferState.RUNNING)
            await until(lambda: server.running > 0)
            await server.stop()
            await moved_to(client, id_, TransferState.WAITING)
            server.gate.set()
            await server.open()
            await done(client, id_)
            assert (tmp_path / "a").read_bytes() == data

    run(scenario())


def test_what_has_taken_the_name_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    data = content(1000)

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            into = tmp_path / "a.tar.gz"
            into.write_bytes(b"somebody else's")
            (tmp_path / "a.tar (1).gz").symlink_to(tmp_path / "nowhere")
            transfer = await done(client, client.transfers.start_download(server.offer(data), into))
            assert transfer.path == str(tmp_path / "a.tar (2).gz")
            assert into.read_bytes() == b"somebody else's"
            assert read(transfer.path) == data
            assert not (tmp_path / "nowhere").exists()

    run(scenario())


def test_file_system_without_links_gets_the_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    data = content(1000)

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            (tmp_path / "a").write_bytes(b"somebody else's")
            transfer = await done(client, client.transfers.start_download(server.offer(data), tmp_path / "a"))
            assert (tmp_path / "a").read_bytes() == b"somebody else's"
            assert read(transfer.path) == data

    run(scenario())


def test_wrong_content_is_thrown_away_and_fetched_once_more(tmp_path: Path) -> None:
    data = content(1000)

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            message = server.offer(content(1000, 2), claimed=ref(data))
            id_ = client.transfers.start_download(message, tmp_path / "a")
            transfer = await failed(client, id_)
            assert (
                transfer.text == "What came is not the file that was sent, twice over, so it was thrown away."
            )
            assert len(server.requests) == 2
            assert files_in(tmp_path) == []
            server.files[ref(data).hash] = data
            client.transfers.resume(id_)
            await done(client, id_)
            assert (tmp_path / "a").read_bytes() == data

    run(scenario())


_SIZE = 100_000


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        ("200 OK", ("Content-Length: 100001",)),
        ("200 OK", ("Content-Length: 5",)),
        ("200 OK", ("Content-Encoding: gzip", f"Content-Length: {_SIZE}")),
        ("206 Partial Content", (f"Content-Length: {_SIZE}", f"Content-Range: bytes 0-{_SIZE - 1}/{_SIZE}")),
        ("206 Partial Content", (f"Content-Length: {_SIZE}",)),
        ("302 Found", ("Content-Length: 0", "Location: /files/elsewhere")),
        ("204 No Content", ("X: y",)),
        ("200 OK", ("Content-Length: many",)),
    ],
    ids=["longer", "shorter", "packed", "range-unasked", "no-range", "redirect", "empty", "no-number"],
)
def test_hostile_answer_is_refused(tmp_path: Path, status: str, headers: tuple[str, ...]) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.on_request = lambda request, _: request.answer(status, b"", *headers)
            message = server.offer(content(_SIZE))
            transfer = await failed(client, client.transfers.start_download(message, tmp_path / "a"))
            assert "not understood" in transfer.text
            assert len(server.requests) == 1
            assert files_in(tmp_path) == []

    run(scenario())


@pytest.mark.parametrize(
    "told",
    ["bytes 0-99999/100000", "bytes 5000-99998/100000", "bytes 5000-99999/*", "bytes 5000-99999/100001"],
)
def test_wrong_range_is_refused(tmp_path: Path, told: str) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.seen = lambda: client.transfers.all[0].done
            server.cut_after = [5000]

            def answer(request: Request, _: FileServer) -> object:
                if "range" in request.headers:
                    return request.answer(
                        "206 Partial Content", b"", f"Content-Range: {told}", "Content-Length: 95000"
                    )
                return None

            server.on_request = answer
            id_ = client.transfers.start_download(server.offer(content(_SIZE)), tmp_path / "a")
            assert "not understood" in (await failed(client, id_)).text
            (part,) = files_in(tmp_path)
            assert part.stat().st_size == 5000
            server.on_request = None
            client.transfers.resume(id_)
            await done(client, id_)

    run(scenario())


def test_endless_body_is_cut_off_where_the_file_should_end(tmp_path: Path) -> None:
    async def endless(request: Request) -> None:
        await request.answer("200 OK", b"", "Transfer-Encoding: chunked")
        while True:
            request.writer.write(b"10000\r\n" + bytes(65536) + b"\r\n")
            await request.writer.drain()

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.on_request = lambda request, _: endless(request)
            message = server.offer(content(_SIZE))
            transfer = await failed(client, client.transfers.start_download(message, tmp_path / "a"))
            assert "not understood" in transfer.text
            assert all(part.stat().st_size <= _SIZE for part in files_in(tmp_path))

    run(scenario())


def test_server_that_stands_still_is_left_and_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "IDLE_S", 0.2)
    data = content(3_000_000)

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.gate.clear()
            id_ = client.transfers.start_download(server.offer(data), tmp_path / "a")
            await until(lambda: len(server.requests) == 2)
            server.gate.set()
            await done(client, id_)
            assert read(str(tmp_path / "a")) == data

    run(scenario())


def test_server_that_has_forgotten_the_part_sends_all_of_it(tmp_path: Path) -> None:
    data = content(_SIZE)

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.seen = lambda: client.transfers.all[0].done
            server.cut_after = [5000]

            def forget(request: Request, _: FileServer) -> object:
                request.headers.pop("range", None)
                return None

            server.on_request = forget
            await done(client, client.transfers.start_download(server.offer(data), tmp_path / "a"))
            assert (tmp_path / "a").read_bytes() == data

    run(scenario())


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone"])
def test_file_that_is_gone_at_the_server_is_told(tmp_path: Path, status: str) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.on_request = lambda request, _: request.answer(status, b"That file is not kept any more.")
            transfer = await failed(
                client, client.transfers.start_download(server.offer(b"x"), tmp_path / "a")
            )
            assert transfer.text == "That file is not kept any more."

    run(scenario())


def test_full_disk_is_told_and_the_part_goes_on_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, room = content(3_000_000), [2]
    write = Part.write

    def writes(self: Part, piece: bytes | bytearray) -> None:
        with disk.explained(self._into):
            if not room[0]:
                raise OSError(errno.ENOSPC, "no space")
            room[0] -= 1
            write(self, piece)

    monkeypatch.setattr(Part, "write", writes)

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            id_ = client.transfers.start_download(server.offer(data), tmp_path / "a")
            transfer = await failed(client, id_)
            assert transfer.text.startswith("There is no room left on the disk for a.")
            (part,) = files_in(tmp_path)
            held = part.stat().st_size
            assert held > 0
            room[0] = 1_000_000
            client.transfers.resume(id_)
            await done(client, id_)
            assert (tmp_path / "a").read_bytes() == data
            assert server.requests[-1].headers["range"] == f"bytes={held}-"

    run(scenario())


def test_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            for size in (0, 5):
                id_ = client.transfers.start_download(server.offer(content(size)), tmp_path / "gone" / "a")
                assert (await failed(client, id_)).text == f"{tmp_path / 'gone'} is not there."

    run(scenario())


def test_message_without_a_file_cannot_be_fetched(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            message = Message(id=1, at=1, sender="bob", to="alice", text="hi", cid="c")
            with pytest.raises(ValueError, match="no file"):
                client.transfers.start_download(message, tmp_path / "a")

    run(scenario())


def test_memory_stays_small_however_large_the_file_is(tmp_path: Path) -> None:
    size, process = 300_000_000, psutil.Process()

    async def endless(request: Request) -> None:
        await request.answer("200 OK", b"", f"Content-Length: {size}")
        for _ in range(size // 100_000):
            request.writer.write(bytes(100_000))
            await request.writer.drain()

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.on_request = lambda request, _: endless(request)
            message = server.offer(b"", claimed=FileRef(ref(b"").hash, size))
            before = most = process.memory_info().rss
            id_ = client.transfers.start_download(message, tmp_path / "a")
            while client.transfers.all[0].state is not TransferState.CHECKING:
                most = max(most, process.memory_info().rss)
                await asyncio.sleep(0)
            client.transfers.cancel(id_)
            assert most - before < 50_000_000

    run(scenario())
