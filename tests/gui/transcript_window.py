"""A transcript in a window of its own, for tests that look at it, point at it and type into it."""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from tests.support.deadline import DEADLINE_S
from twocans.gui.transcript.model import Bubble, FileAction, Status
from twocans.gui.transcript.style import LIGHT, Fonts
from twocans.gui.transcript.widget import Transcript

NOON = 1_741_950_000_000


class Window:
    """A transcript in a window of its own, and what it told its owner."""

    def __init__(self) -> None:
        self.root = tk.Tk()
        self.errors: list[BaseException] = []
        self.root.report_callback_exception = self._failed
        self.links: list[str] = []
        self.retries: list[str] = []
        self.file_actions: list[tuple[str, FileAction]] = []
        self.pictures: list[str] = []
        self.at_bottom: list[bool] = []
        self.in_view: list[tuple[str, str]] = []
        self.near_top = 0
        self.near_bottom = 0
        self.newest: list[None] = []
        self.give_older: Callable[[], None] = lambda: None
        self.now = NOON / 1000
        self.root.geometry("600x500+0+0")
        self.transcript = Transcript(
            self.root,
            palette=LIGHT,
            fonts=Fonts.default(self.root),
            on_link=self.links.append,
            on_retry=self.retries.append,
            on_near_top=self._near_top,
            on_near_bottom=self._near_bottom,
            on_newest=lambda: self.newest.append(None),
            new_menu=lambda: tk.Menu(self.root),
            on_at_bottom=self.at_bottom.append,
            on_in_view=lambda first, last: self.in_view.append((first, last)),
            on_file=lambda key, action: self.file_actions.append((key, action)),
            on_picture=self.pictures.append,
            now=lambda: self.now,
        )
        self.transcript.pack(fill="both", expand=True)
        self.canvas = self.transcript.canvas
        self.until(lambda: self.canvas.winfo_width() > 500)

    def _failed(self, _kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
        self.errors.append(error)

    def _near_top(self) -> None:
        self.near_top += 1
        self.give_older()

    def _near_bottom(self) -> None:
        self.near_bottom += 1

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, "the window did not get there"
            self.root.update()
        self.root.update()

    def show(self, *bubbles: Bubble) -> None:
        self.transcript.set_bubbles(bubbles)
        self.root.update()

    def text_items(self) -> dict[str, tuple[int, int, int, int]]:
        """What is written on the canvas, and where."""
        found = {}
        for item in self.canvas.find_withtag("row"):
            if self.kind(item) == "text":
                found[self.written(item)] = self.canvas.bbox(item)
        return found

    def kind(self, item: int) -> str:
        return str(self.canvas.tk.call(str(self.canvas), "type", item))

    def written(self, item: int) -> str:
        return str(self.canvas.tk.call(str(self.canvas), "itemcget", item, "-text"))

    def where(self, text: str) -> tuple[int, int]:
        """The middle of a text on the canvas."""
        left, top, right, bottom = self.text_items()[text]
        return (left + right) // 2, (top + bottom) // 2

    def click(self, x: int, y: int, times: int = 1) -> None:
        for _ in range(times):
            self.canvas.event_generate("<ButtonPress-1>", x=x, y=y)
            self.canvas.event_generate("<ButtonRelease-1>", x=x, y=y)
        self.root.update()

    def drag(self, *points: tuple[int, int]) -> None:
        (x, y), *others = points
        self.canvas.event_generate("<ButtonPress-1>", x=x, y=y)
        for x, y in others:
            self.canvas.event_generate("<B1-Motion>", x=x, y=y)
        self.canvas.event_generate("<ButtonRelease-1>", x=x, y=y)
        self.root.update()

    def key(self, sequence: str) -> None:
        self.canvas.focus_force()
        self.root.update()
        self.canvas.event_generate(sequence)
        self.root.update()

    def scrollbar(self) -> tuple[float, float]:
        bar = next(child for child in self.transcript.winfo_children() if child.winfo_class() == "TScrollbar")
        first, last = self.root.tk.call(str(bar), "get")
        return float(first), float(last)


@contextmanager
def opened() -> Iterator[Window]:
    """A window for one test, which must not have met an error by its end."""
    window = Window()
    yield window
    window.root.update()
    window.root.destroy()
    assert window.errors == []


def said(
    number: int, text: str = "", *, own: bool = False, status: Status | None = None, note: str = ""
) -> Bubble:
    status = status or (Status.SENT if own else Status.NONE)
    return Bubble(f"k{number}", own, text or f"message {number}", NOON + number * 10_000, status, note)


def many(count: int, first: int = 0) -> list[Bubble]:
    return [said(number, own=number % 3 == 0) for number in range(first, first + count)]


def texts(window: Window, tag: str) -> list[int]:
    return [item for item in window.canvas.find_withtag(tag) if window.kind(item) == "text"]
