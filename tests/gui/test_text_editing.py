"""The keys and the context menu of fields, with a real server and real keys."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.gui.harness import Person, clipboard, xdotool
from tests.support.process import ServerProcess
from tests.support.raw import PlainPeer
from twocans.gui.views.popup import PopupMenu
from twocans.gui.views.text_editing import PAUSE_MS


@contextmanager
def chatting(server: ServerProcess) -> Iterator[Person]:
    """A person who has a chat open and the cursor in the composer."""
    with PlainPeer(server.port, "bob"), Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        alice.click_on("bob")
        alice.wait(lambda: alice.root.focus_get() is alice.composer)
        yield alice


def written(person: Person) -> str:
    return person.composer.get("1.0", "end-1c")


def selected(person: Person) -> str:
    return person.composer.get("sel.first", "sel.last")


def entries(menu: PopupMenu) -> dict[str, str]:
    """The menu's entries, and whether each can be chosen."""
    return {one.label: "normal" if one.enabled else "disabled" for one in menu.items if one.label}


def put_on_clipboard(text: str) -> None:
    process = subprocess.Popen(["xclip", "-selection", "clipboard", "-i"], stdin=subprocess.PIPE, text=True)
    process.communicate(text)


def test_words_are_deleted_on_either_side_of_the_cursor(server: ServerProcess) -> None:
    with chatting(server) as alice:
        alice.write("one two, three")
        alice.key("ctrl+BackSpace")
        assert written(alice) == "one two, "
        alice.key("ctrl+BackSpace")
        assert written(alice) == "one two"
        alice.key("Home", "ctrl+Delete")
        assert written(alice) == " two"
        alice.key("ctrl+Delete", "ctrl+Delete")
        assert written(alice) == ""
        alice.key("ctrl+BackSpace", "ctrl+Delete")
        assert written(alice) == ""


def test_undo_goes_back_by_words_and_redo_comes_again(server: ServerProcess) -> None:
    with chatting(server) as alice:
        alice.write("one two three")
        alice.key("ctrl+z")
        assert written(alice) == "one two "
        alice.key("ctrl+z")
        assert written(alice) == "one "
        alice.key("ctrl+y")
        assert written(alice) == "one two "
        alice.key("ctrl+shift+z")
        assert written(alice) == "one two three"
        alice.key("ctrl+z", "ctrl+z", "ctrl+z", "ctrl+z")
        assert written(alice) == ""


def test_undo_goes_back_to_a_pause(server: ServerProcess) -> None:
    with chatting(server) as alice:
        alice.write("under")
        paused: list[None] = []
        alice.root.after(PAUSE_MS + 1, lambda: paused.append(None))
        alice.wait(lambda: paused)
        alice.write("stand")
        alice.key("ctrl+z")
        assert written(alice) == "under"


def test_a_deleted_word_comes_back_by_itself(server: ServerProcess) -> None:
    with chatting(server) as alice:
        alice.write("one two")
        alice.key("ctrl+BackSpace", "ctrl+BackSpace", "ctrl+z")
        assert written(alice) == "one "


def test_all_is_selected_without_a_line_end_and_pasting_replaces_it(server: ServerProcess) -> None:
    with chatting(server) as alice:
        alice.write("first draft")
        alice.key("ctrl+a")
        assert selected(alice) == "first draft"
        alice.key("ctrl+c")
        assert alice.root.clipboard_get() == "first draft"
        put_on_clipboard("better")
        alice.key("ctrl+v")
        assert written(alice) == "better"
        alice.key("ctrl+z")
        assert written(alice) == "first draft"


def test_the_keys_of_emacs_do_nothing_to_what_is_written(server: ServerProcess) -> None:
    with chatting(server) as alice:
        put_on_clipboard("pasted")
        alice.write("some words")
        alice.key("Home", "Right", "Right")
        place = alice.composer.index("insert")
        alice.key("ctrl+t", "ctrl+e", "ctrl+b", "ctrl+p", "ctrl+n", "ctrl+w", "alt+d", "Insert")
        assert written(alice) == "some words"
        assert alice.composer.index("insert") == place
        for text_class in ("Text", "TEntry"):
            for sequence in ("<Control-d>", "<Control-k>", "<Control-h>", "<Control-o>", "<Control-i>"):
                assert not alice.root.bind_class(text_class, sequence)


def test_an_emoji_of_several_parts_is_one_character_for_the_keys(server: ServerProcess) -> None:
    with chatting(server) as alice:
        text = "a👨\u200d👩\u200d👧b👍🏽"
        alice.composer.insert("1.0", text)
        alice.key("End", "BackSpace")
        assert written(alice) == text[:-2]
        alice.key("Left", "Left", "Delete")
        assert written(alice) == "ab"
        alice.key("ctrl+z")
        assert written(alice) == text[:-2]
        alice.key("Home", "Right", "shift+Right")
        assert selected(alice) == "👨\u200d👩\u200d👧"


def test_page_keys_scroll_the_messages_while_writing(server: ServerProcess) -> None:
    with PlainPeer(server.port, "bob") as bob, Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        alice.click_on("bob")
        for number in range(60):
            bob.say("alice", f"line {number}")
        alice.wait(lambda: len(alice.vm.bubbles) == 60)
        alice.write("still writing")
        transcript = alice.window.chat.transcript
        alice.key("Prior")
        alice.wait(lambda: not transcript.view_state().at_bottom)
        alice.key("Next")
        alice.wait(lambda: transcript.view_state().at_bottom)
        assert alice.root.focus_get() is alice.composer
        assert written(alice) == "still writing"


