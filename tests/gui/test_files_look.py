"""Files in a real window: cards in the transcript, files dropped, pasted and about to be sent, and the viewer."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from tests.gui.harness import Person, xdotool
from tests.gui.transcript_window import NOON, Window, many, opened, said
from tests.support.deadline import DEADLINE_S
from tests.support.process import ServerProcess, environment
from tests.support.raw import JsonPeer
from twocans.gui.backend import pictures
from twocans.gui.platform import paste
from twocans.gui.transcript.model import Bubble, FileAction, FileCard, Status
from twocans.gui.views.viewer import ViewerWindow


@pytest.fixture
def window() -> Iterator[Window]:
    with opened() as window:
        yield window


@pytest.fixture
def alice(server: ServerProcess) -> Iterator[Person]:
    with JsonPeer(server.port, "bob"), Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: alice.names == ["bob"])
        alice.window.act(alice.vm.open, "bob")
        alice.wait(lambda: alice.composer.winfo_viewable())
        yield alice


def carried(
    number: int,
    name: str = "report.pdf",
    *,
    detail: str = "2.1 MB",
    fraction: float | None = None,
    failed: bool = False,
    actions: tuple[FileAction, ...] = (),
    picture: Path | None = None,
) -> Bubble:
    file = FileCard(name, detail, fraction, failed, actions, None if picture is None else str(picture))
    return Bubble(f"k{number}", False, name, NOON + number * 10_000, Status.NONE, file=file)


def painted(path: Path, colour: str = "#c02040", size: tuple[int, int] = (800, 600)) -> Path:
    Image.new("RGB", size, colour).save(path)
    return path


def images(window: Window) -> dict[int, tuple[int, int]]:
    """The pictures on the canvas by their size."""
    return {
        item: (right - left, bottom - top)
        for item in window.canvas.find_withtag("row")
        if window.kind(item) == "image"
        for left, top, right, bottom in [window.canvas.bbox(item)]
    }


# --- cards ------------------------------------------------------------------------------------------------


def test_a_click_on_a_button_does_what_it_says(window: Window) -> None:
    window.show(carried(1, fraction=0.3, actions=(FileAction.PAUSE, FileAction.CANCEL)))
    window.click(*window.where("Pause"), times=2)
    window.click(*window.where("Cancel"))
    window.click(*window.where("report.pdf"))
    assert window.file_actions == [
        ("k1", FileAction.PAUSE),
        ("k1", FileAction.PAUSE),
        ("k1", FileAction.CANCEL),
    ]
    window.canvas.event_generate("<Motion>", x=window.where("Pause")[0], y=window.where("Pause")[1])
    assert window.canvas.cget("cursor") == "hand2"


def test_a_button_that_changed_under_the_pointer_is_not_pressed(window: Window) -> None:
    window.show(carried(1, fraction=0.9, actions=(FileAction.PAUSE, FileAction.CANCEL)))
    x, y = window.where("Pause")
    window.canvas.event_generate("<ButtonPress-1>", x=x, y=y)
    window.transcript.replace("k1", carried(1, fraction=1.0, actions=(FileAction.OPEN, FileAction.SHOW)))
    window.root.update()
    window.canvas.event_generate("<ButtonRelease-1>", x=x, y=y)
    assert window.file_actions == []


def test_buttons_and_the_picture_are_reached_by_key(window: Window, tmp_path: Path) -> None:
    actions = (FileAction.OPEN, FileAction.SHOW)
    window.show(said(0), carried(1, "a.png", actions=actions, picture=painted(tmp_path / "a.png")))
    window.key("<Control-Up>")
    window.key("<Return>")
    assert window.pictures == ["k1"]
    window.key("<Right>")
    window.key("<Return>")
    window.key("<Right>")
    window.key("<Right>")
    window.key("<Return>")
    window.key("<Left>")
    window.key("<Return>")
    assert [action for _, action in window.file_actions] == [
        FileAction.OPEN,
        FileAction.SHOW,
        FileAction.OPEN,
    ]


def test_files_are_copied_by_their_names(window: Window) -> None:
    name = "a very long name of a document that nobody could ever want to read to its end.pdf"
    window.show(said(1, "look"), carried(2, name), said(3, "bye"))
    window.key("<Control-a>")
    window.key("<<Copy>>")
    assert window.root.clipboard_get() == f"look\n{name}\nbye"
    assert name not in window.text_items()
    assert any(text.startswith("a very") and text.endswith("end.pdf") for text in window.text_items())


def test_the_whole_name_is_told_where_the_pointer_rests(window: Window) -> None:
    name = f"{'long ' * 30}name.pdf"
    window.show(carried(0, "other.pdf", fraction=0.1), carried(1, name))
    short = next(text for text in window.text_items() if text.startswith("long"))
    x, y = window.where(short)
    window.canvas.event_generate("<Motion>", x=x, y=y)

    def told() -> str:
        items = window.canvas.find_withtag("tip")
        return "".join(window.written(item) for item in items if window.kind(item) == "text")

    window.until(lambda: told() == name)
    window.transcript.replace("k0", carried(0, "other.pdf", fraction=0.2))
    window.root.update()
    assert told() == name


def test_a_bar_that_moves_draws_its_own_bubble_only_and_leaves_the_rest(window: Window) -> None:
    window.show(*many(40), carried(50, fraction=0.0, detail="0 bytes of 2.1 MB"), *many(2, 60))
    window.drag(window.where("message 60"), window.where("message 61"))
    selected = window.transcript.selected_text()
    before = set(window.canvas.find_withtag("row"))
    place, where = window.transcript.view_state(), window.where("message 60")
    for step in range(1, 31):
        window.transcript.replace("k50", carried(50, fraction=step / 30, detail=f"{step} KB of 2.1 MB"))
        window.root.update()
    after = set(window.canvas.find_withtag("row"))
    assert len(before - after) < 12  # what one bubble consists of
    assert window.transcript.selected_text() == selected
    assert window.transcript.view_state() == place
    assert window.where("message 60") == where


def test_a_picture_comes_into_the_room_that_was_left_for_it(window: Window, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "a.jpg"
    Image.new("RGB", (1600, 1200), "#20c040").save(path, exif=exif)
    window.transcript.set_bubbles([carried(1, "a.jpg", picture=path), said(2, "below")])
    window.transcript.update_idletasks()
    before = window.where("below")
    largest = max(images(window).values())
    colour = window.root.winfo_rgb("#20c040")
    assert largest[0] < largest[1]

    def shown() -> bool:
        pictures = [
            str(window.root.tk.call(str(window.canvas), "itemcget", item, "-image"))
            for item, size in images(window).items()
            if size == largest
        ]
        middle = window.root.tk.call(pictures[0], "get", largest[0] // 2, largest[1] // 2)
        found = [int(part) for part in window.root.tk.splitlist(middle)][:3]
        return all(abs(part - wanted // 257) < 8 for part, wanted in zip(found, colour, strict=True))

    window.until(shown)
    assert window.where("below") == before
    assert max(images(window).values()) == largest
    (item,) = [item for item, size in images(window).items() if size == largest]
    left, top, right, bottom = window.canvas.bbox(item)
    window.click((left + right) // 2, (top + bottom) // 2)
    assert window.pictures == ["k1"]


def test_a_damaged_picture_leaves_a_card_without_one(window: Window, tmp_path: Path) -> None:
    whole = painted(tmp_path / "a.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[:-300])
    (tmp_path / "text.png").write_text("no picture")
    window.show(
        carried(1, "cut.png", picture=tmp_path / "cut.png"),
        carried(2, "text.png", picture=tmp_path / "text.png"),
        carried(3, "gone.png", picture=tmp_path / "gone.png"),
    )
    window.until(lambda: max(images(window).values()) < (100, 100))
    assert {"cut.png", "text.png", "gone.png"} <= set(window.text_items())


def test_pictures_out_of_view_are_not_decoded(
    window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[str] = []
    begun, go_on = threading.Event(), threading.Event()
    load = pictures.load

    def noted(path: str, within: tuple[int, int]) -> Image.Image | None:
        decoded.append(path)
        begun.set()
        assert go_on.wait(DEADLINE_S)
        return load(path, within)

    monkeypatch.setattr(pictures, "load", noted)
    paths = [painted(tmp_path / f"{number}.png") for number in range(60)]
    window.show(*(carried(number, f"{number}.png", picture=path) for number, path in enumerate(paths)))
    window.until(begun.is_set)
    window.key("<Home>")
    go_on.set()
    window.until(lambda: str(paths[0]) in decoded)
    assert len(decoded) == 1 + len({path for path in map(str, paths[:5]) if path in decoded})


# --- about to be sent -------------------------------------------------------------------------------------


@contextmanager
def dragged(*paths: Path | str) -> Iterator[tuple[str, str]]:
    """A program from whose window files can be dragged; where to take hold of them."""
    program = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("dragging.py")), *map(str, paths)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        assert program.stdout is not None
        x, y = program.stdout.readline().split()
        yield x, y
    finally:
        xdotool("mouseup", "1")  # or a test that fails while it drags fails those after it
        program.kill()
        program.communicate()


def test_files_are_dropped_onto_the_chat(alice: Person, tmp_path: Path) -> None:
    one, two = tmp_path / "größe ä.txt", tmp_path / "b {x} $y [z].txt"
    one.write_text("1")
    two.write_text("2")
    alice.root.geometry("800x600+20+20")
    alice.wait(lambda: alice.root.winfo_width() == 800)
    chat = alice.window.chat
    target = [chat.winfo_rootx() + 200, chat.winfo_rooty() + 250]
    with dragged(one, two, "https://a.example/cat.png") as (x, y):
        alice._xdotool("mousemove", x, y, "mousedown", "1")
        for step in range(1, 11):
            alice._xdotool("mousemove_relative", "--", str(-step), str(-step))
        for step in range(8):
            alice._xdotool("mousemove", str(target[0] + step), str(target[1] + step))
        alice.wait(lambda: chat.overlay.shown)
        alice._xdotool("mouseup", "1")
        alice.wait(lambda: chat.composer.attachments.names)
    assert chat.composer.attachments.names == [one.name, "b {x} $y [z].txt"]
    assert not chat.overlay.shown
    alice.wait(lambda: alice.root.focus_get() is alice.composer)
    assert [one.path for one in alice.vm.attachments] == [str(one), str(two)]
    assert alice.vm.notice is not None
    assert alice.vm.notice.text.startswith("“https://a.example/cat.png” is not a file on this computer.")


def copied(path: Path, kind: str) -> None:
    """Put what is in a file onto the clipboard."""
    subprocess.run(
        ["xclip", "-selection", "clipboard", "-t", kind, "-i", str(path)],
        check=True,
        timeout=DEADLINE_S,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("size", [(60, 40), (900, 700)])
def test_a_copied_picture_is_pasted_as_a_file(alice: Person, tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "copied.png"
    Image.effect_noise(size, 90).convert("RGB").save(path)
    copied(path, "image/png")
    alice.window.chat.composer.focus_text()
    alice.key("ctrl+v")
    alice.wait(lambda: alice.vm.attachments)
    (pasted,) = alice.vm.attachments
    assert pasted.name.startswith("Pasted image 20")
    assert pasted.name.endswith(".png")
    with Image.open(pasted.path) as image:
        assert image.size == size
    assert Path(pasted.path).stat().st_mode & 0o077 == 0
    alice.key("ctrl+v")
    alice.wait(lambda: len(alice.vm.attachments) == 2)


def test_a_small_picture_is_pasted_without_any_other_program(
    alice: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied(painted(tmp_path / "copied.png", size=(50, 40)), "image/png")
    monkeypatch.setattr(paste, "_PROGRAMS", ())
    alice.window.chat.composer.focus_text()
    alice.key("ctrl+v")
    alice.wait(lambda: alice.vm.attachments)
    (pasted,) = alice.vm.attachments
    assert Path(pasted.path).read_bytes() == (tmp_path / "copied.png").read_bytes()


def test_copied_files_are_pasted_and_copied_text_stays_text(alice: Person, tmp_path: Path) -> None:
    one = tmp_path / "a b.txt"
    one.write_text("1")
    uris = tmp_path / "uris"
    uris.write_text(f"{one.as_uri()}\r\nhttps://a.example/\r\n")
    copied(uris, "text/uri-list")
    alice.window.chat.composer.focus_text()
    alice.key("ctrl+v")
    alice.wait(lambda: [one.name for one in alice.vm.attachments] == ["a b.txt"])
    assert alice.composer.get("1.0", "end-1c") == ""
    text = tmp_path / "text"
    text.write_text("hello")
    copied(text, "UTF8_STRING")
    alice.key("ctrl+v")
    alice.wait(lambda: alice.composer.get("1.0", "end-1c") == "hello")
    assert len(alice.vm.attachments) == 1


@pytest.mark.parametrize(
    ("kind", "content", "notice"),
    [
        ("image/png", b"\x89PNG\r\n\x1a\n and no more", paste.UNREADABLE),
        ("image/jpeg", b"", paste.UNREADABLE),
        ("image/png", b"x" * 2000, paste.TOO_LARGE),
        ("text/uri-list", b"https://a.example/cat.png\r\n", paste.NOT_HERE),
        ("application/x-drawing", b"lines", paste.NOTHING),
    ],
)
def test_what_cannot_be_pasted_is_told(
    alice: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, content: bytes, notice: str
) -> None:
    monkeypatch.setattr(paste, "MAX_BYTES", 1000)
    (tmp_path / "copied").write_bytes(content)
    copied(tmp_path / "copied", kind)
    alice.window.chat.composer.focus_text()
    alice.key("ctrl+v")
    alice.wait(lambda: alice.vm.notice is not None)
    assert alice.vm.notice is not None
    assert alice.vm.notice.text == notice
    assert alice.vm.attachments == ()
    assert alice.composer.get("1.0", "end-1c") == ""


def test_files_are_taken_out_by_their_crosses(alice: Person, tmp_path: Path) -> None:
    paths = [str(painted(tmp_path / f"{number}.png")) for number in range(3)]
    alice.window.act(alice.vm.attach, paths)
    strip = alice.window.chat.composer.attachments
    alice.wait(lambda: strip.winfo_viewable())
    assert strip.names == ["0.png", "1.png", "2.png"]
    alice.click(strip._chips[paths[1]].cross)
    alice.wait(lambda: strip.names == ["0.png", "2.png"])
    strip._chips[paths[0]].cross.focus_set()
    alice.key("space")
    alice.wait(lambda: strip.names == ["2.png"])
    alice.key("space")
    alice.wait(lambda: not strip.winfo_viewable())


# --- the viewer -------------------------------------------------------------------------------------------


@contextmanager
def viewing(person: Person, paths: list[Path], index: int) -> Iterator[tuple[ViewerWindow, list[int]]]:
    saves: list[int] = []
    viewer = ViewerWindow(
        person.root, person.app.theme, [(str(path), path.name) for path in paths], index, saves.append
    )
    person.wait(lambda: viewer.winfo_viewable() and viewer.focus_displayof() is not None)
    yield viewer, saves
    if viewer.winfo_exists():
        viewer.destroy()


def test_the_viewer_goes_through_the_pictures_and_zooms(alice: Person, tmp_path: Path) -> None:
    paths = [
        painted(tmp_path / "a.png", size=(3000, 2000)),
        painted(tmp_path / "b.jpg", size=(300, 200)),
        tmp_path / "c.png",
    ]
    paths[2].write_text("no picture")
    with viewing(alice, paths, 0) as (viewer, saves):
        alice.wait(lambda: viewer.title() == "a.png – 3000 × 2000")
        alice.wait(lambda: viewer.factor < 0.5)
        fitting = viewer.factor
        alice.key("plus")
        assert viewer.factor == pytest.approx(fitting * 1.25)
        alice.key("1")
        assert viewer.factor == 1.0
        alice.key("0")
        assert viewer.factor == fitting
        alice._xdotool(
            "mousemove", str(viewer.winfo_rootx() + 100), str(viewer.winfo_rooty() + 100), "click", "4"
        )
        alice.wait(lambda: viewer.factor > fitting)
        alice.key("Right")
        alice.wait(lambda: viewer.title() == "b.jpg – 300 × 200")
        assert viewer.factor == 1.0
        alice.click(viewer._buttons["download"])
        assert saves == [1]
        alice.key("Right", "Right")
        alice.wait(lambda: viewer.problem == "This picture is damaged, or is none.")
        alice.key("Left")
        alice.wait(lambda: viewer.title() == "b.jpg – 300 × 200")
        alice.key("Escape")
        alice.wait(lambda: not viewer.winfo_exists())


def test_the_viewer_can_be_closed_before_a_picture_has_come(alice: Person, tmp_path: Path) -> None:
    path = painted(tmp_path / "large.png", size=(6000, 6000))
    with viewing(alice, [path], 0) as (viewer, _):
        viewer.destroy()
    alice.pump()


def test_panning_stops_at_the_edges(alice: Person, tmp_path: Path) -> None:
    with viewing(alice, [painted(tmp_path / "a.png", size=(3000, 2000))], 0) as (viewer, _):
        alice.wait(lambda: viewer.title().startswith("a.png –"))
        alice.key("1")
        x, y = viewer.winfo_rootx() + 300, viewer.winfo_rooty() + 200
        # The window stands in the middle of the screen, whose edge ends each drag.
        for _ in range(2):
            alice._xdotool("mousemove", str(x), str(y), "mousedown", "1")
            alice._xdotool("mousemove", str(x + 50), str(y + 40))
            alice._xdotool("mousemove", str(x + 1000), str(y + 600), "mouseup", "1")
        alice.wait(lambda: viewer._middle[0] == pytest.approx(viewer.canvas.winfo_width() / 2 / 3000))
        alice.wait(lambda: viewer._middle[1] <= 0.5)
