"""The files that are about to be sent, above the field to write in; and what is shown while some are dragged here."""

from __future__ import annotations

import tkinter as tk
from functools import partial
from tkinter import ttk
from typing import Final

from PIL import Image, ImageDraw, ImageOps, ImageTk

from twocans.gui.backend import pictures
from twocans.gui.backend.decoding import Decoder
from twocans.gui.theme.fonts import Face
from twocans.gui.theme.shapes import rounded
from twocans.gui.theme.theme import Theme
from twocans.gui.transcript.cards import elided
from twocans.gui.transcript.file_icons import draw_kind, kind_of
from twocans.gui.transcript.glyphs import shown
from twocans.gui.transcript.paint_card import blend
from twocans.gui.viewmodel import ViewModel
from twocans.gui.viewmodel.attaching import Attachment
from twocans.gui.viewmodel.people import one_line
from twocans.gui.views.common import Act, icon_button
from twocans.gui.views.focus import has_focus
from twocans.gui.views.text_canvas import TextCanvas
from twocans.gui.views.tooltip import Tooltip

MAX_LINES: Final = 3
"""Of chips; more are scrolled."""
_NAME_EM: Final = 9.0
_PICTURE_EM: Final = 2.1
_OVERSAMPLE: Final = 4


class AttachmentsView(ttk.Frame):
    """A chip for every file of the open chat's draft."""

    def __init__(self, parent: tk.Misc, theme: Theme, vm: ViewModel, act: Act) -> None:
        super().__init__(parent, style="Chat.TFrame")
        self._theme, self._vm, self._act = theme, vm, act
        self._chips: dict[str, _Chip] = {}
        self._decoder = Decoder(self)
        self._canvas = tk.Canvas(self, highlightthickness=0, borderwidth=0, height=1, width=1)
        self._bar = ttk.Scrollbar(self, style="Chat.Vertical.TScrollbar", command=self._canvas.yview)
        self._canvas.configure(yscrollcommand=self._bar.set)
        self._canvas.pack(side="left", fill="both", expand=True)
        self._canvas.bind("<Configure>", lambda _: self._arrange())
        self._canvas.bind("<Destroy>", lambda _: self._decoder.close())
        for sequence, lines in (("<Button-4>", -1), ("<Button-5>", 1)):
            self._canvas.bind(sequence, lambda _, lines=lines: self._scroll(lines))  # type: ignore[misc]  # a default binds early
        self._canvas.bind("<MouseWheel>", lambda event: self._scroll(-1 if event.delta > 0 else 1))

    @property
    def names(self) -> list[str]:
        """What the chips say, in order."""
        return [chip.name for chip in self._chips.values()]

    def show(self) -> bool:
        """Show the files as they are now; says whether there are any."""
        wanted = self._vm.attachments
        for path in set(self._chips) - {one.path for one in wanted}:
            self._remove(path)
        for one in wanted:
            if one.path not in self._chips:
                self._add(one)
        self._arrange()
        return bool(wanted)

    def restyle(self) -> None:
        """Sizes and colours have changed."""
        self._canvas.configure(background=self._theme.colours.chat)
        for path in list(self._chips):
            self._remove(path)
        self.show()

    def _add(self, file: Attachment) -> None:
        chip = self._chips[file.path] = _Chip(self._canvas, self._theme, file)
        chip.cross.configure(command=lambda: self._detach(file.path))
        chip.item = self._canvas.create_window(0, 0, window=chip, anchor="nw")
        if file.picture:
            side = self._theme.em(_PICTURE_EM)
            job = partial(_square, file.path, side, self._theme.colours.base)
            self._decoder.ask(job, lambda image: self._picture_came(file.path, image))

    def _picture_came(self, path: str, image: Image.Image | None) -> None:
        chip = self._chips.get(path)
        if chip is not None and image is not None:
            chip.show_picture(image)

    def _remove(self, path: str) -> None:
        chip = self._chips.pop(path)
        self._canvas.delete(chip.item)
        chip.destroy()

    def _detach(self, path: str) -> None:
        """The keyboard goes on to the next cross."""
        paths = list(self._chips)
        place = paths.index(path)
        had = has_focus(self._chips[path].cross)
        self._act(self._vm.detach, path)
        left = list(self._chips.values())
        if had and left:
            left[min(place, len(left) - 1)].cross.focus_set()

    def _arrange(self) -> None:
        """Puts the chips beside each other, in as many lines as are needed."""
        gap, width = self._theme.em(0.35), self._canvas.winfo_width()
        x = y = bottom = line = 0
        for chip in self._chips.values():
            chip_width, line = chip.winfo_reqwidth(), chip.winfo_reqheight()
            if x and x + chip_width > width:
                x, y = 0, y + line + gap
            self._canvas.coords(chip.item, x, y)
            x += chip_width + gap
            bottom = y + line
        highest = MAX_LINES * line + (MAX_LINES - 1) * gap + line // 3
        self._canvas.configure(height=max(1, min(bottom, highest)), scrollregion=(0, 0, width, bottom))
        if bottom > highest:
            self._bar.pack(side="right", fill="y")
        else:
            self._bar.pack_forget()

    def _scroll(self, lines: int) -> None:
        if self._bar.winfo_ismapped():
            self._canvas.yview_scroll(lines, "units")


