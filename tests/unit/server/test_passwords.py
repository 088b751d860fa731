"""Hashes of passwords: the right one is told from others, and nobody's questions leave no room for those of others."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.support.deadline import DEADLINE_S
from twocans.server.identity import hash_queue, passwords
from twocans.server.identity.hash_queue import MAX_WAITING, MAX_WAITING_OF_HOST, Check, HashQueue
from twocans.server.identity.passwords import Argon2Passwords

HOME = "192.168.1.5"


class Desk:
    """Asks, and takes the answers in when it is told to."""

    def __init__(self) -> None:
        self._posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.passwords = Argon2Passwords(self._posted.put)
        self.answers: list[str | bool | None] = []

    def ask(self, host: str = HOME) -> None:
        """Ask for a hash; the address is the password."""
        self.passwords.hash(host, host, self.answers.append)

    def answer(self) -> None:
        """Wait for one answer that was not given at once."""
        self._posted.get(timeout=DEADLINE_S)()


@pytest.fixture
def desk() -> Iterator[Desk]:
    one = Desk()
    yield one
    one.passwords.close()


def test_password_is_told_from_others_by_its_hash(desk: Desk) -> None:
    desk.passwords.hash("korrekt horse", HOME, desk.answers.append)
    desk.answer()
    hashed = desk.answers.pop()
    assert isinstance(hashed, str)
    for password in ("korrekt horse", "correct horse"):
        desk.passwords.check(hashed, password, HOME, desk.answers.append)
        desk.answer()
    desk.passwords.check("no hash at all", "korrekt horse", HOME, desk.answers.append)
    desk.answer()
    assert desk.answers == [True, False, False]


class HeldHasher:
    """Hashes nothing until the test lets it."""

    def __init__(self) -> None:
        self.may_hash = threading.Event()

    def hash(self, password: str) -> str:
        """See `argon2.PasswordHasher.hash`."""
        assert self.may_hash.wait(DEADLINE_S)
        return password


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> HeldHasher:
    """What the desk hashes with."""
    hasher = HeldHasher()
    monkeypatch.setattr(passwords, "PasswordHasher", lambda: hasher)
    return hasher


@pytest.fixture
def slow(held: HeldHasher) -> Iterator[Desk]:
    """A desk whose hasher is held."""
    one = Desk()
    yield one
    held.may_hash.set()
    one.passwords.close()


def fill(desk: Desk) -> None:
    """Ask from many addresses until no more can wait; one more question is being answered."""
    for number in range(1 + MAX_WAITING):
        desk.ask(f"10.0.{number // 250}.{number % 250}")
    assert desk.answers == []


def answer_all(desk: Desk, held: HeldHasher, count: int) -> list[str]:
    """Let everything be hashed that waits; return whose were answered, in that order."""
    held.may_hash.set()
    for _ in range(count):
        desk.answer()
    return [str(one) for one in desk.answers if one is not None]


def test_address_that_asks_for_more_than_its_share_is_refused_and_no_other_is(slow: Desk) -> None:
    for _ in range(1 + MAX_WAITING_OF_HOST):
        slow.ask()
    assert slow.answers == []
    slow.ask()
    assert slow.answers == [None]
    slow.ask("192.168.1.6")
    assert slow.answers == [None]


def test_address_has_room_again_after_an_answer(slow: Desk, held: HeldHasher) -> None:
    for _ in range(1 + MAX_WAITING_OF_HOST):
        slow.ask()
    held.may_hash.set()
    slow.answer()
    slow.ask()
    assert slow.answers == [HOME]


def test_newcomer_is_refused_where_all_that_wait_have_asked_once(slow: Desk) -> None:
    fill(slow)
    slow.ask("192.168.1.6")
    assert slow.answers == [None]


def test_newcomer_takes_the_place_of_whoever_asks_for_the_most(slow: Desk, held: HeldHasher) -> None:
    slow.ask("10.0.0.1")
    for number in range(MAX_WAITING // MAX_WAITING_OF_HOST):
        for _ in range(MAX_WAITING_OF_HOST):
            slow.ask(f"10.0.1.{number}")
    slow.ask("192.168.1.6")
    assert slow.answers == [None]  # of one of those that ask for much
    assert "192.168.1.6" in answer_all(slow, held, 1 + MAX_WAITING)


def test_addresses_that_were_answered_least_come_first(slow: Desk, held: HeldHasher) -> None:
    for _ in range(3):
        slow.ask("10.0.0.1")
    slow.ask("10.0.0.2")
    slow.ask("10.0.0.2")
    slow.ask("10.0.0.3")
    assert answer_all(slow, held, 6) == [
        "10.0.0.1",
        "10.0.0.2",
        "10.0.0.3",
        "10.0.0.1",
        "10.0.0.2",
        "10.0.0.1",
    ]


def test_addresses_that_guess_all_the_time_keep_nobody_out_however_many_they_are(
    slow: Desk, held: HeldHasher
) -> None:
    fill(slow)
    answer_all(slow, held, 1 + MAX_WAITING)
    slow.answers.clear()
    held.may_hash.clear()
    fill(slow)
    slow.ask("192.168.1.6")
    assert slow.answers == [None]  # of one of those that were answered before
    assert answer_all(slow, held, 2 + MAX_WAITING - 1)[1] == "192.168.1.6"


def test_this_computer_is_never_without_room_and_takes_every_other_turn(slow: Desk, held: HeldHasher) -> None:
    fill(slow)
    for number in range(MAX_WAITING_OF_HOST):
        slow.ask(f"127.0.0.{number + 1}")
    assert slow.answers == []
    slow.ask("127.1.2.3")  # all of its addresses are one
    assert slow.answers == [None]
    order = answer_all(slow, held, 1 + MAX_WAITING + MAX_WAITING_OF_HOST)
    assert [host.startswith("127.") for host in order[:5]] == [False, True, False, True, False]


def test_old_checks_count_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hash_queue, "AGING_CHECKS", 4)
    queue = HashQueue()
    for host in ("10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.2"):
        queue.put(check(host))
        queue.pop()
    # Halved: one of the first address is left, and none of the second.
    for host in ("10.0.0.1", "10.0.0.2", "10.0.0.2"):
        queue.put(check(host))
    assert [one.host for one in iter(queue.pop, None)] == ["10.0.0.2", "10.0.0.1", "10.0.0.2"]


def check(host: str) -> Check:
    return Check(host, lambda: None, lambda: None)
