"""Where windows and menus go on screens of any size."""

from __future__ import annotations

import pytest

from twocans.gui.platform.screens import Box, beside, fit

LEFT = Box(0, 0, 1366, 768)
RIGHT = Box(1366, 0, 1920, 1080)


@pytest.mark.parametrize(
    ("window", "fitted"),
    [
        (Box(100, 50, 800, 600), Box(100, 50, 800, 600)),
        (Box(100, 50, 1500, 2000), Box(0, 0, 1364, 738)),
        (Box(700, 500, 800, 600), Box(564, 138, 800, 600)),
        (Box(-300, -40, 800, 600), Box(0, 0, 800, 600)),
        (Box(1500, 100, 1700, 900), Box(1500, 100, 1700, 900)),
        (Box(5000, 3000, 800, 600), Box(564, 138, 800, 600)),
    ],
    ids=[
        "inside",
        "too large",
        "half outside",
        "outside above",
        "on the second screen",
        "on a screen that is gone",
    ],
)
def test_a_window_is_brought_onto_the_screen_that_holds_most_of_it(window: Box, fitted: Box) -> None:
    assert fit(window, [LEFT, RIGHT], frame=(2, 30)) == fitted


@pytest.mark.parametrize(
    ("at", "size", "place"),
    [
        (Box(100, 100, 40, 30), (200, 300), (100, 130)),
        (Box(1300, 100, 40, 30), (200, 300), (1140, 130)),
        (Box(100, 700, 40, 30), (200, 300), (100, 400)),
        (Box(100, 400, 40, 30), (200, 760), (140, 8)),
        (Box(1300, 400, 40, 30), (200, 760), (1100, 8)),
        (Box(100, 400, 0, 0), (2000, 2000), (0, 0)),
    ],
    ids=["below", "at the right edge", "above", "beside", "at the left", "larger than the screen"],
)
def test_a_menu_covers_nothing_of_its_button_where_there_is_room(
    at: Box, size: tuple[int, int], place: tuple[int, int]
) -> None:
    assert beside(at, size, LEFT) == place


@pytest.mark.parametrize(
    ("geometry", "box"),
    [
        ("900x640+100+80", Box(100, 80, 900, 640)),
        ("900x640+-100+-80", Box(-100, -80, 900, 640)),
        ("900x640", None),
        ("", None),
    ],
)
def test_tks_geometry_is_read(geometry: str, box: Box | None) -> None:
    assert Box.parse(geometry) == box
    assert box is None or box.geometry == geometry
