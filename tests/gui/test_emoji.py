"""Emoji as pictures in the chat, the list and the notices; the preview of what the composer cannot show."""

from __future__ import annotations

import tkinter as tk
from functools import partial

import pytest

from tests.gui.harness import Person, text_of
from tests.gui.transcript_window import opened, said
from tests.support.fonts import plain_font, use_every_emoji
from tests.support.process import ServerProcess
from tests.support.raw import PlainPeer
from twocans.gui.transcript import emoji as emoji_module
from twocans.gui.transcript.emoji import EmojiPictures
from twocans.gui.views.text_canvas import TextCanvas

FAMILY, GERMANY, THUMB, KEYCAP = "👨\u200d👩\u200d👧", "🇩🇪", "👍🏽", "1\ufe0f\u20e3"
PARTS = frozenset("👨👩👧🇩🇪👍🏽\u20e3")


def _previews(person: Person, text: str) -> bool:
    preview = person.window.chat.composer._preview
    return bool(preview.winfo_ismapped()) and preview.text == text


def images(canvas: tk.Canvas) -> int:
    return sum(str(canvas.tk.call(str(canvas), "type", item)) == "image" for item in canvas.find_all())


def test_every_emoji_of_a_message_is_one_picture_and_is_copied_as_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_every_emoji(monkeypatch)
    with opened() as window:
        window.show(said(1, "a b c d e"))
        without = images(window.canvas)
        text = f"a{FAMILY}b{GERMANY}c{THUMB}d{KEYCAP}e"
        window.show(said(1, text))
        assert images(window.canvas) == without + 4
        assert not PARTS & set("".join(window.text_items()))
        window.key("<Control-a>")
        assert window.transcript.selected_text() == text


def test_emoji_stand_on_the_line_of_the_text_and_do_not_make_it_higher(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_every_emoji(monkeypatch)
    with opened() as window:
        window.show(said(1, "plain"), said(2, f"with {FAMILY}"))
        items = window.text_items()
        plain, beside = items["plain"], items["with "]
        assert beside[3] - beside[1] == plain[3] - plain[1]
        pictures = [
            window.canvas.bbox(item)
            for item in window.canvas.find_withtag("row")
            if window.kind(item) == "image" and window.canvas.bbox(item)[0] >= beside[2] - 2
        ]
        tops = [top for _, top, _, bottom in pictures if beside[1] - 4 <= top and bottom <= beside[3] + 4]
        assert tops


def test_pictures_are_kept_within_their_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emoji_module, "MAX_BYTES", 20_000)
    with opened() as window:
        pictures = EmojiPictures(window.root, plain_font(), 32)
        first = pictures.picture("A")
        for code in range(200):
            pictures.picture(chr(0x41 + code))
        assert 10_000 < pictures.bytes <= 20_000
        assert pictures.picture("A") is not first


def test_without_a_font_of_emoji_tk_draws_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twocans.gui.transcript.runs.emoji_font", lambda: None)
    with opened() as window:
        window.show(said(1, f"done {FAMILY}"))
        assert set("done ") <= set("".join(window.text_items()))
        window.key("<Control-a>")
        assert window.transcript.selected_text() == f"done {FAMILY}"


def test_the_list_and_notices_show_emoji_as_pictures(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_every_emoji(monkeypatch)
    with PlainPeer(server.port, "bob") as bob, Person(port=server.port, user="alice") as alice:
        bob.say("alice", "dinner? yes")
        alice.wait(lambda: "dinner? yes" in alice.drawn)
        without = images(alice.list_canvas)
        bob.say("alice", f"dinner {FAMILY}{GERMANY} yes")
        alice.wait(lambda: "dinner " in alice.drawn)
        assert images(alice.list_canvas) == without + 2
        assert not PARTS & set("".join(alice.drawn))
        alice.window.act(alice.vm.tell, f"Saved {FAMILY}.pdf")
        alice.wait(lambda: f"Saved {FAMILY}.pdf" in alice.labels)
        notice = alice.window._notice._text
        assert isinstance(notice, TextCanvas)
        assert [text_of(notice, item) for item in notice.find_all()] == ["Saved ", "", ".pdf"]


def test_what_the_composer_shows_wrong_is_previewed(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_every_emoji(monkeypatch)
    with PlainPeer(server.port, "bob") as bob, Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        alice.click_on("bob")
        preview = alice.window.chat.composer._preview
        x11 = alice.root.tk.call("tk", "windowingsystem") == "x11"
        alice.write("plain")
        assert not preview.winfo_ismapped()
        for text in ("שלום עולם", "مرحبا", f"see {FAMILY}", f"{THUMB} ok"):
            alice.key("ctrl+a")
            alice.window.chat.composer.write(text)
            if x11:
                alice.wait(partial(_previews, alice, text))
        for text in ("plain again", "smile 🙂"):
            alice.key("ctrl+a")
            alice.window.chat.composer.write(text)
            alice.wait(lambda: not preview.winfo_ismapped())
        alice.key("ctrl+a")
        alice.window.chat.composer.write("שלום")
        alice.key("Return")
        assert bob.read_message() == ("alice", "שלום")
        alice.wait(lambda: not preview.winfo_ismapped())


def test_the_preview_draws_right_to_left_as_the_bubbles_do(server: ServerProcess) -> None:
    with PlainPeer(server.port, "bob"), Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        alice.click_on("bob")
        alice.window.chat.composer.write("שלום")
        preview = alice.window.chat.composer._preview
        if alice.root.tk.call("tk", "windowingsystem") == "x11":
            alice.wait(lambda: preview.winfo_ismapped())
            canvas = preview._text
            assert [text_of(canvas, item) for item in canvas.find_all()] == ["םולש"]
