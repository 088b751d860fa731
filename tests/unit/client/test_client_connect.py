"""Connecting for the first time, over real sockets: what works, what does not, and what people are told."""

from __future__ import annotations

import asyncio
import errno
import socket

import pytest

from tests.unit.client.scripted import ScriptedServer, next_of, rest_of, run
from tests.unit.client.sessions import welcome
from twocans.client import (
    Address,
    AddressInvalid,
    Client,
    ConnectFailed,
    Loss,
    MessageNotSent,
    Online,
    RequestFailed,
    Timers,
    driver,
)
from twocans.client.codes import ErrorCode
from twocans.client.sentences import unreachable
from twocans.protocol.errors import Code
from twocans.protocol.messages import Bye, Error, Hello


async def _failure(client: Client) -> ConnectFailed:
    with pytest.raises(ConnectFailed) as caught:
        await client.connect()
    assert not client.connected
    assert caught.value.text.endswith(".")
    await client.close()
    return caught.value


def test_connect_gives_who_is_online_and_so_does_the_first_event() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            connecting = asyncio.create_task(client.connect())
            conversation = await server.accept()
            hello = await conversation.greet(welcome(user="Alice"))
            token = hello.token or ""
            assert hello == Hello(user="alice", agent="twocans-python", token=token, device="test")
            assert len(bytes.fromhex(token)) == 32
            online = await connecting
            assert online.users == ("alice", "bob")
            assert await next_of(client, Online) is online
            assert client.connected
            assert client.user == "Alice"
            assert client.online_users == ("alice", "bob")
            await client.close()
            assert await conversation.hear_all() == [Bye()]

    run(scenario())


def test_a_server_that_does_not_run_is_told() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            await server.shut()
            failed = await _failure(server.client())
            assert failed.loss is Loss.UNREACHABLE
            assert f"No server is running at {server.address}" in failed.text

    run(scenario())


@pytest.mark.parametrize("host", ["no-such-computer.invalid", "a..b", "x" * 70 + ".invalid"])
def test_a_computer_that_does_not_exist_is_told(host: str) -> None:
    async def scenario() -> None:
        failed = await _failure(Client(host, "alice"))
        assert failed.loss is Loss.UNREACHABLE
        assert f"No computer called {host} was found" in failed.text

    run(scenario())


def test_a_refused_name_is_told_with_its_code_and_may_be_tried_again() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            connecting = asyncio.create_task(client.connect())
            conversation = await server.accept()
            await conversation.hear()
            conversation.say(Error(code=Code.NAME_TAKEN, text="alice is taken."))
            with pytest.raises(ConnectFailed) as caught:
                await connecting
            assert (caught.value.loss, caught.value.code, caught.value.text) == (
                Loss.REFUSED,
                ErrorCode.NAME_TAKEN,
                "alice is taken.",
            )
            assert await conversation.hear_all() == []
            await server.let_in(client)
            assert client.connected
            await client.close()

    run(scenario())


@pytest.mark.parametrize(
    ("answer", "loss", "says"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", Loss.PROTOCOL, "not a Twocans server"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Loss.PROTOCOL, "not a Twocans server"),
        (b"MSG: Server: The server is full.\n", Loss.REFUSED, "The server is full."),
        (b"no line end", Loss.PROTOCOL, "not a Twocans server"),
        (b"", Loss.UNREACHABLE, "without a word"),
    ],
)
def test_what_answers_otherwise_is_told(answer: bytes, loss: Loss, says: str) -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            failing = asyncio.create_task(_failure(server.client()))
            conversation = await server.accept()
            await conversation.hear()
            conversation.writer.write(answer)
            await conversation.close()
            failed = await failing
            assert failed.loss is loss
            assert says in failed.text

    run(scenario())


def test_a_server_that_stays_silent_is_given_up() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            failed = await _failure(server.client(timers=Timers(connect=0.3)))
            assert failed.loss is Loss.UNREACHABLE
            assert "did not answer within 0.3 seconds" in failed.text

    run(scenario())


