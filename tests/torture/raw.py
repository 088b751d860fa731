"""The torture with bare peers: many connections, the server killed under them, their own ends reset at random."""

from __future__ import annotations

import asyncio
import random
from typing import Final

from tests.support.raw import Frame
from tests.torture.ledger import Broken, Ledger
from tests.torture.plan import Plan
from tests.torture.script import Script
from tests.torture.server import MortalServer
from tests.torture.wire import Ended, Wire, greet

WINDOW: Final = 64
"""How many messages a writer has under way."""
GOT_EVERY: Final = 100


class Writer:
    """One account with one connection at a time, which writes as fast as it is acknowledged.

    Args:
        ledger: its books.
        server: whom to connect to.
        plan: of the run.
        random: its own source of randomness.
    """

    def __init__(self, ledger: Ledger, server: MortalServer, plan: Plan, random: random.Random) -> None:
        self.ledger = ledger
        self._server = server
        self._plan = plan
        self._random = random
        self.log: str | None = None
        self.token: str | None = None
        self.kills = 0
        """How often it has cut its own connection."""

    async def run(self) -> None:
        """Connect again and again until the plan ends and everything is acknowledged."""
        while not (self._plan.stopping and self.ledger.waiting == 0):
            await self._server.up.wait()
            try:
                await self._session()
            except Ended:
                self._server.check()

    async def register(self) -> None:
        """Make the account known, for good: its first message is stored after it."""
        wire = await self._synced()
        self.ledger.begun(0)
        self._say(wire, 0)
        while self.ledger.waiting:
            self._take(wire, await wire.read())
        await wire.close()

    async def catch_up(self) -> None:
        """Connect once more and take what there is."""
        await (await self._synced()).close()

    async def _synced(self) -> Wire:
        wire = await self.open()
        while (frame := await wire.read()).verb != "SYNCED":
            self._take(wire, frame)
        return wire

    async def open(self) -> Wire:
        """A session that goes on after the last message.

        Raises:
            Ended: the server is gone.
            Broken: the log is another one.
        """
        wire, welcome = await greet(
            self._server.port, self.ledger.name, log=self.log, token=self.token, after=self.ledger.cursor
        )
        self.log, self.token = welcome.text("log"), welcome.text("token")
        return wire

    async def _session(self) -> None:
        wire = await self.open()
        # Some send again at once, others when they know what has come through.
        at_once = self._random.random() < 0.5
        # Some sessions end by themselves, without a goodbye, anywhere.
        ends_after = self._random.randint(0, 300) if self._random.random() < 0.3 else None
        try:
            if at_once:
                await self._resend(wire)
            while (frame := await wire.read()).verb != "SYNCED":
                self._take(wire, frame)
            if not at_once:
                await self._resend(wire)
            seen = 0
            while not (self._plan.stopping and self.ledger.waiting == 0):
                await self._write(wire)
                self._take(wire, await wire.read())
                seen += 1
                if seen == ends_after:
                    self.kills += 1
                    wire.reset()
                    return
        finally:
            await wire.close()

    async def _resend(self, wire: Wire) -> None:
        for number in self.ledger.unacknowledged():
            self._say(wire, number)
        await wire.room()

    async def _write(self, wire: Wire) -> None:
        while self.ledger.waiting < WINDOW and not self._plan.stopping:
            number = self.ledger.said
            self.ledger.begun(number)
            self._say(wire, number)
        await wire.room()

    def _say(self, wire: Wire, number: int) -> None:
        message = self.ledger.script.message(self.ledger.account, number)
        wire.send("MSG", to=message.to, text=message.text, cid=message.cid)

    def _take(self, wire: Wire, frame: Frame) -> None:
        match frame.verb:
            case "MSG":
                if self.ledger.delivered(frame) and self.ledger.received % GOT_EVERY == 0:
                    wire.send("GOT", id=self.ledger.cursor)
            case "ACK":
                if self.ledger.acknowledged(frame.text("cid"), frame.number("id")):
                    self._plan.count()
            case "JOINED" | "LEFT" | "RECEIPT":
                pass
            case _:
                raise Broken(f"{self.ledger.name} was told {frame}")


async def write_and_kill(script: Script, server: MortalServer, plan: Plan) -> list[Writer]:
    """Let writers write to one another while the server is killed, until the plan ends.

    Args:
        script: who says what.
        server: running.
        plan: when to kill, and when it is enough.

    Raises:
        Broken: a promise was not kept.
    """
    writers = [
        Writer(Ledger(script, account), server, plan, random.Random(f"{script.seed} {account}"))  # noqa: S311
        for account in range(script.accounts)
    ]
    # Who is written to has to be known.
    greeted = [await writer.open() for writer in writers]
    for wire in greeted:
        await wire.close()
    for writer in writers:
        await writer.register()
    async with asyncio.TaskGroup() as tasks:
        for writer in writers:
            tasks.create_task(writer.run())
        while not plan.is_enough():
            await plan.more()
            await server.kill()
            await server.start()
        plan.stopping = True
    for writer in writers:
        await writer.catch_up()
    return writers
