"""Pages of the window about one's own server on which the host kicks, bans, gives codes, frees names and writes to all."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from tkinter import ttk
from typing import Final, Literal

from twocans.gui.theme.fonts import Face
from twocans.gui.theme.theme import Theme
from twocans.gui.viewmodel import ViewModel
from twocans.gui.viewmodel.operating_rows import BanChoice, BanRow
from twocans.gui.views import keys
from twocans.gui.views.common import Act, Field, copy
from twocans.protocol.operator import BanTarget

_MESSAGE_LINES: Final = 4
_TARGETS: Final = (
    (BanTarget.NAME, "A name"),
    (BanTarget.ADDRESS, "An address or network"),
    (BanTarget.DEVICE, "The key of a device"),
)


class OperatingPage(ttk.Frame):
    """One page.

    Args:
        parent: where it goes.
        footer: where its buttons go.
        theme: the look.
        vm: what is shown.
        act: carries intents.
        width: of its lines of text, in pixels.
    """

    def __init__(
        self, parent: tk.Misc, footer: tk.Misc, theme: Theme, vm: ViewModel, act: Act, width: int
    ) -> None:
        super().__init__(parent, style="Base.TFrame")
        self.theme, self.vm, self.act, self.width = theme, vm, act, width
        self.operating = vm.operating
        self.row = ttk.Frame(footer, style="Base.TFrame")
        """The page's buttons."""
        self.first: tk.Widget = self
        """The widget that has the focus at first."""

    def enter(self) -> None:
        """The page comes into view: fields are empty again."""

    def show(self) -> None:
        """Show it as it is now."""

    # --- what pages are made of ---------------------------------------------------------------------------

    def text(self, text: str = "", *, style: str = "Base.TLabel", below: float = 0.6) -> ttk.Label:
        """A further line of text."""
        label = ttk.Label(self, text=text, style=style, wraplength=self.width, justify="left")
        label.pack(anchor="w", pady=(0, self.theme.em(below)))
        return label

    def put(
        self,
        label: ttk.Label,
        text: str,
        *,
        before: tk.Widget | None = None,
        after: tk.Widget | None = None,
        below: float = 0.6,
    ) -> None:
        """Show a text at its place, or nothing if there is none."""
        label.configure(text="\n".join(self.theme.drawn(line) for line in text.split("\n")))
        space = (0, self.theme.em(below))
        if not text:
            label.pack_forget()
        elif before is not None:
            label.pack(anchor="w", pady=space, before=before)
        elif after is not None:
            label.pack(anchor="w", pady=space, after=after)

    def field(self, title: str, on_enter: Callable[[], object], *, icon: str = "") -> Field:
        """A field with a title; Enter in it presses the page's button."""
        ttk.Label(self, text=title, style="Strong.Base.TLabel").pack(anchor="w")
        field = Field(self, self.theme, icon=icon)
        field.pack(fill="x", pady=(self.theme.em(0.3), self.theme.em(0.7)))
        keys.last(field.entry)
        for sequence in ("<Return>", "<KP_Enter>"):
            field.entry.bind(sequence, lambda _: on_enter())
        return field

    def buttons(self, *buttons: tuple[str, str, Callable[[], object]]) -> list[ttk.Button]:
        """Put buttons at the end of the window: text, style, what they do."""
        made = self._made(self.row, buttons)
        if sum(button.winfo_reqwidth() for button in made) + self.theme.em(len(made)) > self.width:
            # Several rows that stay in view would leave no room for the page itself.
            for button in made:
                button.destroy()
            row = ttk.Frame(self, style="Base.TFrame")
            row.pack(side="bottom", fill="x", pady=(self.theme.em(1.0), 0))
            made = self._made(row, buttons)
        flow(made, self.width, self.theme, anchor="e")
        for number, button in enumerate(made):
            for sequence, to in (("<Left>", max(0, number - 1)), ("<Right>", (number + 1) % len(made))):
                button.bind(sequence, lambda _, to=to: made[to].focus_set())  # type: ignore[misc]  # a default binds early
        return made

    def _made(
        self, parent: tk.Misc, buttons: Sequence[tuple[str, str, Callable[[], object]]]
    ) -> list[ttk.Button]:
        return [
            ttk.Button(parent, text=text, style=style, command=command, cursor="hand2")
            for text, style, command in buttons
        ]

    def back(self) -> None:
        """Go to the page before."""
        self.act(self.vm.hosting.back)

    def title_for(self, before: str, after: str = "?") -> str:
        """A title with the name that the page is about."""
        room = self.width - self.theme.measure(Face.TITLE, before + after)
        return f"{before}{self.theme.drawn(self.theme.elide(Face.TITLE, self.operating.name, room))}{after}"

    def set_busy(self, *buttons: ttk.Button) -> None:
        """Buttons cannot be pressed while an answer is awaited."""
        for button in buttons:
            button.state(["disabled" if self.operating.busy else "!disabled"])


