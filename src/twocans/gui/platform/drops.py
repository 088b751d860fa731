"""Files that are dragged onto the window from others. Where the toolkit's extension for that is missing, none are."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable

import structlog

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def enable(root: tk.Tk) -> None:
    """Load the extension; if that fails, the window works without it."""
    try:
        from tkinterdnd2 import TkinterDnD

        TkinterDnD._require(root)
    except (ImportError, RuntimeError, tk.TclError) as error:
        log.warning("dropping_unavailable", reason=str(error))


def take_files(
    widget: tk.Misc,
    *,
    wanted: Callable[[], bool],
    on_over: Callable[[bool], None],
    on_files: Callable[[list[str]], None],
) -> None:
    """Let files be dropped onto a widget and what is in it.

    Args:
        widget: the target.
        wanted: whether they would be taken now.
        on_over: called with True when files are held over it, and with False when they are not any more.
        on_files: called with the paths of what was dropped; browsers give addresses for what is not on the disk.
    """
    if not widget.tk.call("info", "commands", "::tkdnd::drop_target"):
        return

    def over(*_: object) -> str:
        if not wanted():
            return "refuse_drop"
        on_over(True)
        return "copy"

    def gone(*_: object) -> str:
        on_over(False)
        return "copy"

    def dropped(data: str) -> str:
        on_over(False)
        if not wanted():
            return "refuse_drop"
        on_files([str(path) for path in widget.tk.splitlist(data)])
        return "copy"

    registered = False

    def register(_event: tk.Event[tk.Misc]) -> None:
        nonlocal registered
        if not registered:
            registered = True
            widget.tk.call("tkdnd::drop_target", "register", str(widget), ("DND_Files",))

    # Not before: the extension brings a window that is out of sight onto the screen.
    widget.bind("<Map>", register, add="+")
    for event, handler, substituted in (
        ("<<DropEnter>>", over, ""),
        ("<<DropPosition>>", over, ""),
        ("<<DropLeave>>", gone, ""),
        ("<<Drop>>", dropped, " %D"),
    ):
        # Not `widget.bind`: the extension fills in other values than Tk's, and wants an answer.
        widget.tk.call("bind", str(widget), event, widget.register(handler) + substituted)
