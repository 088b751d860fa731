"""What is told across the window: the lost connection, and short notices at the bottom."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk

from twocans.gui.theme.theme import Theme
from twocans.gui.viewmodel import ViewModel
from twocans.gui.views.common import Act
from twocans.gui.views.text_canvas import TextCanvas


class BannerView(ttk.Frame):
    """The lost connection: what happened, when the next attempt is, and what can be done."""

    def __init__(self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act) -> None:
        super().__init__(parent, style="Warn.TFrame")
        self._theme, self._vm = theme, vm
        self._icon = ttk.Label(self, style="Warn.TLabel")
        self._texts = ttk.Frame(self, style="Warn.TFrame")
        self._text = ttk.Label(self._texts, style="Strong.Warn.TLabel", justify="left")
        self._countdown = ttk.Label(self._texts, style="Warn.TLabel")
        self._buttons = ttk.Frame(self, style="Warn.TFrame")
        self._retry = ttk.Button(
            self._buttons,
            text="Try now",
            style="Warn.TButton",
            command=lambda: act(vm.retry_now),
            cursor="hand2",
        )
        self._login = ttk.Button(
            self._buttons,
            text="Back to login",
            style="Warn.TButton",
            command=lambda: act(vm.back_to_login),
            cursor="hand2",
        )
        self._stacked = False
        self.bind("<Configure>", lambda _: self._arrange())
        self.restyle()

    def show(self) -> bool:
        """Show it as it is now; says whether there is anything to show."""
        banner = self._vm.banner
        if banner is None:
            return False
        self._text.configure(text=self._theme.drawn(banner.text))
        self._countdown.configure(text=banner.countdown)
        return True

    def restyle(self) -> None:
        """Sizes and colours have changed."""
        em = self._theme.em
        self._icon.configure(image=self._theme.icon("wifi-off", 1.4, self._theme.colours.warn_text))
        self._text.pack(anchor="w")
        self._countdown.pack(anchor="w")
        self._login.pack(side="right")
        self._retry.pack(side="right", padx=em(0.5))
        self._arrange(force=True)

    def _arrange(self, *, force: bool = False) -> None:
        em = self._theme.em
        width = self.winfo_width()
        stacked = width < em(40)
        self._text.configure(wraplength=max(em(10), width - em(5 if stacked else 22)))
        if stacked == self._stacked and not force:
            return
        self._stacked = stacked
        self.columnconfigure(1, weight=1)
        self._icon.grid(row=0, column=0, padx=(em(1.0), em(0.7)), pady=em(0.5))
        self._texts.grid(row=0, column=1, sticky="ew", pady=em(0.5))
        if stacked:
            self._buttons.grid(row=1, column=0, columnspan=3, sticky="ew", padx=em(0.8), pady=(0, em(0.6)))
        else:
            self._buttons.grid(row=0, column=2, columnspan=1, sticky="e", padx=em(0.8), pady=em(0.4))


class NoticeView(ttk.Frame):
    """A line over the bottom of the window that goes away by itself."""

    def __init__(self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act) -> None:
        super().__init__(parent, style="Toast.TFrame", cursor="hand2")
        self._theme, self._vm = theme, vm
        self._text = TextCanvas(self, theme)
        for widget in (self, self._text):
            widget.bind("<Button-1>", lambda _: act(vm.open_notice))
        self.restyle()

    def show(self) -> None:
        """Show it, or take it away."""
        notice = self._vm.notice
        if notice is None:
            self.place_forget()
            return
        parent = self.master.winfo_width()
        self._text.show(
            notice.text,
            width=max(self._theme.em(10), parent - self._theme.em(4)),
            colour=self._theme.colours.toast_text,
            ground=self._theme.colours.toast_ground,
        )
        self.place(relx=0.5, rely=1.0, y=-self._theme.em(5.2), anchor="s")
        self.lift()

    def restyle(self) -> None:
        """Sizes and colours have changed."""
        self.configure(padding=(self._theme.em(1.1), self._theme.em(0.6)))
        self._text.pack()
        self.show()
