"""A credential that ends takes along what came in by it; whoever has the name sees every session and how it came in."""

from __future__ import annotations

import pytest

from tests.unit.hub.fakes import FakeSession, SlowIdentities, World
from twocans.hub.owners import CUT_OFF, LOGGED_OUT, NOW_BOUND
from twocans.hub.session import Reason
from twocans.hub.sessions import MAX_LISTED
from twocans.protocol.errors import Code
from twocans.protocol.logins import LoginMethod
from twocans.protocol.messages import (
    CodeQuery,
    DeviceCode,
    Devices,
    DevicesQuery,
    Error,
    LoggedIn,
    Revoke,
    SetPassword,
)
from twocans.protocol.names import UserKey
from twocans.storage.identities import MemoryIdentities, OnKept

PASSWORD = "correct horse"
ELSEWHERE = "192.168.1.7:40000"


def set_password(world: World, session: FakeSession, password: str | None = PASSWORD) -> None:
    world.hub.owners.set_password(session, SetPassword(rid=1, password=password))


def with_code(world: World, owner: FakeSession, device: str = "phone") -> FakeSession:
    """Let one more device in with a code."""
    world.hub.owners.give_code(owner, CodeQuery(rid=1))
    return world.program("alice", secret=owner.of(DeviceCode)[-1].code, device=device)


def revoke(world: World, owner: FakeSession, session: FakeSession) -> None:
    device = session.device
    assert device is not None
    world.hub.owners.revoke(owner, Revoke(device=device.id, rid=2))


def sessions_of(world: World, owner: FakeSession) -> list[LoggedIn]:
    world.hub.owners.show(owner, DevicesQuery(rid=3))
    return owner.of(Devices)[-1].sessions


# --- what ends --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("new", ["another horse", PASSWORD, None])
def test_password_that_changes_or_goes_ends_the_sessions_that_came_in_by_it(new: str | None) -> None:
    world = World()
    owner = world.program("alice")
    set_password(world, owner)
    terminal = world.netcat("alice", PASSWORD)
    phone = world.program("alice", secret=PASSWORD, device="phone")
    set_password(world, owner, new)
    assert terminal.ended == [(Reason.REVOKED, LOGGED_OUT)]
    assert (owner.ended, phone.ended) == ([], [])


class SlowPasswords(MemoryIdentities):
    """Keeps passwords when the test wants it to, or does not."""

    def __init__(self) -> None:
        self.due: list[OnKept] = []

    def set_password(self, user: UserKey, hashed: str | None, on_kept: OnKept) -> None:
        """See `Identities.set_password`."""
        self.due.append(on_kept)


def test_password_that_could_not_be_kept_ends_nothing() -> None:
    identities = SlowPasswords()
    world = World(identities=identities)
    owner = world.program("alice")
    set_password(world, owner)
    identities.due.pop()(True)
    terminal = world.netcat("alice", PASSWORD)
    set_password(world, owner, "another horse")
    identities.due.pop()(False)
    assert terminal.ended == []
    assert world.netcat("alice", PASSWORD).account is not None


def test_device_that_is_cut_off_takes_the_password_and_its_sessions_along() -> None:
    world = World()
    owner = world.program("alice")
    thief = with_code(world, owner)
    set_password(world, thief, "thief horse")
    terminal = world.netcat("alice", "thief horse")
    revoke(world, owner, thief)
    assert thief.ended == [(Reason.REVOKED, CUT_OFF)]
    assert [reason for reason, _ in terminal.ended] == [Reason.REVOKED]
    assert owner.of(Devices)[-1].password is False
    back = world.program("alice", secret="thief horse", address=ELSEWHERE)
    assert back.account is None
    assert [error.code for error in back.refusals] == [Code.AUTH_FAILED]


@pytest.mark.parametrize("kept", [False, True], ids=["while it is hashed", "while it is kept"])
def test_password_that_is_set_by_a_device_while_it_is_cut_off_counts_for_nothing(*, kept: bool) -> None:
    identities = SlowPasswords()
    world = World(identities=identities)
    owner = world.program("alice")
    thief = with_code(world, owner)
    world.passwords.waits = not kept
    set_password(world, thief, "thief horse")
    revoke(world, owner, thief)
    world.passwords.answer_all()
    # What reached the disk before the device was cut off is taken away by that.
    assert len(identities.due) == (1 if kept else 0)
    for on_kept in identities.due:
        on_kept(True)
    world.hub.owners.show(owner, DevicesQuery(rid=3))
    assert owner.of(Devices)[-1].password is False


def test_password_that_changes_while_the_old_one_is_checked_lets_nobody_in() -> None:
    world = World()
    owner = world.program("alice")
    set_password(world, owner)
    world.passwords.waits = True
    late = world.netcat("alice", PASSWORD)
    set_password(world, owner, None)
    world.passwords.answer_all()
    assert late.account is None
    assert [error.code for error in late.refusals] == [Code.AUTH_FAILED]


