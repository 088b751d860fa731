"""People who are away, history, receipts, search and saving, with a real server, real keys and clicks."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.gui.harness import ClientProcess, Person, text_of
from tests.support.process import ServerProcess
from tests.support.raw import JsonPeer, PlainPeer
from twocans.common.transcripts import Form
from twocans.gui.transcript.model import Status
from twocans.gui.viewmodel.state import Presence


def written(alice: Person) -> dict[str, int]:
    """What the transcript draws now, and how far from its top."""
    canvas = alice.window.chat.transcript.canvas
    return {
        text_of(canvas, item): canvas.bbox(item)[1] for item in canvas.find_all() if text_of(canvas, item)
    }


def marks(alice: Person) -> int:
    """How many parts of the transcript are marked."""
    canvas = alice.window.chat.transcript.canvas
    return sum(canvas.tk.call(canvas, "type", item) == "rectangle" for item in canvas.find_withtag("row"))


def open_chat(alice: Person, name: str) -> None:
    alice.wait(lambda: name in alice.drawn)
    alice.click_on(name)
    alice.wait(lambda: alice.vm.chats.open is not None and alice.vm.chats.open.loaded)


def test_somebody_away_can_be_written_to_and_gets_it_when_back(server: ServerProcess) -> None:
    with Person(port=server.port, user="alice") as alice:
        with PlainPeer(server.port, "bob") as bob:
            bob.say("alice", "bye")
            alice.wait(lambda: alice.vm.chats.unread == 1)
        alice.wait(lambda: "Offline — 1" in alice.drawn)
        open_chat(alice, "bob")
        assert alice.vm.header is not None
        assert alice.vm.header.presence is Presence.OFFLINE
        assert "offline" in "".join(alice.labels)
        alice.write("for later")
        alice.key("Return")
        alice.wait(lambda: alice.vm.bubbles[-1].status is Status.SENT)
        assert alice.vm.header.presence is Presence.OFFLINE
        with JsonPeer(server.port, "bob", sync=False) as bob:
            message = bob.expect("MSG", text="for later")
            bob.send("GOT", id=message.number("id"))
            alice.wait(lambda: alice.vm.bubbles[-1].status is Status.DELIVERED)
            bob.send("READ", peer="alice", id=message.number("id"))
            alice.wait(lambda: alice.vm.bubbles[-1].status is Status.READ)
    with Person(port=server.port, user="alice") as alice:  # from history, the same
        open_chat(alice, "bob")
        alice.wait(lambda: alice.vm.bubbles[-1].status is Status.READ)


def test_somebody_known_from_earlier_is_found_and_written_to(server: ServerProcess) -> None:
    with PlainPeer(server.port, "Roberta"):
        pass
    with Person(port=server.port, user="alice") as alice:
        assert alice.names == []
        alice.key("ctrl+k")
        alice.write("ro")
        alice.wait(lambda: "Roberta" in alice.drawn)
        alice.key("Return")
        alice.write("do you remember me?")
        alice.key("Return")
        alice.wait(lambda: alice.vm.bubbles and alice.vm.bubbles[-1].status is Status.SENT)
        assert alice.vm.people.rows[0].presence is Presence.OFFLINE


def test_unread_counts_and_previews_survive_a_restart_of_client_and_server(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "server"))
    with ServerProcess(*data, forked=True) as server, PlainPeer(server.port, "bob") as bob:
        address = f"127.0.0.1:{server.port}"
        with ClientProcess(
            tmp_path / "client", "--server", address, "--user", "alice", "--connect"
        ) as client:
            client.title_is("Twocans – alice")
            for number in range(3):
                bob.say("alice", f"message {number}")
            client.title_is("(3) Twocans – alice")
            client.process.kill()
            client.process.wait()
        server.process.kill()
    with ServerProcess(*data, port=server.port, forked=True), Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: alice.title == "(3) Twocans – alice")
        assert {"bob", "3", "message 2", "Offline — 1"} <= set(alice.drawn)
        open_chat(alice, "bob")
        alice.wait(lambda: alice.title == "Twocans – alice")
        assert "New messages" in written(alice)
    with ServerProcess(*data, port=server.port, forked=True), Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        assert alice.title == "Twocans – alice"


def test_scrolling_up_loads_older_messages_and_nothing_jumps(server: ServerProcess) -> None:
    with PlainPeer(server.port, "bob") as bob, Person(port=server.port, user="alice") as alice:
        for number in range(170):
            bob.say("alice", f"line {number}")
        alice.wait(lambda: alice.vm.chats.unread == 170)
    with Person(port=server.port, user="alice") as alice:
        transcript = alice.window.chat.transcript
        alice.wait(lambda: "bob" in alice.drawn)
        alice.click_on("bob")
        alice.wait(lambda: alice.vm.bubbles)
        transcript.scroll_to_newest()
        alice.wait(lambda: alice.vm.bubbles[-1].text == "line 169")
        alice.click(transcript.canvas)
        alice.wait(lambda: len(written(alice)) > 5)
        for _ in range(60):
            before = written(alice)
            count = len(alice.vm.bubbles)
            transcript.canvas.event_generate("<Prior>")
            alice.root.update()
            moved = written(alice)
            alice.wait(lambda: alice.vm.chats.open is not None and alice.vm.chats.open.asked is None)
            after = written(alice)
            common = {text for text in moved if text.startswith("line") and text in after}
            if len(alice.vm.bubbles) > count:
                assert common
                assert {text: moved[text] for text in common} == {text: after[text] for text in common}
            if "line 0" in after:
                break
            assert before != after
        assert [bubble.text for bubble in alice.vm.bubbles] == [f"line {number}" for number in range(170)]


def test_typing_is_shown_above_the_chat_and_in_the_list_and_goes_away(server: ServerProcess) -> None:
    with JsonPeer(server.port, "bob") as bob, Person(port=server.port, user="alice") as alice:
        open_chat(alice, "bob")
        bob.send("TYPING", to="alice")
        alice.wait(lambda: any("typing …" in label for label in alice.labels))
        assert "typing …" in alice.drawn
        alice.wait(lambda: not any("typing …" in label for label in alice.labels))
        assert "typing …" not in alice.drawn


@pytest.fixture
def long_ago(server: ServerProcess) -> ServerProcess:
    """A server on which bob has told alice a lot, and among it, long ago, something about a lake."""
    with PlainPeer(server.port, "alice"):
        pass
    with JsonPeer(server.port, "carol") as carol, JsonPeer(server.port, "bob") as bob:
        carol.deliver("alice", "The LAKE is frozen")
        for number in range(400):
            bob.say("alice", "shall we go to the lake?" if number == 60 else f"line {number}")
        bob.deliver("alice", "that is all")
    return server


def test_a_search_over_all_chats_shows_the_hit_in_its_surroundings_and_esc_leads_back(
    long_ago: ServerProcess,
) -> None:
    with Person(port=long_ago.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        alice.key("ctrl+shift+f")
        alice.write("lake")
        alice.wait(lambda: len(alice.vm.finder) == 2)
        canvas = alice.window._sidebar.finder.canvas
        alice.wait(lambda: len(canvas.find_withtag("found")) == 2)
        said = {text_of(canvas, item) for item in canvas.find_all()}
        assert {"bob", "carol", "shall we go to the lake?", "The LAKE is frozen"} <= said
        alice.key("Return")
        alice.wait(lambda: "shall we go to the lake?" in written(alice))
        height = alice.window.chat.transcript.canvas.winfo_height()
        assert height * 0.25 < written(alice)["shall we go to the lake?"] < height * 0.75
        assert {"line 59", "line 61"} <= set(written(alice))
        assert marks(alice) == 2  # behind the message, and behind its word
        # down from there, page by page, to the end of the conversation
        alice.click(alice.window.chat.transcript.canvas)
        for _ in range(200):
            if "that is all" in written(alice):
                break
            alice.key("Next")
            alice.wait(lambda: alice.vm.chats.open is not None and alice.vm.chats.open.asked is None)
        texts = [bubble.text for bubble in alice.vm.bubbles]
        assert texts[texts.index("line 61") :] == [
            *(f"line {number}" for number in range(61, 400)),
            "that is all",
        ]
        alice.key("Escape")
        assert not alice.vm.finder.active
        assert marks(alice) == 0
        assert alice.vm.header is not None
        alice.key("Escape")
        alice.wait(lambda: alice.vm.header is None)


def test_from_a_message_of_long_ago_one_key_leads_to_the_newest(long_ago: ServerProcess) -> None:
    with Person(port=long_ago.port, user="alice") as alice:
        open_chat(alice, "bob")
        alice.key("ctrl+f")
        assert alice.vm.finder.peer == "bob"
        alice.write("lake")
        alice.wait(lambda: len(alice.vm.finder) == 1)
        alice.key("Return")
        alice.wait(lambda: "shall we go to the lake?" in written(alice))
        alice.click(alice.window.chat.transcript.canvas)
        alice.key("End")
        alice.wait(lambda: "that is all" in written(alice))
        with PlainPeer(long_ago.port, "bob") as bob:
            bob.say("alice", "and one more")
            alice.wait(lambda: "and one more" in written(alice))


def test_a_narrow_window_goes_from_the_results_to_the_chat_and_back(long_ago: ServerProcess) -> None:
    with Person(port=long_ago.port, user="alice") as alice:
        alice.root.geometry("480x700")
        alice.wait(lambda: alice.root.winfo_width() == 480)
        alice.key("ctrl+f")
        results = alice.window._sidebar.finder.canvas
        alice.write("lake")
        alice.wait(lambda: len(alice.vm.finder) == 2)
        left, top, _, _ = results.bbox("found")
        alice.click(results, left + 2, top + 2)
        alice.wait(lambda: "shall we go to the lake?" in written(alice))
        assert not results.winfo_viewable()
        alice.key("Escape")
        alice.wait(results.winfo_viewable)
        alice.key("Escape")
        alice.wait(lambda: not alice.vm.finder.active)


def test_many_results_come_as_one_scrolls_and_nothing_found_is_told(long_ago: ServerProcess) -> None:
    with Person(port=long_ago.port, user="alice") as alice:
        alice.key("ctrl+shift+f")
        alice.write("line")
        alice.wait(lambda: len(alice.vm.finder) >= 50)
        count = len(alice.vm.finder)
        assert count < 399
        for _ in range(40):
            alice.key("Next")
            if len(alice.vm.finder) > count:
                break
        assert len(alice.vm.finder) > count
        assert len(alice.window._sidebar.finder.canvas.find_all()) < 120
        alice.key("ctrl+a")
        alice.write("zebra")
        alice.wait(lambda: alice.vm.finder.hint == "Nothing found for “zebra”.")


@pytest.mark.parametrize(("ending", "starts"), [("txt", "Messages of alice"), ("html", "<!DOCTYPE html>")])
def test_a_conversation_is_saved_whole_through_the_menu(
    long_ago: ServerProcess, tmp_path: Path, ending: str, starts: str
) -> None:
    path = tmp_path / f"chat.{ending}"
    with Person(port=long_ago.port, user="alice") as alice:
        open_chat(alice, "bob")
        alice.click(alice.window.chat.menu_button)
        alice.key("Down", "Down")
        name_file(alice, path, "Return")
        alice.wait(lambda: alice.vm.export is not None and not alice.vm.export.busy)
        assert f"Saved 401 messages in {path}." in alice.labels
        saved = path.read_text()
        assert saved.startswith(starts)
        assert (
            saved.index("line 0") < saved.index("lake") < saved.index("line 399") < saved.index("that is all")
        )
        alice.click_on("Close")
        assert alice.vm.export is None


def test_a_conversation_is_saved_as_json_by_a_key_and_a_place_that_cannot_be_written_is_told(
    long_ago: ServerProcess, tmp_path: Path
) -> None:
    path = tmp_path / "chat.json"
    with Person(port=long_ago.port, user="alice") as alice:
        open_chat(alice, "bob")
        name_file(alice, path, "ctrl+s")
        alice.wait(lambda: path.exists())
        assert len(json.loads(path.read_text())["conversations"][0]["messages"]) == 401
        alice.wait(lambda: alice.vm.export is not None and not alice.vm.export.busy)
        alice.click_on("Close")
        taken = tmp_path / "folder.txt"
        (taken / "inside").mkdir(parents=True)
        alice.window.act(alice.vm.save_chat, str(taken), Form.TEXT, "bob")
        alice.wait(lambda: alice.vm.export is not None and alice.vm.export.failed)
        assert alice.vm.export is not None
        assert "folder.txt is a folder" in alice.vm.export.text


def name_file(alice: Person, path: Path, *keys: str) -> None:
    """Press keys that open the save dialog, and type a path into it."""
    # The dialog holds up everything here until it is closed, so other hands have to work it.
    steps = (
        ["xdotool", "key", "--delay", "60", *keys],
        [
            "xdotool",
            "search",
            "--sync",
            "--onlyvisible",
            "--name",
            "^Save the chat",
            "windowactivate",
            "--sync",
        ],
        ["xdotool", "key", "--delay", "30", "ctrl+slash"],
        ["xdotool", "type", "--delay", "10", str(path)],
        ["xdotool", "key", "Return"],
    )
    hands = subprocess.Popen(["sh", "-c", " && ".join(shlex.join(step) for step in steps)])
    rescue = alice.root.after(15_000, lambda: alice.root.tk.call("destroy", ".__tk_filedialog"))
    alice.wait(lambda: hands.poll() is not None)
    alice.root.after_cancel(rescue)
