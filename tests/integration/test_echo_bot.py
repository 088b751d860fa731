"""The example bot, as the process that people start."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.support.process import ROOT, START_S, Output, environment
from tests.support.serving import serve
from tests.unit.client.scripted import QUICK, next_of, run
from twocans.client import Client, MessageReceived, UserLeft

_BOT: Final = ROOT / "examples" / "echo_bot.py"


@contextmanager
def _bot(data: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, str(_BOT), "--folder", str(data / "bot"), *arguments],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def test_the_bot_echoes_until_it_is_stopped(tmp_path: Path) -> None:
    with serve() as server, _bot(tmp_path, "--server", f"localhost:{server.port}", "--user", "parrot") as bot:
        assert bot.stdout is not None
        output = Output(bot.stdout)
        output.wait_for(lambda line: line.startswith("parrot is online"), START_S)

        async def scenario() -> None:
            async with Client(f"localhost:{server.port}", "alice", timers=QUICK) as alice:
                for text in ("hello", "two\nlines", "🦜"):
                    await alice.send("parrot", text)
                    echoed = (await next_of(alice, MessageReceived)).message
                    assert (echoed.sender, echoed.text) == ("parrot", text)
                bot.send_signal(signal.SIGINT)
                assert await next_of(alice, UserLeft) == UserLeft("parrot")

        run(scenario())
        assert bot.wait(START_S) == 0
        assert bot.stderr is not None
        assert bot.stderr.read() == b""


@pytest.mark.parametrize(
    ("server", "says"),
    [("localhost:1", "No server is running"), ("local host", "An address has no spaces")],
)
def test_the_bot_says_in_a_sentence_why_it_cannot_start(server: str, says: str, tmp_path: Path) -> None:
    with _bot(tmp_path, "--server", server) as bot:
        _, errors = bot.communicate(timeout=START_S)
        assert bot.returncode == 1
        assert errors.decode().startswith(says)
        assert "Traceback" not in errors.decode()


def test_the_bot_is_about_twenty_lines() -> None:
    code = [line for line in _BOT.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert len(code) <= 30
