"""The place of the main window from one start to the next, on screens of any size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from Xlib.display import Display as XDisplay
from Xlib.ext import randr
from Xlib.protocol import rq

from tests.gui.harness import ClientProcess, Person, xdotool
from tests.gui.test_tray import a_tray, click_icon, close
from twocans.gui.backend.settings import Settings, SettingsFile, config_dir
from twocans.gui.platform.screens import Box, work_areas

Screens = Callable[[int, int], None]


def settings() -> Settings:
    return SettingsFile(config_dir()).load()[0]


def save(**changed: object) -> None:
    kept = settings()
    for name, value in changed.items():
        setattr(kept, name, value)
    assert SettingsFile(config_dir()).save(kept) == ""


def place_of(person: Person) -> Box:
    """Where the window is with its frame around it."""
    root = person.root
    place = Box.parse(root.geometry())
    assert place is not None
    border = root.winfo_rootx() - place.left
    height = root.winfo_rooty() - place.top + root.winfo_height() + border
    return Box(place.left, place.top, root.winfo_width() + 2 * border, height)


def is_within(place: Box, area: Box) -> bool:
    return (
        place.left >= area.left
        and place.top >= area.top
        and place.right <= area.right
        and place.bottom <= area.bottom
    )


def test_a_window_is_where_it_was_left() -> None:
    with Person(port=1) as alice:
        alice.root.geometry("700x600+200+150")
        alice.wait(lambda: alice.root.winfo_width() == 700)
    with Person(port=1) as alice:
        assert alice.root.geometry() == "700x600+200+150"


@pytest.mark.parametrize("geometry", ["2400x1400+0+0", "900x700+2000+300", "900x700+-850+-300"])
def test_a_window_from_a_larger_or_another_screen_is_brought_onto_this_one(
    geometry: str, screen_of: Screens
) -> None:
    screen_of(1366, 768)
    save(geometry=geometry)
    with Person(port=1) as alice:
        alice.wait(lambda: is_within(place_of(alice), Box(0, 0, 1366, 768)))


def test_a_panel_of_the_desktop_stays_free(screen_of: Screens) -> None:
    screen_of(1366, 768)
    with a_tray(strut=True), Person(port=1) as alice:
        alice.wait(lambda: work_areas(alice.root)[0].height < 768)
        (area,) = work_areas(alice.root)
        save(geometry="1366x768+0+0")
        alice.close()
        with Person(port=1) as again:
            again.wait(lambda: is_within(place_of(again), area))


@pytest.mark.parametrize(
    ("size", "text", "scale"),
    [
        ((1366, 768), 3.0, "1"),
        ((1366, 768), 2.0, "2"),
        ((1366, 768), 3.0, "3"),
        ((1024, 600), 2.0, "1"),
        ((1024, 600), 3.0, "2"),
    ],
)
def test_the_window_never_needs_more_than_the_screen(
    size: tuple[int, int],
    text: float,
    scale: str,
    screen_of: Screens,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen_of(*size)
    monkeypatch.setenv("GDK_SCALE", scale)
    save(text_size=text)
    with Person(port=1) as alice:
        width, height = alice.root.minsize()
        assert width <= size[0]
        assert height < size[1]
        alice.wait(lambda: is_within(place_of(alice), Box(0, 0, *size)))


def test_larger_text_does_not_push_the_window_off_the_screen(screen_of: Screens) -> None:
    screen_of(1366, 768)
    save(geometry="500x500+860+240")
    with Person(port=1) as alice:
        alice.window._set_text_size(2.0)
        alice.wait(lambda: alice.root.winfo_width() > 500)
        alice.wait(lambda: is_within(place_of(alice), Box(0, 0, 1366, 768)))


def test_maximised_is_kept_and_the_size_that_the_window_had_before(tmp_path: Path) -> None:
    save(geometry="700x600+200+150")
    with Person(port=1) as alice:
        alice.root.attributes("-zoomed", True)
        alice.wait(lambda: alice.root.winfo_width() > 1500)
    assert settings().maximised
    assert settings().geometry == "700x600+200+150"
    with Person(port=1) as alice:
        alice.wait(lambda: alice.root.winfo_width() > 1500)
        alice.root.attributes("-zoomed", False)
        alice.wait(lambda: alice.root.geometry() == "700x600+200+150")
    assert not settings().maximised
    assert settings().geometry == "700x600+200+150"


def test_maximised_comes_back_from_the_tray_as_such() -> None:
    save(keep_in_tray=True)
    with a_tray(), Person(port=1) as alice:
        alice.wait(lambda: not alice.window.reach.tray_problem)
        alice.root.attributes("-zoomed", True)
        alice.wait(lambda: alice.root.winfo_width() > 1500)
        close(alice)
        alice.wait(lambda: alice.root.state() == "withdrawn")
        click_icon(alice)
        alice.wait(lambda: alice.root.winfo_viewable() and alice.root.winfo_width() > 1500)
        alice.wait(lambda: alice.root.attributes("-zoomed"))
        close(alice)
        alice.wait(lambda: alice.root.state() == "withdrawn")
    assert settings().maximised


def test_a_client_of_its_own_keeps_that_it_was_maximised(tmp_path: Path) -> None:
    with ClientProcess(tmp_path / "a") as first:
        first.key("super+x")  # nothing; the window has the keyboard
        xdotool("windowsize", first._window, "700", "600")
        first.key("ctrl+q")
        assert first.quits() == 0
    kept, _ = SettingsFile(tmp_path / "a" / "config").load()
    assert kept.geometry.startswith("700x600")
    assert not kept.maximised


class SetMonitor(rq.Request):
    """RRSetMonitor of RandR 1.5, which the library cannot put together."""

    _request = rq.Struct(
        rq.Card8("opcode"),
        rq.Opcode(43),
        rq.RequestLength(),
        rq.Window("window"),
        rq.Card32("name"),
        rq.Bool("primary"),
        rq.Bool("automatic"),
        rq.LengthOf("outputs", 2),
        rq.Int16("x"),
        rq.Int16("y"),
        rq.Card16("width"),
        rq.Card16("height"),
        rq.Card32("width_mm"),
        rq.Card32("height_mm"),
        rq.List("outputs", rq.Card32Obj),
    )


def add_monitor(name: str, box: Box, *, primary: bool) -> None:
    """Make a part of the screen one that the desktop takes for a monitor."""
    display = XDisplay()
    try:
        SetMonitor(
            display=display.display,
            opcode=display.display.get_extension_major(randr.extname),
            window=display.screen().root,
            name=display.intern_atom(name),
            primary=primary,
            automatic=False,
            x=box.left,
            y=box.top,
            width=box.width,
            height=box.height,
            width_mm=200,
            height_mm=150,
            outputs=[],
        )
        display.sync()
    finally:
        display.close()


def test_the_monitors_are_told_apart_the_first_one_first(screen_of: Screens) -> None:
    screen_of(1600, 600)
    add_monitor("left", Box(0, 0, 800, 600), primary=False)
    add_monitor("right", Box(800, 0, 800, 600), primary=True)
    save(geometry="700x900+2000+50")
    with Person(port=1) as alice:
        areas = work_areas(alice.root)
        assert areas[0] == Box(800, 0, 800, 600)
        assert Box(0, 0, 800, 600) in areas
        alice.wait(lambda: is_within(place_of(alice), Box(800, 0, 800, 600)))
