"""A connected client over real sockets: messages, questions, losses, and programs or servers that are slow."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.unit.client.scripted import QUICK, ScriptedServer, next_of, rest_of, run, until
from tests.unit.client.sessions import TOKEN, message, welcome
from twocans.client import (
    CaughtUp,
    Loss,
    MessageNotSent,
    MessageReceived,
    MessageRefused,
    MessageStored,
    Offline,
    Online,
    Page,
    RequestFailed,
    Timers,
    UserJoined,
    driver,
)
from twocans.client.codes import ErrorCode
from twocans.client.driver import MAX_EVENTS, MAX_EVENTS_AWAITED
from twocans.client.sending import MAX_IN_FLIGHT
from twocans.protocol.errors import Code
from twocans.protocol.messages import (
    Ack,
    Bye,
    Chats,
    Error,
    Found,
    Goodbye,
    Got,
    Hello,
    History,
    HistoryQuery,
    Joined,
    LimitsInForce,
    Ping,
    Pong,
    Results,
    SearchQuery,
    Send,
    Synced,
)


def test_a_delivered_message_is_stored() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            conversation = await server.let_in(client)
            delivering = asyncio.create_task(client.send("bob", "hello"))
            sent = await conversation.hear()
            assert isinstance(sent, Send)
            assert [waiting.cid for waiting in client.pending] == [sent.cid]
            conversation.say(Ack(cid=sent.cid, id=4, at=40))
            stored = await delivering
            assert stored == MessageStored(sent.cid, "bob", "hello", 4, 40)
            assert await next_of(client, MessageStored) == stored
            assert client.pending == ()
            await client.close()

    run(scenario())


def test_a_message_that_is_refused_raises_where_it_is_waited_for() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            conversation = await server.let_in(client)
            delivering = asyncio.create_task(client.send("bob", "hello"))
            sent = await conversation.hear()
            assert isinstance(sent, Send)
            conversation.say(Error(code=Code.NO_SUCH_USER, text="Nobody.", cid=sent.cid))
            with pytest.raises(MessageNotSent) as caught:
                await delivering
            assert (caught.value.code, caught.value.text) == (ErrorCode.NO_SUCH_USER, "Nobody.")
            with pytest.raises(MessageNotSent) as caught:
                await client.send("bob", "")
            assert caught.value.code == ErrorCode.EMPTY
            await client.close()

    run(scenario())


def test_delivering_goes_on_over_a_lost_connection() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            conversation = await server.let_in(client)
            delivering = asyncio.create_task(client.send("bob", "hello"))
            sent = await conversation.hear()
            conversation.reset()
            conversation = await server.accept()
            hello = await conversation.greet()
            assert (hello.after, hello.log, hello.token) == (0, "log-1", TOKEN)
            again = await conversation.hear()
            assert again == sent
            assert isinstance(again, Send)
            conversation.say(Ack(cid=again.cid, id=1, at=1))
            assert (await delivering).id == 1
            await client.close()

    run(scenario())


def test_questions_are_answered() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            conversation = await server.let_in(client)
            asking = asyncio.gather(
                client.history_page("bob", before=9, limit=2),
                client.search_page("hi", peer="bob"),
                client.chats(),
                client.find_users("b"),
                client.find_users("x"),
                return_exceptions=True,
            )
            asked = [await conversation.hear() for _ in range(5)]
            assert asked[0] == HistoryQuery(peer="bob", rid=1, before=9, limit=2)
            assert asked[1] == SearchQuery(query="hi", rid=2, peer="bob")
            conversation.say(
                Error(code=Code.BAD_REQUEST, text="No.", rid=5),
                Found(rid=4, users=["bob"]),
                Chats(rid=3, chats=[]),
                Results(rid=2, messages=[], more=False),
                History(rid=1, messages=[message(7), message(8)], more=True),
            )
            page, found, chats, people, refused = await asking
            assert page == Page((message(7), message(8)), more=True)
            assert found == Page((), more=False)
            assert chats == ()
            assert people == ("bob",)
            assert isinstance(refused, RequestFailed)
            assert refused.code == ErrorCode.BAD_REQUEST
            await client.close()

    run(scenario())


def test_an_answer_of_the_wrong_kind_is_a_failure() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            conversation = await server.let_in(client)
            asking = asyncio.create_task(client.chats())
            await conversation.hear()
            conversation.say(Found(rid=1, users=[]))
            with pytest.raises(RequestFailed):
                await asking
            await client.close()

    run(scenario())


def test_a_question_fails_when_the_connection_is_lost_and_while_there_is_none() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            conversation = await server.let_in(client)
            asking = asyncio.create_task(client.chats())
            await conversation.hear()
            await server.shut()
            await conversation.close()
            with pytest.raises(RequestFailed) as caught:
                await asking
            assert caught.value.code == "offline"
            with pytest.raises(RequestFailed):
                await client.history_page("bob")
            assert client.online_users == ()
            await client.close()

    run(scenario())


@pytest.mark.parametrize("how", ["close", "reset", "stopping"])
def test_a_lost_connection_comes_back_by_itself(how: str) -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            conversation = await server.let_in(client)
            conversation.say(message(5))
            await next_of(client, MessageReceived)
            if how == "reset":
                conversation.reset()
            elif how == "close":
                await conversation.close()
            else:
                conversation.say(Goodbye(reason="server_stopping", text="Stopping."))
            offline = await next_of(client, Offline)
            assert offline.loss is (Loss.SERVER_CLOSED if how == "stopping" else Loss.LOST)
            assert offline.retry_in_s is not None
            hello = await (await server.accept()).greet(welcome(last=5))
            assert (hello.user, hello.after, hello.log, hello.token) == ("alice", 5, "log-1", TOKEN)
            online = await next_of(client, Online)
            assert not online.fresh
            assert await next_of(client, CaughtUp) == CaughtUp(5)
            await client.close()

    run(scenario())


def test_pauses_grow_while_the_server_is_away_and_every_failure_is_told() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client(timers=Timers(retry_first=0.01, retry_max=0.04))
            conversation = await server.let_in(client)
            await server.shut()
            await conversation.close()
            told = [await next_of(client, Offline) for _ in range(5)]
            assert told[0].loss is Loss.LOST
            assert {one.loss for one in told[1:]} == {Loss.UNREACHABLE}
            assert {one.text for one in told} == {"Connection lost."}
            pauses = [one.retry_in_s or 0.0 for one in told]
            assert pauses[0] <= 0.01 < 0.02 <= pauses[3] <= 0.04
            await server.open()
            await (await server.accept()).greet()
            await next_of(client, Online)
            await client.close()

    run(scenario())


def test_a_server_that_stopped_is_not_to_be_started_by_whoever_was_connected() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            conversation = await server.let_in(client)
            await server.shut()
            conversation.say(Goodbye(reason="server_stopping", text="Stopping."))
            told = [await next_of(client, Offline) for _ in range(3)]
            assert [one.loss for one in told] == [Loss.SERVER_CLOSED, Loss.UNREACHABLE, Loss.UNREACHABLE]
            assert {one.text for one in told} == {"The server was stopped."}
            await server.open()
            await (await server.accept()).greet()
            await next_of(client, Online)
            await client.close()

    run(scenario())


def test_a_server_that_is_full_after_a_loss_says_so_beside_the_loss() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            await (await server.let_in(client)).close()
            for _ in range(2):
                conversation = await server.accept()
                await conversation.hear()
                conversation.say(Error(code=Code.SERVER_FULL, text="The server is full."))
            await next_of(client, Offline)
            for _ in range(2):
                refused = await next_of(client, Offline)
                assert refused.text == "Connection lost. The server is full."
                assert refused.retry_in_s is not None
            await client.close()

    run(scenario())


def test_a_pause_can_be_skipped_but_only_while_it_lasts() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client(timers=Timers(retry_first=3600, retry_max=3600))
            conversation = await server.let_in(client)
            client.retry_now()
            await server.shut()
            await conversation.close()
            offline = await next_of(client, Offline)
            assert offline.loss is Loss.LOST
            assert offline.retry_in_s is not None
            assert offline.retry_in_s >= 1800
            # An attempt that nobody asked for would fail right now, and be told.
            await asyncio.sleep(0.05)
            await server.open()
            client.retry_now()
            await (await server.accept()).greet()
            assert isinstance(await anext(client), Online)
            await client.close()

    run(scenario())


def test_closing_during_a_pause_ends_the_events() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client(timers=Timers(retry_first=3600, retry_max=3600))
            await (await server.let_in(client)).close()
            await next_of(client, Offline)
            delivering = asyncio.create_task(client.send("bob", "hello"))
            ending = asyncio.create_task(rest_of(client))
            await asyncio.sleep(0)
            await client.close()
            assert await ending == []
            with pytest.raises(MessageNotSent) as caught:
                await delivering
            assert caught.value.code == "closed"
            assert len(client.pending) == 1

    run(scenario())


def test_a_kicked_client_does_not_come_back() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            conversation = await server.let_in(client)
            conversation.say(Goodbye(reason="kicked", text="Out."))
            events = await rest_of(client)
            assert events[-1] == Offline(Loss.KICKED, "Out. You can log in again.", None)
            assert await conversation.hear_all() == []
            with pytest.raises(MessageNotSent):
                client.enqueue("bob", "hello")
            await client.close()

    run(scenario())


def test_a_name_that_was_taken_in_the_meantime_ends_the_client() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            await (await server.let_in(client)).close()
            conversation = await server.accept()
            await conversation.hear()
            conversation.say(Error(code=Code.NAME_TAKEN, text="Taken."))
            events = await rest_of(client)
            assert events[-1] == Offline(Loss.REFUSED, "Connection lost. Taken.", None, ErrorCode.NAME_TAKEN)
            await client.close()

    run(scenario())


def test_a_server_that_falls_silent_is_asked_then_given_up_and_tried_again() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client(timers=Timers(ping_after=0.1, dead_after=1.0, retry_first=0.01))
            conversation = await server.let_in(client)
            assert await conversation.hear() == Ping(n=1)
            offline = await next_of(client, Offline)
            assert offline.loss is Loss.TIMED_OUT
            await (await server.accept()).greet()
            await next_of(client, Online)
            await client.close()

    run(scenario())


def test_a_ping_is_answered_and_got_is_told() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            conversation = await server.let_in(client)
            conversation.say(message(3), Ping(n=5))
            assert await conversation.hear() == Pong(n=5)
            await next_of(client, MessageReceived)
            client.commit()
            assert await conversation.hear() == Got(id=3)
            await client.close()

    run(scenario())


def test_a_program_that_does_not_take_events_slows_the_server_and_misses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Taking events is what makes it go on, and not the next look at the clock.
    monkeypatch.setattr(driver, "LONGEST_TICK_S", 3600.0)

    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client(timers=Timers(connect=3600, ping_after=3600, dead_after=3600))
            conversation = await server.let_in(client)
            conversation.writer.transport.set_write_buffer_limits(high=65536)
            # More than the buffers of both systems hold.
            told = [message(number, text="x" * 8000) for number in range(1, 4001)]
            stalled = False
            for number, frame in enumerate(told):
                conversation.say(frame)
                if number % 100 == 0 and not stalled:
                    try:
                        await asyncio.wait_for(conversation.writer.drain(), 0.5)
                    except TimeoutError:
                        stalled = True
            assert stalled, "everything was read though nobody took it"
            assert [(await next_of(client, MessageReceived)).message.id for _ in told] == [
                one.id for one in told
            ]
            await client.close()

    run(scenario())


def test_events_that_nobody_takes_are_bounded_by_their_texts_and_not_by_their_number() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            conversation = await server.let_in(client)
            conversation.writer.transport.set_write_buffer_limits(high=65536)
            stalled = False
            for number in range(1, 401):
                conversation.say(message(number, text="x" * 100_000))
                try:
                    await asyncio.wait_for(conversation.writer.drain(), 0.5)
                except TimeoutError:
                    stalled = True
                    break
            assert stalled, "everything was read though nobody took it"
            taken = [event for event in client._driver.stream._events if isinstance(event, MessageReceived)]
            # What was read together with the one that reached the limit counts too.
            assert sum(len(event.message.text) for event in taken) < 3_000_000
            await client.close()

    run(scenario())


def test_a_program_that_waits_before_it_takes_events_gets_its_answer() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            conversation = await server.let_in(client)
            asking = asyncio.create_task(client.find_users("b"))
            await conversation.hear()
            for number in range(4 * MAX_EVENTS):
                conversation.say(Joined(user=f"user{number}"))
            conversation.say(Found(rid=1, users=["bob"]))
            assert await asking == ("bob",)
            await client.close()

    run(scenario())


def test_waiting_behind_far_too_many_events_is_given_up() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            conversation = await server.let_in(client)
            asking = asyncio.create_task(client.find_users("b"))
            await conversation.hear()
            for number in range(2 * MAX_EVENTS_AWAITED):
                conversation.say(Joined(user=f"user{number}"))
            with pytest.raises(RequestFailed) as caught:
                await asking
            assert caught.value.code == "busy"
            last = f"user{2 * MAX_EVENTS_AWAITED - 1}"
            await next_of(client, UserJoined, lambda joined: joined.user == last)
            await client.close()

    run(scenario())


def test_a_server_that_does_not_read_does_not_fill_the_clients_memory() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            size = 1 << 20
            roomy = LimitsInForce(line_bytes=2 * size, text_bytes=2 * size, rate=0, burst=0)
            conversation = await server.let_in(client, welcome(limits=roomy))
            conversation.stop_reading()
            for _ in range(50):
                client.enqueue("bob", "x" * size)
            link = client._driver._link
            assert link is not None
            transport = link._transport
            assert transport is not None
            await until(lambda: not link.writable)
            assert transport.get_write_buffer_size() < 2 * size
            assert len(client.pending) == 50
            await conversation.close()
            await next_of(client, Offline)
            await client.close()

    run(scenario())


def test_a_server_that_does_not_acknowledge_gets_a_few_messages_and_after_a_loss_all_in_order() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client(timers=Timers(ping_after=0.2, dead_after=30, retry_first=0.01))
            conversation = await server.let_in(client)
            total = 300
            for number in range(total):
                client.enqueue("bob", str(number))
            first: list[Send] = []
            while len(first) < MAX_IN_FLIGHT:
                sent = await conversation.hear()
                if isinstance(sent, Send):
                    first.append(sent)
            # The next thing that it says is not a message.
            assert isinstance(await conversation.hear(), Ping)
            assert [one.text for one in first] == [str(number) for number in range(MAX_IN_FLIGHT)]
            await conversation.close()
            conversation = await server.accept()
            await conversation.greet()
            again: list[Send] = []
            while len(again) < total:
                sent = await conversation.hear()
                if isinstance(sent, Send):
                    again.append(sent)
                    conversation.say(Ack(cid=sent.cid, id=len(again), at=1))
            assert again[:MAX_IN_FLIGHT] == first
            assert [one.text for one in again] == [str(number) for number in range(total)]
            stored = [(await next_of(client, MessageStored)).cid for _ in range(total)]
            assert stored == [one.cid for one in again]
            await client.close()

    run(scenario())


def test_many_messages_of_one_moment_are_all_sent_before_goodbye() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            conversation = await server.let_in(client)
            await next_of(client, CaughtUp)
            for number in range(10):
                client.enqueue("bob", str(number))
            await client.close()
            heard = await conversation.hear_all()
            assert [frame.text for frame in heard if isinstance(frame, Send)] == [str(n) for n in range(10)]
            assert heard[-1] == Bye()

    run(scenario())


def test_what_is_sent_before_connecting_goes_out_then() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            cid = client.enqueue("bob", "hello")
            client.enqueue("bob", "", cid="empty")
            conversation = await server.let_in(client)
            assert await conversation.hear() == Send(to="bob", text="hello", cid=cid)
            refused = await next_of(client, MessageRefused)
            assert refused.cid == "empty"
            await client.close()

    run(scenario())


@pytest.mark.parametrize("cid", ["", "x" * 65, "a\nb"])
def test_a_cid_that_is_none_is_a_mistake_of_the_program(cid: str) -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            with pytest.raises(ValueError, match="cid"):
                client.enqueue("bob", "hello", cid=cid)

    run(scenario())


def test_another_servers_log_is_told() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            await (await server.let_in(client, welcome(last=9))).close()
            conversation = await server.accept()
            await conversation.greet(welcome(log="log-2", last=1))
            await next_of(client, Offline)
            online = await next_of(client, Online)
            assert online.fresh
            conversation.say(message(2))
            assert (await next_of(client, MessageReceived)).message.id == 2
            await client.close()

    run(scenario())


def test_leaving_the_block_says_goodbye_even_after_an_error() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:

            async def use() -> None:
                async with server.client():
                    raise LookupError

            using = asyncio.create_task(use())
            conversation = await server.accept()
            await conversation.greet()
            with pytest.raises(LookupError):
                await using
            assert (await conversation.hear_all())[-1] == Bye()

    run(scenario())


def test_cancelling_the_program_leaves_no_task_and_no_socket() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:

            async def use() -> None:
                async with server.client() as client:
                    async for _ in client:
                        pass

            using = asyncio.create_task(use())
            conversation = await server.accept()
            await conversation.greet()
            using.cancel()
            with pytest.raises(asyncio.CancelledError):
                await using
            await conversation.hear_all()
            left = [task for task in asyncio.all_tasks() if task.get_name().startswith("twocans")]
            assert left == []

    run(scenario())


def test_small_frames_go_out_at_once() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            await server.let_in(client)
            link = client._driver._link
            assert link is not None
            assert link._transport is not None
            raw = link._transport.get_extra_info("socket")
            assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert raw.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert raw.family is socket.AF_INET
            await client.close()

    run(scenario())


def test_an_unfinished_catch_up_is_resumed_where_it_ended() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client(timers=QUICK)
            connecting = asyncio.create_task(client.connect())
            conversation = await server.accept()
            await conversation.hear()
            conversation.say(welcome(last=3), message(1), message(2))
            await connecting
            await conversation.close()
            conversation = await server.accept()
            hello = await conversation.hear()
            assert isinstance(hello, Hello)
            # The program has dealt with none yet, so the server keeps them, and what comes again is not told again.
            assert hello.after == 0
            conversation.say(welcome(last=3), message(1), message(2), message(3), Synced(last=3))
            ids = [(await next_of(client, MessageReceived)).message.id for _ in range(3)]
            assert ids == [1, 2, 3]
            await client.close()

    run(scenario())


def test_tasks_that_send_the_same_message_all_get_its_result() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            conversation = await server.let_in(client)
            sending = [asyncio.create_task(client.send("bob", "hello", cid="c1")) for _ in range(3)]
            assert await conversation.hear() == Send(to="bob", text="hello", cid="c1")
            sending[1].cancel()
            await asyncio.wait({sending[1]})
            conversation.say(Ack(cid="c1", id=3, at=30))
            assert [(await sending[number]).id for number in (0, 2)] == [3, 3]
            await client.close()

    run(scenario())
