"""TLS between a connection and its transport: any cutting, pauses, goodbyes, and peers that break it."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.hub.fakes import SlowIdentities, World
from tests.unit.server.fakes import ManualLoop, Wire, line, plain_wire
from tests.unit.server.tls_wire import CONTEXT, TlsWire, no_http, registered
from twocans.hub.limits import Limits
from twocans.hub.session import Reason
from twocans.protocol.messages import Hello, Send
from twocans.server.connection.sniffing import ProtocolSniffer
from twocans.server.connection.turns import TURN_S, ParserTurns
from twocans.server.transports.tls import PIECE_BYTES, SLICE_RECORDS, first_taker

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
APPLICATION_DATA = 0x17
ALERT = 0x15


@pytest.fixture(params=VERSIONS, ids=lambda version: version.name)
def version(request: pytest.FixtureRequest) -> ssl.TLSVersion:
    """Both versions that are spoken."""
    chosen = request.param
    assert isinstance(chosen, ssl.TLSVersion)
    return chosen


def records(data: bytes) -> list[int]:
    """The types of the TLS records that the bytes are."""
    types = []
    while data:
        types.append(data[0])
        data = data[5 + int.from_bytes(data[3:5], "big") :]
    return types


# --- from the first byte on ------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [b"alice\n", b"HELLO: {}\n", b"\n", b"\x00", b"\x17\x03\x03"])
def test_what_does_not_begin_as_tls_goes_to_the_connection_as_it_is(first: bytes) -> None:
    wire = Wire(World())
    opening = ProtocolSniffer(wire.connection, wire.transport, no_http)
    turns = ParserTurns(ManualLoop())
    taken = first_taker(opening, first, CONTEXT, turns) or first_taker(opening, b"\n", CONTEXT, turns)
    assert taken is not None
    assert taken[0] is wire.connection
    assert taken[1].startswith(first)
    assert not wire.connection.encrypted


def test_client_registers_and_is_marked_as_encrypted(version: ssl.TLSVersion) -> None:
    world = World()
    alice = TlsWire(world, version)
    alice.shake_hands()
    alice.say(b"alice\n")
    assert alice.heard() == ["LIST: alice"]
    assert world.log.named("user_registered")[0]["encrypted"] is True
    assert alice.tls.version() == version.name.replace("_", ".")


def test_compression_and_resumption_are_off(version: ssl.TLSVersion) -> None:
    alice = registered(World(), "alice", version)
    assert alice.tls.compression() is None
    session = alice.tls.session
    assert session is None or not session.has_ticket


@settings(max_examples=25, deadline=None)
@given(size=st.integers(min_value=1, max_value=700))
@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_any_cutting_of_the_bytes_gives_the_same(version: ssl.TLSVersion, size: int) -> None:
    alice = TlsWire(World(), version)
    alice.shake_hands(size=size)
    alice.say(b"alice\nMSG: al", b"ice: one\n", b"MSG: alice: two\n", size=size)
    assert alice.heard() == ["LIST: alice", "MSG: alice: one", "MSG: alice: two"]


def test_hello_cut_after_its_first_byte_is_still_one() -> None:
    alice = TlsWire(World())
    alice.shake_hands(size=1)
    alice.say(b"alice\n")
    assert alice.heard() == ["LIST: alice"]


# --- what is said ----------------------------------------------------------------------------------------


def test_everything_of_a_turn_is_one_write_of_one_record(version: ssl.TLSVersion) -> None:
    world = World()
    alice = registered(world, "alice", version)
    bob = plain_wire(world, "bob")
    alice.wire.advance(1.0)  # which brings the LIST
    alice.heard()
    before = alice.transport.writes
    bob.send(b"".join(b"MSG: alice: %d\n" % number for number in range(100)))
    assert records(alice.fetch()) == [APPLICATION_DATA]
    assert alice.transport.writes == before + 1
    assert alice.heard() == [f"MSG: bob: {number}" for number in range(100)]


def test_more_than_a_piece_is_one_write_too(version: ssl.TLSVersion) -> None:
    world = World()
    alice = registered(world, "alice", version)
    bob = plain_wire(world, "bob")
    alice.wire.advance(1.0)  # which brings the LIST
    alice.heard()
    before = alice.transport.writes
    text = "x" * 16_000
    bob.send(f"MSG: alice: {text}\n".encode() * 30)
    alice.wire.turn()
    assert alice.transport.writes == before + 1
    assert alice.heard() == [f"MSG: bob: {text}"] * 30


def test_reader_that_does_not_keep_up_is_cut_off() -> None:
    world = World(Limits(send_queue_bytes=100_000, rate_per_s=0))
    alice = registered(world, "alice")
    bob = plain_wire(world, "bob")
    alice.transport.stalled = True
    for _ in range(10):
        bob.send(b"MSG: alice: " + b"x" * 16_000 + b"\n")
        alice.wire.turn()
    assert alice.transport.aborted
    assert world.log.named("session_closed")[0]["reason"] == Reason.TOO_SLOW


def test_client_that_takes_not_even_the_handshake_is_cut_off() -> None:
    world = World(Limits(send_queue_bytes=500))
    alice = TlsWire(world)
    alice.transport.stalled = True
    alice.shake_hands()
    assert alice.transport.aborted
    assert world.log.named("never_registered")[0]["reason"] == Reason.TOO_SLOW


# --- pauses ----------------------------------------------------------------------------------------------


def lines(number: int) -> bytes:
    return b"".join(b"MSG: alice: %05d %s\n" % (each, b"x" * 1000) for each in range(number))


def test_text_that_has_arrived_before_a_pause_follows_without_any_further_byte() -> None:
    alice = registered(World(Limits(rate_per_s=8.0, burst_s=1.0)), "alice")
    text = lines(300)
    assert len(text) > 4 * PIECE_BYTES
    alice.say(text)
    assert alice.transport.paused
    told = alice.heard()
    assert len(told) < 20
    for _ in range(50):
        alice.wire.advance(1.0)
        told += alice.heard()
    assert [line.split()[2] for line in told] == [f"{each:05d}" for each in range(300)]
    assert not alice.transport.paused


def test_bytes_that_come_during_a_pause_stay_behind_what_waits() -> None:
    """A driver may have read them before it was told to pause."""
    alice = registered(World(Limits(rate_per_s=8.0, burst_s=1.0)), "alice")
    alice.say(lines(300))
    assert alice.transport.paused
    alice.say(b"MSG: alice: first\n")
    alice.say(b"MSG: alice: second\n")
    for _ in range(50):
        alice.wire.advance(1.0)
    assert [line.split()[2] for line in alice.heard()][-3:] == ["00299", "first", "second"]


def test_goodbye_behind_paused_text_ends_the_session_after_all_of_it() -> None:
    world = World(Limits(rate_per_s=8.0, burst_s=1.0))
    alice = registered(world, "alice")
    bob = plain_wire(world, "bob")
    alice.feed(alice.encrypted(lines(300).replace(b"MSG: alice", b"MSG: bob")) + alice.goodbye())
    assert world.log.named("session_closed") == []
    for _ in range(50):
        alice.wire.advance(1.0)
    assert [line.split()[2] for line in bob.said() if line.startswith("MSG")] == [
        f"{each:05d}" for each in range(300)
    ]
    assert world.log.named("session_closed")[0]["reason"] == Reason.LEFT


# --- many records ----------------------------------------------------------------------------------------


class _SlowLoop(ManualLoop):
    """A loop on which everything takes a whole turn's time."""

    def time(self) -> float:
        """See `Loop`."""
        self.now += TURN_S
        return self.now


