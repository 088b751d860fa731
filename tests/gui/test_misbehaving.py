"""One window and a server that misbehaves on one connection after another: it lives, shows sentences, and goes on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.gui.harness import Person
from tests.misbehaving.modes import CHATS, GREETINGS, LIES, PAGES
from tests.misbehaving.server import LyingServer, Mode, in_thread
from twocans.client.checks import MAX_SENTENCE_CHARS
from twocans.common.transcripts import Form
from twocans.gui.viewmodel.state import Screen
from twocans.protocol.messages import HistoryQuery

_LONGEST: Final = MAX_SENTENCE_CHARS + 400


def _texts(alice: Person) -> list[str]:
    return [entry.text for one in alice.vm.chats.all.values() for entry in one.entries]


def _check_sentences(alice: Person) -> None:
    """Whatever is shown is short, and one line."""
    form = alice.vm.form.state
    banner = alice.vm.banner
    for text in (
        form.message,
        form.user_error,
        form.server_error,
        "" if banner is None else banner.text,
        alice.title,
    ):
        assert len(text) <= _LONGEST
        assert text.isprintable() or not text


def _is_connected(alice: Person) -> bool:
    """Skip the pause before the next attempt, if there is one."""
    if not alice.vm.connected:
        alice.window.act(alice.vm.retry_now)
    return alice.vm.connected


def _go_through(alice: Person, server: LyingServer, mode: Mode) -> None:
    """Have the window connect to a server in this mode, and wait until it has what was sent afterwards."""
    known = len(server.hellos)
    server.modes.append(mode)
    server.cut()

    def goes_on() -> bool:
        _check_sentences(alice)
        if alice.vm.screen is Screen.LOGIN:
            if not alice.vm.form.state.connecting:
                alice.window.act(alice.vm.connect)
        elif not alice.vm.connected:
            alice.window.act(alice.vm.retry_now)
        elif alice.vm.chats.open is None:
            alice.window.act(lambda: alice.vm.open("bob"))
        return not server.modes and f"after {mode.name}" in _texts(alice)

    alice.wait(goes_on)
    assert len(server.hellos) - known <= 3, mode.name


@pytest.mark.parametrize("modes", [GREETINGS, LIES, (*CHATS, *PAGES)], ids=["greetings", "lies", "answers"])
def test_a_window_outlives_every_way_to_misbehave(modes: Sequence[Mode]) -> None:
    with in_thread() as server, Person(port=server.port, user="alice") as alice:
        alice.window.act(lambda: alice.vm.open("bob"))
        for mode in modes:
            if mode.window:
                _go_through(alice, server, mode)
        alice.wait(lambda: _is_connected(alice))
        assert alice.vm.me == "alice"
        assert all(hello.user == "alice" for hello in server.hellos)
        assert server.account.sent == []


def test_saving_a_chat_whose_pages_go_no_further_ends_with_a_sentence(tmp_path: Path) -> None:
    with in_thread() as server, Person(port=server.port, user="alice") as alice:
        for mode in PAGES:
            server.modes.append(mode)
            server.cut()
            alice.wait(lambda: _is_connected(alice) and not server.modes)
            asked = len(server.heard)
            alice.window.act(lambda: alice.vm.save_chat(str(tmp_path / "chat.txt"), Form.TEXT, "bob"))
            alice.wait(lambda: alice.vm.export is not None and not alice.vm.export.busy)
            assert alice.vm.export is not None
            assert alice.vm.export.failed
            assert alice.vm.export.text.startswith("The chat was not saved. ")
            assert not list(tmp_path.glob("chat*"))
            assert sum(isinstance(frame, HistoryQuery) for frame in server.heard[asked:]) <= 3
            alice.wait(lambda: _is_connected(alice))
