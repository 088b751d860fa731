"""One run of the torture: start, kill again and again, and compare all books with the log at the end."""

from __future__ import annotations

import asyncio
import sqlite3
import ssl
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.torture import library, raw
from tests.torture.ledger import Audit, Broken, Ledger
from tests.torture.plan import Kill, Plan
from tests.torture.script import Script
from tests.torture.server import MortalServer
from tests.torture.wire import greet


@dataclass(frozen=True, kw_only=True)
class Torture:
    """What is done to the server and its clients.

    Args:
        seed: makes the same messages and the same moments again.
        accounts: how many write to one another.
        writers: `raw` for bare peers, `library` for programs on the client library.
        kill: what is killed; bare peers are never killed, their connections are.
        largest_gap: how many messages are acknowledged between two kills at most.
        is_enough: whether nothing more is to be killed, told by how often that was done.
        durability, concurrency: of the server.
    """

    seed: int
    accounts: int = 16
    writers: str = "raw"
    kill: Kill = Kill.SERVER
    largest_gap: int = 2000
    is_enough: Callable[[int], bool]
    durability: str = "process"
    concurrency: str = "async"

    def run(self) -> Outcome:
        """Do it.

        Raises:
            Broken: a promise was not kept.
        """
        with tempfile.TemporaryDirectory(prefix="twocans-torture-") as folder:
            try:
                return asyncio.run(self._run(Path(folder)))
            except BaseExceptionGroup as group:
                broken, others = group.split(Broken)
                if broken is None or others is not None:
                    raise
                raise _first(broken) from None

    async def _run(self, folder: Path) -> Outcome:
        data = folder / "server"
        data.mkdir()
        script = Script(self.seed, self.accounts)
        options = ["--durability", self.durability, "--concurrency", self.concurrency]
        server = MortalServer(data, options)
        plan = Plan(self.seed, largest_gap=self.largest_gap, is_enough=self.is_enough)
        try:
            await server.start()
            books: Sequence[raw.Writer | library.MortalProgram]
            if self.writers == "raw":
                books = await raw.write_and_kill(script, server, plan)
            else:
                kinds = list(Kill) if self.kill is Kill.BOTH else [self.kill]
                books = await library.write_and_kill(script, server, plan, folder=folder, kinds=kinds)
            # What is compared comes from the disk.
            await server.kill()
            await server.start()
            for one in books:
                token = one.token if isinstance(one, library.MortalProgram) else None
                await audit(one.ledger, server, log=one.log, token=token)
            await server.stop()
        finally:
            await server.clean_up()
        check_file(data / "messages.db")
        return Outcome(plan.acknowledged, server.kills, sum(one.kills for one in books))


@dataclass(frozen=True)
class Outcome:
    """What a run amounted to."""

    acknowledged: int
    server_kills: int
    client_kills: int


async def audit(ledger: Ledger, server: MortalServer, *, log: str | None, token: str | None) -> None:
    """Read the whole inbox of an account from the log and compare it with its books.

    Names of programs on the client library are bound to their tokens, which travel encrypted only.

    Raises:
        Broken: they differ.
    """
    tls = None
    if token is not None:
        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    wire, _ = await greet(server.port, ledger.name, log=log, token=token, after=0, tls=tls)
    books = Audit(ledger)
    while (frame := await wire.read()).verb != "SYNCED":
        if frame.verb == "MSG":
            books.message(frame)
    books.end()
    await wire.close()


def check_file(database: Path) -> None:
    """Let SQLite look for damage.

    Raises:
        Broken: there is some.
    """
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchall()
    if found != [("ok",)]:
        raise Broken(f"the database is damaged: {found[:5]}")


def _first(group: BaseExceptionGroup[Broken]) -> Broken:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error if isinstance(error, Broken) else Broken(str(error))
