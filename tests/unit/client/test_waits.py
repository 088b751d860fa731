"""Each wait of the client, with its wake-up as the only thing that happens: no PING, no timer, no other traffic.

Whoever waits for something that comes about in a turn in which nobody is told would wait here for ever.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import pytest

from tests.unit.client.scripted import Conversation, ScriptedServer, next_of, run, until
from tests.unit.client.sessions import welcome
from twocans.client import Client, ConnectFailed, MemoryTrust, MessageNotSent, RequestFailed, Timers
from twocans.client import driver as driver_module
from twocans.client.address import Address, parse_address
from twocans.client.events import CaughtUp, Loss, MessageStored, Offline, Online, PeerTyping
from twocans.client.link import MAX_EARLY_BYTES, Link, open_link
from twocans.client.sending import MAX_IN_FLIGHT
from twocans.client.trust import Met
from twocans.protocol.errors import Code
from twocans.protocol.keys import ServerKey
from twocans.protocol.messages import (
    Ack,
    Bye,
    Error,
    Found,
    Goodbye,
    Joined,
    LimitsInForce,
    Ping,
    Pong,
    Send,
    TypingFrom,
)

NEVER_S: Final = 3600.0
_T = TypeVar("_T")
STILL: Final = Timers(
    connect=NEVER_S,
    ping_after=NEVER_S,
    dead_after=NEVER_S,
    answer=NEVER_S,
    retry_first=NEVER_S,
    retry_max=NEVER_S,
)
"""Timers of which none runs out during a test."""


@pytest.fixture(autouse=True)
def _no_looks_at_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_module, "LONGEST_TICK_S", NEVER_S)
    monkeypatch.setattr(driver_module, "CLOSE_S", NEVER_S)


def with_client(scenario: Callable[[ScriptedServer, Client, Conversation], Awaitable[None]]) -> None:
    """Run a scenario with a client that is connected and has nothing to do."""

    async def main() -> None:
        async with ScriptedServer() as server:
            client = server.client(timers=STILL)
            roomy = LimitsInForce(line_bytes=1 << 20, text_bytes=1 << 20, rate=0, burst=0)
            conversation = await server.let_in(client, welcome(limits=roomy))
            await next_of(client, CaughtUp)
            await scenario(server, client, conversation)
            closing = asyncio.create_task(client.close())
            await conversation.hear_all()
            await closing

    run(main())


async def still_waiting(task: asyncio.Task[_T]) -> None:
    """Let everything happen that can; the task waits for something that has not come."""
    for _ in range(50):
        await asyncio.sleep(0)
    assert not task.done()


# --- the connection -------------------------------------------------------------------------------------------


async def fill_buffers(client: Client, conversation: Conversation) -> tuple[Link, list[str]]:
    """Have the client send to a server that does not read, until nothing more can be written; what was sent."""
    conversation.stop_reading()
    link = client._driver._link
    assert link is not None
    sent: list[str] = []
    while link.writable:
        assert len(sent) < MAX_IN_FLIGHT
        sent.append(client.enqueue("bob", "x" * 500_000))
        await asyncio.sleep(0.001)
    return link, sent


def test_what_did_not_fit_into_the_buffers_goes_out_when_the_server_reads_again() -> None:
    async def scenario(_: ScriptedServer, client: Client, conversation: Conversation) -> None:
        _link, sent = await fill_buffers(client, conversation)
        sent += [client.enqueue("bob", "y" * 500_000) for _ in range(min(5, MAX_IN_FLIGHT - len(sent)))]
        conversation.start_reading()
        heard = [await conversation.hear() for _ in sent]
        assert [one.cid for one in heard if isinstance(one, Send)] == sent

    with_client(scenario)


def test_an_acknowledgement_lets_the_next_message_go() -> None:
    async def scenario(_: ScriptedServer, client: Client, conversation: Conversation) -> None:
        sent = [client.enqueue("bob", str(number)) for number in range(MAX_IN_FLIGHT + 2)]
        for cid in sent[:MAX_IN_FLIGHT]:
            frame = await conversation.hear()
            assert isinstance(frame, Send)
            assert frame.cid == cid
        conversation.say(Ack(cid=sent[0], id=1, at=1))
        frame = await conversation.hear()
        assert isinstance(frame, Send)
        assert frame.cid == sent[MAX_IN_FLIGHT]
        conversation.say(Error(code=Code.TOO_LONG, text="Too long.", cid=sent[1]))
        frame = await conversation.hear()
        assert isinstance(frame, Send)
        assert frame.cid == sent[MAX_IN_FLIGHT + 1]

    with_client(scenario)


def test_reading_goes_on_when_the_server_takes_the_answers_to_its_questions() -> None:
    async def scenario(_: ScriptedServer, client: Client, conversation: Conversation) -> None:
        link, sent = await fill_buffers(client, conversation)
        asked = 0
        while link.reading:
            conversation.say(*(Ping(n=asked + number) for number in range(1000)))
            asked += 1000
            await asyncio.sleep(0.001)
        conversation.start_reading()
        for _cid in sent:
            assert isinstance(await conversation.hear(), Send)
        for number in range(asked):
            assert await conversation.hear() == Pong(n=number)
        assert link.reading

    with_client(scenario)


def test_reading_goes_on_when_the_program_has_taken_enough() -> None:
    async def scenario(_: ScriptedServer, client: Client, conversation: Conversation) -> None:
        link = client._driver._link
        assert link is not None
        count = 0
        while link.reading:
            conversation.say(*(TypingFrom(sender=f"{number}") for number in range(count, count + 100)))
            count += 100
            await asyncio.sleep(0)
        conversation.say(TypingFrom(sender="last"))
        await next_of(client, PeerTyping, lambda typing: typing.user == "last")

    with_client(scenario)


@pytest.mark.parametrize("how", ["ask", "send", "drain"])
def test_whoever_waits_again_with_thousands_of_events_not_taken_gets_an_answer(how: str) -> None:
    async def scenario(_: ScriptedServer, client: Client, conversation: Conversation) -> None:
        asking = asyncio.create_task(client.find_users("a"))
        await conversation.hear()
        # More than half of what is let in while somebody waits, and more than is let in while nobody does.
        conversation.say(*(Joined(user=f"user{number}") for number in range(15_000)))
        conversation.say(Found(rid=1, users=["alice"]))
        assert await asking == ("alice",)
        link = client._driver._link
        assert link is not None
        await until(lambda: not link.reading)
        if how == "ask":
            second = asyncio.create_task(client.find_users("b"))
            await conversation.hear()
            conversation.say(Found(rid=2, users=["bob"]))
            assert await second == ("bob",)
        elif how == "drain":
            cid = client.enqueue("bob", "hello")
            await conversation.hear()
            draining = asyncio.create_task(client.drain())
            conversation.say(Ack(cid=cid, id=1, at=1))
            await draining
        else:
            delivering = asyncio.create_task(client.send("bob", "hello"))
            frame = await conversation.hear()
            assert isinstance(frame, Send)
            conversation.say(Ack(cid=frame.cid, id=1, at=1))
            assert (await delivering).id == 1
        assert len(client._driver.stream) >= 15_000

    with_client(scenario)


def test_what_a_server_says_before_it_is_checked_is_heard_afterwards_and_all_of_it() -> None:
    class User:
        def __init__(self) -> None:
            self.heard = 0

        def link_received(self, _link: Link, chunk: bytes) -> None:
            self.heard += len(chunk)

        def link_writable(self, _link: Link) -> None:
            pass

        def link_closed(self, _link: Link) -> None:
            pass

    async def main() -> None:
        async with ScriptedServer() as server:
            user = User()
            link = await open_link(parse_address(server.address), user, within_s=NEVER_S)
            conversation = await server.accept()
            size = 20 * MAX_EARLY_BYTES
            conversation.writer.write(b"x" * size)
            await until(lambda: not link.reading)
            assert user.heard == 0
            link.begin()
            await until(lambda: user.heard == size)
            link.abort()

    run(main())


def test_a_connection_that_is_lost_while_nothing_happens_is_told() -> None:
    async def scenario(server: ScriptedServer, client: Client, conversation: Conversation) -> None:
        told = asyncio.create_task(next_of(client, Offline))
        await still_waiting(told)
        conversation.reset()
        assert (await told).loss is Loss.LOST
        client.retry_now()
        await (await server.accept()).greet()
        await next_of(client, Online)

    with_client(scenario)


# --- the first connection and the last ------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["welcome", "error", "goodbye", "reset", "closed here"])
def test_connecting_ends_as_soon_as_it_is_decided(how: str) -> None:
    async def main() -> None:
        async with ScriptedServer() as server:
            client = server.client(timers=STILL)
            connecting = asyncio.create_task(client.connect())
            conversation = await server.accept()
            await conversation.hear()
            await still_waiting(connecting)
            match how:
                case "welcome":
                    conversation.say(welcome())
                case "error":
                    conversation.say(Error(code=Code.NAME_TAKEN, text="Taken."))
                case "goodbye":
                    conversation.say(Goodbye(reason="kicked", text="Out."))
                case "reset":
                    conversation.reset()
                case _:
                    await client.close()
            if how == "welcome":
                await connecting
                closing = asyncio.create_task(client.close())
                assert await conversation.hear() == Bye()
                await conversation.close()
                await closing
            else:
                with pytest.raises(ConnectFailed):
                    await connecting

    run(main())


def test_closing_ends_when_the_server_has_closed_and_for_all_who_wait() -> None:
    async def main() -> None:
        async with ScriptedServer() as server:
            client = server.client(timers=STILL)
            conversation = await server.let_in(client)
            closing = [asyncio.create_task(client.close()) for _ in range(3)]
            assert await conversation.hear() == Bye()
            await conversation.close()
            await asyncio.gather(*closing)

    run(main())


def test_a_pause_ends_when_somebody_asks_for_it_or_closes() -> None:
    async def main() -> None:
        async with ScriptedServer() as server:
            client = server.client(timers=STILL)
            await (await server.let_in(client)).close()
            await next_of(client, Offline)
            client.retry_now()
            conversation = await server.accept()
            await conversation.greet()
            await next_of(client, Online)
            await conversation.close()
            await next_of(client, Offline)
            await client.close()

    run(main())


def test_a_key_that_is_looked_up_at_last_lets_the_client_in() -> None:
    class SlowTrust(MemoryTrust):
        def __init__(self) -> None:
            super().__init__()
            self.asked, self.may_answer = threading.Event(), threading.Event()

        def meet(self, server: Address, key: ServerKey) -> Met:
            self.asked.set()
            self.may_answer.wait()
            return super().meet(server, key)

    async def main() -> None:
        async with ScriptedServer() as server:
            trust = SlowTrust()
            client = server.client(timers=STILL, trust=trust)
            connecting = asyncio.create_task(client.connect())
            conversation = await server.accept()
            await until(trust.asked.is_set)
            trust.may_answer.set()
            await conversation.greet()
            await connecting
            closing = asyncio.create_task(client.close())
            await conversation.hear_all()
            await closing

    run(main())


# --- whoever waits for an answer ------------------------------------------------------------------------------


async def _end(client: Client, conversation: Conversation, how: str) -> None:
    match how:
        case "lost":
            conversation.reset()
        case "kicked":
            conversation.say(Goodbye(reason="kicked", text="Out."))
        case _:
            closing = asyncio.create_task(client.close())
            await conversation.hear_all()
            await closing


@pytest.mark.parametrize(
    ("how", "code"),
    [("lost", "offline"), ("kicked", "offline"), ("closed", "closed"), ("refused", "internal")],
)
def test_a_question_that_will_not_be_answered_ends(how: str, code: str) -> None:
    async def scenario(_: ScriptedServer, client: Client, conversation: Conversation) -> None:
        asking = asyncio.create_task(client.find_users("b"))
        await conversation.hear()
        await still_waiting(asking)
        if how == "refused":
            conversation.say(Error(code=Code.INTERNAL, text="No.", rid=1))
        else:
            await _end(client, conversation, how)
        with pytest.raises(RequestFailed) as caught:
            await asking
        assert caught.value.code == code

    with_client(scenario)


@pytest.mark.parametrize("how", ["refused", "kicked", "closed"])
def test_a_delivery_that_will_not_come_about_ends(how: str) -> None:
    async def scenario(_: ScriptedServer, client: Client, conversation: Conversation) -> None:
        delivering = asyncio.create_task(client.send("bob", "hello"))
        frame = await conversation.hear()
        assert isinstance(frame, Send)
        await still_waiting(delivering)
        if how == "refused":
            conversation.say(Error(code=Code.TOO_LONG, text="Too long.", cid=frame.cid))
        else:
            await _end(client, conversation, how)
        with pytest.raises(MessageNotSent):
            await delivering

    with_client(scenario)


def test_a_delivery_outlives_a_lost_connection_and_ends_with_the_next_one() -> None:
    async def scenario(server: ScriptedServer, client: Client, conversation: Conversation) -> None:
        delivering = asyncio.create_task(client.send("bob", "hello"))
        await conversation.hear()
        conversation.reset()
        await next_of(client, Offline)
        client.retry_now()
        conversation = await server.accept()
        await conversation.greet()
        frame = await conversation.hear()
        assert isinstance(frame, Send)
        conversation.say(Ack(cid=frame.cid, id=7, at=1))
        assert await delivering == MessageStored(frame.cid, "bob", "hello", 7, 1)

    with_client(scenario)


def test_a_delivery_of_what_cannot_be_sent_ends_without_the_server() -> None:
    async def scenario(_: ScriptedServer, client: Client, __: Conversation) -> None:
        with pytest.raises(MessageNotSent):
            await client.send("bob", " ")
        with pytest.raises(RequestFailed):
            await client.find_users("\ud800")

    with_client(scenario)
