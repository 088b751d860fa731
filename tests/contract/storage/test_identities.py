"""What is kept of names and bans outlives the server, also when it does not end in good order."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.contract.storage.kinds import ALICE, BOB, Turns, open_sqlite
from twocans.protocol.names import UserKey
from twocans.storage.identities import (
    MAX_CUT_OFF,
    Ban,
    BanKind,
    CutOff,
    DeviceRecord,
    OnKept,
    OwnedName,
)
from twocans.storage.sqlite import SqliteStorage
from twocans.storage.sqlite.check import check

LAPTOP = DeviceRecord(11, b"l" * 32, "laptop", 1000, 1000)
PHONE = DeviceRecord(2**48 - 1, b"p" * 32, "phone ☎", 2000, 2000)
BANS = (
    Ban(BanKind.NAME, "mallory", "noise", 10),
    Ban(BanKind.KEY, "ab" * 32, "", 11),
    Ban(BanKind.ADDRESS, "10.0.0.0/8", "", 12),
)


class Kept:
    """A folder whose storage is opened again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def change(self, *changes: Callable[[SqliteStorage, OnKept], None]) -> list[bool]:
        """Make changes one after another; whether each is kept."""
        turns, kept = Turns(), list[bool]()
        with open_sqlite(self.folder, turns) as storage:
            for change in changes:
                change(storage, kept.append)
            turns.run_until(lambda: len(kept) == len(changes))
        return kept

    def owned(self) -> list[OwnedName]:
        """The names that are bound."""
        with open_sqlite(self.folder, Turns()) as storage:
            return list(storage.identities.owned())

    def generations(self) -> Mapping[UserKey, int]:
        """The generations of names that have been freed."""
        with open_sqlite(self.folder, Turns()) as storage:
            return storage.identities.generations()

    def bans(self) -> list[Ban]:
        """The bans."""
        with open_sqlite(self.folder, Turns()) as storage:
            return list(storage.identities.bans())


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """An empty folder."""
    return Kept(tmp_path)


def bind_alice(storage: SqliteStorage, on_kept: OnKept) -> None:
    storage.identities.add_device(ALICE, "Alice", LAPTOP, on_kept)


def add_phone(storage: SqliteStorage, on_kept: OnKept) -> None:
    storage.identities.add_device(ALICE, "Alice", PHONE, on_kept)


def see_phone(storage: SqliteStorage, on_kept: OnKept) -> None:
    storage.identities.saw_device(PHONE.id, 9000)
    on_kept(True)


def cut_off(
    device: DeviceRecord, *, at: int = 5000, with_password: bool = True
) -> Callable[[SqliteStorage, OnKept], None]:
    """A change that cuts a device off from alice's name."""

    def change(storage: SqliteStorage, on_kept: OnKept) -> None:
        cut = CutOff(device.id, device.token, at)
        storage.identities.cut_off(ALICE, cut, on_kept, with_password=with_password)

    return change


def set_password(storage: SqliteStorage, on_kept: OnKept) -> None:
    storage.identities.set_password(ALICE, "$argon2id$x", on_kept)


def test_devices_and_password_are_there_again(kept: Kept) -> None:
    assert kept.change(bind_alice, add_phone, set_password) == [True, True, True]
    assert kept.owned() == [OwnedName(ALICE, "Alice", "$argon2id$x", (LAPTOP, PHONE))]
    assert check(kept.folder).problems == ()


def test_device_that_was_seen_or_removed_is_so_again(kept: Kept) -> None:
    kept.change(bind_alice, add_phone)
    kept.change(cut_off(LAPTOP), see_phone)
    ((device,),) = (one.devices for one in kept.owned())
    assert (device.name, device.seen) == ("phone ☎", 9000)


def test_device_that_is_cut_off_takes_the_password_of_its_name_along(kept: Kept) -> None:
    kept.change(bind_alice, add_phone, set_password)
    kept.change(cut_off(PHONE))
    assert kept.owned() == [OwnedName(ALICE, "Alice", None, (LAPTOP,), (PHONE.token,))]


def test_device_that_is_signed_out_leaves_the_password(kept: Kept) -> None:
    kept.change(bind_alice, add_phone, set_password)
    assert kept.change(cut_off(PHONE, with_password=False)) == [True]
    assert kept.owned() == [OwnedName(ALICE, "Alice", "$argon2id$x", (LAPTOP,), (PHONE.token,))]


def test_tokens_that_were_cut_off_are_bounded_and_those_of_a_freed_name_are_forgotten(kept: Kept) -> None:
    tokens = [bytes([number]) * 32 for number in range(MAX_CUT_OFF + 2)]
    kept.change(
        bind_alice,
        *(cut_off(DeviceRecord(1, token, "", 0, 0), at=at) for at, token in enumerate(tokens)),
    )
    (owned,) = kept.owned()
    assert owned.cut_off == tuple(tokens[2:])
    kept.change(lambda storage, on_kept: storage.identities.free(ALICE, 1, on_kept), bind_alice)
    (owned,) = kept.owned()
    assert owned.cut_off == ()


def test_name_that_was_freed_is_bound_no_more_and_another_still_is(kept: Kept) -> None:
    kept.change(bind_alice, set_password)
    kept.change(
        lambda storage, on_kept: storage.identities.add_device(BOB, "bob", PHONE, on_kept),
        lambda storage, on_kept: storage.identities.free(ALICE, 1, on_kept),
    )
    assert [one.key for one in kept.owned()] == [BOB]
    assert kept.generations() == {ALICE: 1}


def test_bans_are_there_again_in_their_order_until_they_are_lifted(kept: Kept) -> None:
    kept.change(
        *(
            lambda storage, on_kept, ban=ban: storage.identities.add_ban(ban, on_kept)
            for ban in reversed(BANS)
        )
    )
    assert kept.bans() == list(BANS)
    kept.change(
        lambda storage, on_kept: storage.identities.remove_ban(BanKind.KEY, BANS[1].value, on_kept),
        lambda storage, on_kept: storage.identities.add_ban(
            Ban(BanKind.NAME, "mallory", "again", 99), on_kept
        ),
    )
    assert kept.bans() == [BANS[2], Ban(BanKind.NAME, "mallory", "again", 99)]


def test_change_that_was_said_to_be_kept_survives_without_a_clean_end(kept: Kept) -> None:
    turns, answers = Turns(), list[bool]()
    with open_sqlite(kept.folder, turns) as storage:
        bind_alice(storage, answers.append)
        turns.run_until(lambda: bool(answers))
        # What another process finds now is what would be left after a kill.
        with sqlite3.connect(f"file:{storage.path}?mode=ro", uri=True) as looking:
            assert looking.execute("SELECT name FROM device").fetchall() == [("laptop",)]


def test_token_that_is_taken_is_not_kept_and_is_no_fault_of_the_disk(kept: Kept) -> None:
    turns, answers, errors = Turns(), list[bool](), list[Exception]()
    with open_sqlite(kept.folder, turns, errors=errors) as storage:
        bind_alice(storage, answers.append)
        # The same token twice is refused by the database itself.
        bind_alice(storage, answers.append)
        turns.run_until(lambda: len(answers) == 2)
    assert answers == [True, False]
    assert errors == []
    assert len(kept.owned()[0].devices) == 1
