"""Too fast, too slow: the rate limit, the clogged client, the send queue, and the coalesced LIST."""

from __future__ import annotations

from tests.unit.hub.fakes import World
from tests.unit.hub.late import LateStorage
from tests.unit.server.fakes import ManualLoop, Wire, json_wire, line, plain_wire
from twocans.hub.limits import Limits
from twocans.hub.session import Reason
from twocans.protocol.messages import (
    Ack,
    Bye,
    FindQuery,
    Hello,
    History,
    HistoryQuery,
    Message,
    Notice,
    Ping,
    Pong,
    Send,
    Welcome,
)
from twocans.server.connection.connection import APART_LINES, GREETING_LINES, LINE_BYTES, LOST_LINES
from twocans.server.connection.send_queue import HIGH_WATER_BYTES, LOW_WATER_BYTES


def _pings(first: int, number: int) -> bytes:
    return b"".join(line(Ping(n)) for n in range(first, first + number))


def test_going_over_the_rate_waits_and_drops_nothing() -> None:
    wire = json_wire(World(Limits(rate_per_s=2.0, burst_s=2.0)), "alice")  # HELLO took one of four
    wire.send(_pings(0, 10))
    assert wire.frames() == [Pong(0), Pong(1), Pong(2)]
    assert wire.transport.paused
    wire.advance(1.0)
    assert wire.frames() == [Pong(3), Pong(4)]
    assert wire.transport.paused
    wire.advance(2.5)
    assert wire.frames() == [Pong(n) for n in range(5, 10)]
    assert not wire.transport.paused


def test_connection_that_is_gone_does_not_wait_for_its_turn() -> None:
    world = World(Limits(rate_per_s=1.0, burst_s=2.0, list_delay_s=0.0))
    wire = json_wire(world, "alice")
    wire.send(_pings(0, 10))
    assert wire.transport.paused
    wire.connection.lost()
    wire.advance(0.0)
    # A timer would keep it, with all answers that nobody fetches, for as long as a burst is.
    assert world.clock.waiting() == []


def test_sessions_of_one_name_share_its_rate_and_coming_again_is_no_fresh_start() -> None:
    world = World(Limits(rate_per_s=1.0, burst_s=4.0))
    first, second = Wire(world), Wire(world)
    first.send(line(Hello(user="alice", agent="test")))
    token = next(frame.token for frame in first.frames() if isinstance(frame, Welcome))
    again = line(Hello(user="alice", agent="test", token=token))
    first.send(_pings(0, 2))
    second.send(again, _pings(0, 3))
    assert first.frames() == [Pong(0), Pong(1)]
    assert [frame for frame in second.frames() if isinstance(frame, Pong)] == []
    first.connection.lost()
    third = Wire(world)
    third.send(again, _pings(0, 3))
    assert [frame for frame in third.frames() if isinstance(frame, Pong)] == []
    world.clock.advance(20.0)
    second.turn()
    assert len([frame for frame in second.frames() if isinstance(frame, Pong)]) == 3


def test_long_line_counts_as_several() -> None:
    wire = json_wire(World(Limits(rate_per_s=1.0, burst_s=30.0)), "alice")
    long = b'PING: {"n": 1, "more": "' + b"x" * 10 * LINE_BYTES + b'"}\n'
    for _ in range(5):
        wire.send(long)
    # The third is begun, as something is left for it.
    assert wire.frames() == [Pong(1)] * 3
    wire.advance(5.0)
    assert wire.frames() == [Pong(1)]


def test_stranger_may_say_a_few_lines_only() -> None:
    wire = Wire(World(Limits(rate_per_s=1.0, burst_s=1000.0)))
    wire.send(line(Hello(user="not a name", agent="test")), _pings(0, 50))
    assert [frame for frame in wire.frames() if isinstance(frame, Pong)] == [
        Pong(n) for n in range(GREETING_LINES - 1)
    ]


