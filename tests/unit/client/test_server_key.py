"""Whoever answers in a server's place gets nothing: other keys, none at all, and connections without TLS."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.certificates import Identity, identity
from tests.unit.client.scripted import Conversation, ScriptedServer, next_of, rest_of, run, run_on_fast_loop
from tests.unit.client.sessions import welcome
from twocans.client import (
    Client,
    ConnectFailed,
    FileTrust,
    Loss,
    MemoryTokens,
    MemoryTrust,
    Met,
    Offline,
    Online,
    ServerKey,
    Timers,
    parse_address,
    readable_key,
)
from twocans.protocol.messages import Bye

OLD, NEW = identity("old"), identity("new")


class WatchedTokens(MemoryTokens):
    """Notes what is looked up."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[ServerKey] = []

    def get(self, key: ServerKey, user: str) -> str | None:
        self.asked.append(key)
        return super().get(key, user)


async def everything_from(conversation: Conversation) -> bytes:
    """All that a client says until it closes."""
    with suppress(ConnectionError, ssl.SSLError):
        return await conversation.reader.read()
    return b""


async def failure(client: Client) -> ConnectFailed:
    with pytest.raises(ConnectFailed) as caught:
        await client.connect()
    await client.close()
    return caught.value


@pytest.mark.parametrize("start", [run, run_on_fast_loop])
def test_a_server_with_another_key_hears_nothing_at_all(start: Callable[..., None]) -> None:
    async def scenario() -> None:
        trust, tokens = MemoryTrust(), WatchedTokens()
        async with ScriptedServer(NEW) as server:
            trust.accept(parse_address(server.address), OLD.key)
            failing = asyncio.create_task(failure(server.client(trust=trust, tokens=tokens)))
            assert await everything_from(await server.accept()) == b""
            failed = await failing
            assert (failed.loss, failed.key, failed.known_key) == (Loss.KEY_CHANGED, NEW.key, OLD.key)
            assert readable_key(NEW.key) in failed.text
            assert readable_key(OLD.key) in failed.text
            assert tokens.asked == []
            assert trust.key(parse_address(server.address)) == OLD.key

    start(scenario())


def test_a_key_that_changes_before_a_reconnect_ends_the_client() -> None:
    async def scenario() -> None:
        async with ScriptedServer(OLD) as server:
            client = server.client()
            conversation = await server.let_in(client)
            await server.shut()
            server.context = NEW.context()
            await server.open()
            await conversation.close()
            assert await everything_from(await server.accept()) == b""
            offline = [event for event in await rest_of(client) if isinstance(event, Offline)][-1]
            assert (offline.loss, offline.retry_in_s) == (Loss.KEY_CHANGED, None)
            assert (offline.key, offline.known_key) == (NEW.key, OLD.key)
            await client.close()

    run(scenario())


def test_a_changed_key_that_somebody_has_accepted_gets_a_token_of_its_own() -> None:
    async def scenario() -> None:
        trust, tokens = MemoryTrust(), MemoryTokens()
        async with ScriptedServer(OLD) as server:
            client = server.client(trust=trust, tokens=tokens)
            conversation = await server.let_in(client)
            old = tokens.get(OLD.key, "alice")
            assert old is not None
            await client.close()
            await server.shut()
            server.context = NEW.context()
            await server.open()
            assert (await failure(server.client(trust=trust, tokens=tokens))).loss is Loss.KEY_CHANGED
            await server.accept()
            trust.accept(parse_address(server.address), NEW.key)
            client = server.client(trust=trust, tokens=tokens)
            connecting = asyncio.create_task(client.connect())
            conversation = await server.accept()
            hello = await conversation.greet()
            assert hello.token not in {None, old}
            online = await connecting
            assert (online.key, online.first_use) == (NEW.key, False)
            await client.close()

    run(scenario())


def test_the_first_key_of_a_server_is_told_and_then_known() -> None:
    async def scenario() -> None:
        trust = MemoryTrust()
        async with ScriptedServer(NEW) as server:
            for first in (True, False):
                client = server.client(trust=trust)
                await server.let_in(client)
                online = await next_of(client, Online)
                assert (online.key, online.first_use) == (NEW.key, first)
                await client.close()

    run(scenario())


