"""A program with a folder goes on with the event that it was working on, and replies to each message once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.unit.client.scripted import QUICK, ScriptedServer, next_of, rest_of
from tests.unit.client.scripted import run_on_fast_loop as run
from tests.unit.client.sessions import message
from twocans.client import (
    CaughtUp,
    Client,
    ConnectFailed,
    FolderInUse,
    MemoryOutbox,
    MessageNotSent,
    MessageReceived,
    OutboxUnusable,
    Position,
    ReceiptMoved,
)
from twocans.client.codes import ErrorCode
from twocans.server.runtime import Server
from twocans.server.settings.config import Config


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[str]:
    (folder / "server").mkdir()
    server = Server(Config(host="127.0.0.1", port=0, data=folder / "server"))
    await server.start()
    try:
        yield f"127.0.0.1:{server.port}"
    finally:
        await server.stop()


def bot(where: str, folder: Path) -> Client:
    return Client(where, "bot", timers=QUICK, folder=folder / "bot")


async def texts(client: Client) -> list[str]:
    """The texts of what the client is given until it has caught up; it is done with all of it."""
    found = []
    async for event in client:
        if isinstance(event, MessageReceived):
            found.append(event.message.text)
        elif isinstance(event, CaughtUp):
            break
    client.commit()
    return found


def test_event_that_the_program_was_working_on_comes_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as where, Client(where, "alice", timers=QUICK) as alice:
            async with bot(where, tmp_path) as client:
                assert await texts(client) == []
                for number in range(4):
                    await alice.send("bot", f"{number}")
                await next_of(client, MessageReceived, lambda event: event.message.text == "2")
            async with bot(where, tmp_path) as client:
                assert await texts(client) == ["2", "3"]
            async with bot(where, tmp_path) as client:
                assert await texts(client) == []

    run(scenario())


def test_other_device_that_is_further_takes_nothing_from_the_program(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as where, Client(where, "alice", timers=QUICK) as alice:
            async with bot(where, tmp_path) as client:
                code = (await client.new_code()).code
            await alice.send("bot", "for both")
            async with bot(where, tmp_path) as client:
                await next_of(client, MessageReceived)
            async with Client(where, "bot", timers=QUICK, secret=code) as other:
                assert await texts(other) == ["for both"]
                await next_of(alice, ReceiptMoved)
            async with bot(where, tmp_path) as client:
                assert await texts(client) == ["for both"]

    run(scenario())


def test_program_that_keeps_nothing_gets_what_it_was_not_done_with_as_well(tmp_path: Path) -> None:
    """The server hears that a message is delivered when the program is done with it, not when it has arrived."""

    async def scenario() -> None:
        async with serving(tmp_path) as where, Client(where, "alice", timers=QUICK) as alice:
            client = Client(where, "bot", timers=QUICK)
            await client.connect()
            tokens = client._credentials._tokens
            await alice.send("bot", "1")
            await alice.send("bot", "2")
            await next_of(client, MessageReceived, lambda event: event.message.text == "2")
            await client.close()
            async with Client(where, "bot", timers=QUICK, tokens=tokens) as again:
                assert await texts(again) == ["2"]

    run(scenario())


def test_reply_ends_the_work_on_a_message_and_is_stored_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as where, Client(where, "alice", timers=QUICK) as alice:
            async with bot(where, tmp_path) as client:
                await texts(client)
                await alice.send("bot", "hello")
                asked = (await next_of(client, MessageReceived)).message
                stored = await client.reply(asked, "hello to you")
                assert (stored.to, stored.text) == ("alice", "hello to you")
                assert client.position.after == asked.id
                assert await client.reply(asked, "hello to you") == stored
                with pytest.raises(MessageNotSent) as other:
                    await client.reply(asked, "something else")
                assert other.value.code == ErrorCode.CONFLICT
            async with bot(where, tmp_path) as client:
                assert "hello" not in await texts(client)
            history = (await alice.history_page("bot")).messages
            assert [one.text for one in history] == ["hello", "hello to you"]

    run(scenario())


def test_reply_to_ones_own_message_from_another_device_goes_to_the_same_person(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            serving(tmp_path) as where,
            Client(where, "alice", timers=QUICK),
            bot(where, tmp_path) as one,
        ):
            code = (await one.new_code()).code
            async with Client(where, "bot", timers=QUICK, secret=code) as other:
                await other.send("alice", "from the other device")
                stored = await one.reply((await next_of(one, MessageReceived)).message, "indeed")
                assert stored.to == "alice"

    run(scenario())


def test_reply_that_is_refused_does_not_end_the_work(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as where, Client(where, "alice", timers=QUICK) as alice:
            async with bot(where, tmp_path) as client:
                await texts(client)
                await alice.send("bot", "hello")
                asked = (await next_of(client, MessageReceived)).message
                with pytest.raises(MessageNotSent) as empty:
                    await client.reply(asked, " ")
                assert empty.value.code == ErrorCode.EMPTY
            async with bot(where, tmp_path) as client:
                assert await texts(client) == ["hello"]

    run(scenario())


def test_reply_waits_in_the_outbox_for_the_next_run(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = Client(server.address, "alice", timers=QUICK, folder=tmp_path / "bot", device="test")
            conversation = await server.let_in(client)
            conversation.say(message(3))
            asked = (await next_of(client, MessageReceived)).message
            await client.close()
            with pytest.raises(MessageNotSent):
                await client.reply(asked, "too late")
            client = Client(server.address, "alice", timers=QUICK, folder=tmp_path / "bot", device="test")
            assert client.position.after == 0
            conversation = await server.let_in(client)
            conversation.say(message(3))
            asked = (await next_of(client, MessageReceived)).message
            replying = client.reply(asked, "in time")
            replying.send(None)  # up to where it waits for the server
            replying.close()
            await client.close()
            client = Client(server.address, "alice", timers=QUICK, folder=tmp_path / "bot")
            assert [one.text for one in client.pending] == ["in time"]
            assert client.position.after == 3
            await client.close()

    run(scenario())


def test_what_is_given_out_after_closing_comes_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as where, Client(where, "alice", timers=QUICK) as alice:
            async with bot(where, tmp_path) as client:
                await texts(client)
                await alice.send("bot", "1")
                await alice.send("bot", "2")
                await next_of(client, MessageReceived)
            await rest_of(client)
            async with bot(where, tmp_path) as client:
                assert await texts(client) == ["1", "2"]

    run(scenario())


def test_folder_serves_one_client_at_a_time(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as where:
            async with bot(where, tmp_path):
                with pytest.raises(FolderInUse, match="Another program uses"):
                    bot(where, tmp_path)
                async with Client(where, "other", timers=QUICK, folder=tmp_path / "bot"):
                    pass
            failing = Client(where, "no name!", timers=QUICK, folder=tmp_path / "bot")
            for _ in range(2):
                with pytest.raises((ConnectFailed, RuntimeError)):
                    async with failing:
                        pass
            await Client(where, "no name!", folder=tmp_path / "bot").close()

    run(scenario())


def test_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutboxUnusable, match="cannot be used"):
        Client("localhost", "bot", folder=tmp_path / "file")
    (tmp_path / "outbox.db").write_bytes(b"not a database" * 100)
    for _ in range(2):
        with pytest.raises(OutboxUnusable, match="not a database"):
            Client("localhost", "bot", folder=str(tmp_path))


def test_folder_and_a_place_of_ones_own_exclude_each_other(tmp_path: Path) -> None:
    for own in ({"outbox": MemoryOutbox()}, {"position": Position()}):
        with pytest.raises(ValueError, match="of its own"):
            Client("localhost", "bot", folder=tmp_path, **own)
