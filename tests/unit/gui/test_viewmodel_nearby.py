"""The servers to choose from at the login."""

from __future__ import annotations

import pytest

from tests.unit.gui.desk import KEY, Desk
from twocans.client.address import Address
from twocans.client.nearby import Nearby, NearbyServer, Search
from twocans.gui.viewmodel.effects import (
    Connect,
    Focus,
    LookForServers,
    Place,
    RememberServers,
    StopLooking,
)
from twocans.gui.viewmodel.inputs import (
    ConnectRefused,
    ServersNearby,
)
from twocans.gui.viewmodel.recent import MAX_RECENT, Recent
from twocans.gui.viewmodel.state import Heading
from twocans.protocol.keys import ServerKey, server_key

OTHER_KEY = server_key(b"another's")


def server(
    number: int = 1, *, port: int = 5050, online: int = 3, invite: bool = False, key: ServerKey = KEY
) -> NearbyServer:
    return NearbyServer(
        name=f"Server {number}",
        address=Address(f"192.168.1.{number}", port),
        key=key,
        invite=invite,
        online=online,
        seen_at=float(number),
    )


def at_login(*servers: NearbyServer, user: str = "alice", search: Search = Search.DONE) -> Desk:
    desk = Desk(user=user)
    desk.vm.nearby.look()
    desk.vm.handle(ServersNearby(Nearby(search, servers)))
    return desk


def names(desk: Desk) -> list[str]:
    return [item.text if isinstance(item, Heading) else item.name for item in desk.vm.nearby.items]


def logs_in_at(desk: Desk, address: str, *, key: ServerKey = KEY) -> None:
    desk.vm.form.set_server(address)
    desk.log_in(key=key)
    desk.vm.back_to_login()


def test_rows_say_where_it_is_who_is_there_and_what_is_needed() -> None:
    desk = at_login(server(1, online=0), server(2, online=12, invite=True, port=5051))
    assert [(row.name, row.about, row.online, row.invite) for row in desk.vm.nearby.rows] == [
        ("Server 1", "192.168.1.1", "nobody online", False),
        ("Server 2", "192.168.1.2:5051", "12 online", True),
    ]
    assert desk.vm.nearby.text == ""


@pytest.mark.parametrize(
    ("search", "word"),
    [
        (Search.SEARCHING, "Looking"),
        (Search.DONE, "None found"),
        (Search.BLOCKED, "UDP port 5353"),
        (Search.NO_NETWORK, "not connected to a network"),
    ],
)
def test_where_there_is_none_it_is_said_why(search: Search, word: str) -> None:
    desk = at_login(search=search)
    assert word in desk.vm.nearby.text
    assert desk.vm.nearby.rows == ()


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
    assert names(desk) == ["Recent", "Server 7"]
    desk.vm.back_to_login()
    (look,) = desk.all(LookForServers)
    assert look.known == {one.key for one in desk.vm.nearby.recent} != set()
    assert desk.vm.nearby.is_looking


def test_who_does_not_want_to_look_does_not() -> None:
    desk = Desk()
    desk.log_in()
    desk.vm.back_to_login()
    assert not desk.vm.nearby.is_looking
    assert desk.all(LookForServers) == []
    assert desk.all(StopLooking) == []


# --- the servers used before -------------------------------------------------------------------------------


def test_the_servers_used_last_are_remembered_each_once() -> None:
    desk = Desk()
    for name in ("a", "b", "c", "d", "e", "f", "B"):
        logs_in_at(desk, name, key=server_key(name.encode()))
    assert [one.address for one in desk.vm.nearby.recent] == ["B", "f", "e", "d", "c"]
    assert len(desk.vm.nearby.recent) == MAX_RECENT


def test_a_login_is_remembered_for_the_next_start() -> None:
    desk = Desk()
    desk.vm.form.set_server("kitchen")
    desk.vm.connect()
    desk.event(desk.welcome())
    (remember,) = desk.all(RememberServers)
    assert remember.recent == (Recent(address="kitchen", key=KEY, user="alice"),)


def test_a_server_that_has_moved_is_remembered_where_it_is_now() -> None:
    desk = Desk()
    logs_in_at(desk, "192.168.1.1")
    logs_in_at(desk, "192.168.1.2")
    assert [one.address for one in desk.vm.nearby.recent] == ["192.168.1.2"]


def test_a_server_that_was_set_up_anew_takes_the_place_of_the_one_before() -> None:
    desk = Desk()
    logs_in_at(desk, "Kitchen")
    logs_in_at(desk, "kitchen", key=OTHER_KEY)
    assert [(one.address, one.key) for one in desk.vm.nearby.recent] == [("kitchen", OTHER_KEY)]


