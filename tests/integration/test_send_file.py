"""The example that sends a file, as the process that people start."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from tests.support.process import ROOT, START_S, ServerProcess, environment
from tests.support.raw import PlainPeer
from tests.support.serving import serve
from tests.unit.client.scripted import QUICK, next_of
from tests.unit.client.scripted import run as run_scenario
from twocans.client import Client, MessageReceived

_PROGRAM: Final = ROOT / "examples" / "send_file.py"


def _send(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(_PROGRAM), *arguments],
        env=environment({"TWOCANS_DATA_DIR": str(data)}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )


def test_the_file_is_sent_and_its_message_arrives(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_bytes(b"notes")
    with serve(data=tmp_path) as server:
        where = f"localhost:{server.port}"

        async def scenario() -> None:
            async with Client(where, "alice", timers=QUICK) as alice:
                sent = await asyncio.to_thread(_send, tmp_path, str(file), "--to", "alice", "--server", where)
                assert (sent.returncode, sent.stdout, sent.stderr) == (0, "notes.txt is sent.\n", "")
                message = (await next_of(alice, MessageReceived)).message
                assert (message.sender, message.text) == ("courier", "notes.txt")
                assert message.file is not None

        run_scenario(scenario())


def test_what_cannot_be_sent_is_told_in_one_line(tmp_path: Path) -> None:
    send = partial(_send, tmp_path, "--to", "alice", "--server")
    with serve(data=tmp_path) as server:
        gone = send(f"localhost:{server.port}", str(tmp_path / "gone.txt"))
        assert (gone.returncode, gone.stderr) == (1, f"{tmp_path / 'gone.txt'} is not there.\n")
        port = server.port
    nobody = send(f"localhost:{port}", str(tmp_path / "gone.txt"))
    assert nobody.returncode == 1
    assert nobody.stderr.startswith("No server is running")


def test_key_log_that_can_not_be_written_stops_neither_the_server_nor_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As virus scanners set SSLKEYLOGFILE."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "gone" / "keys.log"))
    file = tmp_path / "notes.txt"
    file.write_bytes(b"notes")
    with ServerProcess("--data", str(tmp_path / "server")) as server, PlainPeer(server.port, "alice"):
        sent = _send(tmp_path, str(file), "--to", "alice", "--server", f"localhost:{server.port}")
    assert (sent.returncode, sent.stdout, sent.stderr) == (0, "notes.txt is sent.\n", "")


def test_key_log_is_left_out_only_where_it_can_not_be_written(tmp_path: Path) -> None:
    keys = tmp_path / "keys.log"
    code = "import os, twocans; print(os.environ.get('SSLKEYLOGFILE'))"
    for value, said in ((str(keys), str(keys)), (str(tmp_path), "None"), ("", "")):
        told = subprocess.check_output(
            [sys.executable, "-c", code], env=environment({"SSLKEYLOGFILE": value}), text=True
        )
        assert told == f"{said}\n"
