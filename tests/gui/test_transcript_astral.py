"""Emoji are drawn only where that cannot end the program."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Iterator

import pytest

from tests.gui.transcript_window import Window, opened, said
from twocans.gui.transcript import astral, runs


@pytest.fixture
def window() -> Iterator[Window]:
    with opened() as window:
        yield window


class Libraries:
    """Tk and libXft in versions of the test's choice."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: tk.Tk) -> None:
        self._monkeypatch = monkeypatch
        self._root = root
        self._kept = str(root.tk.call("set", "tk_patchLevel"))

    def pretend(self, *, tk_version: str = "8.6.13", xft: int = 0, survives: bool = True) -> None:
        self._root.tk.eval(f"set ::tk_patchLevel {tk_version}")
        self._monkeypatch.setattr(astral, "xft_version", lambda: xft)
        self._monkeypatch.setattr(astral, "survives_emoji", lambda: survives)

    def restore(self) -> None:
        self._root.tk.eval(f"set ::tk_patchLevel {self._kept}")


def test_old_libraries_are_not_asked_to_draw_emoji(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    if window.root.tk.call("tk", "windowingsystem") != "x11":
        assert astral.draws_astral(window.root)
        return
    libraries = Libraries(monkeypatch, window.root)
    libraries.pretend(tk_version="8.6.9", xft=20306)
    assert not astral.draws_astral(window.root)
    libraries.pretend(xft=20304, survives=False)
    assert not astral.draws_astral(window.root)
    libraries.pretend(xft=20304, survives=True)
    assert astral.draws_astral(window.root)
    libraries.pretend(xft=20305, survives=False)
    assert astral.draws_astral(window.root)
    libraries.restore()


def test_another_process_tells_whether_emoji_can_be_drawn(window: Window) -> None:
    if window.root.tk.call("tk", "windowingsystem") == "x11" and astral.xft_version() >= 20305:
        assert astral.survives_emoji()


def test_emoji_are_drawn_or_named_where_there_are_no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "emoji_font", lambda: None)
    with opened() as window:
        window.show(said(1, "well done 🎉"))
        written = " ".join(window.text_items())
        assert ("🎉" in written) is astral.draws_astral(window.root)
        assert (":party_popper:" in written) is not astral.draws_astral(window.root)
