"""Coming back: what waits, what the cursor skips, and no hole and no overlap between that and what is live."""

from __future__ import annotations

import threading

import pytest

from tests.contract.conftest import Start
from tests.contract.frames import gone, ids, texts
from tests.support.raw import JsonPeer, decode, hello
from tests.support.serving import Serving
from twocans.hub.limits import Limits


def test_messages_wait_for_somebody_away_oldest_first(server: Serving) -> None:
    alice, bob, carol = server.json("alice"), server.json("bob"), server.plain("carol")
    gone(alice, bob)
    acks = [alice.deliver("bob", str(number)) for number in range(3)]
    carol.say("bob", "from carol")
    assert carol.read_message() == ("Server", "bob is not online. Your message waits for them.")
    bob = server.json("bob", token=bob.token)
    assert texts(bob.missed) == ["0", "1", "2", "from carol"]
    assert ids(bob.missed)[:3] == ids(acks)
    assert bob.welcome["last"] == ids(bob.missed)[-1]
    alice.deliver("bob", "live")
    assert bob.expect("MSG")["text"] == "live"


def test_what_no_device_has_got_comes_again_and_what_one_has_got_does_not(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    for number in range(4):
        alice.deliver("bob", str(number))
    received = bob.expect_messages(4)
    bob.send("GOT", id=received[1]["id"])
    bob.drain()
    gone(alice, bob)
    bob = server.json("bob", token=bob.token)
    assert texts(bob.missed) == ["2", "3"]


def test_client_that_resumes_gets_what_came_after_its_cursor(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    for number in range(3):
        alice.deliver("bob", str(number))
    cursor = bob.expect_messages(3)[1].number("id")
    bob.reset()
    alice.expect("LEFT", user="bob")
    alice.deliver("bob", "3")
    bob = server.json("bob", token=bob.token, after=cursor, log=bob.log)
    assert texts(bob.missed) == ["2", "3"]
    assert bob.welcome["log"] == alice.log


def test_resuming_at_the_end_misses_nothing_and_gets_nothing_twice(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    last = alice.deliver("bob", "hi").number("id")
    bob.reset()
    alice.expect("LEFT", user="bob")
    bob = server.json("bob", token=bob.token, after=last, log=bob.log)
    assert bob.missed == []
    alice.deliver("bob", "live")
    assert bob.expect("MSG")["text"] == "live"


def test_cursor_of_another_log_means_nothing(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    gone(alice, bob)
    alice.deliver("bob", "waiting")
    bob = server.json("bob", token=bob.token, after=10**15, log="of another server")
    assert texts(bob.missed) == ["waiting"]
    assert bob.log == alice.log


def test_cursor_beyond_the_log_hides_nothing_that_comes(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    alice.deliver("bob", "before")
    bob.reset()
    alice.expect("LEFT", user="bob")
    bob = server.json("bob", token=bob.token, after=10**15, log=bob.log)
    alice.deliver("bob", "live")
    bob.expect("MSG", text="live")
    bob.reset()
    alice.expect("LEFT", user="bob")
    alice.deliver("bob", "while away")
    bob = server.json("bob", token=bob.token)
    assert "while away" in texts(bob.missed)


def test_cursor_that_no_message_has_had_swallows_nothing(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    first = alice.deliver("bob", "got").number("id")
    bob.expect("MSG", text="got")
    bob.send("GOT", id=first)
    bob.drain()
    gone(alice, bob)
    waiting = alice.deliver("bob", "waiting").number("id")
    alice.drain()
    bob = server.json("bob", token=bob.token, after=waiting + 1, log=bob.log)
    assert texts(bob.missed) == ["waiting"]
    assert bob.welcome["after"] == first
    assert [frame for frame in alice.drain() if frame.verb == "RECEIPT"] == []


def test_cursor_without_its_log_is_refused(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    gone(alice, bob)
    waiting = alice.deliver("bob", "waiting").number("id")
    peer = server.peer()
    peer.sendall(hello("bob", token=bob.token, after=waiting))
    refused = decode(peer.read_line())
    assert refused["code"] == "bad_request"
    assert "`log`" in refused.text("text")
    peer.sendall(hello("bob", token=bob.token))
    assert decode(peer.read_line())["user"] == "bob"


def test_log_without_a_cursor_is_like_no_cursor(server: Serving) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    first = alice.deliver("bob", "got").number("id")
    bob.expect("MSG", text="got")
    bob.send("GOT", id=first)
    bob.drain()
    gone(alice, bob)
    alice.deliver("bob", "waiting")
    bob = server.json("bob", token=bob.token, log=bob.log)
    assert texts(bob.missed) == ["waiting"]
    assert bob.welcome["after"] == first


@pytest.mark.parametrize("log", [None, "of another server"])
def test_cursor_of_nothing_at_all_needs_no_log(server: Serving, log: str | None) -> None:
    alice, bob = server.json("alice"), server.json("bob")
    first = alice.deliver("bob", "got").number("id")
    bob.send("GOT", id=first)
    bob.drain()
    gone(alice, bob)
    alice.deliver("bob", "waiting")
    bob = server.json("bob", token=bob.token, after=0, log=log)
    assert texts(bob.missed) == ["got", "waiting"]
    assert bob.welcome["after"] == 0


def test_new_device_that_keeps_what_welcome_says_misses_nothing(server: Serving) -> None:
    alice, phone = server.json("alice"), server.json("bob")
    got = alice.deliver("bob", "before").number("id")
    phone.send("GOT", id=got)
    phone.drain()
    desk = server.json("bob", token=phone.token)
    assert desk.missed == []
    cursor = desk.welcome.number("after")
    desk.reset()
    missed = alice.deliver("bob", "while away").number("id")
    phone.send("GOT", id=missed)
    phone.drain()
    desk = server.json("bob", token=phone.token, after=cursor, log=desk.log)
    assert texts(desk.missed) == ["while away"]


def test_resuming_device_gets_what_another_device_sent(server: Serving) -> None:
    desk, bob = server.json("alice"), server.json("bob")
    phone = server.json("alice", token=desk.token)
    first = bob.deliver("alice", "one").number("id")
    phone.expect("MSG", text="one")
    phone.reset()
    desk.deliver("bob", "two")
    bob.deliver("alice", "three")
    phone = server.json("alice", token=desk.token, after=first, log=desk.log)
    assert texts(phone.missed) == ["two", "three"]


@pytest.mark.parametrize("rounds", [8])
def test_resume_while_traffic_runs_has_no_hole_and_no_overlap(start: Start, rounds: int) -> None:
    server = start(Limits(rate_per_s=0))
    total = 3000
    bob = server.json("bob")
    senders = [server.json(f"s{number}") for number in range(3)]
    acked: list[int] = []
    lock = threading.Lock()

    def send(sender: JsonPeer) -> None:
        for number in range(0, total, 10):
            cids = [sender.say("bob", str(number + step)) for step in range(10)]
            for cid in cids:
                with lock:
                    acked.append(sender.expect("ACK", cid=cid).number("id"))

    threads = [threading.Thread(target=send, args=(sender,)) for sender in senders]
    for thread in threads:
        thread.start()
    received: list[int] = []
    cursor = 0
    per_round = total * len(senders) // rounds
    for _ in range(rounds - 1):
        received += ids(bob.expect_messages(per_round))
        cursor = received[-1]
        bob.reset()
        bob = server.json("bob", token=bob.token, after=cursor, log=bob.log, sync=False)
    received += ids(bob.expect_messages(total * len(senders) - len(received)))
    for thread in threads:
        thread.join()
    assert received == sorted(acked)
    assert len(set(received)) == len(received)


def test_synced_parts_what_was_missed_from_what_is_live(start: Start) -> None:
    server = start(Limits(rate_per_s=0))
    alice, bob = server.json("alice"), server.json("bob")
    gone(alice, bob)
    for number in range(1000):
        alice.say("bob", str(number))
    for _ in range(1000):
        alice.expect("ACK")
    bob = server.json("bob", token=bob.token, sync=False)
    alice.deliver("bob", "late")
    frames = bob.read_frames("MSG", text="late")
    if "SYNCED" not in [frame.verb for frame in frames]:
        frames.append(bob.expect("SYNCED"))
    assert texts([frame for frame in frames if frame.verb == "MSG"]) == [*map(str, range(1000)), "late"]
    synced = next(frame for frame in frames if frame.verb == "SYNCED")
    before = frames[: frames.index(synced)]
    assert synced["last"] == max(ids([frame for frame in before if frame.verb == "MSG"]))
