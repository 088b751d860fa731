"""The tokens that prove to servers that this is the same person: in memory, in files, or wherever `keyring` puts them."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from pathlib import Path
from typing import Annotated, Final, Protocol

import msgspec
from msgspec import Meta, Struct

from twocans.client.errors import TokenLost, TokensUnusable
from twocans.common.atomic_file import read_file, set_aside, write_file
from twocans.protocol.keys import ServerKey
from twocans.protocol.text_files import decode_text_file

FOLDER: Final = "tokens"
MAX_TOKEN_CHARS: Final = 128
_MAX_FILE_BYTES: Final = 4096


class Tokens(Protocol):
    """Where tokens are kept: one for each user at each server. It is called from several threads, and may block.

    A server is told by its key and not by its address, so a token never gets to another server. `user` is the
    same for all spellings of a name.
    """

    def get(self, key: ServerKey, user: str) -> str | None:
        """The token of a user at a server; None if there is none.

        Raises:
            TokenLost: there was one, and it is gone for good; told once.
            TokensUnusable: it cannot be told.
        """
        ...

    def put(self, key: ServerKey, user: str, token: str) -> None:
        """Keep a token in place of the one that was there. It is safe once this returns.

        Raises:
            TokensUnusable: it cannot be kept.
        """
        ...

    def forget(self, key: ServerKey, user: str) -> None:
        """Keep it no longer; nothing happens if it is not there.

        Raises:
            TokensUnusable: it may still be there.
        """
        ...


class MemoryTokens:
    """Tokens that are kept as long as the program runs."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[ServerKey, str], str] = {}

    def get(self, key: ServerKey, user: str) -> str | None:
        """The token of a user at a server; None if there is none."""
        return self._tokens.get((key, user))

    def put(self, key: ServerKey, user: str, token: str) -> None:
        """Keep a token in place of the one that was there."""
        self._tokens[key, user] = token

    def forget(self, key: ServerKey, user: str) -> None:
        """Keep it no longer; nothing happens if it is not there."""
        self._tokens.pop((key, user), None)


class _Token(Struct, kw_only=True):
    """What is in a file."""

    server: str
    user: str
    token: Annotated[str, Meta(min_length=1, max_length=MAX_TOKEN_CHARS)]


class FileTokens:
    """Tokens in files that only their owner can read, one for each.

    Args:
        folder: for the files; it is made when the first token is kept.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)
        # What the disk has not taken.
        self._unwritten = MemoryTokens()

    def get(self, key: ServerKey, user: str) -> str | None:
        """The token of a user at a server; None if there is none.

        Raises:
            TokenLost: the file is damaged. It is renamed, so the next call returns None.
            TokensUnusable: the file cannot be read.
        """
        unwritten = self._unwritten.get(key, user)
        if unwritten is not None:
            return unwritten
        path = self._path(key, user)
        try:
            content = read_file(path, _MAX_FILE_BYTES)
        except OSError as error:
            raise TokensUnusable(_unreadable(path, error)) from None
        if content is None:
            return None
        try:
            kept = msgspec.json.decode(decode_text_file(content), type=_Token)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            kept = None
        # The file's name is only a digest.
        if kept is None or (kept.server, kept.user) != (key, user):
            raise self._damaged(path)
        return kept.token

    def put(self, key: ServerKey, user: str, token: str) -> None:
        """Keep a token in place of the one that was there. It is on disk once this returns.

        Raises:
            TokensUnusable: it cannot be written; it is kept as long as the program runs.
        """
        path = self._path(key, user)
        try:
            write_file(path, msgspec.json.encode(_Token(server=key, user=user, token=token)))
        except OSError as error:
            self._unwritten.put(key, user, token)
            raise TokensUnusable(_sentence(path, error)) from None
        self._unwritten.forget(key, user)

    def forget(self, key: ServerKey, user: str) -> None:
        """Keep it no longer; nothing happens if it is not there.

        Raises:
            TokensUnusable: the file cannot be removed.
        """
        self._unwritten.forget(key, user)
        path = self._path(key, user)
        try:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                path.unlink()
        except OSError as error:
            raise TokensUnusable(_sentence(path, error)) from None

    def _damaged(self, path: Path) -> TokensUnusable:
        what = "The file with the proof that this name is yours is damaged"
        try:
            aside = set_aside(path)
        except OSError as error:
            why = os.strerror(error.errno or errno.EIO)
            return TokensUnusable(f"{what} and cannot be renamed ({why}). Rename {path}, then try again.")
        return TokenLost(
            f"{what}, so it was renamed to {aside.name}. A code from another device of yours, your password, or a code "
            "from the person who runs the server lets you in again."
        )

    def _path(self, key: ServerKey, user: str) -> Path:
        name = hashlib.sha256(f"{key}\n{user}".encode()).hexdigest()[:32]
        return self._folder / f"{name}.json"


def _unreadable(path: Path, error: OSError) -> str:
    why = os.strerror(error.errno or errno.EIO)
    return f"The proof that this name is yours cannot be read from {path} ({why}). Make the file readable, then try again."


def _sentence(path: Path, error: OSError) -> str:
    lost = "so the proof that your name is yours is kept only until you quit"
    for folder in path.parents:
        if folder.is_dir():
            break
        if folder.exists():
            return f"{folder} is a file, and should be a folder, {lost}. Rename it, then log in again."
    why = os.strerror(error.errno) if error.errno else "the disk does not take it"
    return f"{path} cannot be used ({why}), {lost}."
