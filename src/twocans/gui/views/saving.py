"""Saving a conversation: where to, and the line across the chat that tells how far it is."""

from __future__ import annotations

import re
import tkinter as tk
from pathlib import Path
from tkinter import ttk
from typing import Final

from twocans.common.transcripts import Form
from twocans.gui.theme.theme import Theme
from twocans.gui.viewmodel import ViewModel
from twocans.gui.viewmodel.people import one_line
from twocans.gui.views.common import Act

KINDS: Final = (("Text", ".txt"), ("Web page", ".html"), ("JSON, for programs", ".json"))
_NOT_IN_FILE_NAMES: Final = re.compile(r'[\\/:*?"<>|]')
_FORMS: Final = {".html": Form.HTML, ".htm": Form.HTML, ".json": Form.JSON}


def chat_file_name(name: str) -> str:
    """Return what is offered for the file with the chat with somebody."""
    return f"Chat with {_NOT_IN_FILE_NAMES.sub('_', one_line(name))}.txt"


def form_of(path: Path) -> Form:
    """Return what is written into a file, going by its ending."""
    return _FORMS.get(path.suffix.lower(), Form.TEXT)


class SavingView(ttk.Frame):
    """What is being saved, and what became of it."""

    def __init__(self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act) -> None:
        super().__init__(parent, style="Base.TFrame")
        self._theme, self._vm = theme, vm
        self._text = ttk.Label(self, style="Base.TLabel", justify="left")
        self._button = ttk.Button(
            self, style="Soft.TButton", command=lambda: act(vm.end_export), cursor="hand2"
        )
        self.bind("<Configure>", lambda _: self._wrap())
        self.restyle()

    def show(self) -> bool:
        """Show it as it is now; says whether there is anything to show."""
        export = self._vm.export
        if export is None:
            return False
        style = "Error.Base.TLabel" if export.failed else "Base.TLabel"
        self._text.configure(text=self._theme.drawn(export.text), style=style)
        self._button.configure(text="Cancel" if export.busy else "Close")
        return True

    def restyle(self) -> None:
        """Sizes and colours have changed."""
        em = self._theme.em
        self._button.pack(side="right", padx=em(0.8), pady=em(0.25))
        self._text.pack(side="left", padx=em(1.0), pady=em(0.25), fill="x", expand=True)
        self._wrap()

    def _wrap(self) -> None:
        self._text.configure(wraplength=max(self._theme.em(8), self.winfo_width() - self._theme.em(9)))
