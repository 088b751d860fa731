"""What commands do when their output is full, closed or no longer read: a sentence and an exit code, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.closed_streams import closing
from tests.support.keeping import fill
from tests.support.process import START_S, command, environment

COMMANDS = {
    "help": ["--help"],
    "help of a command": ["backup", "--help"],
    "config": ["config"],
    "export": ["export", "--user", "alice", "--format", "text"],
    "backup": ["backup", "copy.db"],
    "check": ["check"],
}
every_command = pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
on_linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="there is no such device elsewhere"
)
FULL = "Standard output cannot be written (No space left on device).\n"


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three messages, which nothing here changes."""
    return fill(tmp_path_factory.mktemp("spoken"))


def ended(
    start: Sequence[str], folder: Path, *, stdout: int = subprocess.DEVNULL, stderr: int = subprocess.PIPE
) -> tuple[int, str]:
    """Run a command with buffers as a shell gives it; its exit code and complaints."""
    variables = environment()
    del variables["PYTHONUNBUFFERED"]
    finished = subprocess.run(
        start,
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        text=True,
        timeout=START_S,
        check=False,
    )
    return finished.returncode, finished.stderr or ""


@pytest.fixture
def full() -> Iterator[int]:
    """The device that has no room."""
    device = os.open("/dev/full", os.O_WRONLY)
    yield device
    os.close(device)


@on_linux
@every_command
def test_full_output_is_told_in_one_sentence(
    spoken: Path, tmp_path: Path, full: int, arguments: list[str]
) -> None:
    start = command("--data", str(spoken), *arguments)
    assert ended(start, tmp_path, stdout=full) == (1, FULL)
    assert (tmp_path / "copy.db").exists() is (arguments == COMMANDS["backup"])


@on_linux
@pytest.mark.parametrize("arguments", [["--prot", "5"], ["--port", "x"], ["check", "--data", "nowhere"]])
def test_full_streams_leave_the_exit_code_of_a_mistake(
    tmp_path: Path, full: int, arguments: list[str]
) -> None:
    expected, _ = ended(command(*arguments), tmp_path)
    assert expected in (1, 2)
    assert ended(command(*arguments), tmp_path, stdout=full, stderr=full) == (expected, "")


@every_command
def test_reader_that_goes_away_early_needs_no_sentence(
    spoken: Path, tmp_path: Path, arguments: list[str]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert ended(command("--data", str(spoken), *arguments), tmp_path, stdout=writer) == (1, "")
    finally:
        os.close(writer)
    assert (tmp_path / "copy.db").exists() is (arguments == COMMANDS["backup"])


@every_command
def test_closed_output_is_the_null_device(spoken: Path, tmp_path: Path, arguments: list[str]) -> None:
    start = [*closing((1,)), *command("--data", str(spoken), *arguments)]
    assert ended(start, tmp_path) == (0, "")


def test_path_that_is_no_text_is_told_with_escapes(spoken: Path, tmp_path: Path) -> None:
    name = os.fsdecode(b"copy-\xff.db")
    assert ended(command("--data", str(spoken), "backup", name), tmp_path) == (0, "")
    exit_code, told = ended(command("--data", str(spoken), "backup", name), tmp_path)
    assert exit_code == 1
    assert told.startswith("copy-\\udcff.db exists already.")
