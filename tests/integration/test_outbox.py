"""Messages of a client that has ended reach their people once, when a later one starts with the same outbox."""

from __future__ import annotations

from pathlib import Path

from tests.unit.client.scripted import QUICK, next_of
from tests.unit.client.scripted import run_on_fast_loop as run
from twocans.client import (
    Address,
    Client,
    MemoryTokens,
    MessageReceived,
    MessageStored,
    Outgoing,
    SqliteOutbox,
)
from twocans.server.runtime import Server
from twocans.server.settings.config import Config


def test_message_written_without_a_connection_is_sent_by_the_next_program(tmp_path: Path) -> None:
    async def scenario() -> None:
        server = Server(Config(host="127.0.0.1", port=0, data=tmp_path))
        await server.start()
        where = Address("127.0.0.1", server.port)
        async with Client(where, "bob", timers=QUICK) as bob:
            first = SqliteOutbox(tmp_path / "o.db", where, "alice")
            cid = Client(where, "alice", outbox=first).enqueue("bob", "from the first program")
            first.close()
            second = SqliteOutbox(tmp_path / "o.db", where, "alice")
            async with Client(where, "alice", timers=QUICK, outbox=second) as alice:
                stored = await next_of(alice, MessageStored)
                assert stored.cid == cid
                assert alice.pending == ()
            received = await next_of(bob, MessageReceived)
            assert received.message.text == "from the first program"
            second.close()
        await server.stop()

    run(scenario())


def test_message_whose_acknowledgement_was_lost_with_the_program_is_stored_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        server = Server(Config(host="127.0.0.1", port=0, data=tmp_path))
        await server.start()
        where = Address("127.0.0.1", server.port)
        async with Client(where, "bob", timers=QUICK) as bob:
            tokens = MemoryTokens()
            box = SqliteOutbox(tmp_path / "o.db", where, "alice")
            async with Client(where, "alice", timers=QUICK, outbox=box, tokens=tokens) as alice:
                first = await alice.send("bob", "once")
            # As if the program had been killed before it could note the acknowledgement.
            assert not box.pending()
            box.add(Outgoing(first.cid, first.to, first.text))
            async with Client(where, "alice", timers=QUICK, outbox=box, tokens=tokens) as alice:
                again = await next_of(alice, MessageStored)
                assert (again.cid, again.id) == (first.cid, first.id)
                history = await alice.history_page("bob")
            assert [one.text for one in history.messages] == ["once"]
            assert (await next_of(bob, MessageReceived)).message.id == first.id
            box.close()
        await server.stop()

    run(scenario())
