"""Files from one person to another through the real server, whatever is cut or killed on the way."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.support.cutting import Proxy
from tests.support.process import ServerProcess, environment
from tests.unit.client.scripted import QUICK, next_of, until
from tests.unit.client.scripted import run_on_fast_loop as run
from tests.unit.client.transfers.file_server import content, done, failed, files_in, moved_to, read
from tests.unit.client.transfers.test_transfers import state_of
from tests.unit.client.transfers.test_uploads import written
from twocans.client import (
    CaughtUp,
    Client,
    MemoryTokens,
    Message,
    MessageReceived,
    MessageStored,
    Tokens,
    TransferState,
)
from twocans.client.transfers.disk import PIECE_BYTES
from twocans.server.runtime import Server
from twocans.server.settings.config import Concurrency, Config

MIB: Final = 1024 * 1024
CUTS: Final = 20


@pytest.fixture(params=list(Concurrency), ids=lambda mode: mode.value)
def concurrency(request: pytest.FixtureRequest) -> Concurrency:
    mode = request.param
    assert isinstance(mode, Concurrency)
    return mode


@asynccontextmanager
async def serving(folder: Path, concurrency: Concurrency = Concurrency.ASYNC) -> AsyncIterator[Server]:
    data = folder / "server"
    data.mkdir()
    server = Server(Config(host="127.0.0.1", port=0, data=data, concurrency=concurrency))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def at(port: int, user: str, tokens: Tokens | None = None) -> Client:
    return Client(f"127.0.0.1:{port}", user, timers=QUICK, tokens=tokens, device="test")


async def file_for(client: Client) -> Message:
    """The next message that carries a file."""
    event = await next_of(client, MessageReceived, lambda event: event.message.file is not None)
    return event.message


@pytest.mark.parametrize(
    "size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 50 * MIB], ids=lambda size: f"{size}"
)
def test_file_of_any_size_arrives(tmp_path: Path, concurrency: Concurrency, size: int) -> None:
    data = content(size)

    async def scenario() -> None:
        async with (
            serving(tmp_path, concurrency) as server,
            at(server.port, "alice") as alice,
            at(server.port, "bob") as bob,
        ):
            id_ = alice.transfers.start_upload("bob", written(tmp_path, data, "böse 📎.pdf"))
            stored = await next_of(alice, MessageStored)
            message = await file_for(bob)
            assert (message.text, message.cid, message.id) == ("böse 📎.pdf", id_, stored.id)
            assert message.file == stored.file
            await done(bob, bob.transfers.start_download(message, tmp_path / "bob.pdf"))
            assert read(str(tmp_path / "bob.pdf")) == data
            # The sender may fetch it back, too.
            (own,) = (await alice.history_page("bob")).messages
            await done(alice, alice.transfers.start_download(own, tmp_path / "own.pdf"))
            assert read(str(tmp_path / "own.pdf")) == data

    run(scenario())


def test_the_same_file_is_brought_once(tmp_path: Path) -> None:
    data = content(5 * MIB)

    async def scenario() -> None:
        async with (
            serving(tmp_path) as server,
            Proxy(server.port) as proxy,
            at(proxy.port, "alice") as alice,
            at(server.port, "bob") as bob,
        ):
            await done(alice, alice.transfers.start_upload("bob", written(tmp_path, data)))
            await next_of(alice, MessageStored)
            assert proxy.passed > len(data)
            before = proxy.passed
            await done(alice, alice.transfers.start_upload("bob", written(tmp_path, data, "again.pdf")))
            await next_of(alice, MessageStored)
            assert proxy.passed - before < 100_000
            assert [(await file_for(bob)).text for _ in range(2)] == ["report.pdf", "again.pdf"]

    run(scenario())


def test_somebody_who_knows_only_the_hash_brings_all_of_it(tmp_path: Path) -> None:
    data = content(2 * MIB)

    async def scenario() -> None:
        async with (
            serving(tmp_path) as server,
            Proxy(server.port) as proxy,
            at(server.port, "alice") as alice,
            at(proxy.port, "mallory") as mallory,
        ):
            path = written(tmp_path, data)
            await done(alice, alice.transfers.start_upload("bob", path))
            await done(mallory, mallory.transfers.start_upload("bob", path))
            assert proxy.passed > len(data)

    run(scenario())


@pytest.mark.parametrize("seed", range(3))
def test_connections_cut_anywhere_lose_nothing(tmp_path: Path, seed: int) -> None:
    data, random = content(20 * MIB, seed), Random(seed)  # noqa: S311 - data for tests
    cuts = [random.randrange(1, 3 * MIB) for _ in range(CUTS)]

    async def scenario() -> None:
        async with (
            serving(tmp_path) as server,
            Proxy(server.port) as proxy,
            at(proxy.port, "alice", MemoryTokens()) as alice,
            at(proxy.port, "bob", MemoryTokens()) as bob,
        ):
            proxy.cut_after = list(cuts)
            id_ = alice.transfers.start_upload("bob", written(tmp_path, data))
            message = await file_for(bob)
            proxy.cut_after += cuts[: CUTS - len(proxy.cut_after)]
            await done(bob, bob.transfers.start_download(message, tmp_path / "bob.pdf"))
            assert read(str(tmp_path / "bob.pdf")) == data
            await until(lambda: state_of(alice, id_) is TransferState.DONE)
            assert [one.cid for one in (await bob.history_page("alice")).messages] == [id_]

    run(scenario())


def test_recipient_who_was_away_and_both_their_devices_get_it(tmp_path: Path) -> None:
    data = content(3 * MIB)

    async def scenario() -> None:
        async with serving(tmp_path) as server, at(server.port, "alice") as alice:
            tokens = MemoryTokens()
            async with at(server.port, "bob", tokens) as bob:
                await next_of(bob, CaughtUp)
            await done(alice, alice.transfers.start_upload("bob", written(tmp_path, data)))
            await next_of(alice, MessageStored)
            async with at(server.port, "bob", tokens) as one, at(server.port, "bob", tokens) as other:
                for number, device in enumerate((one, other)):
                    (message,) = (await device.history_page("alice")).messages
                    into = tmp_path / f"{number}.pdf"
                    await done(device, device.transfers.start_download(message, into))
                    assert read(str(into)) == data

    run(scenario())


def test_file_of_a_stranger_cannot_be_fetched(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            serving(tmp_path) as server,
            at(server.port, "alice") as alice,
            at(server.port, "bob") as bob,
            at(server.port, "mallory") as mallory,
        ):
            await done(alice, alice.transfers.start_upload("bob", written(tmp_path, b"secret")))
            message = await file_for(bob)
            assert (await failed(mallory, mallory.transfers.start_download(message, tmp_path / "m"))).text
            assert not [path for path in files_in(tmp_path) if path.name.startswith("m")]

    run(scenario())


def test_paused_and_cancelled_uploads(tmp_path: Path) -> None:
    data = content(50 * MIB)

    async def scenario() -> None:
        async with (
            serving(tmp_path) as server,
            Proxy(server.port, hold_after=MIB) as proxy,
            at(proxy.port, "alice") as alice,
            at(server.port, "bob") as bob,
        ):
            proxy.hold()
            id_ = alice.transfers.start_upload("bob", written(tmp_path, data))
            gone = alice.transfers.start_upload("bob", written(tmp_path, data + b"x", "gone.pdf"))
            await moved_to(alice, id_, TransferState.RUNNING)
            await until(lambda: proxy.holding)
            alice.transfers.pause(id_)
            alice.transfers.cancel(gone)
            await until(lambda: [one.id for one in alice.transfers.all] == [id_])
            assert state_of(alice, id_) is TransferState.PAUSED
            proxy.release()
            alice.transfers.resume(id_)
            await next_of(alice, MessageStored)
            message = await file_for(bob)
            assert message.cid == id_
            await done(bob, bob.transfers.start_download(message, tmp_path / "bob.pdf"))
            assert read(str(tmp_path / "bob.pdf")) == data

    run(scenario())


def test_server_that_is_killed_and_started_again_gets_and_gives_all_of_it(tmp_path: Path) -> None:
    data = content(50 * MIB)

    async def scenario() -> None:
        folder, port = tmp_path / "server", 0
        server = await asyncio.to_thread(lambda: ServerProcess(data=folder, forked=True))
        port = server.port

        async def killed() -> ServerProcess:
            await asyncio.to_thread(server.kill)
            return await asyncio.to_thread(lambda: ServerProcess(data=folder, port=port, forked=True))

        try:
            async with at(port, "alice") as alice, at(port, "bob") as bob:
                id_ = alice.transfers.start_upload("bob", written(tmp_path, data))
                await until(lambda: alice.transfers.all[0].done > 5 * MIB)
                server = await killed()
                message = await file_for(bob)
                fetched = bob.transfers.start_download(message, tmp_path / "bob.pdf")
                await until(lambda: bob.transfers.all[0].done > 5 * MIB)
                server = await killed()
                await done(bob, fetched)
                assert read(str(tmp_path / "bob.pdf")) == data
                await until(lambda: bob.connected)
                assert [one.cid for one in (await bob.history_page("alice")).messages] == [id_]
        finally:
            await asyncio.to_thread(server.kill)

    run(scenario())


_KILLED: Final = """
import asyncio, sys
from pathlib import Path
from twocans.client import *
async def main(port, folder):
    where = Address("127.0.0.1", port)
    box = SqliteOutbox(folder / "outbox.db", where, "alice")
    tokens = FileTokens(folder / "tokens.json")
    async with Client(where, "alice", outbox=box, tokens=tokens, device="test") as client:
        if not client.transfers.all:
            client.transfers.start_upload("bob", folder / "report.pdf")
        elif client.transfers.all[0].state is TransferState.DONE:
            print("-1", flush=True)
        async for event in client:
            if isinstance(event, TransferMoved) and event.transfer.state is TransferState.RUNNING:
                print(event.transfer.done, flush=True)
asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
"""


def test_program_that_is_killed_while_it_sends_sends_it_once_another_time(tmp_path: Path) -> None:
    data = content(20 * MIB)

    @asynccontextmanager
    async def program(port: int) -> AsyncIterator[asyncio.StreamReader]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-c", _KILLED, str(port), str(tmp_path)),
            env=environment(),
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        try:
            yield process.stdout
        finally:
            process.kill()
            await process.wait()

    async def scenario() -> None:
        written(tmp_path, data)
        async with serving(tmp_path) as server, at(server.port, "bob") as bob:
            offsets = []
            for _ in range(2):
                async with program(server.port) as said:
                    offsets.append(int(await said.readline()))
            async with program(server.port):
                message = await file_for(bob)
                await done(bob, bob.transfers.start_download(message, tmp_path / "bob.pdf"))
            assert offsets[0] == 0
            assert read(str(tmp_path / "bob.pdf")) == data
            assert hashlib.sha256(data).hexdigest() == (message.file and message.file.hash)
            assert len((await bob.history_page("alice")).messages) == 1

    run(scenario())
