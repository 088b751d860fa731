"""A window from which files are dragged, as a program of its own: `python dragging.py <path or address>…`; it says where it is."""

from __future__ import annotations

import sys
import tkinter as tk
from pathlib import Path

from tkinterdnd2 import COPY, DND_FILES, TkinterDnD

root = tk.Tk()
TkinterDnD._require(root)
root.geometry("120x80+1400+900")
label = tk.Label(root, text="drag me", background="yellow")
label.pack(fill="both", expand=True)
addresses = (path if "://" in path else Path(path).as_uri() for path in sys.argv[1:])
files = " ".join(address.replace("%", "%%") for address in addresses)
root.tk.call("tkdnd::drag_source", "register", str(label), DND_FILES, 1)
root.tk.call("bind", str(label), "<<DragInitCmd>>", f"list {COPY} {DND_FILES} {{{files}}}")
# Tk would take the addresses for numbers, which other programs do not do.
root.tk.eval("proc ::tkdnd::xdnd::getFormatForType type {return STRING}")
root.update()
root.after(100, lambda: print(label.winfo_rootx() + 50, label.winfo_rooty() + 30, flush=True))
root.mainloop()
