"""Smooth shapes as pictures: rounded fields and buttons, discs, the program's own sign. Pillow draws them."""

from __future__ import annotations

from typing import Final

from PIL import Image, ImageDraw

_OVERSAMPLE: Final = 4


def rounded(
    size: tuple[int, int], radius: float, fill: str, *, outline: str | None = None, width: float = 1.0
) -> Image.Image:
    """A rectangle with round corners, in pixels; what is outside of it is transparent."""
    factor = _OVERSAMPLE
    image = Image.new("RGBA", (size[0] * factor, size[1] * factor), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    box = (0, 0, size[0] * factor - 1, size[1] * factor - 1)
    if outline is None:
        draw.rounded_rectangle(box, radius * factor, fill=fill)
    else:
        draw.rounded_rectangle(box, radius * factor, fill=outline)
        inset = max(1, round(width * factor))
        inner = (inset, inset, box[2] - inset, box[3] - inset)
        draw.rounded_rectangle(inner, max(0, radius * factor - inset), fill=fill)
    return image.resize(size, Image.Resampling.LANCZOS)


def stretched(image: Image.Image, border: int, size: tuple[int, int]) -> Image.Image:
    """Make a picture larger by drawing out its middle row and column; the border stays as it is.

    Args:
        image: what to stretch.
        border: its width on all sides, in pixels.
        size: width and height of the result, in pixels.
    """
    result = Image.new(image.mode, size)
    columns, rows = (
        (
            ((0, border), (0, border)),
            ((old // 2, old // 2 + 1), (border, new - border)),
            ((old - border, old), (new - border, new)),
        )
        for old, new in zip(image.size, size, strict=True)
    )
    for (left, right), (to_left, to_right) in columns:
        for (top, bottom), (to_top, to_bottom) in rows:
            part_size = (to_right - to_left, to_bottom - to_top)
            part = image.resize(part_size, Image.Resampling.NEAREST, (left, top, right, bottom))
            result.paste(part, (to_left, to_top))
    return result


def disc(diameter: int, fill: str, *, ring: str | None = None, ring_width: float = 0) -> Image.Image:
    """A disc, with a ring in another colour around it if wanted."""
    return rounded(
        (diameter, diameter), diameter / 2, fill, outline=ring if ring_width else None, width=ring_width
    )


def crescent(diameter: int, fill: str, ring: str, *, ring_width: float = 0) -> Image.Image:
    """A waning moon on a disc of the colour `ring`, which is what shows beside it and around it."""
    image, draw, box = _on_disc(diameter, ring, ring_width)
    draw.ellipse(box, fill=fill)
    moon = box[2] - box[0]
    shadow = (box[0] - moon * 0.14, box[1] - moon * 0.14, box[0] + moon * 0.6, box[1] + moon * 0.6)
    draw.ellipse(shadow, fill=ring)
    return image.resize((diameter, diameter), Image.Resampling.LANCZOS)


def barred(diameter: int, fill: str, ring: str, *, ring_width: float = 0) -> Image.Image:
    """A disc with a bar across it, as on the sign at a street that may not be entered; bar and ring are alike."""
    image, draw, box = _on_disc(diameter, ring, ring_width)
    draw.ellipse(box, fill=fill)
    side = box[2] - box[0]
    middle = (box[1] + box[3]) / 2
    half = max(_OVERSAMPLE * 0.75, side * 0.11)
    draw.rectangle((box[0] + side * 0.2, middle - half, box[2] - side * 0.2, middle + half), fill=ring)
    return image.resize((diameter, diameter), Image.Resampling.LANCZOS)


def _on_disc(
    diameter: int, ring: str, ring_width: float
) -> tuple[Image.Image, ImageDraw.ImageDraw, tuple[float, float, float, float]]:
    """A disc to draw on, oversampled, and the box within its ring."""
    side = diameter * _OVERSAMPLE
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((0, 0, side - 1, side - 1), fill=ring)
    inset = ring_width * _OVERSAMPLE
    return image, draw, (inset, inset, side - 1 - inset, side - 1 - inset)


def sign(size: int, *, front: str = "#3451d1", back: str = "#8ea2ff") -> Image.Image:
    """The program's sign: two cans, leaning towards each other, and the string between them."""
    side = size * _OVERSAMPLE
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    points = []
    for step in range(61):  # the string hangs in a curve from can to can
        part = step / 60
        sag = 1 - (2 * part - 1) ** 2
        points.append((side * (0.27 + part * 0.46), side * (0.60 + sag * 0.26)))
    width = max(2, round(side * 0.045))
    draw.line(points, fill=back, width=width, joint="curve")
    for colour, angle, left in ((front, 16, 0.0), (back, -16, 0.47)):
        can = _can(side, colour).rotate(angle, Image.Resampling.BICUBIC)
        image.alpha_composite(can, (round(left * side), round(0.02 * side)))
    return image.resize((size, size), Image.Resampling.LANCZOS)


def _can(side: int, colour: str) -> Image.Image:
    """An open tin can, seen from above its rim."""
    box = round(side * 0.53)
    image = Image.new("RGBA", (box, box + round(side * 0.16)), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    left, right = round(box * 0.17), round(box * 0.83)
    top, bottom = round(box * 0.16), round(box * 1.08)
    lid = round(box * 0.12)
    draw.ellipse((left, bottom - 2 * lid, right, bottom), fill=colour)
    draw.rectangle((left, top + lid, right, bottom - lid), fill=colour)
    rim = round(box * 0.05)
    draw.ellipse((left - rim, top - rim // 2, right + rim, top + 2 * lid + rim // 2), fill=colour)
    draw.ellipse((left + rim, top + rim, right - rim, top + 2 * lid - rim), fill="#ffffff")
    y = round((top + bottom) * 0.56)
    draw.arc((left, y - lid, right, y + lid), 5, 175, fill="#ffffff", width=max(1, round(box * 0.045)))
    return image