class KickPage(OperatingPage):
    """Asks whether to end somebody's sessions, and for the reason."""

    def __init__(
        self, parent: tk.Misc, footer: tk.Misc, theme: Theme, vm: ViewModel, act: Act, width: int
    ) -> None:
        super().__init__(parent, footer, theme, vm, act, width)
        self._title = self.text(style="Title.Base.TLabel", below=0.7)
        self.text("Their connection ends at once, and they are told the reason.")
        self.text("Nothing keeps them from coming back. To keep them out, ban them instead.", below=0.8)
        self._reason = self.field("Reason (optional)", self._kick)
        self._button, _ = self.buttons(
            ("Kick", "Primary.TButton", self._kick), ("Cancel", "Soft.TButton", self.back)
        )
        self.first = self._reason.entry

    def enter(self) -> None:
        self._reason.set("")

    def show(self) -> None:
        self._title.configure(text=self.title_for("Kick "))
        self.set_busy(self._button)

    def _kick(self) -> None:
        self.act(self.operating.kick, self._reason.text.get())


class BanPage(OperatingPage):
    """Asks what to ban: the name, an address or a device of somebody, or something that is typed."""

    def __init__(
        self, parent: tk.Misc, footer: tk.Misc, theme: Theme, vm: ViewModel, act: Act, width: int
    ) -> None:
        super().__init__(parent, footer, theme, vm, act, width)
        self._title = self.text(style="Title.Base.TLabel", below=0.7)
        self.text(
            "What is banned cannot connect any more until you lift the ban; its connections end at once, and "
            "they are told the reason.",
            below=0.8,
        )
        self._chosen = tk.StringVar(self)
        self._shown: tuple[BanChoice, ...] | None = None
        self._radios = ttk.Frame(self, style="Base.TFrame")
        self._radios.pack(fill="x", pady=(0, theme.em(0.4)))
        self._value = Field(self, theme)
        keys.last(self._value.entry)
        self._value.text.trace_add("write", lambda *_: self._show_consequence())
        self._consequence = self.text(style="Muted.Base.TLabel", below=0.8)
        self._reason = self.field("Reason (optional)", self._ban)
        for sequence in ("<Return>", "<KP_Enter>"):
            self._value.entry.bind(sequence, lambda _: self._reason.entry.focus_set())
        self._button, _ = self.buttons(
            ("Ban", "Primary.TButton", self._ban), ("Cancel", "Soft.TButton", self.back)
        )

    def enter(self) -> None:
        self._reason.set("")
        self._value.set("")
        self._shown = None

    def show(self) -> None:
        choices = self.operating.choices
        self._title.configure(text=self.title_for("Ban ") if choices else "Ban a name, address or device")
        if choices != self._shown:
            self._shown = choices
            self._fill(choices)
        self._show_consequence()
        self.set_busy(self._button)

    def _fill(self, choices: Sequence[BanChoice]) -> None:
        for child in self._radios.winfo_children():
            child.destroy()
        texts = [one.text for one in choices] or [text for _, text in _TARGETS]
        self._chosen.set("0")
        radios = [
            ttk.Radiobutton(
                self._radios,
                text=self.theme.drawn(self.theme.elide(Face.BODY, text, self.width - self.theme.em(3))),
                value=str(number),
                variable=self._chosen,
                style="Base.TRadiobutton",
                command=self._choose,
            )
            for number, text in enumerate(texts)
        ]
        for number, radio in enumerate(radios):
            radio.pack(anchor="w")
            for sequence, to in (("<Up>", max(0, number - 1)), ("<Down>", min(len(radios) - 1, number + 1))):
                radio.bind(sequence, lambda _, to=to: _press(radios[to]))  # type: ignore[misc]  # a default binds early
        if choices:
            self._value.pack_forget()
            self.first = radios[0]
        else:
            self._value.pack(fill="x", pady=(0, self.theme.em(0.5)), before=self._consequence)
            self.first = self._value.entry

    def _choose(self) -> None:
        choices = self.operating.choices
        if choices:
            self.act(self.operating.choose, choices[int(self._chosen.get())])
        else:
            self._show_consequence()

    def _show_consequence(self) -> None:
        choice = self.operating.choice
        if choice is not None:
            warning = self.operating.warning(choice.target, choice.value)
            text = choice.consequence
        else:
            warning = self.operating.warning(self._target, self._value.text.get())
            text = ""
        self._consequence.configure(
            text=warning or text, style="Error.Base.TLabel" if warning else "Muted.Base.TLabel"
        )

    @property
    def _target(self) -> BanTarget:
        return _TARGETS[int(self._chosen.get() or 0)][0]

    def _ban(self) -> None:
        reason = self._reason.text.get()
        if self.operating.choices:
            self.act(self.operating.ban, reason)
        else:
            self.act(self.operating.ban_typed, self._target, self._value.text.get(), reason)


