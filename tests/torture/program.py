"""A chatting program on the product's client library, which is killed at any moment and started again.

It says in lines on standard output what it has seen; a line counts once it is written as a whole. It is told by
its command line how far it had come, as a program would find out from its own files.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Final

from tests.torture.script import Script
from twocans.client import Address, Client, ConnectFailed, FileTokens, FileTrust, Timers
from twocans.client.events import (
    CaughtUp,
    Event,
    MessageReceived,
    MessageRefused,
    MessageStored,
    Offline,
    Online,
)
from twocans.client.sqlite_outbox import FILE, SqliteOutbox
from twocans.client.timing import Position

WINDOW: Final = 64
RETRY_S: Final = 0.05
"""How long to wait before the next first attempt to connect, in seconds."""


def say(kind: str, **fields: object) -> None:
    """Tell in one piece; the pipe takes so little whole or not at all."""
    os.write(sys.stdout.fileno(), json.dumps({"kind": kind} | fields).encode() + b"\n")


class Program:
    """The program, from its start to its end.

    Args:
        script: what it says.
        options: its command line.
    """

    def __init__(self, script: Script, options: argparse.Namespace) -> None:
        self._script = script
        self._account: int = options.account
        address = Address("127.0.0.1", options.port)
        outbox = SqliteOutbox(options.folder / FILE, address, script.name(self._account))
        self._client = Client(
            address,
            script.name(self._account),
            timers=Timers(retry_first=0.01, retry_max=0.2, file_retry_max=0.2),
            outbox=outbox,
            position=Position(options.after, options.log),
            trust=FileTrust(options.folder / "known_servers.json"),
            tokens=FileTokens(options.folder / "tokens"),
        )
        waiting = [script.origin(one.cid)[1] + 1 for one in outbox.pending()]
        self._number = max([options.number, *waiting])
        self._outbox = outbox
        self._live = False
        self._ending: bool = options.only_read

    async def run(self) -> None:
        """Write and read until standard input has ended and everything is acknowledged."""
        await self._connect()
        watching = asyncio.create_task(self._watch_input())
        async for event in self._client:
            self._tell(event)
            while self._live and not self._ending and len(self._client.pending) < WINDOW:
                self._write()
            if self._is_done():
                break
        await watching
        await self._client.close()
        self._outbox.close()

    async def _connect(self) -> None:
        while True:
            try:
                await self._client.connect()
            except ConnectFailed:
                await asyncio.sleep(RETRY_S)
            else:
                return

    def _write(self) -> None:
        message = self._script.message(self._account, self._number)
        self._client.enqueue(message.to, message.text, cid=message.cid)
        say("queued", number=self._number)
        self._number += 1

    def _tell(self, event: Event) -> None:
        match event:
            case Online(log=log):
                say("online", log=log)
                self._live = False
            case CaughtUp():
                self._live = True
            case MessageReceived(message=message):
                names = {"from": message.sender, "to": message.to}
                say("received", id=message.id, text=message.text, cid=message.cid, **names)
            case MessageStored(cid=cid, id=id_):
                say("stored", cid=cid, id=id_)
            case MessageRefused():
                say("refused", cid=event.cid, why=event.text)
            case Offline(retry_in_s=None):
                say("gave_up", why=event.text)
            case _:
                pass

    def _is_done(self) -> bool:
        return self._ending and self._live and not self._client.pending

    async def _watch_input(self) -> None:
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
        await reader.read()
        self._ending = True
        if self._is_done():
            await self._client.close()


def main() -> None:
    """Take the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--accounts", type=int, required=True)
    parser.add_argument("--account", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--number", type=int, default=0)
    parser.add_argument("--after", type=int)
    parser.add_argument("--log")
    parser.add_argument("--only-read", action="store_true")
    options = parser.parse_args()
    asyncio.run(Program(Script(options.seed, options.accounts), options).run())


if __name__ == "__main__":
    main()
