"""How long a server may stand still while a file moves: the time begins anew with each piece."""

from __future__ import annotations

import asyncio
from typing import cast

import aiohttp

from tests.unit.client.scripted import run
from twocans.client.transfers.http import ANSWER_S, IDLE_S, LEAST_BYTES, Content, _Body


class Idle:
    """Takes note of how often the time begins anew, and for how long."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def expired(self) -> bool:
        return False

    def reschedule(self, when: float) -> None:
        self.times.append(round(when - asyncio.get_running_loop().time()))


class Pieces:
    """Three pieces, and then nothing; for both ways."""

    def __init__(self) -> None:
        self.left = [b"a", b"b", b"c"]
        self.content = self

    async def piece(self) -> bytes:
        return self.left.pop(0) if self.left else b""

    async def readany(self) -> bytes:
        return await self.piece()


def test_so_much_that_comes_gives_more_time_and_a_byte_now_and_then_does_not() -> None:
    async def scenario() -> None:
        idle = Idle()
        pieces = Pieces()
        pieces.left = [b"x", b"x" * (LEAST_BYTES - 1), b"x", b"x" * LEAST_BYTES, b"x"]
        size = sum(map(len, pieces.left))
        content = Content(0, size, cast("aiohttp.ClientResponse", pieces), cast("asyncio.Timeout", idle))
        times = []
        while await content.piece():
            times.append(len(idle.times))
        assert times == [0, 1, 1, 2, 2]
        assert set(idle.times) == {IDLE_S}

    run(scenario())


def test_each_piece_that_goes_gives_more_time_and_the_last_even_more() -> None:
    async def scenario() -> None:
        idle = Idle()
        body = _Body(Pieces(), cast("asyncio.Timeout", idle))
        assert [piece async for piece in body] == [b"a", b"b", b"c"]
        assert idle.times == [IDLE_S] * 4 + [ANSWER_S]

    run(scenario())