class CodePage(OperatingPage):
    """Says what a code does, then shows one."""

    def __init__(
        self, parent: tk.Misc, footer: tk.Misc, theme: Theme, vm: ViewModel, act: Act, width: int
    ) -> None:
        super().__init__(parent, footer, theme, vm, act, width)
        self._title = self.text(style="Title.Base.TLabel", below=0.7)
        self._does = self.text("A code lets one new device in under this name, once, within ten minutes.")
        self.text(
            "Give it to the person whom the name belongs to and to nobody else: whoever has it gets all their messages.",
            below=0.8,
        )
        self._code = ttk.Label(self, style="Code.Base.TLabel", anchor="center")
        self._until = ttk.Label(self, style="Muted.Base.TLabel", anchor="center", justify="center")
        self._give, self._copy, self._back = self.buttons(
            ("Give a code", "Primary.TButton", lambda: act(self.operating.give_code)),
            ("Copy", "Soft.TButton", lambda: copy(self, self._copy, self.operating.code)),
            ("Cancel", "Soft.TButton", self.back),
        )
        self.first = self._give

    def show(self) -> None:
        operating = self.operating
        self._title.configure(text=self.title_for("Give a code for "))
        self._copy.state(["!disabled" if operating.code else "disabled"])
        if operating.code:
            if str(self._code.cget("text")) != operating.code:
                self._copy.configure(text="Copy")
                self._copy.focus_set()  # a second Enter must not make this code worthless
            self._code.configure(text=operating.code)
            self._until.configure(text=f"It is valid until {operating.code_until}")
            em = self.theme.em
            self._code.pack(fill="x", pady=(em(0.2), 0), before=self._does)
            self._until.pack(fill="x", pady=(em(0.2), em(0.9)), before=self._does)
        else:
            self._code.configure(text="")
            self._code.pack_forget()
            self._until.pack_forget()
        self._give.configure(text="New code" if operating.code else "Give a code")
        self._back.configure(text="Done" if operating.code else "Cancel")
        self.set_busy(self._give)


class FreePage(OperatingPage):
    """Asks whether a name is to be anybody's again."""

    def __init__(
        self, parent: tk.Misc, footer: tk.Misc, theme: Theme, vm: ViewModel, act: Act, width: int
    ) -> None:
        super().__init__(parent, footer, theme, vm, act, width)
        self._title = self.text(style="Title.Base.TLabel", below=0.7)
        self.text("All devices of this name are logged out and removed, and its password is deleted.")
        self.text(
            "The next person who registers the name gets it, with all its messages. This cannot be undone."
        )
        self.text("To let its owner back in and nobody else, give them a code instead.", below=0.0)
        self._free, back = self.buttons(
            ("Free the name", "Soft.TButton", lambda: act(self.operating.free)),
            ("Cancel", "Primary.TButton", self.back),
        )
        self.first = back

    def show(self) -> None:
        self._title.configure(text=self.title_for("Free the name "))
        self.set_busy(self._free)