def test_chunk_that_comes_while_waiting_stays_behind_what_waits() -> None:
    """A driver may have read it before it was told to pause."""
    wire = json_wire(World(Limits(rate_per_s=1.0, burst_s=2.0)), "alice")
    wire.send(_pings(0, 3))
    wire.send(_pings(3, 2))
    assert wire.frames() == [Pong(0)]
    wire.advance(4.0)
    assert wire.frames() == [Pong(n) for n in range(1, 5)]


def test_client_that_has_to_wait_its_turn_is_not_taken_for_dead() -> None:
    """Nothing is read from it meanwhile, so it cannot be heard: its silence is this side's."""
    world = World(Limits(rate_per_s=1.0, burst_s=1.0, ping_after_s=20.0, dead_after_s=45.0))
    wire = json_wire(world, "alice")
    wire.send(_pings(0, 200))
    for _ in range(210):
        wire.advance(1.0)
    assert [frame for frame in wire.frames() if isinstance(frame, Pong)] == [Pong(n) for n in range(200)]
    assert not wire.transport.aborted
    assert not wire.transport.paused


def test_end_of_the_waiting_lets_the_client_be_watched_again() -> None:
    world = World(Limits(rate_per_s=1.0, burst_s=1.0, ping_after_s=20.0, dead_after_s=45.0))
    wire = json_wire(world, "alice")
    wire.send(_pings(0, 60))
    for _ in range(61):
        wire.advance(1.0)
    for _ in range(66):
        wire.advance(1.0)
    assert wire.transport.aborted


def test_waiting_lines_count_when_the_peer_has_finished() -> None:
    world = World(Limits(rate_per_s=1.0, burst_s=2.0))
    bob = json_wire(world, "bob")
    alice = json_wire(world, "alice")
    alice.send(b"".join(line(Send(to="bob", text=str(n), cid=str(n))) for n in range(6)))
    alice.connection.eof()
    assert [frame.text for frame in bob.frames() if isinstance(frame, Message)] == [str(n) for n in range(6)]
    assert [frame.cid for frame in alice.frames() if isinstance(frame, Ack)] == [str(n) for n in range(6)]
    assert alice.transport.closed


def test_waiting_lines_count_when_the_connection_is_lost() -> None:
    world = World(Limits(rate_per_s=1.0, burst_s=2.0))
    bob, alice = plain_wire(world, "bob"), plain_wire(world, "alice")
    alice.send(b"".join(b"MSG: bob: %d\n" % n for n in range(6)))
    alice.connection.lost()
    said = [said for said in bob.said() if said.startswith("MSG")]
    assert said == [f"MSG: alice: {n}" for n in range(6)]


def test_lost_connection_is_no_way_around_the_rate() -> None:
    """A chunk holds thousands of lines, and a peer can break its connection as often as it likes."""
    world = World(Limits(rate_per_s=100.0, burst_s=0.5))
    bob, alice = json_wire(world, "bob"), json_wire(world, "alice")
    alice.send(b"".join(line(Send(to="bob", text=str(n), cid=str(n))) for n in range(1000)))
    in_time = len([frame for frame in bob.frames() if isinstance(frame, Message)])
    alice.connection.lost()
    at_the_end = [frame.text for frame in bob.frames() if isinstance(frame, Message)]
    assert at_the_end == [str(n) for n in range(in_time, in_time + LOST_LINES)]


def test_what_the_rate_allows_counts_when_the_connection_is_lost() -> None:
    """The messages wait for the answer to a question, not for their turn."""
    storage = LateStorage(max_messages=1000)
    world = World(Limits(rate_per_s=1.0, burst_s=1000.0), storage=storage)
    bob, alice = json_wire(world, "bob"), json_wire(world, "alice")
    storage.answer()
    texts = [str(n) for n in range(LOST_LINES * 10)]
    sends = [line(Send(to="bob", text=text, cid=text)) for text in texts]
    alice.send(line(HistoryQuery(peer="bob", rid=1)) + b"".join(sends))
    alice.connection.lost()
    storage.answer()
    assert [frame.text for frame in bob.frames() if isinstance(frame, Message)] == texts


