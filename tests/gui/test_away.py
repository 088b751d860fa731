"""Somebody who does not touch their computer, as another client sees it."""

from __future__ import annotations

from tests.gui.harness import Person, xdotool
from tests.support.process import ServerProcess
from tests.support.raw import JsonPeer
from twocans.protocol.messages import Status


def status(peer: JsonPeer, user: str) -> object:
    """What is told of somebody next; `here` goes without saying."""
    return peer.expect("PRESENCE", user=user).fields.get("status", "here")


def test_idling_is_seen_by_others_and_a_key_for_any_program_ends_it(server: ServerProcess) -> None:
    with Person(port=server.port, user="alice") as alice, JsonPeer(server.port, "bob") as bob:
        alice.root.iconify()
        alice.wait(lambda: not alice.vm.chats.in_front)
        alice.vm.preferences.away_after_s = 0.5
        alice.window.act(alice.vm.absence.asked)
        alice.wait(lambda: alice.vm.absence.status is Status.AWAY)
        assert status(bob, "alice") == "away"

        def is_back_while_somebody_types() -> bool:
            xdotool("key", "shift", while_waiting=alice.pump)
            return alice.vm.absence.status is Status.HERE

        alice.wait(is_back_while_somebody_types)
        assert status(bob, "alice") == "here"


def test_a_key_in_the_window_itself_ends_it_at_once(server: ServerProcess) -> None:
    with Person(port=server.port, user="alice") as alice, JsonPeer(server.port, "bob") as bob:
        alice.vm.preferences.away_after_s = 0.5
        alice.window.act(alice.vm.absence.asked)
        alice.wait(lambda: "you are shown as away" in alice.labels)
        assert status(bob, "alice") == "away"
        alice.vm.preferences.away_after_s = 10_000
        alice.key("shift")
        assert "you are online" in alice.labels
        assert status(bob, "alice") == "here"


def test_whoever_says_to_be_away_is_so_whatever_they_press(server: ServerProcess) -> None:
    with Person(port=server.port, user="alice") as alice, JsonPeer(server.port, "bob") as bob:
        alice.click(alice.window._sidebar.bell_button)
        alice.choose("Show me as away")
        assert status(bob, "alice") == "away"
        alice.key("shift")
        assert "you are shown as away" in alice.labels
        alice.click(alice.window._sidebar.bell_button)
        alice.choose("I am back")
        assert status(bob, "alice") == "here"


def test_do_not_disturb_is_seen_as_busy(server: ServerProcess) -> None:
    with Person(port=server.port, user="alice") as alice, JsonPeer(server.port, "bob") as bob:
        alice.click(alice.window._sidebar.bell_button)
        alice.choose("Do not disturb for 1 hour")
        assert status(bob, "alice") == "busy"
