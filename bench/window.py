"""Opens a conversation of 100,000 messages in the transcript and measures how it scrolls.

Run by `python -m bench.window`; needs a display, for example `xvfb-run`. All times are wall clock and include
Tk's drawing. Nothing is asserted: the figures depend on the machine.
"""

from __future__ import annotations

import argparse
import random
import time
import tkinter as tk
from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec
import psutil

from bench.figures import percentile
from twocans.gui.transcript.model import Bubble, Status
from twocans.gui.transcript.style import DARK, LIGHT, Fonts
from twocans.gui.transcript.widget import Transcript

_TEXT: Final = (
    "the two cans on a string hold tight and speak slowly then listen somebody else answers from far away "
    "tomorrow at noon maybe https://example.com/tin/can?id=42 yes no ok 今日は 😀 שלום thanks"
)
_MOST_WORDS: Final = 60


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """How long something in the window took, each time that it was done; or how much memory all of it takes."""

    what: str
    times_ms: list[float] = []
    mib: float = 0


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=300, help="scroll steps at each place")
    parser.add_argument("--json", action="store_true", help="print the figures for programs")
    options = parser.parse_args()
    figures = measure(options.messages, options.steps)
    if options.json:
        print(msgspec.json.encode(figures).decode())
        return
    for figure in figures:
        print(_line(figure))


def measure(messages: int, steps: int) -> list[Figure]:
    """Open a conversation of so many messages, scroll about in it, and change it."""
    chance = random.Random(1)  # noqa: S311 - the same text every time
    bubbles = conversation(messages, chance)
    figures = []

    root = tk.Tk()
    root.geometry("900x800+0+0")
    transcript = Transcript(
        root,
        palette=LIGHT,
        fonts=Fonts.default(root),
        on_link=lambda _target: None,
        on_retry=lambda _key: None,
        on_near_top=lambda: None,
        on_at_bottom=lambda _at_bottom: None,
        on_near_bottom=lambda: None,
        on_newest=lambda: None,
        new_menu=lambda: tk.Menu(root),
    )
    transcript.pack(fill="both", expand=True)
    root.update()

    def note(what: str, *actions: Callable[[], object]) -> None:
        figures.append(Figure(what=what, times_ms=[_timed(root, action) for action in actions]))

    process = psutil.Process()
    before = process.memory_info().rss
    note("open, to first paint", partial(transcript.set_bubbles, bubbles))
    canvas = transcript.canvas
    canvas.focus_force()
    wheel_up = partial(canvas.event_generate, "<Button-4>")
    scroll_to = partial(root.tk.call, _scroll_command(transcript), "moveto")
    note("wheel step up from the end", *[wheel_up] * steps)
    for fraction in (0.75, 0.5, 0.1):
        note(f"jump to {fraction:.0%}", partial(scroll_to, fraction))
        note(f"wheel step up at {fraction:.0%}", *[wheel_up] * steps)
    note("drag of the scrollbar, a step", *[partial(scroll_to, step / steps) for step in range(steps)])
    note("Page Up", *[partial(canvas.event_generate, "<Prior>")] * (steps // 3))
    newer = conversation(200, chance, first=messages)
    note("append one", *[partial(transcript.append, [bubble]) for bubble in newer])
    older = conversation(200, chance, first=-200)
    note("prepend 200", partial(transcript.prepend, older))
    note("resize, a step", *[partial(root.geometry, f"{width}x800") for width in range(900, 500, -20)])
    note("dark, at 200 %", partial(transcript.restyle, DARK, Fonts.default(root, scale=2)))
    after = process.memory_info().rss
    figures.append(Figure(what="memory of the transcript", mib=(after - before) / 2**20))
    root.destroy()
    return figures


def conversation(count: int, chance: random.Random, *, first: int = 0) -> list[Bubble]:
    """Messages of one to sixty words, as people write them: short ones mostly."""
    vocabulary = _TEXT.split()
    bubbles = []
    for number in range(first, first + count):
        words = min(_MOST_WORDS, 1 + int(chance.expovariate(0.12)))
        own = chance.random() < 0.5
        bubbles.append(
            Bubble(
                key=str(number),
                own=own,
                text=" ".join(chance.choices(vocabulary, k=words)),
                at_ms=1_700_000_000_000 + number * 70_000,
                status=Status.READ if own else Status.NONE,
            )
        )
    return bubbles


def _scroll_command(transcript: Transcript) -> str:
    scrollbar = next(child for child in transcript.winfo_children() if child.winfo_class() == "TScrollbar")
    return str(scrollbar.cget("command"))


def _timed(root: tk.Tk, action: Callable[[], object]) -> float:
    """How long an action takes until it is on the screen, in milliseconds."""
    started = time.perf_counter()
    action()
    root.update()
    root.winfo_pointerx()  # a round trip: the display has drawn all that was sent
    return (time.perf_counter() - started) * 1000


def _line(figure: Figure) -> str:
    if not figure.times_ms:
        return f"{figure.what:34} {figure.mib:9.1f} MiB"
    if len(figure.times_ms) == 1:
        return f"{figure.what:34} {figure.times_ms[0]:9.1f} ms"
    middle, p95, p99 = (percentile(figure.times_ms, part) for part in (0.5, 0.95, 0.99))
    worst = max(figure.times_ms)
    return f"{figure.what:34} {middle:9.1f} ms median {p95:7.1f} p95 {p99:7.1f} p99 {worst:7.1f} worst"


if __name__ == "__main__":
    main()
