"""One's own server: starting it, what others need, and what is asked before it ends."""

from __future__ import annotations

import pytest

from tests.unit.gui.desk import KEY, Desk
from twocans.client import Loss, Offline, parse_link
from twocans.gui.viewmodel.effects import (
    Connect,
    FindServer,
    Focus,
    FollowServerLog,
    OpenFolder,
    Place,
    Quit,
    StartServer,
    StopServer,
)
from twocans.gui.viewmodel.hosting import MAX_ADDRESSES, Hosting, Question, Stage
from twocans.gui.viewmodel.inputs import (
    ServerEnded,
    ServerLog,
    ServerNotStarted,
    ServerRuns,
    ServerTold,
)
from twocans.gui.viewmodel.state import Screen
from twocans.protocol.keys import ServerKey, server_key
from twocans.protocol.local_control import Why

OTHER_KEY = server_key(b"another's")


def runs(
    *,
    key: ServerKey = KEY,
    port: int = 5050,
    background: bool = True,
    online: int = 0,
    addresses: tuple[str, ...] = ("192.168.1.5", "10.0.0.2"),
) -> ServerRuns:
    return ServerRuns(
        address=f"localhost:{port}",
        port=port,
        key=key,
        started_at=1_000_000,
        background=background,
        folder="/folder",
        online=online,
        addresses=addresses,
    )


def hosting_at(desk: Desk) -> Hosting:
    """One's server as it is by now."""
    return desk.vm.hosting


def started(*, user: str = "alice", online: int = 1) -> Desk:
    """Somebody has started a server and is connected to it."""
    desk = Desk(user=user)
    desk.vm.hosting.start()
    desk.vm.handle(runs(online=online))
    assert desk.all(Connect)
    desk.event(desk.welcome())
    desk.forget()
    return desk


def test_starting_asks_for_a_server_and_connects_to_it_under_its_key() -> None:
    desk = Desk()
    desk.vm.hosting.start()
    assert desk.all(StartServer) == [StartServer()]
    assert desk.vm.hosting.stage is Stage.STARTING
    desk.vm.hosting.start()
    assert len(desk.all(StartServer)) == 1
    desk.vm.handle(runs())
    (connect,) = desk.all(Connect)
    assert (connect.server, connect.user) == ("localhost:5050", "alice")
    assert (connect.expected, connect.accept) == (KEY, KEY)
    assert desk.vm.hosting.runs


def test_without_a_name_the_name_is_asked_for_and_the_key_is_still_expected() -> None:
    desk = Desk(user="")
    desk.vm.hosting.start()
    desk.vm.handle(runs())
    assert not desk.all(Connect)
    assert desk.all(Focus)[-1] == Focus(Place.USER)
    desk.vm.form.set_user("alice")
    desk.vm.connect()
    (connect,) = desk.all(Connect)
    assert (connect.expected, connect.accept) == (KEY, KEY)


def test_a_server_that_is_typed_instead_is_not_vouched_for() -> None:
    desk = Desk(user="")
    desk.vm.hosting.start()
    desk.vm.handle(runs())
    desk.vm.form.set_server("192.168.1.9")
    desk.vm.form.set_user("alice")
    desk.vm.connect()
    (connect,) = desk.all(Connect)
    assert (connect.expected, connect.accept) == (None, None)


def test_a_server_that_was_found_is_shown_and_connected_to_only_when_that_is_wanted() -> None:
    desk = Desk()
    desk.vm.hosting.look()
    assert desk.all(FindServer) == [FindServer()]
    desk.vm.handle(runs())
    assert desk.vm.hosting.runs
    assert not desk.all(Connect)
    desk.vm.hosting.connect()
    assert [one.expected for one in desk.all(Connect)] == [KEY]


def test_a_server_that_has_started_does_not_take_a_user_away_who_is_elsewhere_by_now() -> None:
    desk = Desk()
    desk.vm.hosting.start()
    desk.log_in("bob", key=OTHER_KEY)
    desk.vm.handle(runs())
    assert desk.vm.hosting.runs
    assert not desk.all(Connect)
    assert desk.vm.form.state.server == "localhost"


def test_who_gives_up_starting_gets_no_server_and_no_complaint() -> None:
    desk = Desk()
    desk.vm.hosting.start()
    desk.vm.hosting.stop()
    assert desk.all(StopServer) == [StopServer()]
    desk.vm.handle(ServerEnded(""))
    assert (desk.vm.hosting.stage, desk.vm.hosting.problem) == (Stage.NONE, "")
    desk.vm.hosting.start()
    assert len(desk.all(StartServer)) == 2


