"""Whose a name is: bound by the first encrypted registration, reached by a token, a code or the password."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from tests.unit.hub.fakes import FakeSession, SlowIdentities, World
from twocans.hub.codes import CODE_S, MAX_CODE_TRIES
from twocans.hub.guesses import TRIES_IF_ATTACKED
from twocans.hub.limits import Limits
from twocans.hub.owners import MAX_DEVICES, is_token
from twocans.hub.session import Reason
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.messages import (
    CodeQuery,
    DeviceCode,
    Devices,
    DevicesQuery,
    Error,
    Revoke,
    SetPassword,
    SignOut,
)
from twocans.storage.identities import BanKind

PASSWORD = "correct horse"
OWN = "ab" * 32


def refusal(register: Callable[[], FakeSession]) -> ProtocolError:
    """Why a registration is refused, at once or later."""
    try:
        session = register()
    except ProtocolError as error:
        return error
    assert session.account is None
    (later,) = session.refusals
    return later


def bound(world: World, name: str = "alice") -> FakeSession:
    """The session of a name that is bound by it."""
    return world.program(name)


def code_of(world: World, session: FakeSession) -> str:
    """A code that a session shows."""
    world.hub.owners.give_code(session, CodeQuery(rid=1))
    return session.of(DeviceCode)[-1].code


def devices_of(world: World, session: FakeSession) -> Devices:
    """The devices as a session is told them."""
    world.hub.owners.show(session, DevicesQuery(rid=1))
    return session.of(Devices)[-1]


def with_password(world: World, password: str = PASSWORD) -> FakeSession:
    """A bound name that has a password."""
    session = bound(world)
    world.hub.owners.set_password(session, SetPassword(rid=1, password=password))
    return session


# --- binding ----------------------------------------------------------------------------------------------


def test_first_encrypted_registration_binds_the_name_and_gives_a_lasting_token() -> None:
    world = World()
    first = bound(world)
    token = first.welcome().token
    assert is_token(token)
    assert first.welcome().device is not None
    world.hub.leave(first, Reason.LEFT)
    assert world.program("ALICE", token).welcome().token == token


def test_token_that_the_client_has_made_itself_is_the_one_that_counts() -> None:
    world = World()
    assert world.program("alice", OWN).welcome().token == OWN
    assert world.program("alice", OWN).account is not None


@pytest.mark.parametrize("weak", ["1", "a" * 63, "g" * 64, "ab " * 21 + "a"])
def test_weak_token_of_a_client_is_not_taken(weak: str) -> None:
    world = World()
    assert is_token(world.program("alice", weak).welcome().token)


def test_registration_that_is_not_encrypted_binds_nothing() -> None:
    world = World()
    session = world.json("alice")
    assert session.welcome().device is None
    world.hub.leave(session, Reason.LEFT)
    assert world.plain("alice").account is not None


def test_encrypted_plain_client_binds_nothing() -> None:
    world = World()
    world.hub.leave(world.netcat("alice"), Reason.LEFT)
    assert world.netcat("alice", encrypted=False).account is not None


@pytest.mark.parametrize("online", [True, False])
@pytest.mark.parametrize("token", [None, OWN, "0" * 64])
def test_bound_name_is_reached_without_its_token_by_nobody_online_or_not(
    token: str | None, *, online: bool
) -> None:
    world = World()
    owner = bound(world)
    if not online:
        world.hub.leave(owner, Reason.LEFT)
    error = refusal(lambda: world.program("alice", token))
    assert (error.code, error.needs) == (Code.NAME_TAKEN, "secret")


def test_bound_name_is_not_reached_in_the_clear_even_with_its_token() -> None:
    world = World()
    owner = bound(world)
    token = owner.welcome().token
    world.hub.leave(owner, Reason.LEFT)
    for register in (
        lambda: world.json("alice", token=token),
        lambda: world.plain("alice"),
        lambda: world.netcat("alice", encrypted=False),
    ):
        error = refusal(register)
        assert (error.code, error.needs) == (Code.NAME_TAKEN, "tls")


def test_token_of_another_name_is_worth_nothing() -> None:
    world = World()
    bound(world)
    other = bound(world, "bob").welcome().token
    assert refusal(lambda: world.program("alice", other)).code is Code.NAME_TAKEN


def test_name_in_use_is_not_bound_by_somebody_else() -> None:
    world = World()
    world.plain("alice")
    assert refusal(lambda: world.program("alice", OWN)).code is Code.NAME_TAKEN


def test_of_two_who_bind_a_name_at_once_the_first_gets_it() -> None:
    world = World(identities=SlowIdentities())
    first, second = world.program("alice"), lambda: world.program("alice")
    assert first.account is None
    assert first.asking
    assert refusal(second).code is Code.NAME_TAKEN


def test_nobody_is_welcomed_before_the_name_is_kept() -> None:
    identities = SlowIdentities()
    world = World(identities=identities)
    session = world.program("alice")
    assert not session.told
    identities.due.pop()(True)
    assert session.welcome().user == "alice"
    assert not session.asking


def test_name_that_could_not_be_kept_is_refused_and_stays_free() -> None:
    identities = SlowIdentities()
    world = World(identities=identities)
    session = world.program("alice")
    identities.due.pop()(False)
    assert [error.code for error in session.refusals] == [Code.INTERNAL]
    assert world.plain("alice").account is not None


def test_whoever_leaves_before_the_name_is_kept_is_not_online_then() -> None:
    identities = SlowIdentities()
    world = World(identities=identities)
    session = world.program("alice", OWN)
    world.hub.leave(session, Reason.CONNECTION_LOST)
    identities.due.pop()(True)
    assert session.account is None
    assert len(world.hub.roster) == 0
    assert world.program("alice", OWN).account is not None


def test_bound_name_is_not_forgotten_for_newcomers() -> None:
    world = World(Limits(max_accounts=1))
    world.hub.leave(bound(world), Reason.LEFT)
    assert refusal(lambda: world.program("bob")).code is Code.SERVER_FULL


# --- further devices --------------------------------------------------------------------------------------


def test_code_lets_one_more_device_in_which_gets_a_token_of_its_own() -> None:
    world = World()
    first = bound(world)
    second = world.program("alice", secret=code_of(world, first), device="phone")
    assert second.welcome().token != first.welcome().token
    devices = devices_of(world, first).devices
    assert [(device.name, device.online, device.this) for device in devices] == [
        ("laptop", True, True),
        ("phone", True, False),
    ]
    assert world.program("alice", second.welcome().token).account is first.account


def test_code_may_be_typed_in_small_letters_and_with_spaces() -> None:
    world = World()
    code = code_of(world, bound(world))
    assert world.program("alice", secret=f" {code.lower().replace('-', ' ')} ").account is not None


def test_code_works_once() -> None:
    world = World()
    code = code_of(world, bound(world))
    world.program("alice", secret=code)
    assert refusal(lambda: world.program("alice", secret=code)).code is Code.AUTH_FAILED


def test_code_ends_after_its_time() -> None:
    world = World()
    code = code_of(world, bound(world))
    world.clock.now += CODE_S
    assert refusal(lambda: world.program("alice", secret=code)).code is Code.AUTH_FAILED


def test_code_of_another_name_is_worth_nothing() -> None:
    world = World()
    bound(world)
    code = code_of(world, bound(world, "bob"))
    assert refusal(lambda: world.program("alice", secret=code)).code is Code.AUTH_FAILED


def test_new_code_makes_the_one_before_worthless() -> None:
    world = World()
    owner = bound(world)
    old, _ = code_of(world, owner), code_of(world, owner)
    assert refusal(lambda: world.program("alice", secret=old)).code is Code.AUTH_FAILED


def test_wrong_tries_make_a_code_worthless_for_their_address_and_for_no_other() -> None:
    world = World()
    code = code_of(world, bound(world))
    for host in range(3):
        for _ in range(MAX_CODE_TRIES):
            error = refusal(partial(world.program, "alice", secret="WRONG", address=f"10.0.0.{host}:1"))
            assert error.code is Code.AUTH_FAILED
    error = refusal(lambda: world.program("alice", secret=code, address="10.0.0.1:2"))
    assert error.code is Code.AUTH_FAILED
    assert world.program("alice", secret=code, address="10.0.0.9:1").account is not None


def test_code_that_very_many_addresses_have_guessed_at_is_worthless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twocans.hub.codes.MAX_CODE_GUESSES", 12)
    world = World()
    code = code_of(world, bound(world))
    for number in range(12):
        refusal(partial(world.program, "alice", secret="WRONG", address=f"10.0.0.{number}:1"))
    error = refusal(lambda: world.program("alice", secret=code, address="10.0.1.1:1"))
    assert error.code is Code.AUTH_FAILED


@pytest.mark.parametrize("by_operator", [True, False])
def test_fresh_code_lets_in_where_too_many_wrong_tries_came_from(*, by_operator: bool) -> None:
    world = World(Limits(failed_logins_per_address=3))
    owner = with_password(world)
    for number in range(40):
        refusal(partial(world.program, "alice", secret="wrong", address=f"10.0.0.{number // 3}:1"))
    account = owner.account
    assert account is not None
    assert (
        refusal(lambda: world.program("alice", secret=PASSWORD, address="10.0.0.0:1")).code
        is Code.RATE_LIMITED
    )
    code = world.hub.owners.new_code(account) if by_operator else code_of(world, owner)
    assert world.program("alice", secret=code, address="10.0.0.0:1").account is not None


def test_code_of_a_device_that_is_banned_lets_nobody_in() -> None:
    world = World()
    first = bound(world)
    second = world.program("alice", secret=code_of(world, first))
    code = code_of(world, second)
    assert second.device is not None
    world.hub.ban(BanKind.KEY, second.device.token.hex(), "", lambda _: None)
    assert refusal(lambda: world.program("alice", secret=code)).code is Code.AUTH_FAILED
    code = code_of(world, first)
    assert world.program("alice", secret=code).account is not None


def test_plain_client_cannot_use_a_code() -> None:
    world = World()
    code = code_of(world, bound(world))
    assert refusal(lambda: world.netcat("alice", code)).code is Code.AUTH_FAILED
    assert world.program("alice", secret=code).account is not None


def test_device_that_is_cut_off_is_told_and_its_token_is_worth_nothing() -> None:
    world = World()
    first = bound(world)
    second = world.program("alice", secret=code_of(world, first))
    token = second.welcome().token
    device = second.welcome().device
    assert device is not None
    code = code_of(world, second)
    world.hub.owners.revoke(first, Revoke(device=device, rid=2))
    assert [reason for reason, _ in second.ended] == [Reason.REVOKED]
    assert [one.this for one in first.of(Devices)[-1].devices] == [True]
    told = refusal(lambda: world.program("alice", token))
    assert (told.code, told.needs) == (Code.REVOKED, "secret")
    assert refusal(lambda: world.program("alice", token, secret=code)).code is Code.AUTH_FAILED


def test_token_that_was_cut_off_is_never_good_again() -> None:
    world = World()
    first = bound(world)
    second = world.program("alice", secret=code_of(world, first))
    token, device = second.welcome().token, second.welcome().device
    assert device is not None
    world.hub.owners.revoke(first, Revoke(device=device, rid=2))
    back = world.program("alice", token, secret=code_of(world, first))
    assert back.welcome().token != token
    assert refusal(lambda: world.program("alice", token)).code is Code.REVOKED
    assert world.program("alice", back.welcome().token).account is not None


def test_device_that_signs_out_is_answered_and_all_its_sessions_end() -> None:
    world = World()
    first = with_password(world)
    second = world.program("alice", secret=code_of(world, first))
    token = second.welcome().token
    beside = world.program("alice", token)
    code = code_of(world, first)
    world.hub.owners.sign_out(second, SignOut(rid=5))
    answer = second.of(Devices)[-1]
    assert (answer.rid, len(answer.devices), answer.password) == (5, 1, True)
    assert [[reason for reason, _ in one.ended] for one in (first, second, beside)] == [
        [],
        [Reason.SIGNED_OUT],
        [Reason.SIGNED_OUT],
    ]
    assert refusal(lambda: world.program("alice", token)).code is Code.REVOKED
    assert world.program("alice", secret=code).account is not None
    assert world.program("alice", secret=PASSWORD).account is not None


def test_only_device_signs_out_if_there_is_a_password() -> None:
    world = World()
    only = bound(world)
    with pytest.raises(ProtocolError) as error:
        world.hub.owners.sign_out(only, SignOut(rid=5))
    assert (error.value.code, error.value.rid) == (Code.LAST_DEVICE, 5)
    assert not only.ended
    world.hub.owners.set_password(only, SetPassword(rid=6, password=PASSWORD))
    world.hub.owners.sign_out(only, SignOut(rid=7))
    assert [reason for reason, _ in only.ended] == [Reason.SIGNED_OUT]
    assert refusal(lambda: world.program("alice")).code is Code.NAME_TAKEN
    assert world.program("alice", secret=PASSWORD).account is not None


def test_device_whose_signing_out_is_not_kept_stays() -> None:
    identities = SlowIdentities()
    world = World(identities=identities)
    first = world.program("alice")
    identities.due.pop()(True)
    world.hub.owners.set_password(first, SetPassword(rid=6, password=PASSWORD))
    world.hub.owners.sign_out(first, SignOut(rid=7))
    with pytest.raises(ProtocolError) as error:
        world.hub.owners.sign_out(first, SignOut(rid=8))
    assert error.value.rid == 8
    identities.due.pop()(False)
    assert [(error.code, error.rid) for error in first.of(Error)] == [(Code.INTERNAL, 7)]
    assert not first.ended
    assert len(devices_of(world, first).devices) == 1


def test_device_cannot_cut_itself_off_nor_one_of_somebody_else() -> None:
    world = World()
    alice, bob = bound(world), bound(world, "bob")
    for device in (alice.welcome().device, bob.welcome().device, 7):
        assert device is not None
        with pytest.raises(ProtocolError) as error:
            world.hub.owners.revoke(alice, Revoke(device=device, rid=3))
        assert (error.value.code, error.value.rid) == (Code.BAD_REQUEST, 3)
    assert not bob.ended


def test_number_of_devices_is_bounded() -> None:
    world = World()
    owner = bound(world)
    for _ in range(MAX_DEVICES - 2):
        world.program("alice", secret=code_of(world, owner))
    last = code_of(world, owner)
    world.program("alice", secret=last)
    with pytest.raises(ProtocolError) as error:
        code_of(world, owner)
    assert error.value.code is Code.RATE_LIMITED


@pytest.mark.parametrize("session", ["json", "plain"])
def test_devices_are_the_business_of_devices_only(session: str) -> None:
    world = World()
    asking = world.json("alice") if session == "json" else world.netcat("alice")
    asks: tuple[Callable[[], None], ...] = (
        lambda: world.hub.owners.show(asking, DevicesQuery(rid=1)),
        lambda: world.hub.owners.give_code(asking, CodeQuery(rid=1)),
        lambda: world.hub.owners.revoke(asking, Revoke(device=1, rid=1)),
        lambda: world.hub.owners.set_password(asking, SetPassword(rid=1, password=PASSWORD)),
        lambda: world.hub.owners.sign_out(asking, SignOut(rid=1)),
    )
    for ask in asks:
        with pytest.raises(ProtocolError) as error:
            ask()
        assert (error.value.code, error.value.rid) == (Code.AUTH_REQUIRED, 1)


def test_name_of_a_device_holds_nothing_that_cannot_be_seen() -> None:
    world = World()
    session = world.program("alice", device="la\x1b]0;p\u202etop\n")
    assert devices_of(world, session).devices[0].name == "la]0;ptop"


# --- passwords --------------------------------------------------------------------------------------------


def test_password_lets_a_device_in_which_gets_a_token_of_its_own() -> None:
    world = World()
    owner = with_password(world)
    assert owner.of(Devices)[-1].password
    session = world.program("alice", secret=PASSWORD)
    assert session.welcome().token != owner.welcome().token
    assert len(devices_of(world, owner).devices) == 2


def test_password_lets_an_encrypted_plain_client_in_which_becomes_no_device() -> None:
    world = World()
    owner = with_password(world)
    assert world.netcat("alice", PASSWORD).account is owner.account
    assert len(devices_of(world, owner).devices) == 1


@pytest.mark.parametrize("wrong", ["correct horsE", "", " ", "\x00", "correct  horse"])
def test_wrong_password_lets_nobody_in(wrong: str) -> None:
    world = World()
    with_password(world)
    assert refusal(lambda: world.program("alice", secret=wrong)).code is Code.AUTH_FAILED
    assert refusal(lambda: world.netcat("alice", wrong)).code is Code.AUTH_FAILED


def test_password_is_the_same_however_its_letters_are_composed() -> None:
    world = World()
    with_password(world, "Zoe\u0308 hat Katzen")
    assert world.program("alice", secret="Zo\u00eb hat Katzen").account is not None


def test_password_that_was_taken_away_lets_nobody_in() -> None:
    world = World()
    owner = with_password(world)
    world.hub.owners.set_password(owner, SetPassword(rid=2))
    assert not owner.of(Devices)[-1].password
    assert refusal(lambda: world.program("alice", secret=PASSWORD)).code is Code.AUTH_FAILED


@pytest.mark.parametrize("password", ["", "1234567", "\x1b" * 9])
def test_password_that_is_too_short_or_none_is_refused(password: str) -> None:
    world = World()
    owner = bound(world)
    with pytest.raises(ProtocolError) as error:
        world.hub.owners.set_password(owner, SetPassword(rid=4, password=password))
    assert (error.value.code, error.value.rid) == (Code.BAD_REQUEST, 4)


def test_name_without_a_password_has_none_that_fits() -> None:
    world = World()
    bound(world)
    assert refusal(lambda: world.netcat("alice", PASSWORD)).code is Code.AUTH_FAILED
    error = refusal(lambda: world.netcat("bob", PASSWORD))
    assert error.code is Code.AUTH_FAILED


def test_session_waits_while_its_password_is_checked_and_may_leave_meanwhile() -> None:
    world = World()
    with_password(world)
    world.passwords.waits = True
    staying, leaving = world.program("alice", secret=PASSWORD), world.netcat("alice", PASSWORD)
    assert staying.asking
    world.hub.leave(leaving, Reason.CONNECTION_LOST)
    world.passwords.answer_all()
    assert staying.account is not None
    assert leaving.account is None


def test_guessing_is_stopped_for_the_address_and_not_for_others_or_for_whoever_has_a_token() -> None:
    world = World(Limits(failed_logins_per_address=3))
    token = with_password(world).welcome().token
    for _ in range(3):
        assert refusal(lambda: world.program("alice", secret="wrong")).code is Code.AUTH_FAILED
    assert refusal(lambda: world.program("alice", secret=PASSWORD)).code is Code.RATE_LIMITED
    assert refusal(lambda: world.netcat("alice", PASSWORD)).code is Code.RATE_LIMITED
    assert world.program("alice", token).account is not None
    assert world.program("alice", secret=PASSWORD, address="10.0.0.9:1").account is not None
    world.clock.now += Limits().failed_logins_window_s
    assert world.program("alice", secret=PASSWORD).account is not None


def test_guesses_that_are_under_way_count() -> None:
    world = World(Limits(failed_logins_per_address=3))
    with_password(world)
    world.passwords.waits = True
    for _ in range(3):
        world.program("alice", secret="wrong")
    assert refusal(lambda: world.program("alice", secret=PASSWORD)).code is Code.RATE_LIMITED


def test_name_that_many_addresses_guess_at_leaves_each_address_few_tries_and_some_to_its_owner() -> None:
    world = World(Limits(failed_logins_per_address=5))
    token = with_password(world).welcome().token
    for number in range(50):
        refusal(partial(world.program, "alice", secret="wrong", address=f"10.0.1.{number // 5}:1"))
    for _ in range(TRIES_IF_ATTACKED):
        error = refusal(lambda: world.program("alice", secret="wrong", address="10.0.2.1:1"))
        assert error.code is Code.AUTH_FAILED
    error = refusal(lambda: world.program("alice", secret=PASSWORD, address="10.0.2.1:1"))
    assert error.code is Code.RATE_LIMITED
    for _ in range(TRIES_IF_ATTACKED + 1):
        assert world.program("alice", secret=PASSWORD, address="10.0.2.2:1").account is not None
    assert (
        refusal(lambda: world.program("alice", secret="wrong", address="10.0.2.3:1")).code is Code.AUTH_FAILED
    )
    assert world.netcat("alice", PASSWORD, address="10.0.2.3:1").account is not None
    assert world.program("alice", token).account is not None


def test_server_that_has_too_many_passwords_to_check_says_so_and_counts_no_failure() -> None:
    world = World(Limits(failed_logins_per_address=1))
    with_password(world)
    world.passwords.busy = True
    assert refusal(lambda: world.program("alice", secret=PASSWORD)).code is Code.RATE_LIMITED
    world.passwords.busy = False
    assert world.program("alice", secret=PASSWORD).account is not None


# --- the operator -----------------------------------------------------------------------------------------


def test_name_that_was_freed_is_anybodys_and_its_sessions_end() -> None:
    world = World()
    owner = with_password(world)
    account = owner.account
    assert account is not None
    world.hub.owners.free(account, lambda _: None)
    assert [reason for reason, _ in owner.ended] == [Reason.REVOKED]
    assert world.program("alice", OWN).welcome().token == OWN
    assert refusal(lambda: world.program("alice", owner.welcome().token)).code is Code.NAME_TAKEN


# --- invites ----------------------------------------------------------------------------------------------


def test_newcomer_is_asked_for_the_invite_once() -> None:
    world = World(invite="tin-can")
    error = refusal(lambda: world.program("alice"))
    assert (error.code, error.needs) == (Code.AUTH_REQUIRED, "invite")
    session = world.program("alice", invite=" tin-can ")
    assert world.program("alice", session.welcome().token).account is not None


def test_wrong_invites_are_refused_and_counted() -> None:
    world = World(Limits(failed_logins_per_address=2), invite="tin-can")
    for _ in range(2):
        assert refusal(lambda: world.program("alice", invite="tin")).code is Code.AUTH_FAILED
    assert refusal(lambda: world.program("alice", invite="tin-can")).code is Code.RATE_LIMITED


def test_invite_is_not_taken_in_the_clear() -> None:
    world = World(invite="tin-can")
    for register in (lambda: world.json("alice"), lambda: world.plain("alice")):
        error = refusal(register)
        assert (error.code, error.needs) == (Code.AUTH_REQUIRED, "tls")
    assert world.netcat("alice", "tin-can").account is not None
    assert refusal(lambda: world.netcat("bob", "tin")).code is Code.AUTH_FAILED


def test_further_device_needs_no_invite() -> None:
    world = World(invite="tin-can")
    first = world.program("alice", invite="tin-can")
    assert world.program("alice", secret=code_of(world, first)).account is not None


# --- many names -------------------------------------------------------------------------------------------


def test_one_address_takes_so_many_new_names_in_an_hour() -> None:
    world = World(Limits(new_names_per_address=2))
    world.program("a")
    world.plain("b")
    assert refusal(lambda: world.program("c")).code is Code.RATE_LIMITED
    assert world.program("c", address="10.0.0.1:1").account is not None
    world.clock.now += 3600
    assert world.program("d").account is not None


def test_many_addresses_do_not_take_the_last_names() -> None:
    """Bound names are kept for good, so a few hundred addresses could shut newcomers out for ever."""
    world = World(Limits(max_accounts=100, new_names_per_address=50))
    for number in range(90):
        world.program(f"attacker{number}", address=f"10.0.0.{number % 2}:1")
    for host in range(4):
        world.program(f"last{host}", address=f"10.0.0.{host}:1")
    for number in range(12):
        another = partial(world.program, f"more{number}", address=f"10.0.0.{number % 4}:1")
        assert refusal(another).code is Code.RATE_LIMITED
    assert world.program("newcomer", address="10.0.1.1:1").account is not None
    world.clock.now += 3600
    assert world.program("later", address="10.0.0.1:1").account is not None


def test_names_that_can_be_forgotten_make_room_for_newcomers_of_one_address() -> None:
    world = World(Limits(max_accounts=20))
    for number in range(30):
        world.hub.leave(world.json(f"visitor{number}"), Reason.LEFT)
    assert len(world.account_names()) <= 20
    assert world.json("newcomer").account is not None
