"""The right side: the open chat with its header, its messages and the field to write in; or a hint to open one."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Final

from twocans.gui.platform import drops
from twocans.gui.theme.fonts import Face
from twocans.gui.theme.theme import Theme
from twocans.gui.transcript.model import ViewState
from twocans.gui.transcript.widget import Transcript
from twocans.gui.viewmodel import ViewModel
from twocans.gui.viewmodel.chats import SERVER_KEY
from twocans.gui.viewmodel.people import one_line
from twocans.gui.viewmodel.state import Presence
from twocans.gui.viewmodel.transcript_changes import (
    Append,
    Prepend,
    Replace,
    Reset,
    Reveal,
    ToUnread,
    TranscriptChange,
)
from twocans.gui.views.attachments import DropOverlay
from twocans.gui.views.common import Act, Avatar, icon_button, presence_mark
from twocans.gui.views.composer import ComposerView
from twocans.gui.views.do_not_disturb import mute_menu
from twocans.gui.views.invitation import Invitation
from twocans.gui.views.keys import COMMAND_SHOWN, typed_text
from twocans.gui.views.menus import new_menu, show_under
from twocans.gui.views.tooltip import Tooltip

_LOW_EM: Final = 18


class ChatView(ttk.Frame):
    """Shows one chat at a time."""

    def __init__(
        self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act, menu: Callable[[tk.Widget], None]
    ) -> None:
        super().__init__(parent, style="Chat.TFrame")
        self._theme, self._vm, self._act = theme, vm, act
        self._shown: str | None = None
        self._narrow = False
        self._arrangement: tuple[bool, bool, int] | None = None
        self._empty = ttk.Frame(self, style="Chat.TFrame")
        self._empty_sign = ttk.Label(self._empty, style="Chat.TLabel")
        self._empty_text = ttk.Label(self._empty, style="Muted.Chat.TLabel", justify="center")
        self._empty_keys = ttk.Label(self._empty, style="Small.Chat.TLabel", justify="center")
        self._invitation = Invitation(self._empty, theme, vm, act)
        self._room = ttk.Frame(self, style="Chat.TFrame")
        self._header = ttk.Frame(self._room, style="Side.TFrame")
        self._rule = ttk.Frame(self._room, style="Rule.TFrame")
        self._back = icon_button(
            self._header,
            theme,
            style="IconSide",
            tip="Back to the list (Esc)",
            command=lambda: act(vm.close_chat),
        )
        self.menu_button = icon_button(
            self._header,
            theme,
            style="IconSide",
            tip="Chat menu",
            command=lambda: menu(self.menu_button),
        )
        self.bell_button = ttk.Button(
            self._header, style="IconSide.TButton", cursor="hand2", command=self._ask_mute
        )
        Tooltip(self.bell_button, theme, self._noise)
        self._avatar = Avatar(self._header, theme, ground="side")
        self._megaphone = ttk.Label(self._header, style="Side.TLabel")
        self._names = ttk.Frame(self._header, style="Side.TFrame")
        self._title = ttk.Frame(self._names, style="Side.TFrame")
        self._name = ttk.Label(self._title, style="Title.Side.TLabel")
        self._lock = ttk.Label(self._title, style="Side.TLabel")
        self._state = ttk.Frame(self._names, style="Side.TFrame")
        self._dot = ttk.Label(self._state, style="Small.Side.TLabel")
        self._status = ttk.Label(self._state, style="Small.Side.TLabel", justify="left")
        for widget in (self._lock, self._status):
            Tooltip(widget, theme, self._encryption)
        self.transcript = Transcript(
            self._room,
            palette=theme.transcript_palette,
            fonts=theme.transcript_fonts,
            on_link=lambda url: act(vm.open_link, url),
            on_retry=lambda key: act(vm.retry, key),
            on_file=lambda key, action: act(vm.act_on_file, key, action),
            on_picture=lambda key: act(vm.show_picture, key),
            on_near_top=lambda: act(vm.near_top),
            on_near_bottom=lambda: act(vm.near_bottom),
            on_newest=lambda: act(vm.to_newest),
            on_at_bottom=lambda at_bottom: act(vm.set_at_bottom, at_bottom),
            new_menu=lambda: new_menu(self, theme),
            on_in_view=lambda first, last: act(vm.set_in_view, first, last),
        )
        self.composer = ComposerView(self._room, theme, vm, act)
        for sequence, pages in (("<Prior>", -1), ("<Next>", 1)):
            self.composer.text.bind(sequence, lambda _, pages=pages: self._scroll(pages))  # type: ignore[misc]  # a default binds early
        self.transcript.canvas.bind("<Key>", self._typed)
        self.transcript.canvas.bind("<<Paste>>", lambda _: self.composer.paste())
        self.overlay = DropOverlay(self._room, theme)
        drops.take_files(
            self, wanted=lambda: vm.composer.enabled, on_over=self._held_over, on_files=self._dropped
        )
        # A narrow window has room for the list or the chat, and places only one of them.
        self.bind("<Map>", lambda _: act(vm.set_shown, True), add="+")
        self.bind("<Unmap>", lambda _: act(vm.set_shown, False), add="+")
        self._names.bind("<Configure>", lambda _: self._show_name())
        self.bind("<Configure>", lambda _: self._show_name())
        self.restyle()

    # --- showing ------------------------------------------------------------------------------------------

    def leave(self) -> None:
        """Tell where the transcript stands, before another chat is shown in it."""
        opened = self._vm.chats.open
        if self._shown is not None and (opened is None or opened.key != self._shown):
            self._vm.keep_view(self._shown, self.transcript.view_state())

    def show(self) -> None:
        """Show the open chat, or that none is open."""
        opened = self._vm.chats.open
        self._shown = opened.key if opened is not None else None
        if opened is None:
            self._room.place_forget()
            self._empty.place(relx=0.5, rely=0.47, anchor="center")
            return
        self._empty.place_forget()
        self._room.place(x=0, y=0, relwidth=1, relheight=1)
        self.transcript.set_empty_text(self._vm.empty_text)
        self.transcript.set_unread_from(opened.unread_from)
        self.transcript.set_unread(opened.unread)
        self.transcript.set_ahead(opened.ahead)
        self.transcript.mark(self._vm.finder.words, self._vm.found_key)

    def show_invitation(self) -> None:
        """The address for others, where the user is alone at their own server: this is where they look then."""
        alone = bool(self._vm.invitation)
        for widget in (self._empty_text, self._empty_keys, self._invitation):
            widget.pack_forget()
        if alone:
            self._invitation.show()
            self._invitation.pack(pady=(self._theme.em(0.8), 0))
        else:
            self._empty_text.pack(pady=(self._theme.em(1.0), self._theme.em(0.3)))
            self._empty_keys.pack()

    def change(self, changes: tuple[TranscriptChange, ...]) -> None:
        """Bring the bubbles up to date."""
        for change in changes:
            match change:
                case Reset(view):
                    self.transcript.set_bubbles(self._vm.bubbles, view=view or self._place())
                case Append(bubbles, hold):
                    self.transcript.append(bubbles, hold=hold)
                case Prepend(bubbles):
                    self.transcript.prepend(bubbles)
                case Replace(bubble):
                    self.transcript.replace(bubble.key, bubble)
                case Reveal(key):
                    self.transcript.reveal(key)
                case ToUnread(key):
                    self.transcript.show_unread(key)

    def show_header(self) -> None:
        """Who it is and whether they are there."""
        header = self._vm.header
        if header is None:
            return
        c = self._theme.colours
        if header.key == SERVER_KEY:
            self._megaphone.configure(image=self._theme.icon("megaphone", 1.6, c.accent_text))
        else:
            self._avatar.show(header.key, header.name)
        self._arrange_header(server=header.key == SERVER_KEY)
        # A shape has to be larger than a dot to be told from it.
        size = self._theme.em(0.75 if header.presence in {Presence.AWAY, Presence.BUSY} else 0.55)
        dot = presence_mark(self._theme, header.presence, size, c.side)
        if header.presence in {Presence.OFFLINE, Presence.UNKNOWN}:
            dot = self._theme.disc(size, c.border)
        if dot:
            self._dot.configure(image=dot)
            # Beside the first line, of however many there are.
            above = (self._theme.line(Face.SMALL) - size) // 2
            self._dot.pack(
                side="left", before=self._status, anchor="n", pady=(above, 0), padx=(0, self._theme.em(0.3))
            )
            self._status.pack(side="left")
        else:
            self._dot.pack_forget()
        self._lock.configure(image=self._theme.icon("unlock-fill", 1.0, c.warn_text))
        if header.unencrypted:
            self._lock.pack(side="left", padx=(self._theme.em(0.4), 0))
        else:
            self._lock.pack_forget()
        bell = "bell-slash-fill" if header.muted else "bell"
        self.bell_button.configure(
            image=self._theme.icon(bell, 1.1, c.accent_text if header.muted else c.text)
        )
        self._show_name()

    def set_narrow(self, narrow: bool) -> None:
        """Whether the list is out of sight, so that a button back to it is needed."""
        if narrow != self._narrow:
            self._narrow = narrow
            self.show_header()

    def restyle(self) -> None:
        """Sizes and colours have changed."""
        em, c = self._theme.em, self._theme.colours
        self._empty_sign.configure(image=self._theme.sign(4.5))
        self._empty_text.configure(text="Choose somebody to chat with", font=Face.TITLE.value)
        hint = f"↑ ↓ and Enter in the list, or {COMMAND_SHOWN}K to search · F1 shows all keys"
        self._empty_keys.configure(text=hint)
        self._empty_sign.pack()
        self._invitation.restyle()
        self.show_invitation()
        self._header.pack(fill="x", ipady=em(0.55))
        self._rule.pack(fill="x")
        self._rule.configure(height=self._theme.pixel)
        self._back.configure(image=self._theme.icon("arrow-left", 1.2, c.text))
        self._title.pack(anchor="w")
        self._name.pack(side="left")
        self._state.pack(anchor="w")
        self._status.pack(side="left")
        self.composer.pack(side="bottom", fill="x")
        self.transcript.pack(fill="both", expand=True)
        self.transcript.restyle(self._theme.transcript_palette, self._theme.transcript_fonts)
        self._avatar.restyle()
        self.composer.restyle()
        self.menu_button.configure(image=self._theme.icon("three-dots-vertical", 1.1, c.text))
        self.show_header()

    # --- inside -------------------------------------------------------------------------------------------

    def _place(self) -> ViewState | None:
        """The place now shown, if it is this chat's."""
        opened = self._vm.chats.open
        return self.transcript.view_state() if opened is not None and opened.key == self._shown else None

    def _arrange_header(self, *, server: bool) -> None:
        em = self._theme.em
        arrangement = (server, self._narrow, em(1.0))
        if arrangement == self._arrangement:
            return  # what is taken out and put back blinks
        self._arrangement = arrangement
        for widget in (
            self._back,
            self._avatar,
            self._megaphone,
            self._names,
            self.bell_button,
            self.menu_button,
        ):
            widget.pack_forget()
        if self._narrow:
            self._back.pack(side="left", padx=(em(0.4), 0))
        self.menu_button.pack(side="right", padx=(0, em(0.5)))
        self.bell_button.pack(side="right")
        face = self._megaphone if server else self._avatar
        face.pack(side="left", padx=(em(0.3 if self._narrow else 0.9), 0))
        self._names.pack(side="left", padx=(em(0.7), em(0.9)), fill="x", expand=True)

    def _show_name(self) -> None:
        header = self._vm.header
        if header is not None:
            em = self._theme.em
            room = max(em(4), self._names.winfo_width())
            shown = self._theme.elide(Face.TITLE, header.name, room - em(1.6 if header.unencrypted else 0))
            self._name.configure(text=self._theme.drawn(shown))
            # In a low window there is room for one line; the tip has the rest.
            low = self.winfo_height() < em(_LOW_EM)
            status = self._theme.elide(Face.SMALL, header.status, room - em(0.85)) if low else header.status
            self._status.configure(text=status, wraplength=room - em(0.85))

    def _scroll(self, pages: int) -> str:
        self.transcript.scroll_pages(pages)
        return "break"

    def _typed(self, event: tk.Event[tk.Canvas]) -> None:
        """What is typed while the messages have the focus is meant for the composer."""
        text = typed_text(event)
        if text:
            self.composer.write(text)

    def _held_over(self, over: bool) -> None:
        opened = self._vm.chats.open
        if over and opened is not None:
            if not self.overlay.shown:
                self.overlay.show(opened.name)
        elif self.overlay.shown:
            self.overlay.hide()
            self.composer.focus_text()  # the extension has taken the keyboard away from it

    def _dropped(self, paths: list[str]) -> None:
        self._act(self._vm.attach, paths)
        self.composer.focus_text()

    def _ask_mute(self) -> None:
        header = self._vm.header
        if header is not None:
            show_under(mute_menu(self, self._theme, self._vm, self._act, header.name), self.bell_button)

    def _noise(self) -> str:
        header = self._vm.header
        if header is None or not header.muted:
            return "Mute this chat"
        until = self._vm.quiet.muted_until(header.key)
        return f"Muted until {until}" if until else "Muted"

    def _encryption(self) -> str:
        header = self._vm.header
        if header is None or not header.unencrypted:
            return ""
        return (
            f"{self._theme.drawn(one_line(header.name))} has a connection that is not encrypted. "
            "Others on the network can read this chat."
        )
