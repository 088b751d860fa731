"""What kind of file a name promises, and the sign for it: drawn here, so that no font has to have it."""

from __future__ import annotations

from enum import Enum
from typing import Final, assert_never

from PIL import ImageDraw

_WORDS: Final = "txt md rtf doc docx odt pdf epub pages tex log"
_PICTURE: Final = "png jpg jpeg gif webp bmp svg tif tiff heic heif avif ico psd xcf"
_SOUND: Final = "mp3 wav ogg oga opus flac m4a aac wma mid midi"
_FILM: Final = "mp4 mkv mov avi webm m4v wmv mpg mpeg ogv"
_ARCHIVE: Final = "zip 7z rar tar gz tgz bz2 xz zst iso dmg"
_TABLE: Final = "csv tsv xls xlsx ods numbers"
_PROGRAM: Final = (
    "exe msi bat cmd com scr ps1 vbs js jar app apk deb rpm appimage run sh bash py pl rb desktop lnk reg"
)


class Kind(Enum):
    """Kinds of files that are told apart."""

    OTHER = "other"
    WORDS = "words"
    PICTURE = "picture"
    SOUND = "sound"
    FILM = "film"
    ARCHIVE = "archive"
    TABLE = "table"
    PROGRAM = "program"


_KINDS: Final = {
    suffix: kind
    for kind, suffixes in (
        (Kind.WORDS, _WORDS),
        (Kind.PICTURE, _PICTURE),
        (Kind.SOUND, _SOUND),
        (Kind.FILM, _FILM),
        (Kind.ARCHIVE, _ARCHIVE),
        (Kind.TABLE, _TABLE),
        (Kind.PROGRAM, _PROGRAM),
    )
    for suffix in suffixes.split()
}


def kind_of(name: str) -> Kind:
    """The kind of a file, going by the end of its name."""
    _, dot, suffix = name.rpartition(".")
    return _KINDS.get(suffix.casefold(), Kind.OTHER) if dot else Kind.OTHER


def draw_kind(pen: ImageDraw.ImageDraw, kind: Kind, side: int, colour: str, ground: str) -> None:
    """Draws the sign into a square of `side` pixels; `ground` is what is behind it."""
    line = max(1, round(side * 0.055))

    def at(*parts: float) -> tuple[float, ...]:
        return tuple(part * side for part in parts)

    match kind:
        case Kind.OTHER:
            _page(pen, side, colour, ground)
        case Kind.WORDS:
            _page(pen, side, colour, ground)
            for y, right in ((0.52, 0.66), (0.63, 0.66), (0.74, 0.54)):
                pen.line(at(0.34, y, right, y), ground, line)
        case Kind.PICTURE:
            pen.rounded_rectangle(at(0.18, 0.24, 0.82, 0.76), side * 0.07, colour)
            pen.ellipse(at(0.28, 0.33, 0.40, 0.45), ground)
            pen.polygon(at(0.25, 0.69, 0.43, 0.50, 0.52, 0.58, 0.62, 0.44, 0.76, 0.69), ground)
        case Kind.SOUND:
            for x in (0.24, 0.56):
                pen.ellipse(at(x, 0.62, x + 0.18, 0.77), colour)
                pen.rectangle(at(x + 0.13, 0.27, x + 0.18, 0.70), colour)
            pen.rectangle(at(0.37, 0.24, 0.74, 0.35), colour)
        case Kind.FILM:
            pen.rounded_rectangle(at(0.16, 0.25, 0.84, 0.75), side * 0.09, colour)
            pen.polygon(at(0.43, 0.37, 0.43, 0.63, 0.64, 0.50), ground)
        case Kind.ARCHIVE:
            pen.rounded_rectangle(at(0.17, 0.24, 0.83, 0.42), side * 0.05, colour)
            pen.rounded_rectangle(at(0.21, 0.46, 0.79, 0.78), side * 0.05, colour)
            pen.rounded_rectangle(at(0.41, 0.53, 0.59, 0.59), side * 0.03, ground)
        case Kind.TABLE:
            pen.rounded_rectangle(at(0.18, 0.22, 0.82, 0.78), side * 0.06, colour)
            for y in (0.40, 0.59):
                pen.line(at(0.18, y, 0.82, y), ground, line)
            pen.line(at(0.42, 0.40, 0.42, 0.78), ground, line)
        case Kind.PROGRAM:
            pen.rounded_rectangle(at(0.15, 0.22, 0.85, 0.78), side * 0.08, colour)
            pen.line(at(0.27, 0.37, 0.40, 0.49, 0.27, 0.61), ground, line, "curve")
            pen.line(at(0.47, 0.63, 0.66, 0.63), ground, line)
        case _:
            assert_never(kind)


def draw_failed(pen: ImageDraw.ImageDraw, side: int, colour: str) -> None:
    """Draws an exclamation mark into a square of `side` pixels."""
    pen.rounded_rectangle((side * 0.45, side * 0.22, side * 0.55, side * 0.60), side * 0.05, colour)
    pen.ellipse((side * 0.44, side * 0.67, side * 0.56, side * 0.79), colour)


def _page(pen: ImageDraw.ImageDraw, side: int, colour: str, ground: str) -> None:
    """A page with a corner turned down."""
    left, top, right, bottom, fold = (part * side for part in (0.25, 0.16, 0.75, 0.84, 0.2))
    pen.rounded_rectangle((left, top, right, bottom), side * 0.05, colour)
    pen.polygon((right - fold, top, right + 1, top, right + 1, top + fold), ground)
    pen.polygon((right - fold, top, right - fold, top + fold, right, top + fold), colour)
    pen.line(
        (right - fold, top, right - fold, top + fold, right, top + fold), ground, max(1, round(side * 0.035))
    )
