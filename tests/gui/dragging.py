"""A window from which files are dragged, as a program of its own: `python dragging.py <path>…`; it says where it is."""

from __future__ import annotations

import sys
import tkinter as tk
from pathlib import Path

from tkinterdnd2 import COPY, DND_FILES, TkinterDnD

root = TkinterDnD.Tk()
root.geometry("120x80+1400+900")
label = tk.Label(root, text="drag me", background="yellow")
label.pack(fill="both", expand=True)
label.drag_source_register(1, DND_FILES)  # type: ignore[attr-defined]  # the extension adds it to all widgets
label.dnd_bind("<<DragInitCmd>>", lambda _: (COPY, DND_FILES, tuple(Path(path).as_uri() for path in sys.argv[1:])))  # type: ignore[attr-defined]
# Tk would take the addresses for numbers, which other programs do not do.
root.tk.eval("proc ::tkdnd::xdnd::getFormatForType type {return STRING}")
root.update()
root.after(100, lambda: print(label.winfo_rootx() + 50, label.winfo_rooty() + 30, flush=True))
root.mainloop()
