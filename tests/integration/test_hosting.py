"""A server that a window starts: a process of its own that tells when it is ready, is found again, and can be stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from tests.support.process import ROOT, START_S, ServerProcess, command, environment
from tests.support.raw import JsonPeer, PlainPeer
from tests.support.tls import client_context
from twocans.gui.backend.hosting import LOG_BYTES, Host
from twocans.gui.viewmodel.effects import (
    FindServer,
    FollowServerLog,
    StartServer,
    StopServer,
)
from twocans.gui.viewmodel.inputs import (
    Input,
    ServerEnded,
    ServerLog,
    ServerNotStarted,
    ServerRuns,
    ServerTold,
)
from twocans.protocol.local_control import (
    CONSOLE_LOG_FILE,
    RUNNING_FILE,
    Running,
    Started,
    Why,
    decode_report,
    decode_running,
)

T = TypeVar("T", bound=Input)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of this user's server, which a test that fails does not leave running."""
    data = tmp_path / "server"
    for name, value in (
        ("TWOCANS_DATA", str(data)),
        ("TWOCANS_PORT", "0"),
        ("TWOCANS_HOST", "127.0.0.1"),
        ("TWOCANS_ANNOUNCE", "false"),
        ("PYTHONPATH", str(ROOT / "src")),
    ):
        monkeypatch.setenv(name, value)
    yield data
    for process in psutil.process_iter(["cmdline"]):
        if str(data) in (process.info["cmdline"] or ()):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


