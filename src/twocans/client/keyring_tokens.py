"""Tokens in the system's keyring: Secret Service, KWallet, the macOS Keychain or the Windows Credential Locker.

A keyring may be missing, locked, broken or stuck. New names then go into files; a token that may be in the keyring is
never replaced by a new one.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, TypeVar

from keyring.backend import KeyringBackend

from twocans.client.errors import KeyringUnusable, TokenLost, TokensUnusable
from twocans.client.keyring_names import FILE as NAMES_FILE
from twocans.client.keyring_names import KeyringNames
from twocans.client.tokens import FOLDER, FileTokens, Tokens
from twocans.client.trust import default_trust
from twocans.common.atomic_file import FOLDER_VARIABLE, data_folder
from twocans.protocol.keys import ServerKey

SERVICE: Final = "Twocans"
FIND_S: Final = 5.0
"""How long looking for a keyring may take, in seconds; that asks nobody anything."""
ANSWER_S: Final = 30.0
"""How long a keyring may take, in seconds: a person may have to unlock it."""

LOCKED: Final = "The keyring is locked. Unlock it and try again."
SILENT: Final = "The keyring does not answer. If it asks for its password in another window, type it there. Then try again."
ABSENT: Final = "There is no keyring on this computer that can be used."
NOT_RUNNING: Final = "The proof that this name is yours is in the keyring, and no keyring is running now. Start it and try again."
LOST: Final = (
    "The proof that this name is yours is not in the keyring any more. A code from another device of yours, your "
    "password, or a code from the person who runs the server lets you in again."
)
_LOCKED_ERRORS: Final = frozenset({"KeyringLocked", "LockedException", "PromptDismissedException"})
"""Classes of `keyring` and of `secretstorage`, which is not there on every system."""

_T = TypeVar("_T")


class KeyringTokens:
    """Tokens in a keyring. It is asked in one thread, whatever happens: an answer that never comes holds up the next.

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
        self._find = find or find_keyring
        self._find_s = find_s
        self._answer_s = answer_s
        self._thread = _QuestionThread()
        self._backend: KeyringBackend | None = None

    def get(self, key: ServerKey, user: str) -> str | None:
        """The token of a user at a server; None if there is none.

        Raises:
            KeyringUnusable: the keyring is locked, hangs or fails.
            TokensUnusable: there is no keyring.
        """
        return self._ask(lambda backend: backend.get_password(SERVICE, _entry(key, user)))

    def put(self, key: ServerKey, user: str, token: str) -> None:
        """Keep a token in place of the one that was there.

        Raises:
            KeyringUnusable: the keyring is locked, hangs or fails.
            TokensUnusable: there is no keyring.
        """
        self._ask(lambda backend: backend.set_password(SERVICE, _entry(key, user), token))

    def forget(self, key: ServerKey, user: str) -> None:
        """Keep it no longer; nothing happens if it is not there.

        Raises:
            KeyringUnusable: the keyring is locked, hangs or fails.
            TokensUnusable: there is no keyring.
        """

        def forget(backend: KeyringBackend) -> None:
            if backend.get_password(SERVICE, _entry(key, user)) is not None:
                backend.delete_password(SERVICE, _entry(key, user))

        self._ask(forget)

    def _ask(self, question: Callable[[KeyringBackend], _T]) -> _T:
        if self._backend is None:
            # Looked for each time: it may have been started meanwhile.
            self._backend = self._thread.ask(self._find, within_s=self._find_s)
        backend = self._backend
        if backend is None:
            raise TokensUnusable(ABSENT)
        return self._thread.ask(lambda: question(backend), within_s=self._answer_s)