def test_lines_that_are_handled_one_by_one_take_turns_with_those_of_others() -> None:
    """Hundreds of names may each send hundreds of lines at once, which together take the loop for half a minute."""
    world = World(Limits(rate_per_s=0.0))
    loop = ManualLoop()
    first, second = Wire(world, loop=loop), Wire(world, loop=loop)
    for name, wire in (("alice", first), ("bob", second)):
        wire.send(line(Hello(user=name, agent="test")))
        wire.said()
    for wire in (first, second):
        wire.connection.receive(_pings(0, 3 * APART_LINES))
        assert wire.transport.paused
        assert wire.flushed() == [Pong(n) for n in range(APART_LINES)]
    assert first.frames() == [Pong(n) for n in range(APART_LINES, 3 * APART_LINES)]
    assert second.frames() == [Pong(n) for n in range(APART_LINES, 3 * APART_LINES)]
    assert not first.transport.paused
    assert not second.transport.paused


def test_connection_that_is_lost_while_its_lines_wait_for_a_turn_takes_none() -> None:
    wire = json_wire(World(Limits(rate_per_s=0.0)), "alice")
    wire.connection.receive(_pings(0, 3 * APART_LINES) + line(Bye()))
    wire.connection.lost()
    wire.turn()
    assert wire.world.hub.roster.names() == []


def test_rare_odd_lines_among_messages_keep_their_order() -> None:
    world = World(Limits(rate_per_s=0.0))
    bob, alice = json_wire(world, "bob"), json_wire(world, "alice")
    sends = [line(Send(to="bob", text=str(n), cid=str(n))) for n in range(1000)]
    odd = [text + line(Ping(n)) if n % 7 == 0 else text for n, text in enumerate(sends)]
    alice.send(b"".join(odd))
    assert [frame.text for frame in bob.frames() if isinstance(frame, Message)] == [
        str(n) for n in range(1000)
    ]
    assert [frame.n for frame in alice.frames() if isinstance(frame, Pong)] == list(range(0, 1000, 7))


def test_goodbye_among_the_waiting_lines_ends_the_session_once() -> None:
    world = World(Limits(rate_per_s=1.0, burst_s=2.0))
    for leave in ("eof", "lost"):
        wire = json_wire(world, f"alice-{leave}")
        wire.send(_pings(0, 3) + line(Bye()))
        if leave == "eof":
            wire.connection.eof()
        else:
            wire.connection.lost()
        wire.turn()
    assert len(world.log.named("session_closed")) == 2
    assert world.log.named("never_registered") == []


def test_last_refusal_among_the_waiting_lines_ends_the_connection_once() -> None:
    world = World(Limits(rate_per_s=1.0, burst_s=1.0))
    wire = Wire(world)
    wire.send(b"a b\na b\na b\na b\n")
    wire.connection.eof()
    wire.turn()
    assert len(world.log.named("never_registered")) == 1
    assert len(world.log.named("name_refused")) == 3


def test_requests_that_wait_at_the_end_cost_no_more_than_the_send_queue() -> None:
    """A thousand requests fit into a chunk, and each asks for a page of a quarter of a megabyte."""
    world = World(Limits(rate_per_s=1.0, burst_s=2.0))
    alice, bob = json_wire(world, "alice"), world.json("bob")
    for n in range(20):
        world.post(bob, "alice", "x" * 16_000, str(n))
    alice.said()
    before = len(alice.transport.written)
    alice.send(b"".join(line(HistoryQuery(peer="bob", rid=n)) for n in range(500)))
    alice.connection.eof()
    alice.turn()
    assert len(alice.transport.written) - before < world.limits.send_queue_bytes
    assert alice.transport.closed


# --- a reader that is slow -------------------------------------------------------------------------------


def test_client_whose_answers_pile_up_waits_and_goes_on_once_it_has_fetched_them() -> None:
    world = World(Limits(rate_per_s=0.0))
    sender = world.json("bob")
    alice = json_wire(world, "alice")
    for n in range(5):
        world.post(sender, "alice", "x" * 16_000, str(n))
    alice.said()
    alice.stall()
    alice.send(b"".join(line(HistoryQuery(peer="bob", rid=n)) for n in range(20)))
    assert alice.transport.paused
    assert len(alice.transport.written) < HIGH_WATER_BYTES + 400_000
    answered: list[object] = []
    for _ in range(40):
        answered += [frame.rid for frame in alice.frames() if isinstance(frame, History)]
        alice.catch_up()
        alice.stall()
    assert answered == list(range(20))
    assert not alice.transport.paused
    alice.catch_up()
    alice.send(line(Ping(1)))
    assert alice.frames() == [Pong(1)]


