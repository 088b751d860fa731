"""Row 4: people and chats, with a real server, real keys and clicks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.gui.harness import ClientProcess, Person, clipboard, screenshot, text_of, xdotool
from tests.support.process import ServerProcess
from tests.support.raw import PlainPeer
from twocans.client.events import UserJoined, UserLeft
from twocans.gui.transcript.model import Status
from twocans.gui.viewmodel.inputs import (
    FromClient,
)
from twocans.gui.viewmodel.state import Presence


def test_two_real_clients_chat(server: ServerProcess, tmp_path: Path) -> None:
    address = f"localhost:{server.port}"
    with (
        ClientProcess(tmp_path / "a", "--server", address, "--user", "alice", "--connect") as alice,
        ClientProcess(tmp_path / "b", "--server", address, "--user", "bob", "--connect") as bob,
    ):
        alice.title_is("Twocans – alice")
        bob.title_is("Twocans – bob")
        server.event("user_joined", user="alice")
        server.event("user_joined", user="bob")
        alice.key("ctrl+k")
        alice.write("bob")
        alice.key("Return")
        alice.write("hello bob")
        alice.key("shift+Return")
        alice.write("second line")
        alice.key("Return")
        bob.title_is("(1) Twocans – bob")
        bob.activate()
        bob.key("Down", "Return")
        bob.title_is("Twocans – bob")
        bob.write("hi alice")
        bob.key("Return")
        alice.title_is("(1) Twocans – alice")
        alice.activate()
        alice.title_is("Twocans – alice")  # the chat is open, so coming to the front is seeing it
        alice.key("shift+Tab", "shift+Tab", "ctrl+a", "ctrl+c")  # by the paper clip to the messages
        alice.wait(lambda: clipboard() == "hello bob\nsecond line\nhi alice", f"copy, but {clipboard()!r}")
        for client in (alice, bob):
            client.key("ctrl+q")
            assert client.quits() == 0
    for name in ("alice", "bob"):
        server.event("session_closed", user=name, reason="left")


def test_the_list_shows_who_is_online_without_oneself_and_follows_changes(server: ServerProcess) -> None:
    with PlainPeer(server.port, "bob"), Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        assert "alice" not in alice.drawn
        with PlainPeer(server.port, "carol"):
            alice.wait(lambda: "carol" in alice.drawn)
        alice.wait(lambda: "carol" not in alice.drawn)
        assert "bob" in alice.drawn


def test_arrows_and_enter_open_a_chat_and_esc_goes_back(server: ServerProcess) -> None:
    with (
        PlainPeer(server.port, "bob"),
        PlainPeer(server.port, "carol"),
        Person(port=server.port, user="alice") as alice,
    ):
        alice.wait(lambda: alice.names == ["bob", "carol"])
        alice.key("Down", "Return")
        alice.wait(lambda: alice.vm.header is not None and alice.vm.header.name == "carol")
        assert alice.root.focus_get() is alice.composer
        alice.key("Escape")
        alice.wait(lambda: alice.vm.header is None)
        assert alice.root.focus_get() is alice.list_canvas
        alice.key("Up", "Return")
        alice.wait(lambda: alice.vm.header is not None and alice.vm.header.name == "bob")


def test_a_click_on_a_person_opens_the_chat(server: ServerProcess) -> None:
    with (
        PlainPeer(server.port, "bob"),
        PlainPeer(server.port, "carol"),
        Person(port=server.port, user="alice") as alice,
    ):
        alice.wait(lambda: "carol" in alice.drawn)
        alice.click_on("carol")
        alice.wait(lambda: "Write to carol" in alice.labels)


def test_messages_go_both_ways_with_netcat(server: ServerProcess) -> None:
    with PlainPeer(server.port, "bob") as bob, Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        alice.click_on("bob")
        alice.write("hello: there")
        alice.key("Return")
        assert bob.read_message() == ("alice", "hello: there")
        bob.say("alice", "hi")
        alice.wait(lambda: len(alice.vm.bubbles) == 2)
        assert [(bubble.own, bubble.text) for bubble in alice.vm.bubbles] == [
            (True, "hello: there"),
            (False, "hi"),
        ]
        assert alice.copied() == "hello: there\nhi"
        assert alice.composer.get("1.0", "end-1c") == ""


def test_shift_enter_breaks_the_line_and_the_field_grows_with_it(server: ServerProcess) -> None:
    with PlainPeer(server.port, "bob") as bob, Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        alice.click_on("bob")
        alice.write("one")
        height = alice.composer.winfo_height()
        for _ in range(8):
            alice.key("shift+Return")
            alice.write("more")
        alice.wait(lambda: alice.composer.winfo_height() > 4 * height)
        assert int(alice.composer.cget("height")) == 6
        alice.key("Return")
        assert bob.read_message() == ("alice", "one")
        assert bob.read_message() == ("alice", "more")
        alice.wait(lambda: alice.composer.winfo_height() == height)


def test_each_chat_keeps_its_draft_and_its_place(server: ServerProcess) -> None:
    with (
        PlainPeer(server.port, "bob") as bob,
        PlainPeer(server.port, "carol"),
        Person(port=server.port, user="alice") as alice,
    ):
        alice.wait(lambda: "carol" in alice.drawn)
        alice.click_on("bob")
        for number in range(60):
            bob.say("alice", f"line {number}")
        alice.wait(lambda: len(alice.vm.bubbles) == 60)
        alice.write("for bob")
        transcript = alice.window.chat.transcript
        alice.click(transcript.canvas)
        alice.key("Home")
        alice.wait(lambda: not transcript.view_state().at_bottom)
        place = transcript.view_state()
        alice.click_on("carol")
        alice.wait(lambda: "Write to carol" in alice.labels)
        assert alice.composer.get("1.0", "end-1c") == ""
        alice.write("for carol")
        alice.click_on("bob")
        alice.wait(lambda: alice.composer.get("1.0", "end-1c") == "for bob")
        assert transcript.view_state() == place
        alice.click_on("carol")
        alice.wait(lambda: alice.composer.get("1.0", "end-1c") == "for carol")


def test_a_narrow_window_shows_one_pane_with_a_button_back_and_a_wide_one_both(server: ServerProcess) -> None:
    with PlainPeer(server.port, "bob"), Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        alice.click_on("bob")
        assert alice.list_canvas.winfo_viewable()
        assert alice.composer.winfo_viewable()
        alice.root.geometry("500x700")
        alice.wait(lambda: not alice.list_canvas.winfo_viewable())
        assert alice.composer.winfo_viewable()
        back = alice.window.chat._back
        alice.wait(back.winfo_viewable)
        alice.click(back)
        alice.wait(lambda: alice.list_canvas.winfo_viewable() and not alice.composer.winfo_viewable())
        alice.click_on("bob")
        alice.wait(alice.composer.winfo_viewable)
        alice.root.geometry("900x700")
        alice.wait(lambda: alice.list_canvas.winfo_viewable() and alice.composer.winfo_viewable())
        assert not back.winfo_viewable()


def test_search_as_you_type_narrows_the_list_and_letters_typed_in_the_list_search(
    server: ServerProcess,
) -> None:
    with (
        PlainPeer(server.port, "bob"),
        PlainPeer(server.port, "Carol-Ann"),
        PlainPeer(server.port, "Anna"),
        Person(port=server.port, user="alice") as alice,
    ):
        alice.wait(lambda: len(alice.names) == 3)
        alice.key("ctrl+k")
        alice.write("an")
        alice.wait(lambda: alice.names == ["Anna", "Carol-Ann"])
        assert "bob" not in alice.drawn
        alice.key("Escape")
        alice.wait(lambda: len(alice.names) == 3)
        alice.write("bo")
        alice.wait(lambda: alice.names == ["bob"])
        alice.key("Return")
        alice.wait(lambda: alice.vm.header is not None and alice.vm.header.name == "bob")
        assert len(alice.names) == 3


def test_a_message_that_could_not_be_sent_says_so_and_is_sent_by_a_click() -> None:
    with (
        ServerProcess("--history", "off", forked=True) as server,
        Person(port=server.port, user="alice") as alice,
    ):
        with PlainPeer(server.port, "bob"):
            alice.wait(lambda: "bob" in alice.drawn)
            alice.click_on("bob")
            alice.write("first")
            alice.key("Return")
            alice.wait(lambda: alice.vm.bubbles and alice.vm.bubbles[0].status is not Status.WAITING)
        alice.wait(lambda: alice.vm.header is None)
        alice.click_on("bob")
        alice.write("are you there?")
        alice.key("Return")
        alice.wait(lambda: alice.vm.bubbles[-1].status is Status.FAILED)
        assert alice.vm.bubbles[-1].note
        with PlainPeer(server.port, "bob") as bob:
            alice.wait(lambda: alice.vm.header is not None and alice.vm.header.presence is Presence.ONLINE)
            canvas = alice.window.chat.transcript.canvas
            notes = [item for item in canvas.find_all() if "try again" in text_of(canvas, item).lower()]
            assert notes
            left, top, right, bottom = canvas.bbox(notes[-1])
            alice.click(canvas, (left + right) // 2, (top + bottom) // 2 - int(canvas.canvasy(0)))
            assert bob.read_message() == ("alice", "are you there?")
            alice.wait(lambda: alice.vm.bubbles[-1].status is not Status.FAILED)
            assert [bubble.text for bubble in alice.vm.bubbles] == ["first", "are you there?"]


def test_a_link_opens_in_the_browser(
    server: ServerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!{sys.executable}\nimport sys\nopen({str(opened)!r}, "w").write(sys.argv[1])\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    with PlainPeer(server.port, "bob") as bob, Person(port=server.port, user="alice") as alice:
        bob.say("alice", "https://example.org/page?x=1 is worth reading")
        alice.wait(lambda: "bob" in alice.drawn)
        alice.click_on("bob")
        canvas = alice.window.chat.transcript.canvas

        def links() -> list[int]:
            return [item for item in canvas.find_all() if text_of(canvas, item).startswith("https://example")]

        alice.wait(links)
        left, top, _, bottom = canvas.bbox(links()[0])
        alice.click(canvas, left + 20, (top + bottom) // 2 - int(canvas.canvasy(0)))
        alice.wait(lambda: opened.exists() and opened.read_text())
        assert opened.read_text() == "https://example.org/page?x=1"


def test_a_long_history_is_loaded_page_by_page_and_shown_once(server: ServerProcess) -> None:
    with PlainPeer(server.port, "bob") as bob, Person(port=server.port, user="alice") as alice:
        for number in range(130):
            bob.say("alice", f"line {number}")
        alice.wait(lambda: alice.vm.chats.unread == 130)
    with PlainPeer(server.port, "bob2"), Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn or "bob2" in alice.drawn)
        alice.key("ctrl+k")
        alice.write("bob")
        alice.key("Return")
        alice.wait(lambda: alice.vm.bubbles)
        alice.window.chat.transcript.scroll_to_newest()
        alice.wait(lambda: alice.vm.bubbles[-1].text == "line 129")
        alice.click(alice.window.chat.transcript.canvas)
        deadline = 40
        while len(alice.vm.bubbles) < 130 and deadline:
            deadline -= 1
            alice.key("Home")
        assert [bubble.text for bubble in alice.vm.bubbles] == [f"line {number}" for number in range(130)]


def test_tab_reaches_every_part_and_the_focus_can_be_seen(server: ServerProcess) -> None:
    with PlainPeer(server.port, "bob"), Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        alice.click_on("bob")
        alice.write("x")
        seen = []
        for _ in range(12):
            widget = alice.root.focus_get()
            assert widget is not None
            x, y = widget.winfo_rootx(), widget.winfo_rooty()
            box = (x - 12, y - 12, x + widget.winfo_width() + 12, y + widget.winfo_height() + 12)
            seen.append(str(widget))
            alice.root.update()
            with_focus = screenshot().crop(box)
            alice.key("Tab")
            alice.root.update()
            assert with_focus.tobytes() != screenshot().crop(box).tobytes(), (
                f"no sign of the focus on {widget}"
            )
        # the field, send, the new server's key, bell, menu, search, list, the chat's bell and menu, messages, files
        assert len(set(seen)) == 11
        assert seen[0] == seen[11]


def test_a_flood_leaves_the_window_alive_and_nothing_out_or_twice(server: ServerProcess) -> None:
    with PlainPeer(server.port, "bob") as bob, Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        alice.click_on("bob")
        count = 400  # within the burst that the server allows
        for number in range(count):
            bob.say("alice", str(number))
        alice.write("still here")
        alice.wait(lambda: len(alice.vm.bubbles) == count)
        assert [bubble.text for bubble in alice.vm.bubbles] == [str(number) for number in range(count)]
        assert alice.composer.get("1.0", "end-1c") == "still here"


def test_text_in_many_scripts_is_shown_and_copied_as_it_was_written(server: ServerProcess) -> None:
    texts = ["שלום עולם", "مرحبا بالعالم", "你好，世界", "नमस्ते", "👩‍👩‍👧 🙂", "e\u0301"]
    with PlainPeer(server.port, "李小龙") as peer, Person(port=server.port, user="alice") as alice:
        for text in texts:
            peer.say("alice", text)
        alice.wait(lambda: alice.vm.chats.unread == len(texts))
        alice.key("Down", "Return")
        alice.wait(lambda: len(alice.vm.bubbles) == len(texts))
        assert alice.copied() == "\n".join(texts)
        xdotool("mousemove", "0", "0")


def test_what_is_written_while_something_happens_is_not_lost(server: ServerProcess) -> None:
    with (
        PlainPeer(server.port, "bob"),
        PlainPeer(server.port, "carol"),
        Person(port=server.port, user="alice") as alice,
    ):
        alice.wait(lambda: "carol" in alice.drawn)
        alice.click_on("bob")
        session = alice.vm.form.session
        alice.composer.insert("end", "h")  # Tk has not told of it yet when the next thing happens
        alice.window.take([FromClient(session, UserJoined("dora"))])
        assert alice.composer.get("1.0", "end-1c") == "h"
        alice.composer.insert("end", "i")
        alice.window.act(alice.vm.open, "carol")
        assert alice.composer.get("1.0", "end-1c") == ""
        alice.composer.insert("end", "to carol")
        alice.window.take([FromClient(session, UserLeft("carol"))])
        alice.window.act(alice.vm.open, "bob")
        assert alice.composer.get("1.0", "end-1c") == "hi"
        alice.window.act(alice.vm.open, "carol")
        assert alice.composer.get("1.0", "end-1c") == "to carol"


def test_a_thousand_people_cost_no_more_than_those_in_view(server: ServerProcess) -> None:
    with Person(port=server.port, user="alice") as alice:
        session = alice.vm.form.session
        alice.window.take([FromClient(session, UserJoined(f"user{number:04}")) for number in range(1000)])
        alice.root.update()
        assert len(alice.names) == 1000
        assert len(alice.list_canvas.find_all()) < 120
        alice.key("Down", "End")
        assert "user0999" in alice.drawn
        alice.key("Return")
        alice.wait(lambda: alice.vm.header is not None and alice.vm.header.name == "user0999")


def test_the_field_to_write_in_has_the_keyboard_as_soon_as_a_chat_is_open(server: ServerProcess) -> None:
    with PlainPeer(server.port, "bob"), Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        alice.window.act(alice.vm.open, "bob")  # nothing has been drawn yet
        assert alice.root.focus_get() is alice.composer