def test_a_server_that_starts_although_it_was_given_up_is_not_connected_to() -> None:
    desk = Desk()
    desk.vm.hosting.start()
    desk.vm.hosting.stop()
    desk.vm.handle(runs())
    assert desk.vm.hosting.stage is Stage.STOPPING
    assert not desk.all(Connect)


def test_a_taken_port_is_told_with_two_ways_out() -> None:
    desk = Desk()
    desk.vm.hosting.start()
    desk.vm.handle(ServerNotStarted(Why.PORT_TAKEN, "Port 5050 is taken: …", 5050))
    assert "Port 5050 of this computer is taken" in desk.vm.hosting.problem
    desk.vm.hosting.connect_to_taken()
    (connect,) = desk.all(Connect)
    assert (connect.server, connect.expected, connect.accept) == ("localhost", None, None)
    assert desk.vm.hosting.problem == ""
    desk.vm.form.cancel()
    desk.vm.hosting.start()
    desk.vm.handle(ServerNotStarted(Why.PORT_TAKEN, "Port 5050 is taken: …", 5050))
    desk.vm.hosting.start_elsewhere()
    assert desk.all(StartServer)[-1] == StartServer(5051)
    assert desk.vm.hosting.problem == ""


@pytest.mark.parametrize(("taken", "following"), [(5050, 5051), (65535, 5050)])
def test_the_next_port_is_one_that_exists(taken: int, following: int) -> None:
    desk = Desk()
    desk.vm.hosting.start()
    desk.vm.handle(ServerNotStarted(Why.PORT_TAKEN, "", taken))
    assert desk.vm.hosting.next_port == following


def test_why_a_server_could_not_start_is_told() -> None:
    desk = Desk()
    desk.vm.hosting.start()
    desk.vm.handle(ServerNotStarted(Why.FOLDER_IN_USE, "…", 5050))
    assert "running on this computer already" in desk.vm.hosting.problem
    desk.vm.hosting.start()
    desk.vm.handle(ServerNotStarted(Why.OTHER, "The disk is full\x1b[1m", 5050))
    assert desk.vm.hosting.problem == "The server could not start. The disk is full\\u001b[1m"
    assert desk.vm.hosting.stage is Stage.NONE


def test_others_get_every_address_but_those_of_this_computer_alone() -> None:
    desk = Desk()
    desk.vm.handle(runs(port=5051, addresses=("192.168.1.5", "127.0.0.1", "10.0.0.2")))
    hosting = hosting_at(desk)
    assert hosting.places == ("192.168.1.5:5051", "10.0.0.2:5051")
    link = parse_link(hosting.link)
    assert link is not None
    assert (str(link.address), link.key) == ("192.168.1.5:5051", KEY)
    hosting.choose("10.0.0.2:5051")
    link = parse_link(hosting.link)
    assert link is not None
    assert str(link.address) == "10.0.0.2:5051"
    desk.vm.handle(ServerTold(0, ("192.168.7.7",)))
    link = parse_link(hosting.link)
    assert link is not None
    assert str(link.address) == "192.168.7.7:5051"
    desk.vm.handle(ServerTold(0, ("127.0.0.1",)))
    assert not hosting.places
    assert hosting_at(desk).link == ""
    desk.vm.handle(ServerTold(0, tuple(f"10.0.0.{number}" for number in range(50))))
    assert len(hosting.places) == MAX_ADDRESSES


def test_a_link_that_is_pasted_leads_there_under_its_key() -> None:
    desk = Desk()
    desk.vm.handle(runs(addresses=("192.168.1.5",)))
    desk.vm.form.set_server(f" {desk.vm.hosting.link} ")
    desk.vm.connect()
    (connect,) = desk.all(Connect)
    assert (connect.server, connect.expected, connect.accept) == ("192.168.1.5:5050", KEY, None)
    assert desk.vm.form.state.server == "192.168.1.5:5050"


def test_the_log_is_followed_as_long_as_the_dialog_is_open() -> None:
    desk = started()
    hosting = desk.vm.hosting
    desk.vm.handle(ServerLog("too early"))
    assert hosting.log == ""
    hosting.open()
    assert desk.all(FollowServerLog) == [FollowServerLog(True)]
    desk.vm.handle(ServerLog("alice joined\x1b\n"))
    assert hosting.log == "alice joined\\u001b\n"
    hosting.open_folder()
    assert desk.all(OpenFolder) == [OpenFolder("/folder")]
    hosting.close()
    assert desk.all(FollowServerLog)[-1] == FollowServerLog(False)
    assert (hosting.is_open, hosting.log) == (False, "")


