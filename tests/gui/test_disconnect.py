"""Rows 5 and 6: counts and notifications, people who leave, servers that go and come back."""

from __future__ import annotations

import os
import stat
import sys
import time
import tkinter as tk
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.gui.harness import ClientProcess, Person, screenshot
from tests.support.notifications import Notifications, SessionBus
from tests.support.process import ServerProcess
from tests.support.raw import PlainPeer
from twocans.client import Timers
from twocans.client.timing import BACK_WITHIN_S
from twocans.gui.backend.settings import Look
from twocans.gui.transcript.model import Status
from twocans.gui.viewmodel.state import Presence, Screen


def test_a_message_counts_beside_the_person_and_in_the_title_until_the_chat_is_opened(
    server: ServerProcess,
) -> None:
    with PlainPeer(server.port, "bob") as bob, Person(port=server.port, user="alice") as alice:
        bob.say("alice", "one")
        bob.say("alice", "two")
        alice.wait(lambda: alice.title == "(2) Twocans – alice")
        assert "2" in alice.drawn
        alice.click_on("bob")
        alice.wait(lambda: alice.title == "Twocans – alice")
        assert "2" not in alice.drawn


def test_the_other_side_is_told_that_a_message_was_read_only_when_it_was_seen(server: ServerProcess) -> None:
    with (
        Person(port=server.port, user="alice") as alice,
        ClientProcess(
            Path(os.environ["TWOCANS_CONFIG_DIR"]).parent / "bob",
            *("--server", f"127.0.0.1:{server.port}", "--user", "bob", "--connect"),
        ) as bob,
    ):
        alice.wait(lambda: "bob" in alice.drawn)
        bob.title_is("Twocans – bob")
        alice.activate()
        alice.click_on("bob")
        alice.write("hello")
        alice.key("Return")
        alice.wait(lambda: alice.vm.bubbles[0].status is Status.DELIVERED)
        bob.title_is("(1) Twocans – bob")
        bob.key("Down", "Return")
        alice.wait(lambda: alice.vm.bubbles[0].status is Status.READ)


def test_when_the_other_side_leaves_the_list_is_back_with_a_notice_and_the_draft_returns(
    server: ServerProcess,
) -> None:
    with Person(port=server.port, user="alice") as alice:
        with PlainPeer(server.port, "bob"), PlainPeer(server.port, "carol"):
            alice.wait(lambda: "bob" in alice.drawn)
            alice.click_on("bob")
            alice.write("half a sentence")
            alice.root.geometry("500x700")
            alice.wait(lambda: not alice.list_canvas.winfo_viewable())
        alice.wait(alice.list_canvas.winfo_viewable)
        assert "bob left. Your draft is kept." in alice.labels
        with PlainPeer(server.port, "bob"):
            alice.wait(lambda: "bob is back. Your draft is kept." in alice.labels)
            alice.click_on("bob")
            alice.wait(lambda: alice.composer.get("1.0", "end-1c") == "half a sentence")


def test_a_lost_server_is_told_at_once_and_what_was_written_goes_out_when_it_is_back(tmp_path: Path) -> None:
    data = tmp_path / "server"
    with Person(port=(server := ServerProcess(data=data, forked=True)).port, user="alice") as alice:
        with server, PlainPeer(server.port, "bob"):
            alice.wait(lambda: "bob" in alice.drawn)
            alice.click_on("bob")
            server.process.kill()
            alice.wait(lambda: "Try now" in alice.labels)
            assert "Connection lost." in alice.labels
            assert any(label.startswith("Trying again") for label in alice.labels)
            assert alice.title == "Twocans – alice (not connected)"
            assert "not connected" in alice.labels
            assert {row.presence for row in alice.vm.people.rows} == {Presence.UNKNOWN}
            assert alice.composer.winfo_viewable()
            alice.write("are you there")
            alice.key("Return")
            assert alice.vm.bubbles[-1].status is Status.WAITING
        with ServerProcess(port=server.port, data=data, forked=True), PlainPeer(server.port, "bob") as bob:
            alice.click_on("Try now")
            assert bob.read_message() == ("alice", "are you there")
            alice.wait(lambda: "Try now" not in alice.labels)
            assert alice.title == "Twocans – alice"
            alice.wait(lambda: alice.vm.bubbles[-1].status is not Status.WAITING)
            assert [bubble.text for bubble in alice.vm.bubbles] == ["are you there"]


def test_the_connection_comes_back_by_itself(tmp_path: Path) -> None:
    data = tmp_path / "server"
    with Person(port=(server := ServerProcess(data=data, forked=True)).port, user="alice") as alice:
        with server:
            assert server.stop() == 0
        alice.wait(lambda: alice.vm.banner is not None)
        for _ in range(2):
            assert "The server was stopped." in alice.labels
            before = alice.vm._retry_at
            alice.wait(lambda before=before: alice.vm._retry_at not in {None, before})  # type: ignore[misc]  # bound early
        with ServerProcess(port=server.port, data=data, forked=True) as again:
            alice.wait(lambda: alice.vm.connected)
            again.event("user_registered", user="alice")
            assert "Connected again." in alice.labels


