"""A further start of the program, as the open window sees it."""

from __future__ import annotations

from tests.unit.gui.desk import Desk
from twocans.gui.viewmodel.effects import Connect
from twocans.gui.viewmodel.second_start import use_start_options
from twocans.gui.viewmodel.state import Screen


def start(desk: Desk, server: str | None = None, user: str | None = None, *, connect: bool = False) -> None:
    use_start_options(desk.vm, server=server, user=user, connect=connect)


def test_options_fill_the_login_form_and_log_in() -> None:
    desk = Desk()
    start(desk, "chat.local", "carol")
    assert (desk.vm.form.state.server, desk.vm.form.state.user) == ("chat.local", "carol")
    assert desk.all(Connect) == []
    start(desk, user="dora", connect=True)
    (connect,) = desk.all(Connect)
    assert (connect.server, connect.user) == ("chat.local", "dora")


def test_login_that_is_under_way_stays() -> None:
    desk = Desk()
    start(desk, "chat.local", "carol", connect=True)
    start(desk, "other.local", "dora", connect=True)
    assert desk.vm.form.state.user == "carol"
    assert len(desk.all(Connect)) == 1


def test_login_that_is_there_stays_and_the_same_one_again_needs_no_word() -> None:
    desk = Desk()
    desk.log_in("bob")
    form = desk.vm.form.state
    before = len(desk.all(Connect))
    start(desk)
    start(desk, connect=True)
    start(desk, f" {form.server.upper()}:5050", form.user.upper(), connect=True)
    assert desk.vm.notice is None
    start(desk, user="dora", connect=True)
    assert desk.vm.notice is not None
    assert desk.vm.notice.text.startswith(f"You are logged in here as {form.user}.")
    assert "--new-window" in desk.vm.notice.text
    assert (desk.vm.screen, len(desk.all(Connect))) == (Screen.MAIN, before)


def test_other_server_is_told_too() -> None:
    desk = Desk()
    desk.log_in("bob")
    start(desk, "other.local")
    assert desk.vm.notice is not None
    desk = Desk()
    desk.log_in("bob")
    start(desk, "no address at all")
    assert desk.vm.notice is not None