def test_cancelling_closes_the_connection_at_once() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            connecting = asyncio.create_task(client.connect())
            conversation = await server.accept()
            await conversation.hear()
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await connecting
            assert await conversation.hear_all() == []
            await client.close()

    run(scenario())


def test_cancelling_a_connection_that_has_not_come_about_leaves_nothing() -> None:
    async def scenario() -> None:
        with socket.socket() as full:
            # A backlog that is taken by others leaves the next one waiting in the kernel.
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            others = [socket.socket() for _ in range(4)]
            for other in others:
                other.setblocking(False)
                assert other.connect_ex(full.getsockname()) in {0, errno.EINPROGRESS, errno.EWOULDBLOCK}
            client = Client(Address("127.0.0.1", full.getsockname()[1]), "alice", timers=Timers(connect=60))
            connecting = asyncio.create_task(client.connect())
            await asyncio.sleep(0.05)
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await connecting
            await client.close()
            for other in others:
                other.close()

    run(scenario())


def test_closing_ends_an_attempt_with_an_error_and_not_a_cancellation() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            connecting = asyncio.create_task(client.connect())
            await (await server.accept()).hear()
            await client.close()
            with pytest.raises(ConnectFailed):
                await connecting

    run(scenario())


def test_a_closed_client_is_closed_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    # The server's closing ends it, and not the time.
    monkeypatch.setattr(driver, "CLOSE_S", 3600.0)

    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            conversation = await server.let_in(client)
            await asyncio.gather(client.close(), client.close())
            await client.close()
            assert await conversation.hear_all() == [Bye()]
            assert not client.connected
            assert [type(event).__name__ for event in await rest_of(client)] == ["Online", "CaughtUp"]
            with pytest.raises(RuntimeError):
                await client.connect()
            with pytest.raises(MessageNotSent):
                client.enqueue("bob", "hello")
            with pytest.raises(MessageNotSent):
                await client.send("bob", "hello")
            with pytest.raises(RequestFailed) as caught:
                await client.chats()
            assert caught.value.code == "offline"

    run(scenario())


def test_a_client_that_was_never_connected_can_be_closed() -> None:
    async def scenario() -> None:
        client = Client("localhost", "alice")
        await client.close()
        assert await rest_of(client) == []

    run(scenario())


def test_a_name_that_cannot_be_encoded_is_refused_without_a_server() -> None:
    async def scenario() -> None:
        failed = await _failure(Client("localhost:1", "al\ud800ice"))
        assert (failed.loss, failed.code) == (Loss.REFUSED, ErrorCode.NAME_INVALID)

    run(scenario())


def test_an_address_is_checked_at_once() -> None:
    with pytest.raises(AddressInvalid):
        Client("host:port", "alice")


def test_a_server_that_does_not_take_the_goodbye_does_not_hold_the_client_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(driver, "CLOSE_S", 0.1)

    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            conversation = await server.let_in(client)
            conversation.stop_reading()
            await client.close()
            assert not client.connected

    run(scenario())


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "No server is running"),
        (TimeoutError(), "did not answer within 10 seconds"),
        (OSError(errno.ENETUNREACH, "x"), "same network"),
        (OSError(errno.EHOSTUNREACH, "x"), "same network"),
        (socket.gaierror(socket.EAI_NONAME, "x"), "No computer called"),
        (socket.gaierror(socket.EAI_AGAIN, "x"), "No computer called"),
        (UnicodeError("label too long"), "No computer called"),
        (PermissionError(errno.EACCES, "x"), "does not allow"),
        (OSError(errno.EINVAL, "x"), "could not be connected to"),
        (OSError("no number"), "could not be connected to"),
    ],
)
def test_every_failure_of_the_network_is_one_sentence_that_says_what_to_do(
    error: OSError | UnicodeError, says: str
) -> None:
    ending = unreachable(Address("pc", 5050), error, within_s=10.0)
    assert ending.loss is Loss.UNREACHABLE
    assert ending.again
    assert says in ending.text
    assert "heck" in ending.text
    assert "Errno" not in ending.text
