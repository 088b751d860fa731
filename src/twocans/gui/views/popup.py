"""Menus for X11, where Tk's own have neither a border nor marks that fit the look. Their methods are those of `tk.Menu`."""

from __future__ import annotations

import contextlib
import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from twocans.gui.platform.last_input import last_input
from twocans.gui.platform.screens import Box, beside, work_area_at
from twocans.gui.theme.fonts import Face
from twocans.gui.theme.theme import Theme
from twocans.gui.views.focus import has_focus_within

if TYPE_CHECKING:
    from twocans.gui.platform.x11_focus import DisplayFocus

Answer = Literal["break"]

_ROW_EM: Final = 0.75
"""How much higher than a line of text a row is."""
_RULE_EM: Final = 0.75
_EDGE_EM: Final = 0.35
_INSET_EM: Final = 0.6
_MARK_EM: Final = 1.5
_GAP_EM: Final = 2.0
_WIDEST_EM: Final = 26
_OPENS_MS: Final = 200
"""How long the pointer stays on a row before the menu beside it opens, or another one closes."""
_SCROLLS_MS: Final = 60
_LOOKS_MS: Final = 250
"""How often it looks whether another program has got the keyboard."""


@dataclass(slots=True)
class Item:
    """A row; a line between two groups if it has no label."""

    label: str = ""
    accelerator: str = ""
    enabled: bool = False
    run: Callable[[], object] | None = None
    mark: str = ""
    """The name of an icon."""
    below: PopupMenu | None = None
    top: int = 0
    bottom: int = 0


