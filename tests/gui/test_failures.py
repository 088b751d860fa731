"""Failures in callbacks of every kind: the window goes on, and the user is told."""

from __future__ import annotations

import asyncio
import time
import tkinter as tk
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from tests.gui.harness import Person
from tests.support.companion import Companion
from tests.support.process import ServerProcess
from twocans.gui import errors
from twocans.gui.backend import backend
from twocans.gui.backend.decoding import Decoder
from twocans.gui.viewmodel import ViewModel
from twocans.gui.viewmodel.effects import AskIdle, PlaySound
from twocans.gui.viewmodel.inputs import FileRefused, Input, RingBell
from twocans.gui.viewmodel.state import Screen

DEADLINE_S: Final = 20.0
FILE_DIALOG: Final = ".__tk_filedialog"


@pytest.fixture
def bob(server: ServerProcess) -> Iterator[Companion]:
    with Companion(server.port, "bob") as bob:
        yield bob


@pytest.fixture
def alice(server: ServerProcess, bob: Companion) -> Iterator[Person]:
    with Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        alice.click_on("bob")
        alice.wait(lambda: alice.vm.chats.open is not None and alice.vm.chats.open.loaded)
        yield alice


def step_by_step(root: tk.Tk, *steps: tuple[Callable[[], object], Callable[[], object]]) -> None:
    """Do each thing once its condition holds, from within the event loop: Tk's dialogs hold up everything else."""
    left, deadline = list(steps), time.monotonic() + DEADLINE_S

    def look() -> None:
        try:
            while left and left[0][0]():
                left.pop(0)[1]()
            assert time.monotonic() < deadline, f"{len(left)} steps were not done"
        except BaseException:
            close_file_dialog(root)
            raise
        if left:
            root.after(20, look)

    root.after(20, look)


def file_dialog_is_open(root: tk.Tk) -> bool:
    focus = str(root.tk.call("focus", "-displayof", "."))
    return focus.startswith(f"{FILE_DIALOG}.")


def close_file_dialog(root: tk.Tk) -> None:
    root.tk.call("set", "::tk::Priv(selectFilePath)", "")


def reported(alice: Person) -> list[BaseException]:
    """What is reported from now on, without an end of the test."""
    found: list[BaseException] = []
    alice.root.report_callback_exception = lambda _kind, error, _trace: found.append(error)
    return found


def report(alice: Person, *inputs: Input) -> None:
    """Hand inputs to the window as the asyncio thread does, all in one slice."""
    with alice.app.bridge._lock:
        alice.app.bridge._inputs.extend(inputs[:-1])
    alice.app.bridge._put_now(inputs[-1])


# --- Tk's own windows -------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", ["ctrl+o", "ctrl+s"])
def test_the_window_goes_on_while_a_file_dialog_is_open(
    alice: Person, bob: Companion, server: ServerProcess, keys: str
) -> None:
    companions: list[Companion] = []

    def somebody_comes() -> None:
        companions.append(Companion(server.port, "carol"))
        bob.say("alice", "are you there?")

    step_by_step(
        alice.root,
        (lambda: file_dialog_is_open(alice.root), somebody_comes),
        (
            lambda: "carol" in alice.drawn and [bubble.text for bubble in alice.vm.bubbles] != [],
            lambda: close_file_dialog(alice.root),
        ),
    )
    try:
        alice.composer.focus_force()
        alice.key(keys)
        alice.wait(lambda: companions and not file_dialog_is_open(alice.root))
        alice.wait(lambda: {"bob", "carol"} <= set(alice.drawn))
        alice.wait(lambda: [bubble.text for bubble in alice.vm.bubbles] == ["are you there?"])
        alice.composer.focus_force()
        alice.write("yes")
        alice.key("Return")
        alice.wait(lambda: bob.messages)
    finally:
        for companion in companions:
            companion.__exit__(None, None, None)


def test_space_presses_the_buttons_of_a_file_dialog(alice: Person) -> None:
    closed: list[bool] = []

    def press() -> None:
        button = f"{FILE_DIALOG}.contents.f2.cancel"
        alice.root.tk.call("focus", "-force", button)
        alice.root.tk.call("event", "generate", button, "<space>")

    step_by_step(
        alice.root,
        (lambda: file_dialog_is_open(alice.root), press),
        (lambda: not file_dialog_is_open(alice.root), lambda: closed.append(True)),
    )
    alice.composer.focus_force()
    alice.key("ctrl+o")
    alice.wait(lambda: closed)


# --- callbacks --------------------------------------------------------------------------------------------


