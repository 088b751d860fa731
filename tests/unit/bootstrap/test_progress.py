"""What is shown of pip's output."""

import io
import itertools
import sys

import pytest

from bootstrap.progress import Progress

OUTPUT = """\
Collecting one>=1
  Downloading one-1.0-py3-none-any.whl.metadata (3.1 kB)
Processing ./two-1.0-py3-none-any.whl
Requirement already satisfied: three in ./lib
Collecting four (from one>=1)
Downloading one-1.0-py3-none-any.whl (10 kB)
Using cached four-1.0-py3-none-any.whl (20 kB)
Installing collected packages: four, two, one
Successfully installed four-1.0 one-1.0 two-1.0
"""


class Screen(io.TextIOWrapper):
    """A terminal that keeps what is written to it."""

    def __init__(self) -> None:
        self.kept = io.BytesIO()
        super().__init__(self.kept, encoding="utf-8", write_through=True)

    def isatty(self) -> bool:
        return True


def feed() -> None:
    with Progress(lambda: 7.0) as progress:
        progress.begin("Looking up packages")
        for line in OUTPUT.splitlines(keepends=True):
            progress.feed(line)
        progress.begin("Something else", counts=False)
        progress.feed("Collecting five\n")


def test_each_step_has_a_line_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    feed()
    assert capsys.readouterr().err.splitlines() == [
        "Looking up packages…",
        "Downloading packages…",
        "Installing 3 packages…",
        "Something else…",
        "Twocans is set up, after 0 s.",
    ]


def test_terminal_shows_every_change_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    feed()
    shown = screen.kept.getvalue().decode()
    # Each is drawn again when a second has passed.
    changes = itertools.groupby(part.strip() for part in shown.split("\r"))
    assert [change for change, _ in changes if change] == [
        "Looking up packages… 0 s",
        *(f"Looking up packages ({number} so far)… 0 s" for number in (1, 2, 3, 4)),
        "Downloading packages (1 so far)… 0 s",
        "Downloading packages (2 so far)… 0 s",
        "Installing 3 packages… 0 s",
        "Something else… 0 s",
        "Twocans is set up, after 0 s.",
    ]
    assert shown.count("\n") == 1


def test_line_is_cleared_before_a_failure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)

    def fail() -> None:
        with Progress(lambda: 7.0) as progress:
            progress.begin("Creating")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert screen.kept.getvalue().decode().endswith(f"\r{' ' * len('Creating… 0 s')}\r")
