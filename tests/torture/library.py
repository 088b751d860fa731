"""The torture with programs on the product's client library, which are killed too."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.process import ROOT, START_S, environment
from tests.support.raw import Frame
from tests.torture.ledger import Broken, Ledger
from tests.torture.plan import Kill, Plan
from tests.torture.script import Script
from tests.torture.server import MortalServer


class MortalProgram:
    """One account's program, and the books of what it has told.

    Args:
        ledger: the books.
        server: whom it connects to.
        folder: where it keeps its files.
        plan: of the run.
    """

    def __init__(self, ledger: Ledger, server: MortalServer, folder: Path, plan: Plan) -> None:
        self.ledger = ledger
        self.log: str | None = None
        self.kills = 0
        self.first_words = asyncio.Event()
        """It is known to the server, for good."""
        self._server = server
        self._folder = folder
        self._plan = plan
        self._process: asyncio.subprocess.Process | None = None

    @property
    def token(self) -> str:
        """What proves that the name is this program's, from its files."""
        (file,) = (self._folder / "tokens").glob("*.json")
        token = json.loads(file.read_text())["token"]
        assert isinstance(token, str)
        return token

    async def start(self, *, only_read: bool = False) -> None:
        """Start it where it has left off."""
        ledger = self.ledger
        options = ["--seed", ledger.script.seed, "--accounts", ledger.script.accounts]
        options += ["--account", ledger.account, "--port", self._server.port, "--number", ledger.said]
        if self.log is not None:
            options += ["--after", ledger.cursor, "--log", self.log]
        if only_read:
            options += ["--only-read"]
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.torture.program", "--folder", str(self._folder)),
            *map(str, options),
            cwd=ROOT,
            env=environment({"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            limit=1024 * 1024,
        )
        self._reading = asyncio.create_task(self._read(self._process))
        if only_read and self._process.stdin is not None:
            self._process.stdin.close()

    async def kill(self) -> None:
        """End it with SIGKILL."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            self.kills += 1
            process.send_signal(signal.SIGKILL)
            await process.wait()
            await self._reading

    async def finish(self) -> None:
        """Let it get everything acknowledged and end.

        Raises:
            Broken: it does not.
        """
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            code = await asyncio.wait_for(process.wait(), 2 * START_S)
        except TimeoutError:
            process.kill()
            raise Broken(f"{self.ledger.name} does not get {self.ledger.waiting} messages through") from None
        await self._reading
        self._process = None
        if code:
            raise Broken(f"the program of {self.ledger.name} ended with {code}")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            return
        async for line in process.stdout:
            if line.endswith(b"\n"):
                fields = json.loads(line)
                try:
                    self._heard(Frame(fields.pop("kind"), fields))
                except Broken as broken:
                    self._plan.fail(broken)
                    return
        if self._process is process and process.stdin is not None and not process.stdin.is_closing():
            self._plan.fail(Broken(f"the program of {self.ledger.name} ended by itself"))

    def _heard(self, said: Frame) -> None:
        ledger = self.ledger
        match said.verb:
            case "online":
                if self.log not in {None, said["log"]}:
                    raise Broken(f"the log was {self.log} and is {said['log']}")
                self.log = said.text("log")
            case "queued":
                ledger.begun(said.number("number"))
            case "stored":
                self._stored(said)
            case "received":
                # What an earlier life sent, and was killed before it could tell.
                if not ledger.delivered(said):
                    self._stored(said)
            case _:
                raise Broken(f"the program of {ledger.name} says {said}")

    def _stored(self, said: Frame) -> None:
        # The program may be killed when a message is in the outbox and it has not yet told so.
        self.ledger.begun(self.ledger.script.origin(said.text("cid"))[1])
        if self.ledger.acknowledged(said.text("cid"), said.number("id")):
            self._plan.count()
            self.first_words.set()


async def write_and_kill(
    script: Script, server: MortalServer, plan: Plan, *, folder: Path, kinds: Sequence[Kill]
) -> list[MortalProgram]:
    """Let programs write to one another while they or the server are killed, until the plan ends.

    Args:
        script: who says what.
        server: running.
        plan: when to kill, and when it is enough.
        folder: for the programs' files.
        kinds: what is killed.

    Raises:
        Broken: a promise was not kept.
    """
    programs: list[MortalProgram] = []
    for account in range(script.accounts):
        own = folder / script.name(account)
        own.mkdir()
        programs.append(MortalProgram(Ledger(script, account), server, own, plan))
    try:
        await _write_and_kill(programs, server, plan, kinds)
    finally:
        for program in programs:
            await program.kill()
    return programs


async def _write_and_kill(
    programs: list[MortalProgram], server: MortalServer, plan: Plan, kinds: Sequence[Kill]
) -> None:
    # Who is written to has to be known: the first ones register and wait.
    for program in programs:
        await program.start(only_read=True)
        await program.finish()
    for program in programs:
        await program.start()
    for program in programs:
        await plan.or_failure(program.first_words.wait())
    rng = random.Random(programs[0].ledger.script.seed)  # noqa: S311 - repeatable
    while not plan.is_enough():
        await plan.more()
        kind = rng.choice(list(kinds))
        if kind is not Kill.SERVER:
            victim = rng.choice(programs)
            await victim.kill()
            if kind is Kill.CLIENT:
                await victim.start()
        if kind is not Kill.CLIENT:
            await server.kill()
            await server.start()
        if kind is Kill.BOTH:
            await victim.start()
    for program in programs:
        await plan.or_failure(program.finish())
    # Whoever ended early takes what the others have written since.
    for program in programs:
        await program.start(only_read=True)
        await program.finish()
