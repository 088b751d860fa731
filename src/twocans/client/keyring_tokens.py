"""Tokens in the system's keyring: Secret Service, KWallet, the macOS Keychain or the Windows Credential Locker.

A keyring may be missing, locked, broken or stuck. Then a file serves, and nobody waits for long.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, TypeVar

from keyring.backend import KeyringBackend

from twocans.client.errors import TokensUnusable
from twocans.client.files import FOLDER_VARIABLE, data_folder
from twocans.client.tokens import FOLDER, FileTokens, Tokens
from twocans.protocol.keys import ServerKey

SERVICE: Final = "Twocans"
FIND_S: Final = 5.0
"""How long looking for a keyring may take, in seconds; that asks nobody anything."""
ANSWER_S: Final = 30.0
"""How long a keyring may take, in seconds: a person may have to unlock it."""

_T = TypeVar("_T")


class KeyringTokens:
    """Tokens in a keyring; once it has failed it is not asked again by this object.

    Args:
        find: looks for a keyring without asking the user anything; None if there is none that is safe.
        find_s: how long that may take, in seconds.
        answer_s: how long each question to it may take, in seconds.
    """

    def __init__(
        self,
        find: Callable[[], KeyringBackend | None] | None = None,
        *,
        find_s: float = FIND_S,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._find = find or safe_keyring
        self._find_s = find_s
        self._answer_s = answer_s
        self._lock = threading.Lock()
        self._found = False
        self._backend: KeyringBackend | None = None

    def get(self, key: ServerKey, user: str) -> str | None:
        """The token of a user at a server; None if there is none.

        Raises:
            TokensUnusable: the keyring does not work.
        """
        return self._ask(lambda backend: backend.get_password(SERVICE, _entry(key, user)))

    def put(self, key: ServerKey, user: str, token: str) -> None:
        """Keep a token in place of the one that was there.

        Raises:
            TokensUnusable: the keyring does not work.
        """
        self._ask(lambda backend: backend.set_password(SERVICE, _entry(key, user), token))

    def forget(self, key: ServerKey, user: str) -> None:
        """Keep it no longer; nothing happens if it is not there.

        Raises:
            TokensUnusable: the keyring does not work.
        """

        def forget(backend: KeyringBackend) -> None:
            if backend.get_password(SERVICE, _entry(key, user)) is not None:
                backend.delete_password(SERVICE, _entry(key, user))

        self._ask(forget)

    def _ask(self, question: Callable[[KeyringBackend], _T]) -> _T:
        with self._lock:
            if not self._found:
                self._found = True
                self._backend = _within(self._find_s, self._find)
            backend = self._backend
            if backend is None:
                raise TokensUnusable("There is no keyring on this computer that can be used.")
            try:
                return _within(self._answer_s, lambda: question(backend))
            except TokensUnusable:
                self._backend = None
                raise


class KeyringOrFileTokens:
    """Tokens in the keyring, or in files as long as that does not work. What is in a file counts in any case.

    Args:
        keyring: asked first.
        files: for what the keyring has not, or does not take.
    """

    def __init__(self, keyring: Tokens, files: Tokens) -> None:
        self._keyring = keyring
        self._files = files

    def get(self, key: ServerKey, user: str) -> str | None:
        """The token of a user at a server; None if there is none.

        Raises:
            TokensUnusable: the file cannot be read.
        """
        try:
            token = self._keyring.get(key, user)
        except TokensUnusable:
            token = None
        return self._files.get(key, user) if token is None else token

    def put(self, key: ServerKey, user: str, token: str) -> None:
        """Keep a token in place of the one that was there.

        Raises:
            TokensUnusable: neither takes it.
        """
        try:
            self._keyring.put(key, user, token)
        except TokensUnusable:
            self._files.put(key, user, token)
            return
        with contextlib.suppress(TokensUnusable):
            self._files.forget(key, user)

    def forget(self, key: ServerKey, user: str) -> None:
        """Keep it no longer, in neither place.

        Raises:
            TokensUnusable: the file cannot be removed.
        """
        with contextlib.suppress(TokensUnusable):
            self._keyring.forget(key, user)
        self._files.forget(key, user)


def default_tokens() -> Tokens:
    """Where this user's programs keep tokens: in the keyring, or in files where there is none.

    With `TWOCANS_DATA_DIR` set they are in files there, since a keyring is the same for all programs of a user.
    """
    files = FileTokens(data_folder() / FOLDER)
    return files if os.environ.get(FOLDER_VARIABLE) else KeyringOrFileTokens(KeyringTokens(), files)


def safe_keyring() -> KeyringBackend | None:
    """The keyring that `keyring` picks here, unless it is one that hides nothing or is only a stand-in."""
    import keyring
    from keyring.backends.chainer import ChainerBackend

    backend = keyring.get_keyring()
    candidates = backend.backends if isinstance(backend, ChainerBackend) else [backend]
    # keyring's own measure: below 1 are files without or with a password of their own, and those that do nothing.
    return next((one for one in candidates if one.priority >= 1), None)


def _entry(key: ServerKey, user: str) -> str:
    return f"{user}@{key}"


def _within(seconds: float, question: Callable[[], _T]) -> _T:
    """Ask in a thread of its own, which the end of the program does not wait for.

    Raises:
        TokensUnusable: it failed, or took too long.
    """
    answer: Future[_T] = Future()

    def ask() -> None:
        try:
            answer.set_result(question())
        except BaseException as error:  # noqa: BLE001 - backends raise whatever their systems do
            why = f"The system's keyring does not work ({type(error).__name__})."
            answer.set_exception(TokensUnusable(why))

    threading.Thread(target=ask, name="twocans: keyring", daemon=True).start()
    try:
        return answer.result(seconds)
    except TimeoutError:
        raise TokensUnusable("The system's keyring does not answer.") from None
