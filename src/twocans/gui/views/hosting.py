"""One's own server: the button below the login form, and what is asked before it stops. `host_dialog` has the rest."""

from __future__ import annotations

import contextlib
import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from twocans.gui.theme.fonts import Face
from twocans.gui.theme.theme import Theme
from twocans.gui.viewmodel import ViewModel
from twocans.gui.viewmodel.hosting import Question, Stage
from twocans.gui.views.common import Act
from twocans.gui.views.dialogs import Dialog, text_width
from twocans.gui.views.focus import has_focus


class HostBar(ttk.Frame):
    """Starts the server, or leads to the one that runs; and says why there is none.

    Args:
        parent: where it goes.
        theme: the look.
        vm: what is shown.
        act: carries intents.
    """

    def __init__(self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act) -> None:
        super().__init__(parent, style="Base.TFrame")
        self._theme, self._vm = theme, vm
        hosting = vm.hosting
        self._problem = ttk.Label(self, style="Error.Base.TLabel", justify="left")
        self._text = ttk.Label(self, style="Small.Base.TLabel")
        self._buttons = ttk.Frame(self, style="Base.TFrame")
        self._start = _button(self._buttons, "Start a server on this computer", lambda: act(hosting.start))
        self._cancel = _button(self._buttons, "Cancel", lambda: act(hosting.stop))
        self._take = _button(self._buttons, "Connect to it", lambda: act(hosting.connect_to_taken))
        self._elsewhere = _button(self._buttons, "", lambda: act(hosting.start_elsewhere))
        self._connect = _button(self._buttons, "Connect to it", lambda: act(hosting.connect))
        self._open = _button(self._buttons, "Your server …", lambda: act(hosting.open))
        self._shown: list[ttk.Button] = []
        self.columnconfigure(0, weight=1)
        self._problem.grid(row=0, column=0, sticky="w")
        self._text.grid(row=1, column=0, sticky="w")
        self._buttons.grid(row=2, column=0, sticky="ew")
        self.restyle()

    def show(self) -> None:
        """Show it as it is now."""
        hosting = self._vm.hosting
        stage = hosting.stage
        self._problem.configure(text=self._theme.drawn(hosting.problem))
        _put(self._problem, shown=bool(hosting.problem))
        text = {
            Stage.STARTING: "Starting your server …",
            Stage.RUNNING: "Your server runs on this computer.",
            Stage.STOPPING: "Stopping your server …",
        }.get(stage, "")
        self._text.configure(text=text)
        _put(self._text, shown=bool(text))
        taken = stage is Stage.NONE and hosting.taken_port is not None
        self._elsewhere.configure(text=f"Start on port {hosting.next_port}")
        shown = {
            self._start: stage is Stage.NONE and not taken,
            self._cancel: stage is Stage.STARTING,
            self._take: taken,
            self._elsewhere: taken,
            self._connect: stage is Stage.RUNNING,
            self._open: stage is Stage.RUNNING,
        }
        following = [button for button, is_shown in shown.items() if is_shown]
        for button in following:
            button.state(["disabled" if self._vm.form.state.connecting else "!disabled"])
        if following != self._shown:
            had_focus = any(has_focus(button) for button in self._shown)
            for button in self._shown:
                button.pack_forget()
            for number, button in enumerate(following):
                button.pack(
                    side="left", fill="x", expand=True, padx=(self._theme.em(0.6) if number else 0, 0)
                )
            self._shown = following
            if had_focus and following:
                following[0].focus_set()

    def wrap(self, width: int) -> None:
        """Lines may be so wide, in pixels."""
        self._problem.configure(wraplength=width, font=Face.SMALL.value)

    def restyle(self) -> None:
        """Sizes and colours have changed."""
        for label in (self._problem, self._text):
            label.grid_configure(pady=(0, self._theme.em(0.3)))


class HostQuestion(Dialog):
    """Asks whether the server is to stop, or to go on without the window. Nothing else can be done meanwhile.

    Args:
        question: which of the two.
        vm: what is shown.
        act: carries intents.
    """

    def __init__(self, parent: tk.Tk, theme: Theme, question: Question, vm: ViewModel, act: Act) -> None:
        super().__init__(parent, theme, "Your server – Twocans")
        self.question = question
        self._vm = vm
        em, hosting = theme.em, vm.hosting
        quits = question is Question.QUIT
        width = text_width(self)
        self.body.columnconfigure(0, minsize=min(width, em(24)))
        self._heading = ttk.Label(self.body, style="Title.Base.TLabel")
        self._who = ttk.Label(self.body, style="Base.TLabel", wraplength=width, justify="left")
        self._heading.grid(row=0, column=0, sticky="w", pady=(0, em(0.6)))
        self._who.grid(row=1, column=0, sticky="w")
        if quits:
            ttk.Label(
                self.body,
                text="It can go on without this window; the next window finds it again.",
                style="Small.Base.TLabel",
                wraplength=width,
                justify="left",
            ).grid(row=2, column=0, sticky="w", pady=(em(0.6), 0))
        buttons = ttk.Frame(self.body, style="Base.TFrame")
        buttons.grid(row=3, column=0, sticky="e", pady=(em(1.3), 0))
        leave = _button(buttons, "Cancel", lambda: act(hosting.leave_question))
        self._stop = _button(buttons, "Stop it", lambda: act(hosting.stop))
        self._keep = _button(
            buttons,
            "Keep it running",
            lambda: act(hosting.keep if quits else hosting.leave_question),
            style="Primary.TButton",
        )
        shown = [leave, self._stop, self._keep] if quits else [self._stop, self._keep]
        for number, button in enumerate(shown):
            button.pack(side="left", padx=(em(0.6) if number else 0, 0))
            for sequence, to in (("<Left>", number - 1), ("<Right>", (number + 1) % len(shown))):
                button.bind(sequence, lambda _, to=to: shown[to].focus_set())  # type: ignore[misc]  # a default binds early
        self.bind("<Escape>", lambda _: act(hosting.leave_question))
        self.protocol("WM_DELETE_WINDOW", lambda: act(hosting.leave_question))
        self.bind("<Map>", lambda _: self._hold())
        self.show()
        self.present(self._keep)

    def show(self) -> None:
        """Show who is there, and whether it stops already."""
        hosting = self._vm.hosting
        stopping = hosting.stage is Stage.STOPPING
        quits = self.question is Question.QUIT
        self._heading.configure(
            text="Your server is stopping …"
            if stopping
            else "Your server is running"
            if quits
            else "Stop your server?"
        )
        self._who.configure(text=hosting.who)
        self._stop.state(["disabled" if stopping else "!disabled"])
        if quits:
            self._keep.configure(text="Close without waiting" if stopping else "Keep it running")

    def _hold(self) -> None:
        with contextlib.suppress(tk.TclError):  # it is out of sight, e.g. with the window itself
            self.grab_set()


def _button(
    parent: tk.Misc, text: str, action: Callable[[], object], *, style: str = "Soft.TButton"
) -> ttk.Button:
    return ttk.Button(parent, text=text, style=style, command=action, cursor="hand2")


def _put(widget: tk.Widget, *, shown: bool) -> None:
    if shown:
        widget.grid()
    else:
        widget.grid_remove()
