"""Runs the examples of docs/library.md against a server, and compares the names that it lists with the library's.

A block of `python` that begins with an import is a program of its own. Any other one is run in a loop in which `client` is
connected as alice, and `message` is one that bob has sent, with a file. A block of `output` says what the one before prints.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import io
import re
import subprocess
import sys
import typing
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Final

import msgspec
import pytest

import twocans.client
from tests.support.process import ROOT, environment
from tests.support.serving import serve
from tests.unit.client.scripted import QUICK, next_of, run
from twocans.client import Client, Message, MessageReceived, UserJoined

DOCUMENT: Final = ROOT / "docs" / "library.md"
ADDRESS: Final = '"192.168.1.5"'
_BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Example:
    """One block of Python: where it stands, its code, and what it prints if that is shown."""

    line: int
    code: str
    output: str | None = None


def examples() -> list[Example]:
    found: list[Example] = []
    text = DOCUMENT.read_text(encoding="utf-8")
    for block in _BLOCK.finditer(text):
        match block[1]:
            case "python":
                found.append(Example(text.count("\n", 0, block.start()) + 1, block[2]))
            case "output":
                found[-1].output = block[2]
            case other:
                raise AssertionError(f"a block of {other!r} cannot be run")
    return found


def is_program(example: Example) -> bool:
    return example.code.startswith("import ")


PROGRAMS: Final = [example for example in examples() if is_program(example)]
FRAGMENTS: Final = [example for example in examples() if not is_program(example)]


@asynccontextmanager
async def people(where: str, folder: Path) -> AsyncIterator[tuple[Client, Message]]:
    """Alice, to whom bob has written and sent a file while she was away; and carol."""
    sent = folder / "report.pdf"
    sent.write_bytes(b"a report")
    async with Client(where, "alice", timers=QUICK, folder=folder / "alice"):
        pass
    async with Client(where, "carol", timers=QUICK), Client(where, "bob", timers=QUICK) as bob:
        await bob.send("alice", "hello")
        await bob.transfers.upload("alice", sent)
        await bob.send("alice", "stop")
        message = (await bob.history_page("alice")).messages[1]
        async with Client(where, "alice", timers=QUICK, folder=folder / "alice") as alice:
            yield alice, message


async def execute(code: str, names: dict[str, object]) -> None:
    """Run code with `await` outside of functions."""
    compiled = compile(code, str(DOCUMENT), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result: object = FunctionType(compiled, names)()
    if inspect.iscoroutine(result):
        await typing.cast("Coroutine[None, None, None]", result)


@pytest.mark.parametrize("example", FRAGMENTS, ids=lambda example: f"line{example.line}")
def test_example_runs_and_prints_what_is_shown(
    example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with serve(data=tmp_path) as server:
        where = f"127.0.0.1:{server.port}"

        async def scenario() -> None:
            async with people(where, tmp_path) as (client, message):
                names: dict[str, object] = {
                    name: getattr(twocans.client, name) for name in twocans.client.__all__
                }
                names |= {"client": client, "message": message, "asyncio": asyncio, "Path": Path}
                with redirect_stdout(printed):
                    await execute(example.code.replace(ADDRESS, f'"{where}"'), names)

        run(scenario())
    assert printed.getvalue() == (example.output or "")


@pytest.mark.parametrize("example", PROGRAMS, ids=lambda example: f"line{example.line}")
def test_program_of_the_document_runs(example: Example, tmp_path: Path) -> None:
    program = tmp_path / "bot.py"
    with serve() as server:
        where = f"127.0.0.1:{server.port}"
        program.write_text(example.code.replace(ADDRESS, f'"{where}"'), encoding="utf-8")

        async def scenario() -> None:
            async with Client(where, "alice", timers=QUICK) as alice:
                await next_of(alice, UserJoined, lambda event: event.user == "echo")
                await alice.send("echo", "hello")
                reply = (await next_of(alice, MessageReceived)).message
                assert (reply.sender, reply.text) == ("echo", "You said: hello")

        with subprocess.Popen([sys.executable, str(program)], cwd=tmp_path, env=environment()) as bot:
            try:
                run(scenario())
            finally:
                bot.kill()


def test_document_has_a_program_and_says_what_examples_print() -> None:
    assert len(PROGRAMS) == 1
    assert len(FRAGMENTS) >= 8
    assert len([example for example in FRAGMENTS if example.output]) >= 5


def test_first_bot_has_about_ten_lines() -> None:
    assert len([line for line in PROGRAMS[0].code.splitlines() if line.strip()]) <= 10


def test_document_lists_the_whole_public_interface() -> None:
    listed = DOCUMENT.read_text(encoding="utf-8").partition("## All names")[2]
    assert sorted(re.findall(r"`(\w+)`", listed)) == sorted(twocans.client.__all__)


def test_what_public_names_hold_is_public_too() -> None:
    """A program can name the type of whatever it is given."""
    for name in twocans.client.__all__:
        kind: object = getattr(twocans.client, name)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            for field, hint in typing.get_type_hints(kind).items():
                for part in (hint, *typing.get_args(hint)):
                    if isinstance(part, type) and part.__module__.startswith("twocans."):
                        assert part.__name__ in twocans.client.__all__, f"{name}.{field} is of {part}"


def test_public_calls_have_docstrings() -> None:
    for kind in (twocans.client.Client, twocans.client.Transfers):
        for name, call in inspect.getmembers(kind):
            if not name.startswith("_"):
                assert inspect.getdoc(call), f"{kind.__name__}.{name} has no docstring"


def test_example_that_is_wrong_is_found() -> None:
    async def scenario() -> None:
        with pytest.raises(AttributeError):
            await execute("await client.deliver('bob', 'hello')", {"client": object()})

    run(scenario())
