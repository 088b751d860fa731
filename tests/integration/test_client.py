"""The client library with the real server, in both of its ways to serve, over real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from ipaddress import IPv4Network
from pathlib import Path
from random import Random
from typing import Final, TypeVar

import pytest

from tests.unit.client.scripted import QUICK, next_of, rest_of
from tests.unit.client.scripted import run as run_on_asyncio
from tests.unit.client.scripted import run_on_fast_loop as run
from twocans.client import (
    CaughtUp,
    Client,
    ConnectFailed,
    Loss,
    MemoryTokens,
    MessageNotSent,
    MessageReceived,
    MessageRefused,
    MessageStored,
    Offline,
    Online,
    PeerTyping,
    ReadElsewhere,
    ReceiptMoved,
    RequestFailed,
    Tokens,
    UserJoined,
    UserLeft,
)
from twocans.client.codes import ErrorCode
from twocans.hub.limits import Limits
from twocans.server.runtime import Server
from twocans.server.settings.config import Concurrency, Config, HistoryMode

_T = TypeVar("_T")
_CHUNK: Final = 4096
_PASSWORD: Final = "correct horse battery"


@pytest.fixture(params=list(Concurrency), ids=lambda mode: mode.value)
def concurrency(request: pytest.FixtureRequest) -> Concurrency:
    mode = request.param
    assert isinstance(mode, Concurrency)
    return mode


@asynccontextmanager
async def serving(
    concurrency: Concurrency,
    *,
    limits: Limits | None = None,
    history: HistoryMode = HistoryMode.ON,
    port: int = 0,
    data: Path | None = None,
    deny: tuple[IPv4Network, ...] = (),
) -> AsyncIterator[Server]:
    config = Config(
        host="127.0.0.1",
        port=port,
        data=data,
        concurrency=concurrency,
        history=history,
        limits=limits or Limits(),
        deny=deny,
    )
    server = Server(config)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def at(server: Server, user: str, *, tokens: Tokens | None = None, secret: str | None = None) -> Client:
    return Client(f"127.0.0.1:{server.port}", user, timers=QUICK, tokens=tokens, secret=secret)


async def finished(*scenarios: Coroutine[None, None, _T]) -> list[_T]:
    return list(await asyncio.gather(*scenarios))


def test_two_people_chat(concurrency: Concurrency) -> None:
    async def scenario() -> None:
        async with serving(concurrency) as server, at(server, "alice") as alice, at(server, "bob") as bob:
            assert await next_of(alice, UserJoined) == UserJoined("bob")
            assert [alice.online_users, bob.online_users] == [("alice", "bob")] * 2
            stored = await alice.send("bob", "hello: there\r\nbob 👋")
            received = (await next_of(bob, MessageReceived)).message
            assert (received.id, received.cid, received.at) == (stored.id, stored.cid, stored.at)
            assert (received.sender, received.text) == ("alice", "hello: there\nbob 👋")
            bob.commit()
            assert (await next_of(alice, ReceiptMoved)).delivered >= stored.id
            bob.mark_read("alice", received.id)
            await next_of(alice, ReceiptMoved, lambda receipt: receipt.read == stored.id)
            bob.typing("alice")
            assert await next_of(alice, PeerTyping) == PeerTyping("bob")
            await bob.close()
            assert await next_of(alice, UserLeft) == UserLeft("bob")
            assert "bob" not in alice.online_users

    run(scenario())


@pytest.mark.parametrize("loop", [run, run_on_asyncio], ids=["uvloop", "asyncio"])
def test_who_is_not_let_in_is_told_why_though_there_is_no_encryption_yet(
    concurrency: Concurrency, loop: Callable[[Coroutine[None, None, None]], None]
) -> None:
    async def scenario() -> None:
        async with serving(concurrency, deny=(IPv4Network("127.0.0.0/8"),)) as server:
            with pytest.raises(ConnectFailed) as denied:
                await at(server, "alice").connect()
            assert denied.value.loss is Loss.REFUSED
            assert "doesn't accept connections from your network" in denied.value.text
        async with (
            serving(concurrency, limits=Limits(max_connections_per_address=1)) as server,
            at(server, "alice"),
        ):
            with pytest.raises(ConnectFailed) as crowded:
                await at(server, "bob").connect()
            assert "too many connections" in crowded.value.text

    loop(scenario())


def test_a_plain_client_joins_in(concurrency: Concurrency) -> None:
    async def scenario() -> None:
        async with serving(concurrency) as server, at(server, "alice") as alice:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"bob\nMSG: alice: hi\n")
            assert (await next_of(alice, MessageReceived)).message.text == "hi"
            await alice.send("bob", "one\ntwo")
            lines = [await reader.readline() for _ in range(3)]
            assert lines[1:] == [b"MSG: alice: one\n", b"MSG: alice: two\n"]
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    run(scenario())


@pytest.mark.parametrize(
    ("user", "code"),
    [
        ("alice", ErrorCode.NAME_TAKEN),
        ("ALICE", ErrorCode.NAME_TAKEN),
        ("a b", ErrorCode.NAME_INVALID),
        ("server", ErrorCode.NAME_RESERVED),
    ],
)
def test_a_refused_name_is_told(concurrency: Concurrency, user: str, code: ErrorCode) -> None:
    async def scenario() -> None:
        async with serving(concurrency) as server, at(server, "alice"):
            with pytest.raises(ConnectFailed) as caught:
                await at(server, user).connect()
            assert (caught.value.loss, caught.value.code) == (Loss.REFUSED, code)
            assert caught.value.text.endswith(".")

    run(scenario())


def test_a_full_server_is_told_in_its_own_words(concurrency: Concurrency) -> None:
    async def scenario() -> None:
        async with serving(concurrency, limits=Limits(max_connections=1)) as server, at(server, "alice"):
            with pytest.raises(ConnectFailed) as caught:
                await at(server, "bob").connect()
            assert caught.value.loss is Loss.REFUSED
            assert "full" in caught.value.text

    run(scenario())


def test_messages_that_cannot_be_delivered_are_refused(concurrency: Concurrency) -> None:
    async def scenario() -> None:
        limits = Limits(max_text_bytes=100)
        async with serving(concurrency, limits=limits) as server, at(server, "alice") as alice:
            with pytest.raises(MessageNotSent) as caught:
                await alice.send("nobody", "hello")
            assert caught.value.code == ErrorCode.NO_SUCH_USER
            with pytest.raises(MessageNotSent) as caught:
                await alice.send("alice", "x" * 101)
            assert caught.value.code == ErrorCode.TOO_LONG
            refused = await next_of(alice, MessageRefused)
            assert refused.to == "nobody"
            assert alice.pending == ()
            assert alice.connected

    run(scenario())


def test_looking_back(concurrency: Concurrency) -> None:
    async def scenario() -> None:
        async with serving(concurrency) as server, at(server, "alice") as alice, at(server, "bob") as bob:
            ids = [(await alice.send("bob", f"message {number}")).id for number in range(5)]
            page = await bob.history_page("alice", limit=3)
            assert [one.id for one in page.messages] == ids[2:]
            assert page.more
            page = await bob.history_page("alice", before=ids[2])
            assert [one.id for one in page.messages] == ids[:2]
            assert not page.more
            found = await bob.search_page("message")
            assert [one.id for one in found.messages] == ids[::-1]
            [chat] = await bob.chats()
            assert (chat.peer, chat.last.id, chat.unread) == ("alice", ids[-1], 5)
            assert await bob.find_users("AL") == ("alice",)
            with pytest.raises(RequestFailed) as caught:
                await bob.history_page("nobody")
            assert caught.value.code == ErrorCode.NO_SUCH_USER
            with pytest.raises(RequestFailed) as caught:
                await bob.history_page("alice", limit=0)
            assert caught.value.code == ErrorCode.BAD_REQUEST

    run(scenario())


def test_a_message_to_oneself_is_stored_once(concurrency: Concurrency) -> None:
    async def scenario() -> None:
        async with serving(concurrency) as server, at(server, "alice") as alice:
            await alice.send("alice", "note")
            await alice.send("alice", "another")
            await alice.close()
            events = await rest_of(alice)
            assert len([event for event in events if isinstance(event, MessageStored)]) == 2
            assert not [event for event in events if isinstance(event, MessageReceived)]

    run(scenario())


def test_another_device_of_the_same_person_sees_what_this_one_sends(concurrency: Concurrency) -> None:
    async def scenario() -> None:
        async with serving(concurrency) as server, at(server, "alice") as phone, at(server, "bob") as bob:
            code = (await phone.new_code()).code
            async with at(server, "alice", secret=code) as laptop:
                await next_of(laptop, CaughtUp)
                assert [one.this for one in (await laptop.devices()).devices] == [False, True]
                stored = await phone.send("bob", "from the phone")
                for device in (laptop, bob):
                    message = (await next_of(device, MessageReceived)).message
                    assert (message.id, message.sender) == (stored.id, "alice")
                answered = await bob.send("alice", "for both")
                for device in (phone, laptop):
                    await next_of(device, MessageReceived, lambda event: event.message.id == answered.id)
                laptop.mark_read("bob", answered.id)
                assert await next_of(phone, ReadElsewhere) == ReadElsewhere("bob", answered.id)

    run(scenario())


def test_a_server_that_restarts_is_found_again_and_gets_what_waited(
    concurrency: Concurrency, tmp_path: Path
) -> None:
    async def scenario() -> None:
        off = HistoryMode.OFF
        async with serving(concurrency, history=off, data=tmp_path) as server:
            port = server.port
            alice, bob = at(server, "alice"), at(server, "bob")
            await finished(alice.connect(), bob.connect())
            await alice.send("bob", "before")
        for client in (alice, bob):
            offline = await next_of(client, Offline)
            assert offline.loss is Loss.SERVER_CLOSED
            assert offline.retry_in_s is not None
        assert alice.online_users == ()
        async with serving(concurrency, history=off, data=tmp_path, port=port):
            await next_of(bob, Online)
            delivering = asyncio.create_task(alice.send("bob", "after"))
            online = await next_of(alice, Online)
            assert online.fresh
            stored = await delivering
            received = await next_of(bob, MessageReceived, lambda event: event.message.text == "after")
            assert received.message.id == stored.id
            await finished(alice.close(), bob.close())

    run(scenario())


def test_what_waited_for_somebody_who_was_away_comes_when_they_are_back(concurrency: Concurrency) -> None:
    async def scenario() -> None:
        async with serving(concurrency) as server, at(server, "alice") as alice:
            tokens = MemoryTokens()
            bob = at(server, "bob", tokens=tokens)
            await bob.connect()
            await bob.close()
            ids = [(await alice.send("bob", f"{number}")).id for number in range(3)]
            async with at(server, "bob", tokens=tokens) as bob:
                assert [(await next_of(bob, MessageReceived)).message.id for _ in range(3)] == ids
                await next_of(bob, CaughtUp)

    run(scenario())


def test_a_device_that_is_cut_off_is_told_and_cannot_come_back_without_a_code(
    concurrency: Concurrency,
) -> None:
    async def scenario() -> None:
        async with serving(concurrency) as server, at(server, "alice") as phone:
            tokens = MemoryTokens()
            laptop = at(server, "alice", tokens=tokens, secret=(await phone.new_code()).code)
            await laptop.connect()
            (other,) = [one for one in (await phone.devices()).devices if not one.this]
            left = await phone.revoke(other.id)
            assert [one.this for one in left.devices] == [True]
            offline = (await rest_of(laptop))[-1]
            assert isinstance(offline, Offline)
            assert (offline.loss, offline.retry_in_s) == (Loss.REVOKED, None)
            await laptop.close()
            with pytest.raises(ConnectFailed) as caught:
                await at(server, "alice", tokens=tokens).connect()
            assert caught.value.needs == "secret"

    run(scenario())


def test_a_device_signs_out_and_keeps_nothing_to_come_back_by(concurrency: Concurrency) -> None:
    async def scenario() -> None:
        async with serving(concurrency) as server:
            tokens = MemoryTokens()
            phone = at(server, "alice", tokens=tokens)
            await phone.connect()
            with pytest.raises(RequestFailed) as refused:
                await phone.sign_out()
            assert refused.value.code == ErrorCode.LAST_DEVICE
            await phone.set_password(_PASSWORD)
            await phone.sign_out()
            offline = (await rest_of(phone))[-1]
            assert isinstance(offline, Offline)
            assert (offline.loss, offline.retry_in_s) == (Loss.SIGNED_OUT, None)
            await phone.close()
            with pytest.raises(ConnectFailed) as caught:
                await at(server, "alice", tokens=tokens).connect()
            assert (caught.value.code, caught.value.needs) == (ErrorCode.NAME_TAKEN, "secret")

    run(scenario())


def test_a_password_is_another_way_in(concurrency: Concurrency) -> None:
    async def scenario() -> None:
        async with serving(concurrency) as server, at(server, "alice") as phone:
            assert (await phone.set_password(_PASSWORD)).password
            with pytest.raises(ConnectFailed) as caught:
                await at(server, "alice", secret=_PASSWORD[::-1]).connect()
            assert caught.value.code == ErrorCode.AUTH_FAILED
            async with at(server, "alice", secret=_PASSWORD) as laptop:
                assert len((await laptop.devices()).devices) == 2

    run(scenario())


def test_a_kicked_client_is_told_and_stays_away(concurrency: Concurrency) -> None:
    async def scenario() -> None:
        async with serving(concurrency) as server, at(server, "alice") as alice:
            assert server.hub.kick("alice", "enough")
            offline = (await rest_of(alice))[-1]
            assert isinstance(offline, Offline)
            assert (offline.loss, offline.retry_in_s) == (Loss.KICKED, None)
            assert "enough" in offline.text

    run(scenario())


def test_a_fast_sender_is_slowed_down_and_loses_nothing(concurrency: Concurrency) -> None:
    async def scenario() -> None:
        limits = Limits(rate_per_s=400.0, burst_s=0.1)
        async with (
            serving(concurrency, limits=limits) as server,
            at(server, "alice") as alice,
            at(server, "bob") as bob,
        ):
            for number in range(200):
                alice.enqueue("bob", str(number))
            texts = [(await next_of(bob, MessageReceived)).message.text for _ in range(200)]
            assert texts == [str(number) for number in range(200)]

    run(scenario())


class _Cuts(Random):
    """Where the wire breaks; the same places for the same seed."""


class _BadWire:
    """A wire to a server that breaks again and again, anywhere in the bytes.

    Args:
        port: the server's.
        cuts: how many times it breaks before it holds.
        chance: says where.
    """

    def __init__(self, port: int, *, cuts: int, chance: Random) -> None:
        self._port = port
        self._cuts = cuts
        self._chance = chance
        self.broken = 0
        self.port = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        listening = await asyncio.start_server(self._carry, "127.0.0.1", 0, family=socket.AF_INET)
        self.port = listening.sockets[0].getsockname()[1]
        try:
            yield f"127.0.0.1:{self.port}"
        finally:
            listening.close()

    async def _carry(self, client_reader: asyncio.StreamReader, client_writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._port)
        ways = [(client_reader, server_writer), (server_reader, client_writer)]
        breaks_after: list[int | None] = [None, None]
        if self._cuts:
            self._cuts -= 1
            # The first connection has to come about, which takes the whole WELCOME.
            breaks_after = [self._chance.randint(1000, 9000), self._chance.randint(1000, 9000)]
        tasks = [
            asyncio.create_task(_relay(*way, limit)) for way, limit in zip(ways, breaks_after, strict=True)
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            self.broken += 1
        finally:
            for task in tasks:
                task.cancel()
            for writer in (client_writer, server_writer):
                writer.transport.abort()


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int | None) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(_CHUNK):
            part = chunk if limit is None else chunk[:limit]
            writer.write(part)
            await writer.drain()
            if limit is not None:
                limit -= len(part)
                if limit <= 0:
                    return


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_and_nothing_comes_twice_over_a_wire_that_breaks(
    concurrency: Concurrency, seed: int
) -> None:
    async def scenario() -> None:
        total = 300
        chance = _Cuts(seed)
        async with serving(concurrency, limits=Limits(rate_per_s=0)) as server:
            sending = _BadWire(server.port, cuts=10, chance=chance)
            receiving = _BadWire(server.port, cuts=10, chance=chance)
            async with sending.open() as to_alice, receiving.open() as to_bob:
                alice = Client(to_alice, "alice", timers=QUICK, random=chance)
                bob = Client(to_bob, "bob", timers=QUICK, random=chance)
                await finished(alice.connect(), bob.connect())

                async def send() -> list[str]:
                    cids = [alice.enqueue("bob", f"{number} " + "x" * number) for number in range(total)]
                    stored = [await next_of(alice, MessageStored) for _ in range(total)]
                    assert [one.cid for one in stored] == cids
                    return cids

                async def receive() -> list[str]:
                    messages = [(await next_of(bob, MessageReceived)).message for _ in range(total)]
                    ids = [one.id for one in messages]
                    assert ids == sorted(set(ids))
                    return [one.cid for one in messages]

                sent, received = await finished(send(), receive())
                assert received == sent
                await bob.send("alice", "done")
                assert (await next_of(alice, MessageReceived)).message.text == "done"
                assert sending.broken + receiving.broken >= 5
                assert (alice.pending, bob.pending) == ((), ())
                await finished(alice.close(), bob.close())
                left = [event for event in await rest_of(bob) if isinstance(event, MessageReceived)]
                assert left == []

    run(scenario())
