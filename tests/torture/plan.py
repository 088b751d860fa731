"""When something is killed: at counts of what was acknowledged, chosen by the seed, never at times."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from enum import StrEnum
from typing import Any, TypeVar

from tests.torture.ledger import Broken

_T = TypeVar("_T")


class Kill(StrEnum):
    """What is killed."""

    SERVER = "server"
    CLIENT = "client"
    BOTH = "both"


class Plan:
    """Counts acknowledgements, chooses the moments, and hears first when a promise is broken.

    Args:
        seed: of the run.
        largest_gap: how many messages are acknowledged between two kills at most.
        is_enough: whether nothing more is to be killed, told by how often that was done.
    """

    def __init__(self, seed: int, *, largest_gap: int, is_enough: Callable[[int], bool]) -> None:
        self.acknowledged = 0
        self.stopping = False
        self._random = random.Random(f"{seed} gaps")  # noqa: S311 - repeatable
        self._largest_gap = largest_gap
        self._is_enough = is_enough
        self._rounds = 0
        self._target = 0
        self._reached = asyncio.Event()
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def is_enough(self) -> bool:
        """Whether nothing more is to be killed."""
        return self._is_enough(self._rounds)

    def count(self) -> None:
        """Something has been acknowledged for the first time."""
        self.acknowledged += 1
        if self.acknowledged >= self._target:
            self._reached.set()

    def fail(self, broken: Broken) -> None:
        """A promise is broken."""
        if not self._failure.done():
            self._failure.set_exception(broken)

    async def more(self) -> None:
        """Wait for the next moment to kill something.

        Raises:
            Broken: a promise was broken meanwhile.
        """
        self._rounds += 1
        # Short gaps hit the moment in which everybody comes back.
        gap = self._random.choice(
            [0, self._random.randint(1, 50), self._random.randint(1, self._largest_gap)]
        )
        self._target = self.acknowledged + gap
        self._reached.clear()
        if gap:
            await self.or_failure(self._reached.wait())

    async def or_failure(self, waiting: Coroutine[Any, Any, _T]) -> _T:
        """What is waited for, unless a promise is broken first.

        Raises:
            Broken: one was.
        """
        task = asyncio.create_task(waiting)
        both: list[asyncio.Future[Any]] = [task, self._failure]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if self._failure.done():
            task.cancel()
            await self._failure
        return await task