class SayPage(OperatingPage):
    """The field for a message to everybody online."""

    def __init__(
        self, parent: tk.Misc, footer: tk.Misc, theme: Theme, vm: ViewModel, act: Act, width: int
    ) -> None:
        super().__init__(parent, footer, theme, vm, act, width)
        c, em = theme.colours, theme.em
        self.text("Message to everybody", style="Title.Base.TLabel", below=0.7)
        self.text("Everybody who is online gets it from “Server”. Others do not.", below=0.8)
        self._text = tk.Text(
            self,
            height=_MESSAGE_LINES,
            width=10,
            wrap="word",
            font=Face.BODY.value,
            background=c.base,
            foreground=c.text,
            insertbackground=c.text,
            selectbackground=c.accent,
            selectforeground=c.on_accent,
            highlightthickness=max(1, theme.pixel),
            highlightbackground=c.border,
            highlightcolor=c.accent_text,
            borderwidth=0,
            padx=em(0.6),
            pady=em(0.4),
            undo=True,
        )
        self._text.pack(fill="x")
        ttk.Label(
            self, text="Enter sends it, Shift+Enter begins a new line.", style="Small.Base.TLabel"
        ).pack(anchor="w", pady=(em(0.3), 0))
        for sequence in ("<Return>", "<KP_Enter>"):
            self._text.bind(sequence, lambda _: self._say())
        self._text.bind("<Shift-Return>", lambda _: None)
        for sequence, way in (("<Tab>", self._text.tk_focusNext), ("<Shift-Tab>", self._text.tk_focusPrev)):
            self._text.bind(sequence, lambda _, way=way: _go(way))  # type: ignore[misc]  # a default binds early
        self._send, _ = self.buttons(
            ("Send", "Primary.TButton", self._say), ("Cancel", "Soft.TButton", self.back)
        )
        self.first = self._text

    def enter(self) -> None:
        self._text.delete("1.0", "end")

    def show(self) -> None:
        self.set_busy(self._send)

    def _say(self) -> str:
        self.act(self.operating.say, self._text.get("1.0", "end-1c"))
        return "break"


class BansPage(OperatingPage):
    """All bans, each with a button that lifts it."""

    def __init__(
        self, parent: tk.Misc, footer: tk.Misc, theme: Theme, vm: ViewModel, act: Act, width: int
    ) -> None:
        super().__init__(parent, footer, theme, vm, act, width)
        self.text("Bans", style="Title.Base.TLabel", below=0.4)
        self._empty = self.text(style="Muted.Base.TLabel")
        self._find = Field(self, theme, icon="search")
        self._find.set_placeholder("Search bans")
        keys.last(self._find.entry)
        self._find.text.trace_add("write", lambda *_: act(self.operating.search_bans, self._find.text.get()))
        self._rows = ttk.Frame(self, style="Base.TFrame")
        self._rows.columnconfigure(0, weight=1)
        self._rows.pack(fill="x")
        self._more = self.text(style="Small.Base.TLabel", below=0.0)
        self._shown: tuple[BanRow, ...] | None = None
        self._add, done = self.buttons(
            ("Ban something …", "Soft.TButton", lambda: act(self.operating.ask_typed_ban)),
            ("Done", "Primary.TButton", self.back),
        )
        self.first = done

    def enter(self) -> None:
        self._find.set(self.operating.ban_find)

    def show(self) -> None:
        operating = self.operating
        bans, hidden = operating.bans, operating.hidden_bans
        empty = "Loading …" if bans is None else "Nobody is banned." if not operating.ban_find else "None."
        self.put(self._empty, "" if bans else empty, before=self._rows)
        if hidden or operating.ban_find:
            self._find.pack(fill="x", pady=(0, self.theme.em(0.5)), before=self._rows)
        else:
            self._find.pack_forget()
        more = f"{hidden:,} older ones are not shown. Search for them." if hidden else ""
        self.put(self._more, more, after=self._rows, below=0.0)
        if bans is not None and bans != self._shown:
            self._shown = bans
            self._fill(bans)
        for child in self._rows.winfo_children():
            if isinstance(child, ttk.Button):
                self.set_busy(child)

    def _fill(self, bans: tuple[BanRow, ...]) -> None:
        em, theme = self.theme.em, self.theme
        had_focus = str(self.tk.call("focus")).startswith(f"{self._rows}.")
        for child in self._rows.winfo_children():
            child.destroy()
        self._rows.configure(height=1)  # Tk leaves a frame as high as it was when its last row goes
        for number, ban in enumerate(bans):
            button = ttk.Button(
                self._rows,
                text="Unban",
                style="Soft.TButton",
                cursor="hand2",
                command=lambda ban=ban: self.act(self.operating.unban, ban.entry),  # type: ignore[misc]  # a default binds early
            )
            room = self.width - button.winfo_reqwidth() - em(0.8)
            texts = ttk.Frame(self._rows, style="Base.TFrame")
            what = theme.drawn(theme.elide(Face.STRONG, ban.what, room))
            ttk.Label(texts, text=what, style="Strong.Base.TLabel").pack(anchor="w")
            ttk.Label(
                texts, text=theme.drawn(ban.text), style="Small.Base.TLabel", wraplength=room, justify="left"
            ).pack(anchor="w")
            texts.grid(row=number, column=0, sticky="ew", pady=em(0.25))
            button.grid(row=number, column=1, padx=(em(0.8), 0))
        if had_focus:
            self.first.focus_set()


