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

import psutil

from twocans.gui.transcript.model import Bubble, Status
from twocans.gui.transcript.style import DARK, LIGHT, Fonts
from twocans.gui.transcript.widget import Transcript

_TEXT: Final = (
    "the two cans on a string hold tight and speak slowly then listen somebody else answers from far away "
    "tomorrow at noon maybe https://example.com/tin/can?id=42 yes no ok 今日は 😀 שלום thanks"
)
_MOST_WORDS: Final = 60


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=300, help="scroll steps at each place")
    options = parser.parse_args()
    chance = random.Random(1)  # noqa: S311 - the same text every time
    bubbles = conversation(options.messages, chance)

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
    )
    transcript.pack(fill="both", expand=True)
    root.update()
    process = psutil.Process()
    before = process.memory_info().rss

    _print_ms("open, to first paint", [_timed(root, partial(transcript.set_bubbles, bubbles))])
    print(f"{'items on the canvas':34} {len(transcript.canvas.find_all()):9}")
    canvas = transcript.canvas
    canvas.focus_force()
    steps = options.steps
    wheel_up = partial(canvas.event_generate, "<Button-4>")
    scroll_to = partial(root.tk.call, _scroll_command(transcript), "moveto")
    _print_ms("wheel step up from the end", [_timed(root, wheel_up) for _ in range(steps)])
    for fraction in (0.75, 0.5, 0.1):
        _print_ms(f"jump to {fraction:.0%}", [_timed(root, partial(scroll_to, fraction))])
        _print_ms("  wheel step up", [_timed(root, wheel_up) for _ in range(steps)])
    drag = [_timed(root, partial(scroll_to, step / steps)) for step in range(steps)]
    _print_ms("drag of the scrollbar, a step", drag)
    page_up = partial(canvas.event_generate, "<Prior>")
    _print_ms("Page Up", [_timed(root, page_up) for _ in range(steps // 3)])
    newer = conversation(200, chance, first=options.messages)
    _print_ms("append one", [_timed(root, partial(transcript.append, [bubble])) for bubble in newer])
    older = conversation(200, chance, first=-200)
    _print_ms("prepend 200", [_timed(root, partial(transcript.prepend, older))])
    sizes = [f"{width}x800" for width in range(900, 500, -20)]
    _print_ms("resize, a step", [_timed(root, partial(root.geometry, size)) for size in sizes])
    _print_ms(
        "dark, at 200 %", [_timed(root, partial(transcript.restyle, DARK, Fonts.default(root, scale=2)))]
    )
    after = process.memory_info().rss
    print(f"{'memory of the transcript':34} {(after - before) / 2**20:9.1f} MiB")
    root.destroy()


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


def _print_ms(what: str, times: list[float]) -> None:
    ordered = sorted(times)
    if len(ordered) == 1:
        print(f"{what:34} {ordered[0]:9.1f} ms")
        return
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * part))] for part in (0.5, 0.95, 0.99)]
    print(f"{what:34} {at[0]:9.1f} ms median {at[1]:7.1f} p95 {at[2]:7.1f} p99 {ordered[-1]:7.1f} worst")


if __name__ == "__main__":
    main()
