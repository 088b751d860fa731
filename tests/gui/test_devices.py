"""One name on several devices, each a window with folders of its own: codes, passwords, cutting off, what is read."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.gui.harness import ClientProcess, Person
from tests.support.process import ServerProcess
from tests.support.raw import PlainPeer
from tests.support.tls import client_context
from twocans.client import Client, DeviceList
from twocans.gui.backend.settings import Look
from twocans.gui.viewmodel.devices import Page
from twocans.gui.viewmodel.effects import MakeCode
from twocans.gui.viewmodel.state import Screen

PASSWORD = "correct horse"


@contextmanager
def second_window(server: ServerProcess, folder: Path) -> Iterator[ClientProcess]:
    """Another computer where somebody wants the name alice, which is taken."""
    address = f"127.0.0.1:{server.port}"
    with ClientProcess(folder, "--server", address, "--user", "alice", "--connect") as window:
        server.event("name_refused", name="alice")
        window.title_is("Twocans")
        yield window


def open_devices(person: Person) -> None:
    person.key("ctrl+d")
    person.await_dialog("Your devices")
    person.wait(lambda: person.vm.devices.loaded)


def new_code(person: Person) -> str:
    """Ask for a code by the keyboard, as it stands on screen."""
    open_devices(person)
    person.key("shift+Tab", "Return")  # from Done to Add a device
    person.wait(lambda: person.vm.devices.code)
    assert person.vm.devices.code in person.labels
    return person.vm.devices.code


def log_in(window: ClientProcess, secret: str) -> None:
    window.write(secret)
    window.key("Return")
    window.title_is("Twocans – alice")


def set_password(person: Person) -> None:
    """Set a password in the list of devices."""
    person.click_on("Set a password …")
    person.write(PASSWORD)
    person.key("Return")
    person.write(PASSWORD)
    person.key("Return")
    person.wait(lambda: "Your password is set." in person.labels)


def open_menu(person: Person) -> None:
    person.hover(person.root, 1, 1)  # the pointer would choose something in the menu, too
    person.key("F10")
    person.wait_for_menu()


def test_the_menu_leads_to_the_devices_as_long_as_there_is_a_connection(server: ServerProcess) -> None:
    with Person(port=server.port, user="alice") as alice:
        open_menu(alice)
        alice.key("Down", "Down", "Return")
        alice.await_dialog("Your devices")
        alice.key("Escape")
        alice.activate()
        server.process.kill()
        alice.wait(lambda: alice.vm.banner is not None)
        open_menu(alice)
        alice.key("Down", "Down", "Return")
        assert alice.vm.devices.page is Page.CLOSED
        alice.key("Escape")


def test_a_code_from_one_window_lets_another_in_and_both_see_that(
    server: ServerProcess, tmp_path: Path
) -> None:
    with Person(port=server.port, user="alice") as alice:
        code = new_code(alice)
        with second_window(server, tmp_path / "second") as second:
            log_in(second, code.lower().replace("-", " "))
            alice.wait(lambda: len(alice.vm.devices.rows) == 2)
            assert alice.vm.devices.page is Page.LIST
            assert alice.vm.devices.told in alice.labels
            assert "Remove …" in alice.labels


def test_a_password_that_was_set_in_one_window_lets_another_in(server: ServerProcess, tmp_path: Path) -> None:
    with Person(port=server.port, user="alice") as alice:
        open_devices(alice)
        alice.click_on("Set a password …")
        alice.write("short")
        alice.key("Return")
        alice.write("short")
        alice.key("Return")
        alice.wait(lambda: alice.vm.devices.password_error in alice.labels)
        alice.key("ctrl+a", "BackSpace")
        alice.write(PASSWORD)
        alice.key("Return", "ctrl+a", "BackSpace")
        alice.write("correct hose")
        alice.key("Return")
        alice.wait(lambda: alice.vm.devices.repeat_error in alice.labels)
        alice.key("ctrl+a", "BackSpace")
        alice.write(PASSWORD)
        alice.key("Return")
        alice.wait(lambda: "Your password is set." in alice.labels)
        assert "Change password …" in alice.labels
        with second_window(server, tmp_path / "second") as second:
            log_in(second, PASSWORD)


def test_session_that_came_in_by_the_password_is_listed_and_ends_with_it(server: ServerProcess) -> None:
    with Person(port=server.port, user="alice") as alice:
        open_devices(alice)
        set_password(alice)
        with PlainPeer(server.port, f"alice {PASSWORD}", tls=client_context()) as terminal:
            alice.wait(lambda: "Logged in with the password" in alice.labels)
            assert "Remove …" not in alice.labels  # that ends with the password
            alice.click_on("Change password …")
            alice.click_on("Take away")
            alice.wait(lambda: "Logged in with the password" not in alice.labels)
            assert "Please log in again" in terminal.expect_closed()[-1]


def test_what_is_typed_as_a_password_is_hidden_until_it_is_asked_for(server: ServerProcess) -> None:
    with Person(port=server.port, user="alice") as alice:
        open_devices(alice)
        alice.click_on("Set a password …")
        alice.write(PASSWORD)
        field = alice.root.focus_get()
        assert field is not None
        assert (field.cget("show"), str(field.tk.call(str(field), "get"))) == ("•", PASSWORD)
        alice.key("Tab", "space")
        assert str(field.cget("show")) == ""
        alice.key("Escape")
        alice.click_on("Set a password …")
        assert str(field.tk.call(str(field), "get")) == ""


def test_a_window_that_is_cut_off_falls_back_to_the_login(server: ServerProcess, tmp_path: Path) -> None:
    with Person(port=server.port, user="alice") as alice:
        code = new_code(alice)
        with second_window(server, tmp_path / "second") as second:
            log_in(second, code)
            alice.activate()
            alice.wait(lambda: "Remove …" in alice.labels)
            alice.click_on("Remove …")
            alice.key("Escape")
            alice.wait(lambda: "Your devices" in alice.labels)
            assert second.title == "Twocans – alice"
            alice.click_on("Remove …")
            alice.click_on("Remove")
            alice.wait(lambda: len(alice.vm.devices.rows) == 1)
            assert any("was removed." in label for label in alice.labels)
            second.title_is("Twocans")


def test_a_window_that_signs_out_falls_back_to_the_login(server: ServerProcess) -> None:
    with Person(port=server.port, user="alice") as alice:
        open_devices(alice)
        alice.click_on("Sign out …")
        alice.await_dialog("Sign out on this device?")
        alice.click_on("Sign out")
        alice.wait(lambda: any("only device of alice" in label for label in alice.labels))
        alice.key("Escape")
        alice.wait(lambda: "Your devices" in alice.labels)
        set_password(alice)
        alice.click_on("Sign out …")
        alice.click_on("Sign out")
        alice.wait(lambda: alice.vm.screen is Screen.LOGIN)
        assert any("This device is signed out." in label for label in alice.labels)
        alice.key("Return")
        alice.wait(lambda: "Code or password" in alice.labels)


class OtherDevice:
    """Another device with the name, that is no window."""

    def __init__(self, port: int, code: str) -> None:
        self._client = Client(f"127.0.0.1:{port}", "alice", secret=code, device="phone")

    async def cut_off_the_other(self) -> DeviceList:
        async with self._client as client:
            other = next(one for one in (await client.devices()).devices if not one.this)
            return await client.revoke(other.id)


def test_who_is_cut_off_is_told_so_at_the_login_and_no_dialog_is_left(server: ServerProcess) -> None:
    with Person(port=server.port, user="alice") as alice:
        phone = OtherDevice(server.port, new_code(alice))
        left: list[DeviceList] = []
        thread = threading.Thread(target=lambda: left.append(asyncio.run(phone.cut_off_the_other())))
        thread.start()
        alice.wait(lambda: alice.vm.screen is Screen.LOGIN)
        thread.join()
        assert [one.name for one in left[0].devices] == ["phone"]
        assert alice.vm.form.state.message
        assert alice.vm.form.state.message in alice.labels
        assert "Add a device" not in alice.labels
        alice.key("Return")  # the name is not this device's any more
        alice.wait(lambda: "Code or password" in alice.labels)


def test_a_taken_name_can_be_given_up_for_another_one(server: ServerProcess, tmp_path: Path) -> None:
    with Person(port=server.port, user="alice"), second_window(server, tmp_path / "second") as second:
        second.key("shift+Tab")
        second.write("alina")  # the name is selected, so typing replaces it
        second.key("Return")
        second.title_is("Twocans – alina")


def test_another_look_shows_an_open_dialog_anew_on_the_same_page(server: ServerProcess) -> None:
    with Person(port=server.port, user="alice") as alice:
        code = new_code(alice)
        alice.window.act(alice.window._set_look, Look.DARK)
        alice.await_dialog(code)
        alice.key("Escape")
        alice.await_dialog("Your devices")
        kept = set(alice.root.image_names())
        labels = [widget for widget in alice._widgets() if widget.winfo_class() == "TLabel"]
        shown = {str(image) for widget in labels if widget.winfo_viewable() for image in widget.cget("image")}
        assert shown
        assert shown <= kept


def test_without_a_connection_the_devices_say_so(server: ServerProcess) -> None:
    with Person(port=server.port, user="alice") as alice:
        open_devices(alice)
        server.process.kill()
        alice.wait(lambda: alice.vm.devices.offline)
        assert alice.vm.devices.offline in alice.labels


def test_what_is_read_in_one_window_is_read_in_the_other(server: ServerProcess, tmp_path: Path) -> None:
    with PlainPeer(server.port, "bob") as bob, Person(port=server.port, user="alice") as alice:
        code = new_code(alice)
        alice.key("Escape", "Escape")
        with second_window(server, tmp_path / "second") as second:
            log_in(second, code)
            bob.say("alice", "one")
            bob.say("alice", "two")
            alice.wait(lambda: alice.title == "(2) Twocans – alice")
            second.title_is("(2) Twocans – alice")
            second.key("Down", "Return")
            second.title_is("Twocans – alice")
            alice.wait(lambda: alice.title == "Twocans – alice")
            bob.say("alice", "three")
            alice.wait(lambda: len(alice.vm.chats.all["bob"].entries) == 3)
            alice.wait(lambda: alice.title == "Twocans – alice")


def test_enter_presses_a_button_once(server: ServerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    with Person(port=server.port, user="alice") as alice:
        asked: list[object] = []
        do: Callable[[object], None] = alice.window._do  # type: ignore[assignment]  # it takes fewer things

        def watched(effect: object) -> None:
            asked.append(effect)
            do(effect)

        monkeypatch.setattr(alice.window, "_do", watched)
        new_code(alice)
        assert [one for one in asked if isinstance(one, MakeCode)] == [MakeCode()]