@pytest.mark.parametrize("free", [True, False], ids=["freed", "cut off"])
def test_device_that_is_gone_before_it_is_kept_is_not_let_in(*, free: bool) -> None:
    identities = SlowIdentities()
    world = World(identities=identities)
    owner = world.program("alice")
    identities.due.pop()(True)
    account = owner.account
    assert account is not None
    assert account.owner is not None
    world.hub.owners.give_code(owner, CodeQuery(rid=1))
    phone = world.program("alice", secret=owner.of(DeviceCode)[-1].code)
    if free:
        world.hub.owners.free(account, lambda _: None)
    else:
        (new,) = [one for one in account.owner.devices.values() if one is not owner.device]
        world.hub.owners.revoke(owner, Revoke(device=new.id, rid=2))
    identities.due.pop(0)(True)
    assert phone.account is None
    assert [error.code for error in phone.refusals] == [Code.AUTH_FAILED]


# --- what a name had before it was bound ------------------------------------------------------------------


def test_name_that_becomes_bound_ends_its_sessions_without_a_credential() -> None:
    world = World()
    clear = world.json("alice")
    token = clear.welcome().token
    again = world.json("alice", token=token)
    changes: list[int] = []
    world.hub.access.on_change(lambda: changes.append(len(clear.ended)))
    owner = world.program("alice", token)
    assert clear.ended == again.ended == [(Reason.REVOKED, NOW_BOUND)]
    assert owner.ended == []
    assert changes == [1]
    assert [one.by for one in sessions_of(world, owner)] == [LoginMethod.DEVICE]


def test_name_that_becomes_bound_after_its_device_has_gone_ends_them_too() -> None:
    identities = SlowIdentities()
    world = World(identities=identities)
    clear = world.json("alice")
    owner = world.program("alice", clear.welcome().token)
    world.hub.leave(owner, Reason.LEFT)
    assert clear.ended == []
    identities.due.pop()(True)
    assert clear.ended == [(Reason.REVOKED, NOW_BOUND)]


def test_name_whose_binding_could_not_be_kept_keeps_its_sessions() -> None:
    identities = SlowIdentities()
    world = World(identities=identities)
    clear = world.json("alice")
    world.program("alice", clear.welcome().token)
    for _ in range(2):  # of the client's token, then of one of the server's
        identities.due.pop()(False)
    assert clear.ended == []
    assert world.json("alice", token=clear.welcome().token).account is not None


def test_one_more_device_ends_no_session() -> None:
    world = World()
    owner = world.program("alice")
    set_password(world, owner)
    terminal = world.netcat("alice", PASSWORD)
    with_code(world, owner)
    assert (owner.ended, terminal.ended) == ([], [])


# --- what is seen -----------------------------------------------------------------------------------------


def test_owner_sees_every_session_and_what_it_came_in_by() -> None:
    world = World()
    owner = world.program("alice")
    set_password(world, owner)
    with_code(world, owner)
    world.program("alice", secret=PASSWORD, device="tablet")
    world.netcat("alice", PASSWORD)
    world.program("alice", owner.welcome().token, address=ELSEWHERE)
    seen = sessions_of(world, owner)
    assert [(one.by, one.encrypted, one.plain, one.this) for one in seen] == [
        (LoginMethod.DEVICE, True, False, False),
        (LoginMethod.PASSWORD, True, True, False),
        (LoginMethod.PASSWORD, True, False, False),
        (LoginMethod.CODE, True, False, False),
        (LoginMethod.DEVICE, True, False, True),
    ]
    assert seen[0].address == "192.168.1.7"
    assert owner.device is not None
    assert [one.device for one in seen].count(owner.device.id) == 2
    assert seen[1].device is None


def test_changes_of_devices_and_passwords_are_logged_with_the_address_they_come_from() -> None:
    world = World()
    owner = world.program("alice")
    world.hub.owners.give_code(owner, CodeQuery(rid=1))
    phone = world.program("alice", secret=owner.of(DeviceCode)[-1].code, device="phone", address=ELSEWHERE)
    set_password(world, phone)
    revoke(world, owner, phone)
    changes = [
        (event, fields["address"])
        for event, fields in world.log.events
        if event in ("device_added", "password_changed", "device_cut_off")
    ]
    assert changes == [
        ("device_added", owner.address),
        ("device_added", ELSEWHERE),
        ("password_changed", ELSEWHERE),
        ("device_cut_off", owner.address),
    ]


def test_list_of_sessions_is_bounded_and_counts_all() -> None:
    world = World()
    owner = world.program("alice")
    for _ in range(MAX_LISTED):
        world.program("alice", owner.welcome().token)
    assert len(sessions_of(world, owner)) == MAX_LISTED
    assert owner.of(Devices)[-1].session_count == MAX_LISTED + 1
    assert not owner.of(Error)
