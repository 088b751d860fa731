"""The desktop client's start: command line, settings, window, bridge."""

from __future__ import annotations

import argparse
import sys
import time
import tkinter as tk
from collections.abc import Callable, Sequence
from pathlib import Path
from random import SystemRandom
from typing import Final

from twocans.client.cids import new_cid
from twocans.client.nearby import Networks
from twocans.common.atomic_file import data_folder
from twocans.gui import errors
from twocans.gui.backend.backend import check_server
from twocans.gui.backend.bridge import Bridge
from twocans.gui.backend.open_window import Claim, OpenWindow, start_options
from twocans.gui.backend.settings import SettingsFile, config_dir
from twocans.gui.platform import appearance
from twocans.gui.theme.theme import Theme, make_root
from twocans.gui.transcript.dates import local_moment
from twocans.gui.viewmodel import ViewModel
from twocans.gui.viewmodel.state import Clock, Preferences
from twocans.gui.views.window import Window, is_dark

OLDEST_TK: Final = 8.6
LOOK_S: Final = 0.3
"""How long the start waits to hear whether the desktop is dark; a later answer counts when it comes."""
SHOWN: Final = (
    "Twocans is open already, so its window was brought to the front. --new-window opens another one."
)
SILENT: Final = (
    "Twocans is open already, and its window does not answer. Close it, or end its process, and start again. "
    "Use --new-window to open another window anyway."
)


class Application:
    """The parts of the client, put together.

    Args:
        server, user: what the login form holds; what was used last if None.
        connect: whether to connect at once.
        search: whether to look for servers on the network.
        networks: where to look; see `NearbyServers`.
        in_tray: whether to start there, if the user wants to have it there.
        window: what this process has claimed, to hear of further starts.

    Raises:
        tkinter.TclError: there is no display.
    """

    def __init__(
        self,
        *,
        server: str | None = None,
        user: str | None = None,
        connect: bool = False,
        search: bool = True,
        networks: Callable[[], Networks] | None = None,
        in_tray: bool = False,
        window: OpenWindow | None = None,
    ) -> None:
        file = SettingsFile(config_dir())
        settings, problem = file.load()
        system_dark = appearance.prefers_dark_soon(LOOK_S)
        dark = is_dark(settings.look, system_dark)
        scale = appearance.linux_scale() if sys.platform.startswith("linux") else None
        self.root = make_root(dark=dark, scale=scale)
        self._ready = False
        errors.catch(self.root, self._tell)
        self.theme = Theme(self.root, dark=dark, text_size=settings.text_size)
        chance = SystemRandom()
        self.vm = ViewModel(
            Clock(time.monotonic, lambda: time.time_ns() // 1_000_000, local_moment),
            lambda: new_cid(now_ms=time.time_ns() // 1_000_000, random=chance),
            check_server,
            preferences=Preferences(settings.sound, settings.notifications, settings.away_after_min * 60),
            server=settings.server if server is None else server,
            user=settings.user if user is None else user,
            recent=settings.recent,
            quiet_until_ms=settings.quiet_until_ms,
            muted=settings.muted,
        )
        self.bridge = Bridge(
            self.root, lambda inputs: self.window.take(inputs), time.monotonic, networks, window
        )
        self.window = Window(
            self.root,
            self.theme,
            self.vm,
            self.bridge.do,
            settings,
            file,
            system_dark=system_dark,
            on_quit=self.bridge.close,
        )
        self._ready = True
        self.bridge.start()
        self.window.present(in_tray=in_tray)
        self.window.act(self.vm.hosting.look)
        if search:
            self.window.act(self.vm.nearby.look)
        if problem:
            self._tell(problem)
        if connect:
            self.window.act(self.vm.connect)

    def run(self) -> None:
        """Until the window is closed."""
        try:
            self.root.mainloop()
        except KeyboardInterrupt:
            self.window.quit()

    def _tell(self, sentence: str) -> None:
        if self._ready:
            self.window.act(self.vm.tell, sentence)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the desktop client; returns the exit code."""
    options = _parse(argv)
    try:
        Path.home()
    except RuntimeError:  # no HOME is set, and the system does not know the user either
        return _fail(
            "This user has no home folder, where Twocans keeps its settings. Set the environment variable HOME to a "
            "folder of yours, and start again."
        )
    errors.set_up_log(errors.log_dir())
    if tk.TkVersion < OLDEST_TK:
        return _fail(
            f"Python's window toolkit is too old here (Tk {tk.TkVersion}). Please install a newer Python."
        )
    window = OpenWindow(data_folder(), config_dir())
    start = start_options(
        server=options.server, user=options.user, connect=options.connect, in_tray=options.in_tray
    )
    if options.new_window:
        window.claim_if_free()
    else:
        match window.claim(start):
            case Claim.SHOWN:
                return _shown(in_tray=options.in_tray)
            case Claim.SILENT:
                return _fail(SILENT)
            case Claim.FIRST | Claim.UNKNOWN:
                pass
    try:
        return _run(options, window)
    finally:
        window.release()


def _run(options: argparse.Namespace, window: OpenWindow) -> int:
    try:
        application = Application(
            server=options.server,
            user=options.user,
            connect=options.connect,
            search=not options.no_search,
            in_tray=options.in_tray,
            window=window if window.claim_if_free() else None,
        )
    except tk.TclError as error:
        if "display" not in str(error):
            raise
        return _fail("There is no screen to open a window on. Please start Twocans from a desktop session.")
    application.run()
    return 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="client_gui.py", description="Chat with everybody on your network.")
    parser.add_argument(
        "--server", metavar="ADDRESS", help="the server's address, e.g. 192.168.1.5 or localhost:5050"
    )
    parser.add_argument("--user", metavar="NAME", help="your name")
    parser.add_argument("--connect", action="store_true", help="connect at once")
    parser.add_argument("--no-search", action="store_true", help="do not look for servers on the network")
    parser.add_argument(
        "--in-tray", action="store_true", help="start in the tray, if the settings let it stay there"
    )
    parser.add_argument(
        "--new-window",
        action="store_true",
        help="open another window although one is open, for example to log in under another name",
    )
    return parser.parse_args(argv)


def _shown(*, in_tray: bool) -> int:
    if not in_tray:
        sys.stdout.write(f"{SHOWN}\n")
    return 0


def _fail(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 1