def test_typing_after_a_click_in_the_messages_goes_into_the_composer(server: ServerProcess) -> None:
    with chatting(server) as alice:
        transcript = alice.window.chat.transcript.canvas
        alice.click(transcript)
        assert alice.root.focus_get() is transcript
        alice.write("hello @you")
        assert written(alice) == "hello @you"
        put_on_clipboard(" and more")
        alice.click(transcript)
        alice.key("ctrl+v")
        assert written(alice) == "hello @you and more"
        assert alice.root.focus_get() is alice.composer


def test_a_right_click_in_the_composer_offers_what_can_be_done(server: ServerProcess) -> None:
    with chatting(server) as alice:
        alice.root.clipboard_clear()
        alice.root.clipboard_append("")
        alice.click(alice.composer, 8, button=3)  # on the placeholder
        empty = entries(alice.wait_for_menu())
        assert list(empty) == ["Undo", "Redo", "Cut", "Copy", "Paste", "Delete", "Select all"]
        assert {label for label, state in empty.items() if state == "normal"} <= {"Paste"}
        alice.key("Escape")
        alice.write("words to cut")
        alice.key("ctrl+a")
        alice.click(alice.composer, 3, 3, button=3)
        usable = entries(alice.wait_for_menu())
        assert {label for label, state in usable.items() if state == "disabled"} <= {"Redo", "Paste"}
        alice.choose("Cut")
        alice.wait(lambda: written(alice) == "")
        assert alice.root.clipboard_get() == "words to cut"
        alice.click(alice.composer, button=3)
        alice.choose("Paste")
        alice.wait(lambda: written(alice) == "words to cut")
        alice.click(alice.composer, button=3)
        alice.choose("Undo")
        alice.wait(lambda: written(alice) == "")


@pytest.mark.parametrize("key", ["Menu", "shift+F10"])
def test_keys_open_the_menu_of_a_field(server: ServerProcess, key: str) -> None:
    with chatting(server) as alice:
        alice.write("words")
        alice.key(key)
        alice.choose("Select all")
        alice.wait(lambda: alice.composer.tag_ranges("sel"))
        assert selected(alice) == "words"
        alice.key("ctrl+k")  # the search, a field of one line
        alice.write("bo")
        alice.key(key)
        assert "Paste" in entries(alice.wait_for_menu())
        alice.choose("Select all")
        alice.key("BackSpace")
        alice.wait(lambda: alice.vm.query == "")


def test_a_field_of_one_line_has_the_same_keys(server: ServerProcess) -> None:
    with chatting(server) as alice:
        alice.key("ctrl+k")
        alice.write("one two three")
        alice.key("ctrl+BackSpace")
        alice.wait(lambda: alice.vm.query == "one two ")
        alice.key("ctrl+z")
        alice.wait(lambda: alice.vm.query == "one two three")
        alice.key("ctrl+z")
        alice.wait(lambda: alice.vm.query == "one two ")
        alice.key("ctrl+y")
        alice.wait(lambda: alice.vm.query == "one two three")
        alice.key("ctrl+a", "ctrl+c")
        assert alice.root.clipboard_get() == "one two three"
        alice.key("ctrl+t", "ctrl+e", "ctrl+w")
        assert alice.vm.query == "one two three"


def test_every_field_of_the_login_form_has_the_menu_and_a_hidden_one_gives_nothing_away() -> None:
    with ServerProcess(forked=True) as server, Person(port=server.port) as alice:
        put_on_clipboard("pasted")
        form = alice.window._login
        for field in (form._server, form._user):
            alice.click(field.entry, button=3)
            assert entries(alice.wait_for_menu())["Paste"] == "normal"
            alice.key("Escape")
        secret = form._secret  # shown when a server asks for it
        secret.place(x=0, y=0)
        secret.entry.configure(show="•")
        alice.click(secret.entry)
        alice.write("hush")
        alice.key("ctrl+a")
        alice.click(secret.entry, 3, 3, button=3)
        offered = entries(alice.wait_for_menu())
        assert (offered["Cut"], offered["Copy"], offered["Undo"]) == ("disabled",) * 3
        alice.key("Escape")
        alice.key("ctrl+c")
        assert clipboard() == "pasted"
        alice.key("ctrl+x", "ctrl+z")
        assert secret.text.get() == "hush"
        alice.key("ctrl+BackSpace", "ctrl+BackSpace")
        assert secret.text.get() == ""


def test_a_middle_click_still_pastes_the_selection(server: ServerProcess) -> None:
    with chatting(server) as alice:
        process = subprocess.Popen(["xclip", "-selection", "primary", "-i"], stdin=subprocess.PIPE, text=True)
        process.communicate("selected elsewhere")
        for x in (8, None):  # on the placeholder, and beside it
            alice.composer.delete("1.0", "end")
            alice.click(alice.composer, x, button=2)
            alice.wait(lambda: written(alice) == "selected elsewhere")
        xdotool("mousemove", "0", "0")
