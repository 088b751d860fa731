"""Hashes of passwords: the right one is told from others, and nobody's questions leave no room for those of others."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator

import pytest

from twocans.server.passwords import MAX_WAITING, MAX_WAITING_OF_HOST, Argon2Passwords

HOME = "192.168.1.5"


class Desk:
    """Asks, and takes the answers in when it is told to."""

    def __init__(self) -> None:
        self._posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.passwords = Argon2Passwords(self._posted.put)
        self.answers: list[str | bool | None] = []

    def ask(self, host: str = HOME) -> None:
        """Ask for a hash."""
        self.passwords.hash("korrekt horse", host, self.answers.append)

    def answer(self) -> None:
        """Wait for one answer that was not given at once."""
        self._posted.get(timeout=30)()


@pytest.fixture
def desk() -> Iterator[Desk]:
    one = Desk()
    yield one
    one.passwords.close()


def test_password_is_told_from_others_by_its_hash(desk: Desk) -> None:
    desk.ask()
    desk.answer()
    hashed = desk.answers.pop()
    assert isinstance(hashed, str)
    for password in ("korrekt horse", "correct horse"):
        desk.passwords.check(hashed, password, HOME, desk.answers.append)
        desk.answer()
    desk.passwords.check("no hash at all", "korrekt horse", HOME, desk.answers.append)
    desk.answer()
    assert desk.answers == [True, False, False]


def test_one_address_fills_its_share_only_and_has_room_again_after_an_answer(desk: Desk) -> None:
    for _ in range(MAX_WAITING_OF_HOST):
        desk.ask()
    assert desk.answers == []
    desk.ask()
    assert desk.answers == [None]
    desk.ask("192.168.1.6")
    assert desk.answers == [None]
    desk.answer()
    desk.ask()
    assert len(desk.answers) == 2


def test_more_than_may_wait_in_all_are_refused_at_once(desk: Desk) -> None:
    for number in range(MAX_WAITING):
        desk.ask(f"10.0.0.{number // MAX_WAITING_OF_HOST}")
    assert desk.answers == []
    desk.ask("10.0.1.1")
    assert desk.answers == [None]
