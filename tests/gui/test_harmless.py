"""What is shown is harmless, in the real window: nothing is reordered or hidden, and links show where they lead."""

from __future__ import annotations

import sys
import tkinter as tk
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.gui.harness import Person, text_of
from tests.gui.transcript_window import Window, opened, said
from tests.support.process import ServerProcess
from tests.support.raw import PlainPeer
from twocans.gui.backend.settings import Look
from twocans.gui.transcript.tip import RESTS_MS

EVIL = "inv\u202egnp.exe \u2066a\u2069 pay\u200bpal"
SHOWN = "inv\\u202egnp.exe \\u2066a\\u2069 pay\\u200bpal"
ASKED = "https://google.com@evil.example/login"


@pytest.fixture
def window() -> Iterator[Window]:
    with opened() as one:
        yield one


@pytest.fixture
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which a browser notes what it was to open."""
    noted = tmp_path / "opened"
    script = tmp_path / "browser"
    script.write_text(f'#!{sys.executable}\nimport sys\nopen({str(noted)!r}, "w").write(sys.argv[1])\n')
    script.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{script} %s")
    return noted


def tip(canvas: tk.Canvas) -> list[str]:
    return [text for item in canvas.find_withtag("tip") if (text := text_of(canvas, item))]


def place_of(canvas: tk.Canvas, text: str) -> tuple[int, int]:
    item = next(item for item in canvas.find_all() if text in text_of(canvas, item))
    left, top, _, bottom = canvas.bbox(item)
    return left + 20, (top + bottom) // 2


def chat_with(person: Person, name: str, text: str) -> tk.Canvas:
    """The canvas of the open chat with somebody, once it draws a text."""
    person.wait(lambda: name in person.drawn)
    person.click_on(name)
    canvas = person.window.chat.transcript.canvas
    person.wait(lambda: any(text in text_of(canvas, item) for item in canvas.find_all()))
    return canvas


def asked(person: Person) -> bool:
    """Whether the question about a link has the keyboard, with its answer no."""
    focus = person.root.focus_get()
    return focus is not None and focus.winfo_class() == "TButton" and focus.cget("text") == "Do not open"


@contextmanager
def dark(person: Person, look: Look) -> Iterator[None]:
    """That look for a while: the toolkit cannot begin another window when one ended dark."""
    person.app.theme.set_dark(look is Look.DARK)
    yield
    person.app.theme.set_dark(False)


# --- the transcript by itself -----------------------------------------------------------------------------


def test_override_is_spelled_out_in_a_bubble_and_copied_as_it_was_written(window: Window) -> None:
    window.show(said(1, EVIL))
    assert SHOWN in window.text_items()
    window.click(*window.where(SHOWN), times=3)
    window.key("<<Copy>>")
    assert window.root.clipboard_get() == EVIL


def test_search_marks_what_stands_around_what_is_spelled_out(window: Window) -> None:
    window.show(said(1, EVIL))
    window.transcript.mark(("gnp",), "k1")
    window.root.update()
    assert SHOWN in window.text_items()


def test_pointer_that_rests_on_a_link_is_told_where_it_leads(window: Window) -> None:
    window.show(said(1, f"look: {ASKED} now"))
    x, y = window.where(ASKED)
    window.canvas.event_generate("<Motion>", x=x, y=y)
    assert tip(window.canvas) == []
    window.until(lambda: tip(window.canvas) == ["https://", "evil.example", "/login"])
    left, top, right, bottom = window.canvas.bbox("tip")
    assert 0 <= left < right <= window.canvas.winfo_width()
    assert top > y or bottom <= y
    assert 0 <= top < bottom <= window.canvas.winfo_height()
    window.canvas.event_generate("<Motion>", x=x, y=y + 200)
    assert tip(window.canvas) == []


def test_tip_goes_when_the_messages_move_or_the_pointer_leaves(window: Window) -> None:
    window.show(said(1, "http://a.example/x"))
    x, y = window.where("http://a.example/x")
    ends: list[Callable[[], object]] = [
        lambda: window.canvas.event_generate("<Leave>"),
        lambda: window.transcript.append([said(2), said(3)]),
        lambda: window.canvas.event_generate("<ButtonPress-1>", x=1, y=1),
    ]
    for end in ends:
        window.canvas.event_generate("<Motion>", x=x, y=y + 200)
        x, y = window.where("http://a.example/x")
        window.canvas.event_generate("<Motion>", x=x, y=y)
        window.until(lambda: tip(window.canvas) == ["http://", "a.example", "/x"])
        end()
        window.root.update()
        assert tip(window.canvas) == []


def test_pointer_that_only_passes_gets_no_tip(window: Window) -> None:
    window.show(said(1, "http://a.example/x"))
    x, y = window.where("http://a.example/x")
    window.canvas.event_generate("<Motion>", x=x, y=y)
    window.canvas.event_generate("<Motion>", x=x, y=y + 200)
    passed: list[None] = []
    window.root.after(2 * RESTS_MS, lambda: passed.append(None))
    window.until(lambda: bool(passed))
    assert tip(window.canvas) == []


def test_long_host_is_shown_to_its_end(window: Window) -> None:
    host = f"www.google.com.{'abcdefghij.' * 15}evil.example"
    window.show(said(1, f"http://{host}/{'x' * 500}"))
    window.key("<Control-Up>")
    scheme, *hosts, rest = tip(window.canvas)
    assert (scheme, "".join(hosts)) == ("http://", host)
    assert rest.endswith("…")
    left, _, right, bottom = window.canvas.bbox("tip")
    assert 0 <= left < right <= window.canvas.winfo_width()
    assert bottom <= window.canvas.winfo_height()


def test_keys_reach_every_link_and_show_where_it_leads(window: Window) -> None:
    window.show(said(1, "http://a.example then http://b.example/x"), said(2, "none"))
    window.key("<Control-Up>")
    window.key("<Control-Up>")
    assert tip(window.canvas) == ["http://", "a.example"]
    window.key("<Right>")
    assert tip(window.canvas) == ["http://", "b.example", "/x"]
    window.key("<Return>")
    window.key("<Left>")
    window.key("<Return>")
    assert window.links == ["http://b.example/x", "http://a.example"]
    window.key("<Control-Down>")
    assert tip(window.canvas) == []
    window.key("<Control-Up>")
    assert tip(window.canvas) == ["http://", "a.example"]
    window.key("<Escape>")
    assert tip(window.canvas) == []


# --- the whole window -------------------------------------------------------------------------------------


def test_preview_and_title_show_what_would_not_be_seen(server: ServerProcess) -> None:
    with PlainPeer(server.port, "bob") as bob, Person(port=server.port, user="alice") as alice:
        bob.say("alice", "a\u202eb\u2066c")
        alice.wait(lambda: "a\\u202eb\\u2066c" in alice.drawn)
        assert alice.title == "(1) Twocans – alice"
        chat_with(alice, "bob", "a\\u202eb\\u2066c")
        assert not {"\u202e", "\u2066"} & set("".join([*alice.drawn, *alice.labels, alice.title]))


@pytest.mark.parametrize("look", [Look.LIGHT, Look.DARK])
def test_link_that_could_mislead_is_asked_about_and_enter_does_not_open_it(
    server: ServerProcess, browser: Path, look: Look
) -> None:
    with (
        PlainPeer(server.port, "bob") as bob,
        Person(port=server.port, user="alice") as alice,
        dark(alice, look),
    ):
        bob.say("alice", f"hello\nplease look at {ASKED} today")
        bob.say("alice", f"please look at {ASKED} today, and http://аpple.com/")
        canvas = chat_with(alice, "bob", ASKED)
        x, y = place_of(canvas, ASKED)
        alice.hover(canvas, x, y)
        alice.wait(lambda: tip(canvas) == ["https://", "evil.example", "/login"])
        alice.click(canvas, x, y)
        alice.wait(lambda: "evil.example" in alice.labels)
        assert "https://" in alice.labels
        assert any("“google.com” stands before the @" in label for label in alice.labels)
        alice.wait(lambda: asked(alice))
        alice.key("Return")
        alice.wait(lambda: "evil.example" not in alice.labels)
        assert not browser.exists()


def test_link_that_could_mislead_opens_for_who_wants_it(server: ServerProcess, browser: Path) -> None:
    with PlainPeer(server.port, "bob") as bob, Person(port=server.port, user="alice") as alice:
        bob.say("alice", "http://0x7f.1/x")
        canvas = chat_with(alice, "bob", "http://0x7f.1/x")
        alice.click(canvas)
        alice.key("ctrl+Up")
        alice.wait(lambda: tip(canvas) == ["http://", "127.0.0.1", "/x"])
        alice.key("Return")
        alice.wait(lambda: asked(alice))
        alice.key("Left", "Return")
        alice.wait(lambda: browser.exists() and browser.read_text())
        assert browser.read_text() == "http://127.0.0.1/x"


def test_escape_and_a_second_link_leave_no_question_behind(server: ServerProcess, browser: Path) -> None:
    with PlainPeer(server.port, "bob") as bob, Person(port=server.port, user="alice") as alice:
        bob.say("alice", ASKED)
        chat_with(alice, "bob", ASKED)
        for target in (ASKED, "http://аpple.com/"):
            alice.window.act(alice.vm.open_link, target)
        alice.wait(lambda: "xn--pple-43d.com" in alice.labels)
        assert "evil.example" not in alice.labels
        alice.wait(lambda: asked(alice))
        alice.key("Escape")
        alice.wait(lambda: "Do not open" not in alice.labels)
        assert not browser.exists()
