"""The server of this computer's user: finds it, starts it as a process of its own, asks how it is, operates and stops it.

It goes on when the window ends, in whatever way; the next one finds it by the file in its folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Final

import platformdirs
import structlog

from twocans.client.address import Address
from twocans.common.atomic_file import read_file
from twocans.gui.backend.control_line import ANSWER_S, ControlLine, as_asked, first_answer
from twocans.gui.viewmodel.effects import (
    FindServer,
    FollowPeople,
    FollowServerLog,
    OperateServer,
    StartServer,
    StopServer,
)
from twocans.gui.viewmodel.inputs import (
    Input,
    ServerAnswered,
    ServerEnded,
    ServerLog,
    ServerNotStarted,
    ServerPeople,
    ServerRuns,
    ServerTold,
)
from twocans.protocol.local_control import (
    CONSOLE_LOG_FILE,
    FOLDER_NAME,
    MAX_BYTES,
    RUNNING_FILE,
    Asked,
    NotStarted,
    Report,
    Running,
    RunningInvalid,
    Status,
    Why,
    Wish,
    decode_answer,
    decode_report,
    decode_running,
    decode_status,
)
from twocans.protocol.operator import Command, ListPeople, People, Refused

FOLDER_VARIABLE: Final = "TWOCANS_DATA"
"""Names the server's folder, for the server too."""
ASK_S: Final = 1.0
"""How often the server is asked how it is, in seconds."""
LOG_BYTES: Final = 64 * 1024
"""So much of the end of the log is shown."""
RESTART_S: Final = 60.0
"""For so long after a server has ended another one is looked for, in seconds: it may be starting again."""
LOOK_AGAIN_S: Final = 1.0
_STARTING_S: Final = 10.0
"""The same where somebody has just connected to a server: it may not have said yet that it runs."""
_TAIL_LINES: Final = 20
_SILENT: Final = "The program ended without saying why."
_GONE: Final = "Your server is not running any more."
_NO_ANSWER: Final = "Your server did not answer. Look whether it was done before you try again."

log: structlog.stdlib.BoundLogger = structlog.get_logger()

Spawn = Callable[[Coroutine[None, None, None]], "asyncio.Task[None]"]


