"""Files that are waited for, and transfers that are started again: one file, and the truth about it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import pytest
from msgspec import structs

from tests.unit.client.scripted import QUICK, next_of, run, until
from tests.unit.client.sessions import message
from tests.unit.client.transfers.file_server import FileServer, content, done, failed, files_in
from tests.unit.client.transfers.test_uploads import written
from twocans.client import (
    Client,
    Message,
    MessageNotSent,
    MessageStored,
    TransferFailed,
    TransferState,
)
from twocans.client.transfers.records import SqliteRecords
from twocans.protocol.errors import Code
from twocans.protocol.messages import Error

DATA: Final = content(600_000)


def offered(server: FileServer, name: str = "report.pdf") -> Message:
    """A message with a file of that name."""
    return structs.replace(server.offer(DATA), text=name)


def bot(server: FileServer, folder: Path) -> Client:
    return Client(f"127.0.0.1:{server.port}", "alice", timers=QUICK, folder=folder / "bot", device="test")


def test_download_is_the_path_of_the_whole_file(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            carrying = offered(server)
            path = await client.transfers.download(carrying, str(tmp_path))
            assert (path, path.read_bytes()) == (tmp_path / "report.pdf", DATA)
            assert await client.transfers.download(carrying, tmp_path) == path
            assert await client.transfers.download(offered(server), tmp_path) == path
            other = await client.transfers.download(server.offer(DATA + b"!"), tmp_path)
            assert other == tmp_path / "report (1).pdf"
            assert await client.transfers.download(carrying, tmp_path) == path
            assert files_in(tmp_path) == [other, path]

    run(scenario())


def test_name_that_leads_out_of_the_folder_is_made_safe(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            (tmp_path / "in").mkdir()
            path = await client.transfers.download(offered(server, "../../etc/passwd"), tmp_path / "in")
            assert path.parent == tmp_path / "in"

    run(scenario())


def test_download_goes_on_with_a_file_of_the_run_before(tmp_path: Path) -> None:
    """A bot that is killed while it handles a message gets the message again, and asks for its file again."""

    async def scenario() -> None:
        async with FileServer() as server:
            carrying = offered(server)
            async with bot(server, tmp_path) as client:
                server.gate.clear()
                waiting = asyncio.create_task(client.transfers.download(carrying, tmp_path))
                await until(lambda: server.running == 1)
            with pytest.raises(TransferFailed) as ended:
                await waiting
            assert ended.value.transfer.state.is_moving
            server.gate.set()
            for _ in range(2):
                async with bot(server, tmp_path) as client:
                    path = await client.transfers.download(carrying, tmp_path)
                    assert path.read_bytes() == DATA
                    assert len(client.transfers.all) == 1
            assert files_in(tmp_path) == [tmp_path / "bot", tmp_path / "report.pdf"]

    run(scenario())


def test_downloaded_file_that_is_gone_or_was_changed_is_fetched_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            carrying = offered(server)
            path = await client.transfers.download(carrying, tmp_path)
            path.unlink()
            assert await client.transfers.download(carrying, tmp_path) == path
            path.write_bytes(b"notes of one's own")
            other = await client.transfers.download(carrying, tmp_path)
            assert (other.read_bytes(), path.read_bytes()) == (DATA, b"notes of one's own")
            assert other != path

    run(scenario())


def test_starting_a_download_twice_is_one_transfer(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            carrying = offered(server)
            server.gate.clear()
            first = client.transfers.start_download(carrying, tmp_path / "a")
            assert client.transfers.start_download(carrying, str(tmp_path / "a")) == first
            assert client.transfers.start_download(carrying, tmp_path / "b") != first
            client.transfers.pause(first)
            assert client.transfers.start_download(carrying, tmp_path / "a") == first
            server.gate.set()
            await done(client, first)
            # That it is done is told again, to a program that has not heard of it.
            assert client.transfers.start_download(carrying, tmp_path / "a") == first
            await done(client, first)
            assert len(client.transfers.all) == 2

    run(scenario())


def test_upload_is_the_transfer_with_the_id_of_its_message(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            path = written(tmp_path, DATA, "a.bin")
            sent = await client.transfers.upload("bob", str(path), name="report.pdf", cid="report-1")
            stored = await next_of(client, MessageStored)
            assert (sent.id, sent.message_id) == ("report-1", stored.id)
            assert (sent.state, sent.name) == (TransferState.DONE, "report.pdf")
            assert await client.transfers.upload("bob", path, name="report.pdf", cid="report-1") == sent
            assert len(server.messages) == 1
            for other in ({"to": "carol", "name": "report.pdf"}, {"to": "bob", "name": "other.pdf"}):
                with pytest.raises(ValueError, match="another transfer"):
                    client.transfers.start_upload(other["to"], path, name=other["name"], cid="report-1")
            with pytest.raises(ValueError, match="1 to 64"):
                client.transfers.start_upload("bob", path, cid="")

    run(scenario())


def test_upload_whose_acknowledgement_was_not_noted_is_not_waited_for_in_vain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with FileServer() as server:
            path = written(tmp_path, DATA, "a.bin")
            with monkeypatch.context() as patched:
                put = SqliteRecords.put
                # As if the program had been killed between the acknowledgement and the note.
                patched.setattr(
                    SqliteRecords,
                    "put",
                    lambda self, record: None if record.message_id else put(self, record),
                )
                async with bot(server, tmp_path) as client:
                    await client.transfers.upload("bob", path, cid="c1")
            async with bot(server, tmp_path) as client:
                assert client.pending == ()
                known = client.transfers.get("c1")
                assert known is not None
                assert known.message_id is None
                assert (await client.transfers.upload("bob", path, cid="c1")).message_id

    run(scenario())


def test_file_that_fails_raises_its_sentence_and_can_be_tried_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            path = tmp_path / "a.bin"
            with pytest.raises(TransferFailed, match="is not there") as missing:
                await client.transfers.upload("bob", path, cid="c1")
            assert missing.value.transfer.state is TransferState.FAILED
            written(tmp_path, DATA, "a.bin")
            assert (await client.transfers.upload("bob", path, cid="c1")).message_id
            carrying = offered(server)
            server.refusals.append(Error(code=Code.NO_SUCH_FILE, text="It is gone."))
            with pytest.raises(TransferFailed, match="It is gone"):
                await client.transfers.download(carrying, tmp_path)
            assert (await client.transfers.download(carrying, tmp_path)).read_bytes() == DATA

    run(scenario())


def test_upload_whose_message_is_refused_raises(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.refuse_message = Code.NO_SUCH_USER
            with pytest.raises(TransferFailed) as refused:
                await client.transfers.upload("nobody", written(tmp_path, DATA))
            assert refused.value.text

    run(scenario())


def test_cancelled_transfer_ends_the_wait(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.gate.clear()
            waiting = asyncio.create_task(client.transfers.download(offered(server), tmp_path))
            await until(lambda: server.running == 1)
            client.transfers.cancel(client.transfers.all[0].id)
            with pytest.raises(TransferFailed, match="cancelled"):
                await waiting

    run(scenario())


def test_caller_that_stops_waiting_leaves_the_transfer_under_way(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.gate.clear()
            waiting = asyncio.create_task(client.transfers.download(offered(server), tmp_path))
            await until(lambda: server.running == 1)
            waiting.cancel()
            await asyncio.wait({waiting})
            server.gate.set()
            await done(client, client.transfers.all[0].id)

    run(scenario())


def test_finished_transfer_can_be_asked_for_after_a_restart_and_forgotten(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server:
            async with bot(server, tmp_path) as client:
                path = await client.transfers.download(offered(server), tmp_path)
                id_ = client.transfers.all[0].id
            async with bot(server, tmp_path) as client:
                known = client.transfers.get(id_)
                assert known is not None
                assert (known.state, known.path) == (TransferState.DONE, str(path))
                client.transfers.forget(id_)
                client.transfers.forget(id_)
                assert client.transfers.get(id_) is None
                gone = client.transfers.start_upload("bob", tmp_path / "gone")
                await failed(client, gone)
                with pytest.raises(ValueError, match="only a transfer that is done"):
                    client.transfers.forget(gone)
            async with bot(server, tmp_path) as client:
                assert [one.id for one in client.transfers.all] == [gone]
                assert path.read_bytes() == DATA

    run(scenario())


def test_closed_client_starts_nothing_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server:
            async with server.client() as client:
                carrying = offered(server)
                await client.transfers.download(carrying, tmp_path)
            with pytest.raises(MessageNotSent):
                await client.transfers.download(carrying, tmp_path)

    run(scenario())


def test_paths_that_are_none_are_refused_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            for wrong in (None, 5, b"bytes"):
                with pytest.raises(TypeError):
                    client.transfers.start_upload("bob", wrong)  # type: ignore[arg-type]  # what is tested
                with pytest.raises(TypeError):
                    client.transfers.start_download(offered(server), wrong)  # type: ignore[arg-type]  # what is tested
            with pytest.raises(ValueError, match="carries no file"):
                await client.transfers.download(message(3), tmp_path)
            assert client.transfers.all == ()

    run(scenario())
