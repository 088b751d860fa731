"""Who is online: everybody knows, soon, and however a connection ends."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from tests.contract.conftest import Start
from tests.support.deadline import DEADLINE_S
from tests.support.raw import Closed, Peer, Value, decode
from tests.support.serving import Serving
from twocans.hub.limits import Limits
from twocans.server.transports import sockets


def test_json_clients_are_told_who_comes_and_goes(server: Serving) -> None:
    alice = server.json("alice")
    bob, carol = server.plain("bob"), server.json("carol")
    assert alice.expect("JOINED")["user"] == "bob"
    assert alice.expect("JOINED")["user"] == "carol"
    bob.close()
    assert alice.expect("LEFT")["user"] == "bob"
    assert carol.expect("LEFT")["user"] == "bob"
    carol.send("BYE")
    assert alice.expect("LEFT")["user"] == "carol"


def test_nobody_is_told_of_themselves(server: Serving) -> None:
    alice = server.json("alice")
    assert alice.welcome["users"] == ["alice"]
    assert alice.drain() == []
    server.json("alice", token=alice.token)
    assert alice.drain() == []


def test_welcome_and_what_follows_it_leave_nobody_out(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    carol = server.json("carol")
    bob.send("BYE")
    dave = server.json("dave")
    told: set[tuple[str, object]] = set()
    # In either order: changes gather for a moment, and these may be told in different ones.
    while not {("LEFT", "bob"), ("JOINED", "dave")} <= told:
        frame = carol.read()
        told.add((frame.verb, frame.fields.get("user")))
    online = {*carol.welcome.names("users"), *(user for verb, user in told if verb == "JOINED")}
    assert online - {"bob"} == {"alice", "carol", "dave"}
    assert alice.name in dave.welcome.names("users")


@pytest.mark.parametrize(
    "end", [Peer.close, Peer.reset, Peer.finish_sending], ids=["fin", "rst", "half-close"]
)
@pytest.mark.parametrize("dialect", ["plain", "json"])
def test_user_is_gone_at_once_however_the_connection_ends(
    server: Serving, dialect: str, end: Callable[[Peer], None]
) -> None:
    alice, carol = server.json("alice"), server.plain("carol")
    bob = server.plain("bob") if dialect == "plain" else server.json("bob")
    alice.expect("JOINED", user="bob")
    carol.await_users(["alice", "carol", "bob"])
    end(bob)
    assert alice.expect("LEFT")["user"] == "bob"
    carol.await_users(["alice", "carol"])


def test_reset_with_bytes_on_the_way_harms_nobody(server: Serving) -> None:
    alice, carol = server.json("alice"), server.json("carol")
    bob = server.json("bob")
    for number in range(100):
        alice.say("bob", "x" * 1000)
        bob.say("nobody", f"unread {number}")
    bob.reset()
    alice.expect("LEFT", user="bob")
    alice.say("carol", "fine")
    assert carol.expect("MSG")["text"] == "fine"


def test_user_is_online_while_one_session_is(server: Serving) -> None:
    watcher, list_reader = server.json("watcher"), server.plain("reader")
    desk = server.json("alice")
    phone = server.json("alice", token=desk.token)
    watcher.expect("JOINED", user="alice")
    list_reader.await_users(["watcher", "reader", "alice"])
    desk.send("BYE")
    desk.expect_closed()
    assert [frame.verb for frame in watcher.drain()] == []
    assert server.json("later").welcome["users"] == ["watcher", "reader", "alice", "later"]
    phone.reset()
    watcher.expect("LEFT", user="alice")
    assert [frame.verb for frame in watcher.skipped] == ["JOINED", "JOINED"]  # reader's and later's
    list_reader.await_users(["watcher", "reader", "later"])


def test_list_keeps_the_order_of_registration(server: Serving) -> None:
    a, b = server.plain("a"), server.plain("b")
    c = server.plain("c")
    assert c.users == ["a", "b", "c"]
    b.close()
    a.await_users(["a", "c"])
    server.plain("b")
    a.await_users(["a", "c", "b"])


def test_bursts_of_changes_are_coalesced_into_the_right_list(start: Start) -> None:
    server = start(Limits(list_delay_s=0.2))
    watcher = server.plain("watcher")
    comers = [server.plain(f"u{number}") for number in range(40)]
    wanted = ["watcher", *(comer.name for comer in comers)]
    lists = watcher.read_until(lambda line: line == f"LIST: {', '.join(wanted)}")
    assert len(lists) <= 40
    for comer in comers:
        comer.close()
    lists = watcher.read_until(lambda line: line == "LIST: watcher")
    assert len(lists) < 40


def test_slow_reader_gets_the_newest_list_in_place_of_those_it_missed(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand lists of six kilobytes are more than the system's buffers and the send queue hold."""
    # Nobody is given up for being silent, however long the rounds take.
    monkeypatch.setattr(sockets, "USER_TIMEOUT_MS", 3_600_000)
    server = start(
        Limits(
            list_delay_s=0.0,
            send_queue_bytes=200_000,
            rate_per_s=0,
            ping_after_s=3600.0,
            dead_after_s=7200.0,
        )
    )
    slow = server.plain("slow", receive_buffer=4096)
    watcher = server.json("watcher")
    crowd = [server.json(chr(0x4E00 + number) * 32, sync=False) for number in range(60)]
    for _ in range(500):
        coming = server.peer()
        coming.sendall(b"coming\n")
        watcher.expect("JOINED", user="coming")
        coming.reset()
        watcher.expect("LEFT", user="coming")
    assert "slow" not in [frame["user"] for frame in watcher.skipped if frame.verb == "LEFT"]
    for peer in crowd:
        peer.close()
        watcher.expect("LEFT", user=peer.name)
    slow.await_users(["slow", "watcher"])
    slow.say("watcher", "with you again")
    watcher.expect("MSG", text="with you again")


