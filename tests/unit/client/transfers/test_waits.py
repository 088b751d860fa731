"""Each wait of a file on its way, with its wake-up as the only thing that happens: no timer runs out, no PING comes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.unit.client.scripted import next_of, run, until
from tests.unit.client.test_waits import NEVER_S, STILL, still_waiting
from tests.unit.client.transfers.file_server import (
    FileServer,
    content,
    done,
    failed,
    files_in,
    moved_to,
    read,
)
from tests.unit.client.transfers.test_transfers import state_of
from tests.unit.client.transfers.test_uploads import written
from twocans.client import Client, Offline, TransferState
from twocans.client import driver as driver_module
from twocans.client.transfers import http
from twocans.client.transfers.disk import Part
from twocans.client.transfers.threads import Threads

DATA: Final = content(2_000_000)


@pytest.fixture(autouse=True)
def _no_timers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_module, "LONGEST_TICK_S", NEVER_S)
    monkeypatch.setattr(http, "IDLE_S", NEVER_S)
    monkeypatch.setattr(http, "ANSWER_S", NEVER_S)


def begin(client: Client, server: FileServer, folder: Path, number: int, *, outgoing: bool) -> str:
    """A transfer of a file of its own."""
    data = DATA + bytes([number])
    if outgoing:
        return client.transfers.start_upload("bob", written(folder, data, str(number)))
    return client.transfers.start_download(server.offer(data), folder / f"{number}.in")


class HeldWrites:
    """Has the disk stand still at the first write of a file that comes, until `may_end` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.began, self.may_end, write = threading.Event(), threading.Event(), Part.write

        def held(part: Part, piece: bytes | bytearray) -> None:
            self.began.set()
            self.may_end.wait()
            write(part, piece)

        monkeypatch.setattr(Part, "write", held)


both_ways = pytest.mark.parametrize("outgoing", [True, False], ids=["sent", "fetched"])


@both_ways
def test_a_file_that_waits_for_the_connection_goes_when_it_is_there(
    tmp_path: Path, *, outgoing: bool
) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client(timers=STILL) as client:
            server.cut()
            await next_of(client, Offline)
            id_ = begin(client, server, tmp_path, 1, outgoing=outgoing)
            await until(lambda: not outgoing or client.transfers.all[0].size > 0)
            client.retry_now()
            await done(client, id_)

    run(scenario())


@both_ways
@pytest.mark.parametrize("how", ["pause", "cancel", "end"])
def test_the_next_file_has_its_turn_when_one_leaves(tmp_path: Path, how: str, *, outgoing: bool) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client(timers=STILL) as client:
            server.gate.clear()
            first, _, third = (begin(client, server, tmp_path, n, outgoing=outgoing) for n in range(3))
            await until(lambda: server.running == 2)
            assert state_of(client, third) is not TransferState.RUNNING
            leave: Callable[[], None] = {
                "pause": lambda: client.transfers.pause(first),
                "cancel": lambda: client.transfers.cancel(first),
                "end": server.gate.set,
            }[how]
            leave()
            await until(lambda: len(server.requests) == 3)
            server.gate.set()
            await until(lambda: state_of(client, third) is TransferState.DONE)

    run(scenario())


def test_a_file_goes_on_when_the_disk_has_finished_what_it_was_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = HeldWrites(monkeypatch)

    async def scenario() -> None:
        async with FileServer() as server, server.client(timers=STILL) as client:
            id_ = client.transfers.start_download(server.offer(DATA), tmp_path / "a")
            await until(disk.began.is_set)
            client.transfers.pause(id_)
            client.transfers.resume(id_)
            disk.may_end.set()
            await done(client, id_)
            assert read(str(tmp_path / "a")) == DATA

    run(scenario())


def test_a_cancelled_file_is_gone_when_the_disk_has_finished_what_it_was_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = HeldWrites(monkeypatch)

    async def scenario() -> None:
        async with FileServer() as server, server.client(timers=STILL) as client:
            id_ = client.transfers.start_download(server.offer(DATA), tmp_path / "a")
            await until(disk.began.is_set)
            client.transfers.cancel(id_)
            disk.may_end.set()
            await moved_to(client, id_, TransferState.CANCELLED)
            assert files_in(tmp_path) == []

    run(scenario())


@pytest.mark.parametrize("again", ["resume", "pause", "cancel"])
def test_file_that_is_being_removed_stays_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: str
) -> None:
    began, may_end, remove = threading.Event(), threading.Event(), Part.remove
    removals: list[Part] = []

    def held(part: Part) -> None:
        removals.append(part)
        began.set()
        may_end.wait()
        remove(part)

    monkeypatch.setattr(Part, "remove", held)

    async def scenario() -> None:
        async with FileServer() as server, server.client(timers=STILL) as client:
            server.gate.clear()
            id_ = client.transfers.start_download(server.offer(DATA), tmp_path / "a")
            await until(lambda: server.running == 1)
            if again != "pause":
                client.transfers.pause(id_)
            client.transfers.cancel(id_)
            await until(began.is_set)
            getattr(client.transfers, again)(id_)
            seen = client.transfers.all
            may_end.set()
            assert seen == ()
            await moved_to(client, id_, TransferState.CANCELLED)
            server.gate.set()
            await done(client, client.transfers.start_upload("bob", written(tmp_path, b"another file")))
            assert client.transfers.all[0].state is TransferState.DONE
            assert files_in(tmp_path) == [tmp_path / "report.pdf"]
            assert len(removals) == 1

    run(scenario())


def test_closing_ends_when_the_disk_has_finished_what_it_was_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = HeldWrites(monkeypatch)

    async def scenario() -> None:
        async with FileServer() as server:
            client = server.client(timers=STILL)
            await client.connect()
            client.transfers.start_download(server.offer(DATA), tmp_path / "a")
            await until(disk.began.is_set)
            closing = asyncio.create_task(client.close())
            await still_waiting(closing)
            disk.may_end.set()
            await closing

    run(scenario())


def test_whoever_is_cancelled_while_a_thread_works_ends_with_it() -> None:
    async def scenario() -> None:
        threads, began, may_end = Threads(), threading.Event(), threading.Event()

        def work() -> str:
            began.set()
            may_end.wait()
            return "done"

        stopped, kept = threading.Event(), asyncio.create_task(threads.run_to_the_end(work))
        await until(began.is_set)
        waiting = asyncio.create_task(threads.run(work, stop=stopped))
        await still_waiting(waiting)
        waiting.cancel()
        kept.cancel()
        await still_waiting(waiting)
        assert stopped.is_set()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await kept == "done"
        threads.close()

    run(scenario())


def test_a_body_that_stands_still_goes_on_when_the_server_reads_or_writes_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client(timers=STILL) as client:
            server.gate.clear()
            sent = begin(client, server, tmp_path, 1, outgoing=True)
            fetched = begin(client, server, tmp_path, 2, outgoing=False)
            await until(lambda: server.running == 2)
            server.gate.set()
            for id_ in (sent, fetched):
                await until(lambda id_=id_: state_of(client, id_) is TransferState.DONE)  # type: ignore[misc]

    run(scenario())


@both_ways
def test_a_file_whose_ticket_is_refused_fails_at_once(tmp_path: Path, *, outgoing: bool) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client(timers=STILL) as client:
            server.next_ticket = "no/ticket"
            id_ = begin(client, server, tmp_path, 1, outgoing=outgoing)
            await failed(client, id_)

    run(scenario())
