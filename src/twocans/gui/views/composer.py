"""The field to write in: grows with what is written, Enter sends, Shift+Enter breaks the line.

Files are chosen beside it or pasted into it, and stand above it until they are sent.
"""

from __future__ import annotations

import tkinter as tk
from datetime import datetime
from tkinter import ttk
from typing import Final

from twocans.client import default_outbox_path
from twocans.client.files_in_use import files_in_use
from twocans.common.atomic_file import data_folder
from twocans.gui.platform.paste import Pasting, Unpasteable
from twocans.gui.theme.fonts import Face
from twocans.gui.theme.theme import Theme
from twocans.gui.viewmodel import ViewModel
from twocans.gui.views import keys
from twocans.gui.views.attachments import AttachmentsView
from twocans.gui.views.common import Act, icon_button, stand_for
from twocans.gui.views.preview import PreviewView

MAX_LINES: Final = 6
_SHIFT: Final = 0x1


class ComposerView(ttk.Frame):
    """What stands in it is the open chat's draft."""

    def __init__(self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act) -> None:
        super().__init__(parent, style="Chat.TFrame")
        self._theme, self._vm, self._act = theme, vm, act
        self._shown: str | None = None
        self._hint = ttk.Label(self, style="Small.Chat.TLabel", anchor="e")
        self.attachments = AttachmentsView(self, theme, vm, act)
        self._pasting = Pasting(self, data_folder() / "pasted", datetime.now, self._files_in_use)
        self._preview = PreviewView(self, theme)
        self._card = ttk.Frame(self, style="Card.TFrame")
        self.text = tk.Text(
            self._card,
            height=1,
            width=10,
            wrap="word",
            undo=True,
            maxundo=200,
            borderwidth=0,
            highlightthickness=0,
            relief="flat",
            font=Face.BODY.value,
        )
        self.attach = icon_button(
            self._card,
            theme,
            style="IconField",
            tip=f"Send files ({keys.COMMAND_SHOWN}O)",
            command=self.choose_files,
        )
        self._placeholder = ttk.Label(self._card, style="Card.TLabel", cursor="xterm")
        self._send = icon_button(
            self._card, theme, style="Send", tip="Send (Enter)", command=lambda: act(vm.send)
        )
        keys.first(self.text)
        self.text.bind("<Return>", self._enter)
        self.text.bind("<KP_Enter>", self._enter)
        self.text.bind("<Tab>", self._next)
        self.text.bind("<Shift-Tab>", self._previous)
        if self.tk.call("tk", "windowingsystem") == "x11":
            self.text.bind("<ISO_Left_Tab>", self._previous)
        self.text.bind("<<Paste>>", self._paste)
        self.text.bind("<<Modified>>", self._modified)
        self.text.bind("<Configure>", lambda _: self._resized())
        self.text.bind("<FocusIn>", lambda _: self._card.state(["focus"]), add="+")
        self.text.bind("<FocusOut>", lambda _: self._card.state(["!focus"]), add="+")
        for widget in (self._placeholder, self._card):
            stand_for(widget, self.text)
        self.restyle()

    def sync(self) -> None:
        """Tell the view-model what was written since it was last told, before it goes by an older draft.

        Tk reports a change of the text some time after it, and anything may happen in between.
        """
        opened = self._vm.chats.open
        if (
            self._shown is not None
            and opened is not None
            and opened.key == self._shown
            and self.text.edit_modified()
        ):
            self.text.edit_modified(False)
            self._vm.set_draft(self._get())

    def focus_text(self) -> None:
        """Move the focus here."""
        self.text.focus_set()

    def write(self, text: str) -> None:
        """Move the focus here and write at the cursor, as if it had been typed here."""
        if self._vm.composer.enabled:
            self.text.focus_set()
            self.text.tk.call("tk::TextInsert", self.text, text)

    def paste(self) -> None:
        """Move the focus here and paste."""
        if self._vm.composer.enabled:
            self.text.focus_set()
            self.text.event_generate("<<Paste>>")

    def choose_files(self) -> None:
        """Ask which files to send."""
        self._act(self._vm.choose_files)

    def show(self) -> None:
        """Show the draft and what can be done with it."""
        state = self._vm.composer
        conversation = self._vm.chats.open
        draft = conversation.draft if conversation is not None else ""
        self._shown = conversation.key if conversation is not None else None
        if draft != self._get():
            self.text.configure(state="normal")
            self.text.delete("1.0", "end")
            self.text.insert("1.0", draft)
            self.text.edit_reset()
            self.text.edit_modified(False)
        self.text.configure(state="normal" if state.enabled else "disabled", takefocus=state.enabled)
        can_send = state.enabled and bool(draft.strip() or self._vm.attachments) and not state.overlong
        self._send.state(["!disabled" if can_send else "disabled"])
        self._show_placeholder()
        self._hint.configure(text=state.hint, style=f"{'Error' if state.overlong else 'Small'}.Chat.TLabel")
        if state.hint:
            self._hint.pack(fill="x", padx=self._theme.em(1.6), before=self._card)
        else:
            self._hint.pack_forget()
        if self.attachments.show():
            self.attachments.pack(
                fill="x", padx=self._theme.em(0.8), pady=(self._theme.em(0.3), 0), before=self._card
            )
        else:
            self.attachments.pack_forget()
        self._show_preview()
        self.attach.state(["!disabled" if state.enabled else "disabled"])
        self._fit()

    def restyle(self) -> None:
        """Sizes and colours have changed."""
        em, c = self._theme.em, self._theme.colours
        self._card.pack(fill="x", padx=em(0.8), pady=(em(0.3), em(0.8)))
        self.attachments.restyle()
        self.attach.configure(image=self._theme.button_icon("paperclip", 1.2, c.muted))
        self._send.configure(image=self._theme.button_icon("send-fill", 1.1, c.on_accent))
        self.attach.pack(side="left", anchor="s", padx=(em(0.6), 0), pady=em(0.68))
        self._send.pack(side="right", anchor="s", padx=(0, em(0.4)), pady=em(0.4))
        self.text.pack(side="left", fill="x", expand=True, padx=(em(0.35), em(0.5)), pady=em(0.75))
        self.text.configure(
            background=c.base,
            highlightthickness=0,  # the toolkit gives it a frame of its own when the look changes
            foreground=c.text,
            insertbackground=c.text,
            insertwidth=max(1, self._theme.pixel),
            selectbackground=c.accent,
            selectforeground=c.on_accent,
            inactiveselectbackground=c.accent,  # a menu over it takes the focus away
            spacing2=em(0.08),
        )
        self.show()

    def _get(self) -> str:
        return self.text.get("1.0", "end-1c")

    def _modified(self, _event: tk.Event[tk.Text]) -> None:
        if self.text.edit_modified():
            self.text.edit_modified(False)
            self._show_placeholder()
            self._show_preview()
            self._act(self._vm.set_draft, self._get())

    def _files_in_use(self) -> frozenset[str] | None:
        """Return the files that are still to be sent, of this window and of what is on disk."""
        on_disk = files_in_use(default_outbox_path())
        if on_disk is None:
            return None
        conversations = self._vm.chats.all.values()
        return on_disk.union(*({one.path for one in each.attachments} for each in conversations))

    def _paste(self, _event: tk.Event[tk.Text]) -> str | None:
        try:
            files = self._pasting.files() if self._vm.composer.enabled else []
        except Unpasteable as error:
            self._act(self._vm.tell, error.text)
            return "break"
        if not files:
            return None
        self._act(self._vm.attach, files)
        return "break"

    def _enter(self, event: tk.Event[tk.Text]) -> str | None:
        if int(event.state) & _SHIFT:
            return None
        self._act(self._vm.send)
        return "break"

    def _next(self, event: tk.Event[tk.Text]) -> str:
        following = event.widget.tk_focusNext()
        if following is not None:
            following.focus_set()
        return "break"

    def _previous(self, event: tk.Event[tk.Text]) -> str:
        before = event.widget.tk_focusPrev()
        if before is not None:
            before.focus_set()
        return "break"

    def _show_placeholder(self) -> None:
        if self.text.compare("end-1c", "==", "1.0"):
            placeholder = self._vm.composer.placeholder
            shown = self._theme.elide(Face.BODY, placeholder, max(1, self.text.winfo_width() - 2))
            self._placeholder.configure(text=self._theme.drawn(shown))
            self._placeholder.place(in_=self.text, x=1, rely=0.5, anchor="w")
        else:
            self._placeholder.place_forget()

    def _show_preview(self) -> None:
        if self._preview.show(self._get(), self.winfo_width() - 2 * self._theme.em(1.6)):
            self._preview.pack(
                fill="x", padx=self._theme.em(1.6), pady=(self._theme.em(0.3), 0), before=self._card
            )
        else:
            self._preview.pack_forget()

    def _resized(self) -> None:
        self._fit()
        self._show_placeholder()
        self._show_preview()

    def _fit(self) -> None:
        """As many lines as are written, up to a limit."""
        count = self.text.count("1.0", "end", "displaylines")
        lines = (count[0] if isinstance(count, tuple) else count) or 1
        height = max(1, min(MAX_LINES, int(lines)))
        if int(self.text.cget("height")) != height:
            self.text.configure(height=height)
            self.text.see("insert")
