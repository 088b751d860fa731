"""Do not disturb, muted chats, and the settings, in a real window."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from pathlib import Path
from tkinter import ttk

import pytest

from tests.gui.harness import ClientProcess, Person, text_of, xdotool
from tests.support.process import ServerProcess
from tests.support.raw import PlainPeer
from twocans.gui.backend.settings import Look, Settings, SettingsFile, config_dir
from twocans.gui.viewmodel.do_not_disturb import Span
from twocans.gui.viewmodel.effects import (
    PlaySound,
    ShowNotification,
)


def listen(person: Person, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the window asks to be heard and shown, from now on."""
    heard: list[object] = []
    do: Callable[[object], None] = person.window._do  # type: ignore[assignment]

    def noting(effect: object) -> None:
        if isinstance(effect, PlaySound | ShowNotification):
            heard.append(effect)
        do(effect)

    monkeypatch.setattr(person.window, "_do", noting)
    return heard


def marks(person: Person) -> int:
    """How many chats in the list have the sign of a muted one."""
    return len(person.list_canvas.find_withtag("muted"))


def focus_on(person: Person, text: str) -> ttk.Widget:
    """Walk with the Tab key to what says this, in the window over the main one."""
    for _ in range(60):
        focus = person.root.focus_get()
        if isinstance(focus, ttk.Button | ttk.Checkbutton | ttk.Radiobutton) and focus.cget("text") == text:
            return focus
        person.key("Tab")
    raise AssertionError(f"the Tab key does not lead to {text!r}")


def test_a_chat_is_muted_from_its_header_and_is_silent_and_marked(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        PlainPeer(server.port, "bob") as bob,
        PlainPeer(server.port, "carol") as carol,
        Person(port=server.port, user="alice") as alice,
    ):
        alice.wait(lambda: {"bob", "carol"} <= set(alice.drawn))
        alice.click_on("bob")
        alice.click(alice.window.chat.bell_button)
        alice.choose("Mute always")
        alice.wait(lambda: marks(alice) == 1)
        alice.key("Escape")
        heard = listen(alice, monkeypatch)
        bob.say("alice", "psst")
        alice.wait(lambda: alice.vm.chats.unread == 1)
        assert heard == []
        assert alice.title == "Twocans – alice"
        carol.say("alice", "hello")
        alice.wait(lambda: alice.title == "(1) Twocans – alice")
        assert len(heard) == 1
        settings, _ = SettingsFile(config_dir()).load()
        assert [one.peer for one in settings.muted] == ["bob"]


def test_a_right_click_in_the_list_mutes_and_the_keyboard_unmutes(server: ServerProcess) -> None:
    with PlainPeer(server.port, "bob"), Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        canvas = alice.list_canvas
        (item,) = [item for item in canvas.find_all() if text_of(canvas, item) == "bob"]
        x, y, _, _ = canvas.bbox(item)
        alice.click(canvas, x + 4, y + 4, button=3)
        alice.choose("Mute for 1 hour")
        alice.wait(lambda: marks(alice) == 1)
        alice.window._sidebar.people.focus_list()
        alice.key("shift+F10")
        alice.choose("Unmute (muted until ")
        alice.wait(lambda: marks(alice) == 0)


