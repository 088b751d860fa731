"""Who is away and who is busy: what the window shows of others, and what others are told of its user."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gui.harness import Person
from tests.support.process import ServerProcess
from tests.support.raw import JsonPeer
from tests.support.tls import client_context
from twocans.gui.backend.settings import Look
from twocans.gui.viewmodel.state import Presence
from twocans.protocol.messages import Status


def mark_in_list(person: Person) -> str:
    """The picture at the only other person's face in the list; "" without one."""
    canvas = person.list_canvas
    marks = [
        str(canvas.tk.call(canvas, "itemcget", item, "-image")) for item in canvas.find_withtag("presence")
    ]
    assert len(marks) <= 1
    return marks[0] if marks else ""


def mark_in_header(person: Person) -> str:
    """The picture beside what is said of the other side, above the chat."""
    return str(person.window.chat._dot.cget("image"))


@pytest.mark.parametrize("look", [Look.LIGHT, Look.DARK])
def test_list_and_header_show_who_is_away_and_who_is_busy(server: ServerProcess, look: Look) -> None:
    with Person(port=server.port, user="alice") as alice:
        alice.window._set_look(look)
        with JsonPeer(server.port, "bob", tls=client_context()) as bob:
            alice.wait(lambda: "bob" in alice.drawn)
            alice.click_on("bob")
            alice.wait(lambda: "online" in alice.labels)
            seen = [(mark_in_list(alice), mark_in_header(alice))]
            for status, presence, said in (
                (Status.AWAY, Presence.AWAY, "away"),
                (Status.BUSY, Presence.BUSY, "busy: do not disturb"),
            ):
                bob.send("STATUS", status=status.value)
                alice.wait(lambda said=said: said in alice.labels)  # type: ignore[misc]  # a default binds early
                assert "Online — 1" in alice.drawn
                assert alice.vm.header is not None
                assert alice.vm.header.presence is presence
                seen.append((mark_in_list(alice), mark_in_header(alice)))
            assert "" not in {mark for marks in seen for mark in marks}
            assert len({marks[0] for marks in seen}) == len({marks[1] for marks in seen}) == 3
            canvas = alice.list_canvas
            left, top, right, bottom = canvas.bbox("face")
            alice.hover(canvas, (left + right) // 2, (top + bottom) // 2)
            alice.wait(lambda: "Busy: do not disturb" in alice.labels)
            bob.send("STATUS", status="here")
            alice.wait(lambda: "online" in alice.labels)
            assert (mark_in_list(alice), mark_in_header(alice)) == seen[0]
        alice.wait(lambda: "bob" not in alice.drawn)
        assert not mark_in_list(alice)


def test_others_are_told_what_the_user_says_and_told_it_again_after_a_lost_connection(tmp_path: Path) -> None:
    data = tmp_path / "server"
    with Person(port=(server := ServerProcess(data=data, forked=True)).port, user="alice") as alice:
        with server:
            with JsonPeer(server.port, "bob", tls=client_context()) as bob:
                alice.window.act(alice.vm.set_status, Status.AWAY)
                assert bob.expect("PRESENCE", user="alice")["status"] == "away"
                alice.window.act(alice.vm.set_status, Status.BUSY)
                assert bob.expect("PRESENCE", user="alice")["status"] == "busy"
            assert server.stop() == 0
        alice.wait(lambda: alice.vm.banner is not None)
        with ServerProcess(port=server.port, data=data, forked=True) as again:
            alice.wait(lambda: alice.vm.connected)
            with JsonPeer(again.port, "carol", tls=client_context()) as carol:
                assert carol.welcome["statuses"] == {"alice": "busy"}
