"""A file as large as you like through a server, cut and resumed on its way, while two others chat.

python -m tests.torture.files --mebibytes 2048 --cuts 20
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Final

from msgspec import Struct

from tests.support.cutting import Proxy
from tests.support.process import ServerProcess
from twocans.client import (
    Client,
    ConnectFailed,
    MemoryTokens,
    Message,
    MessageReceived,
    MessageStored,
    Timers,
    TransferState,
)
from twocans.client.events import TransferMoved

MIB: Final = 1024 * 1024
ALONE_S: Final = 3.0
"""How long the pair chats before anything else happens."""
EVERY_S: Final = 0.03
"""How often one of them says something: not as often as the server lets nobody."""
_QUICK: Final = Timers(retry_first=0.05, retry_max=0.5, file_retry_max=0.5)


class Outcome(Struct, frozen=True):
    """What came of it: delays in milliseconds, memory in mebibytes, time in seconds."""

    arrived: bool
    cuts: int
    seconds: float
    server_peak_mib: float
    alone_ms: tuple[float, float, float]
    beside_ms: tuple[float, float, float]


def through(*, size: int, cuts: int, random: Random, folder: Path) -> Outcome:
    """Send a file from alice to bob, half of the cuts on each way, while carol and dave chat.

    Args:
        size: the file's, in bytes.
        cuts: how often a connection of theirs that carries it is cut.
        random: where.
        folder: for the file and its copies.
    """
    source, into = folder / "source", folder / "into"
    sent = _make(source, size)
    with ServerProcess("--max-file", str(size), "--max-storage", str(4 * size)) as server:
        began = time.monotonic()
        done, alone, beside = asyncio.run(_send(server.port, source, into, size, cuts, random))
        seconds = time.monotonic() - began
        peak = _peak_mib(server.process.pid)
    with into.open("rb") as file:
        arrived = hashlib.file_digest(file, "sha256").hexdigest() == sent
    return Outcome(arrived, done, seconds, peak, _summary(alone), _summary(beside))


async def _send(
    port: int, source: Path, into: Path, size: int, cuts: int, random: Random
) -> tuple[int, list[float], list[float]]:
    async with Proxy(port) as proxy:
        alice, bob = await _at(proxy.port, "alice"), await _at(proxy.port, "bob")
        carol, dave = await _at(port, "carol"), await _at(port, "dave")
        alone: list[float] = []
        beside: list[float] = []
        ignoring = [asyncio.create_task(_ignore(client)) for client in (carol,)]
        try:
            chat = asyncio.create_task(_chat(carol, dave, alone))
            await asyncio.sleep(ALONE_S)
            await _end(chat)
            chat = asyncio.create_task(_chat(carol, dave, beside))
            # What is left after all of them is enough to come to an end.
            proxy.cut_after = [random.randrange(1, max(2, 2 * size // cuts)) for _ in range(cuts // 2)]
            alice.transfers.start_upload("bob", source, name="large.bin")
            await _until_stored(alice)
            left = len(proxy.cut_after)
            proxy.cut_after = [random.randrange(1, max(2, 2 * size // cuts)) for _ in range(cuts - cuts // 2)]
            await _fetched(bob, await _file(bob), into)
            left += len(proxy.cut_after)
            await _end(chat)
        finally:
            for client in (alice, bob, carol, dave):
                await client.close()
            await asyncio.gather(*ignoring)
        return cuts - left, alone, beside


async def _at(port: int, user: str) -> Client:
    client = Client(f"127.0.0.1:{port}", user, tokens=MemoryTokens(), timers=_QUICK)
    try:
        await client.connect()
    except ConnectFailed as error:
        sys.exit(error.text)
    return client


async def _ignore(client: Client) -> None:
    async for _ in client:
        pass


async def _chat(carol: Client, dave: Client, delays_ms: list[float]) -> None:
    """Say something, and look how long it takes until the other hears of it."""
    while True:
        began = time.perf_counter()
        cid = carol.enqueue("dave", "Are you there?")
        async for event in dave:
            if isinstance(event, MessageReceived) and event.message.cid == cid:
                break
        delays_ms.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(EVERY_S)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _until_stored(client: Client) -> None:
    async for event in client:
        if isinstance(event, MessageStored):
            return
        _look_for_failure(event)


async def _file(client: Client) -> Message:
    async for event in client:
        if isinstance(event, MessageReceived) and event.message.file is not None:
            return event.message
    raise AssertionError("the client has ended")


async def _fetched(client: Client, message: Message, into: Path) -> None:
    client.transfers.start_download(message, into)
    async for event in client:
        if isinstance(event, TransferMoved) and event.transfer.state is TransferState.DONE:
            return
        _look_for_failure(event)


def _look_for_failure(event: object) -> None:
    if isinstance(event, TransferMoved) and event.transfer.state is TransferState.FAILED:
        raise AssertionError(event.transfer.text)


def _make(path: Path, size: int) -> str:
    """Write a file of random bytes; its hash."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for start in range(0, size, MIB):
            piece = os.urandom(min(MIB, size - start))
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


def _peak_mib(pid: int) -> float:
    """The most memory that a process has had so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _summary(delays_ms: list[float]) -> tuple[float, float, float]:
    """Median, 99th percentile and greatest."""
    ordered = sorted(delays_ms)
    return ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100], ordered[-1]


def main() -> int:
    """Run it; 0 if the file has arrived."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.files", description=__doc__)
    parser.add_argument("--mebibytes", type=int, default=2048, metavar="N", help="the size of the file")
    parser.add_argument("--cuts", type=int, default=20, metavar="N", help="how often it is cut")
    parser.add_argument("--seed", type=int, help="the places where it is cut")
    options = parser.parse_args()
    seed = random.SystemRandom().getrandbits(32) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        outcome = through(
            size=options.mebibytes * MIB,
            cuts=options.cuts,
            random=Random(seed),  # noqa: S311 - places to cut
            folder=Path(folder),
        )
    rate = 2 * options.mebibytes * MIB / outcome.seconds / 1e6
    print(
        f"arrived: {outcome.arrived}, cut {outcome.cuts} times, {outcome.seconds:.0f} s, {rate:.0f} MB/s on both ways"
    )
    print(f"the server had {outcome.server_peak_mib:.0f} MiB at most")
    print("a message took (median, 99 %, longest), in ms:")
    print("  alone   {:.1f}  {:.1f}  {:.1f}".format(*outcome.alone_ms))
    print("  beside  {:.1f}  {:.1f}  {:.1f}".format(*outcome.beside_ms))
    return 0 if outcome.arrived else 1


if __name__ == "__main__":
    sys.exit(main())
