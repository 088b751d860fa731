"""How the iteration over a client begins and ends: never in silence, and never by waiting for what cannot come."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.client.scripted import ScriptedServer, next_of, run, until
from tests.unit.client.sessions import message
from twocans.client import (
    Client,
    ConnectFailed,
    ConnectionEnded,
    Event,
    Loss,
    MessageReceived,
    Offline,
    Online,
)
from twocans.client.codes import ErrorCode
from twocans.client.driver import Driver
from twocans.protocol.errors import Code
from twocans.protocol.messages import Error, Goodbye


async def events_of(client: Client, events: list[Event]) -> None:
    async for event in client:
        events.append(event)  # noqa: PERF401 - those before an error are wanted


def test_connection_that_is_lost_for_good_raises_after_the_last_event() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            conversation = await server.let_in(client)
            conversation.say(Goodbye(reason="banned", text="Enough."))
            events: list[Event] = []
            for _ in range(2):
                with pytest.raises(ConnectionEnded, match="Enough") as ended:
                    await events_of(client, events)
                assert ended.value.loss is Loss.BANNED
            assert isinstance(events[-1], Offline)
            assert events[-1].retry_in_s is None
            await client.close()

    run(scenario())


def test_refusal_after_a_loss_raises_with_the_servers_code() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            await (await server.let_in(client)).close()
            conversation = await server.accept()
            await conversation.hear()
            conversation.say(Error(code=Code.NAME_TAKEN, text="Taken."))
            with pytest.raises(ConnectionEnded) as ended:
                await events_of(client, [])
            assert (ended.value.loss, ended.value.code) == (Loss.REFUSED, ErrorCode.NAME_TAKEN)
            await client.close()

    run(scenario())


def test_fault_of_the_client_itself_raises_with_its_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Driver, "_reconnect", fail)

    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            await (await server.let_in(client)).close()
            with pytest.raises(ConnectionEnded) as ended:
                await events_of(client, [])
            assert isinstance(ended.value.__cause__, ZeroDivisionError)
            await client.close()

    run(scenario())


def test_iteration_ends_without_an_error_when_the_client_is_closed() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            await server.let_in(client)
            waiting = asyncio.create_task(events_of(client, []))
            await asyncio.sleep(0)
            await client.close()
            await waiting
            await events_of(client, [])

    run(scenario())


def test_client_that_is_not_connected_cannot_be_iterated_over() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            with pytest.raises(RuntimeError, match="connect the client"):
                await anext(client)
            connecting = asyncio.create_task(client.connect())
            conversation = await server.accept()
            with pytest.raises(RuntimeError, match="connect the client"):
                await anext(client)
            await conversation.hear()
            conversation.say(Error(code=Code.NAME_TAKEN, text="Taken."))
            with pytest.raises(ConnectFailed):
                await connecting
            with pytest.raises(RuntimeError, match="connect the client"):
                await anext(client)
            await server.let_in(client)
            assert isinstance(await anext(client), Online)
            await client.close()

    run(scenario())


def test_second_iteration_at_a_time_is_refused_and_takes_nothing_from_the_first() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            conversation = await server.let_in(client)
            first = asyncio.create_task(next_of(client, MessageReceived))
            await until(lambda: client._is_awaited)
            with pytest.raises(RuntimeError, match="another task"):
                await anext(client)
            conversation.say(message(3))
            assert (await first).message.id == 3
            # One after the other is fine, also when the one before was given up.
            waiting = asyncio.create_task(next_of(client, MessageReceived))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait({waiting})
            conversation.say(message(4))
            assert (await next_of(client, MessageReceived)).message.id == 4
            await client.close()

    run(scenario())