def test_do_not_disturb_is_begun_at_the_bell_shows_its_end_and_is_ended_there(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PlainPeer(server.port, "bob") as bob, Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        heard = listen(alice, monkeypatch)
        alice.click(alice.window._sidebar.bell_button)
        alice.choose("Do not disturb until tomorrow morning")
        alice.wait(lambda: "do not disturb until tomorrow, 08:00" in alice.labels)
        bob.say("alice", "are you there?")
        alice.wait(lambda: alice.title == "(1) Twocans – alice")
        assert heard == []
        alice.click(alice.window._sidebar.bell_button)
        alice.choose("End “do not disturb”")
        alice.wait(lambda: "you are online" in alice.labels)
        bob.say("alice", "hello?")
        alice.wait(lambda: heard)


def test_do_not_disturb_outlives_the_window(server: ServerProcess) -> None:
    with Person(port=server.port, user="alice") as alice:
        alice.window.act(alice.vm.quiet.begin, Span.MORNING)
    with Person(port=server.port, user="alice") as alice:
        assert "do not disturb until tomorrow, 08:00" in alice.labels


def test_two_windows_keep_and_follow_each_others_settings(server: ServerProcess, tmp_path: Path) -> None:
    with Person(port=server.port, user="alice") as alice:

        def kept() -> Settings:
            return SettingsFile(config_dir()).load()[0]

        with ClientProcess(tmp_path / "client") as other:
            other.key("ctrl+comma")
            other.wait(lambda: _has_dialog(other), "settings")
            xdotool("key", "--delay", "30", "Right", "Right")
            other.wait(lambda: kept().look is Look.DARK, "dark settings")
            alice.wait(lambda: not alice.vm.chats.in_front)
            assert not alice.theme_is_dark()
            alice.activate()
            alice.wait(alice.theme_is_dark)
            alice.window._set_sound(on=False)
            alice.window.act(alice.vm.quiet.begin, Span.MORNING)
            xdotool("key", "Escape")
            other.key("ctrl+q")
            assert other.quits() == 0, other.failure()
        # Its last word was the place where it was, and nothing else.
        assert (kept().look, kept().sound, kept().geometry != "") == (Look.DARK, False, True)
        assert kept().quiet_until_ms
        assert [one.user for one in kept().recent] == ["alice"]


def _has_dialog(client: ClientProcess) -> bool:
    return "Settings – Twocans" in xdotool("getwindowname", xdotool("getwindowfocus", "-f").strip())


def test_settings_are_reached_and_changed_with_the_keys_alone_and_count_at_once(
    server: ServerProcess,
) -> None:
    with PlainPeer(server.port, "bob"), Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.names)
        alice.window.act(alice.vm.quiet.mute, "bob", Span.ALWAYS)
        alice.key("ctrl+comma")
        alice.await_dialog("Text size")
        alice.key("Right", "Right")
        alice.wait(alice.theme_is_dark)
        focus_on(alice, "Play a short sound")
        alice.key("space")
        focus_on(alice, "For 1 hour")
        alice.key("space")
        alice.wait(lambda: alice.vm.quiet.is_on)
        assert any(label.startswith("On until ") for label in alice.labels)
        assert alice.root.focus_get() is focus_on(alice, "End")
        focus_on(alice, "Unmute")
        alice.key("space")
        alice.wait(lambda: "None. To mute a chat, click its bell." in alice.labels)
        focus_on(alice, "30")
        alice.key("space")
        alice.key("Escape")
        alice.wait(lambda: alice.root.focus_get() is not None and "Text size" not in alice.labels)
        settings, _ = SettingsFile(config_dir()).load()
        assert (settings.look, settings.sound, settings.away_after_min) == (Look.DARK, False, 30)
        assert settings.muted == []
        assert settings.quiet_until_ms > 0
        assert not alice.vm.preferences.sound


def test_the_settings_fit_on_the_screen_and_what_has_the_focus_is_in_view(server: ServerProcess) -> None:
    with Person(port=server.port, user="alice") as alice:
        alice.window._set_text_size(2.0)
        alice.key("ctrl+comma")
        alice.await_dialog("Text size")
        widget = focus_on(alice, "Start with the system")
        dialog = widget.winfo_toplevel()
        alice.wait(lambda: dialog.winfo_rooty() + dialog.winfo_height() <= dialog.winfo_screenheight())
        canvas = next(one for one in ancestors(widget) if isinstance(one, tk.Canvas))
        alice.wait(lambda: canvas.winfo_rooty() <= widget.winfo_rooty())
        bottom = canvas.winfo_rooty() + canvas.winfo_height()
        assert widget.winfo_rooty() + widget.winfo_height() <= bottom


def ancestors(widget: tk.Misc) -> list[tk.Misc]:
    found = []
    above: tk.Misc | None = widget
    while above is not None:
        found.append(above)
        above = above.master
    return found


def test_the_start_with_the_system_is_written_and_removed_and_read_from_there(
    server: ServerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    entry = tmp_path / "xdg" / "autostart" / "twocans.desktop"
    with Person(port=server.port, user="alice") as alice:
        alice.key("ctrl+comma")
        alice.await_dialog("Text size")
        alice.click(focus_on(alice, "Start with the system"))
        assert "--in-tray" in entry.read_text()
        alice.key("Escape", "ctrl+comma")
        alice.await_dialog("Text size")
        assert focus_on(alice, "Start with the system").instate(["selected"])
        alice.key("space")
        assert not entry.exists()
        entry.parent.rmdir()
        entry.parent.write_text("in the way")
        alice.key("space")
        alice.wait(lambda: any(text.startswith("The system does not let") for text in alice.labels))
        entry.parent.unlink()
        alice.key("space")
        alice.wait(lambda: not any(text.startswith("The system does not let") for text in alice.labels))
        assert entry.exists()


def test_without_a_tray_that_setting_says_why_it_cannot_be_had_and_closing_quits(
    server: ServerProcess,
) -> None:
    with Person(port=server.port, user="alice") as alice:
        alice.key("ctrl+comma")
        alice.await_dialog("Text size")
        text = "Keep running in the tray when the window is closed"
        (button,) = [
            one for one in alice._widgets() if isinstance(one, ttk.Checkbutton) and one.cget("text") == text
        ]
        assert button.instate(["disabled"])
        assert any(label.startswith("Your desktop shows no tray icons") for label in alice.labels)
