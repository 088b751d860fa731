"""Several files at once: turns, pauses, ends, what is told of them, and what is left for another time of the program."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

import pytest
from msgspec import structs

from tests.support.process import environment
from tests.unit.client.scripted import QUICK, next_of, rest_of, run, until
from tests.unit.client.sessions import HandClock
from tests.unit.client.transfers.file_server import (
    FileServer,
    content,
    done,
    failed,
    files_in,
    moved_to,
    read,
    ref,
)
from tests.unit.client.transfers.test_uploads import written
from twocans.client import (
    Address,
    Client,
    MessageNotSent,
    MessageStored,
    OutboxUnusable,
    SqliteOutbox,
    TransferMoved,
    TransferState,
)
from twocans.client.codes import ErrorCode
from twocans.client.transfers import transfers
from twocans.client.transfers.disk import Part
from twocans.client.transfers.records import SqliteRecords

DATA: Final = content(2_000_000)
WHERE: Final = Address("127.0.0.1", 5050)


def outbox_at(folder: Path) -> SqliteOutbox:
    return SqliteOutbox(folder / "outbox.db", WHERE, "alice")


def state_of(client: Client, id_: str) -> TransferState:
    (state,) = (one.state for one in client.transfers.all if one.id == id_)
    return state


def test_two_go_at_a_time_in_each_direction_and_the_others_in_their_order(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.gate.clear()
            up = [
                client.transfers.start_upload("bob", written(tmp_path, DATA + bytes([n]), f"{n}"))
                for n in range(5)
            ]
            down = [
                client.transfers.start_download(server.offer(content(2_000_000, n)), tmp_path / f"{n}.in")
                for n in range(5)
            ]
            await until(lambda: server.running == 4)
            running = [one.id for one in client.transfers.all if one.state is TransferState.RUNNING]
            assert running == [*up[:2], *down[:2]]
            server.gate.set()
            for id_ in (up[-1], down[-1]):
                await until(lambda id_=id_: state_of(client, id_) is TransferState.DONE)  # type: ignore[misc]
            assert server.most_running == 4
            await until(lambda: len(server.messages) == 5)
            assert {one.cid for one in server.messages} == set(up)

    run(scenario())


@pytest.mark.parametrize("outgoing", [True, False], ids=["sent", "fetched"])
def test_paused_file_stands_still_until_it_goes_on(tmp_path: Path, *, outgoing: bool) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.gate.clear()
            if outgoing:
                id_ = client.transfers.start_upload("bob", written(tmp_path, DATA))
            else:
                id_ = client.transfers.start_download(server.offer(DATA), tmp_path / "a")
            await until(lambda: server.running == 1)
            client.transfers.pause(id_)
            await moved_to(client, id_, TransferState.PAUSED)
            server.gate.set()
            await until(lambda: server.running == 0)
            assert state_of(client, id_) is TransferState.PAUSED
            for _ in range(3):
                client.transfers.resume(id_)
                client.transfers.pause(id_)
            client.transfers.resume(id_)
            await until(lambda: state_of(client, id_) is TransferState.DONE)
            if not outgoing:
                assert read(str(tmp_path / "a")) == DATA
            else:
                await next_of(client, MessageStored)
                assert len(server.messages) == 1

    run(scenario())


def test_what_goes_on_waits_for_the_disk_that_was_at_work_when_it_was_paused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, may_end, write = threading.Event(), threading.Event(), Part.write

    def slow(self: Part, piece: bytes | bytearray) -> None:
        began.set()
        may_end.wait()
        write(self, piece)

    monkeypatch.setattr(Part, "write", slow)

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            id_ = client.transfers.start_download(server.offer(DATA), tmp_path / "a")
            await until(began.is_set)
            client.transfers.pause(id_)
            client.transfers.resume(id_)
            other = client.transfers.start_download(server.offer(b"other"), tmp_path / "b")
            await until(lambda: len(server.requests) == 2)
            assert state_of(client, id_) is TransferState.WAITING
            may_end.set()
            for one in (id_, other):
                await until(lambda one=one: state_of(client, one) is TransferState.DONE)  # type: ignore[misc]
            assert read(str(tmp_path / "a")) == DATA
            assert "range" in server.requests[-1].headers

    run(scenario())


def test_pause_while_hashing_and_while_checking(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(1_000_000_000)

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            id_ = client.transfers.start_upload("bob", large)
            hashing = await moved_to(client, id_, TransferState.HASHING)
            assert hashing.size == 1_000_000_000
            client.transfers.pause(id_)
            await moved_to(client, id_, TransferState.PAUSED)
            await until(lambda: len(asyncio.all_tasks()) < 6)
            assert server.requests == []
            client.transfers.cancel(id_)
            await moved_to(client, id_, TransferState.CANCELLED)
            fetched = client.transfers.start_download(server.offer(DATA), tmp_path / "a")
            await moved_to(client, fetched, TransferState.CHECKING)
            client.transfers.pause(fetched)
            if (
                await moved_to(client, fetched, TransferState.PAUSED, TransferState.DONE)
            ).state.value == "paused":
                assert not (tmp_path / "a").exists()
                client.transfers.resume(fetched)
                await done(client, fetched)
            assert read(str(tmp_path / "a")) == DATA

    run(scenario())


@pytest.mark.parametrize("outgoing", [True, False], ids=["sent", "fetched"])
def test_cancelled_file_leaves_nothing(tmp_path: Path, *, outgoing: bool) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.gate.clear()
            if outgoing:
                id_ = client.transfers.start_upload("bob", written(tmp_path, DATA))
            else:
                id_ = client.transfers.start_download(server.offer(DATA), tmp_path / "a")
            await until(lambda: server.running == 1)
            client.transfers.cancel(id_)
            await moved_to(client, id_, TransferState.CANCELLED)
            assert client.transfers.all == ()
            assert files_in(tmp_path) == ([tmp_path / "report.pdf"] if outgoing else [])
            for late in (client.transfers.pause, client.transfers.resume, client.transfers.cancel):
                late(id_)
            assert server.messages == []

    run(scenario())


def test_what_is_done_cannot_be_cancelled(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            id_ = client.transfers.start_download(server.offer(DATA), tmp_path / "a")
            await done(client, id_)
            client.transfers.cancel(id_)
            client.transfers.pause(id_)
            assert state_of(client, id_) is TransferState.DONE
            assert read(str(tmp_path / "a")) == DATA

    run(scenario())


def test_unfinished_files_go_on_another_time_and_paused_ones_stay_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server:
            server.gate.clear()
            first = outbox_at(tmp_path)
            async with server.client(outbox=first) as client:
                sent = client.transfers.start_upload("bob", written(tmp_path, DATA))
                fetched = client.transfers.start_download(server.offer(content(2_000_000, 2)), tmp_path / "a")
                paused = client.transfers.start_download(server.offer(content(100_000, 3)), tmp_path / "b")
                client.transfers.pause(paused)
                await until(lambda: server.running == 2)
            first.close()
            server.gate.set()
            second = outbox_at(tmp_path)
            client = server.client(outbox=second)
            assert [one.id for one in client.transfers.all] == [sent, fetched, paused]
            async with client:
                await until(lambda: state_of(client, fetched) is TransferState.DONE)
                await until(lambda: state_of(client, sent) is TransferState.DONE)
                assert state_of(client, paused) is TransferState.PAUSED
                assert read(str(tmp_path / "a")) == content(2_000_000, 2)
                await next_of(client, MessageStored)
                assert [one.cid for one in server.messages] == [sent]
                client.transfers.cancel(paused)
                await moved_to(client, paused, TransferState.CANCELLED)
            second.close()
            third = outbox_at(tmp_path)
            assert [(one.id, one.state.value) for one in server.client(outbox=third).transfers.all] == [
                (sent, "done"),
                (fetched, "done"),
            ]
            third.close()

    run(scenario())


def test_file_that_has_its_name_when_the_program_ends_is_not_fetched_twice(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server:
            first = outbox_at(tmp_path)
            async with server.client(outbox=first) as client:
                id_ = client.transfers.start_download(server.offer(DATA), tmp_path / "a")
                await done(client, id_)
                (record,) = first.transfers.load()
            # As it is if the program ends before the last state is written.
            first.transfers.put(structs.replace(record, state=TransferState.WAITING))
            assert record.state is TransferState.DONE
            asked = len(server.requests)
            async with server.client(outbox=first) as client:
                assert state_of(client, id_) is TransferState.WAITING
                await done(client, id_)
                assert len(server.requests) == asked
                assert files_in(tmp_path)[0] == tmp_path / "a"
                assert [path.name for path in files_in(tmp_path) if path.suffix != ".db"][:1] == ["a"]
            first.close()

    run(scenario())


_KILLED: Final = """
import asyncio, os, signal, sys
from pathlib import Path
from twocans.client import *
from twocans.protocol.messages import FileRef
async def main(port, folder, hash_, size):
    box = SqliteOutbox(folder / "outbox.db", Address("127.0.0.1", 5050), "alice")
    async with Client(f"127.0.0.1:{port}", "alice", outbox=box, device="test") as client:
        if not client.transfers.all:
            client.transfers.start_upload("bob", folder / "report.pdf")
            file = FileRef(hash_, size)
            message = Message(id=1, at=1, sender="bob", to="alice", text="a", cid="c", file=file)
            client.transfers.start_download(message, folder / "a")
        print("running", flush=True)
        await asyncio.sleep(3600)
asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
"""


def test_program_that_is_killed_again_and_again_sends_and_fetches_everything_once(tmp_path: Path) -> None:
    up, down = content(4_000_000), content(4_000_000, 2)

    async def scenario() -> None:
        async with FileServer() as server:
            server.offer(down, "a")
            path = written(tmp_path, up)
            for round_ in range(4):
                # Each time both get further; the last one to the end.
                server.cut_after = [1_000_000] * 2 if round_ < 3 else []
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-c",
                    _KILLED,
                    *(str(server.port), str(tmp_path), ref(down).hash, str(len(down))),
                    env=environment(),
                    stdout=subprocess.PIPE,
                )
                try:
                    assert process.stdout is not None
                    await process.stdout.readline()
                    if round_ == 3:
                        await until(lambda: bool(server.messages) and (tmp_path / "a").exists())
                finally:
                    process.kill()
                    await process.wait()
            assert read(str(path)) == up
            assert read(str(tmp_path / "a")) == down
            assert [one.file for one in server.messages] == [ref(up)]
            box = outbox_at(tmp_path)
            async with server.client(outbox=box) as client:
                await until(lambda: {one.state for one in client.transfers.all} == {TransferState.DONE})
                await until(lambda: not client.pending)
            box.close()
            assert {one.cid for one in server.messages} == {server.messages[0].cid}
            assert [path.name for path in files_in(tmp_path) if path.name.startswith("a")] == ["a"]

    # The servers' side of a connection whose client was killed in the middle of its handshake.
    run(scenario(), expected=("Error on transport creation",))


def test_files_wait_before_the_first_connection(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server:
            client = server.client()
            id_ = client.transfers.start_upload("bob", written(tmp_path, DATA))
            gone = client.transfers.start_upload("bob", written(tmp_path, DATA))
            client.transfers.cancel(gone)
            assert [one.id for one in client.transfers.all] == [id_]
            async with client:
                await done(client, id_)
                assert [one.id for one in client.transfers.all] == [id_]

    run(scenario())


def test_closed_client_takes_no_files_and_nothing_is_told_after_the_end(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server:
            client = server.client()
            await client.connect()
            server.gate.clear()
            ids = [
                client.transfers.start_upload("bob", written(tmp_path, DATA + bytes([n]), f"{n}"))
                for n in range(4)
            ]
            await until(lambda: server.running == 2)
            await client.close()
            assert len(asyncio.all_tasks()) <= 1 + len(server._tasks)
            await rest_of(client)
            with pytest.raises(MessageNotSent) as raised:
                client.transfers.start_upload("bob", tmp_path / "0")
            assert raised.value.code == ErrorCode.CLOSED
            for id_ in ids:
                client.transfers.resume(id_)
                client.transfers.cancel(id_)
                client.transfers.pause(id_)

    run(scenario())


def test_too_many_files_are_refused_and_old_ones_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfers, "MAX_UNFINISHED", 3)
    monkeypatch.setattr(transfers, "MAX_FINISHED", 2)

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            path = written(tmp_path, b"data")
            for _ in range(5):
                await done(client, client.transfers.start_upload("bob", path))
            assert len(client.transfers.all) == 2
            server.on_request = lambda request, _: request.answer("507 Insufficient Storage")
            other = written(tmp_path, b"other", "other")
            for _ in range(3):
                await failed(client, client.transfers.start_upload("bob", other))
            with pytest.raises(MessageNotSent) as raised:
                client.transfers.start_upload("bob", other)
            assert raised.value.code == ErrorCode.BUSY

    run(scenario())


def test_file_that_cannot_be_written_down_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: SqliteRecords, record: object) -> None:
        raise OutboxUnusable("The disk is full.")

    async def scenario() -> None:
        async with FileServer() as server:
            box = outbox_at(tmp_path)
            async with server.client(outbox=box) as client:
                monkeypatch.setattr(SqliteRecords, "put", refuse)
                with pytest.raises(MessageNotSent) as raised:
                    client.transfers.start_upload("bob", tmp_path / "a")
                assert raised.value.code == ErrorCode.UNWRITTEN
                assert client.transfers.all == ()
            box.close()

    run(scenario())


def test_names_and_paths_that_are_no_text_are_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            for to, path in (("bo\ud800b", tmp_path), ("bob", tmp_path / "\ud800")):
                with pytest.raises(ValueError, match="surrogates"):
                    client.transfers.start_upload(to, path)

    run(scenario())


def test_progress_is_told_about_ten_times_a_second_and_states_always(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server:
            clock = HandClock()
            client = Client(f"127.0.0.1:{server.port}", "alice", timers=QUICK, clock=clock, device="test")
            async with client:
                id_ = client.transfers.start_download(server.offer(content(20_000_000)), tmp_path / "a")
                states: list[TransferState] = []
                async for event in client:
                    if isinstance(event, TransferMoved):
                        states.append(event.transfer.state)
                        if event.transfer.state is TransferState.DONE:
                            break
                # The clock stands still: no more than one a state.
                assert states == [TransferState.RUNNING, TransferState.CHECKING, TransferState.DONE]
                server.gate.clear()
                id_ = client.transfers.start_download(server.offer(content(5_000_000, 2)), tmp_path / "b")
                await moved_to(client, id_, TransferState.RUNNING)
                clock.turn(0.11)
                server.gate.set()
                assert (await moved_to(client, id_, TransferState.RUNNING)).done > 0
                await done(client, id_)

    run(scenario())


def test_program_that_takes_no_events_is_not_flooded(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server:
            clock = HandClock()
            client = Client(f"127.0.0.1:{server.port}", "alice", timers=QUICK, clock=clock, device="test")
            async with client:
                id_ = client.transfers.start_download(server.offer(content(20_000_000)), tmp_path / "a")
                while state_of(client, id_) is not TransferState.DONE:
                    clock.turn(0.2)
                    await asyncio.sleep(0)
                assert len(client._driver.stream) < 10

    run(scenario())