def test_client_that_asks_one_by_one_without_fetching_waits_too() -> None:
    world = World(Limits(rate_per_s=0.0))
    sender = world.json("bob")
    alice = json_wire(world, "alice")
    for n in range(15):
        world.post(sender, "alice", "x" * 16_000, str(n))
    alice.said()
    alice.stall()
    alice.send(*[line(HistoryQuery(peer="bob", rid=n)) for n in range(20)])
    assert not alice.transport.aborted, "cut off for the answers to its own requests"
    assert alice.transport.paused
    assert alice.transport.unsent <= world.limits.send_queue_bytes


def test_clogged_client_is_not_helped_by_the_end_of_its_waiting() -> None:
    """It is over the rate first and clogged then: only the fetching lets it go on."""
    world = World(Limits(rate_per_s=1.0, burst_s=2.0))
    alice = json_wire(world, "alice")
    alice.send(_pings(0, 5))
    alice.said()
    alice.stall()
    alice.connection.deliver(Message(id=1, at=1, sender="b", to="a", text="x" * 70_000, cid="c"))
    alice.turn()
    alice.advance(20.0)
    assert [frame for frame in alice.frames() if isinstance(frame, Pong)] == []
    alice.catch_up()
    alice.advance(20.0)
    assert [frame for frame in alice.frames() if isinstance(frame, Pong)] == [Pong(n) for n in range(1, 5)]


def test_reader_that_does_not_keep_up_is_cut_off_and_loses_nothing() -> None:
    world = World(Limits(send_queue_bytes=10_000))
    bob = json_wire(world, "bob")
    alice = world.json("alice")
    bob.stall()
    for n in range(20):
        world.post(alice, "bob", str(n) * 1000, str(n))
        bob.turn()
    assert bob.transport.aborted
    assert [fields["reason"] for fields in world.log.named("session_closed")] == ["too_slow"]
    bob.connection.lost()
    assert len(world.log.named("session_closed")) == 1
    again = Wire(world)
    again.send(line(Hello(user="bob", agent="t")))
    assert [frame.text[0] for frame in again.frames() if isinstance(frame, Message)] == [
        str(n)[0] for n in range(20)
    ]


def test_reader_just_within_its_queue_is_not_cut_off() -> None:
    world = World(Limits(send_queue_bytes=10_000))
    bob = plain_wire(world, "bob")
    alice = world.json("alice")
    bob.turn()
    bob.advance(1.0)
    bob.said()
    bob.stall()
    overhead = len("MSG: alice: \n")
    for n in range(10):
        world.post(alice, "bob", "x" * (1000 - overhead), str(n))
        bob.turn()
    assert bob.transport.unsent == 10_000
    assert not bob.transport.aborted
    world.post(alice, "bob", "x", "last")
    bob.turn()
    assert bob.transport.aborted


def test_reader_is_not_cut_off_for_one_frame_that_is_larger_than_its_queue() -> None:
    """As the list of a server with many long names is; what comes beside it counts as ever."""
    world = World(Limits(send_queue_bytes=10_000))
    bob = plain_wire(world, "bob")
    bob.stall()
    bob.connection.deliver(Notice("x" * 30_000))
    bob.turn()
    assert not bob.transport.aborted
    alice = world.json("alice")
    for n in range(9):
        world.post(alice, "bob", "x" * 1000, str(n))
        bob.turn()
    assert not bob.transport.aborted
    world.post(alice, "bob", "x" * 1000, "last")
    bob.turn()
    assert bob.transport.aborted