def test_a_server_that_restarts_throws_nobody_out_of_their_chat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead_s = 0.0
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + ahead_s, time_ns=time.time_ns)
    monkeypatch.setattr("twocans.gui.app.time", clock)
    data = tmp_path / "server"
    with Person(port=(server := ServerProcess(data=data, forked=True)).port, user="alice") as alice:
        with server, PlainPeer(server.port, "bob"):
            alice.wait(lambda: "bob" in alice.drawn)
            alice.click_on("bob")
            assert server.stop() == 0
        alice.wait(lambda: alice.vm.banner is not None)
        with ServerProcess(port=server.port, data=data, forked=True):
            alice.wait(lambda: alice.vm.connected)
            alice.wait(lambda: "offline" in alice.labels)
            ahead_s += Timers().connect + Timers().retry_max
            alice.window.act(alice.vm.tick)
            assert alice.composer.winfo_viewable()
            with PlainPeer(server.port, "bob"):
                alice.wait(lambda: alice.vm.header is not None and alice.vm.header.presence.is_online)
                ahead_s += BACK_WITHIN_S
                alice.window.act(alice.vm.tick)
                assert alice.composer.winfo_viewable()
                assert not any("left" in label for label in alice.labels)
            alice.wait(lambda: "bob left." in alice.labels)
            assert not alice.composer.winfo_viewable()


def test_back_to_login_has_server_and_name_filled_in_and_logs_in_elsewhere(server: ServerProcess) -> None:
    with Person(port=(first := ServerProcess(forked=True)).port, user="alice") as alice:
        first.kill()
        alice.wait(lambda: "Back to login" in alice.labels)
        alice.click_on("Back to login")
        alice.wait(lambda: alice.vm.screen is Screen.LOGIN)
        state = alice.vm.form.state
        assert (state.server, state.user) == (f"127.0.0.1:{first.port}", "alice")
        alice.vm.form.set_server(f"127.0.0.1:{server.port}")
        alice.window.refresh()
        alice.click_on("Connect")
        alice.wait(lambda: alice.title == "Twocans – alice")