class _Chip(ttk.Frame):
    """One file: what it is, its name and size, and a cross to take it out."""

    def __init__(self, parent: tk.Misc, theme: Theme, file: Attachment) -> None:
        super().__init__(parent, style="Card.TFrame")
        em, c = theme.em, theme.colours
        self._theme = theme
        self.name = file.name
        self.item = 0
        """Its number on the canvas."""
        side = em(_PICTURE_EM)
        self._sign: ImageTk.PhotoImage = theme.picture(
            ("chip", kind_of(file.name), side, c.accent_text, c.base),
            lambda: _sign(file.name, side, c.accent_text, c.base),
        )
        self._face = ttk.Label(self, style="Card.TLabel", image=self._sign)
        full = shown(file.name, astral=theme.astral)
        name = elided(full, em(_NAME_EM), theme.painter(Face.SMALL).ruler)
        label = TextCanvas(self, theme, Face.SMALL)
        label.show(name, width=2 * em(_NAME_EM), colour=c.text, ground=c.base)
        size = ttk.Label(
            self, style="Card.TLabel", text=file.size_text, font=Face.SMALL.value, padding=0, borderwidth=0
        )
        self.cross = icon_button(
            self, theme, style="IconField", tip=f"Do not send {one_line(file.name)}", command=lambda: None
        )
        self.cross.configure(image=theme.icon("x-lg", 0.7, c.muted))
        self._face.grid(row=0, column=0, rowspan=2, padx=(em(0.5), em(0.45)), pady=em(0.4))
        label.grid(row=0, column=1, sticky="sw", pady=(em(0.3), 0))
        size.grid(row=1, column=1, sticky="nw", pady=(0, em(0.3)))
        self.cross.grid(row=0, column=2, rowspan=2, padx=(em(0.3), em(0.4)))
        for widget in (self, self._face, label, size):
            Tooltip(widget, theme, lambda: theme.drawn(full.text))

    def show_picture(self, image: Image.Image) -> None:
        """Show it small instead of the sign."""
        self._sign = ImageTk.PhotoImage(image, master=self)
        self._face.configure(image=self._sign)


class DropOverlay(tk.Canvas):
    """Lies over the chat while files are held over it."""

    def __init__(self, parent: tk.Misc, theme: Theme) -> None:
        super().__init__(parent, highlightthickness=0, borderwidth=0)
        self._theme = theme
        self._text = ""
        self.bind("<Configure>", lambda _: self._draw())

    @property
    def shown(self) -> bool:
        """Whether it is to be seen."""
        return bool(self.winfo_ismapped())

    def show(self, name: str) -> None:
        """Say to whom the files would go."""
        self._text = self._theme.drawn(f"Drop to send to {one_line(name)}")
        self.place(x=0, y=0, relwidth=1, relheight=1)
        tk.Misc.tkraise(self)
        self._draw()

    def hide(self) -> None:
        """Take it away."""
        self.place_forget()

    def _draw(self) -> None:
        em, c = self._theme.em, self._theme.colours
        width, height = self.winfo_width(), self.winfo_height()
        self.configure(background=c.chat)
        self.delete("all")
        edge = em(1.0)
        self.create_rectangle(
            edge,
            edge,
            width - edge,
            height - edge,
            outline=c.accent_text,
            width=max(2, em(0.15)),
            dash=(em(0.6), em(0.45)),
            fill=blend(c.chat, c.accent, 0.08),
        )
        icon = self._theme.icon("file-earmark-arrow-up", 3.2, c.accent_text)
        self.create_image(width // 2, height // 2 - em(1.0), image=icon)
        self.create_text(
            width // 2,
            height // 2 + em(1.6),
            text=self._text,
            font=Face.TITLE.value,
            fill=c.text,
            width=max(1, width - 4 * edge),
            justify="center",
        )


def _square(path: str, side: int, ground: str) -> Image.Image | None:
    """In another thread: the middle of a picture, with round corners."""
    image = pictures.load(path, (4 * side, 4 * side))
    if image is None:
        return None
    square = ImageOps.fit(image, (side, side))
    paper = Image.new("RGB", (side, side), "#ffffff")
    paper.paste(square, mask=square if square.mode == "RGBA" else None)
    result = Image.new("RGB", (side, side), ground)
    result.paste(paper, mask=rounded((side, side), side * 0.18, "#ffffff").getchannel("A"))
    return result


def _sign(name: str, side: int, colour: str, ground: str) -> Image.Image:
    large = side * _OVERSAMPLE
    plate = blend(ground, colour, 0.12)
    image = Image.new("RGB", (large, large), ground)
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((0, 0, large - 1, large - 1), large * 0.22, plate)
    draw_kind(pen, kind_of(name), large, colour, plate)
    return image.resize((side, side), Image.Resampling.BOX)
