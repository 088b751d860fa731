"""Coming, coming back, and leaving: names, tokens, and what the log hears."""

from __future__ import annotations

import pytest

from tests.unit.hub.fakes import World
from twocans.hub.limits import Limits
from twocans.hub.owners import TOKEN_BYTES
from twocans.hub.session import Reason
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.typed import Typed, TypedKind


def _refusal(world: World, name: str, token: str | None = None) -> ProtocolError:
    with pytest.raises(ProtocolError) as refusal:
        world.json(name, token=token)
    return refusal.value


def test_welcome_tells_what_a_client_has_to_know() -> None:
    world = World(Limits(rate_per_s=7.0, burst_s=2.0, max_line_bytes=5000, max_text_bytes=900))
    world.plain("bob")
    welcome = world.json("Alice").welcome()
    assert (welcome.user, welcome.server, welcome.log, welcome.last) == ("Alice", "den", "log-1", 0)
    assert welcome.users == ["bob", "Alice"]
    limits = welcome.limits
    assert (limits.line_bytes, limits.text_bytes, limits.rate, limits.burst) == (5000, 900, 7.0, 14.0)


def test_token_has_256_bits_and_is_different_for_everybody() -> None:
    world = World()
    tokens = {world.json(f"p{number}").welcome().token for number in range(20)}
    assert len(tokens) == 20
    assert {len(bytes.fromhex(token)) for token in tokens} == {TOKEN_BYTES} == {32}


def test_name_in_use_is_refused_without_its_token() -> None:
    world = World()
    world.json("alice")
    for token in (None, "", "0" * 64):
        assert _refusal(world, "ALICE", token).code is Code.NAME_TAKEN


def test_name_in_use_is_let_in_by_its_token_which_stays_the_same() -> None:
    world = World()
    token = world.json("alice").welcome().token
    assert world.json("alice", token=token).welcome().token == token


def test_token_outlives_the_sessions() -> None:
    world = World()
    first = world.json("alice")
    token = first.welcome().token
    world.hub.leave(first, Reason.CONNECTION_LOST)
    assert world.json("alice", token=token).welcome().token == token


def test_whoever_takes_a_free_name_shuts_out_the_tokens_of_before() -> None:
    world = World()
    first = world.json("alice")
    old = first.welcome().token
    world.hub.leave(first, Reason.LEFT)
    second = world.json("alice")
    assert second.welcome().token != old
    assert _refusal(world, "alice", old).code is Code.NAME_TAKEN


def test_plain_client_shuts_out_the_tokens_of_before_too() -> None:
    world = World()
    first = world.json("alice")
    old = first.welcome().token
    world.hub.leave(first, Reason.LEFT)
    world.plain("alice")
    assert _refusal(world, "alice", old).code is Code.NAME_TAKEN


def test_kicked_user_cannot_slip_in_beside_whoever_takes_the_name_next() -> None:
    world = World()
    old = world.json("alice").welcome().token
    world.hub.kick("alice", "")
    world.json("alice")
    assert _refusal(world, "alice", old).code is Code.NAME_TAKEN


def test_token_of_one_name_opens_no_other() -> None:
    world = World()
    token = world.json("alice").welcome().token
    world.json("bob")
    assert _refusal(world, "bob", token).code is Code.NAME_TAKEN


def test_plain_client_cannot_share_a_name() -> None:
    world = World()
    world.json("alice")
    with pytest.raises(ProtocolError) as refusal:
        world.plain("alice")
    assert refusal.value.code is Code.NAME_TAKEN
    assert "alice" in refusal.value.text


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Server", Code.NAME_RESERVED),
        ("sеrvеr", Code.NAME_RESERVED),
        ("", Code.NAME_INVALID),
        ("two words", Code.NAME_INVALID),
        ("x" * 33, Code.NAME_INVALID),
        ("-dash", Code.NAME_INVALID),
    ],
)
def test_refused_name_leaves_no_trace(name: str, code: Code) -> None:
    world = World()
    assert _refusal(world, name).code is code
    assert world.account_names() == []
    assert world.hub.roster.session_count == 0


# --- what the log hears ----------------------------------------------------------------------------------


def test_log_hears_of_registering_joining_and_leaving() -> None:
    world = World()
    alice = world.json("alice")
    world.hub.leave(alice, Reason.TIMED_OUT)
    assert world.log.events == [
        (
            "user_registered",
            {"user": "alice", "address": alice.address, "dialect": "json", "encrypted": False},
        ),
        ("user_joined", {"user": "alice", "address": alice.address, "online": 1}),
        (
            "session_closed",
            {"user": "alice", "address": alice.address, "reason": "timed_out", "gone": True},
        ),
        (
            "user_left",
            {"user": "alice", "address": alice.address, "reason": "timed_out", "online": 0},
        ),
    ]


def test_log_hears_of_a_session_that_ends_while_its_user_stays() -> None:
    world = World()
    first = world.json("alice")
    world.json("alice", token=first.welcome().token)
    world.hub.leave(first, Reason.LEFT)
    assert [fields["gone"] for fields in world.log.named("session_closed")] == [False]
    assert world.log.named("user_left") == []
    assert len(world.log.named("user_joined")) == 1


def test_log_hears_of_a_connection_that_never_registered() -> None:
    world = World()
    session = world.session()
    world.hub.leave(session, Reason.NOT_REGISTERED)
    assert world.log.events == [
        ("never_registered", {"address": session.address, "reason": "not_registered"})
    ]


def test_log_hears_of_a_refused_name_by_its_length_and_kind() -> None:
    world = World()
    session = world.session()
    world.hub.refused(
        session, "x" * 60_000, Typed(TypedKind.OTHER, 60_000), ProtocolError(Code.NAME_INVALID, "Too long.")
    )
    (fields,) = world.log.named("name_refused")
    assert fields == {
        "name": "",
        "kind": "other",
        "length": 60_000,
        "code": "name_invalid",
        "text": "Too long.",
        "address": session.address,
    }
    assert world.hub.statistics.refusals == 1


def test_log_never_hears_a_token_or_the_text_of_a_message() -> None:
    world = World()
    alice = world.json("alice")
    world.json("bob")
    world.post(alice, "bob", "the secret text", "c1")
    world.hub.posting.announce("another secret")
    world.hub.leave(alice, Reason.LEFT)
    heard = repr(world.log.events)
    assert "secret" not in heard
    assert alice.welcome().token not in heard


def test_token_itself_is_kept_nowhere() -> None:
    world = World()
    token = world.json("alice").welcome().token
    (account,) = world.hub.roster.known.values()
    assert all(token.encode() not in kept and bytes.fromhex(token) != kept for kept in account.tokens)
