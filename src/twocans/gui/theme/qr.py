"""QR codes (ISO/IEC 18004) as pictures."""

from __future__ import annotations

from typing import Final

import segno
from PIL import Image

QUIET_MODULES: Final = 4
"""What has to stay free around the code (ISO/IEC 18004, section 6.3.8)."""
_LEAST_MODULE: Final = 2


def qr_code(text: str, width: int) -> Image.Image:
    """A code of `width` pixels at most, its free border included: black on white in every look, or phones do not read it.

    Every module is as many whole pixels wide as there is room for, and never less than two.
    """
    code = segno.make_qr(text, error="m")
    modules = len(code.matrix) + 2 * QUIET_MODULES
    picture = Image.new("L", (modules, modules), 255)
    for y, row in enumerate(code.matrix, QUIET_MODULES):
        for x, dark in enumerate(row, QUIET_MODULES):
            if dark:
                picture.putpixel((x, y), 0)
    side = modules * max(_LEAST_MODULE, width // modules)
    return picture.resize((side, side), Image.Resampling.NEAREST)
