"""The look of every widget: root window, colours, fonts, sizes in em, ttk styles, icons.

The only module that knows ttkbootstrap. Views ask it for sizes and pictures and name its styles.
"""

from __future__ import annotations

import contextlib
import sys
import tkinter as tk
from collections.abc import Callable
from dataclasses import replace
from tkinter import font as tkfont
from typing import Final

import ttkbootstrap
from PIL import Image, ImageTk
from ttkbootstrap.style.icons import IconRenderer

from twocans.gui.platform import drops
from twocans.gui.theme.fonts import FACES, MONOSPACED, Face
from twocans.gui.theme.palette import DARK, LIGHT
from twocans.gui.theme.shapes import barred, crescent, disc, rounded, sign
from twocans.gui.theme.single_line import drawn
from twocans.gui.theme.styles import Styles
from twocans.gui.transcript.runs import RunPainter
from twocans.gui.transcript.style import DARK as TRANSCRIPT_DARK
from twocans.gui.transcript.style import LIGHT as TRANSCRIPT_LIGHT
from twocans.gui.transcript.style import Fonts, Palette, draws_astral
from twocans.gui.transcript.tip import wrapped
from twocans.protocol.text import spelled_out

NAME: Final = "twocans"
TEXT_SIZES: Final = (0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0)
"""The factors that Ctrl+plus and Ctrl+minus walk through."""
_BASE_POINTS: Final = 10.5
_MAX_SCALE: Final = 3.0
_SCREEN_EM: Final = (20, 11)
"""A screen holds so many em at least: larger text would push the parts of a window out of it."""


# The toolkit's own functions have no types.
_render_icon: Final[Callable[[str, int, str], Image.Image]] = IconRenderer.render
_bootstyle: Final[Callable[[], ttkbootstrap.Style]] = ttkbootstrap.Style.get_instance


def make_root(*, dark: bool, scale: float | None) -> tk.Tk:
    """The application's window, not shown yet.

    Args:
        dark: whether it starts dark.
        scale: pixels per 1/96 inch that the desktop asks for, None for what the toolkit finds out itself.

    Raises:
        tkinter.TclError: there is no display.
    """
    palettes = {
        mode: {"background": colours.base, "foreground": colours.text}
        for mode, colours in (("light", LIGHT), ("dark", DARK))
    }
    family = ttkbootstrap.Theme(
        name=NAME,
        primary=LIGHT.accent,
        success=LIGHT.online,
        info="#0b7285",
        warning="#b57600",
        danger=LIGHT.danger,
        light=palettes["light"],
        dark=palettes["dark"],
    )
    register: Callable[[], object] = family.register
    register()
    root = ttkbootstrap.App(
        title="Twocans", theme=f"{NAME}-{'dark' if dark else 'light'}", iconphoto=None, className="Twocans"
    )
    root.withdraw()
    # On X11, `send` would let every other program on the screen run its own scripts in this one.
    if root.tk.call("info", "commands", "send"):
        root.tk.call("rename", "send", "")
    drops.enable(root)
    if scale is not None:
        root.tk.call("tk", "scaling", min(_MAX_SCALE, max(1.0, scale)) * 96 / 72)
    elif root.tk.call("tk", "windowingsystem") == "x11":
        found = float(root.tk.call("tk", "scaling")) * 72 / 96
        root.tk.call("tk", "scaling", min(_MAX_SCALE, max(1.0, found)) * 96 / 72)
    return root


