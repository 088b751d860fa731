"""A row on the canvas: what stands out in it, its colours, and what has to be deleted for it to go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from PIL import ImageTk

from twocans.gui.transcript.cards import Spot
from twocans.gui.transcript.rows import Row

ROW_TAG: Final = "row"


@dataclass(frozen=True, slots=True)
class Marks:
    """What stands out in a row: the selection and what a search found, and whether the message itself was chosen.

    Of what a file offers: what the pointer is on, and what Enter would do.
    """

    span: tuple[int, int] | None = None
    found: tuple[tuple[int, int], ...] = ()
    chosen: bool = False
    pointed: Spot | None = None
    keyed: Spot | None = None


@dataclass(slots=True)
class CanvasRow:
    """A row on the canvas: what was drawn, where, and what has to be deleted for it to go."""

    row: Row
    lines: tuple[int, int]
    marks: Marks
    top: int
    items: list[int] = field(default_factory=list)
    pictures: list[ImageTk.PhotoImage] = field(default_factory=list)  # Tk itself holds none of them
    awaits: str = ""  # the path of a picture that is not here yet

    def add(self, item: int, picture: ImageTk.PhotoImage | None) -> None:
        """Keep what was drawn, to be deleted with the row."""
        self.items.append(item)
        if picture is not None:
            self.pictures.append(picture)


@dataclass(frozen=True, slots=True)
class Colours:
    """Those of a bubble, and of what is on it."""

    fill: str
    text: str
    muted: str
    link: str
    selection: str
    found: str
    danger: str