def test_silent_json_client_is_asked_and_then_gone(start: Start) -> None:
    server = start(Limits(ping_after_s=0.2, dead_after_s=0.6))
    server.plain("alice")  # who is never asked, however long the test takes to look
    silent = server.json("silent")
    silent.answers_pings = False
    asked = silent.expect("PING")
    assert asked.number("n") >= 0
    rest = [decode(line) for line in silent.expect_closed()]
    assert server.plain("bob").users == ["alice", "bob"]
    # A dead peer hears nothing; one that was asleep may be told why.
    assert {frame["reason"] for frame in rest if frame.verb == "BYE"} <= {"timed_out"}


def test_client_that_answers_is_not_taken_for_dead(start: Start) -> None:
    server = start(Limits(ping_after_s=0.05, dead_after_s=DEADLINE_S))
    alice = server.json("alice")
    alice.answers_pings = False
    for _ in range(5):
        alice.send("PONG", n=alice.expect("PING")["n"])
    assert "LEFT" not in [frame.verb for frame in alice.skipped]
    assert server.json("bob").welcome["users"] == ["alice", "bob"]


def test_client_that_talks_is_not_asked(start: Start) -> None:
    server = start(Limits(ping_after_s=DEADLINE_S / 2, dead_after_s=DEADLINE_S, rate_per_s=0))
    alice = server.json("alice")
    alice.answers_pings = False
    for _ in range(200):
        assert alice.drain() == []


def test_half_of_a_frame_is_a_sign_of_life_and_silence_after_it_is_not(start: Start) -> None:
    server = start(Limits(ping_after_s=0.2, dead_after_s=0.6))
    server.plain("alice")
    half = server.json("half")
    half.answers_pings = False
    half.sendall(b'MSG: {"to": "al')
    half.expect_closed()
    assert server.plain("bob").users == ["alice", "bob"]


def test_user_who_timed_out_can_come_back_with_the_token(start: Start) -> None:
    server = start(Limits(ping_after_s=0.1, dead_after_s=0.3))
    alice = server.json("alice")
    alice.answers_pings = False
    alice.expect_closed()
    assert server.plain("bob").users == ["bob"]
    assert server.json("alice", token=alice.token).name == "alice"


def test_new_session_of_a_half_dead_one_does_not_have_to_wait(server: Serving) -> None:
    """The cable was pulled, the machine came back under another address: the old session still stands."""
    alice = server.json("alice")
    again = server.json("alice", token=alice.token)
    bob = server.json("bob")
    bob.say("alice", "are you there?")
    assert again.expect("MSG")["text"] == "are you there?"


def test_closed_peer_can_no_longer_speak(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    bob.send("BYE")
    bob.expect_closed()
    alice.expect("LEFT")
    with contextlib.suppress(Closed):
        bob.say("alice", "from beyond")
    assert alice.drain() == []


def test_json_clients_are_told_who_is_away_or_busy_and_plain_ones_nothing(server: Serving) -> None:
    alice, reader = server.json("alice"), server.plain("reader")
    bob = server.json("bob")
    alice.expect("JOINED", user="bob")
    reader.await_users(["alice", "reader", "bob"])
    bob.send("STATUS", status="away")
    assert alice.expect("PRESENCE", user="bob")["status"] == "away"
    assert server.json("carol").welcome["statuses"] == {"bob": "away"}
    bob.send("STATUS", status="busy")
    assert alice.expect("PRESENCE", user="bob")["status"] == "busy"
    bob.send("STATUS", status="here")
    assert alice.expect("PRESENCE", user="bob")["status"] == "here"
    assert "statuses" not in server.json("dave").welcome.fields
    lists = reader.read_until(lambda line: line == "LIST: alice, reader, bob, carol, dave")
    assert lists in (["LIST: alice, reader, bob, carol", "LIST: alice, reader, bob, carol, dave"], lists[-1:])


def test_user_is_busy_if_one_session_is_and_away_if_all_are(server: Serving) -> None:
    watcher, desk = server.json("watcher"), server.json("alice", status="away")
    assert watcher.expect("JOINED", user="alice")["status"] == "away"
    phone = server.json("alice", token=desk.token)
    assert watcher.expect("PRESENCE")["status"] == "here"
    phone.send("STATUS", status="away")
    assert watcher.expect("PRESENCE")["status"] == "away"
    phone.send("STATUS", status="busy")
    assert watcher.expect("PRESENCE")["status"] == "busy"
    phone.reset()
    assert watcher.expect("PRESENCE")["status"] == "away"
    desk.send("BYE")
    watcher.expect("LEFT", user="alice")


def test_status_that_is_none_is_refused_and_nobody_is_told(server: Serving) -> None:
    watcher, alice = server.json("watcher"), server.json("alice")
    watcher.expect("JOINED", user="alice")
    wrong_ones: list[Value] = ["asleep", "", 1, None, ["away"]]
    for wrong in wrong_ones:
        alice.send("STATUS", status=wrong)
        assert alice.expect("ERROR")["code"] == "bad_request"
    alice.send("STATUS")
    assert alice.expect("ERROR")["code"] == "bad_request"
    alice.say("watcher", "as ever")
    watcher.expect("MSG", text="as ever")
    assert "PRESENCE" not in [frame.verb for frame in watcher.skipped]