def test_many_records_are_decrypted_in_slices_so_that_others_have_their_turns() -> None:
    world = World()
    alice = TlsWire(world, loop=_SlowLoop())
    alice.shake_hands()
    alice.say(b"alice\n")
    assert alice.heard() == ["LIST: alice"]
    text = b"MSG: alice: " + b"x" * SLICE_RECORDS * 3 + b"\n"
    alice.input.receive(alice.encrypted(*(bytes([byte]) for byte in text), b"MSG: alice: after\n"))
    turns = 0
    while not world.hub.statistics.messages:
        assert alice.transport.paused
        assert alice.loop.soon
        alice.loop.turn()
        turns += 1
    assert turns == len(text) // SLICE_RECORDS
    assert alice.heard() == [text.decode().strip(), "MSG: alice: after"]
    assert not alice.transport.paused


def test_goodbye_behind_many_records_ends_the_session_after_all_of_them() -> None:
    world = World()
    alice = registered(world, "alice")
    text = b"MSG: alice: " + b"x" * SLICE_RECORDS * 3 + b"\n"
    alice.feed(alice.encrypted(*(bytes([byte]) for byte in text)) + alice.goodbye())
    assert alice.heard() == [text.decode().strip()]
    assert world.log.named("session_closed")[0]["reason"] == Reason.LEFT
    assert alice.transport.closed