def test_a_new_message_sounds_unless_it_is_switched_off(
    server: ServerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = tmp_path / "played"
    player = tmp_path / "bin" / "pw-play"
    player.parent.mkdir()
    player.write_text(
        f'#!{sys.executable}\nimport sys\nopen({str(played)!r}, "a").write(sys.argv[1] + "\\n")\n'
    )
    player.chmod(player.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{player.parent}{os.pathsep}{os.environ['PATH']}")
    with PlainPeer(server.port, "bob") as bob, Person(port=server.port, user="alice") as alice:
        bob.say("alice", "one")
        alice.wait(lambda: played.exists() and played.read_text())
        alice.key("ctrl+comma")
        alice.wait(lambda: "Done" in alice.labels)
        alice.key("Tab", "Tab", "Tab", "Tab", "Tab", "space", "Escape")
        alice.wait(lambda: not alice.vm.preferences.sound)
        alice.activate()
        alice.wait(lambda: alice.vm._attention._quiet_until < alice.vm._clock.monotonic())
        bob.say("alice", "two")
        alice.wait(lambda: alice.vm.chats.unread == 2)
        assert played.read_text().count("\n") == 1


@pytest.fixture(params=["", "body-markup"])
def notifications(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Notifications]:
    with SessionBus(tmp_path / "bus") as bus:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.address)
        with Notifications(request.param) as service:
            yield service


def test_a_message_behind_other_windows_notifies_and_a_click_opens_its_chat(
    server: ServerProcess, tmp_path: Path, notifications: Notifications
) -> None:
    with (
        PlainPeer(server.port, "bob") as bob,
        ClientProcess(
            tmp_path / "a", "--server", f"localhost:{server.port}", "--user", "alice", "--connect"
        ) as alice,
    ):
        alice.title_is("Twocans – alice")
        alice.activate()
        bob.say("alice", "in front")
        alice.title_is("(1) Twocans – alice")
        with ClientProcess(tmp_path / "other") as other:
            other.activate()
            bob.say("alice", "lunch?")
            alice.wait(lambda: notifications.shown("lunch?"), "notification")
            assert not notifications.shown("in front")
            bob.say("alice", "<a href='http://evil.example'>a\u202eb</a> & more")
            escaped = "&lt;a href='http://evil.example'&gt;a\\\\u202eb&lt;/a&gt; &amp; more"
            plain = "<a href='http://evil.example'>a\\\\u202eb</a> & more"
            wanted = escaped if notifications.reads_markup else plain
            alice.wait(lambda: notifications.shown(wanted), "notification without markup")
            notifications.click()
            alice.title_is("Twocans – alice")
            alice.wait(lambda: alice.is_in_front, "coming to the front")
            alice.key("ctrl+q")
            assert alice.quits() == 0


def test_a_desktop_without_a_notification_service_is_no_error(server: ServerProcess, tmp_path: Path) -> None:
    with (
        PlainPeer(server.port, "bob") as bob,
        ClientProcess(
            tmp_path / "a", "--server", f"localhost:{server.port}", "--user", "alice", "--connect"
        ) as alice,
        ClientProcess(tmp_path / "other") as other,
    ):
        alice.title_is("Twocans – alice")
        other.title_is("Twocans")
        other.activate()
        for number in range(3):
            bob.say("alice", f"message {number}")
        alice.title_is("(3) Twocans – alice")
        alice.wait(lambda: "notifications_unavailable" in alice.failure(), "line in the log")
        assert alice.failure().count("notifications_unavailable") == 1
        alice.key("ctrl+q")
        assert alice.quits() == 0


def test_a_notification_service_that_comes_late_is_used(
    server: ServerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SessionBus(tmp_path / "bus") as bus:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.address)
        with (
            PlainPeer(server.port, "bob") as bob,
            ClientProcess(
                tmp_path / "a", "--server", f"localhost:{server.port}", "--user", "alice", "--connect"
            ) as alice,
            ClientProcess(tmp_path / "other") as other,
        ):
            alice.title_is("Twocans – alice")
            other.activate()
            bob.say("alice", "too early")
            alice.wait(lambda: "notifications_unavailable" in alice.failure(), "line in the log")
            with Notifications() as service:
                bob.say("alice", "hello")
                alice.wait(lambda: service.shown("hello"), "notification")
                service.click()
                alice.wait(lambda: alice.is_in_front, "coming to the front")


def test_dark_and_light_can_be_switched_and_are_kept(server: ServerProcess) -> None:
    with Person(port=server.port, user="alice") as alice:
        x, y = alice.list_canvas.winfo_rootx() + 3, alice.list_canvas.winfo_rooty() + 3
        alice.key("ctrl+comma")
        alice.wait(lambda: "Done" in alice.labels)
        alice.key("Right", "Right", "Escape")
        alice.wait(lambda: sum(screenshot().crop((x, y, x + 1, y + 1)).tobytes()[:3]) < 200)
        assert alice.theme_is_dark()
    with Person(port=server.port, user="alice") as alice:
        assert alice.theme_is_dark()
        alice.key("ctrl+comma")
        alice.wait(lambda: "Done" in alice.labels)
        alice.key("Left", "Escape")
        alice.wait(lambda: not alice.theme_is_dark())


def test_another_look_gives_no_widget_a_frame_that_it_did_not_have(server: ServerProcess) -> None:
    with PlainPeer(server.port, "bob"), Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        alice.click_on("bob")

        def frames() -> dict[str, tuple[str, str]]:
            return {
                str(widget): (str(widget.cget("highlightthickness")), str(widget.cget("borderwidth")))
                for widget in alice._widgets()
                if isinstance(widget, tk.Text | tk.Canvas)
            }

        before = frames()
        alice.window.act(alice.window._set_look, Look.DARK)
        assert frames() == before
        alice.window.act(alice.window._set_look, Look.LIGHT)
        assert frames() == before


def test_larger_text_makes_everything_larger_and_the_usual_size_comes_back(server: ServerProcess) -> None:
    with PlainPeer(server.port, "bob"), Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        before = alice.face_width()
        for _ in range(5):
            alice.key("ctrl+plus")
        assert alice.app.theme.text_size == 2.0
        assert alice.face_width() > 1.8 * before
        alice.key("ctrl+0")
        assert alice.face_width() == before


def test_a_failing_callback_is_told_in_a_sentence_and_logged(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twocans.gui import errors

    monkeypatch.delenv(errors.STRICT_VARIABLE, raising=False)
    with Person(port=server.port, user="alice") as alice:
        errors.set_up_log(errors.log_dir())
        errors.catch(alice.root, lambda sentence: alice.window.act(alice.vm.tell, sentence))

        def fail() -> None:
            raise ZeroDivisionError

        alice.root.after(1, fail)
        alice.wait(lambda: errors.SENTENCE in alice.labels)
        logged = (errors.log_dir() / "client.log").read_text()
        assert "ZeroDivisionError" in logged


def test_the_header_stays_in_place_while_the_connection_is_tried_again(tmp_path: Path) -> None:
    data = tmp_path / "server"
    with Person(port=(server := ServerProcess(data=data, forked=True)).port, user="alice") as alice:
        with server, PlainPeer(server.port, "bob"):
            alice.wait(lambda: "bob" in alice.drawn)
            alice.click_on("bob")
            taken_out: list[object] = []
            alice.window.chat.bell_button.bind("<Unmap>", taken_out.append)
            server.process.kill()
            alice.wait(lambda: "Try now" in alice.labels)
            alice.click_on("Try now")
            alice.wait(lambda: "Try now" in alice.labels)
        assert alice.window.chat.bell_button.winfo_viewable()
        assert taken_out == []
