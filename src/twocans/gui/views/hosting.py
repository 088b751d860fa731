"""One's own server: the button below the login form, the dialog about a server that runs, and what is asked about it."""

from __future__ import annotations

import contextlib
import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Final

from twocans.gui import keys
from twocans.gui.faces import Face
from twocans.gui.focus import has_focus
from twocans.gui.qr import qr_code
from twocans.gui.theme import Theme
from twocans.gui.transcript.dates import local_moment
from twocans.gui.viewmodel import ViewModel
from twocans.gui.viewmodel.hosting import Question, Stage
from twocans.gui.views.common import Act, Field, copy
from twocans.gui.views.dialogs import Dialog
from twocans.gui.views.security import text_width

_CODE_EM: Final = 15
_SIDE_EM: Final = 19
_LOG_LINES: Final = 9
_WIDE_EM: Final = _CODE_EM + _SIDE_EM + 6


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


class HostDialog(Dialog):
    """What others need to come to the server, who is there, its log, and the way to stop it.

    Args:
        vm: what is shown.
        act: carries intents.
    """

    def __init__(self, parent: tk.Tk, theme: Theme, vm: ViewModel, act: Act) -> None:
        super().__init__(parent, theme, "Your server – Twocans")
        self._vm, self._act = vm, act
        self._places: tuple[str, ...] | None = None
        self._log_shown = ""
        em, hosting = theme.em, vm.hosting
        wide = self.winfo_screenwidth() >= em(_WIDE_EM)
        server = hosting.server
        self._side = ttk.Frame(self.body, style="Base.TFrame")
        self._code = ttk.Frame(self.body, style="Base.TFrame")
        self._side.grid(row=0, column=0, sticky="new")
        self._code.grid(
            row=0 if wide else 1, column=1 if wide else 0, sticky="ne", padx=(em(1.6) if wide else 0, 0)
        )
        self.body.columnconfigure(0, weight=1)
        width = em(_SIDE_EM) if wide else text_width(self, theme)
        self._heading = ttk.Label(self._side, style="Title.Base.TLabel")
        self._online = ttk.Label(self._side, style="Muted.Base.TLabel", wraplength=width, justify="left")
        self._told = ttk.Label(self._side, style="Strong.Base.TLabel", wraplength=width, justify="left")
        self._rows = ttk.Frame(self._side, style="Base.TFrame")
        self._heading.pack(anchor="w")
        self._online.pack(anchor="w", pady=(em(0.1), em(1.0)))
        self._told.pack(anchor="w", pady=(0, em(0.4)))
        self._rows.pack(fill="x")
        self._picture = ttk.Label(self._code, style="Base.TLabel", anchor="center")
        self._caption = ttk.Label(
            self._code, style="Small.Base.TLabel", wraplength=em(_CODE_EM), justify="center", anchor="center"
        )
        self._copy_link = ttk.Button(
            self._code,
            text="Copy link",
            style="Soft.TButton",
            cursor="hand2",
            command=lambda: copy(self, self._copy_link, hosting.link),
        )
        self._picture.pack()
        self._caption.pack(pady=(em(0.4), em(0.5)))
        self._copy_link.pack()
        self._log: tk.Text | None = None
        if server is not None and server.background:
            self._make_log(row=2)
        elif server is not None:
            ttk.Label(
                self.body,
                text="It was started in a terminal, which shows its log.",
                style="Small.Base.TLabel",
            ).grid(row=2, column=0, columnspan=2, sticky="w", pady=(em(1.0), 0))
        buttons = ttk.Frame(self.body, style="Base.TFrame")
        buttons.grid(row=4, column=0, columnspan=2, sticky="ew", pady=(em(1.2), 0))
        self._stop = _button(buttons, "Stop server", lambda: act(hosting.ask_stop))
        self._stop.pack(side="left")
        done = _button(buttons, "Done", lambda: act(hosting.close), style="Primary.TButton")
        done.pack(side="right")
        self.bind("<Escape>", lambda _: act(hosting.close))
        self.protocol("WM_DELETE_WINDOW", lambda: act(hosting.close))
        self.show()
        self.present(done)

    def show(self) -> None:
        """Show everything as it is now."""
        hosting, em = self._vm.hosting, self.theme.em
        server = hosting.server
        if server is None:
            return
        since = local_moment(server.started_at)
        stopping = hosting.stage is Stage.STOPPING
        self._heading.configure(text="Your server is stopping …" if stopping else "Your server is running")
        people = (
            "Nobody"
            if not server.online
            else "1 person"
            if server.online == 1
            else f"{server.online:,} people"
        )
        self._online.configure(text=f"{people} online · running since {since:%H:%M}, {since:%d %B}")
        self._stop.state(["disabled" if stopping else "!disabled"])
        if hosting.places != self._places:
            self._places = hosting.places
            self._fill()
        link = hosting.link
        if link:
            width = em(_CODE_EM)
            self._picture.configure(
                image=self.theme.picture(("qr", link, width), lambda: qr_code(link, width))
            )
            self._caption.configure(
                text=f"{hosting.place} and the server's key, to scan, or to paste as the server"
            )
            self._code.grid()
        else:
            self._code.grid_remove()
        self._show_log()

    def _fill(self) -> None:
        """The addresses, each with a button that copies it."""
        places = self._places or ()
        for child in self._rows.winfo_children():
            child.destroy()
        self._told.configure(
            text="Others connect to"
            if places
            else "Nobody else can connect: this computer is in no network, or the server listens on it alone."
        )
        for number, place in enumerate(places):
            field = Field(self._rows, self.theme, icon="hdd-network")
            field.set(place)
            field.entry.configure(state="readonly")
            keys.last(field.entry)
            field.entry.bind("<FocusIn>", self._choosing(place), add="+")
            button = ttk.Button(self._rows, text="Copy", style="Soft.TButton", cursor="hand2", width=7)
            button.configure(command=_copying(self, button, place))
            field.grid(row=number, column=0, sticky="ew", pady=(0, self.theme.em(0.4)))
            button.grid(row=number, column=1, padx=(self.theme.em(0.5), 0), pady=(0, self.theme.em(0.4)))
        self._rows.columnconfigure(0, weight=1)

    def _choosing(self, place: str) -> Callable[[object], None]:
        return lambda _: self._act(self._vm.hosting.choose, place)

    # --- the log ------------------------------------------------------------------------------------------

    def _make_log(self, row: int) -> None:
        em, c = self.theme.em, self.theme.colours
        heading = ttk.Frame(self.body, style="Base.TFrame")
        heading.grid(row=row, column=0, columnspan=2, sticky="ew", pady=(em(1.1), em(0.4)))
        ttk.Label(heading, text="Its log", style="Strong.Base.TLabel").pack(side="left")
        folder = _button(heading, "Open folder", lambda: self._act(self._vm.hosting.open_folder))
        folder.pack(side="right")
        copying = ttk.Button(heading, text="Copy log", style="Soft.TButton", cursor="hand2")
        copying.configure(command=lambda: copy(self, copying, self._vm.hosting.log))
        copying.pack(side="right", padx=(0, em(0.5)))
        frame = ttk.Frame(self.body, style="Base.TFrame")
        frame.grid(row=row + 1, column=0, columnspan=2, sticky="ew")
        log = self._log = tk.Text(
            frame,
            height=_LOG_LINES,
            width=10,
            wrap="word",
            font=Face.SMALL.value,
            background=c.side,
            foreground=c.text,
            selectbackground=c.accent,
            selectforeground=c.on_accent,
            highlightthickness=self.theme.pixel,
            highlightbackground=c.border,
            highlightcolor=c.accent_text,
            borderwidth=0,
            padx=em(0.6),
            pady=em(0.4),
            takefocus=True,
            state="disabled",
        )
        bar = ttk.Scrollbar(frame, style="Base.Vertical.TScrollbar", command=log.yview)
        log.configure(yscrollcommand=bar.set)
        bar.pack(side="right", fill="y")
        log.pack(side="left", fill="both", expand=True)
        log.bind("<Button-1>", lambda _: log.focus_set())
        # A text that cannot be written in keeps Tab for itself all the same.
        for sequence, way in (("<Tab>", log.tk_focusNext), ("<Shift-Tab>", log.tk_focusPrev)):
            log.bind(sequence, lambda _, way=way: _go(way))  # type: ignore[misc]  # a default binds early

    def _show_log(self) -> None:
        """What is in the log; its end stays in view unless somebody has scrolled away from it."""
        log, text = self._log, self._vm.hosting.log
        if log is None or text == self._log_shown:
            return
        at_end = log.yview()[1] >= 1.0
        top = log.index("@0,0")
        log.configure(state="normal")
        if text.startswith(self._log_shown):
            log.insert("end", self._drawn(text[len(self._log_shown) :]))
        else:
            log.delete("1.0", "end")
            log.insert("1.0", self._drawn(text))
        log.configure(state="disabled")
        self._log_shown = text
        log.see("end" if at_end else top)

    def _drawn(self, text: str) -> str:
        return "\n".join(self.theme.drawn(line) for line in text.split("\n"))


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
        width = text_width(self, theme)
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


def _copying(widget: tk.Misc, button: ttk.Button, text: str) -> Callable[[], None]:
    return lambda: copy(widget, button, text)


def _go(way: Callable[[], tk.Misc | None]) -> str:
    following = way()
    if following is not None:
        following.focus_set()
    return "break"


def _put(widget: tk.Widget, *, shown: bool) -> None:
    if shown:
        widget.grid()
    else:
        widget.grid_remove()
