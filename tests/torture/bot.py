"""The echo bot, killed again and again at any line, replies to each message exactly once.

python -m tests.torture.bot --kills 100
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

from msgspec import Struct

from tests.support.process import ROOT, START_S, ServerProcess, environment
from tests.torture.ledger import Broken
from twocans.client import Client, MessageReceived, Timers, UserJoined

BOT: Final = ROOT / "examples" / "echo_bot.py"
NAME: Final = "echo"
WINDOW: Final = 8
"""How many messages wait for their reply: with so many before it, each life of the bot begins."""
MOST_LINES: Final = 12_000
"""The longest life, in lines of Python: the bot connects, and replies to some twenty messages."""
_QUICK: Final = Timers(retry_first=0.02, retry_max=0.2)


class Outcome(Struct, frozen=True):
    """What a run amounted to."""

    messages: int
    kills: int


class Asker:
    """Sends the bot numbered messages, and counts the replies to each."""

    def __init__(self, port: int) -> None:
        self.sent = 0
        self.known = asyncio.Event()
        """The bot has been there once."""
        self._client = Client(f"127.0.0.1:{port}", "alice", timers=_QUICK)
        self._replies: Counter[str] = Counter()
        self._moved = asyncio.Event()
        self._asks = True

    async def run(self) -> None:
        """Ask, and count, until cancelled.

        Raises:
            Broken: a message was replied to twice.
        """
        async with self._client:
            async for event in self._client:
                if isinstance(event, UserJoined) and event.user == NAME:
                    self.known.set()
                elif isinstance(event, MessageReceived):
                    text = event.message.text
                    self._replies[text] += 1
                    if self._replies[text] > 1:
                        raise Broken(f"the message {text} was replied to twice")
                    self._moved.set()
                while self._asks and self.known.is_set() and self.sent - len(self._replies) < WINDOW:
                    self.sent += 1
                    self._client.enqueue(NAME, f"{self.sent}")

    async def finish(self) -> None:
        """Wait until everything has a reply, and compare with the log.

        Raises:
            Broken: the log has others.
        """
        self._asks = False
        while len(self._replies) < self.sent:
            self._moved.clear()
            await self._moved.wait()
        replies, before = [], None
        while True:
            page = await self._client.history_page(NAME, before=before, limit=500)
            replies += [message.text for message in reversed(page.messages) if message.sender == NAME]
            if not page.more:
                break
            before = page.messages[0].id
        if replies[::-1] != [f"{number + 1}" for number in range(self.sent)]:
            raise Broken(f"the replies to {self.sent} messages are {replies[::-1]}")


def run(*, kills: int, seed: int, bot: Path = BOT) -> Outcome:
    """Kill the bot so often.

    Args:
        kills: how often.
        seed: chooses the lines.
        bot: its program.

    Raises:
        Broken: a message has no reply, or two.
    """
    with tempfile.TemporaryDirectory(prefix="twocans-torture-") as folder, ServerProcess() as server:
        return asyncio.run(_run(server.port, Path(folder), kills, random.Random(seed), bot))  # noqa: S311 - repeatable


async def _run(port: int, folder: Path, kills: int, rng: random.Random, bot: Path) -> Outcome:
    asker = Asker(port)
    asking = asyncio.create_task(asker.run())
    killing = asyncio.create_task(_kill(asker, port, folder, kills, rng, bot))
    try:
        await asyncio.wait({asking, killing}, return_when=asyncio.FIRST_COMPLETED)
        if asking.done():
            await asking
            raise Broken("the asker has ended")
        await killing
    finally:
        for task in (asking, killing):
            task.cancel()
        await asyncio.gather(asking, killing, return_exceptions=True)
    return Outcome(asker.sent, kills)


async def _kill(asker: Asker, port: int, folder: Path, kills: int, rng: random.Random, bot: Path) -> None:
    # Nobody can write to a name that was never there.
    first = await _start(port, folder, bot)
    await asyncio.wait_for(asker.known.wait(), START_S)
    await _end(first)
    for _ in range(kills):
        # Most lives are short: where one begins and ends there is most to go wrong.
        lines = rng.randint(1, rng.choice([MOST_LINES // 8, MOST_LINES // 2, MOST_LINES]))
        code = await asyncio.wait_for((await _start(port, folder, bot, lines)).wait(), START_S)
        if code != -signal.SIGKILL:
            raise Broken(f"the bot that was to be killed at line {lines} ended with {code}")
    last = await _start(port, folder, bot)
    try:
        await asyncio.wait_for(asker.finish(), START_S)
    except TimeoutError:
        raise Broken("some messages get no reply") from None
    finally:
        await _end(last)


async def _start(port: int, folder: Path, bot: Path, lines: int | None = None) -> asyncio.subprocess.Process:
    dying = () if lines is None else ("-m", "tests.torture.dying", str(lines))
    return await asyncio.create_subprocess_exec(
        *(sys.executable, *dying, str(bot), "--server", f"127.0.0.1:{port}", "--user", NAME),
        *("--folder", str(folder / "bot")),
        cwd=ROOT,
        env=environment({"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()


def main() -> int:
    """Run it; 0 if each message has exactly one reply."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.bot", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, metavar="N", help="how often the bot is killed")
    parser.add_argument("--seed", type=int, help="the lines at which it is killed")
    options = parser.parse_args()
    seed = random.SystemRandom().getrandbits(32) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    try:
        outcome = run(kills=options.kills, seed=seed)
    except Broken as broken:
        print(f"BROKEN: {broken}")
        return 1
    print(
        f"{outcome.messages} messages, {outcome.kills} times the bot was killed; each has exactly one reply"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