def test_connection_that_is_lost_amid_many_records_takes_no_more_turns() -> None:
    world = World()
    alice = registered(world, "alice")
    alice.input.receive(alice.encrypted(*(b"x" for _ in range(SLICE_RECORDS * 3))))
    alice.lost()
    assert world.log.named("session_closed")[0]["reason"] == Reason.CONNECTION_LOST


def test_handshakes_of_one_turn_take_no_more_than_its_time() -> None:
    loop, world = _SlowLoop(), World()
    turns = ParserTurns(loop)
    hello = alice_hello()
    transports = []
    for _ in range(3):
        wire = Wire(world)
        taken = first_taker(ProtocolSniffer(wire.connection, wire.transport, no_http), hello, CONTEXT, turns)
        assert taken is not None
        taken[0].receive(taken[1])
        transports.append(wire.transport)
    answered = [[bool(transport.written) for transport in transports]]
    while loop.soon:
        loop.turn()
        answered.append([bool(transport.written) for transport in transports])
    assert answered[:3] == [[True, False, False], [True, True, False], [True, True, True]]
    assert [transport.paused for transport in transports] == [False] * 3


# --- ends ------------------------------------------------------------------------------------------------


def test_goodbye_of_the_peer_is_an_end_in_order_and_is_answered(version: ssl.TLSVersion) -> None:
    world = World()
    alice = registered(world, "alice", version)
    alice.feed(alice.encrypted(b"MSG: alice: last\n") + alice.goodbye())
    assert alice.heard() == ["MSG: alice: last"]
    assert alice.was_told_goodbye()
    assert alice.transport.closed
    alice.eof()
    alice.lost()
    assert [event["reason"] for event in world.log.named("session_closed")] == [Reason.LEFT]
    assert not alice.transport.aborted


@pytest.mark.parametrize("more", [(), (line(Send("alice", "a note", "c1")),)], ids=["nothing", "a message"])
def test_goodbye_behind_a_hello_waits_until_it_is_known_whose_it_is(
    version: ssl.TLSVersion, more: tuple[bytes, ...]
) -> None:
    identities = SlowIdentities()
    world = World(identities=identities)
    wire = TlsWire(world, version)
    wire.shake_hands()
    wire.feed(wire.encrypted(line(Hello(user="alice", agent="test")), *more) + wire.goodbye())
    assert not wire.transport.closed
    identities.due.pop()(True)
    assert [told.partition(":")[0] for told in wire.heard()] == ["WELCOME", "SYNCED", *("ACK" for _ in more)]
    assert wire.transport.closed
    assert [event["reason"] for event in world.log.named("session_closed")] == [Reason.LEFT]


def test_end_without_a_goodbye_is_a_lost_connection(version: ssl.TLSVersion) -> None:
    """Anybody on the way may have cut it."""
    world = World()
    alice = registered(world, "alice", version)
    alice.eof()
    assert alice.transport.aborted
    alice.lost()
    assert world.log.named("session_closed")[0]["reason"] == Reason.CONNECTION_LOST


def test_end_by_the_server_says_goodbye_after_the_last_words(version: ssl.TLSVersion) -> None:
    world = World()
    alice = registered(world, "alice", version)
    world.hub.kick("alice", "too loud")
    assert any("too loud" in line for line in alice.heard())
    assert alice.was_told_goodbye()
    assert alice.transport.closed
    alice.say(b"MSG: alice: still here\n")
    alice.eof()
    assert not alice.transport.aborted
    assert alice.heard() == []


