"""The names whose tokens are in the keyring, in a file beside it: it answers when the keyring does not."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from twocans.client.errors import TrustUnusable
from twocans.common.atomic_file import locked, read_file, write_file
from twocans.protocol.keys import ServerKey
from twocans.protocol.text_files import decode_text_file

FILE: Final = "keyring_names.json"
MAX_NAMES: Final = 5000
"""How many names are recorded; one more is not."""
_MAX_FILE_BYTES: Final = 4 * 1024 * 1024


class _Record(Struct):
    """What is in the file.

    Args:
        names: digests of names and servers whose token is in the keyring.
        older_servers: keys of servers that were known before this file: any name may have been used there.
    """

    names: Annotated[list[str], Meta(max_length=MAX_NAMES)] = []
    older_servers: list[ServerKey] = []


class KeyringNames:
    """The record of names in the keyring, shared by all programs of this user.

    A file that cannot be used never stops anybody: what it would say is then taken for possible.

    Args:
        path: the file. If it is missing, it is written now.
        known_servers: returns the keys of the servers that are known.
    """

    def __init__(self, path: Path, known_servers: Callable[[], frozenset[ServerKey]]) -> None:
        self._path = path
        self._known_servers = known_servers
        self._lock = threading.Lock()
        # What the disk has not taken.
        self._unwritten: set[str] = set()
        self._begin()

    def has(self, key: ServerKey, user: str) -> bool:
        """True if the token of this user at this server was put into the keyring."""
        digest = _digest(key, user)
        if digest in self._unwritten:
            return True
        record = self._read()
        return record is not None and digest in record.names

    def may_have(self, key: ServerKey, user: str) -> bool:
        """True unless it is certain that the token of this user at this server is not in the keyring."""
        record = self._read()
        return record is None or key in record.older_servers or self.has(key, user)

    def add(self, key: ServerKey, user: str) -> None:
        """Record that the token is in the keyring, or is about to be."""
        if not self.has(key, user):
            self._change(_digest(key, user), present=True)

    def remove(self, key: ServerKey, user: str) -> None:
        """Record that it is not there any more."""
        if self.has(key, user):
            self._change(_digest(key, user), present=False)

    def _begin(self) -> None:
        if self._read() is None:
            with contextlib.suppress(OSError, TrustUnusable), locked(self._path.with_suffix(".lock")):
                if self._read() is None:
                    self._write(_Record(older_servers=sorted(self._known_servers())))

    def _change(self, digest: str, *, present: bool) -> None:
        with self._lock:
            self._unwritten.discard(digest)
            try:
                with locked(self._path.with_suffix(".lock")):
                    record = self._read()
                    if record is None:
                        record = _Record(older_servers=sorted(self._known_servers()))
                    names = [one for one in record.names if one != digest]
                    record.names = [*names, digest][:MAX_NAMES] if present else names
                    self._write(record)
            except (OSError, TrustUnusable):
                if present:
                    self._unwritten.add(digest)

    def _read(self) -> _Record | None:
        """The record; None if there is none that can be read."""
        try:
            content = read_file(self._path, _MAX_FILE_BYTES)
            if content is None:
                return None
            return msgspec.json.decode(decode_text_file(content), type=_Record)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None

    def _write(self, record: _Record) -> None:
        write_file(self._path, msgspec.json.format(msgspec.json.encode(record), indent=2))


def _digest(key: ServerKey, user: str) -> str:
    return hashlib.sha256(f"{key}\n{user}".encode()).hexdigest()[:32]
