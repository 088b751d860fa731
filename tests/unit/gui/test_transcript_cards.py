"""Cards of files: what stays of a long name, where everything is, and which kind a name promises."""

from __future__ import annotations

from datetime import date

import pytest

from twocans.gui.backend.pictures import Size
from twocans.gui.transcript.cards import CardLayout, Thumbnail, elided
from twocans.gui.transcript.file_icons import Kind, kind_of
from twocans.gui.transcript.glyphs import shown
from twocans.gui.transcript.model import Bubble, FileAction, FileCard, Status
from twocans.gui.transcript.rows import Metrics, Row, Rows
from twocans.gui.transcript.ruler import Ruler

RULER = Ruler(lambda text: 8 * len(text), reorders=False)
NOON = 1_741_950_000_000


def card(name: str = "a.pdf", **more: object) -> FileCard:
    fields: dict[str, object] = {
        "detail": "2.1 MB", "fraction": None, "failed": False, "actions": (), "picture": None,
    }  # fmt: skip
    return FileCard(name, **{**fields, **more})  # type: ignore[arg-type]


def row(file: FileCard, *, width: int = 600, own: bool = False, size: Size | None = None) -> Row:
    rows = Rows(
        Metrics(16, 20, 16), RULER, RULER, today=lambda: date(2025, 3, 14), astral=True,
        picture_size=lambda _: size,
    )  # fmt: skip
    rows.set_width(width)
    status = Status.SENT if own else Status.NONE
    return rows.row(Bubble("k", own, file.name, NOON, status, file=file), None, None, divider=False)


def laid_out(file: FileCard, **more: object) -> CardLayout:
    found = row(file, **more).card  # type: ignore[arg-type]
    assert found is not None
    return found


def test_a_long_name_keeps_its_beginning_and_its_end() -> None:
    full = shown("a very long name of a document (final).pdf")
    short = elided(full, 160, RULER)
    assert short.text == "a very lon…inal).pdf"
    assert elided(full, 8 * len(full.text), RULER) is full


def test_what_is_selected_of_a_shortened_name_is_of_the_name_itself() -> None:
    name = "a very long name of a document (final).pdf"
    short = elided(shown(name), 160, RULER)
    assert name[short.to_message(0) : short.to_message(len(short.text))] == name
    place = short.text.index("inal")
    assert name[short.to_message(place) :] == "inal).pdf"


@pytest.mark.parametrize(
    "name", ["x" * 300, "." * 90, "a." + "y" * 90, "e\u0301" * 80 + ".txt", "👩‍👩‍👧" * 60 + ".zip"]
)
def test_every_name_fits(name: str) -> None:
    for width in (8, 40, 100, 300):
        short = elided(shown(name), width, RULER)
        assert RULER.width(short.text) <= max(width, 8)
        assert short.origin is not None
        assert len(short.origin) == len(short.text) + 1
        assert list(short.origin) == sorted(short.origin)


def test_names_with_line_breaks_stay_on_one_line() -> None:
    assert len(laid_out(card("a\nb\r\nc.pdf")).name.lines) == 1


def test_the_bar_moves_without_changing_the_size() -> None:
    boxes = {
        (one.width, one.height)
        for part, detail in ((0.0, "0 bytes of 2.1 MB"), (0.4, "800 KB of 2.1 MB · 9 s left"), (1.0, "all"))
        for one in [laid_out(card(fraction=part, detail=detail, actions=(FileAction.PAUSE,)))]
    }
    assert len(boxes) == 1


@pytest.mark.parametrize("width", [260, 320, 420, 900])
def test_everything_is_within_the_bubble(width: int) -> None:
    for size in (None, (4000, 3000), (10, 3000), (3, 3)):
        file = card(
            "x" * 90 + ".pdf", detail="word " * 30, fraction=0.5, actions=tuple(FileAction), picture="p"
        )
        found = row(file, width=width, own=True, size=size)
        one = found.card
        assert one is not None
        areas = [area for spot in one.spots if (area := one.area(spot)) is not None]
        assert one.bar is not None
        for area in (*areas, one.bar, *([one.icon] if one.icon else [])):
            assert 0 <= area.x <= area.x + area.width <= found.width
            assert 0 <= area.y <= area.y + area.height <= found.box.body
        assert found.x >= 0
        assert found.text_x + found.text.width <= found.width
        assert found.time_x >= 0
        assert found.time_y + 16 <= found.box.body


def test_buttons_do_not_overlap() -> None:
    one = laid_out(card(actions=tuple(FileAction)), width=260)
    for number, (_, area) in enumerate(one.buttons):
        for _, other in one.buttons[number + 1 :]:
            assert area.x + area.width <= other.x or other.x + other.width <= area.x or area.y != other.y
        assert one.spot_at(area.x + area.width // 2, area.y + area.height // 2) is one.buttons[number][0]


def test_room_for_a_picture_is_left_before_it_is_decoded() -> None:
    one = laid_out(card(picture="p"), size=(4000, 3000))
    assert one.picture is not None
    assert one.picture.width / one.picture.height == pytest.approx(4 / 3, abs=0.02)
    assert one.spots == (Thumbnail.PICTURE,)
    assert laid_out(card(picture="p"), size=None).picture is None


def test_pictures_are_not_made_larger_than_they_are() -> None:
    one = laid_out(card(picture="p"), size=(100, 80))
    assert one.picture is not None
    assert (one.picture.width, one.picture.height) == (100, 80)


def test_the_name_tells_the_kind() -> None:
    kinds = [
        kind_of(name)
        for name in ("a.PDF", "b.jpeg", "c.tar.gz", "d.exe", "e", "pdf", "f.mp3", "g.xlsx", "h.webm")
    ]
    assert kinds == [
        Kind.WORDS, Kind.PICTURE, Kind.ARCHIVE, Kind.PROGRAM, Kind.OTHER, Kind.OTHER, Kind.SOUND, Kind.TABLE,
        Kind.FILM,
    ]  # fmt: skip
