"""The dialog for one's devices: the list, cutting one off, a code for a further one, and the password."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Final

from twocans.gui.theme.fonts import Face
from twocans.gui.theme.theme import Theme
from twocans.gui.viewmodel import ViewModel
from twocans.gui.viewmodel.devices import RULES, DeviceRow, Page
from twocans.gui.views import keys
from twocans.gui.views.common import Act, Field, copy
from twocans.gui.views.dialogs import Dialog, text_width
from twocans.gui.views.focus import has_focus

_ROW_EM: Final = 3.6
_ROWS_SHOWN: Final = 5


class DevicesDialog(Dialog):
    """Shows one page at a time; Esc goes back to the list, and from there away."""

    def __init__(self, parent: tk.Tk, theme: Theme, vm: ViewModel, act: Act) -> None:
        super().__init__(parent, theme, "My devices – Twocans")
        self._vm, self._act = vm, act
        width = text_width(self)
        self.body.columnconfigure(0, weight=1, minsize=width)
        self._pages: dict[Page, _Page] = {
            Page.LIST: _ListPage(self.body, theme, vm, act, width),
            Page.CUT_OFF: _CutOffPage(self.body, theme, vm, act, width),
            Page.CODE: _CodePage(self.body, theme, vm, act, width),
            Page.PASSWORD: _PasswordPage(self.body, theme, vm, act, width),
        }
        self._shown: _Page | None = None
        self._problem = ttk.Label(self.body, style="Error.Base.TLabel", wraplength=width, justify="left")
        self.bind("<Escape>", lambda _: act(vm.devices.back))
        self.protocol("WM_DELETE_WINDOW", lambda: act(vm.devices.close))
        self.show()
        self.present(self._pages[vm.devices.page].first)

    def show(self) -> None:
        """Show the page as it is now."""
        devices = self._vm.devices
        page = self._pages.get(devices.page)
        if page is None:
            return
        page.show()
        said = devices.offline or devices.problem
        self._problem.configure(text=said)
        if said:
            self._problem.grid(row=0, column=0, sticky="w", pady=(0, self.theme.em(0.8)))
        else:
            self._problem.grid_remove()
        if page is not self._shown:
            if self._shown is not None:
                self._shown.grid_remove()
                self._shown.leave()
            self._shown = page
            page.grid(row=1, column=0, sticky="nsew")
            self.update_idletasks()
            page.first.focus_set()


class _Page(ttk.Frame):
    """One page.

    Args:
        width: of its lines of text, in pixels.
    """

    def __init__(self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act, width: int) -> None:
        super().__init__(parent, style="Base.TFrame")
        self.columnconfigure(0, weight=1)
        self.theme, self.vm, self.act, self.width = theme, vm, act, width
        self.first: tk.Widget = self
        """What has the focus at first."""

    def leave(self) -> None:
        """The page is out of sight now."""

    def show(self) -> None:
        """Show it as it is now."""

    def text(self, text: str = "", *, style: str = "Base.TLabel", below: float = 0.6) -> ttk.Label:
        """A further line of text."""
        label = ttk.Label(self, text=text, style=style, wraplength=self.width, justify="left")
        label.pack(anchor="w", pady=(0, self.theme.em(below)))
        return label

    def buttons(self, *buttons: tuple[str, str, Callable[[], object]]) -> list[ttk.Button]:
        """A row of buttons at the end: text, style, action."""
        row = ttk.Frame(self, style="Base.TFrame")
        row.pack(side="bottom", anchor="e", pady=(self.theme.em(1.1), 0))
        made = [self.button(row, text, style, action) for text, style, action in buttons]
        for number, button in enumerate(made):
            button.pack(side="left", padx=(self.theme.em(0.6) if number else 0, 0))
        return made

    def button(self, parent: tk.Misc, text: str, style: str, action: Callable[[], object]) -> ttk.Button:
        """A button."""
        return ttk.Button(parent, text=text, style=style, command=lambda: self.act(action), cursor="hand2")


class _ListPage(_Page):
    """The devices, and the ways to more of them."""

    def __init__(self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act, width: int) -> None:
        super().__init__(parent, theme, vm, act, width)
        self.text("Your devices", style="Title.Base.TLabel", below=0.2)
        self.text(
            "Each of them has your name, and gets all your messages.", style="Muted.Base.TLabel", below=0.7
        )
        self._told = self.text(style="Strong.Base.TLabel")
        self._add, self._done = self.buttons(
            ("Add a device …", "Soft.TButton", vm.devices.add), ("Done", "Primary.TButton", vm.devices.close)
        )
        password = ttk.Frame(self, style="Base.TFrame")
        password.pack(side="bottom", fill="x", pady=(theme.em(0.8), 0))
        self._change = self.button(password, "", "Soft.TButton", vm.devices.edit_password)
        self._change.pack(side="right")
        self._password = ttk.Label(password, style="Base.TLabel")
        self._password.pack(side="left")
        self._list = _Rows(self, theme, width, lambda device: act(vm.devices.choose, device))
        self._list.pack(fill="both", expand=True)
        self.first = self._done

    def show(self) -> None:
        devices = self.vm.devices
        self._told.configure(text=devices.told)
        if devices.told:
            self._told.pack(anchor="w", pady=(0, self.theme.em(0.6)), before=self._list)
        else:
            self._told.pack_forget()
        able = "!disabled" if devices.connected else "disabled"
        self._list.show(devices.rows, able=devices.connected, waiting=devices.waiting)
        self._add.state([able])
        self._change.state([able if devices.loaded else "disabled"])
        self._password.configure(
            text="" if not devices.loaded else "A password is set" if devices.has_password else "No password"
        )
        self._change.configure(text="Change password …" if devices.has_password else "Set a password …")


class _Rows(ttk.Frame):
    """The rows of the list, of which some are in view.

    Args:
        width: in pixels.
        choose: called with the device whose button was pressed.
    """

    def __init__(self, parent: tk.Misc, theme: Theme, width: int, choose: Callable[[int], None]) -> None:
        super().__init__(parent, style="Base.TFrame")
        self._theme, self._width, self._choose = theme, width, choose
        self._rows: tuple[DeviceRow, ...] | None = None
        self._waiting = False
        self._buttons: list[ttk.Button] = []
        self._canvas = tk.Canvas(
            self, highlightthickness=0, borderwidth=0, background=theme.colours.base, width=width
        )
        self._bar = ttk.Scrollbar(self, style="Base.Vertical.TScrollbar", command=self._canvas.yview)
        self._canvas.configure(yscrollcommand=self._bar.set)
        self._inner = ttk.Frame(self._canvas, style="Base.TFrame")
        self._inner.columnconfigure(1, weight=1)
        self._canvas.create_window(0, 0, window=self._inner, anchor="nw", tags=("rows",))
        self._canvas.pack(side="left", fill="both", expand=True)
        self._canvas.bind("<Configure>", lambda event: self._canvas.itemconfigure("rows", width=event.width))

    def show(self, rows: tuple[DeviceRow, ...], *, able: bool, waiting: bool) -> None:
        """Show these; `able` tells whether anything can be done with them, `waiting` that they are still to come."""
        if rows != self._rows or waiting != self._waiting:
            focused = self._focused()
            self._rows, self._waiting = rows, waiting
            self._fill(rows)
            if focused is not None:
                self._focus(focused)
        for button in self._buttons:
            button.state(["!disabled" if able else "disabled"])

    def _fill(self, rows: tuple[DeviceRow, ...]) -> None:
        theme, em = self._theme, self._theme.em
        for child in self._inner.winfo_children():
            child.destroy()
        for number in range(self._inner.grid_size()[1]):
            self._inner.rowconfigure(number, minsize=0)  # else those that are gone would keep their room
        self._buttons = []
        if self._waiting:
            ttk.Label(self._inner, text="Loading …", style="Muted.Base.TLabel").grid(row=0, column=0)
        for number, row in enumerate(rows):
            self._inner.rowconfigure(number, minsize=em(_ROW_EM))
            icon = ttk.Label(
                self._inner,
                style="Base.TLabel",
                image=theme.icon("laptop", 1.5, theme.colours.online if row.online else theme.colours.muted),
            )
            icon.grid(row=number, column=0, padx=(0, em(0.9)))
            room = self._width - em(2.6)
            if row.id is not None:
                button = self._button(row.id, "Sign out …" if row.this else "Remove …", number)
                button.grid(row=number, column=2, padx=(em(0.6), 0))
                room -= button.winfo_reqwidth() + em(0.6)
                self._buttons.append(button)
            texts = ttk.Frame(self._inner, style="Base.TFrame")
            texts.grid(row=number, column=1, sticky="ew")
            name = theme.drawn(theme.elide(Face.STRONG, row.name, room))
            ttk.Label(texts, text=name, style="Strong.Base.TLabel").pack(anchor="w")
            ttk.Label(texts, text=row.text, style="Small.Base.TLabel", wraplength=room).pack(anchor="w")
        self._inner.update_idletasks()
        height = self._inner.winfo_reqheight()
        shown = min(height, em(_ROW_EM) * _ROWS_SHOWN)
        self._canvas.configure(height=shown, scrollregion=(0, 0, self._width, height))
        if height > shown:
            self._bar.pack(side="right", fill="y", before=self._canvas)
        else:
            self._bar.pack_forget()

    def _button(self, device: int, text: str, number: int) -> ttk.Button:
        button = ttk.Button(
            self._inner,
            text=text,
            style="Soft.TButton",
            cursor="hand2",
            command=lambda: self._choose(device),
        )
        button.bind("<FocusIn>", lambda _: self._reveal(number), add="+")
        return button

    def _reveal(self, number: int) -> None:
        count = len(self._rows or ())
        first, last = self._canvas.yview()
        if number / count < first or (number + 1) / count > last:
            self._canvas.yview_moveto(max(0.0, (number + 1) / count - (last - first)))

    def _focused(self) -> int | None:
        return next((index for index, one in enumerate(self._buttons) if has_focus(one)), None)

    def _focus(self, index: int) -> None:
        if self._buttons:
            self._buttons[min(index, len(self._buttons) - 1)].focus_set()
        else:
            self.winfo_toplevel().focus_set()


class _CutOffPage(_Page):
    """Asks if a device is to be cut off, or this one signed out."""

    def __init__(self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act, width: int) -> None:
        super().__init__(parent, theme, vm, act, width)
        self._title = self.text(style="Title.Base.TLabel", below=0.7)
        self._what = self.text()
        self._back = self.text()
        self._password = self.text()
        self._last = self.text("What it has got so far stays on it.", below=0.0)
        self._cut, self._keep = self.buttons(
            ("Remove", "Soft.TButton", vm.devices.cut_off),
            ("Leave it as it is", "Primary.TButton", vm.devices.back),
        )
        self.first = self._keep

    def show(self) -> None:
        devices = self.vm.devices
        if devices.chosen is not None:
            self._ask_about(devices.chosen)
        self._password.configure(text=devices.password_goes)
        if devices.password_goes:
            self._password.pack(anchor="w", pady=(0, self.theme.em(0.6)), before=self._last)
        else:
            self._password.pack_forget()
        self._cut.state(["!disabled" if devices.connected and not devices.busy else "disabled"])

    def _ask_about(self, device: DeviceRow) -> None:
        name = self.theme.drawn(self.theme.elide(Face.TITLE, device.name, self.width - self.theme.em(6)))
        if device.this:
            self._title.configure(text="Sign out on this device?")
            self._what.configure(
                text="You return to the login, and this device gets no more of your messages."
            )
            self._back.configure(
                text="To log in here again you need a code from one of your other devices, or your password."
            )
        else:
            self._title.configure(text=f"Remove {name}?")
            self._what.configure(text="It is logged out at once, and gets no more of your messages.")
            self._back.configure(text="To come back it needs a code from one of your devices.")
        self._cut.configure(text="Sign out" if device.this else "Remove")


class _CodePage(_Page):
    """A code for a further device, and how long it counts."""

    def __init__(self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act, width: int) -> None:
        super().__init__(parent, theme, vm, act, width)
        self.text("Add a device", style="Title.Base.TLabel", below=0.7)
        self.text("Start Twocans on the other device, and connect to the same server under your name.")
        self.text("It then asks for a code. Type this one there:", below=0.8)
        self._code = ttk.Label(self, style="Code.Base.TLabel", anchor="center")
        self._code.pack(fill="x", pady=(theme.em(0.3), 0))
        self._left = ttk.Label(self, style="Muted.Base.TLabel", anchor="center", justify="center")
        self._left.pack(fill="x", pady=(theme.em(0.2), theme.em(0.8)))
        self.text(
            "The code works once. Don't share it: anybody who has it can use your name.",
            style="Small.Base.TLabel",
            below=0.0,
        )
        self._new, self._copy, self._back = self.buttons(
            ("New code", "Soft.TButton", vm.devices.new_code),
            ("Copy", "Soft.TButton", lambda: copy(self, self._copy, vm.devices.code)),
            ("Done", "Primary.TButton", vm.devices.back),
        )
        self.first = self._back

    def show(self) -> None:
        devices = self.vm.devices
        left = devices.code_left
        if left and str(self._code.cget("text")) != devices.code:
            self._copy.configure(text="Copy")
        self._code.configure(text=devices.code if left else "–")
        waiting = "One moment …" if devices.busy else "" if devices.problem else "This code has ended."
        self._left.configure(text=f"It counts for {left} more" if left else waiting)
        able = devices.connected and not devices.busy
        self._new.state(["!disabled" if able else "disabled"])
        self._copy.state(["!disabled" if left else "disabled"])


class _PasswordPage(_Page):
    """The form for the password."""

    def __init__(self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act, width: int) -> None:
        super().__init__(parent, theme, vm, act, width)
        self._title = self.text(style="Title.Base.TLabel", below=0.7)
        self.text(
            "With a password you get in on a further device without a code. Whoever knows it can have your name."
        )
        self.text(RULES, style="Muted.Base.TLabel", below=0.8)
        self._password, self._password_error = self._field("New password")
        self._repeated, self._repeat_error = self._field("The same again")
        self._away, self._back, self._save = self.buttons(
            ("Take away", "Soft.TButton", vm.devices.take_password_away),
            ("Back", "Soft.TButton", vm.devices.back),
            ("Save", "Primary.TButton", self._send),
        )
        for sequence in ("<Return>", "<KP_Enter>"):
            self._password.entry.bind(sequence, lambda _: self._repeated.entry.focus_set())
            self._repeated.entry.bind(sequence, lambda _: self._save.invoke())
        self.first = self._password.entry

    def show(self) -> None:
        devices = self.vm.devices
        self._title.configure(text="Change your password" if devices.has_password else "Set a password")
        for field, label, error in (
            (self._password, self._password_error, devices.password_error),
            (self._repeated, self._repeat_error, devices.repeat_error),
        ):
            field.set_invalid(bool(error))
            label.configure(text=error)
            if error:
                label.pack(anchor="w", pady=(0, self.theme.em(0.5)), after=field)
            else:
                label.pack_forget()
        able = "!disabled" if devices.connected and not devices.busy else "disabled"
        self._save.state([able])
        self._away.state([able])
        if devices.has_password:
            self._away.pack(side="left", before=self._back)
        else:
            self._away.pack_forget()

    def _send(self) -> None:
        self.vm.devices.set_password(self._password.text.get(), self._repeated.text.get())
        if self.vm.devices.password_error:
            self._password.entry.focus_set()
        elif self.vm.devices.repeat_error:
            self._repeated.entry.focus_set()

    def _field(self, title: str) -> tuple[Field, ttk.Label]:
        ttk.Label(self, text=title, style="Strong.Base.TLabel").pack(anchor="w")
        field = Field(self, self.theme, icon="key", secret=True)
        field.pack(fill="x", pady=(self.theme.em(0.3), self.theme.em(0.6)))
        keys.last(field.entry)
        field.text.trace_add("write", lambda *_: self.act(self.vm.devices.edited))
        error = ttk.Label(self, style="Error.Base.TLabel", wraplength=self.width, justify="left")
        return field, error

    def leave(self) -> None:
        for field in (self._password, self._repeated):
            field.text.set("")
