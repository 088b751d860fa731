"""File dialogs: on Linux the desktop's own, which leaves the window alive; Tk's where there is none, and on other systems."""

from __future__ import annotations

import sys
import tkinter as tk
from collections.abc import Callable, Sequence
from pathlib import Path
from tkinter import filedialog
from typing import Final

from twocans.gui.backend.settings import MAX_FOLDER, Settings
from twocans.gui.viewmodel.effects import ChooseFiles
from twocans.gui.viewmodel.inputs import FilesChosen

Kinds = Sequence[tuple[str, str]]
"""Kinds of files, as names with endings."""
_LINUX: Final = sys.platform == "linux"


class FileChooser:
    """One dialog at a time: asking again takes away the one that is open.

    Args:
        root: the window that the dialogs belong to.
        do: carries effects to the asyncio thread.
        settings: hold the folder that was used last.
        save: keeps them.
    """

    def __init__(
        self,
        root: tk.Tk,
        do: Callable[[ChooseFiles], object],
        settings: Settings,
        save: Callable[[], object],
    ) -> None:
        self._root, self._do, self._settings, self._save = root, do, settings, save
        self._number = 0
        self._asked: tuple[ChooseFiles, Callable[[list[str]], object]] | None = None

    def open_files(self, title: str, then: Callable[[list[str]], object]) -> None:
        """Ask for files that exist; `then` gets their paths, and is not called if the user gives it up."""
        self._ask(title, None, self._settings.folder, (), then)

    def save_file(
        self,
        title: str,
        name: str,
        then: Callable[[Path], object],
        *,
        kinds: Kinds = (),
        folder: Path | None = None,
    ) -> None:
        """Ask for a file to be written, which may exist: the dialog has asked then whether it may be lost.

        Args:
            name: what is offered.
            then: gets its path; not called if the user gives it up.
            kinds: what to choose from.
            folder: where the dialog starts the first time.
        """
        start = self._settings.folder or str(folder or "")
        self._ask(title, name, start, kinds, lambda paths: then(Path(paths[0])))

    def answered(self, chosen: FilesChosen) -> None:
        """The desktop's dialog was closed, or there is none."""
        if self._asked is None or chosen.number != self._number:
            return
        if chosen.paths is None:
            # Not in the middle of other inputs: the dialog keeps whoever opens it waiting.
            self._root.after(0, self._ask_tk, *self._asked)
        else:
            self._finish(list(chosen.paths), self._asked[1])

    def _ask(
        self,
        title: str,
        name: str | None,
        folder: str,
        kinds: Kinds,
        then: Callable[[list[str]], object],
    ) -> None:
        self._number += 1
        window = _portal_window(self._root) if _LINUX else ""
        asked = ChooseFiles(self._number, title, name, folder, tuple(kinds), window)
        self._asked = asked, then
        if _LINUX:
            self._do(asked)
        else:
            # Not in the middle of what else there is to do.
            self._root.after(0, self._ask_tk, asked, then)

    def _ask_tk(self, asked: ChooseFiles, then: Callable[[list[str]], object]) -> None:
        folder = asked.folder if asked.folder and Path(asked.folder).is_dir() else str(Path.home())
        paths: Sequence[str] = ()
        try:
            if asked.name is None:
                answer = filedialog.askopenfilenames(parent=self._root, title=asked.title, initialdir=folder)
                paths = [str(path) for path in answer]
            else:
                path = filedialog.asksaveasfilename(
                    parent=self._root,
                    title=asked.title,
                    initialdir=folder,
                    initialfile=asked.name,
                    filetypes=list(asked.kinds),
                )
                paths = [str(path)] if path else []
        except tk.TclError:
            if _exists(self._root):
                raise
            return  # the window was closed while the dialog was open
        self._finish(paths, then)

    def _finish(self, paths: Sequence[str], then: Callable[[list[str]], object]) -> None:
        self._asked = None
        if paths:
            self._remember(str(Path(paths[0]).parent))
            then(list(paths))

    def _remember(self, folder: str) -> None:
        try:
            folder.encode()
        except UnicodeEncodeError:
            return  # the settings are text
        if folder != self._settings.folder and len(folder) <= MAX_FOLDER:
            self._settings.folder = folder
            self._save()


def _exists(root: tk.Tk) -> bool:
    try:
        return bool(root.winfo_exists())
    except tk.TclError:
        return False


def _portal_window(root: tk.Tk) -> str:
    """The name that portals know the main window by; "" if it cannot be found out."""
    if sys.platform != "linux":
        return ""
    from Xlib.display import Display
    from Xlib.error import DisplayError, XError

    try:
        display = Display(root.winfo_screen().rpartition(".")[0] or None)
        try:
            # The window manager knows the window that Tk puts around its own.
            inner = display.create_resource_object("window", root.winfo_id())
            return f"x11:{inner.query_tree().parent.id:x}"
        finally:
            display.close()
    except (DisplayError, XError, OSError):
        return ""
