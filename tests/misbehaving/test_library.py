"""The client library and a server that misbehaves on one connection: nothing is lost, nothing is believed, nothing hangs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from tests.misbehaving.modes import CHATS, GREETINGS, LIES, PAGES
from tests.misbehaving.server import LOG, LyingServer, Mode
from tests.unit.client.scripted import QUICK, run
from twocans.client import (
    Client,
    ConnectFailed,
    MemoryOutbox,
    MessageReceived,
    MessageStored,
    Offline,
    Outgoing,
    Position,
    RequestFailed,
    Timers,
)
from twocans.client.checks import MAX_SENTENCE_CHARS
from twocans.protocol.messages import MAX_USERS, Hello, HistoryQuery

IMPATIENT: Final = Timers(
    connect=QUICK.connect, ping_after=0.2, dead_after=1.0, catch_up=1.0, retry_first=0.02, retry_max=0.1
)
"""For servers whose silence is to be noticed."""

_TELLS_MORE: Final = 400
"""How much longer a sentence may get by what the client itself says with it."""


def _is_for_people(text: str) -> bool:
    return bool(text.strip()) and text.isprintable() and len(text) <= MAX_SENTENCE_CHARS + _TELLS_MORE


async def _outlive(
    mode: Mode, ask: Callable[[Client], Awaitable[object]] | None = None
) -> tuple[LyingServer, list[Offline]]:
    """Go through a connection to a server in this mode, and on with one that is honest from then on."""
    outbox = MemoryOutbox()
    outbox.add(Outgoing("waiting", "bob", "hello"))
    async with LyingServer() as server:
        server.modes.append(mode)
        client = Client(
            server.address,
            "alice",
            timers=IMPATIENT if mode.slow else QUICK,
            outbox=outbox,
            position=Position(after=1, log=LOG),
            device="test",
        )
        try:
            lost = await _hear_all_of_it(client, mode, ask)
        finally:
            await client.close()
        assert server.account.sent == [("alice", "waiting")]
        assert client.pending == ()
        assert client.user == "alice"
        assert (client.position.after or 0) <= len(server.account.log)
        assert all(hello.user == "alice" for hello in server.hellos)
        return server, lost


async def _hear_all_of_it(
    client: Client, mode: Mode, ask: Callable[[Client], Awaitable[object]] | None
) -> list[Offline]:
    """Take events until what was sent afterwards has come and what waited is stored; how often it was offline."""
    refusals: list[str] = []
    while len(refusals) < 2:
        try:
            await client.connect()
            break
        except ConnectFailed as error:
            refusals.append(error.text)
    assert all(map(_is_for_people, refusals))
    asking = None if ask is None else asyncio.ensure_future(ask(client))
    lost: list[Offline] = []
    received: Counter[str] = Counter()
    stored: set[str] = set()
    async for event in client:
        match event:
            case MessageReceived(message):
                received[message.text] += 1
            case MessageStored(cid=cid):
                stored.add(cid)
            case Offline():
                lost.append(event)
                assert _is_for_people(event.text)
                assert event.retry_in_s is not None
            case _:
                assert len(client.online_users) <= MAX_USERS
        went = bool(lost or refusals) or not mode.ends
        if went and received[f"after {mode.name}"] and "waiting" in stored:
            break
    assert received["two"] == received[f"after {mode.name}"] == 1
    assert received["one"] <= 1
    if asking is not None:
        await asking
    times = len(refusals) + len(lost)
    if mode.slow:
        assert times >= 1  # an honest server may be too slow for somebody so impatient
    elif mode.ends is not None:
        assert times == (1 if mode.ends else 0)
    return lost


@pytest.mark.parametrize("mode", [*GREETINGS, *LIES], ids=lambda mode: mode.name)
def test_a_server_that_lies_costs_no_message_and_no_name(mode: Mode) -> None:
    async def scenario() -> None:
        server, _ = await _outlive(mode)
        assert mode.slow or len(server.hellos) <= 2

    run(scenario())


async def _read_everything(client: Client) -> None:
    """Read all pages, as a program does that saves a conversation."""
    before, more = None, True
    while more:
        page = await client.history_page("bob", before=before, limit=2)
        more = page.more
        before = page.messages[0].id if page.messages else before


@pytest.mark.parametrize("mode", PAGES, ids=lambda mode: mode.name)
def test_a_page_that_goes_no_further_ends_the_reading_with_a_sentence(mode: Mode) -> None:
    async def ask(client: Client) -> None:
        with pytest.raises(RequestFailed) as failed:
            await _read_everything(client)
        assert _is_for_people(failed.value.text)

    async def scenario() -> None:
        server, _ = await _outlive(mode, ask)
        assert sum(isinstance(frame, HistoryQuery) for frame in server.heard) <= 2
        assert sum(isinstance(frame, Hello) for frame in server.heard) <= 2

    run(scenario())


@pytest.mark.parametrize("mode", CHATS, ids=lambda mode: mode.name)
def test_a_list_of_chats_that_cannot_be_is_no_answer(mode: Mode) -> None:
    async def ask(client: Client) -> None:
        if not mode.ends:
            await client.chats()
            return
        with pytest.raises(RequestFailed) as failed:
            await client.chats()
        assert _is_for_people(failed.value.text)

    async def scenario() -> None:
        await _outlive(mode, ask)

    run(scenario())


def test_a_server_that_always_breaks_the_protocol_is_asked_with_pauses() -> None:
    """Every connection costs a pause, and one request is made on each."""

    async def scenario() -> None:
        async with LyingServer() as server:
            server.modes += [LIES[5]] * 5
            client = Client(server.address, "alice", timers=QUICK, device="test")
            await client.connect()
            pauses = []
            async for event in client:
                if isinstance(event, Offline):
                    pauses.append(event.retry_in_s or 0)
                if len(server.hellos) == 6:
                    break
            await client.close()
            assert len(pauses) == 5
            assert all(pause >= QUICK.retry_first / 2 for pause in pauses)

    run(scenario())
