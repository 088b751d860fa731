"""Whether this machine's Tk can draw emoji, found out before the first one is drawn.

On X11 a colour glyph can end the program: Tk before 8.6.10 and libXft before 2.3.5 ask the display for something
that it refuses with a fatal error. A message from anybody would do.
"""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
import tkinter as tk
from functools import lru_cache
from typing import Final

PROBE_TIMEOUT_S: Final = 5.0
_TK_WITH_EMOJI: Final = (8, 6, 10)
_XFT_WITH_COLOUR: Final = 20305
_PROBE: Final = """
import tkinter
root = tkinter.Tk()
root.overrideredirect(True)
root.geometry("40x40-9000-9000")
canvas = tkinter.Canvas(root)
canvas.pack()
for family in ("TkDefaultFont", "{Noto Color Emoji}"):
    canvas.create_text(20, 20, text="\\U0001f600", font=f"{family} 12")
root.update()
root.winfo_pointerx()
"""


def draws_astral(root: tk.Misc) -> bool:
    """Whether emoji and the like can be drawn. Asks another process, once, where the libraries leave it open."""
    if root.tk.call("tk", "windowingsystem") != "x11":
        return True
    numbers = [int(part) for part in re.findall(r"\d+", str(root.tk.call("set", "tk_patchLevel")))]
    if tuple(numbers[:3]) < _TK_WITH_EMOJI:
        return False
    return xft_version() >= _XFT_WITH_COLOUR or survives_emoji()


@lru_cache(maxsize=1)
def xft_version() -> int:
    """The version of the library that draws text on X11, as 20305 for 2.3.5; 0 if it cannot be told."""
    try:
        library = ctypes.CDLL("libXft.so.2")
        return int(library.XftGetVersion())
    except (OSError, AttributeError):
        return 0


@lru_cache(maxsize=1)
def survives_emoji() -> bool:
    """Whether a process of its own draws an emoji and lives."""
    command = [sys.executable, "-I", "-c", _PROBE]
    try:
        probe = subprocess.run(  # noqa: S603 - our own interpreter, our own text
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PROBE_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return probe.returncode == 0
