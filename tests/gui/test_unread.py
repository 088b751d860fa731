"""Unread messages: a chat opens where they begin, and only those count as read that were in view."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gui.harness import Person, text_of
from tests.support.process import ServerProcess
from tests.support.raw import JsonPeer

WIDE, NARROW = "900x640", "500x640"


@pytest.fixture
def bob(server: ServerProcess) -> Iterator[JsonPeer]:
    with JsonPeer(server.port, "bob") as bob:
        yield bob


@pytest.fixture
def alice(server: ServerProcess, bob: JsonPeer) -> Iterator[Person]:
    with Person(port=server.port, user="alice") as alice:
        alice.root.geometry(WIDE)
        alice.wait(lambda: "bob" in alice.drawn)
        yield alice


def say(bob: JsonPeer, numbers: range) -> int:
    """Have bob send numbered lines; the id of the last one."""
    for number in numbers:
        bob.send("MSG", to="alice", text=f"line {number}", cid=f"c{number}")
    return bob.expect("ACK", cid=f"c{numbers[-1]}").number("id")


def written(alice: Person) -> dict[str, int]:
    """What can be read in the transcript, and how far from the top of the view, in pixels."""
    canvas = alice.window.chat.transcript.canvas
    found = {
        text_of(canvas, item): canvas.bbox(item)[1] for item in canvas.find_all() if text_of(canvas, item)
    }
    return {text: top for text, top in found.items() if 0 <= top < canvas.winfo_height()}


def below(alice: Person) -> str:
    """What the button to the newest message counts."""
    canvas = alice.window.chat.transcript.canvas
    return "".join(text_of(canvas, item) for item in canvas.find_withtag("jump"))


def press(alice: Person, sequence: str) -> None:
    """Press a key in the messages."""
    canvas = alice.window.chat.transcript.canvas
    canvas.focus_force()
    canvas.event_generate(sequence)
    alice.pump()


def open_chat(alice: Person) -> None:
    alice.click_on("bob")
    alice.wait(lambda: alice.vm.chats.open is not None)
    alice.wait(lambda: alice.vm.chats.open is not None and alice.vm.chats.open.asked is None)


def unread(alice: Person) -> int:
    return alice.vm.chats.unread


def test_a_chat_opens_where_the_unread_begins_and_they_are_read_by_scrolling(
    alice: Person, bob: JsonPeer
) -> None:
    last = say(bob, range(60))
    alice.wait(lambda: unread(alice) == 60)
    assert "60" in alice.drawn
    open_chat(alice)
    alice.wait(lambda: "New messages" in written(alice))
    alice.wait(lambda: written(alice)["New messages"] < written(alice).get("line 0", -1) < 120)
    assert "line 59" not in written(alice)
    # What fits in view is known when the window has its size.
    alice.wait(lambda: 0 < unread(alice) < 60 and below(alice) == str(unread(alice)))
    left = unread(alice)
    assert str(left) in alice.drawn
    assert alice.title == f"({left}) Twocans – alice"
    read = bob.expect("RECEIPT", peer="alice").number("read")
    press(alice, "<Next>")
    alice.wait(lambda: unread(alice) < left)
    assert unread(alice) > 0
    while unread(alice):
        press(alice, "<Next>")
    alice.wait(lambda: "line 59" in written(alice) and below(alice) == "")
    assert alice.title == "Twocans – alice"
    assert read < last
    bob.expect("RECEIPT", peer="alice", read=last)


def test_unread_messages_that_fit_in_view_are_read_at_once(alice: Person, bob: JsonPeer) -> None:
    last = say(bob, range(3))
    alice.wait(lambda: unread(alice) == 3)
    open_chat(alice)
    alice.wait(lambda: unread(alice) == 0)
    assert {"New messages", "line 0", "line 2"} <= written(alice).keys()
    bob.expect("RECEIPT", peer="alice", read=last)


def test_the_button_leads_to_the_end_past_what_is_unread(alice: Person, bob: JsonPeer) -> None:
    last = say(bob, range(60))
    alice.wait(lambda: unread(alice) == 60)
    open_chat(alice)
    alice.wait(lambda: below(alice) != "")
    canvas = alice.window.chat.transcript.canvas
    left, top, right, bottom = canvas.bbox("jump")
    alice.click(canvas, (left + right) // 2, (top + bottom) // 2)
    alice.wait(lambda: unread(alice) == 0)
    assert "line 59" in written(alice)
    bob.expect("RECEIPT", peer="alice", read=last)


def test_what_is_unread_since_an_earlier_time_is_loaded_from_where_reading_ended(
    server: ServerProcess, bob: JsonPeer
) -> None:
    with Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        open_chat(alice)
        say(bob, range(40))
        alice.wait(lambda: len(alice.vm.bubbles) == 40)
        alice.wait(lambda: unread(alice) == 0)
        alice.window.act(alice.vm.close_chat)
        last = say(bob, range(40, 240))
        alice.wait(lambda: unread(alice) == 200)
    with Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: unread(alice) == 200)
        open_chat(alice)
        alice.wait(lambda: "New messages" in written(alice))
        alice.wait(lambda: written(alice)["New messages"] < written(alice).get("line 40", -1) < 120)
        alice.wait(lambda: 150 < unread(alice) < 200)
        press(alice, "<Prior>")
        assert "line 39" in written(alice), "what was read before is above it"
        while unread(alice):
            press(alice, "<Next>")
        assert "line 239" in written(alice)
        bob.expect("RECEIPT", peer="alice", read=last)


def test_what_comes_while_the_window_is_minimised_is_shown_from_its_beginning(
    alice: Person, bob: JsonPeer
) -> None:
    open_chat(alice)
    alice.root.iconify()
    alice.wait(lambda: not alice.vm.chats.in_front)
    say(bob, range(60))
    alice.wait(lambda: len(alice.vm.bubbles) == 60)
    assert unread(alice) == 60
    alice.root.deiconify()
    alice.activate()
    alice.wait(lambda: "line 0" in written(alice))
    assert "New messages" in written(alice)
    assert "line 59" not in written(alice)
    alice.wait(lambda: 0 < unread(alice) < 60)


def test_a_chat_that_is_covered_in_a_narrow_window_is_not_read(alice: Person, bob: JsonPeer) -> None:
    open_chat(alice)
    say(bob, range(1))
    alice.wait(lambda: len(alice.vm.bubbles) == 1)
    alice.wait(lambda: unread(alice) == 0)
    alice.root.geometry(NARROW)
    alice.wait(lambda: not alice.list_canvas.winfo_viewable())
    alice.key("ctrl+f")
    alice.wait(lambda: not alice.window.chat.winfo_viewable())
    say(bob, range(1, 3))
    alice.wait(lambda: len(alice.vm.bubbles) == 3)
    alice.pump()
    assert unread(alice) == 2
    alice.key("Escape")
    alice.wait(lambda: alice.window.chat.winfo_viewable())
    alice.wait(lambda: unread(alice) == 0)