class NamePage(OperatingPage):
    """Actions on a name, also one that is not online."""

    def __init__(
        self, parent: tk.Misc, footer: tk.Misc, theme: Theme, vm: ViewModel, act: Act, width: int
    ) -> None:
        super().__init__(parent, footer, theme, vm, act, width)
        self.text("Names and their devices", style="Title.Base.TLabel", below=0.4)
        self.text("Type a name. The person doesn't have to be online.", below=0.7)
        self._name = self.field("Name", self._look_up, icon="person")
        self._name.text.trace_add("write", lambda *_: act(self.operating.typed_name, self._name.text.get()))
        self._found = self.text(style="Strong.Base.TLabel", below=0.3)
        self._devices = self.text(style="Small.Base.TLabel", below=0.6)
        self._actions = ttk.Frame(self, style="Base.TFrame")
        self._actions.pack(fill="x")
        self._do = [
            ttk.Button(self._actions, text=text, style="Soft.TButton", cursor="hand2", command=command)
            for text, command in (
                ("Show devices", self._look_up),
                ("Give a code …", lambda: act(self.operating.ask_code, self.operating.name)),
                ("Free the name …", lambda: act(self.operating.ask_free, self.operating.name)),
                ("Ban …", lambda: act(self.operating.ask_ban, self.operating.name)),
            )
        ]
        flow(self._do, width, theme)
        self.buttons(("Done", "Primary.TButton", self.back))
        self.first = self._name.entry

    def enter(self) -> None:
        self._name.set(self.operating.name)

    def show(self) -> None:
        self.put(self._found, self.operating.devices_text, before=self._actions, below=0.3)
        self.put(self._devices, "\n".join(self.operating.devices), before=self._actions)
        able = bool(self.operating.name) and not self.operating.busy
        for button in self._do:
            button.state(["!disabled" if able else "disabled"])

    def _look_up(self) -> None:
        self.act(self.operating.look_up, self._name.text.get())


def flow(buttons: Sequence[ttk.Button], width: int, theme: Theme, *, anchor: Literal["w", "e"] = "w") -> None:
    """Put buttons beside each other, and into further rows where they are wider than `width`, in pixels."""
    gap = theme.em(0.5)
    row: ttk.Frame | None = None
    used = 0
    for button in buttons:
        needed = button.winfo_reqwidth()
        if row is None or used + gap + needed > width:
            above = gap if row is not None else 0
            row, used = ttk.Frame(button.master, style="Base.TFrame"), 0
            row.pack(anchor=anchor, pady=(above, 0))
        button.pack(in_=row, side="left", padx=(gap if used else 0, 0))
        button.lift(row)
        used += (gap if used else 0) + needed


def _press(radio: ttk.Radiobutton) -> str:
    radio.focus_set()
    radio.invoke()
    return "break"


def _go(way: Callable[[], tk.Misc | None]) -> str:
    following = way()
    if following is not None:
        following.focus_set()
    return "break"