class KeyringOrFileTokens:
    """Tokens in the keyring, or in files as long as that does not work. What is in a file counts first.

    Args:
        keyring: for what is in no file.
        files: for what the keyring does not take.
        names: which tokens are in the keyring, for when it cannot be asked.
    """

    def __init__(self, keyring: Tokens, files: Tokens, names: KeyringNames) -> None:
        self._keyring = keyring
        self._files = files
        self._names = names

    def get(self, key: ServerKey, user: str) -> str | None:
        """The token of a user at a server; None if there is certainly none.

        Raises:
            TokenLost: there was one, and it is gone for good; told once.
            TokensUnusable: there may be one, and it cannot be read.
        """
        unreadable: TokensUnusable | None = None
        try:
            token = self._files.get(key, user)
            if token is not None:
                return token
        except TokensUnusable as error:
            unreadable = error
        try:
            token = self._keyring.get(key, user)
        except KeyringUnusable:
            if self._names.has(key, user) or (unreadable is None and self._names.may_have(key, user)):
                raise
        except TokensUnusable:
            if self._names.has(key, user):
                raise TokensUnusable(NOT_RUNNING) from None
        else:
            if token is not None:
                self._names.add(key, user)
                return token
            if self._names.has(key, user):
                self._names.remove(key, user)
                unreadable = unreadable or TokenLost(LOST)
        if unreadable is not None:
            raise unreadable
        return None

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
        self._names.add(key, user)
        try:
            self._files.forget(key, user)
        except TokensUnusable:
            # What stays there counts first, so it must not be an older one.
            self._files.put(key, user, token)

    def forget(self, key: ServerKey, user: str) -> None:
        """Keep it no longer, in neither place.

        Raises:
            TokensUnusable: the file cannot be removed.
        """
        with contextlib.suppress(TokensUnusable):
            self._keyring.forget(key, user)
        self._names.remove(key, user)
        self._files.forget(key, user)


def default_tokens() -> Tokens:
    """Where this user's programs keep tokens: in the keyring, or in files where there is none.

    With `TWOCANS_DATA_DIR` set they are in files there, since a keyring is the same for all programs of a user.
    Call it before the first server is met: what is known until then decides where older tokens may be.
    """
    folder = data_folder()
    files = FileTokens(folder / FOLDER)
    if os.environ.get(FOLDER_VARIABLE):
        return files
    return KeyringOrFileTokens(
        KeyringTokens(), files, KeyringNames(folder / NAMES_FILE, default_trust().keys)
    )


def find_keyring() -> KeyringBackend | None:
    """The keyring that can be used here; those that were not running before are found too."""
    import keyring
    import keyring.backend
    import keyring.core
    from keyring.backends import fail

    found = safe_keyring()
    if found is None and isinstance(keyring.get_keyring(), fail.Keyring):
        # keyring remembers that there was none.
        keyring.backend.get_all_keyring.reset()
        keyring.core.init_backend()
        found = safe_keyring()
    return found


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


class _QuestionThread:
    """One daemon thread that asks one question after the other; the end of the program does not wait for it."""

    def __init__(self) -> None:
        self._questions: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._started = False

    def ask(self, question: Callable[[], _T], *, within_s: float) -> _T:
        """Return the answer. A question whose turn does not come in time is never asked.

        Raises:
            KeyringUnusable: it failed, or took too long.
        """
        answer: Future[_T] = Future()

        def ask() -> None:
            if not answer.set_running_or_notify_cancel():
                return
            try:
                answer.set_result(question())
            except BaseException as error:  # noqa: BLE001 - backends raise whatever their systems do
                answer.set_exception(KeyringUnusable(_sentence(error)))

        with self._lock:
            self._questions.put(ask)
            if not self._started:
                self._started = True
                threading.Thread(target=self._run, name="twocans: keyring", daemon=True).start()
        try:
            return answer.result(within_s)
        except TimeoutError:
            answer.cancel()
            raise KeyringUnusable(SILENT) from None

    def _run(self) -> None:
        while True:
            self._questions.get()()


def _sentence(error: BaseException) -> str:
    if any(kind.__name__ in _LOCKED_ERRORS for kind in type(error).__mro__):
        return LOCKED
    return f"The keyring does not work ({type(error).__name__}). Start it again, then try again."
