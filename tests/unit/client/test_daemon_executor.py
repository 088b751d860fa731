"""Calls that may hang: each has a thread that nothing waits for."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import Future

import pytest

from tests.support.process import START_S, environment
from twocans.client.daemon_executor import DaemonExecutor

HANGS = """
import asyncio, threading
from twocans.client.daemon_executor import DaemonExecutor

async def main():
    asyncio.get_running_loop().set_default_executor(DaemonExecutor())
    hanging = [asyncio.ensure_future(asyncio.to_thread(threading.Event().wait)) for _ in range(50)]
    print(await asyncio.to_thread(str.upper, "still here"), flush=True)

asyncio.run(main())
"""


def test_the_program_ends_while_calls_hang() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HANGS],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=START_S,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("STILL HERE\n", "")


def test_results_and_errors_come_back() -> None:
    executor = DaemonExecutor()
    assert executor.submit(divmod, 7, 2).result() == (3, 1)
    with pytest.raises(ZeroDivisionError):
        executor.submit(divmod, 7, 0).result()


def test_no_more_calls_run_than_are_allowed_and_the_others_wait() -> None:
    executor, release, running = DaemonExecutor(2), threading.Event(), threading.Semaphore(0)

    def hang() -> None:
        running.release()
        release.wait()

    hanging = [executor.submit(hang) for _ in range(2)]
    for _ in hanging:
        running.acquire()
    waiting = executor.submit(threading.get_ident)
    assert not waiting.running()
    release.set()
    assert waiting.result() != threading.get_ident()
    for one in hanging:
        one.result()


def test_after_the_shutdown_nothing_is_taken_and_what_waits_is_cancelled() -> None:
    executor, release, running = DaemonExecutor(1), threading.Event(), threading.Event()

    def hang() -> str:
        running.set()
        release.wait()
        return "done"

    under_way = executor.submit(hang)
    running.wait()
    waiting: Future[int] = executor.submit(threading.get_ident)
    executor.shutdown(cancel_futures=True)
    assert waiting.cancelled()
    with pytest.raises(RuntimeError):
        executor.submit(threading.get_ident)
    release.set()
    assert under_way.result() == "done"


def test_asyncio_takes_it_as_its_own() -> None:
    async def main() -> str:
        asyncio.get_running_loop().set_default_executor(DaemonExecutor())
        return await asyncio.to_thread(lambda: threading.current_thread().name)

    assert asyncio.run(main()) == "twocans-blocking"
