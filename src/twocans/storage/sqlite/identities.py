"""Devices, passwords and bans in the database of the messages, so that one backup has everything.

Changes are made between the commits of the writer, each in a transaction of its own: they are few.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from twocans.protocol.names import UserKey
from twocans.storage.identities import MAX_CUT_OFF, Ban, BanKind, CutOff, DeviceRecord, OnKept, OwnedName

Statement: TypeAlias = tuple[str, tuple[object, ...]]

_FORGET_CUT_OFF: Final = """
    DELETE FROM cut_off WHERE account = ? AND token NOT IN (
        SELECT token FROM cut_off WHERE account = ? ORDER BY at DESC LIMIT ?)"""


class SqliteIdentities:
    """See `Identities`.

    Args:
        database: read from at once, and not later.
        run: runs something on the writer's thread, between two commits.
        number: the number of the account with a key; made up if need be.
        post: runs a callback on the hub's thread.
        on_error: told what could not be written; on the hub's thread.

    Raises:
        sqlite3.Error: the database cannot be read.
    """

    def __init__(
        self,
        database: sqlite3.Connection,
        *,
        run: Callable[[Callable[[sqlite3.Connection], None]], None],
        number: Callable[[UserKey], int],
        post: Callable[[Callable[[], None]], object],
        on_error: Callable[[Exception], None],
    ) -> None:
        self._run = run
        self._number = number
        self._post = post
        self._on_error = on_error
        self._owned = _load_owned(database)
        self._generations = {
            UserKey(key): generation
            for key, generation in database.execute(
                "SELECT key, generation FROM account WHERE generation > 0"
            )
        }
        self._bans = [
            Ban(BanKind(kind), value, why, at)
            for kind, value, why, at in database.execute("SELECT kind, value, why, at FROM ban ORDER BY at")
        ]

    def owned(self) -> Iterable[OwnedName]:
        """See `Identities.owned`."""
        return iter(self._owned)

    def generations(self) -> Mapping[UserKey, int]:
        """See `Identities.generations`."""
        return self._generations

    def bans(self) -> Iterable[Ban]:
        """See `Identities.bans`."""
        return iter(self._bans)

    def add_device(self, user: UserKey, name: str, device: DeviceRecord, on_kept: OnKept) -> None:
        """See `Identities.add_device`."""
        account = self._number(user)
        self._change(
            on_kept,
            # Without history nobody else makes the account known here.
            ("INSERT OR IGNORE INTO account(id, key, name) VALUES (?, ?, ?)", (account, user, name)),
            (
                "INSERT INTO device(id, account, token, name, created, seen) VALUES (?, ?, ?, ?, ?, ?)",
                (device.id, account, device.token, device.name, device.created, device.seen),
            ),
        )

    def saw_device(self, device_id: int, seen: int) -> None:
        """See `Identities.saw_device`."""
        self._change(
            lambda _: None, ("UPDATE device SET seen = max(seen, ?) WHERE id = ?", (seen, device_id))
        )

    def cut_off(self, user: UserKey, cut: CutOff, on_kept: OnKept, *, with_password: bool) -> None:
        """See `Identities.cut_off`."""
        account = self._number(user)
        self._change(
            on_kept,
            ("DELETE FROM device WHERE id = ?", (cut.device_id,)),
            (
                "INSERT OR REPLACE INTO cut_off(token, account, at) VALUES (?, ?, ?)",
                (cut.token, account, cut.at),
            ),
            (_FORGET_CUT_OFF, (account, account, MAX_CUT_OFF)),
            ("UPDATE account SET password = iif(?, NULL, password) WHERE id = ?", (with_password, account)),
        )

    def set_password(self, user: UserKey, hashed: str | None, on_kept: OnKept) -> None:
        """See `Identities.set_password`."""
        self._change(on_kept, ("UPDATE account SET password = ? WHERE id = ?", (hashed, self._number(user))))

    def free(self, user: UserKey, generation: int, on_kept: OnKept) -> None:
        """See `Identities.free`."""
        account = self._number(user)
        self._change(
            on_kept,
            ("DELETE FROM device WHERE account = ?", (account,)),
            ("DELETE FROM cut_off WHERE account = ?", (account,)),
            ("UPDATE account SET password = NULL, generation = ? WHERE id = ?", (generation, account)),
        )

    def add_ban(self, ban: Ban, on_kept: OnKept) -> None:
        """See `Identities.add_ban`."""
        self._change(
            on_kept,
            (
                "INSERT OR REPLACE INTO ban(kind, value, why, at) VALUES (?, ?, ?, ?)",
                (ban.kind.value, ban.value, ban.why, ban.at),
            ),
        )

    def remove_ban(self, kind: BanKind, value: str, on_kept: OnKept) -> None:
        """See `Identities.remove_ban`."""
        self._change(on_kept, ("DELETE FROM ban WHERE kind = ? AND value = ?", (kind.value, value)))

    def _change(self, on_kept: OnKept, *statements: Statement) -> None:
        def change(database: sqlite3.Connection) -> None:
            try:
                _carry_out(database, statements)
            except sqlite3.IntegrityError:  # another name has that token
                self._post(lambda: on_kept(False))
            except sqlite3.Error as error:
                failure = error
                self._post(lambda: self._on_error(failure))
                self._post(lambda: on_kept(False))
            else:
                self._post(lambda: on_kept(True))

        self._run(change)


def _carry_out(database: sqlite3.Connection, statements: Sequence[Statement]) -> None:
    database.execute("BEGIN IMMEDIATE")
    try:
        for statement, values in statements:
            database.execute(statement, values)
        database.execute("COMMIT")
    except BaseException:
        # A full disk ends a transaction by itself.
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def _load_owned(database: sqlite3.Connection) -> list[OwnedName]:
    devices: dict[int, list[DeviceRecord]] = {}
    for account, *fields in database.execute(
        "SELECT account, id, token, name, created, seen FROM device ORDER BY created, id"
    ):
        devices.setdefault(account, []).append(DeviceRecord(*fields))
    cut_off: dict[int, list[bytes]] = {}
    for account, token in database.execute("SELECT account, token FROM cut_off ORDER BY at"):
        cut_off.setdefault(account, []).append(token)
    rows = database.execute(
        "SELECT id, key, name, password FROM account"
        " WHERE password IS NOT NULL OR id IN (SELECT account FROM device)"
    )
    return [
        OwnedName(
            UserKey(key), name, password, tuple(devices.get(account, ())), tuple(cut_off.get(account, ()))
        )
        for account, key, name, password in rows
    ]