class Theme:
    """Colours, fonts, sizes and pictures as they are now.

    Args:
        root: from `make_root`.
        dark: whether to start dark.
        text_size: a factor on the system's size of text, see `TEXT_SIZES`.
    """

    def __init__(self, root: tk.Tk, *, dark: bool, text_size: float) -> None:
        self._root = root
        self._pictures: dict[tuple[object, ...], ImageTk.PhotoImage] = {}
        self._icons: list[ImageTk.PhotoImage] = []
        self._painters: dict[Face, RunPainter] = {}
        self._listeners: list[Callable[[], None]] = []
        self.text_size = text_size
        self.colours = DARK if dark else LIGHT
        self._family = str(tkfont.nametofont("TkDefaultFont", root=root).actual("family"))
        fixed = str(tkfont.nametofont("TkFixedFont", root=root).actual("family"))
        self._fonts = {
            face: tkfont.Font(
                root=root,
                name=face.value,
                family=fixed if face in MONOSPACED else self._family,
                size=10,
                weight="normal",
            )
            for face in Face
        }
        self._em = 16.0
        self._reorders = root.tk.call("tk", "windowingsystem") != "x11"
        self._astral = draws_astral(root)
        self._set_sizes()
        self._styles = Styles(root, self)
        self._styles.build()
        self._set_window_icon()

    # --- asking -------------------------------------------------------------------------------------------

    @property
    def dark(self) -> bool:
        """Whether the window is dark."""
        return self.colours.dark

    def em(self, size: float) -> int:
        """So many times the height of the text's letters, in pixels; at least 1 unless 0."""
        return max(1, round(size * self._em)) if size else 0

    @property
    def astral(self) -> bool:
        """Whether Tk can draw emoji."""
        return self._astral

    def painter(self, face: Face) -> RunPainter:
        """Measures and draws text that is laid out in lines."""
        painter = self._painters.get(face)
        if painter is None:
            font = self._fonts[face]
            painter = self._painters[face] = RunPainter(self._root, font, -int(font.cget("size")))
        return painter

    @property
    def pixel(self) -> int:
        """A thin line, in pixels."""
        return max(1, round(self._em / 16))

    def measure(self, face: Face, text: str) -> int:
        """How wide a text is, in pixels."""
        return self._fonts[face].measure(text)

    def line(self, face: Face) -> int:
        """How high a line is, in pixels."""
        return int(self._fonts[face].metrics("linespace"))

    def elide(self, face: Face, text: str, width: int) -> str:
        """As much of a text as fits into `width` pixels, with what would not be seen in it spelled out."""
        text = spelled_out(text)
        font = self._fonts[face]
        if font.measure(text) <= width:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            if font.measure(text[:middle].rstrip() + "…") <= width:
                low = middle
            else:
                high = middle - 1
        return text[:low].rstrip() + "…" if low else ""

    def wrap(self, face: Face, text: str, width: int) -> str:
        """A text without spaces in lines of `width` pixels."""
        return "\n".join(wrapped(text, self._fonts[face], width))

    def drawn(self, text: str) -> str:
        """A line of somebody's text as Tk has to get it, whatever script it is in."""
        return drawn(text, reorders=self._reorders, astral=self._astral)

    def icon(self, name: str, size: float, colour: str) -> ImageTk.PhotoImage:
        """A sign from the Bootstrap icons, `size` in em."""
        pixels = self.em(size)
        return self.picture(("icon", name, pixels, colour), lambda: self.render_icon(name, pixels, colour))

    def button_icon(self, name: str, size: float, colour: str, *, disabled: str = "") -> str:
        """The same for a ttk button, with what it shows while it is disabled: Tk would lay a grid of dots over it."""
        pixels, faint = self.em(size), disabled or self.colours.disabled
        key = ("disabled icon", name, pixels, faint)
        shown = self.picture(key, lambda: self.render_icon(name, pixels, faint))
        return f"{self.icon(name, size, colour)} disabled {shown}"

    def render_icon(self, name: str, pixels: int, colour: str) -> Image.Image:
        """The same as a picture of Pillow's, in pixels."""
        return _render_icon(name, pixels, colour)

    def disc(
        self, diameter: int, fill: str, ring: str | None = None, ring_width: int = 0
    ) -> ImageTk.PhotoImage:
        """A disc, in pixels."""
        return self.picture(
            ("disc", diameter, fill, ring, ring_width),
            lambda: disc(diameter, fill, ring=ring, ring_width=ring_width),
        )

    def crescent(self, diameter: int, fill: str, ground: str, ring_width: int = 0) -> ImageTk.PhotoImage:
        """A waning moon, in pixels."""
        return self.picture(
            ("crescent", diameter, fill, ground, ring_width),
            lambda: crescent(diameter, fill, ground, ring_width=ring_width),
        )

    def barred(self, diameter: int, fill: str, ground: str, ring_width: int = 0) -> ImageTk.PhotoImage:
        """A disc with a bar, in pixels."""
        return self.picture(
            ("barred", diameter, fill, ground, ring_width),
            lambda: barred(diameter, fill, ground, ring_width=ring_width),
        )

    def rounded(self, width: int, height: int, radius: int, fill: str) -> ImageTk.PhotoImage:
        """A rectangle with round corners, in pixels."""
        return self.picture(
            ("rounded", width, height, radius, fill), lambda: rounded((width, height), radius, fill)
        )

    def sign(self, size: float) -> ImageTk.PhotoImage:
        """The program's sign, `size` in em."""
        pixels = self.em(size)
        front = self.colours.accent_text if self.dark else self.colours.accent
        back = "#5f79f0" if self.dark else "#8ea2ff"
        return self.picture(("sign", pixels, front), lambda: sign(pixels, front=front, back=back))

    def picture(self, key: tuple[object, ...], draw: Callable[[], Image.Image]) -> ImageTk.PhotoImage:
        """A picture for Tk, drawn once for every key."""
        found = self._pictures.get(key)
        if found is None:
            found = self._pictures[key] = ImageTk.PhotoImage(draw(), master=self._root)
        return found

    @property
    def transcript_palette(self) -> Palette:
        """The colours of the transcript."""
        c = self.colours
        base = TRANSCRIPT_DARK if self.dark else TRANSCRIPT_LIGHT
        return replace(
            base,
            background=c.chat,
            own=c.accent,
            own_text=c.on_accent,
            own_link=c.on_accent,
            other=c.soft if self.dark else c.base,
            other_found=c.found,
            other_text=c.text,
            other_muted=c.muted,
            other_link=c.accent_text,
            muted=c.muted,
            accent=c.accent,
            accent_text=c.on_accent,
            danger=c.danger,
            focus=c.accent_text,
            tip=c.toast_ground,
            tip_text=c.toast_text,
        )

    @property
    def transcript_fonts(self) -> Fonts:
        """The fonts of the transcript."""
        fonts = self._fonts
        return Fonts(text=fonts[Face.BODY], small=fonts[Face.SMALL], label=fonts[Face.SMALL_STRONG])

    # --- changing -----------------------------------------------------------------------------------------

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call this after every change of colours or sizes."""
        self._listeners.append(listener)

    def set_dark(self, dark: bool) -> None:
        """Turn dark or light."""
        if dark != self.dark:
            self.colours = DARK if dark else LIGHT
            use: Callable[[str], object] = _bootstyle().theme_use
            use(f"{NAME}-{'dark' if dark else 'light'}")
            self._changed()

    def set_text_size(self, text_size: float) -> None:
        """Make everything larger or smaller."""
        if text_size != self.text_size:
            self.text_size = text_size
            self._set_sizes()
            self._changed()

    def larger(self, steps: int) -> float:
        """The size of text so many steps up."""
        nearest = min(range(len(TEXT_SIZES)), key=lambda index: abs(TEXT_SIZES[index] - self.text_size))
        return TEXT_SIZES[max(0, min(len(TEXT_SIZES) - 1, nearest + steps))]

    def _changed(self) -> None:
        self._pictures.clear()
        self._painters.clear()
        self._styles.build()
        for listener in self._listeners:
            listener()

    def _set_sizes(self) -> None:
        # Pixels, not points: a named font in points is rounded by the toolkit to whole points at some scales.
        per_point = float(self._root.tk.call("tk", "scaling"))
        body = _BASE_POINTS * per_point * self.text_size
        if sys.platform == "darwin":
            body = 13 * per_point * self.text_size
        room = (self._root.winfo_screenwidth(), self._root.winfo_screenheight())
        largest = min(extent / em for extent, em in zip(room, _SCREEN_EM, strict=True))
        body = min(body, largest * 14 / 16)
        for face, (factor, weight) in FACES.items():
            pixels = -max(8, round(body * factor))
            self._fonts[face].configure(size=pixels, weight="bold" if weight == "bold" else "normal")
        self._em = body * 16 / 14
        for name in ("TkDefaultFont", "TkTextFont", "TkMenuFont", "TkTooltipFont"):
            with contextlib.suppress(tk.TclError):
                tkfont.nametofont(name, root=self._root).configure(size=-round(body))

    def _set_window_icon(self) -> None:
        icons = [ImageTk.PhotoImage(sign(size), master=self._root) for size in (64, 32, 16)]
        self._icons = icons
        self._root.iconphoto(True, *[str(icon) for icon in icons])
