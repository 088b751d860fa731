"""What the open window does when the program is started once more."""

from __future__ import annotations

from twocans.client.address import parse_address
from twocans.client.errors import AddressInvalid
from twocans.gui.viewmodel.model import ViewModel
from twocans.gui.viewmodel.state import Screen
from twocans.protocol.names import key_of


def use_start_options(vm: ViewModel, *, server: str | None, user: str | None, connect: bool) -> None:
    """Fill the login form and log in as asked; a login that is there already stays, and the user is told.

    Args:
        vm: the window's.
        server, user: what the form is to hold; None for what stands there.
        connect: whether to log in.
    """
    form = vm.form
    if vm.screen is Screen.LOGIN:
        if not form.state.connecting:
            form.set_server(form.state.server if server is None else server)
            form.set_user(form.state.user if user is None else user)
            if connect:
                vm.connect()
        return
    other_server = server is not None and _place(server) != _place(form.state.server)
    other_user = user is not None and key_of(user) != key_of(form.state.user)
    if other_server or other_user:
        vm.tell(
            f"You are logged in here as {form.state.user}. Go back to the login first, or start another window with "
            "--new-window."
        )


def _place(server: str) -> str:
    try:
        return str(parse_address(server.strip().casefold()))
    except AddressInvalid:
        return server