def test_there_is_no_dialog_without_a_server() -> None:
    desk = Desk()
    desk.vm.hosting.open()
    assert not desk.vm.hosting.is_open


@pytest.mark.parametrize(
    ("online", "others", "says"),
    [
        (0, 0, "Nobody else is connected."),
        (1, 0, "Nobody else is connected."),
        (2, 1, "1 other person is connected. Stopping the server ends their chat."),
        (4, 3, "3 other people are connected. Stopping the server ends their chat."),
    ],
)
def test_the_user_is_not_counted_among_the_others(online: int, others: int, says: str) -> None:
    desk = started(online=online)
    assert (desk.vm.hosting.others, desk.vm.hosting.who) == (others, says)


def test_who_is_connected_elsewhere_is_nobody_at_the_own_server() -> None:
    desk = Desk()
    desk.log_in(key=OTHER_KEY)
    desk.vm.handle(runs(online=1))
    assert desk.vm.hosting.others == 1


def test_stopping_is_asked_about_where_others_are() -> None:
    desk = started(online=1)
    desk.vm.handle(ServerTold(3, ()))
    hosting = desk.vm.hosting
    hosting.ask_stop()
    assert hosting.question is Question.STOP
    assert not desk.all(StopServer)
    hosting.leave_question()
    assert hosting_at(desk).question is Question.NONE
    hosting.ask_stop()
    hosting.stop()
    assert desk.all(StopServer) == [StopServer()]
    assert hosting_at(desk).question is Question.NONE
    assert not desk.all(Quit)


def test_where_nobody_else_is_it_stops_at_once_and_the_user_is_back_at_the_login() -> None:
    desk = started()
    desk.vm.hosting.open()
    desk.vm.hosting.ask_stop()
    assert desk.all(StopServer) == [StopServer()]
    desk.event(Offline(text="The server is stopping.", loss=Loss.LOST, retry_in_s=1.0))
    desk.vm.handle(ServerEnded("The server has stopped."))
    assert desk.vm.screen is Screen.LOGIN
    assert desk.vm.form.state.message == "Your server has stopped."
    assert (desk.vm.hosting.stage, desk.vm.hosting.problem) == (Stage.NONE, "")
    assert not desk.vm.hosting.is_open


def test_a_server_that_ends_by_itself_is_told_with_the_last_line_of_its_log() -> None:
    desk = started()
    desk.vm.handle(ServerEnded("12:00:00  The disk is full\x07"))
    said = "Your server has ended by itself. The last line of its log: 12:00:00  The disk is full\\u0007"
    assert desk.vm.hosting.problem == said
    assert desk.vm.notice is not None
    assert desk.vm.notice.text == said
    assert desk.vm.screen is Screen.MAIN
    assert not desk.vm.hosting.asks_before_quitting


def test_a_server_that_somebody_else_has_stopped_did_not_fail() -> None:
    desk = started()
    desk.vm.handle(ServerEnded("12:00:00  The server has stopped."))
    assert desk.vm.hosting.problem == ""
    assert desk.vm.notice is not None
    assert desk.vm.notice.text == "Your server was stopped."


def test_the_window_asks_before_it_closes_only_where_a_window_has_started_the_server() -> None:
    desk = Desk()
    assert not desk.vm.hosting.asks_before_quitting
    desk.vm.handle(runs(background=False))
    assert not desk.vm.hosting.asks_before_quitting
    desk.vm.handle(runs())
    assert desk.vm.hosting.asks_before_quitting


def test_who_keeps_the_server_closes_the_window_alone() -> None:
    desk = started()
    desk.vm.hosting.ask_quit()
    assert desk.vm.hosting.question is Question.QUIT
    desk.vm.hosting.keep()
    assert desk.all(Quit) == [Quit()]
    assert not desk.all(StopServer)


def test_who_stops_the_server_waits_for_its_end_before_the_window_closes() -> None:
    desk = started()
    desk.vm.hosting.ask_quit()
    desk.vm.hosting.stop()
    assert desk.all(StopServer) == [StopServer()]
    assert not desk.all(Quit)
    desk.vm.handle(ServerEnded("The server has stopped."))
    assert desk.all(Quit) == [Quit()]


def test_who_thinks_better_of_it_keeps_the_window() -> None:
    desk = started()
    desk.vm.hosting.ask_quit()
    desk.vm.hosting.leave_question()
    assert desk.vm.hosting.question is Question.NONE
    assert not desk.all(Quit)
    assert not desk.all(StopServer)


def test_the_server_is_looked_for_whenever_the_login_is_shown_again() -> None:
    desk = Desk()
    desk.log_in("bob")
    desk.vm.back_to_login()
    assert desk.all(FindServer) == [FindServer()]