def test_a_server_that_was_announced_is_remembered_by_its_name() -> None:
    desk = at_login(server(7))
    logs_in_at(desk, "192.168.1.7")
    assert [(one.name, one.user) for one in desk.vm.nearby.recent] == [("Server 7", "alice")]
    logs_in_at(desk, "192.168.1.7")  # before it was heard again
    assert [one.name for one in desk.vm.nearby.recent] == ["Server 7"]


def test_a_server_used_before_is_marked_nearby_and_listed_apart_otherwise() -> None:
    desk = at_login(server(7))
    logs_in_at(desk, "192.168.1.7")
    assert names(desk) == ["Recent", "Server 7"]
    assert desk.vm.nearby.rows[0].about == "192.168.1.7 · as alice"
    desk.vm.handle(ServersNearby(Nearby(Search.DONE, (server(7), server(8, key=OTHER_KEY)))))
    assert names(desk) == ["Server 7", "Server 8"]
    assert [row.about for row in desk.vm.nearby.rows] == ["192.168.1.7 · used before", "192.168.1.8"]


def test_another_server_at_the_address_of_one_used_before_is_not_taken_for_it() -> None:
    desk = at_login(server(7))
    logs_in_at(desk, "192.168.1.7")
    desk.vm.handle(ServersNearby(Nearby(Search.DONE, (server(7, key=OTHER_KEY),))))
    assert names(desk) == ["Server 7", "Recent", "Server 7"]
    assert desk.vm.nearby.rows[0].about == "192.168.1.7"


def test_choosing_a_server_used_before_connects_as_before() -> None:
    desk = Desk()
    logs_in_at(desk, "kitchen")
    desk.vm.form.set_server("elsewhere")
    desk.vm.form.set_user("bob")
    desk.forget()
    desk.vm.nearby.choose(desk.vm.nearby.recent[0])
    assert [(one.server, one.user, one.expected) for one in desk.all(Connect)] == [("kitchen", "alice", None)]


def test_nearby_the_name_used_before_fills_an_empty_field_only() -> None:
    desk = at_login(server(7))
    logs_in_at(desk, "192.168.1.7")
    desk.vm.form.set_user("")
    desk.forget()
    desk.vm.nearby.choose(server(7))
    desk.vm.form.cancel()
    desk.vm.form.set_user("bob")
    desk.vm.nearby.choose(server(7))
    assert [one.user for one in desk.all(Connect)] == ["alice", "bob"]


def test_a_server_used_before_can_be_forgotten() -> None:
    desk = Desk()
    for name in ("a", "b", "c"):
        logs_in_at(desk, name, key=server_key(name.encode()))
    desk.forget()
    desk.vm.nearby.move(0)
    desk.vm.nearby.move(1)
    desk.vm.nearby.forget_selected()
    assert names(desk) == ["Recent", "c", "a"]
    (remember,) = desk.all(RememberServers)
    assert [one.address for one in remember.recent] == ["c", "a"]
    assert desk.vm.nearby.selected == desk.vm.nearby.rows[1].key
    for _ in range(3):
        desk.vm.nearby.forget_selected()
    assert names(desk) == []
    assert desk.vm.nearby.selected is None


def test_a_server_nearby_is_not_forgotten() -> None:
    desk = at_login(server(7))
    logs_in_at(desk, "192.168.1.7")
    desk.vm.handle(ServersNearby(Nearby(Search.DONE, (server(7),))))
    desk.vm.nearby.move(0)
    desk.forget()
    desk.vm.nearby.forget_selected()
    assert len(desk.vm.nearby.recent) == 1
    assert desk.all(RememberServers) == []


# --- the cursor --------------------------------------------------------------------------------------------


def test_the_cursor_goes_over_all_servers_and_stays_on_its_own_when_others_come() -> None:
    desk = at_login(server(7))
    logs_in_at(desk, "kitchen", key=OTHER_KEY)
    desk.vm.handle(ServersNearby(Nearby(Search.DONE, (server(7),))))
    keys = [row.key for row in desk.vm.nearby.rows]
    for by, at in ((0, 0), (-1, 0), (1, 1), (1, 1)):
        desk.vm.nearby.move(by)
        assert desk.vm.nearby.selected == keys[at]
    desk.vm.handle(ServersNearby(Nearby(Search.DONE, (server(9, key=server_key(b"new")), server(7)))))
    desk.vm.nearby.move(-1)
    assert desk.vm.nearby.selected == keys[0]
    desk.forget()
    desk.vm.nearby.choose_selected()
    assert [one.server for one in desk.all(Connect)] == ["192.168.1.7"]


def test_without_a_server_the_cursor_is_nowhere() -> None:
    desk = at_login()
    desk.vm.nearby.move(1)
    desk.vm.nearby.choose_selected()
    assert desk.vm.nearby.selected is None
    assert desk.all(Connect) == []
