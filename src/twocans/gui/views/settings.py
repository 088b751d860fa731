"""The settings: a window over the main one. Every change holds at once."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from tkinter import ttk
from typing import Final, Protocol

from twocans.gui.backend.settings import Look, Settings
from twocans.gui.theme.fonts import Face
from twocans.gui.theme.theme import TEXT_SIZES, Theme
from twocans.gui.viewmodel import ViewModel
from twocans.gui.viewmodel.do_not_disturb import DISTURB_SPANS
from twocans.gui.views.common import Act
from twocans.gui.views.dialogs import Dialog, text_width
from twocans.gui.views.focus import has_focus_within

_LOOKS: Final = ((Look.SYSTEM, "Same as system"), (Look.LIGHT, "Light"), (Look.DARK, "Dark"))
_AWAY_AFTER: Final = ((0, "Never"), (5, "5"), (10, "10"), (15, "15"), (30, "30"), (60, "60 minutes"))


@dataclass(frozen=True, slots=True)
class SettingsActions:
    """What the settings can change, apart from the view-model."""

    set_look: Callable[[Look], None]
    set_text_size: Callable[[float], None]
    set_sound: Callable[[bool], None]
    set_notifications: Callable[[bool], None]
    set_away_after: Callable[[int], None]


class Reachable(Protocol):
    """What the computer itself does for the program; each problem is a sentence, "" if there is none."""

    @property
    def tray_problem(self) -> str:
        """Why the program cannot go on in the tray."""
        ...

    @property
    def start_problem(self) -> str:
        """Why it could not be changed whether the program starts with the system."""
        ...

    @property
    def starts_with_system(self) -> bool:
        """Whether it does."""
        ...

    def set_keep_in_tray(self, on: bool) -> None:
        """Whether closing the window leaves the program in the tray."""
        ...

    def set_starts_with_system(self, on: bool) -> None:
        """Whether the program starts with the system; it stays as it was if that fails."""
        ...


class SettingsDialog(Dialog):
    """Everything that can be set.

    Args:
        settings: as they are now.
        vm: what is quiet.
        act: carries intents.
        actions: what changes the settings.
        reachable: the tray, and the start with the system.
    """

    def __init__(
        self,
        parent: tk.Tk,
        theme: Theme,
        settings: Settings,
        vm: ViewModel,
        act: Act,
        actions: SettingsActions,
        reachable: Reachable,
    ) -> None:
        super().__init__(parent, theme, "Settings – Twocans")
        self._settings, self._vm, self._act, self._reachable = settings, vm, act, reachable
        self._look = tk.StringVar(self, settings.look.value)
        self._sound = tk.BooleanVar(self, settings.sound)
        self._notify = tk.BooleanVar(self, settings.notifications)
        self._away_after = tk.IntVar(self, settings.away_after_min)
        self._tray = tk.BooleanVar(self)
        self._start = tk.BooleanVar(self)
        self._labels: list[ttk.Label] = []

        self._head("Theme")
        looks = self._row()
        for look, text in _LOOKS:
            ttk.Radiobutton(
                looks,
                text=text,
                value=look.value,
                variable=self._look,
                style="Base.TRadiobutton",
                command=lambda: actions.set_look(Look(self._look.get())),
            )
        self._line_up(looks)

        self._head("Text size")
        sizes = self._row()
        self._smaller = ttk.Button(sizes, text="Smaller", style="Soft.TButton", command=lambda: step(-1))
        self._size = ttk.Label(sizes, style="Base.TLabel", width=6, anchor="center")
        self._larger = ttk.Button(sizes, text="Larger", style="Soft.TButton", command=lambda: step(1))
        for widget in (self._smaller, self._size, self._larger):
            widget.pack(side="left")

        def step(by: int) -> None:
            actions.set_text_size(theme.larger(by))
            self._show_size()

        self._head("New messages")
        self._check("Play a short sound", self._sound, lambda: actions.set_sound(self._sound.get()))
        self._check(
            "Notify me when this window is not in front",
            self._notify,
            lambda: actions.set_notifications(self._notify.get()),
        )

        self._head("Do not disturb")
        self._say("No sounds or notifications. Unread messages are still counted.")
        self._quiet = self._row()

        self._head("Muted chats")
        self._muted = self._row()

        self._head("Show me as away after")
        self._say("Minutes without keyboard or mouse input.")
        times = self._row()
        for minutes, text in _AWAY_AFTER:
            ttk.Radiobutton(
                times,
                text=text,
                value=minutes,
                variable=self._away_after,
                style="Base.TRadiobutton",
                command=lambda: actions.set_away_after(self._away_after.get()),
            )
        self._line_up(times)

        self._head("This computer")
        self._tray_button = self._check(
            "Keep running in the tray when the window is closed",
            self._tray,
            lambda: reachable.set_keep_in_tray(self._tray.get()),
        )
        self._tray_why = self._say("")
        self._start_button = self._check("Start with the system", self._start, self._set_start)
        self._start_why = self._say("")

        self._done = ttk.Button(self.footer, text="Done", style="Primary.TButton", command=self.destroy)
        self._done.pack(side="right")
        theme.on_change(self._wrap)
        self.show()
        self.present(self._chosen(looks) or self._done)

    def show(self) -> None:
        """Show what is so now."""
        self._look.set(self._settings.look.value)
        self._sound.set(self._settings.sound)
        self._notify.set(self._settings.notifications)
        self._away_after.set(self._settings.away_after_min)
        self._show_size()
        self._show_quiet()
        self._show_muted()
        self._show_reach()
        self._wrap()

    # --- inside: what changes -----------------------------------------------------------------------------

    def _show_size(self) -> None:
        nearest = min(TEXT_SIZES, key=lambda size: abs(size - self.theme.text_size))
        self._size.configure(text=f"{round(nearest * 100)} %")
        for button, last in ((self._smaller, TEXT_SIZES[0]), (self._larger, TEXT_SIZES[-1])):
            button.state(["disabled" if nearest == last else "!disabled"])

    def _show_quiet(self) -> None:
        quiet, row = self._vm.quiet, self._quiet
        had_focus = _empty(row)
        if quiet.is_on:
            end = ttk.Button(row, text="End", style="Soft.TButton", command=lambda: self._act(quiet.end))
            ttk.Label(row, text=f"On until {quiet.until}", style="Strong.Base.TLabel").pack(side="left")
            end.pack(side="left", padx=(self.theme.em(1.0), 0))
        else:
            for span in DISTURB_SPANS:
                text = span.value.capitalize()
                ttk.Button(
                    row,
                    text=text,
                    style="Soft.TButton",
                    command=lambda span=span: self._act(quiet.begin, span),  # type: ignore[misc]  # a default binds early
                ).pack(side="left", padx=(0, self.theme.em(0.5)))
        if had_focus:
            _focus_first(row)

    def _show_muted(self) -> None:
        quiet, row, em = self._vm.quiet, self._muted, self.theme.em
        had_focus = _empty(row)
        if not quiet.muted:
            text = "None. To mute a chat, click its bell." if self._vm.me else "Log in to see them."
            ttk.Label(row, text=text, style="Small.Base.TLabel").pack(anchor="w")
        for muted in quiet.muted:
            line = ttk.Frame(row, style="Base.TFrame")
            line.pack(fill="x", pady=(0, em(0.25)))
            unmute = ttk.Button(
                line,
                text="Unmute",
                style="Soft.TButton",
                command=lambda peer=muted.peer: self._act(quiet.unmute, peer),  # type: ignore[misc]  # a default binds early
            )
            unmute.pack(side="right")
            until = quiet.muted_until(muted.peer)
            name = self.theme.elide(Face.BODY, muted.name, em(12))
            ttk.Label(line, text=self.theme.drawn(name), style="Base.TLabel").pack(side="left")
            ttk.Label(line, text=f"until {until}" if until else "always", style="Small.Base.TLabel").pack(
                side="left", padx=em(0.6)
            )
        if had_focus and not _focus_first(row):
            self._done.focus_set()

    def _show_reach(self) -> None:
        for button, variable, why, on, problem in (
            (
                self._tray_button,
                self._tray,
                self._tray_why,
                self._settings.keep_in_tray,
                self._reachable.tray_problem,
            ),
            (
                self._start_button,
                self._start,
                self._start_why,
                self._reachable.starts_with_system,
                self._reachable.start_problem,
            ),
        ):
            # Without a tray it cannot be had; what the system has refused may be tried again.
            out_of_reach = bool(problem) and button is self._tray_button
            variable.set(on and not out_of_reach)
            button.state(["disabled" if out_of_reach else "!disabled"])
            why.configure(text=problem)
            if problem:
                why.grid()
            else:
                why.grid_remove()

    def _set_start(self) -> None:
        self._reachable.set_starts_with_system(self._start.get())
        self._show_reach()

    def _wrap(self) -> None:
        if self.winfo_exists():
            width = text_width(self)
            for label in self._labels:
                label.configure(wraplength=width)
            self.body.columnconfigure(0, minsize=width)

    # --- inside: building ---------------------------------------------------------------------------------

    def _head(self, text: str) -> None:
        first = not self.body.winfo_children()
        self._place(ttk.Label(self.body, text=text, style="Strong.Base.TLabel"), 0.0 if first else 1.0)

    def _say(self, text: str) -> ttk.Label:
        label = ttk.Label(self.body, text=text, style="Small.Base.TLabel", justify="left")
        self._labels.append(label)
        self._place(label, 0.1)
        return label

    def _row(self) -> ttk.Frame:
        row = ttk.Frame(self.body, style="Base.TFrame")
        self._place(row, 0.3)
        return row

    def _check(self, text: str, variable: tk.BooleanVar, command: Callable[[], None]) -> ttk.Checkbutton:
        button = ttk.Checkbutton(
            self.body, text=text, variable=variable, style="Base.TCheckbutton", command=command
        )
        self._place(button, 0.3)
        return button

    def _place(self, widget: tk.Widget, above: float) -> None:
        row = self.body.grid_size()[1]
        widget.grid(row=row, column=0, sticky="ew", pady=(self.theme.em(above), 0))

    def _line_up(self, row: ttk.Frame) -> None:
        """Buttons of which one is chosen; the arrows walk through them."""
        for button in row.winfo_children():
            if isinstance(button, ttk.Radiobutton):
                button.pack(side="left", padx=(0, self.theme.em(1.0)))
                for sequence, way in (("<Left>", -1), ("<Right>", 1)):
                    button.bind(sequence, lambda event, way=way: _step(row, event.widget, way))  # type: ignore[misc]  # a default binds early

    def _chosen(self, row: ttk.Frame) -> tk.Widget | None:
        for button in row.winfo_children():
            if isinstance(button, ttk.Radiobutton) and button.instate(["selected"]):
                return button
        return None


def _step(row: ttk.Frame, from_: tk.Misc, by: int) -> None:
    buttons: Sequence[tk.Misc] = row.winfo_children()
    at = buttons.index(from_) + by
    if 0 <= at < len(buttons):
        following = buttons[at]
        if isinstance(following, ttk.Radiobutton):
            following.focus_set()
            following.invoke()


def _empty(row: ttk.Frame) -> bool:
    """Take everything out of a row; says whether the focus was in it."""
    had_focus = has_focus_within(row)
    for child in row.winfo_children():
        child.destroy()
    return had_focus


def _focus_first(row: ttk.Frame) -> bool:
    """Give the focus to the first button in a row, if there is one."""
    found: list[tk.Misc] = [row]
    for widget in found:
        found.extend(widget.winfo_children())
        if isinstance(widget, ttk.Button):
            widget.focus_set()
            return True
    return False