class Starter:
    """What a window has of a server, without the window."""

    def __init__(self) -> None:
        self.inputs: list[Input] = []
        self._arrived = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.host = Host(self._put, self._spawn)

    def _put(self, what: Input) -> None:
        self.inputs.append(what)
        self._arrived.set()

    def _spawn(self, what: Awaitable[None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(what)
        assert isinstance(task, asyncio.Task)
        self._tasks.add(task)
        return task

    async def hears(self, kind: type[T], fits: Callable[[T], bool] = lambda _: True) -> T:
        """The first of what it is told of this kind; waits for it, and forgets what came before."""
        async with asyncio.timeout(START_S):
            while True:
                while self.inputs:
                    what = self.inputs.pop(0)
                    if isinstance(what, kind) and fits(what):
                        return what
                self._arrived.clear()
                await self._arrived.wait()

    async def settled(self) -> list[Input]:
        """What it is told until nothing is under way."""
        if self._tasks:
            await asyncio.wait(self._tasks)
        return self.inputs


@asynccontextmanager
async def window() -> AsyncIterator[Starter]:
    """Like a window from its start to its end, after which nothing is left running here but the server."""
    starter = Starter()
    try:
        yield starter
    finally:
        starter.host.close()
        await starter.settled()


def pid(folder: Path) -> int:
    return read(folder).pid


def read(folder: Path) -> Running:
    return decode_running((folder / RUNNING_FILE).read_bytes())


def gone(number: int) -> None:
    """Wait until a process has ended."""
    if psutil.pid_exists(number):
        psutil.Process(number).wait(START_S)


def test_a_server_that_is_started_is_ready_when_that_is_told_and_ends_when_it_is_stopped(
    folder: Path,
) -> None:
    async def main() -> None:
        async with window() as alice:
            alice.host.do(StartServer())
            runs = await alice.hears(ServerRuns)
            assert (runs.key, runs.port) == (read(folder).key, read(folder).port)
            assert (runs.address, runs.addresses) == (f"localhost:{runs.port}", ("127.0.0.1",))
            assert (runs.background, runs.folder, runs.online) == (True, str(folder), 0)
            number = pid(folder)
            with PlainPeer(runs.port, "bob", tls=client_context()):
                assert (await alice.hears(ServerTold)).online == 1
                alice.host.do(StopServer())
                ended = await alice.hears(ServerEnded)
            assert ended.last.endswith("The server has stopped.")
            assert not (folder / RUNNING_FILE).exists()
            gone(number)
            alice.host.do(StartServer())
            assert (await alice.hears(ServerRuns)).key == runs.key
            alice.host.do(StopServer())
            await alice.hears(ServerEnded)

    asyncio.run(main())


def test_it_goes_on_without_its_window_and_the_next_one_finds_and_stops_it(folder: Path) -> None:
    async def first() -> int:
        async with window() as alice:
            alice.host.do(StartServer())
            return (await alice.hears(ServerRuns)).port

    async def second(port: int) -> None:
        async with window() as alice:
            alice.host.do(FindServer())
            assert (await alice.hears(ServerRuns)).port == port
            alice.host.do(StopServer())
            await alice.hears(ServerEnded)

    port = asyncio.run(first())
    number = pid(folder)
    with PlainPeer(port, "bob", tls=client_context()) as bob:
        bob.say("bob", "Anybody here?")
        asyncio.run(second(port))
    gone(number)


def test_modules_in_python_path_have_no_say_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "queue.py").write_text("raise SystemExit('was imported')\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), str(ROOT / "src"))))

    async def main() -> None:
        async with window() as alice:
            alice.host.do(StartServer())
            await alice.hears(ServerRuns)
            alice.host.do(StopServer())
            await alice.hears(ServerEnded)

    asyncio.run(main())


def test_who_starts_one_while_one_runs_gets_that_one() -> None:
    async def main() -> None:
        async with window() as alice, window() as again:
            alice.host.do(StartServer())
            runs = await alice.hears(ServerRuns)
            again.host.do(StartServer(port=runs.port))
            assert await again.hears(ServerRuns) == runs
            again.host.do(StopServer())
            await again.hears(ServerEnded)
            assert (await alice.hears(ServerEnded)).last.endswith("The server has stopped.")

    asyncio.run(main())


def test_of_two_that_start_one_at_once_one_succeeds_and_the_other_finds_it(folder: Path) -> None:
    async def main() -> None:
        async with window() as alice, window() as bob:
            for one in (alice, bob):
                one.host.do(StartServer())
            hearing = {asyncio.create_task(one.hears(ServerRuns)) for one in (alice, bob)}
            (first, *_), others = await asyncio.wait(hearing, return_when=asyncio.FIRST_COMPLETED)
            for other in others:
                other.cancel()
            assert first.result().key == read(folder).key
            for one in (alice, bob):
                one.host.do(StartServer())
                assert (await one.hears(ServerRuns)).port == first.result().port
            alice.host.do(StopServer())
            await alice.hears(ServerEnded)

    asyncio.run(main())


def test_a_server_at_a_console_is_found_too_and_has_no_log_to_show(folder: Path) -> None:
    async def main() -> None:
        async with window() as alice:
            alice.host.do(FollowServerLog(True))
            alice.host.do(StartServer())
            runs = await alice.hears(ServerRuns)
            assert not runs.background
            alice.host.do(StopServer())
            assert (await alice.hears(ServerEnded)).last == ""
            assert not [one for one in alice.inputs if isinstance(one, ServerLog)]

    with ServerProcess(data=folder) as server:
        asyncio.run(main())
        assert server.event("server_stopping")["why"] == "a window of this computer asked for it"
        assert server.wait() == 0


def test_one_that_was_killed_is_told_to_have_ended_and_can_be_started_again(folder: Path) -> None:
    async def main() -> None:
        async with window() as alice:
            alice.host.do(StartServer())
            await alice.hears(ServerRuns)
            number = pid(folder)
            os.kill(number, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
            await alice.hears(ServerEnded)
            gone(number)
            assert (folder / RUNNING_FILE).exists()
            alice.host.do(FindServer())
            assert await alice.settled() == []
            alice.host.do(StartServer())
            await alice.hears(ServerRuns)
            assert pid(folder) != number
            alice.host.do(StopServer())
            await alice.hears(ServerEnded)

    asyncio.run(main())


def test_a_window_that_is_killed_leaves_the_server_to_those_who_are_at_it(folder: Path) -> None:
    starter = """
import asyncio, sys
from twocans.gui.backend.hosting import Host
from twocans.gui.viewmodel.effects import (StartServer,)
async def main():
    host = Host(lambda what: print(what, flush=True), lambda what: asyncio.get_running_loop().create_task(what))
    host.do(StartServer())
    await asyncio.Event().wait()
asyncio.run(main())
"""
    with subprocess.Popen(
        [sys.executable, "-c", starter],
        env=environment(),
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline().startswith(b"ServerRuns")
        if sys.platform != "win32":
            os.killpg(killed.pid, signal.SIGINT)  # Ctrl-C in the terminal of the window
        killed.kill()
    running = read(folder)
    with JsonPeer(running.port, "bob", tls=client_context()) as bob:
        bob.deliver("bob", "I am still here")

        async def main() -> None:
            async with window() as alice:
                alice.host.do(FindServer())
                assert (await alice.hears(ServerRuns)).online == 1
                alice.host.do(StopServer())
                await alice.hears(ServerEnded)

        asyncio.run(main())
    gone(running.pid)


def test_a_taken_port_is_told_and_another_one_works() -> None:
    async def main(port: int) -> None:
        async with window() as alice:
            alice.host.do(StartServer(port=port))
            refused = await alice.hears(ServerNotStarted)
            assert (refused.why, refused.port) == (Why.PORT_TAKEN, port)
            alice.host.do(StartServer(port=0))
            await alice.hears(ServerRuns)
            alice.host.do(StopServer())
            await alice.hears(ServerEnded)

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        asyncio.run(main(other.getsockname()[1]))


def test_a_folder_that_another_server_has_is_told(folder: Path) -> None:
    async def main() -> None:
        async with window() as alice:
            alice.host.do(StartServer())
            assert (await alice.hears(ServerNotStarted)).why is Why.FOLDER_IN_USE

    with ServerProcess(data=folder):
        (folder / RUNNING_FILE).unlink()
        asyncio.run(main())


def test_a_folder_that_cannot_be_one_is_told_in_the_servers_own_words(folder: Path) -> None:
    async def main() -> None:
        async with window() as alice:
            alice.host.do(StartServer())
            refused = await alice.hears(ServerNotStarted)
            assert refused.why is Why.OTHER
            assert refused.text.startswith(f"The folder {folder} cannot be written to")

    folder.write_text("")
    asyncio.run(main())


def test_wrong_settings_are_told_in_the_servers_own_words(folder: Path) -> None:
    async def main() -> None:
        async with window() as alice:
            alice.host.do(StartServer())
            refused = await alice.hears(ServerNotStarted)
            assert refused.why is Why.OTHER
            assert "max_connections" in refused.text

    folder.mkdir()
    (folder / "twocans.toml").write_text("max_connections = -1\n")
    asyncio.run(main())


def test_a_python_that_cannot_be_run_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def main() -> None:
        async with window() as alice:
            alice.host.do(StartServer())
            refused = await alice.hears(ServerNotStarted)
            assert refused.why is Why.OTHER
            assert "cannot be run" in refused.text

    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    asyncio.run(main())


def test_who_gives_up_while_it_starts_leaves_none_behind(folder: Path) -> None:
    async def main() -> None:
        async with window() as alice:
            alice.host.do(StartServer())
            alice.host.do(StopServer())
            await alice.hears(ServerEnded)
            alice.host.do(FindServer())
            assert await alice.settled() == []
            alice.host.do(StartServer())
            await alice.hears(ServerRuns)
            alice.host.do(StopServer())
            await alice.hears(ServerEnded)

    asyncio.run(main())
    assert not (folder / RUNNING_FILE).exists()


def test_a_window_that_ends_while_it_starts_leaves_none_behind(folder: Path) -> None:
    processes: set[psutil.Process] = set()

    async def main() -> None:
        before = set(psutil.Process().children())
        async with window() as alice:
            alice.host.do(StartServer())
            async with asyncio.timeout(START_S):
                while not processes:
                    processes.update(set(psutil.Process().children()) - before)
                    await asyncio.sleep(0)

    asyncio.run(main())
    _, alive = psutil.wait_procs(processes, START_S)
    assert not alive
    assert not (folder / RUNNING_FILE).exists()


def test_the_log_is_told_as_it_grows_while_somebody_follows_it() -> None:
    async def main() -> None:
        async with window() as alice:
            alice.host.do(StartServer())
            runs = await alice.hears(ServerRuns)
            alice.host.do(FollowServerLog(True))
            log = await alice.hears(ServerLog)
            assert "Twocans is running." in log.text
            assert "Ctrl-C" not in log.text
            with PlainPeer(runs.port, "bob", tls=client_context()):
                await alice.hears(ServerLog, lambda log: "bob joined" in log.text)
            await alice.hears(ServerLog, lambda log: "bob left" in log.text)
            alice.host.do(StopServer())
            await alice.hears(ServerEnded)

    asyncio.run(main())


def test_of_a_long_log_whole_lines_at_its_end_are_told(folder: Path) -> None:
    async def main() -> None:
        async with window() as alice:
            alice.host.do(FollowServerLog(True))
            alice.host.do(StartServer())
            log = await alice.hears(ServerLog, lambda log: "Twocans is running." in log.text)
            assert len(log.text) <= LOG_BYTES
            assert log.text.startswith("line ")
            alice.host.do(StopServer())
            await alice.hears(ServerEnded)

    folder.mkdir()
    (folder / CONSOLE_LOG_FILE).write_text("".join(f"line {number}\n" for number in range(20_000)))
    asyncio.run(main())


@pytest.mark.parametrize("left", [b"", b"{", b'{"pid": 1}', b"\xff" * 100_000])
def test_a_file_that_no_server_has_written_is_none(folder: Path, left: bytes) -> None:
    async def main() -> None:
        async with window() as alice:
            alice.host.do(FindServer())
            assert await alice.settled() == []

    folder.mkdir()
    (folder / RUNNING_FILE).write_bytes(left)
    asyncio.run(main())


def test_in_the_background_one_line_tells_the_starter_and_the_rest_goes_into_a_file(folder: Path) -> None:
    with subprocess.Popen(
        command("--background"),
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as server:
        assert server.stdout is not None
        assert decode_report(server.stdout.readline()) == Started()
        with PlainPeer(read(folder).port, "bob", tls=client_context()):
            pass
        assert server.stdout.read() == b""  # it holds the pipe no longer, and runs on
        assert server.poll() is None
        server.terminate()
        assert server.wait(START_S) == (1 if sys.platform == "win32" else 0)
    said = (folder / CONSOLE_LOG_FILE).read_text()
    assert "bob joined (1 online)" in said
    assert said.endswith("The server has stopped.\n")