def test_an_input_that_fails_keeps_the_others_from_nothing(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = reported(alice)

    def no_bell() -> None:
        raise RuntimeError("no bell")

    monkeypatch.setattr(alice.root, "bell", no_bell)
    report(alice, RingBell(), FileRefused(alice.vm.form.session, "Something else."))
    alice.wait(lambda: alice.vm.notice is not None and alice.vm.notice.text == "Something else.")
    assert [str(error) for error in found] == ["no bell"]


def test_a_part_that_cannot_be_shown_keeps_no_effect_from_being_carried_out(
    alice: Person, bob: Companion, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = reported(alice)

    def no_people() -> None:
        raise RuntimeError("no people")

    monkeypatch.setattr(alice.window._sidebar, "show_people", no_people)
    alice.write("hello")
    alice.key("Return")
    alice.wait(lambda: [message.text for message in bob.messages] == ["hello"])
    assert {str(error) for error in found} == {"no people"}
    monkeypatch.undo()
    bob.say("alice", "hi")
    alice.wait(lambda: [bubble.text for bubble in alice.vm.bubbles] == ["hello", "hi"])


def test_the_ticks_of_the_window_go_on_after_one_that_failed(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = reported(alice)

    def fails() -> None:
        raise RuntimeError("no tick")

    monkeypatch.setattr(ViewModel, "next_tick_s", 0.02)
    monkeypatch.setattr(alice.vm, "tick", fails)
    alice.window._plan_tick()  # nothing else is to plan one
    alice.wait(lambda: len(found) >= 2)


def test_a_script_of_tk_that_fails_is_reported_without_a_dialog(alice: Person) -> None:
    found = reported(alice)
    alice.root.tk.eval("after idle {error boom}")
    alice.wait(lambda: found)
    assert "boom" in str(found[0])
    assert not alice.root.tk.eval("info commands .bgerrorDialog")


def test_ctrl_c_in_a_callback_ends_the_main_loop(alice: Person) -> None:
    errors.catch(alice.root, lambda _: None)

    def interrupted() -> None:
        raise KeyboardInterrupt

    alice.root.after(0, interrupted)
    with pytest.raises(KeyboardInterrupt):
        alice.root.mainloop()


def test_pictures_are_decoded_after_one_that_failed(alice: Person) -> None:
    decoder = Decoder(alice.root)
    came: list[str] = []

    def fails() -> str:
        raise MemoryError

    decoder.ask(fails, came.append)
    decoder.ask(lambda: "the next one", came.append)
    alice.wait(lambda: came)
    assert came == ["the next one"]
    decoder.close()


# --- the asyncio thread -----------------------------------------------------------------------------------


def test_a_request_that_fails_is_told(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_sound() -> None:
        raise RuntimeError("no sound")

    assert alice.app.bridge._backend is not None
    monkeypatch.setattr(alice.app.bridge._backend._sound, "play", no_sound)
    alice.app.bridge.do(PlaySound())
    alice.wait(lambda: alice.vm.notice is not None and alice.vm.notice.text == errors.SENTENCE)


def test_an_effect_that_cannot_be_begun_is_told(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_sound() -> None:
        raise RuntimeError("no sound")

    assert alice.app.bridge._backend is not None
    monkeypatch.setattr(alice.app.bridge._backend._sound, "play", no_sound)
    alice.app.bridge.do(PlaySound())
    alice.wait(lambda: alice.vm.notice is not None and alice.vm.notice.text == errors.SENTENCE)


def test_a_display_that_does_not_answer_uses_up_no_requests(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[bool] = []

    async def hang() -> float | None:
        await asyncio.Event().wait()
        return None

    async def play() -> None:
        played.append(True)

    assert alice.app.bridge._backend is not None
    monkeypatch.setattr(alice.app.bridge._backend._idle, "seconds", hang)
    monkeypatch.setattr(alice.app.bridge._backend._sound, "play", play)
    for _ in range(backend.MAX_TASKS + 1):
        alice.app.bridge.do(AskIdle())
    alice.app.bridge.do(PlaySound())
    alice.wait(lambda: played)


def test_what_is_asked_beyond_what_can_be_done_at_once_is_told(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    assert alice.app.bridge._backend is not None
    monkeypatch.setattr(alice.app.bridge._backend._sound, "play", hang)
    for _ in range(backend.MAX_TASKS):
        alice.app.bridge.do(PlaySound())
    alice.wait(lambda: alice.vm.notice is not None)
    assert alice.vm.notice is not None
    assert alice.vm.notice.text.startswith("Too much is going on at once")


def test_a_login_that_fails_in_an_unknown_way_does_not_wait_for_ever(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("no client")

    with Person(port=server.port) as alice:
        monkeypatch.setattr(backend, "Client", fails)
        alice.window.act(alice.vm.form.set_user, "alice")
        alice.window.act(alice.vm.connect)
        alice.wait(lambda: not alice.vm.form.state.connecting and alice.vm.form.state.message)
        assert alice.vm.form.state.message == errors.SENTENCE
        monkeypatch.undo()
        alice.window.act(alice.vm.connect)
        alice.wait(lambda: alice.vm.screen is Screen.MAIN)


def test_a_backend_that_cannot_be_made_does_not_keep_the_window_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails() -> None:
        raise RuntimeError("no home")

    monkeypatch.setattr(backend, "default_trust", fails)
    with Person(port=1) as alice:
        alice.wait(lambda: alice.vm.notice is not None and alice.vm.notice.text == errors.SENTENCE)
