"""A window for the pictures of a chat: fits them, goes nearer, moves about in them, and on to the next."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from functools import partial
from tkinter import ttk
from typing import Final

from PIL import Image, ImageTk

from twocans.gui.backend import pictures
from twocans.gui.backend.decoding import Decoder
from twocans.gui.backend.pictures import Unshowable
from twocans.gui.platform.screens import Box, work_area_at
from twocans.gui.theme.fonts import Face
from twocans.gui.theme.palette import DARK
from twocans.gui.theme.theme import Theme
from twocans.gui.viewmodel.people import one_line
from twocans.gui.views.tooltip import Tooltip

Picture = tuple[str, str]
"""The path of an image file, and its name."""

_GROUND: Final = "#0f1216"
_BAR: Final = DARK.base
_TEXT: Final = DARK.text
_STEP: Final = 1.25
_MAX_ZOOM: Final = 16.0
_SMALLEST_LEVEL: Final = 256


class ViewerWindow(tk.Toplevel):
    """Plus, minus and the wheel zoom, 0 fits, 1 shows every pixel, arrows go to other pictures, Esc closes.

    Args:
        parent: the main window.
        theme: the look; the ground of pictures is dark in both.
        pictures: those of the chat, oldest first.
        index: which one is shown.
        on_save: called with the index of the picture that is to be saved.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        pictures: Sequence[Picture],
        index: int,
        on_save: Callable[[int], None],
    ) -> None:
        super().__init__(parent, background=_GROUND)
        self.withdraw()
        self._theme = theme
        self._pictures = tuple(pictures)
        self._index = max(0, min(index, len(self._pictures) - 1))
        self._on_save = on_save
        self._decoder = Decoder(self)
        self._levels: tuple[Image.Image, ...] = ()
        self._zoom: float | None = None  # None: as large as fits, but no larger than it is
        self._middle = (0.5, 0.5)  # which point of the picture is in the middle of the window
        self._grabbed: tuple[int, int, tuple[float, float]] | None = None
        self._shown: ImageTk.PhotoImage | None = None
        self._scheduled: str | None = None
        self.problem = ""
        """Why there is no picture to be seen."""
        em = theme.em
        self.canvas = tk.Canvas(self, background=_GROUND, highlightthickness=0, takefocus=True)
        self._bar = tk.Frame(self, background=_BAR)
        self._bar.pack(side="bottom", fill="x")
        self.canvas.pack(fill="both", expand=True)
        self._buttons: dict[str, ttk.Button] = {}
        for icon, tip, side, command in (
            ("chevron-left", "Previous (←)", "left", lambda: self.step(-1)),
            ("chevron-right", "Next (→)", "left", lambda: self.step(1)),
            ("download", "Save as…", "right", lambda: self._on_save(self._index)),
            ("fullscreen", "Fit (0)", "right", self.fit),
            ("zoom-in", "Larger (+)", "right", lambda: self.zoom(_STEP)),
            ("zoom-out", "Smaller (−)", "right", lambda: self.zoom(1 / _STEP)),
        ):
            button = ttk.Button(
                self._bar,
                command=command,
                style="IconViewer.TButton",
                cursor="hand2",
            )
            button.pack(side=side, padx=em(0.2), pady=em(0.25))  # type: ignore[arg-type]  # left or right
            Tooltip(button, theme, lambda tip=tip: tip)  # type: ignore[misc]  # a default binds early
            self._buttons[icon] = button
        self._place = tk.Label(self._bar, background=_BAR, foreground=_TEXT, font=Face.SMALL.value)
        self._place.pack(side="left", padx=em(0.6))
        self._restyle()
        theme.on_change(self._restyle)
        self._listen()
        area = work_area_at(parent, parent.winfo_rootx() + parent.winfo_width() // 2, parent.winfo_rooty())
        width, height = min(em(60), round(area.width * 0.8)), min(em(45), round(area.height * 0.8))
        left, top = area.left + (area.width - width) // 2, area.top + (area.height - height) // 3
        self.geometry(Box(left, top, width, height).geometry)
        self.minsize(min(em(20), width), min(em(14), height))
        self.deiconify()
        self.canvas.focus_set()
        self._load()

    def _restyle(self) -> None:
        """The pictures of the buttons have been made anew."""
        if self.winfo_exists():
            for icon, button in self._buttons.items():
                button.configure(image=self._theme.button_icon(icon, 1.1, _TEXT, disabled=DARK.disabled))

    # --- what can be done ---------------------------------------------------------------------------------

    def step(self, by: int) -> None:
        """Go to another picture."""
        index = max(0, min(self._index + by, len(self._pictures) - 1))
        if index != self._index:
            self._index = index
            self._load()

    def fit(self) -> None:
        """Show all of the picture."""
        self._zoom, self._middle = None, (0.5, 0.5)
        self._schedule()

    def actual_size(self) -> None:
        """Show every pixel of the picture as one."""
        self._zoom = 1.0
        self._schedule()

    def zoom(self, factor: float, at: tuple[int, int] | None = None) -> None:
        """Go nearer, or away; the point of the picture at `at` stays where it is."""
        if not self._levels:
            return
        before = self.factor
        after = min(_MAX_ZOOM, max(min(self._fitting, 1.0) / 4, before * factor))
        if at is not None:
            # The middle moves by as much as that point would.
            width, height = self._levels[0].size
            dx, dy = at[0] - self.canvas.winfo_width() / 2, at[1] - self.canvas.winfo_height() / 2
            grown = 1 / before - 1 / after
            self._middle = (self._middle[0] + dx * grown / width, self._middle[1] + dy * grown / height)
        self._zoom = after
        self._schedule()

    @property
    def factor(self) -> float:
        """How many pixels of the screen there are for one of the picture."""
        return min(1.0, self._fitting) if self._zoom is None else self._zoom

    # --- inside -------------------------------------------------------------------------------------------

    @property
    def _fitting(self) -> float:
        width, height = self._levels[0].size if self._levels else (1, 1)
        return min(self.canvas.winfo_width() / width, self.canvas.winfo_height() / height)

    def _listen(self) -> None:
        for sequences, action in (
            ("<Escape>", self.destroy),
            ("<Left>", lambda: self.step(-1)),
            ("<Right>", lambda: self.step(1)),
            ("<plus> <equal> <KP_Add>", lambda: self.zoom(_STEP)),
            ("<minus> <KP_Subtract>", lambda: self.zoom(1 / _STEP)),
            ("<Key-0> <KP_0>", self.fit),
            ("<Key-1> <KP_1>", self.actual_size),
        ):
            for sequence in sequences.split():
                self.bind(sequence, lambda _, action=action: action())  # type: ignore[misc]  # a default binds early
        canvas = self.canvas
        canvas.bind("<Configure>", lambda _: self._schedule())
        canvas.bind("<ButtonPress-1>", self._grab)
        canvas.bind("<B1-Motion>", self._drag)
        canvas.bind("<MouseWheel>", lambda event: self._wheel(event, up=event.delta > 0))
        canvas.bind("<Button-4>", lambda event: self._wheel(event, up=True))
        canvas.bind("<Button-5>", lambda event: self._wheel(event, up=False))
        canvas.bind("<Destroy>", lambda _: self._close())

    def _wheel(self, event: tk.Event[tk.Canvas], *, up: bool) -> None:
        self.zoom(_STEP if up else 1 / _STEP, (event.x, event.y))

    def _grab(self, event: tk.Event[tk.Canvas]) -> None:
        self.canvas.focus_set()
        self._grabbed = (event.x, event.y, self._middle)

    def _drag(self, event: tk.Event[tk.Canvas]) -> None:
        if self._grabbed is None or not self._levels:
            return
        x, y, middle = self._grabbed
        width, height = self._levels[0].size
        self._middle = (
            middle[0] - (event.x - x) / (self.factor * width),
            middle[1] - (event.y - y) / (self.factor * height),
        )
        self._schedule()

    def _load(self) -> None:
        path, name = self._pictures[self._index]
        self._levels, self.problem = (), ""
        self._zoom, self._middle, self._grabbed = None, (0.5, 0.5), None
        last = len(self._pictures) - 1
        for icon, end in (("chevron-left", 0), ("chevron-right", last)):
            self._buttons[icon].state(["disabled" if self._index == end else "!disabled"])
        self.title(one_line(name))
        index = self._index
        self._decoder.ask(partial(_levels_of, path), lambda found: self._take(index, found))
        self._schedule()

    def _take(self, index: int, found: tuple[Image.Image, ...] | str) -> None:
        if index != self._index:
            return
        if isinstance(found, str):
            self.problem = found
        else:
            self._levels = found
            width, height = found[0].size
            self.title(f"{one_line(self._pictures[index][1])} – {width} × {height}")
        self._schedule()

    def _schedule(self) -> None:
        if self._scheduled is None:
            self._scheduled = self.after_idle(self._draw)

    def _draw(self) -> None:
        self._scheduled = None
        canvas = self.canvas
        width, height = canvas.winfo_width(), canvas.winfo_height()
        canvas.delete("all")
        place = f"{self._index + 1} of {len(self._pictures)}" if len(self._pictures) > 1 else ""
        if not self._levels:
            self._place.configure(text=place)
            canvas.create_text(
                width // 2,
                height // 2,
                text=self.problem or "Loading …",
                fill=_TEXT,
                font=Face.BODY.value,
                width=max(1, width - self._theme.em(4)),
                justify="center",
            )
            return
        self._place.configure(text=f"{place}   {self.factor:.0%}".strip())
        whole = self._levels[0].size
        box: list[tuple[float, float]] = []
        shown: list[int] = []
        middle: list[float] = []
        for extent, room, at in zip(whole, (width, height), self._middle, strict=True):
            # As much of the picture as the window holds, and no empty space where there is more of it.
            part = min(1.0, room / (extent * self.factor))
            at = min(1 - part / 2, max(part / 2, at))
            middle.append(at)
            box.append((at - part / 2, at + part / 2))
            shown.append(max(1, min(room, round(part * extent * self.factor))))
        self._middle = (middle[0], middle[1])
        level = next(
            (one for one in reversed(self._levels) if one.width >= whole[0] * self.factor), self._levels[0]
        )
        (left, right), (top, bottom) = box
        piece = level.resize(
            (shown[0], shown[1]),
            Image.Resampling.NEAREST if self.factor >= 4 else Image.Resampling.BILINEAR,
            (left * level.width, top * level.height, right * level.width, bottom * level.height),
        )
        self._shown = ImageTk.PhotoImage(piece, master=self)
        canvas.create_image(width // 2, height // 2, image=self._shown)

    def _close(self) -> None:
        self._decoder.close()
        if self._scheduled is not None:
            self.after_cancel(self._scheduled)
            self._scheduled = None


def _levels_of(path: str) -> tuple[Image.Image, ...] | str:
    """In another thread: the picture, a half of it, a quarter …, so that any size is drawn soon; or why there is none."""
    try:
        image = pictures.read(path)
    except Unshowable as problem:
        return str(problem)
    if image.mode == "RGBA":
        paper = Image.new("RGB", image.size, "#ffffff")
        paper.paste(image, mask=image)
        image = paper
    levels = [image]
    while min(levels[-1].size) > _SMALLEST_LEVEL:
        levels.append(levels[-1].reduce(2))
    return tuple(levels)
