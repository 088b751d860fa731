"""What several views share: how they report intents, round fields, avatars."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import ParamSpec, Protocol

from PIL import ImageTk

from twocans.gui.theme.fonts import Face
from twocans.gui.theme.palette import avatar_colour, initials
from twocans.gui.theme.theme import Theme
from twocans.gui.viewmodel.state import Presence
from twocans.gui.views import keys
from twocans.gui.views.tooltip import Tooltip

P = ParamSpec("P")


class Act(Protocol):
    """Carries an intent to the view-model and shows what comes of it."""

    def __call__(self, intent: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Do it."""
        ...


class Field(ttk.Frame):
    """A round field with a line to write in, and a picture before it if wanted.

    Args:
        parent: where it goes.
        theme: the look.
        style: `Field` or `Pill`.
        icon: the name of the picture.
        secret: hide what stands in it until a button beside it is pressed.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        *,
        style: str = "Field",
        icon: str = "",
        secret: bool = False,
    ) -> None:
        super().__init__(parent, style=f"{style}.TFrame")
        self._theme = theme
        self._style = style
        self._icon_name = icon
        self._hidden = secret
        self.text = tk.StringVar(self)
        self._icon = ttk.Label(self, style=f"{style}.TLabel")
        self.entry = ttk.Entry(self, style=f"{style}.TEntry", textvariable=self.text, font=Face.BODY.value)
        self._eye: ttk.Button | None = None
        if secret:
            self._eye = ttk.Button(
                self, style="IconField.TButton", command=self._hide_or_show, cursor="hand2"
            )
            Tooltip(self._eye, theme, lambda: "Show what is typed" if self._hidden else "Hide what is typed")
        self.placeholder = ttk.Label(self, style=f"{style}.TLabel", cursor="xterm")
        self._placeholder_text = ""
        keys.first(self.entry)
        self.entry.bind("<FocusIn>", lambda _: self.state(["focus"]), add="+")
        self.entry.bind("<FocusOut>", lambda _: self.state(["!focus"]), add="+")
        for widget in (self, self._icon, self.placeholder):
            stand_for(widget, self.entry)
        self.text.trace_add("write", lambda *_: self._show_placeholder())
        self.restyle()

    def set_placeholder(self, text: str) -> None:
        """What stands in the field while it is empty."""
        self._placeholder_text = text
        self.placeholder.configure(text=text)
        self._show_placeholder()

    def set(self, text: str) -> None:
        """Write into the field, if that is news."""
        if self.text.get() != text:
            self.text.set(text)
            self.entry.icursor("end")

    def set_invalid(self, invalid: bool) -> None:
        """Show that what stands in it is wrong."""
        self.state(["invalid" if invalid else "!invalid"])

    def conceal(self) -> None:
        """Hide what stands in a secret field again."""
        if self._eye is not None and not self._hidden:
            self._hide_or_show()

    def restyle(self) -> None:
        """Sizes and colours have changed."""
        em = self._theme.em
        side = em(0.8)
        for child in (self._icon, self.entry):
            child.pack_forget()
        if self._eye is not None:
            eye = "eye" if self._hidden else "eye-slash"
            self._eye.configure(image=self._theme.icon(eye, 1.0, self._theme.colours.muted))
            self._eye.pack(side="right", padx=(0, em(0.3)), pady=em(0.2))
            self.entry.configure(show="•" if self._hidden else "")
        if self._icon_name:
            self._icon.configure(image=self._theme.icon(self._icon_name, 1.0, self._theme.colours.muted))
            self._icon.pack(side="left", padx=(side, 0), pady=em(0.5))
        self.entry.pack(
            side="left",
            fill="x",
            expand=True,
            padx=(em(0.5) if self._icon_name else side, side),
            pady=em(0.55),
        )
        self._show_placeholder()

    def _hide_or_show(self) -> None:
        self._hidden = not self._hidden
        self.restyle()

    def _show_placeholder(self) -> None:
        if self._placeholder_text and not self.text.get():
            self.placeholder.place(in_=self.entry, x=1, rely=0.5, anchor="w")
            self.placeholder.lift()
        else:
            self.placeholder.place_forget()


def stand_for(widget: tk.Misc, field: tk.Misc) -> None:
    """Let clicks on what lies around a field, or over it, go to the field: focus, menu, and X11's pasting."""
    widget.bind("<Button-1>", lambda _: field.focus_set())

    def forward(event: tk.Event[tk.Misc]) -> None:
        kind = "ButtonPress" if event.type is tk.EventType.ButtonPress else "ButtonRelease"
        field.event_generate(
            f"<{kind}-{event.num}>",
            x=event.x_root - field.winfo_rootx(),
            y=event.y_root - field.winfo_rooty(),
            rootx=event.x_root,
            rooty=event.y_root,
        )

    for button in (2, 3):
        widget.bind(f"<ButtonPress-{button}>", forward)
        widget.bind(f"<ButtonRelease-{button}>", forward)


def draw_avatar(
    canvas: tk.Canvas, theme: Theme, x: int, y: int, size: int, *, key: str, name: str, tag: str
) -> None:
    """A disc with somebody's initials, its top left corner at `x`, `y`."""
    colour = avatar_colour(theme.colours, key)
    canvas.create_image(x, y, image=theme.disc(size, colour), anchor="nw", tags=(tag,))
    canvas.create_text(
        x + size // 2, y + size // 2, text=initials(name), fill="#ffffff", font=Face.STRONG.value, tags=(tag,)
    )


def presence_mark(
    theme: Theme, presence: Presence, diameter: int, ground: str, ring_width: int = 0
) -> ImageTk.PhotoImage | None:
    """The mark for whether somebody is there, in pixels; each has a shape of its own, for those who see no colours."""
    c = theme.colours
    match presence:
        case Presence.ONLINE:
            return theme.disc(diameter, c.online, ground, ring_width)
        case Presence.AWAY:
            return theme.crescent(diameter, c.away, ground, ring_width)
        case Presence.BUSY:
            return theme.barred(diameter, c.busy, ground, ring_width)
        case Presence.OFFLINE | Presence.UNKNOWN | Presence.SERVER:
            return None


class Avatar(tk.Canvas):
    """Somebody's avatar as a widget; `size` in em."""

    def __init__(self, parent: tk.Misc, theme: Theme, *, ground: str, size: float = 2.4) -> None:
        super().__init__(parent, highlightthickness=0, borderwidth=0)
        self._theme, self._ground, self._size = theme, ground, size
        self._who: tuple[str, str] | None = None

    def show(self, key: str, name: str) -> None:
        """Whose avatar it is."""
        self._who = (key, name)
        self.restyle()

    def restyle(self) -> None:
        """Sizes and colours have changed."""
        size = self._theme.em(self._size)
        ground: str = getattr(self._theme.colours, self._ground)
        self.configure(width=size, height=size, background=ground)
        self.delete("all")
        if self._who is not None:
            draw_avatar(self, self._theme, 0, 0, size, key=self._who[0], name=self._who[1], tag="avatar")


def icon_button(
    parent: tk.Misc, theme: Theme, *, style: str, tip: str, command: Callable[[], object]
) -> ttk.Button:
    """A button that shows a picture only; `tip` says what it does."""
    button = ttk.Button(parent, style=f"{style}.TButton", command=command, cursor="hand2")
    Tooltip(button, theme, lambda: tip)
    return button


def copy(widget: tk.Misc, button: ttk.Button, text: str) -> None:
    """Put a text into the clipboard, and say so on the button that was pressed."""
    widget.clipboard_clear()
    widget.clipboard_append(text)
    button.configure(text="Copied")
