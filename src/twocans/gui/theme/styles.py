"""The ttk styles of the window: frames, labels, round buttons and fields, check buttons, scrollbars."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageTk

from twocans.gui.platform.last_input import SHOWN_STATE
from twocans.gui.theme.fonts import Face
from twocans.gui.theme.palette import DARK
from twocans.gui.theme.shapes import disc, rounded, stretched

if TYPE_CHECKING:
    from twocans.gui.theme.theme import Theme

_KEPT: Final = 2
"""Pictures of so many earlier generations are kept: widgets may draw with them until they have changed over."""
_MIDDLE: Final = (160, 40)
"""Width and height of what can be stretched in the picture of an element, in pixels."""


class Styles:
    """Makes the styles.

    Args:
        root: the window.
        theme: colours and sizes.
    """

    def __init__(self, root: tk.Tk, theme: Theme) -> None:
        self._root, self._theme = root, theme
        self._em = theme.em
        self._style = ttk.Style(root)
        self._generation = 0
        self._elements: list[list[ImageTk.PhotoImage]] = []

    def build(self) -> None:
        """Make all styles anew. Elements cannot be redefined, so every generation has its own names."""
        self._generation += 1
        self._elements = [*self._elements[-_KEPT:], []]
        c, style = self._theme.colours, self._style
        for name, ground in (("Base", c.base), ("Side", c.side), ("Chat", c.chat), ("Warn", c.warn_ground)):
            style.configure(f"{name}.TFrame", background=ground)
            for kind, face, colour in (
                ("", Face.BODY, c.text),
                ("Strong.", Face.STRONG, c.text),
                ("Title.", Face.TITLE, c.text),
                ("Huge.", Face.HUGE, c.text),
                ("Muted.", Face.BODY, c.muted),
                ("Small.", Face.SMALL, c.muted),
                ("Error.", Face.SMALL, c.danger),
                ("Key.", Face.KEY, c.text),
                ("Code.", Face.CODE, c.text),
            ):
                shown = c.warn_text if name == "Warn" else colour
                style.configure(f"{kind}{name}.TLabel", background=ground, foreground=shown, font=face.value)
        style.configure("Toast.TFrame", background=c.toast_ground)
        style.configure(
            "Toast.TLabel", background=c.toast_ground, foreground=c.toast_text, font=Face.BODY.value
        )
        style.configure("Rule.TFrame", background=c.border)
        # Used by Tk's own file dialog alone, which fails without a colour here.
        style.configure("TCheckbutton", focuscolor=c.accent_text, background=c.base, foreground=c.text)
        self._button("Primary", c.accent, c.accent_hover, c.accent_pressed, c.on_accent, Face.STRONG)
        self._button("Soft", c.soft, c.soft_hover, c.border, c.text, Face.BODY)
        self._button("SoftChat", c.base, c.soft_hover, c.border, c.text, Face.BODY)
        self._button("Warn", c.warn_soft, c.warn_soft, c.warn_soft, c.warn_text, Face.STRONG, slim=True)
        for name, ground in (("Side", c.side), ("Chat", c.chat), ("Base", c.base)):
            self._button(f"Icon{name}", ground, c.soft_hover, c.border, c.text, Face.BODY, icon=True)
        self._button("IconField", c.base, c.soft_hover, c.border, c.text, Face.BODY, icon=True)
        style.configure("IconField.TButton", padding=0)
        # The viewer of pictures is dark in both looks.
        self._button("IconViewer", DARK.base, DARK.soft_hover, DARK.border, DARK.text, Face.BODY, icon=True)
        self._button("Send", c.accent, c.accent_hover, c.accent_pressed, c.on_accent, Face.STRONG, icon=True)
        self._field("Field", c.base, c.base, c.border, 0.5)
        self._field("Pill", c.side, c.soft, c.soft, 1.0)
        self._field("Card", c.chat, c.base, c.border, 0.9)
        self._toggle()
        self._scrollbar()

    def _element(
        self, name: str, image: Image.Image, states: list[tuple[str, Image.Image]], border: int
    ) -> str:
        element = f"Twocans{self._generation}.{name}"
        width, height = image.size
        pictures = [image, *(one for _, one in states)]
        if border:
            # ttk fills an element with as many copies of the middle as it takes, and each is slow.
            size = (2 * border + _MIDDLE[0], 2 * border + _MIDDLE[1])
            pictures = [stretched(one, border, size) for one in pictures]
        photos = [ImageTk.PhotoImage(one, master=self._root) for one in pictures]
        self._elements[-1] += photos
        args: list[object] = [str(photos[0])]
        for (state, _), photo in zip(states, photos[1:], strict=True):
            args += [tuple(state.split()), str(photo)]
        options = ("-border", border, "-width", width, "-height", height, "-sticky", "nsew")
        self._root.tk.call("ttk::style", "element", "create", element, "image", args, *options)
        return element

    def _button(
        self,
        name: str,
        fill: str,
        hover: str,
        pressed: str,
        text: str,
        face: Face,
        *,
        slim: bool = False,
        icon: bool = False,
    ) -> None:
        c = self._theme.colours
        radius = self._em(0.45)
        side = 2 * radius + 4
        ring = {"Primary": c.text, "Send": c.text, "IconViewer": DARK.accent_text}.get(name, c.accent_text)
        width = max(2, self._em(0.12))

        def face_of(colour: str, outline: str | None = None) -> Image.Image:
            return rounded((side, side), radius, colour, outline=outline, width=width)

        disabled = c.soft if name in {"Primary", "Send"} else fill
        element = self._element(
            f"{name}.button",
            face_of(fill),
            [
                ("disabled", face_of(disabled)),
                ("pressed", face_of(pressed)),
                (f"{SHOWN_STATE} active", face_of(hover, ring)),
                (SHOWN_STATE, face_of(fill, ring)),
                ("active", face_of(hover)),
            ],
            radius,
        )
        style = f"{name}.TButton"
        self._style.layout(
            style,
            [
                (
                    element,
                    {
                        "sticky": "nsew",
                        "children": [
                            (
                                "Button.padding",
                                {"sticky": "nsew", "children": [("Button.label", {"sticky": "nsew"})]},
                            )
                        ],
                    },
                )
            ],
        )
        padding = (
            (self._em(0.45), self._em(0.45)) if icon else (self._em(1.0), self._em(0.25 if slim else 0.5))
        )
        ground = {
            "IconSide": c.side,
            "IconChat": c.chat,
            "IconBase": c.base,
            "Send": c.base,
            "SoftChat": c.chat,
            "Warn": c.warn_ground,
            "IconViewer": DARK.base,
        }
        self._style.configure(
            style,
            font=face.value,
            foreground=text,
            background=ground.get(name, c.base),
            padding=padding,
            anchor="center",
            borderwidth=0,
            relief="flat",
            shiftrelief=0,
        )
        self._style.map(
            style,
            foreground=[("disabled", c.disabled)],
            background=[("", ground.get(name, c.base))],
        )

    def _field(self, name: str, ground: str, fill: str, line: str, radius_em: float) -> None:
        c = self._theme.colours
        radius = self._em(radius_em)
        side = 2 * radius + 4
        thin, thick = self._theme.pixel, max(2, self._em(0.12))

        def face_of(outline: str, width: int) -> Image.Image:
            return rounded((side, side), radius, fill, outline=outline, width=width)

        element = self._element(
            f"{name}.field",
            face_of(line, thin),
            [
                ("invalid", face_of(c.danger, thick)),
                ("focus", face_of(c.accent_text, thick)),
            ],
            radius,
        )
        # The frame is the field's round border; what is written in stands inside of it, without one.
        self._style.layout(f"{name}.TFrame", [(element, {"sticky": "nsew"})])
        self._style.configure(f"{name}.TFrame", background=ground)
        self._style.configure(f"{name}.TLabel", background=fill, foreground=c.muted, font=Face.BODY.value)
        entry = f"{name}.TEntry"
        self._style.layout(
            entry,
            [("Entry.padding", {"sticky": "nsew", "children": [("Entry.textarea", {"sticky": "nsew"})]})],
        )
        self._style.configure(
            entry,
            background=fill,
            fieldbackground=fill,
            foreground=c.text,
            insertcolor=c.text,
            selectbackground=c.accent,
            selectforeground=c.on_accent,
            padding=0,
            borderwidth=0,
            insertwidth=max(1, self._theme.pixel),
        )
        self._style.map(entry, foreground=[("disabled", c.muted)])

    def _toggle(self) -> None:
        """Check and radio buttons of the settings."""
        c = self._theme.colours
        size, line = self._em(1.25), max(2, self._em(0.12))

        def box(fill: str, outline: str, radius: float, mark: str | None) -> Image.Image:
            image = Image.new("RGBA", (size + self._em(0.5), size), (0, 0, 0, 0))
            image.alpha_composite(rounded((size, size), radius, fill, outline=outline, width=line))
            if mark == "check-lg":
                glyph = self._theme.render_icon(mark, round(size * 0.72), c.on_accent)
                image.alpha_composite(glyph, (round(size * 0.14), round(size * 0.14)))
            elif mark is not None:
                point = disc(round(size * 0.44), c.on_accent)
                image.alpha_composite(point, ((size - point.width) // 2, (size - point.height) // 2))
            return image

        for kind, radius, mark in (
            ("TCheckbutton", size * 0.25, "check-lg"),
            ("TRadiobutton", size / 2, "dot"),
        ):
            element = self._element(
                f"{kind}.box",
                box(c.base, c.muted, radius, None),
                [
                    ("disabled selected", box(c.disabled, c.disabled, radius, mark)),
                    ("disabled", box(c.soft, c.border, radius, None)),
                    (f"selected {SHOWN_STATE}", box(c.accent, c.text, radius, mark)),
                    ("selected", box(c.accent, c.accent, radius, mark)),
                    (SHOWN_STATE, box(c.base, c.accent_text, radius, None)),
                ],
                0,
            )
            label = kind.replace("T", "", 1)
            style = f"Base.{kind}"
            self._style.layout(
                style,
                [
                    (
                        f"{label}.padding",
                        {
                            "sticky": "nswe",
                            "children": [
                                (element, {"side": "left", "sticky": ""}),
                                (f"{label}.label", {"side": "left", "sticky": "nswe"}),
                            ],
                        },
                    )
                ],
            )
            self._style.configure(
                style,
                background=c.base,
                foreground=c.text,
                font=Face.BODY.value,
                padding=(0, self._em(0.15)),
            )
            self._style.map(style, background=[("active", c.base)], foreground=[("disabled", c.disabled)])

    def _scrollbar(self) -> None:
        c = self._theme.colours
        size = self._em(0.5)
        for name, ground in (("Side", c.side), ("Chat", c.chat), ("Base", c.base)):
            for way, sticky, shape in (
                ("Vertical", "ns", (size, size * 3)),
                ("Horizontal", "ew", (size * 3, size)),
            ):

                def thumb(colour: str, ground: str = ground, shape: tuple[int, int] = shape) -> Image.Image:
                    image = Image.new("RGBA", shape, ground)
                    bar = rounded((shape[0] - 2, shape[1] - 2), (size - 2) / 2, colour)
                    image.paste(bar, (1, 1), bar)
                    return image

                element = self._element(
                    f"{name}.{way}.thumb",
                    thumb(c.border),
                    [("pressed", thumb(c.muted)), ("active", thumb(c.muted))],
                    size // 2,
                )
                style = f"{name}.{way}.TScrollbar"
                self._style.layout(
                    style,
                    [
                        (
                            f"{way}.Scrollbar.trough",
                            {"sticky": sticky, "children": [(element, {"sticky": "nswe"})]},
                        )
                    ],
                )
                self._style.configure(
                    style,
                    troughcolor=ground,
                    background=ground,
                    bordercolor=ground,
                    borderwidth=0,
                    relief="flat",
                )
