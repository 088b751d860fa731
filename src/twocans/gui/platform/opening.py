"""Opens files, folders and links with the programs that the system has for them.

They are detached: in a session of their own, without this program's terminal. Nothing waits for their end but a daemon
thread each, which reaps them; some openers, such as `xdg-open` without a desktop environment, run as long as what they open.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import structlog

SETTLE_S: Final = 3.0
"""An opener that has not failed in this time is taken to have opened what it was to, in seconds."""
LINK_NOT_OPENED: Final = "The link could not be opened: no web browser was found. Copy the link with a right click, and paste it into one."

log: structlog.stdlib.BoundLogger = structlog.get_logger()


async def open_file(path: Path) -> str:
    """Open a file with the system's program for it.

    Returns:
        A sentence for the user if that does not work, "" if it does.
    """
    if not await asyncio.to_thread(path.exists):
        return f"{path.name} is no longer there."
    if await _works(partial(_open, path)):
        return ""
    return f"{path.name} could not be opened: no program for it was found. It is in {path.parent}."


async def show_in_folder(path: Path) -> str:
    """Show where a file is; returns the same as `open_file`."""
    if not await asyncio.to_thread(path.exists):
        return f"{path.name} is no longer there."
    if await _works(partial(_show, path)):
        return ""
    return f"No program to show folders was found. {path.name} is in {path.parent}."


async def open_folder(path: Path) -> str:
    """Show what is in a folder; returns the same as `open_file`."""
    if await _works(partial(_open_folder, path)):
        return ""
    return f"No program to show folders was found. The folder is {path}."


async def open_link(url: str) -> str:
    """Open a link in the web browser; returns the same as `open_file`."""
    return "" if await _works(partial(_browse, url)) else LINK_NOT_OPENED


async def _works(open_: Callable[[], bool]) -> bool:
    """True unless a call says within `SETTLE_S` that it failed; its thread is its own, and goes on as long as it likes."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bool] = loop.create_future()

    def settle(works: bool) -> None:
        if not answer.done():
            answer.set_result(works)

    def run() -> None:
        try:
            works = open_()
        except (OSError, webbrowser.Error) as error:
            log.warning("not_opened", reason=f"{type(error).__name__}: {error}")
            works = False
        with contextlib.suppress(RuntimeError):  # the window has ended
            loop.call_soon_threadsafe(settle, works)

    threading.Thread(target=run, name="twocans-opener", daemon=True).start()
    try:
        async with asyncio.timeout(SETTLE_S):
            return await answer
    except TimeoutError:
        return True


def _open(path: Path) -> bool:
    if sys.platform == "win32":
        os.startfile(path)  # noqa: S606 - of a kind that is no program, or as the user asked
        return True
    return _run("open" if sys.platform == "darwin" else "xdg-open", str(path))


def _show(path: Path) -> bool:
    if sys.platform == "win32":
        _run("explorer", f"/select,{path}")  # it always says 1
        return True
    if sys.platform == "darwin":
        return _run("open", "-R", str(path))
    return _run("xdg-open", str(path.parent))


def _open_folder(path: Path) -> bool:
    return _browse(path.absolute().as_uri())


def _browse(url: str) -> bool:
    # Python starts some browsers in its own session, and does not hear that xdg-open failed.
    if sys.platform == "linux" and "BROWSER" not in os.environ and shutil.which("xdg-open"):
        return _run("xdg-open", url)
    return webbrowser.open(url)


def _run(*command: str) -> bool:
    process = subprocess.Popen(  # noqa: S603 - a path or a link is one argument, and begins with no dash
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=sys.platform != "win32",
    )
    code = process.wait()
    if code:
        log.warning("opener_failed", program=command[0], code=code)
    return code == 0