def server_folder() -> Path:
    """Where a server of this user keeps its files."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else platformdirs.user_data_path(FOLDER_NAME, appauthor=False)


class Host:
    """At most one server, from when it is found or started until it ends.

    Args:
        put_now: hands an input to the window.
        spawn: runs something until it ends or is cancelled.
    """

    def __init__(self, put_now: Callable[[Input], None], spawn: Spawn) -> None:
        self._put_now = put_now
        self._spawn = spawn
        self._folder = server_folder()
        self._task: asyncio.Task[None] | None = None
        self._process: _Process | None = None
        self._wake = asyncio.Event()
        self._wish = Wish.STATUS
        self._follows = False
        self._wanted: str | None = None
        """The part of the names of those who are followed; None if nobody is."""
        self._running: Running | None = None

    def do(
        self, effect: FindServer | StartServer | StopServer | FollowServerLog | FollowPeople | OperateServer
    ) -> None:
        """Carry an effect out."""
        match effect:
            case FindServer(again):
                self._begin(self._find(_STARTING_S if again else 0.0))
            case StartServer(port):
                self._begin(self._start(port))
            case StopServer():
                if self._process is not None:
                    self._process.give_up()
                self._wish = Wish.STOP
                self._wake.set()
            case FollowServerLog(on):
                self._follows = on
                self._wake.set()
            case FollowPeople(find):
                self._wanted = find
                self._wake.set()
            case OperateServer(number, command):
                self._spawn(self._operate(number, command))

    def close(self) -> None:
        """The window ends: a server that runs goes on, one that is just being started does not."""
        if self._process is not None:
            self._process.give_up()
        if self._task is not None:
            self._task.cancel()

    def _begin(self, what: Coroutine[None, None, None]) -> None:
        if self._task is not None:
            self._task.cancel()
        self._wish = Wish.STATUS
        self._task = self._spawn(what)

    # --- finding and starting -----------------------------------------------------------------------------

    async def _find(self, patience_s: float) -> None:
        await self._attend_to_each(patience_s)

    async def _start(self, port: int | None) -> None:
        if await self._attend_to_each():
            return
        process = self._process = _Process(
            self._command(port), asyncio.get_running_loop(), asyncio.get_running_loop().create_future()
        )
        report = await process.report
        if process.given_up:
            self._put_now(ServerEnded(""))
        elif isinstance(report, NotStarted):
            # Another window may have been faster.
            if report.why is Why.OTHER or not await self._attend_to_each():
                self._put_now(ServerNotStarted(report.why, report.text, report.port))
        elif not await self._attend_to_each():
            self._put_now(ServerNotStarted(Why.OTHER, self._last_line() or _SILENT, 0))

    def _command(self, port: int | None) -> list[str]:
        # -I: neither the current folder nor PYTHONPATH, which may hold anything, is searched for packages.
        command = [sys.executable, "-I", "-m", "twocans.server", "--background", "--data", str(self._folder)]
        return command if port is None else [*command, "--port", str(port)]

    # --- while it runs ------------------------------------------------------------------------------------

    async def _attend_to_each(self, patience_s: float = 0.0) -> bool:
        """Tell of the server until it has ended, and of one that starts soon after it.

        Args:
            patience_s: for how long to look for the first one.

        Returns:
            False if none runs.
        """
        now = asyncio.get_running_loop().time
        until, found = now() + patience_s, False
        while True:
            if await self._attend():
                if self._wish is Wish.STOP:
                    return True
                until, found = now() + RESTART_S, True
            elif now() >= until:
                return found
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _attend(self) -> bool:
        """Tell of the server until it has ended; False if none runs."""
        running = await asyncio.to_thread(self._read)
        if running is None:
            return False
        answered = await first_answer(
            self._folder, running, Asked(secret=running.secret, wish=self._wish), decode_status
        )
        if answered is None:
            return False  # it was killed, and the file is left over
        line, status = answered
        try:
            self._running = running
            self._put_now(_runs(running, status, self._folder))
            await self._watch(line, running, status)
        finally:
            self._running = None
            line.close()
        self._put_now(ServerEnded(await asyncio.to_thread(self._last_line) if running.background else ""))
        return True

    async def _watch(self, line: ControlLine, running: Running, status: Status) -> None:
        shown, people = "", None
        while True:
            if self._follows and running.background:
                text = await asyncio.to_thread(self._read_log)
                if text != shown:
                    shown = text
                    self._put_now(ServerLog(text))
            if self._wanted is None:
                people = None
            elif status.commands:
                before, people = (
                    people,
                    await line.get(as_asked(running, ListPeople(find=self._wanted)), decode_answer),
                )
                if isinstance(people, People) and people != before:
                    self._put_now(ServerPeople(people))
            wish = self._wish
            if wish is Wish.STATUS:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(ASK_S):
                        await self._wake.wait()
                self._wake.clear()
                wish = self._wish
            told = await line.get(Asked(secret=running.secret, wish=wish), decode_status)
            if told is None:
                return
            if told != status:
                status = told
                self._put_now(ServerTold(told.online, told.addresses))
            if wish is Wish.STOP:
                await line.end()
                return

    async def _operate(self, number: int, command: Command) -> None:
        """Have a command carried out, on a connection of its own: what is asked every second need not wait for it."""
        running = self._running
        if running is None:
            self._put_now(ServerAnswered(number, command, Refused(text=_GONE)))
            return
        # A question may be asked again if the connection is closed without an answer; a command may not.
        answered = await first_answer(
            self._folder, running, Asked(secret=running.secret, wish=Wish.STATUS), decode_status
        )
        answer = None
        if answered is not None:
            with contextlib.suppress(TimeoutError), contextlib.closing(answered[0]) as line:
                async with asyncio.timeout(ANSWER_S):
                    answer = await line.get(as_asked(running, command), decode_answer)
        self._put_now(ServerAnswered(number, command, answer or Refused(text=_NO_ANSWER)))
        self._wake.set()  # others may be connected now

    def _read(self) -> Running | None:
        try:
            content = read_file(self._folder / RUNNING_FILE, MAX_BYTES)
            return None if content is None else decode_running(content)
        except (OSError, RunningInvalid) as error:
            log.warning("server_file_unusable", error=str(error))
            return None

    def _read_log(self) -> str:
        try:
            with (self._folder / CONSOLE_LOG_FILE).open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - LOG_BYTES))
                content = file.read(LOG_BYTES)
        except OSError as error:
            return f"The log cannot be read ({os.strerror(error.errno or 0)})."
        text = content.decode(errors="replace")
        return text.partition("\n")[2] if size > LOG_BYTES else text

    def _last_line(self) -> str:
        lines = self._read_log().splitlines()
        return lines[-1] if lines else ""


class _Process:
    """A server that is started; a thread of its own waits for its report, and later for its end.

    Not asyncio's own way to start processes, which kills them when the loop ends.

    Args:
        command: what starts it.
        loop: where its report is awaited.
        report: becomes what it says of itself; what it says otherwise is the text if it just ends.
    """

    def __init__(
        self, command: list[str], loop: asyncio.AbstractEventLoop, report: asyncio.Future[Report]
    ) -> None:
        self.report = report
        self.given_up = False
        self._command = command
        self._loop = loop
        self._lock = threading.Lock()
        self._has_reported = False
        self._popen: subprocess.Popen[bytes] | None = None
        threading.Thread(target=self._run, name="twocans-server", daemon=True).start()

    def give_up(self) -> None:
        """End it, unless it has started already."""
        with self._lock:
            if not self._has_reported:
                self.given_up = True
                if self._popen is not None:
                    self._popen.terminate()

    def _run(self) -> None:
        try:
            with self._lock:
                self._popen = popen = None if self.given_up else _popen(self._command)
        except OSError as error:
            text = f"{self._command[0]} cannot be run ({os.strerror(error.errno or 0)})."
            self._tell(NotStarted(why=Why.OTHER, text=text, port=0))
            return
        if popen is None:
            self._tell(NotStarted(why=Why.OTHER, text="", port=0))
            return
        self._tell(_read_report(popen))
        popen.wait()

    def _tell(self, report: Report) -> None:
        with self._lock:
            self._has_reported = True

        def tell() -> None:
            if not self.report.done():
                self.report.set_result(report)

        with contextlib.suppress(RuntimeError):  # the window has ended
            self._loop.call_soon_threadsafe(tell)


def _popen(command: list[str]) -> subprocess.Popen[bytes]:
    """Start a process that outlives this one, whatever becomes of this one's console or session."""
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    return subprocess.Popen(  # noqa: S603 - nobody else's words are in it
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        creationflags=flags,
        start_new_session=sys.platform != "win32",
    )


def _read_report(popen: subprocess.Popen[bytes]) -> Report:
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    if popen.stdout is not None:
        with popen.stdout as output:
            while line := output.readline(MAX_BYTES):
                with contextlib.suppress(RunningInvalid):
                    return decode_report(line)
                tail.append(line.decode(errors="replace").strip())
    said = next((line for line in reversed(tail) if line), _SILENT)
    return NotStarted(why=Why.OTHER, text=said, port=0)


def _runs(running: Running, status: Status, folder: Path) -> ServerRuns:
    everywhere = running.host == "0.0.0.0" or running.host.startswith("127.")  # noqa: S104 - compared only
    address = Address("localhost" if everywhere else running.host, running.port)
    return ServerRuns(
        address=str(address),
        port=running.port,
        key=running.server_key,
        started_at=running.started_at,
        background=running.background,
        folder=str(folder),
        online=status.online,
        addresses=status.addresses,
        commands=status.commands,
    )
