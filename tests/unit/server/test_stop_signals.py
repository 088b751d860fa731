"""A closed console window of Windows, as far as it can be told without one; signals are in `tests/integration`."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator

import pytest

from tests.support.deadline import DEADLINE_S
from twocans.server.stop_signals import CONSOLE_EVENTS, StopSignals


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    """Those of whoever runs the tests are back afterwards."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if sys.platform == "win32":
        numbers.append(signal.SIGBREAK)
    else:
        numbers.append(signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("event", list(CONSOLE_EVENTS))
def test_console_event_stops_the_server_and_waits_until_it_has(event: int) -> None:
    async def serve() -> None:
        signals = StopSignals()
        asked = asyncio.Event()
        reasons: list[str] = []

        def ask_to_stop(reason: str) -> None:
            reasons.append(reason)
            asked.set()

        signals.install(asyncio.get_running_loop(), ask_to_stop)
        handled = asyncio.create_task(asyncio.to_thread(signals.console_event, event))
        async with asyncio.timeout(DEADLINE_S):
            await asked.wait()
            assert not handled.done()
            signals.finished()
            assert await handled
        assert reasons == [CONSOLE_EVENTS[event]]

    asyncio.run(serve())


@pytest.mark.parametrize("event", [0, 1])
def test_keys_of_the_console_are_left_to_the_signals_of_python(event: int) -> None:
    async def serve() -> None:
        signals = StopSignals()
        signals.install(asyncio.get_running_loop(), lambda reason: pytest.fail(reason))
        assert not signals.console_event(event)

    asyncio.run(serve())


def test_event_before_the_server_serves_is_left_to_the_system() -> None:
    assert not StopSignals().console_event(next(iter(CONSOLE_EVENTS)))
