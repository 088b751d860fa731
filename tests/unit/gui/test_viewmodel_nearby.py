"""The servers to choose from at the login."""

from __future__ import annotations

import pytest

from tests.unit.gui.desk import KEY, Desk
from twocans.client.address import Address
from twocans.client.nearby import Nearby, NearbyServer, Search
from twocans.gui.viewmodel.effects import (
    Connect,
    ConnectRefused,
    Focus,
    LookForServers,
    Place,
    ServersNearby,
    StopLooking,
)
from twocans.gui.viewmodel.nearby import MAX_RECENT, MAX_SHOWN


def server(number: int = 1, *, port: int = 5050, online: int = 3, invite: bool = False) -> NearbyServer:
    return NearbyServer(
        name=f"Server {number}",
        address=Address(f"192.168.1.{number}", port),
        key=KEY,
        invite=invite,
        online=online,
        seen_at=float(number),
    )


def at_login(*servers: NearbyServer, user: str = "alice", search: Search = Search.DONE) -> Desk:
    desk = Desk(user=user)
    desk.vm.nearby.look()
    desk.vm.handle(ServersNearby(Nearby(search, servers)))
    return desk


def test_rows_say_who_is_there_and_what_is_needed() -> None:
    desk = at_login(server(1, online=0), server(2, online=12, invite=True))
    assert [(row.name, row.about) for row in desk.vm.nearby.rows] == [
        ("Server 1", "nobody online"),
        ("Server 2", "12 online, invite needed"),
    ]
    assert desk.vm.nearby.text() == ""


@pytest.mark.parametrize(
    ("search", "word"),
    [
        (Search.SEARCHING, "Looking"),
        (Search.DONE, "None found"),
        (Search.BLOCKED, "UDP port 5353"),
        (Search.NO_NETWORK, "no network"),
    ],
)
def test_where_there_is_none_it_is_said_why(search: Search, word: str) -> None:
    desk = at_login(search=search)
    assert word in desk.vm.nearby.text()
    assert desk.vm.nearby.rows == ()


def test_many_servers_are_counted() -> None:
    desk = at_login(*(server(number) for number in range(1, MAX_SHOWN + 4)))
    assert desk.vm.nearby.text().startswith("And 3 more:")
    assert desk.vm.nearby.text(1).startswith(f"And {MAX_SHOWN + 2} more:")
    assert desk.vm.nearby.text(0).startswith(f"{MAX_SHOWN + 3} found")


def test_choosing_a_server_connects_and_expects_its_key() -> None:
    desk = at_login(server(7))
    desk.vm.nearby.choose(server(7))
    (connect,) = desk.all(Connect)
    assert (connect.server, connect.user, connect.expected) == ("192.168.1.7", "alice", KEY)


def test_a_port_that_is_not_the_usual_one_stands_in_the_address() -> None:
    desk = at_login()
    desk.vm.nearby.choose(server(7, port=5051))
    assert desk.all(Connect)[0].server == "192.168.1.7:5051"


def test_without_a_name_choosing_a_server_asks_for_it_and_then_expects_the_key() -> None:
    desk = at_login(server(7), user="")
    desk.forget()
    desk.vm.nearby.choose(server(7))
    assert desk.all(Connect) == []
    assert desk.all(Focus) == [Focus(Place.USER)]
    desk.vm.form.set_user("alice")
    desk.vm.form.set_server("192.168.1.7")  # as the field tells that it shows it
    desk.vm.connect()
    assert desk.all(Connect)[0].expected == KEY


def test_an_address_that_is_typed_expects_no_key() -> None:
    desk = at_login(server(7), user="")
    desk.vm.nearby.choose(server(7))
    desk.vm.form.set_user("alice")
    desk.vm.form.set_server("192.168.1.8")
    desk.vm.connect()
    assert desk.all(Connect)[0].expected is None


def test_a_server_that_has_not_the_announced_key_is_told_and_stays_refused() -> None:
    desk = at_login(server(7))
    desk.vm.nearby.choose(server(7))
    desk.vm.handle(ConnectRefused(desk.vm.form.session, "Not the one that was announced.", presented=KEY))
    assert desk.vm.form.state.server_error == "Not the one that was announced."
    assert desk.vm.key_change is None
    desk.vm.connect()
    assert [one.expected for one in desk.all(Connect)] == [KEY, KEY]


def test_while_connecting_nothing_else_is_chosen() -> None:
    desk = at_login(server(7))
    desk.vm.connect()
    desk.vm.nearby.choose(server(7))
    assert [one.server for one in desk.all(Connect)] == ["localhost"]


def test_servers_are_looked_for_at_the_login_only() -> None:
    desk = at_login(server(7))
    assert len(desk.all(LookForServers)) == 1
    desk.log_in()
    assert not desk.vm.nearby.is_looking
    desk.vm.handle(ServersNearby(Nearby(Search.DONE, (server(8),))))  # was under way
    assert desk.vm.nearby.rows == ()
    desk.vm.back_to_login()
    assert len(desk.all(LookForServers)) == 1
    assert desk.vm.nearby.is_looking


def test_who_does_not_want_to_look_does_not() -> None:
    desk = Desk()
    desk.log_in()
    desk.vm.back_to_login()
    assert not desk.vm.nearby.is_looking
    assert desk.all(LookForServers) == []
    assert desk.all(StopLooking) == []


def test_the_servers_used_last_are_remembered_each_once() -> None:
    desk = Desk()
    for name in ("a", "b", "c", "d", "e", "f", "B"):
        desk.vm.form.set_server(name)
        desk.log_in()
        desk.vm.back_to_login()
    assert desk.vm.nearby.recent == ("B", "f", "e", "d", "c")
    assert len(desk.vm.nearby.recent) == MAX_RECENT
    desk.forget()
    desk.vm.nearby.choose_recent("d")
    assert [(one.server, one.expected) for one in desk.all(Connect)] == [("d", None)]
