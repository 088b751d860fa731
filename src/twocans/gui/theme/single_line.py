"""A name or a message's beginning as one line that Tk draws right, also where Tk itself knows one direction only."""

from __future__ import annotations

from twocans.gui.transcript import arabic, bidi
from twocans.gui.transcript.glyphs import is_mark, shown, without_undrawn


def drawn(text: str, *, reorders: bool, astral: bool) -> str:
    """What to hand to Tk for `text`.

    Args:
        reorders: whether Tk itself puts right-to-left text in order (it does so except on X11).
        astral: whether Tk can draw emoji.
    """
    if text.isascii() and text.isprintable():
        return text
    line = shown(text, astral=astral).text.replace("\n", " ")
    if reorders:
        return line
    if not bidi.has_rtl(line):
        return without_undrawn(line)
    base = bidi.base_level(line)
    pieces = []
    for start, end, level in bidi.visual_runs(line, bidi.levels(line, base), 0, len(line), base):
        part = line[start:end]
        pieces.append(_turned(arabic.shape(bidi.mirrored(part))) if level % 2 else part)
    return without_undrawn("".join(pieces))


def _turned(chars: list[str]) -> str:
    """From right to left, every mark staying behind the letter that it belongs to."""
    clusters: list[str] = []
    for char in chars:
        if clusters and char and is_mark(char):
            clusters[-1] += char
        else:
            clusters.append(char)
    return "".join(reversed(clusters))
