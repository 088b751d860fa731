"""The keys of the servers that are known: a server is met under the key that it had at first, or not at all.

Getting the key from the server, and the proof that it has it, is left to `link`.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Annotated, Final, NoReturn, Protocol

import msgspec
from msgspec import Meta, Struct

from twocans.client.address import Address
from twocans.client.errors import TrustUnusable
from twocans.common.atomic_file import data_folder, locked, read_file, write_file
from twocans.protocol.keys import ServerKey
from twocans.protocol.text_files import decode_text_file

FILE: Final = "known_servers.json"
MAX_SERVERS: Final = 5000
"""How many addresses are remembered; a further one is met for the first time again and again."""
_MAX_FILE_BYTES: Final = 4 * 1024 * 1024


class Met(Struct, frozen=True):
    """What is known of a server that has just shown its key.

    Args:
        known: the key that counts for this address; another one than the server's if that has changed.
        first_use: neither the address nor the key was known.
        problem: a sentence for the user if the key could not be kept.
    """

    known: ServerKey
    first_use: bool
    problem: str = ""


class Trust(Protocol):
    """What the client needs to know of servers' keys. It is called from several threads, and may block.

    An address means the same in capitals and in small letters.
    """

    def key(self, server: Address) -> ServerKey | None:
        """The key that is known for an address; None if it is new.

        Raises:
            TrustUnusable: what is known cannot be read.
        """
        ...

    def meet(self, server: Address, key: ServerKey) -> Met:
        """A server shows its key: remember it if nothing is known of this address yet, all in one step.

        Raises:
            TrustUnusable: what is known cannot be read.
        """
        ...

    def accept(self, server: Address, key: ServerKey) -> None:
        """From now on this is the server's key: somebody has decided so.

        Raises:
            TrustUnusable: it could not be kept; for as long as the program runs it counts all the same.
        """
        ...


class MemoryTrust:
    """Keys that are known as long as the program runs."""

    def __init__(self) -> None:
        self._keys: dict[str, ServerKey] = {}
        self._lock = threading.Lock()

    def key(self, server: Address) -> ServerKey | None:
        """The key that is known for an address; None if it is new."""
        return self._keys.get(_name(server))

    def meet(self, server: Address, key: ServerKey) -> Met:
        """A server shows its key: remember it if nothing is known of this address yet."""
        with self._lock:
            return _meet(self._keys, server, key)

    def accept(self, server: Address, key: ServerKey) -> None:
        """From now on this is the server's key."""
        with self._lock:
            self._keys[_name(server)] = key


class _Known(Struct):
    """What is in the file."""

    servers: dict[
        Annotated[str, Meta(min_length=1, max_length=300)], Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    ]


class FileTrust:
    """Keys in a file, for all programs of this user at once.

    A file that cannot be read is not taken for an empty one, which would make every server a new one that
    nobody checks: nothing connects until somebody has looked after it.

    Args:
        path: the file; it is made when the first server is met, for its owner alone.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        # What the disk has not taken.
        self._unwritten: dict[str, ServerKey] = {}

    def key(self, server: Address) -> ServerKey | None:
        """The key that is known for an address; None if it is new.

        Raises:
            TrustUnusable: the file cannot be read.
        """
        return self._read().get(_name(server))

    def keys(self) -> frozenset[ServerKey]:
        """The keys of all known servers.

        Raises:
            TrustUnusable: the file cannot be read.
        """
        return frozenset(self._read().values())

    def meet(self, server: Address, key: ServerKey) -> Met:
        """A server shows its key: remember it if nothing is known of this address yet.

        Raises:
            TrustUnusable: the file cannot be read.
        """
        with self._lock:
            known = self._read().get(_name(server))
            if known is not None:
                return Met(known, first_use=False)
            try:
                with locked(self._path.with_suffix(".lock")):
                    # Another process may have been faster.
                    keys = self._read()
                    met = _meet(keys, server, key)
                    self._write(keys)
                    return met
            except OSError as error:
                met = _meet(self._read(), server, key)
                self._unwritten[_name(server)] = met.known
                return Met(met.known, met.first_use, self._unkept(error))

    def accept(self, server: Address, key: ServerKey) -> None:
        """From now on this is the server's key.

        Raises:
            TrustUnusable: the file cannot be read or written.
        """
        with self._lock:
            self._unwritten[_name(server)] = key
            try:
                with locked(self._path.with_suffix(".lock")):
                    self._write(self._read())
            except OSError as error:
                raise TrustUnusable(self._unkept(error)) from None
            del self._unwritten[_name(server)]

    def _read(self) -> dict[str, ServerKey]:
        try:
            content = read_file(self._path, _MAX_FILE_BYTES + 1)
        except OSError as error:
            self._fail(f"cannot be read ({os.strerror(error.errno or 0)})")
        if content is None:
            return dict(self._unwritten)
        try:
            known = msgspec.json.decode(decode_text_file(content), type=_Known)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self._fail("is damaged")
        return {name: ServerKey(key) for name, key in known.servers.items()} | self._unwritten

    def _write(self, keys: dict[str, ServerKey]) -> None:
        if len(keys) > MAX_SERVERS:
            raise OSError
        known = _Known(servers=dict(keys))
        write_file(self._path, msgspec.json.format(msgspec.json.encode(known), indent=2))

    def _unkept(self, error: OSError) -> str:
        why = os.strerror(error.errno) if error.errno else "it does not take any more"
        return f"The server's key could not be kept in {self._path} ({why}), so it is checked only until you quit."

    def _fail(self, why: str) -> NoReturn:
        raise TrustUnusable(
            f"The file with the keys of known servers {why}, so no server can be checked and none is connected to. "
            f"Repair {self._path}, or rename it; without it, compare each server's key when you log in."
        )


def default_trust() -> FileTrust:
    """The keys that all programs of this user know."""
    return FileTrust(data_folder() / FILE)


def _meet(keys: dict[str, ServerKey], server: Address, key: ServerKey) -> Met:
    name = _name(server)
    known = keys.get(name)
    if known is not None:
        return Met(known, first_use=False)
    # The same server at another address is no stranger.
    first_use = key not in keys.values()
    keys[name] = key
    return Met(key, first_use)


def _name(server: Address) -> str:
    return f"{server.host.casefold().removesuffix('.')}:{server.port}"
