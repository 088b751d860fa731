"""Accepting on real sockets."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack

from twocans.server.transports.accepting import Accepting


def test_each_turn_of_the_loop_accepts_one_connection_of_those_that_wait() -> None:
    """A flood of connections must not keep the loop from reading those that it has."""
    assert asyncio.run(turns_of_accepting(20)) == 20


async def turns_of_accepting(number: int) -> int:
    """Return in how many turns of the loop connections are accepted that all wait already."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    turn = 0
    turns: list[int] = []

    def count_turn() -> None:
        nonlocal turn
        turn += 1
        if not done.done():
            loop.call_soon(count_turn)

    def admit(sock: socket.socket, _: object) -> None:
        sock.close()
        turns.append(turn)
        if len(turns) == number:
            done.set_result(None)

    with ExitStack() as stack:
        listener = socket.create_server(("127.0.0.1", 0), backlog=number)
        listener.setblocking(False)
        for _ in range(number):
            stack.enter_context(socket.create_connection(listener.getsockname()))
        loop.call_soon(count_turn)
        accepting = Accepting(listener, admit, log=lambda *_, **__: None)
        await done
        await accepting.stop()
    return len(set(turns))
