"""Mouse and keyboard in the transcript: scrolling, selecting, copying, opening links, what files offer, the menu."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from twocans.gui.platform.clipboard import Clipboard
from twocans.gui.transcript.cards import Spot, Thumbnail
from twocans.gui.transcript.hits import Hit
from twocans.gui.transcript.links import Link
from twocans.gui.transcript.model import Bubble, FileAction, Status
from twocans.gui.transcript.selection import Unit
from twocans.gui.transcript.view import View

if TYPE_CHECKING:
    from twocans.gui.views.menus import Menu

WHEEL_LINES: Final = 3
_NOTCH: Final = 120  # what Tk reports for one step of a wheel
_PAGE: Final = 0.9  # of the height: a line or two stay in view
_DRAG_PIXELS: Final = 4  # a shorter move between press and release is still a click
_DOUBLE_CLICK_MS: Final = 400
_AUTOSCROLL_MS: Final = 30

Event = tk.Event  # its parameter is the widget's class, which does not matter here


class Interaction:
    """Binds the canvas of a view.

    Args:
        on_link: called with the target of a link that was clicked.
        on_retry: called with the key of a message that is to be sent again.
        on_file: called with the key of a message and what is to be done with its file.
        on_picture: called with the key of a message whose picture was clicked.
        new_menu: makes a menu without entries.
    """

    def __init__(
        self,
        view: View,
        *,
        on_link: Callable[[str], None],
        on_retry: Callable[[str], None],
        on_file: Callable[[str, FileAction], None],
        on_picture: Callable[[str], None],
        new_menu: Callable[[], Menu],
    ) -> None:
        self._view = view
        self._canvas = view.canvas
        self._on_link = on_link
        self._on_retry = on_retry
        self._on_file = on_file
        self._on_picture = on_picture
        # Not the canvas: it answers for a selection of its own, in Latin-1 only.
        self._clipboard = Clipboard(self._canvas.master, self.selected_text)
        self._new_menu = new_menu
        self._pressed: tuple[int, int, Hit] | None = None
        self._pointer = (0, 0)
        self._clicks = 0
        self._last_click = (0, 0, 0)
        self._dragged = False
        self._autoscroll: str | None = None
        self._wheel_rest = 0.0
        self._cursor = ""
        self._hovered: tuple[str, Link | None] | None = None
        self._chosen = 0  # which link of the selected message Enter opens, or what of its file Enter does
        self._bind()

    def close(self) -> None:
        """Cancels what is under way."""
        self._stop_autoscroll()

    def selected_text(self) -> str:
        """What is selected, as it was written."""
        return self._view.selection.text(self._view.store.all)

    # --- bindings --------------------------------------------------------------------------------------

    def _bind(self) -> None:
        view = self._view
        keys: dict[str, Callable[[], object]] = {
            "<Up>": lambda: view.scroll(-WHEEL_LINES * view.line_height),
            "<Down>": lambda: view.scroll(WHEEL_LINES * view.line_height),
            "<Prior>": lambda: self.scroll_pages(-1),
            "<Next>": lambda: self.scroll_pages(1),
            "<Shift-space>": lambda: self.scroll_pages(-1),
            "<space>": lambda: self.scroll_pages(1),
            "<Home>": lambda: view.scroll_to(view.viewport.to_top),
            "<End>": view.jump,
            "<Control-Home>": lambda: view.scroll_to(view.viewport.to_top),
            "<Control-End>": view.jump,
            "<Control-Up>": lambda: self._select_message(-1),
            "<Control-Down>": lambda: self._select_message(1),
            "<Left>": lambda: self._choose(-1),
            "<Right>": lambda: self._choose(1),
            "<Return>": self._activate,
            "<<Copy>>": self.copy,
            "<<SelectAll>>": self.select_all,
            "<Control-a>": self.select_all,
            "<Menu>": self._menu_by_key,
            "<Shift-F10>": self._menu_by_key,
        }
        if self._windows == "aqua":
            keys["<Command-a>"] = self.select_all
        for sequence, action in keys.items():
            self._canvas.bind(sequence, _then_break(action))
        self._canvas.bind("<Escape>", self._escape)
        self._canvas.bind("<ButtonPress-1>", self._press)
        self._canvas.bind("<B1-Motion>", self._drag)
        self._canvas.bind("<ButtonRelease-1>", self._release)
        self._canvas.bind("<Motion>", self._hover)
        self._canvas.bind("<Leave>", self._leave)
        self._canvas.bind("<FocusOut>", lambda _event: self._hide_tip())
        self._canvas.bind("<MouseWheel>", self._wheel)
        if self._windows == "x11":
            self._canvas.bind("<Button-4>", lambda _event: self._scroll_notches(-1))
            self._canvas.bind("<Button-5>", lambda _event: self._scroll_notches(1))
        for button in ("<Button-2>", "<Control-Button-1>") if self._windows == "aqua" else ("<Button-3>",):
            self._canvas.bind(button, self._menu_by_mouse)
        if tk.TkVersion >= 8.7:
            self._canvas.bind("<TouchpadScroll>", self._touchpad)

    @property
    def _windows(self) -> str:
        return str(self._canvas.tk.call("tk", "windowingsystem"))

    # --- scrolling -------------------------------------------------------------------------------------

    def _wheel(self, event: Event[tk.Misc]) -> None:
        if self._windows == "aqua" and tk.TkVersion < 8.7:
            self._scroll_notches(-event.delta / WHEEL_LINES)  # reported in lines
        else:
            self._scroll_notches(-event.delta / _NOTCH)

    def _scroll_notches(self, notches: float) -> None:
        # Touchpads send fractions of a notch: what is less than a pixel is kept for the next one.
        self._wheel_rest += notches * WHEEL_LINES * self._view.line_height
        pixels = int(self._wheel_rest)
        self._wheel_rest -= pixels
        if pixels:
            self._view.scroll(pixels)

    def scroll_pages(self, pages: int) -> None:
        """Scroll down by so many heights of the view, or up; a line or two stay in view."""
        self._view.scroll(round(pages * self._canvas.winfo_height() * _PAGE))

    def _touchpad(self, event: Event[tk.Misc]) -> None:
        y = event.delta & 0xFFFF  # the lower half; the upper one is for sideways
        self._view.scroll(-(y - 0x10000 if y & 0x8000 else y))

    # --- mouse -----------------------------------------------------------------------------------------

    def _press(self, event: Event[tk.Misc]) -> str | None:
        self._canvas.focus_set()
        self._view.tip.hide()
        self._view.choose(None)
        self._chosen = 0
        self._pressed = None
        if self._view.overlay_at(event.x, event.y):
            return None
        hit = self._view.hit(event.x, event.y)
        if hit is None:
            return None
        if hit.spot is not None:  # several clicks on a button are several clicks, and select nothing
            self._pressed = (event.x, event.y, hit)
            self._dragged = False
            self._view.selection.clear()
            self._view.schedule()
            return None
        shift = bool(int(event.state) & 0x1)
        self._count_click(event)
        self._pressed = (event.x, event.y, hit)
        self._dragged = self._clicks > 1 or shift
        selection = self._view.selection
        if shift:
            selection.extend(hit.bubble, hit.index)
        elif hit.in_bubble or self._clicks == 1:
            unit = (Unit.CHARACTER, Unit.WORD, Unit.MESSAGE)[self._clicks - 1]
            selection.start(hit.bubble, hit.index, unit)
        self._view.schedule()
        return None

    def _count_click(self, event: Event[tk.Misc]) -> None:
        x, y, at = self._last_click
        near = abs(event.x - x) <= _DRAG_PIXELS and abs(event.y - y) <= _DRAG_PIXELS
        repeated = near and 0 <= event.time - at <= _DOUBLE_CLICK_MS
        self._clicks = self._clicks % 3 + 1 if repeated else 1
        self._last_click = (event.x, event.y, event.time)

    def _drag(self, event: Event[tk.Misc]) -> None:
        if self._pressed is None or self._pressed[2].spot is not None:
            return
        x, y, _ = self._pressed
        if max(abs(event.x - x), abs(event.y - y)) >= _DRAG_PIXELS:
            self._dragged = True
        if not self._dragged:
            return
        self._pointer = (event.x, event.y)
        self._extend()
        outside = event.y < 0 or event.y >= self._canvas.winfo_height()
        if outside and self._autoscroll is None:
            self._scroll_while_dragging()
        elif not outside:
            self._stop_autoscroll()

    def _extend(self) -> None:
        hit = self._view.hit(*self._pointer)
        if hit is not None:
            self._view.selection.extend(hit.bubble, hit.index)
            self._view.schedule()

    def _scroll_while_dragging(self) -> None:
        y, height = self._pointer[1], self._canvas.winfo_height()
        beyond = y if y < 0 else y - height
        self._view.scroll(max(-height, min(height, beyond // 2 or 1)))
        self._view.refresh()
        self._extend()
        self._autoscroll = self._canvas.after(_AUTOSCROLL_MS, self._scroll_while_dragging)

    def _stop_autoscroll(self) -> None:
        if self._autoscroll is not None:
            self._canvas.after_cancel(self._autoscroll)
            self._autoscroll = None

    def _release(self, event: Event[tk.Misc]) -> None:
        self._stop_autoscroll()
        if self._pressed is None:
            return
        hit = self._pressed[2]
        self._pressed = None
        if hit.spot is not None:
            # Meanwhile another button may have come to this place.
            now = self._view.hit(event.x, event.y)
            if now is not None and (now.bubble.key, now.spot) == (hit.bubble.key, hit.spot):
                self._do(hit.bubble.key, hit.spot)
        elif self._dragged:
            self._clipboard.offer_selection()
        elif hit.link is not None:
            self._on_link(hit.link.target)
        elif hit.retry:
            self._on_retry(hit.bubble.key)

    def _hover(self, event: Event[tk.Misc]) -> None:
        cursor = ""
        hovered: tuple[str, Link | None] | None = None
        pointed: tuple[str, Spot] | None = None
        if self._view.overlay_at(event.x, event.y):
            cursor = "hand2"
        else:
            hit = self._view.hit(event.x, event.y)
            if hit is not None and (hit.link is not None or hit.elided):
                hovered = (hit.bubble.key, hit.link)
            if hit is not None and hit.spot is not None:
                pointed = (hit.bubble.key, hit.spot)
            if hit is not None and (hit.link is not None or hit.retry or hit.spot is not None):
                cursor = "hand2"
            elif hit is not None and hit.in_bubble:
                cursor = "xterm"
        if cursor != self._cursor:
            self._cursor = cursor
            self._canvas.configure(cursor=cursor)
        self._view.point(pointed)
        if hovered != self._hovered:
            self._hide_tip()
            self._hovered = hovered
            if hovered is not None:
                key, link, y = *hovered, event.y
                self._view.tip.rest(
                    lambda: self._view.show_name(key) if link is None else self._view.show_tip(key, link, y)
                )

    def _leave(self, _event: Event[tk.Misc]) -> None:
        self._view.point(None)
        self._hide_tip()

    def _hide_tip(self) -> None:
        self._hovered = None
        self._view.tip.hide()

    # --- actions ---------------------------------------------------------------------------------------

    def copy(self) -> None:
        """Puts what is selected on the clipboard, as it was written."""
        text = self.selected_text()
        if text:
            self._clipboard.put(text)

    def select_all(self) -> None:
        """Selects all messages."""
        bubbles = self._view.store.all
        if bubbles:
            self._view.selection.select(bubbles[0], bubbles[-1])
            self._clipboard.offer_selection()
            self._view.schedule()

    def _select_message(self, step: int) -> None:
        store, rows = self._view.store, self._view.viewport.rows
        if not rows:
            return
        key = self._view.selection.head_key
        index = None if key is None else store.index_of(key)
        if index is None:
            index = rows[-1].index if step < 0 else rows[0].index
        else:
            index = min(max(index + step, 0), len(store) - 1)
        bubble = store[index]
        self._view.selection.select(bubble, bubble)
        self._view.scroll_to(lambda: self._view.viewport.reveal(index))
        self._chosen = 0
        self._choose(0)

    def _choose(self, step: int) -> None:
        """Goes to another link of the selected message, and shows where it leads; or to what else its file offers."""
        bubble = self._selected_bubble()
        spots = () if bubble is None else self._view.spots(bubble)
        if bubble is not None and bubble.file is not None:
            self._chosen = min(max(self._chosen + step, 0), max(0, len(spots) - 1))
            self._view.choose((bubble.key, spots[self._chosen]) if spots else None)
            self._view.refresh()
            self._view.tip.hide()
            self._view.show_name(bubble.key)
            return
        self._view.choose(None)
        links = () if bubble is None else self._view.links(bubble)
        if bubble is None or not links:
            self._view.tip.hide()
            return
        self._chosen = min(max(self._chosen + step, 0), len(links) - 1)
        self._view.refresh()
        self._view.show_tip(bubble.key, links[self._chosen])

    def _chosen_target(self, bubble: Bubble) -> str | None:
        links = self._view.links(bubble)
        return links[min(self._chosen, len(links) - 1)].target if links else None

    def _activate(self) -> None:
        """Does what a click on the selected message's link would do."""
        bubble = self._selected_bubble()
        if bubble is None:
            return
        target = self._chosen_target(bubble)
        spots = self._view.spots(bubble)
        if bubble.status is Status.FAILED:
            self._on_retry(bubble.key)
        elif spots:
            self._do(bubble.key, spots[min(self._chosen, len(spots) - 1)])
        elif target is not None:
            self._on_link(target)

    def _do(self, key: str, spot: Spot) -> None:
        if isinstance(spot, Thumbnail):
            self._on_picture(key)
        else:
            self._on_file(key, spot)

    def _selected_bubble(self) -> Bubble | None:
        key = self._view.selection.head_key
        index = None if key is None else self._view.store.index_of(key)
        return None if index is None else self._view.store[index]

    def _escape(self, _event: Event[tk.Misc]) -> str | None:
        self._view.tip.hide()
        self._view.choose(None)
        if not self.selected_text():
            return None
        self._view.selection.clear()
        self._view.schedule()
        return "break"

    # --- menu ------------------------------------------------------------------------------------------

    def _menu_by_mouse(self, event: Event[tk.Misc]) -> str:
        self._canvas.focus_set()
        hit = self._view.hit(event.x, event.y)
        if hit is not None and (hit.in_bubble or hit.retry):
            self._popup(hit.bubble, hit.link.target if hit.link else None, event.x_root, event.y_root)
        return "break"

    def _menu_by_key(self) -> None:
        bubble = self._selected_bubble()
        rows = self._view.viewport.rows
        placed = None
        if bubble is None and rows:
            placed = rows[-1]
            bubble = self._view.store[placed.index]
        if bubble is None:
            return
        index = self._view.store.index_of(bubble.key)
        placed = next((row for row in rows if row.index == index), placed)
        y = placed.body_top if placed else 0
        x = self._view.row(placed.index).x if placed else 0
        target = self._chosen_target(bubble)
        root = (self._canvas.winfo_rootx() + x, self._canvas.winfo_rooty() + max(0, y))
        self._popup(bubble, target, *root)

    def _popup(self, bubble: Bubble, target: str | None, x: int, y: int) -> None:
        menu = self._new_menu()
        menu.add_command(
            label="Copy", command=self.copy, state="normal" if self.selected_text() else "disabled"
        )
        menu.add_command(
            label="Copy message" if bubble.file is None else "Copy name",
            command=lambda: self._clipboard.put(bubble.text),
        )
        spots = self._view.spots(bubble)
        if spots:
            menu.add_separator()
        for spot in spots:
            menu.add_command(
                label="Show picture" if isinstance(spot, Thumbnail) else spot.value,
                command=lambda spot=spot: self._do(bubble.key, spot),  # type: ignore[misc]  # a default binds early
            )
        if target is not None:
            menu.add_separator()
            menu.add_command(label="Open link", command=lambda: self._on_link(target))
            menu.add_command(label="Copy link", command=lambda: self._clipboard.put(target))
        if bubble.status is Status.FAILED:
            menu.add_separator()
            menu.add_command(label="Try again", command=lambda: self._on_retry(bubble.key))
        menu.tk_popup(x, y)


def _then_break(action: Callable[[], object]) -> Callable[[Event[tk.Misc]], str]:
    def run(_event: Event[tk.Misc]) -> str:
        action()
        return "break"

    return run
