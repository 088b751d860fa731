"""What the client library makes easy, with the real server: whole conversations, and an outbox that is drained."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.client.scripted import QUICK, ScriptedServer, run, until
from tests.unit.client.sessions import message
from twocans.client import Client, ErrorCode, MessageNotSent, RequestFailed
from twocans.protocol.messages import Ack, Error, History, HistoryQuery
from twocans.server.runtime import Server
from twocans.server.settings.config import Config


def test_history_and_search_are_iterated_over_newest_first_over_all_pages() -> None:
    async def scenario() -> None:
        server = Server(Config(host="127.0.0.1", port=0))
        await server.start()
        where = f"127.0.0.1:{server.port}"
        async with Client(where, "alice", timers=QUICK) as alice, Client(where, "bob", timers=QUICK):
            for number in range(230):
                alice.enqueue("bob", f"message {number}")
            await alice.drain()
            assert alice.pending == ()
            newest = [f"message {number}" for number in reversed(range(230))]
            assert [one.text async for one in alice.history("bob")] == newest
            middle = next(one for one in (await alice.history_page("bob")).messages)
            older = [one.text async for one in alice.history("bob", before=middle.id)]
            assert older == newest[newest.index(middle.text) + 1 :]
            assert [one.text async for one in alice.search("message", peer="bob")] == newest
            assert [one.text async for one in alice.search("nothing")] == []
            async for one in alice.history("bob"):
                assert one.text == "message 229"
                break
            with pytest.raises(RequestFailed) as nobody:
                await anext(alice.history("nobody"))
            assert nobody.value.code is ErrorCode.NO_SUCH_USER
        await server.stop()

    run(scenario())


@pytest.mark.parametrize("ids", [[5, 6], [], [7]], ids=["the same", "nothing", "newer"])
def test_history_whose_pages_do_not_go_further_is_an_error(ids: list[int]) -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            conversation = await server.let_in(client)

            async def answer() -> None:
                for page in ([5, 6], ids):
                    query = await conversation.hear()
                    assert isinstance(query, HistoryQuery)
                    messages = [message(id_) for id_ in page]
                    conversation.say(History(rid=query.rid, messages=messages, more=True))

            answering = asyncio.create_task(answer())
            found: list[int] = []

            async def read() -> None:
                async for one in client.history("bob"):
                    found.append(one.id)  # noqa: PERF401 - those before the error are wanted

            with pytest.raises(RequestFailed, match="not understood"):
                await read()
            assert found == [6, 5]
            await answering
            await client.close()

    run(scenario())


def test_drain_ends_when_the_last_message_is_stored_or_refused() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            await client.drain()
            for cid in ("c1", "c2"):
                client.enqueue("bob", "hello", cid=cid)
            draining = [asyncio.create_task(client.drain()) for _ in range(2)]
            conversation = await server.let_in(client)
            conversation.say(Ack(cid="c1", id=3, at=30))
            await until(lambda: len(client.pending) == 1)
            assert not any(drain.done() for drain in draining)
            conversation.say(Error(code="no_such_user", text="Nobody.", cid="c2"))
            await asyncio.gather(*draining)
            await client.close()

    run(scenario())


def test_drain_of_a_client_that_is_closed_says_so() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            await server.let_in(client)
            client.enqueue("bob", "hello")
            draining = asyncio.create_task(client.drain())
            await asyncio.sleep(0)
            await client.close()
            for waiting in (draining, client.drain()):
                with pytest.raises(MessageNotSent) as closed:
                    await waiting
                assert closed.value.code is ErrorCode.CLOSED

    run(scenario())