def test_a_known_server_at_another_address_is_no_stranger() -> None:
    async def scenario() -> None:
        trust = MemoryTrust()
        trust.accept(parse_address("10.0.0.9"), NEW.key)
        async with ScriptedServer(NEW) as server:
            client = server.client(trust=trust)
            await server.let_in(client)
            assert not (await next_of(client, Online)).first_use
            assert trust.key(parse_address(server.address)) == NEW.key
            await client.close()

    run(scenario())


def test_the_key_of_another_known_server_does_not_count_where_one_is_known() -> None:
    async def scenario() -> None:
        trust = MemoryTrust()
        trust.accept(parse_address("10.0.0.9"), NEW.key)
        async with ScriptedServer(NEW) as server:
            trust.accept(parse_address(server.address), OLD.key)
            assert (await failure(server.client(trust=trust))).loss is Loss.KEY_CHANGED

    run(scenario())


def _outdated() -> ssl.SSLContext:
    context = Identity().context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def _nameless() -> ssl.SSLContext:
    """Encrypts without any key that it would have to prove."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("aNULL:@SECLEVEL=0")
    return context


@pytest.mark.parametrize("make", [_outdated, _nameless])
def test_encryption_that_is_not_safe_is_none(make: Callable[[], ssl.SSLContext]) -> None:
    async def scenario() -> None:
        trust, tokens = MemoryTrust(), WatchedTokens()
        async with ScriptedServer(make()) as server:
            failed = await failure(server.client(trust=trust, tokens=tokens))
            assert "before it was encrypted" in failed.text or "cannot encrypt" in failed.text
            assert trust.key(parse_address(server.address)) is None
            assert tokens.asked == []

    run(scenario(), expected=("SSLError", "ConnectionResetError"))


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("answer", [b"MSG: Server: Hello!\n", b"SSH-2.0-OpenSSH_9.6\r\n", b"\x00" * 600])
def test_what_answers_in_the_clear_gets_neither_name_nor_token(answer: bytes, known: bool) -> None:
    async def scenario() -> None:
        trust, tokens = MemoryTrust(), MemoryTokens()
        tokens.put(OLD.key, "alice", "a-token")
        async with ScriptedServer(None) as server:
            if known:
                trust.accept(parse_address(server.address), OLD.key)
            failing = asyncio.create_task(failure(server.client(trust=trust, tokens=tokens)))
            conversation = await server.accept()
            conversation.writer.write(answer)
            heard = await everything_from(conversation)
            failed = await failing
            assert failed.loss is Loss.PROTOCOL
            assert ("the server that was there did" if known else "cannot encrypt") in failed.text
            assert heard[:1] in {b"\x16", b""}
            assert b"alice" not in heard
            assert b"a-token" not in heard

    run(scenario())


def test_tls_that_is_stripped_at_a_reconnect_gets_nothing_and_the_server_is_waited_for() -> None:
    async def scenario() -> None:
        async with ScriptedServer(OLD) as server:
            client = server.client()
            conversation = await server.let_in(client)
            encrypts = server.context
            await server.shut()
            server.context = None
            await server.open()
            await conversation.close()
            stripped = await server.accept()
            stripped.writer.write(b"HELLO\n")
            assert b"alice" not in await everything_from(stripped)
            await next_of(client, Offline, lambda offline: "does not encrypt" in offline.text)
            await server.shut()
            server.context = encrypts
            await server.open()
            while not client.connected:
                conversation = await server.accept()
                if conversation.writer.get_extra_info("ssl_object") is not None:
                    await conversation.greet()
                    await next_of(client, Online)
                else:
                    await conversation.abort()
            await client.close()

    run(scenario())


def test_a_handshake_that_gets_no_answer_is_given_up_in_time() -> None:
    async def scenario() -> None:
        async with ScriptedServer(None) as server:
            failed = await failure(server.client(timers=Timers(connect=0.3)))
            assert failed.loss is Loss.UNREACHABLE
            assert "did not answer within 0.3 seconds" in failed.text
            assert (await everything_from(await server.accept()))[:1] == b"\x16"

    run(scenario())


def test_a_server_that_hangs_up_on_the_handshake_is_told() -> None:
    async def scenario() -> None:
        async with ScriptedServer(None) as server:
            failing = asyncio.create_task(failure(server.client()))
            conversation = await server.accept()
            await conversation.reader.read(1)
            await conversation.abort()
            failed = await failing
            assert failed.loss is Loss.UNREACHABLE
            assert "before it was encrypted" in failed.text

    run(scenario())


def test_a_damaged_file_of_known_servers_makes_no_server_a_new_one(tmp_path: Path) -> None:
    async def scenario() -> None:
        path = tmp_path / "known_servers.json"
        path.write_bytes(b'{"servers":{"127.0')
        async with ScriptedServer(NEW) as server:
            failing = asyncio.create_task(failure(server.client(trust=FileTrust(path))))
            assert await everything_from(await server.accept()) == b""
            failed = await failing
            assert failed.loss is Loss.UNVERIFIED
            assert str(path) in failed.text
            assert path.read_bytes() == b'{"servers":{"127.0'

    run(scenario())


def test_a_key_that_cannot_be_kept_is_a_problem_that_is_told_and_no_obstacle(tmp_path: Path) -> None:
    async def scenario() -> None:
        (tmp_path / "file").write_text("")
        trust = FileTrust(tmp_path / "file" / "known_servers.json")
        async with ScriptedServer(NEW) as server:
            client = server.client(trust=trust)
            await server.let_in(client)
            assert "known_servers.json" in client.problem
            await client.close()
            assert trust.meet(parse_address(server.address), OLD.key) == Met(NEW.key, first_use=False)

    run(scenario())


@pytest.mark.parametrize("start", [run, run_on_fast_loop])
def test_all_that_was_written_arrives_before_the_goodbye(start: Callable[..., None]) -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            conversation = await server.let_in(client, welcome())
            text = "x" * 16000
            for _ in range(60):
                client.enqueue("bob", text)
            closing = asyncio.create_task(client.close())
            heard = await conversation.hear_all()
            assert [getattr(frame, "text", None) for frame in heard[:-1]] == [text] * 60
            assert heard[-1] == Bye()
            await closing

    start(scenario())


# --- a key that was announced ------------------------------------------------------------------------------


def test_a_server_that_has_not_the_announced_key_hears_nothing_and_is_not_remembered() -> None:
    async def scenario() -> None:
        trust, tokens = MemoryTrust(), WatchedTokens()
        async with ScriptedServer(NEW) as server:
            client = server.client(trust=trust, tokens=tokens, expected_key=OLD.key)
            failing = asyncio.create_task(failure(client))
            assert await everything_from(await server.accept()) == b""
            failed = await failing
            assert (failed.loss, failed.key, failed.known_key) == (Loss.KEY_CHANGED, NEW.key, None)
            assert readable_key(NEW.key) in failed.text
            assert readable_key(OLD.key) in failed.text
            assert tokens.asked == []
            assert trust.key(parse_address(server.address)) is None

    run(scenario())


def test_a_server_that_has_the_announced_key_is_met_for_the_first_time() -> None:
    async def scenario() -> None:
        trust = MemoryTrust()
        async with ScriptedServer(NEW) as server:
            client = server.client(trust=trust, expected_key=NEW.key)
            await server.let_in(client)
            online = await next_of(client, Online)
            assert (online.key, online.first_use) == (NEW.key, True)
            assert trust.key(parse_address(server.address)) == NEW.key
            await client.close()

    run(scenario())


def test_a_known_key_counts_more_than_an_announced_one() -> None:
    async def scenario() -> None:
        trust = MemoryTrust()
        async with ScriptedServer(NEW) as server:
            where = parse_address(server.address)
            trust.accept(where, NEW.key)
            client = server.client(trust=trust, expected_key=OLD.key)
            await server.let_in(client)
            await client.close()
            trust.accept(where, OLD.key)
            failing = asyncio.create_task(failure(server.client(trust=trust, expected_key=NEW.key)))
            assert await everything_from(await server.accept()) == b""
            assert (await failing).known_key == OLD.key

    run(scenario())