def test_reader_is_not_cut_off_for_one_message_that_is_larger_than_its_queue() -> None:
    world = World(Limits(send_queue_bytes=10_000))
    bob = plain_wire(world, "bob")
    alice = world.json("alice")
    bob.advance(1.0)
    bob.stall()
    world.post(alice, "bob", "x" * 16_000, "1")
    bob.turn()
    assert not bob.transport.aborted
    for n in range(20):
        world.post(alice, "bob", "x" * 1000, f"s{n}")
        bob.turn()
    assert bob.transport.aborted


def test_slow_reader_disturbs_nobody_else() -> None:
    world = World(Limits(send_queue_bytes=5_000))
    slow, quick = plain_wire(world, "slow"), plain_wire(world, "quick")
    slow.advance(1.0)
    quick.said()
    slow.stall()
    alice = world.json("alice")
    for n in range(10):
        world.post(alice, "slow", "x" * 1000, f"s{n}")
        world.post(alice, "quick", str(n), f"q{n}")
        slow.turn()
    said = [said for said in quick.said() if said.startswith("MSG")]
    assert said == [f"MSG: alice: {n}" for n in range(10)]
    assert [ack.cid for ack in alice.acks()] == [f"{who}{n}" for n in range(10) for who in "sq"]


# --- the list --------------------------------------------------------------------------------------------


def test_list_that_a_slow_reader_has_not_been_sent_is_replaced() -> None:
    world = World()
    bob = plain_wire(world, "bob")
    first = world.json("first")
    bob.advance(1.0)
    bob.said()
    bob.stall()
    world.post(first, "bob", "x" * (LOW_WATER_BYTES // 2), "c1")
    world.post(first, "bob", "x" * (LOW_WATER_BYTES // 2), "c2")
    assert len(bob.said()) == 2  # not sent to the peer yet, and more than a little
    people = []
    for n in range(50):
        people.append(world.json(f"p{n}"))
        bob.advance(1.0)
    for session in people[:-1]:
        world.hub.leave(session, Reason.LEFT)
        bob.advance(1.0)
    assert bob.said() == []
    bob.catch_up()
    assert bob.said() == ["LIST: bob, first, p49"]
    bob.advance(5.0)
    assert bob.said() == []


def test_messages_are_not_held_up_by_a_list_that_waits() -> None:
    world = World()
    bob = plain_wire(world, "bob")
    carol = world.json("carol")
    bob.advance(1.0)
    bob.said()
    bob.stall()
    for n in range(2):
        world.post(carol, "bob", "x" * (LOW_WATER_BYTES // 2), f"c{n}")
    assert len(bob.said()) == 2
    world.json("dave")
    bob.advance(1.0)
    world.post(carol, "bob", "two", "c3")
    assert bob.said() == ["MSG: carol: two"]
    bob.catch_up()
    assert bob.said() == ["LIST: bob, carol, dave"]


def test_find_is_answered_in_order_with_everything_else() -> None:
    wire = json_wire(World(), "alice")
    wire.send(line(Ping(1)) + line(FindQuery(prefix="a", rid=2)) + line(Ping(3)))
    assert [type(frame).__name__ for frame in wire.frames()] == ["Pong", "Found", "Pong"]


def test_who_waits_for_what_was_written_in_an_earlier_turn_is_told_of_its_end() -> None:
    wire = json_wire(World(), "alice")
    wire.stall()
    wire.connection.deliver(Message(id=1, at=1, sender="b", to="a", text="x" * 70_000, cid="c"))
    wire.turn()
    assert wire.transport.asked == 0, "nobody waits"
    told: list[str] = []
    wire.connection.when_drained(lambda: told.append("drained"))
    wire.turn()
    assert (wire.transport.asked, told) == (1, [])
    wire.catch_up()
    assert told == ["drained"]


def test_what_comes_while_a_question_is_under_way_waits_for_its_answer_and_no_longer() -> None:
    storage = LateStorage(max_messages=100)
    world = World(storage=storage)
    alice = Wire(world)
    alice.send(line(Hello(user="alice", agent="t")))
    storage.answer()
    alice.said()
    alice.send(line(HistoryQuery(peer="alice", rid=1)), line(Ping(7)))
    assert alice.frames() == []
    assert alice.transport.paused
    storage.answer()
    assert [type(frame) for frame in alice.frames()] == [History, Pong]
    assert not alice.transport.paused