def test_nothing_is_said_in_the_clear_when_the_time_for_registering_is_up() -> None:
    world = World(Limits(registration_s=30.0))
    alice = TlsWire(world)
    alice.feed(b"\x16\x03\x01")
    alice.wire.advance(31.0)
    assert alice.transport.written == b""
    assert alice.transport.closed
    assert world.log.named("never_registered")[0]["reason"] == Reason.NOT_REGISTERED


def test_handshake_takes_no_time_of_its_own_for_registering() -> None:
    world = World(Limits(registration_s=30.0))
    alice = TlsWire(world)
    alice.wire.advance(29.0)
    alice.shake_hands()
    alice.wire.advance(2.0)
    assert "No user name came" in alice.heard()[0]
    assert world.log.named("never_registered")[0]["reason"] == Reason.NOT_REGISTERED


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"\x16" * 200, id="letters"),
        pytest.param(b"\x16\x03\x01\xff\xff" + b"x" * 100, id="record too long"),
        pytest.param(b"\x16\x03\x01\x00\x05hello", id="no hello"),
        pytest.param(b"\x16\x03\x01\x00\x04\x01\xff\xff\xff", id="hello too long"),
        pytest.param(b"\x16\x02\x00\x00\x04\x01\x00\x00\x00", id="version of SSL"),
    ],
)
def test_garbage_instead_of_a_hello_ends_the_connection_with_a_reason(garbage: bytes) -> None:
    world = World()
    alice = TlsWire(world)
    alice.feed(garbage)
    assert alice.transport.closed
    assert [event["reason"] for event in world.log.named("never_registered")] == [Reason.TLS_FAILED]
    assert records(bytes(alice.transport.written)) in ([ALERT], [])  # none to what is no TLS at all
    alice.feed(garbage)
    alice.eof()
    alice.lost()
    assert len(world.log.named("never_registered")) == 1


def test_older_version_of_tls_is_told_so_and_refused() -> None:
    world = World()
    alice = TlsWire(world)
    hello = bytearray(alice_hello())
    # Without the extension that offers TLS 1.3, what counts is the version within the hello: here 1.1.
    hello[9:11] = b"\x03\x02"
    alice.feed(bytes(hello))
    assert world.log.named("never_registered")[0]["reason"] == Reason.TLS_FAILED
    assert alice.transport.written[-2:] == bytes([2, 70])  # fatal, protocol_version
    assert alice.transport.closed


def alice_hello() -> bytes:
    """A hello of TLS 1.2."""
    alice = TlsWire(World(), ssl.TLSVersion.TLSv1_2)
    with pytest.raises(ssl.SSLWantReadError):
        alice.tls.do_handshake()
    return alice.encrypted()


def test_altered_byte_ends_the_session_after_what_was_whole(version: ssl.TLSVersion) -> None:
    world = World()
    alice = registered(world, "alice", version)
    whole = alice.encrypted(b"MSG: alice: whole\n")
    altered = bytearray(alice.encrypted(b"MSG: alice: altered\n"))
    altered[-1] ^= 1
    alice.feed(whole + altered)
    assert alice.transport.closed
    assert world.log.named("session_closed")[0]["reason"] == Reason.TLS_FAILED
    assert world.hub.statistics.messages == 1


def test_line_in_the_clear_amid_the_encryption_ends_the_session(version: ssl.TLSVersion) -> None:
    world = World()
    alice = registered(world, "alice", version)
    alice.feed(b"MSG: alice: in the clear\n")
    assert alice.transport.closed
    assert world.log.named("session_closed")[0]["reason"] == Reason.TLS_FAILED
    assert world.hub.statistics.messages == 0


@settings(max_examples=100, deadline=None)
@given(noise=st.binary(max_size=400), place=st.integers(min_value=0, max_value=600))
def test_no_noise_anywhere_raises(noise: bytes, place: int) -> None:
    world = World()
    alice = TlsWire(world, ssl.TLSVersion.TLSv1_2)
    with pytest.raises(ssl.SSLWantReadError):
        alice.tls.do_handshake()
    hello = alice.encrypted()
    alice.feed(hello[: place + 1] + noise + hello[place + 1 :], size=97)
    alice.eof()
    alice.lost()
    assert len(world.log.named("never_registered")) == 1
