"""The transcript as a widget: a canvas with a slim scrollbar, and what the window around it can ask of it."""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable, Sequence
from tkinter import ttk
from typing import TYPE_CHECKING, Final

from twocans.gui.platform.last_input import INPUT_CHANGED, last_input
from twocans.gui.transcript.dates import follow_time_zone
from twocans.gui.transcript.found import Words
from twocans.gui.transcript.interaction import Interaction
from twocans.gui.transcript.model import Bubble, FileAction, Status, ViewState
from twocans.gui.transcript.scrollbar import SlimScrollbar
from twocans.gui.transcript.style import Fonts, Palette, metrics
from twocans.gui.transcript.view import View

if TYPE_CHECKING:
    from twocans.gui.views.menus import Menu

_NEAR_VIEWS: Final = 2  # more messages are asked for when the last at either end is this many heights away
_SETTLED_MS: Final = 150  # after the last change of width, the heights of all rows are guessed anew
_DAY_CHECK_MS: Final = 10_000


class Transcript(ttk.Frame):
    """Shows one conversation; only what is on screen is laid out and drawn.

    Args:
        on_link: called with the target of a link to be opened.
        on_retry: called with the key of a failed message to be sent again.
        on_file: called with the key of a message and what is to be done with its file.
        on_picture: called with the key of a message whose picture was clicked.
        on_near_top: called once when the oldest message comes near; again after `prepend` or `set_bubbles`.
        on_near_bottom: the same at the other end, while newer messages exist than are here.
        on_newest: called when the newest message is wanted and not here.
        on_at_bottom: called when the view begins (True) or ceases (False) to follow the newest message, and after
            `set_bubbles` and `show_unread`.
        on_in_view: called with the keys of the first and the last message of which the end is in view, when they
            change, and after those two and `reveal`.
        new_menu: makes a menu without entries.
        now: the time in Unix seconds.
    """

    def __init__(
        self,
        parent: tk.Misc,
        *,
        palette: Palette,
        fonts: Fonts,
        on_link: Callable[[str], None],
        on_retry: Callable[[str], None],
        on_near_top: Callable[[], None],
        on_near_bottom: Callable[[], None],
        on_newest: Callable[[], None],
        on_at_bottom: Callable[[bool], None],
        new_menu: Callable[[], Menu],
        on_in_view: Callable[[str, str], None] = lambda _first, _last: None,
        on_file: Callable[[str, FileAction], None] = lambda _key, _action: None,
        on_picture: Callable[[str], None] = lambda _key: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(parent)
        self._on_near_top = on_near_top
        self._on_near_bottom = on_near_bottom
        self._on_at_bottom = on_at_bottom
        self._on_in_view = on_in_view
        self._told_at_bottom: bool | None = True
        self._told_in_view: tuple[str, str] | None = None
        self._asked_at: str | None = None
        self._asked_below: str | None = None
        self._settling: str | None = None
        self._drag_to: float | None = None
        self.canvas = tk.Canvas(self, borderwidth=0, takefocus=True, width=1, height=1)
        self._scrollbar = SlimScrollbar(self, command=self._on_scrollbar)
        self.canvas.grid(row=0, column=0, sticky="nsew")
        self._scrollbar.grid(row=0, column=1, sticky="ns")
        self._cover = tk.Frame(self, borderwidth=0, highlightthickness=0, takefocus=False)
        self._cover.grid(row=0, column=1, sticky="nsew")
        self._scrollbar_shown = False
        self.columnconfigure(0, weight=1)
        self.rowconfigure(0, weight=1)
        self._view = View(
            self.canvas,
            palette=palette,
            fonts=fonts,
            now=now,
            on_arranged=self._arranged,
            on_newest=on_newest,
        )
        self._interaction = Interaction(
            self._view,
            on_link=on_link,
            on_retry=on_retry,
            on_file=on_file,
            on_picture=on_picture,
            new_menu=new_menu,
        )
        self._colour(palette, fonts)
        self._today = self._view.today()
        self._day_check = self.after(_DAY_CHECK_MS, self._check_day)
        self.canvas.bind("<Configure>", self._resized)
        for sequence in ("<FocusIn>", INPUT_CHANGED):
            self.canvas.bind(sequence, lambda _: self._show_focus())
        self.canvas.bind("<Destroy>", self._destroyed)

    # --- content ---------------------------------------------------------------------------------------

    def set_bubbles(self, bubbles: Sequence[Bubble], *, view: ViewState | None = None) -> None:
        """Replaces all messages, oldest first; shows the newest one if `view` is None or not there."""
        self._asked_at = self._asked_below = None
        self._told_at_bottom = self._told_in_view = None
        self._view.set(bubbles, view or ViewState())

    def append(self, bubbles: Sequence[Bubble], *, hold: bool = False) -> None:
        """Adds newer messages. The view follows if it was at the end, or if one was just written here.

        With `hold` they are no news, and the view stays where it is.
        """
        self._asked_below = None
        written = any(bubble.own and bubble.status is Status.WAITING for bubble in bubbles)
        self._view.append(bubbles, follow=written and not hold, hold=hold)

    def prepend(self, bubbles: Sequence[Bubble]) -> None:
        """Adds older messages, oldest first; what is on screen does not move."""
        self._asked_at = None
        self._view.prepend(bubbles)

    def replace(self, key: str, bubble: Bubble) -> None:
        """Shows the message with that key as `bubble`, whose key may be another; nothing if it is not there."""
        self._view.replace(key, bubble)

    def set_unread_from(self, key: str | None) -> None:
        """Puts the line `New messages` above the message with that key; none for None."""
        self._view.unread_from = key
        self._view.schedule()

    def set_unread(self, count: int) -> None:
        """How many messages have not been read: the button to the newest one shows it."""
        if count != self._view.unread:
            self._view.unread = count
            self._view.schedule()

    def show_unread(self, key: str) -> None:
        """Shows the message with that key at the top of the view, or the end if everything from there on fits."""
        self._told_at_bottom = self._told_in_view = None
        self._view.reveal_on_top(key)

    def set_ahead(self, ahead: bool) -> None:
        """Whether there are newer messages than those that are here."""
        if ahead is not self._view.ahead:
            self._view.ahead = ahead
            self._view.schedule()

    def reveal(self, key: str) -> None:
        """Shows the message with that key in the middle; nothing if it is not there."""
        self._told_in_view = None
        self._view.reveal(key)

    def mark(self, words: Words, key: str | None) -> None:
        """Marks the words of a search in all messages, and the message that was chosen; nothing for no words."""
        self._view.mark(words, key)

    def set_empty_text(self, text: str) -> None:
        """The hint shown when there are no messages."""
        self._view.set_empty_text(text)

    # --- place -----------------------------------------------------------------------------------------

    def view_state(self) -> ViewState:
        """The place that is on screen, to be given to `set_bubbles` later."""
        return self._view.state()

    def scroll_to_newest(self) -> None:
        """Shows the newest message and follows what comes."""
        self._view.jump()

    def scroll_pages(self, pages: int) -> None:
        """Scroll down by so many heights of the view, or up."""
        self._interaction.scroll_pages(pages)

    def focus_set(self) -> None:
        """Gives the keyboard to the messages."""
        self.canvas.focus_set()

    def selected_text(self) -> str:
        """What is selected, as it was written; messages are separated by line breaks."""
        return self._interaction.selected_text()

    # --- looks -----------------------------------------------------------------------------------------

    def restyle(self, palette: Palette, fonts: Fonts) -> None:
        """Takes on other colours and fonts, at the same place."""
        self._view.restyle(palette, fonts)
        self._colour(palette, fonts)

    def _colour(self, palette: Palette, fonts: Fonts) -> None:
        em = metrics(self.canvas, fonts).em
        self._frame_colours = (palette.focus, palette.background)
        self.canvas.configure(
            background=palette.background,
            highlightthickness=max(1, round(em * 0.13)),
            highlightbackground=palette.background,
        )
        self._show_focus()
        self._cover.configure(background=palette.background)
        self._scrollbar.restyle(
            background=palette.background,
            thumb=palette.thumb,
            active=palette.thumb_active,
            width=max(6, round(em * 0.5)),
        )

    def _show_focus(self) -> None:
        """A frame says that the keys go to the messages, for those who use the keys."""
        shown, hidden = self._frame_colours
        self.canvas.configure(highlightcolor=shown if last_input(self.canvas).by_key else hidden)

    # --- events ----------------------------------------------------------------------------------------

    def _resized(self, event: tk.Event[tk.Misc]) -> None:
        self._view.resize(event.width, event.height)
        if self._settling is not None:
            self.after_cancel(self._settling)
        self._settling = self.after(_SETTLED_MS, self._settled)

    def _settled(self) -> None:
        self._settling = None
        self._view.estimate_again()

    def _arranged(self) -> None:
        """Tells scrollbar and owner where the view is now."""
        first, last = self._view.viewport.scrollbar()
        if self._drag_to is not None and first > 0 and last < 1:
            # While the thumb is dragged it stays under the pointer, though heights turn out to be others.
            last += self._drag_to - first
            first = self._drag_to
        self._drag_to = None
        self._scrollbar.set(first, last)
        self._show_scrollbar(first > 0 or last < 1)
        at_bottom = self._view.at_bottom and not self._view.ahead
        if at_bottom is not self._told_at_bottom:
            self._told_at_bottom = at_bottom
            self._on_at_bottom(at_bottom)
        self._tell_in_view()
        self._look_near_top()
        self._look_near_bottom()

    def _show_scrollbar(self, shown: bool) -> None:
        # It keeps its column, so that nothing is laid out anew when it comes and goes.
        if shown is not self._scrollbar_shown:
            self._scrollbar_shown = shown
            if shown:
                self._scrollbar.lift()
            else:
                self._cover.lift()

    def _tell_in_view(self) -> None:
        ends = self._view.viewport.ends_in_view()
        if ends is not None:
            in_view = self._view.store[ends[0]].key, self._view.store[ends[1]].key
            if in_view != self._told_in_view:
                self._told_in_view = in_view
                self._on_in_view(*in_view)

    def _look_near_top(self) -> None:
        viewport, store = self._view.viewport, self._view.store
        if not viewport.rows or self._asked_at == store[0].key:
            return
        first = viewport.rows[0]
        if viewport.heights.before(first.index) - first.top < _NEAR_VIEWS * viewport.height:
            self._asked_at = store[0].key
            self._on_near_top()

    def _look_near_bottom(self) -> None:
        viewport, store = self._view.viewport, self._view.store
        if not viewport.rows or not self._view.ahead or self._asked_below == store[-1].key:
            return
        last = viewport.rows[-1]
        heights = viewport.heights
        if heights.total - heights.before(last.index) < (_NEAR_VIEWS + 1) * viewport.height:
            self._asked_below = store[-1].key
            self._on_near_bottom()

    def _on_scrollbar(self, action: str, amount: str, unit: str = "") -> None:
        viewport = self._view.viewport
        if action == "moveto":
            fraction = float(amount)
            self._drag_to = fraction
            self._view.scroll_to(lambda: viewport.to_fraction(fraction))
        elif unit == "pages":
            self._view.scroll(int(amount) * round(viewport.height * 0.9))
        else:
            self._view.scroll(int(amount) * self._view.line_height)

    def _check_day(self) -> None:
        self._day_check = self.after(_DAY_CHECK_MS, self._check_day)
        zone_changed = follow_time_zone()
        today = self._view.today()
        if zone_changed or today != self._today:
            self._today = today
            self._view.days_changed()

    def _destroyed(self, _event: tk.Event[tk.Misc]) -> None:
        self.after_cancel(self._day_check)
        if self._settling is not None:
            self.after_cancel(self._settling)
        self._interaction.close()
        self._view.close()
