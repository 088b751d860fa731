"""Real windows for tests: a display of their own, keys and clicks by xdotool, clients in this process and in others."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import tkinter as tk
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from PIL import Image, ImageGrab
from Xlib.display import Display as XDisplay
from Xlib.ext import res

from tests.support.deadline import DEADLINE_S
from tests.support.process import environment
from twocans.client.nearby import Networks
from twocans.gui.app import Application
from twocans.gui.viewmodel.state import Screen
from twocans.gui.views.popup import PopupMenu
from twocans.gui.views.text_canvas import TextCanvas

NEEDED: Final = ("Xvfb", "openbox", "xdotool", "xclip")


class Display:
    """An X server with a window manager, for tests only.

    Args:
        size: of the screen, in pixels.
        dpi: dots an inch, as the server tells the toolkit.
        log: where the window manager's complaints go.
    """

    def __init__(self, log: Path, *, size: tuple[int, int] = (1600, 1100), dpi: int = 96) -> None:
        missing = [name for name in NEEDED if shutil.which(name) is None]
        assert not missing, f"the tests of the window need {', '.join(missing)}"
        reader, writer = os.pipe()
        self._server = subprocess.Popen(
            [
                "Xvfb",
                "-displayfd",
                str(writer),
                "-screen",
                "0",
                f"{size[0]}x{size[1]}x24",
                "-dpi",
                str(dpi),
                "-nolisten",
                "tcp",
                "-noreset",  # it would begin anew whenever the last program leaves
            ],
            pass_fds=(writer,),
            stderr=subprocess.DEVNULL,
        )
        os.close(writer)
        with os.fdopen(reader) as pipe:
            number = pipe.readline().strip()
        assert number, "Xvfb did not start"
        self.name = f":{number}"
        with log.open("wb") as complaints:
            self._manager = subprocess.Popen(
                ["openbox"], env=os.environ | {"DISPLAY": self.name}, stdout=complaints, stderr=complaints
            )

    def close(self) -> None:
        """End both."""
        for process in (self._manager, self._server):
            process.terminate()
            process.wait()


def xdotool(*arguments: str, while_waiting: Callable[[], object] | None = None) -> str:
    """Press keys, move and click as a person does; windows of this process go on meanwhile."""
    process = subprocess.Popen(["xdotool", *arguments], stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + DEADLINE_S
    while process.poll() is None:
        assert time.monotonic() < deadline, arguments
        if while_waiting is not None:
            while_waiting()
        else:
            time.sleep(0.005)
    assert process.stdout is not None
    with process.stdout as output:
        return output.read()


def clipboard() -> str:
    """What another program gets by pasting."""
    return subprocess.run(
        ["xclip", "-selection", "clipboard", "-o"],
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
    ).stdout


def screenshot(path: Path | None = None) -> Image.Image:
    """The whole screen; kept under `path` for a person to look at."""
    image: Image.Image = ImageGrab.grab(xdisplay=os.environ["DISPLAY"])
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)
    return image


def text_of(canvas: tk.Canvas, item: int) -> str:
    """What an item on a canvas says; "" if it is no text."""
    kind: str = canvas.tk.call(canvas, "type", item)
    return str(canvas.tk.call(canvas, "itemcget", item, "-text")) if kind == "text" else ""


class Person:
    """Somebody at a window of this very process, so that a test can look at what is on it.

    Args:
        folder: where settings and log are kept.
        port: the server's; with a `user`, connects at once.
        networks: where it looks for servers; nowhere if None.
        errors: takes what callbacks raise.
    """

    def __init__(
        self, *, port: int, user: str | None = None, networks: Callable[[], Networks] | None = None
    ) -> None:
        self.errors: list[BaseException] = []
        address = f"127.0.0.1:{port}"
        self.app = Application(
            server=address,
            user=user,
            connect=user is not None,
            search=networks is not None,
            networks=networks,
        )
        self.root = self.app.root
        self.vm = self.app.vm
        self.window = self.app.window
        self.root.report_callback_exception = self._failed
        self.closed = False
        if user is not None:
            self.wait(lambda: self.vm.screen is Screen.MAIN)
        self.activate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the window and look whether anything failed."""
        if not self.closed:
            self.closed = True
            self.window.quit()
        if self.errors:
            raise self.errors[0]

    def pump(self) -> None:
        """Let the window work."""
        self.root.update()
        if self.errors:
            raise self.errors[0]
        time.sleep(0.002)

    def wait(self, condition: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
        """Let the window work until something holds."""
        deadline = time.monotonic() + deadline_s
        while not condition():
            assert time.monotonic() < deadline, f"this never came true; the window says {self.said()}"
            self.pump()

    def said(self) -> dict[str, object]:
        """For messages of failed tests."""
        return {
            "title": self.root.title(),
            "people": self.names,
            "open": self.vm.header,
            "texts": [bubble.text for bubble in self.vm.bubbles][-5:],
            "banner": self.vm.banner,
            "notice": self.vm.notice,
            "login": self.vm.form.state,
        }

    # --- doing ---

    def activate(self) -> None:
        """Bring this window to the front by way of the window manager."""
        self.wait(lambda: self.root.winfo_viewable())
        # The frame around the toolkit's window is the one that the window manager knows.
        self._xdotool("windowactivate", str(int(self.root.wm_frame(), 16)))
        self.wait(lambda: self.vm.chats.in_front)

    def key(self, *keys: str) -> None:
        """Press keys, one after the other."""
        self._xdotool("key", "--delay", "15", *keys)
        self._settle()

    def write(self, text: str) -> None:
        """Type a text."""
        self._xdotool("type", "--delay", "8", text)
        self._settle()

    def click(self, widget: tk.Misc, x: int | None = None, y: int | None = None, *, button: int = 1) -> None:
        """Click on a widget, in its middle or at a place in it."""
        self.root.update()
        left = widget.winfo_rootx() + (widget.winfo_width() // 2 if x is None else x)
        top = widget.winfo_rooty() + (widget.winfo_height() // 2 if y is None else y)
        self._xdotool("mousemove", str(left), str(top), "click", str(button))
        self._settle()

    def wait_for_menu(self) -> PopupMenu:
        """The menu that is open, once one is; that beside it, if one is open there."""

        def shown() -> list[PopupMenu]:
            return [one for one in self._widgets() if isinstance(one, PopupMenu) and one.is_open]

        self.wait(shown)
        return shown()[-1]

    def choose(self, text: str) -> None:
        """Choose the entry that begins so, in the menu that is open, with the keys."""
        menu = self.wait_for_menu()
        usable = [one.label for one in menu.items if one.enabled]
        number = next(n for n, label in enumerate(usable) if label.startswith(text))
        self.key(*["Down"] * (number + 1), "Return")
        self.wait(lambda: not menu.winfo_exists())

    def click_entry(self, menu: PopupMenu, label: str) -> None:
        """Click on an entry of a menu that is open."""
        x, y = menu.position(label)
        self._xdotool("mousemove", str(x), str(y), "click", "1")
        self._settle()

    def await_dialog(self, text: str) -> None:
        """Wait until a window over the main one says this and has the keyboard."""
        self.wait(lambda: text in self.labels and self._focus_is_in_a_dialog())

    def _focus_is_in_a_dialog(self) -> bool:
        focus = self.root.focus_get()
        return focus is not None and focus.winfo_toplevel() is not self.root

    def hover(self, widget: tk.Misc, x: int, y: int) -> None:
        """Move the pointer over a place in a widget."""
        self._xdotool("mousemove", str(widget.winfo_rootx() + x), str(widget.winfo_rooty() + y))
        self._settle()

    def click_on(self, text: str) -> None:
        """Click on the button that says this, or on this text in the list of people or of servers."""
        for widget in self._widgets():
            if (
                widget.winfo_class() == "TButton"
                and widget.winfo_viewable()
                and str(widget.cget("text")) == text
            ):
                self.click(widget)
                return
        for canvas in (self.list_canvas, self.server_canvas):
            for item in canvas.find_all() if canvas.winfo_viewable() else ():
                if text_of(canvas, item) == text:
                    left, top, right, bottom = canvas.bbox(item)
                    x, y = int(canvas.canvasx(0)), int(canvas.canvasy(0))
                    self.click(canvas, (left + right) // 2 - x, (top + bottom) // 2 - y)
                    return
        raise AssertionError(f"nothing says {text!r}")

    # --- seeing ---

    @property
    def title(self) -> str:
        return self.root.title()

    @property
    def names(self) -> list[str]:
        """Who is in the list."""
        return [row.name for row in self.vm.people.rows]

    @property
    def list_canvas(self) -> tk.Canvas:
        return next(
            widget
            for widget in self._widgets()
            if isinstance(widget, tk.Canvas) and "peoplelist" in str(widget)
        )

    @property
    def server_canvas(self) -> tk.Canvas:
        return next(
            widget
            for widget in self._widgets()
            if isinstance(widget, tk.Canvas) and "serverlist" in str(widget)
        )

    @property
    def servers(self) -> list[str]:
        """All texts that the list of servers draws now."""
        canvas = self.server_canvas
        return [text for item in canvas.find_all() if (text := text_of(canvas, item))]

    @property
    def composer(self) -> tk.Text:
        return self.window.chat.composer.text

    @property
    def drawn(self) -> list[str]:
        """All texts that the list of people draws now."""
        canvas = self.list_canvas
        return [text for item in canvas.find_all() if (text := text_of(canvas, item))]

    @property
    def labels(self) -> list[str]:
        """All texts of labels and buttons that are in view."""
        return [
            widget.text if isinstance(widget, TextCanvas) else str(widget.cget("text"))
            for widget in self._widgets()
            if (isinstance(widget, TextCanvas) or widget.winfo_class() in {"TLabel", "TButton"})
            and widget.winfo_viewable()
            and (widget.text if isinstance(widget, TextCanvas) else widget.cget("text"))
        ]

    def face_width(self) -> int:
        """How wide the first avatar in the list is, in pixels."""
        left, _, right, _ = self.list_canvas.bbox("face")
        return right - left

    def theme_is_dark(self) -> bool:
        return self.app.theme.dark

    def copied(self) -> str:
        """All messages of the open chat, copied with the keys and pasted elsewhere."""
        self.click(self.window.chat.transcript.canvas)
        self.key("ctrl+a", "ctrl+c")
        process = subprocess.Popen(
            ["xclip", "-selection", "clipboard", "-o"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert process.stdout is not None
        with process.stdout as output:
            self.wait(lambda: process.poll() is not None)
            return output.read().decode()

    # --- inside ---

    def _widgets(self) -> list[tk.Misc]:
        found: list[tk.Misc] = [self.root]
        for widget in found:
            found.extend(widget.winfo_children())
        return found

    def _xdotool(self, *arguments: str) -> None:
        xdotool(*arguments, while_waiting=self.pump)

    def _settle(self) -> None:
        """What was typed has been sent by the display when it answers; then it has to be handled."""
        for _ in range(3):
            self.root.winfo_pointerxy()  # a round trip to the display
            self.root.update()

    def _failed(self, _kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
        self.errors.append(error)


class ClientProcess:
    """A client as a process of its own, that is only looked at from outside.

    Args:
        folder: where it keeps everything.
        arguments: its options.
        extra: more of its environment.
        shows: whether it is to show a window; waits for that.
        prefix: put before its command.
    """

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        extra: dict[str, str] | None = None,
        shows: bool = True,
        prefix: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.log = folder / "log"
        folder.mkdir(parents=True, exist_ok=True)
        self._stderr = (folder / "stderr").open("wb")
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "twocans.gui", "--no-search", *arguments],
            env=environment(
                {
                    "TWOCANS_CONFIG_DIR": str(folder / "config"),
                    "TWOCANS_DATA_DIR": str(folder / "data"),
                    "TWOCANS_LOG_DIR": str(self.log),
                    "TWOCANS_GUI_STRICT": "1",
                    **(extra or {}),
                }
            ),
            stdin=subprocess.DEVNULL,
            stdout=self._stderr,
            stderr=self._stderr,
        )
        if shows:
            try:
                self.wait(lambda: self._window, "window")
            except BaseException:
                self.__exit__(None, None, None)
                raise

    @property
    def _window(self) -> str:
        """The number of its window in view, which the toolkit may change while it comes up; "" if there is none."""
        named = xdotool("search", "--onlyvisible", "--name", r"^(\([0-9]+\) )?Twocans").split()
        # Tips and dialogs have its name too, and came later.
        return min(_of_process(self.process.pid, named), key=int, default="")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._stderr.close()

    def title_is(self, title: str) -> None:
        """Wait until the window's title is this."""
        self.wait(lambda: self.title == title, f"title {title!r}")

    @property
    def title(self) -> str:
        """The window's title."""
        window = self._window
        return xdotool("getwindowname", window).strip() if window else ""

    def key(self, *keys: str) -> None:
        self.activate()
        xdotool("key", "--delay", "30", *keys)

    def write(self, text: str) -> None:
        self.activate()
        xdotool("type", "--delay", "20", text)

    def activate(self) -> None:
        """Bring it to the front and wait until it has the keyboard."""
        self.wait(self._comes_to_the_front, "focus")

    @property
    def is_in_front(self) -> bool:
        """Whether it has the keyboard."""
        return xdotool("getwindowfocus", "-f").strip() == self._window

    def _comes_to_the_front(self) -> bool:
        # A window that has just been shown may take the keyboard for itself after this one was asked for.
        window = self._window
        if window and not self.is_in_front:
            xdotool("windowactivate", window)
        return self.is_in_front

    def wait(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert self.process.poll() is None, self.failure()
            assert time.monotonic() < deadline, f"no {what}; the title is {self.title!r}"
            time.sleep(0.02)

    def quits(self) -> int:
        """Wait for the end; the exit code."""
        return self.process.wait(DEADLINE_S)

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def failure(self) -> str:
        logs = [path.read_text() for path in self.log.glob("*")] if self.log.exists() else []
        return f"exit code {self.process.poll()}: {(self.folder / 'stderr').read_text()} {logs}"


def _of_process(pid: int, windows: Sequence[str]) -> list[str]:
    """Those of the windows, by their numbers, that belong to a process: the display knows, the toolkit does not say."""
    display = XDisplay()
    try:
        asked = [{"client": int(window), "mask": res.LocalClientPIDMask} for window in windows]
        answers = [display.res_query_client_ids([one]).ids for one in asked]
    finally:
        display.close()
    return [
        window
        for window, found in zip(windows, answers, strict=True)
        if pid in [number for one in found for number in one.value]
    ]


def set_environment(
    folder: Path, set_variable: Callable[[str, str], object], names: Sequence[str] = ()
) -> None:
    """Keep a client of this process to a folder of its own."""
    set_variable("TWOCANS_CONFIG_DIR", str(folder / "config"))
    set_variable("TWOCANS_DATA_DIR", str(folder / "data"))
    set_variable("TWOCANS_LOG_DIR", str(folder / "log"))
    set_variable("TWOCANS_DATA", str(folder / "server"))
    for name in names:
        set_variable(name, "")
