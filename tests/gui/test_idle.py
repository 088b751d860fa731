"""How long nobody has touched keyboard and mouse, as the real display says."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.gui.harness import xdotool
from tests.support.deadline import DEADLINE_S
from twocans.gui.platform.idle import IdleTime


def test_input_for_any_program_begins_the_time_anew() -> None:
    idle = IdleTime()
    xdotool("key", "shift")
    first = asyncio.run(idle.seconds())
    assert first is not None
    deadline = time.monotonic() + DEADLINE_S
    while (asyncio.run(idle.seconds()) or 0) < first + 0.05:
        assert time.monotonic() < deadline
    before = asyncio.run(idle.seconds())
    xdotool("key", "shift")
    after = asyncio.run(idle.seconds())
    assert before is not None
    assert after is not None
    assert after < before
    idle.close()


def test_who_asks_twice_at_once_is_answered_twice() -> None:
    async def ask() -> tuple[float | None, ...]:
        idle = IdleTime()
        answers = await asyncio.gather(idle.seconds(), idle.seconds(), idle.seconds())
        idle.close()
        return answers

    assert None not in asyncio.run(ask())


def test_a_wayland_desktop_that_does_not_say_so_leaves_it_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_SESSION_TYPE", "wayland")
    assert asyncio.run(IdleTime().seconds()) is None
