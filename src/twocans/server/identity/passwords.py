"""Hashes of passwords by Argon2id (RFC 9106), one at a time on a thread of its own: each takes memory and time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import HashingError, InvalidHashError, VerificationError

from twocans.server.identity.hash_queue import Check, HashQueue

_T = TypeVar("_T")


class Argon2Passwords:
    """See `Passwords`. The parameters are those that the library recommends.

    Args:
        post: runs a callback on the hub's thread, from any thread.
    """

    def __init__(self, post: Callable[[Callable[[], None]], object]) -> None:
        self._post = post
        self._hasher = PasswordHasher()
        self._queue = HashQueue()
        self._is_hashing = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="passwords")

    def hash(self, password: str, host: str, on_hash: Callable[[str | None], None]) -> None:
        """See `Passwords.hash`."""
        self._do(lambda: self._hasher.hash(password), host, on_hash)

    def check(self, hashed: str, password: str, host: str, on_checked: Callable[[bool | None], None]) -> None:
        """See `Passwords.check`."""

        def is_right() -> bool:
            try:
                return self._hasher.verify(hashed, password)
            except (VerificationError, InvalidHashError):
                return False

        self._do(is_right, host, on_checked)

    def close(self) -> None:
        """Answer nobody any more."""
        self._queue = HashQueue()
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _do(self, work: Callable[[], _T], host: str, on_done: Callable[[_T | None], None]) -> None:
        def run() -> None:
            result = None
            # Memory may be short. Whoever waits is told that nothing can be checked now, not left waiting.
            with contextlib.suppress(HashingError, MemoryError):
                result = work()
            with contextlib.suppress(RuntimeError):  # the loop may have ended with the program
                self._post(lambda: done(result))

        def done(result: _T | None) -> None:
            self._is_hashing = False
            self._hash_next()
            on_done(result)

        displaced = self._queue.put(Check(host, run, lambda: on_done(None)))
        self._hash_next()
        if displaced is not None:
            displaced.refuse()

    def _hash_next(self) -> None:
        check = None if self._is_hashing else self._queue.pop()
        if check is not None:
            self._is_hashing = True
            self._thread.submit(check.run)
