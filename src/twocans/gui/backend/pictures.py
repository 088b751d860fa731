"""Reads pictures that others have sent, and nothing of them that could fill the memory or keep the processor busy.

Work for another thread than the window's, but for `size_of`, which reads no more than the beginning of a file.
"""

from __future__ import annotations

import stat
import struct
import warnings
import zlib
from pathlib import Path
from typing import Final

from PIL import Image, ImageOps

FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
"""No others are opened, whatever a file is called."""
MAX_FILE_BYTES: Final = 64 * 1024 * 1024
MAX_PIXELS: Final = 50_000_000

_ORIENTATION: Final = 0x0112  # EXIF's number for it
_TURNED: Final = frozenset({5, 6, 7, 8})
_DAMAGE: Final = (
    # What Pillow's readers raise for files that are not what they should be.
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)

Size = tuple[int, int]

# Both are for the whole process, as Pillow has it: no reader of it goes beyond, and a warning would go nowhere.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


class Unshowable(Exception):
    """A file cannot be shown as a picture; its text is a sentence."""


def size_of(path: str) -> Size | None:
    """Width and height of a picture as it is shown, in pixels; None if it cannot be shown.

    The rest of the file may still be damaged.
    """
    try:
        with _opened(path) as image:
            width, height = image.size
            return (height, width) if _orientation(image) in _TURNED else (width, height)
    except Unshowable:
        return None


def load(path: str, within: Size) -> Image.Image | None:
    """A picture made small enough for a box of pixels, upright, in RGB or RGBA; None if it cannot be shown."""
    try:
        return read(path, within)
    except Unshowable:
        return None


def read(path: str, within: Size | None = None) -> Image.Image:
    """A picture, upright, in RGB or RGBA, as large as it is or as fits into a box of pixels. Of a film, the first frame.

    Raises:
        Unshowable: it is too large, damaged, gone, or no picture.
    """
    with _opened(path) as image:
        try:
            if within is not None:
                # The box is for the picture as it is shown, which may be turned.
                box = within[::-1] if _orientation(image) in _TURNED else within
                image.draft("RGB", (2 * box[0], 2 * box[1]))
                image.thumbnail(box, Image.Resampling.LANCZOS, reducing_gap=2.0)
            upright = ImageOps.exif_transpose(image)
            return upright.convert("RGBA" if upright.has_transparency_data else "RGB")
        except _DAMAGE as error:
            raise Unshowable("This picture is damaged.") from error


def _opened(path: str) -> Image.Image:
    try:
        about = Path(path).stat()
        if not stat.S_ISREG(about.st_mode):
            raise Unshowable("This is not a picture.")
        if about.st_size > MAX_FILE_BYTES:
            raise Unshowable(_too_large())
        image = Image.open(path, formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unshowable(_too_large()) from error
    except FileNotFoundError as error:
        raise Unshowable("This picture is not there any more.") from error
    except PermissionError as error:
        raise Unshowable("This picture cannot be read.") from error
    except _DAMAGE as error:
        raise Unshowable("This picture is damaged, or is none.") from error
    if image.width * image.height > MAX_PIXELS:
        image.close()
        raise Unshowable(_too_large())
    return image


def _orientation(image: Image.Image) -> int:
    # Pillow would read all of a PNG to find out that it has no such data.
    if "exif" not in image.info:
        return 1
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except _DAMAGE:
        return 1


def _too_large() -> str:
    return (
        f"This picture is too large to be shown here. The most are {MAX_PIXELS // 1_000_000} million pixels."
    )