class PopupMenu(tk.Toplevel):
    """A menu that is shown once, and gone when something is chosen, at Esc, at a click elsewhere, or without the focus.

    Args:
        parent: what it belongs to; the menu above for one that is beside it.
        theme: the look.
    """

    def __init__(self, parent: tk.Misc, theme: Theme) -> None:
        super().__init__(parent)
        self.withdraw()
        self.overrideredirect(True)
        self.attributes("-type", "popup_menu")  # the desktop's compositor draws its shadow
        self._theme = theme
        self.items: list[Item] = []
        self._active: Item | None = None
        self._opened: PopupMenu | None = None
        self._timer: str | None = None
        self._armed = False
        self._start = (0, 0)
        self._before = ("", "")
        self._focus: DisplayFocus | None = None
        self._watching: str | None = None
        self._closed = False
        self.configure(background=theme.colours.border, borderwidth=0, highlightthickness=0)
        self._canvas = tk.Canvas(
            self, background=theme.colours.base, borderwidth=0, highlightthickness=0, takefocus=True
        )
        self._canvas.pack(fill="both", expand=True, padx=theme.pixel, pady=theme.pixel)
        self._listen()

    # --- entries ------------------------------------------------------------------------------------------

    def add_command(
        self,
        *,
        label: str,
        command: Callable[[], object],
        accelerator: str = "",
        state: Literal["normal", "disabled"] = "normal",
    ) -> None:
        """Add a row that does something."""
        self.items.append(Item(label, accelerator, state == "normal", command))

    def add_separator(self) -> None:
        """Add a line between two groups."""
        self.items.append(Item())

    def add_cascade(self, *, label: str, menu: PopupMenu) -> None:
        """Add a row that leads to another menu, whose parent is this one."""
        self.items.append(Item(label, enabled=True, below=menu))

    def add_checkbutton(
        self, *, label: str, variable: tk.BooleanVar, command: Callable[[], object], accelerator: str = ""
    ) -> None:
        """Add a row that turns something on and off."""

        def toggle() -> None:
            variable.set(not variable.get())
            command()

        mark = "check-lg" if variable.get() else ""
        self.items.append(Item(label, accelerator, True, toggle, mark))

    def add_radiobutton(
        self, *, label: str, value: str, variable: tk.StringVar, command: Callable[[], object]
    ) -> None:
        """Add a row of which one is chosen."""

        def choose() -> None:
            variable.set(value)
            command()

        self.items.append(Item(label, "", True, choose, "circle-fill" if variable.get() == value else ""))

    # --- opening and closing ------------------------------------------------------------------------------

    def tk_popup(self, x: int, y: int) -> None:
        """Show it at the pointer."""
        self.open_at(Box(x, y, 0, 0))

    def open_at(self, at: Box, *, right_aligned: bool = False) -> None:
        """Show it below a button, or above where there is no room; all keys and clicks are its own until it is closed."""
        last_input(self).dismiss()
        focus, grab = self.tk.call("focus"), self.tk.call("grab", "current")
        self._before = (str(focus), str(grab))
        self._start = self.winfo_pointerxy()
        self._show(at, right_aligned=right_aligned)
        try:
            self.grab_set_global()
        except tk.TclError:
            # Another program holds the pointer. A click in its window moves the focus, which closes this.
            with contextlib.suppress(tk.TclError):
                self.grab_set()
        self._canvas.focus_force()
        with contextlib.suppress(ImportError):  # there is such a package on Linux only
            from twocans.gui.platform.x11_focus import DisplayFocus

            self._focus = DisplayFocus(self)
            self._watch_focus()

    def _watch_focus(self) -> None:
        if self._focus is not None and self._focus.is_elsewhere():
            self.close()
        else:
            self._watching = self.after(_LOOKS_MS, self._watch_focus)

    def close(self) -> None:
        """Take it away, with what is open beside it."""
        if self._closed:
            return
        self._closed = True
        self.grab_release()
        focus, grab = self._before
        if not has_focus_within(self):
            focus = ""  # it has gone elsewhere on purpose
        for path, *command in ((grab, "grab", "set"), (focus, "focus")):
            if path and self.tk.getboolean(self.tk.call("winfo", "exists", path)):
                with contextlib.suppress(tk.TclError):  # out of sight since
                    self.tk.call(*command, path)
        self.destroy()

    def position(self, label: str) -> tuple[int, int]:
        """Return the middle of the row with that label, on the screen."""
        item = next(one for one in self.items if one.label == label)
        y = (item.top + item.bottom) // 2 - round(self._canvas.canvasy(0))
        return self._canvas.winfo_rootx() + self._canvas.winfo_width() // 2, self._canvas.winfo_rooty() + y

    @property
    def is_open(self) -> bool:
        """Whether it can be seen."""
        return bool(self.winfo_exists() and self.winfo_viewable())

    @property
    def _top(self) -> PopupMenu:
        return self.master._top if isinstance(self.master, PopupMenu) else self

    @property
    def _last(self) -> PopupMenu:
        """The one that the keys go to."""
        return self if self._opened is None else self._opened._last

    def _show(self, at: Box, *, right_aligned: bool = False) -> None:
        area = work_area_at(self, at.left, at.top)
        edges = 2 * self._theme.pixel
        width, height = self._measure(area.width - edges)
        shown = min(height, area.height - edges)
        self._canvas.configure(width=width, height=shown, scrollregion=(0, 0, width, height))
        size = (width + edges, shown + edges)
        if right_aligned:
            at = at._replace(left=at.right - size[0], width=size[0])
        left, top = beside(at, size, area)
        self.geometry(f"{size[0]}x{size[1]}+{left}+{top}")
        self._draw(width)
        self.deiconify()
        self.lift()
        self.update_idletasks()

    def _open_below(self) -> None:
        """Open the menu beside the row."""
        item = self._active
        if item is None or item.below is None or item.below is self._opened:
            return
        self._close_below()
        x, y = self.winfo_rootx(), self._canvas.winfo_rooty() - round(self._canvas.canvasy(0))
        area = work_area_at(self, x, y)
        right = x + self.winfo_width()
        room = area.right - right
        item.below._show(Box(right, y + item.top - self._theme.em(_EDGE_EM), 0, 0))
        if item.below.winfo_reqwidth() > room:
            item.below._show(Box(x, y + item.top, 0, 0), right_aligned=True)
        self._opened = item.below

    def _close_below(self) -> None:
        if self._opened is not None:
            self._opened._close_below()
            self._opened._activate(None)
            self._opened.withdraw()
            self._opened = None

    # --- drawing ------------------------------------------------------------------------------------------

    @property
    def _indent(self) -> int:
        marked = any(one.mark for one in self.items)
        return self._theme.em(_INSET_EM + (_MARK_EM if marked else 0))

    def _measure(self, widest: int) -> tuple[int, int]:
        """Place the rows; return the size of them all."""
        theme, em = self._theme, self._theme.em
        row = theme.line(Face.BODY) + em(_ROW_EM)
        y = em(_EDGE_EM)
        for item in self.items:
            item.top = y
            y += row if item.label else em(_RULE_EM)
            item.bottom = y
        labels = max((theme.measure(Face.BODY, theme.drawn(one.label)) for one in self.items), default=0)
        right = max((theme.measure(Face.BODY, one.accelerator) for one in self.items), default=0)
        if right or any(one.below is not None for one in self.items):
            right = max(right, em(0.8)) + em(_GAP_EM)
        needed = 2 * em(_EDGE_EM) + self._indent + em(_INSET_EM) + min(labels, em(_WIDEST_EM))
        if needed + right > widest:
            right = 0  # what the rows say comes before their keys
            for item in self.items:
                item.accelerator = ""
        return min(widest, needed + right), y + em(_EDGE_EM)

    def _draw(self, width: int) -> None:
        canvas, theme, c = self._canvas, self._theme, self._theme.colours
        em, edge = theme.em, theme.em(_EDGE_EM)
        canvas.delete("all")
        left, right = edge + self._indent, width - edge - em(_INSET_EM)
        for item in self.items:
            middle = (item.top + item.bottom) // 2
            if not item.label:
                canvas.create_line(0, middle, width, middle, fill=c.border, width=theme.pixel)
                continue
            if item is self._active:
                ground = theme.rounded(width - 2 * edge, item.bottom - item.top, em(0.35), c.soft_hover)
                canvas.create_image(edge, item.top, image=ground, anchor="nw")
            room = right - left - (theme.measure(Face.BODY, item.accelerator) if item.accelerator else 0)
            canvas.create_text(
                left,
                middle,
                text=theme.drawn(theme.elide(Face.BODY, item.label, room)),
                anchor="w",
                fill=c.text if item.enabled else c.disabled,
                font=Face.BODY.value,
            )
            if item.mark:
                size = 0.45 if item.mark == "circle-fill" else 0.95
                image = theme.icon(item.mark, size, c.accent_text)
                canvas.create_image(edge + em(_INSET_EM + 0.4), middle, image=image, tags=("mark",))
            if item.below is not None:
                image = theme.icon("chevron-right", 0.8, c.muted)
                canvas.create_image(right, middle, image=image, anchor="e")
            elif item.accelerator:
                colour = c.muted if item.enabled else c.disabled
                canvas.create_text(
                    right, middle, text=item.accelerator, anchor="e", fill=colour, font=Face.BODY.value
                )

    # --- keys and pointer ---------------------------------------------------------------------------------

    def _listen(self) -> None:
        canvas = self._canvas
        canvas.bind("<Key>", self._key)
        canvas.bind("<FocusOut>", lambda _: self._top.close())
        canvas.bind("<Motion>", self._motion)
        canvas.bind("<Leave>", lambda _: self._leave())
        canvas.bind("<ButtonRelease>", self._release)
        canvas.bind("<Button>", self._press)
        canvas.bind("<MouseWheel>", lambda event: self._scroll(-1 if event.delta > 0 else 1))
        self.bind("<Button>", self._press_elsewhere)
        self.bind("<Destroy>", self._destroyed)

    def _destroyed(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget is not self:
            return
        self._stop_timer()
        if self._watching is not None:
            self.after_cancel(self._watching)
            self._watching = None
        if self._focus is not None:
            self._focus.close()
            self._focus = None

    def _activate(self, item: Item | None) -> None:
        if item is not self._active:
            self._active = item
            self._draw(self._canvas.winfo_width())

    def _key(self, event: tk.Event[tk.Canvas]) -> Answer:
        menu = self._top._last
        menu._stop_timer()
        match event.keysym:
            case "Down" | "KP_Down":
                menu._step(1)
            case "Up" | "KP_Up":
                menu._step(-1)
            case "Home" | "Prior":
                menu._step(1, from_end=True)
            case "End" | "Next":
                menu._step(-1, from_end=True)
            case "Right" | "KP_Right" if menu._active is not None and menu._active.below is not None:
                menu._enter_below()
            case "Left" | "KP_Left" if menu is not self._top and isinstance(menu.master, PopupMenu):
                menu.master._close_below()
            case "Return" | "KP_Enter" | "space":
                menu._choose()
            case "Escape" if menu is not self._top and isinstance(menu.master, PopupMenu):
                menu.master._close_below()
            case "Escape" | "F10" | "Menu":
                self._top.close()
            case _:
                menu._find(event.char)
        return "break"

    def _step(self, by: int, *, from_end: bool = False) -> None:
        usable = [one for one in self.items if one.enabled]
        if not usable:
            return
        if self._active not in usable or from_end:
            following = usable[0 if by > 0 else -1]
        else:
            following = usable[(usable.index(self._active) + by) % len(usable)]
        self._activate(following)
        self._reveal(following)

    def _find(self, letter: str) -> None:
        """Go to the next row that begins with a letter."""
        usable = [one for one in self.items if one.enabled]
        start = usable.index(self._active) + 1 if self._active in usable else 0
        for one in usable[start:] + usable[:start]:
            if letter.strip() and one.label.casefold().startswith(letter.casefold()):
                self._activate(one)
                self._reveal(one)
                return

    def _enter_below(self) -> None:
        self._open_below()
        if self._opened is not None:
            self._opened._step(1, from_end=True)

    def _choose(self) -> None:
        item = self._active
        if item is None or not item.enabled:
            return
        if item.below is not None:
            self._enter_below()
        elif item.run is not None:
            self._top.close()
            item.run()

    def _item_at(self, y: int) -> Item | None:
        at = self._canvas.canvasy(y)
        found = next((one for one in self.items if one.top <= at < one.bottom), None)
        return found if found is not None and found.enabled else None

    def _motion(self, event: tk.Event[tk.Canvas]) -> None:
        item = self._item_at(event.y)
        x, y = self._top._start
        if item is not None and max(abs(event.x_root - x), abs(event.y_root - y)) > self._theme.em(0.3):
            self._top._armed = True
        if item is not self._active:
            self._activate(item)
            self._plan(_OPENS_MS, self._settle)
        if self._scrolls_at(event.y):
            self._plan(_SCROLLS_MS, lambda: self._scroll_on(event.y))

    def _settle(self) -> None:
        """The pointer has stayed on a row: the menu beside it opens, that of another row closes."""
        if self._active is not None and self._active.below is not None:
            self._open_below()
        else:
            self._close_below()

    def _leave(self) -> None:
        self._stop_timer()
        if self._opened is None:
            self._activate(None)

    def _press(self, event: tk.Event[tk.Canvas]) -> Answer:
        if event.num in {4, 5}:
            self._scroll(-1 if event.num == 4 else 1)
        else:
            self._top._armed = True
        return "break"

    def _release(self, event: tk.Event[tk.Canvas]) -> None:
        if event.num not in {4, 5} and self._top._armed:
            self._activate(self._item_at(event.y))
            self._choose()

    def _press_elsewhere(self, event: tk.Event[tk.Misc]) -> None:
        """Under the grab, clicks outside come to this window itself."""
        if event.widget is self and event.num not in {4, 5}:
            self._top.close()

    # --- a menu higher than the screen --------------------------------------------------------------------

    def _reveal(self, item: Item) -> None:
        height, total = self._canvas.winfo_height(), self._total
        shown = self._canvas.canvasy(0)
        edge = self._theme.em(_EDGE_EM)
        if item.top - edge < shown:
            self._canvas.yview_moveto((item.top - edge) / total)
        elif item.bottom + edge > shown + height:
            self._canvas.yview_moveto((item.bottom + edge - height) / total)

    @property
    def _total(self) -> int:
        return self.items[-1].bottom + self._theme.em(_EDGE_EM) if self.items else 1

    def _scroll(self, direction: int) -> None:
        if self._total > self._canvas.winfo_height():
            step = direction * self._theme.line(Face.BODY)
            self._canvas.yview_moveto((self._canvas.canvasy(0) + step) / self._total)

    def _scrolls_at(self, y: int) -> int:
        """The way in which the rows move under a pointer at the edge: -1, 0 or 1."""
        first, last = self._canvas.yview()
        edge = self._theme.line(Face.BODY)
        return (
            -1 if y < edge and first > 0 else 1 if y > self._canvas.winfo_height() - edge and last < 1 else 0
        )

    def _scroll_on(self, y: int) -> None:
        direction = self._scrolls_at(y)
        if direction:
            self._scroll(direction)
            self._activate(self._item_at(y))
            self._plan(_SCROLLS_MS, lambda: self._scroll_on(y))

    def _plan(self, delay_ms: int, action: Callable[[], None]) -> None:
        self._stop_timer()

        def act() -> None:
            self._timer = None
            action()

        self._timer = self.after(delay_ms, act)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self.after_cancel(self._timer)
            self._timer = None
