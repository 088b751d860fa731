"""Tokens, codes and invites at a server whose key is right: what is said, what is kept, and what is dropped."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.support.certificates import identity
from tests.unit.client.scripted import QUICK, ScriptedServer, next_of, rest_of, run, until
from tests.unit.client.sessions import TOKEN, welcome
from twocans.client import (
    Client,
    ConnectFailed,
    DeviceCode,
    DeviceList,
    Loss,
    MemoryTokens,
    Offline,
    Online,
    RequestFailed,
    ServerKey,
    TokensUnusable,
)
from twocans.client.codes import ErrorCode
from twocans.client.errors import KeyringUnusable, TokenLost
from twocans.client.sentences import REVOKED_NEXT
from twocans.protocol.errors import Code
from twocans.protocol.messages import (
    CodeQuery,
    Device,
    Devices,
    DevicesQuery,
    Error,
    Found,
    Goodbye,
    Hello,
    Revoke,
    SetPassword,
)
from twocans.protocol.messages import DeviceCode as CodeFrame

KEY = identity().key
CODE = "7KQF-2M4T"
PASSWORD = "open sesame"
UNSAYABLE = "\ud800"


class FullTokens(MemoryTokens):
    """Takes nothing."""

    def put(self, key: ServerKey, user: str, token: str) -> None:
        raise TokensUnusable("The disk is full.")


class UnreadableTokens(MemoryTokens):
    """Cannot tell as long as there is a problem."""

    def __init__(self, problem: TokensUnusable) -> None:
        super().__init__()
        self.problem: TokensUnusable | None = problem

    def get(self, key: ServerKey, user: str) -> str | None:
        if self.problem is not None:
            raise self.problem
        return super().get(key, user)


def test_a_token_is_kept_before_the_server_hears_it() -> None:
    async def scenario() -> None:
        tokens = MemoryTokens()
        async with ScriptedServer() as server:
            connecting = asyncio.create_task(server.client(tokens=tokens).connect())
            first = await (await server.accept()).hear()
            assert isinstance(first, Hello)
            assert tokens.get(KEY, "alice") == first.token
            # The program ends here, and the server may have let it in.
            connecting.cancel()
            client = server.client(tokens=tokens)
            connecting = asyncio.create_task(client.connect())
            second = await (await server.accept()).greet(welcome(token=first.token or ""))
            assert second.token == first.token
            await connecting
            assert tokens.get(KEY, "alice") == first.token
            await client.close()

    run(scenario())


def test_a_token_that_the_server_gives_counts_from_then_on() -> None:
    async def scenario() -> None:
        tokens = MemoryTokens()
        async with ScriptedServer() as server:
            client = server.client(tokens=tokens)
            conversation = await server.let_in(client)
            assert tokens.get(KEY, "alice") == TOKEN
            await conversation.close()
            assert (await (await server.accept()).greet()).token == TOKEN
            await client.close()

    run(scenario())


def test_all_spellings_of_a_name_have_one_token() -> None:
    async def scenario() -> None:
        tokens = MemoryTokens()
        async with ScriptedServer() as server:
            said = []
            for user in ("Alice", "ALICE"):
                client = server.client(user=user, tokens=tokens)
                connecting = asyncio.create_task(client.connect())
                said.append((await (await server.accept()).greet(welcome(token=""))).token)
                await connecting
                await client.close()
            assert said[0] == said[1]

    run(scenario())


@pytest.mark.parametrize("kept", ["", "x" * 129, "a\nb", "ä"])
def test_what_cannot_be_a_token_is_replaced(kept: str) -> None:
    async def scenario() -> None:
        tokens = MemoryTokens()
        tokens.put(KEY, "alice", kept)
        async with ScriptedServer() as server:
            client = server.client(tokens=tokens)
            connecting = asyncio.create_task(client.connect())
            hello = await (await server.accept()).greet(welcome(token=""))
            await connecting
            assert len(bytes.fromhex(hello.token or "")) == 32
            assert tokens.get(KEY, "alice") == hello.token
            await client.close()

    run(scenario())


def test_a_token_that_cannot_be_kept_is_told_and_serves_the_session() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client(tokens=FullTokens())
            connecting = asyncio.create_task(client.connect())
            conversation = await server.accept()
            first = await conversation.greet(welcome(token=""))
            await connecting
            assert client.problem == "The disk is full."
            await conversation.close()
            assert (await (await server.accept()).greet()).token == first.token
            assert first.token
            await client.close()

    run(scenario())


def test_a_name_that_is_taken_where_no_token_can_be_kept_is_told_with_the_reason() -> None:
    async def scenario() -> None:
        for tokens, said in ((FullTokens(), "The disk is full. If"), (MemoryTokens(), "alice is taken.")):
            async with ScriptedServer() as server:
                connecting = asyncio.create_task(server.client(tokens=tokens).connect())
                conversation = await server.accept()
                await conversation.hear()
                conversation.say(Error(code=Code.NAME_TAKEN, text="alice is taken.", needs="secret"))
                with pytest.raises(ConnectFailed) as caught:
                    await connecting
                assert caught.value.text.startswith(said)
                assert caught.value.text.endswith("alice is taken.")
                assert (caught.value.code, caught.value.needs) == (ErrorCode.NAME_TAKEN, "secret")

    run(scenario())


@pytest.mark.parametrize(
    ("problem", "needs"),
    [
        (KeyringUnusable("The keyring is locked."), None),
        (TokensUnusable("The disk is broken."), None),
        (TokenLost("It is damaged."), "secret"),
    ],
)
def test_nothing_is_said_while_the_token_cannot_be_read(problem: TokensUnusable, needs: str | None) -> None:
    async def scenario() -> None:
        tokens = UnreadableTokens(problem)
        tokens.put(KEY, "alice", TOKEN)
        async with ScriptedServer() as server:
            client = server.client(tokens=tokens)
            connecting = asyncio.create_task(client.connect())
            conversation = await server.accept()
            with pytest.raises(ConnectFailed) as caught:
                await connecting
            assert await conversation.hear_all() == []
            failed = caught.value
            assert (failed.loss, failed.text) == (Loss.UNVERIFIED, problem.text)
            assert (failed.code, failed.needs) == (ErrorCode.TOKEN_UNREADABLE, needs)
            tokens.problem = None
            connecting = asyncio.create_task(client.connect())
            assert (await (await server.accept()).greet()).token == TOKEN
            await connecting
            await client.close()

    run(scenario())


def test_a_keyring_that_hangs_takes_no_thread_of_the_pool() -> None:
    """asyncio's threads are few: each may have to wait for a file, or for a name to be looked up."""
    end = threading.Event()

    class StuckTokens(MemoryTokens):
        asked = 0

        def get(self, key: ServerKey, user: str) -> str | None:
            self.asked += 1
            end.wait()
            return super().get(key, user)

        def was_asked(self, count: int) -> bool:
            return self.asked == count

    async def scenario() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        tokens = StuckTokens()
        async with ScriptedServer() as server:
            for count in (1, 2):
                connecting = asyncio.create_task(server.client(tokens=tokens).connect())
                await until(partial(tokens.was_asked, count))
                connecting.cancel()
                await asyncio.wait({connecting})
            assert await asyncio.to_thread(lambda: "free") == "free"

    try:
        run(scenario())
    finally:
        end.set()


def test_a_server_that_has_not_waited_for_a_slow_keyring_is_met_again() -> None:
    gone = threading.Event()

    class SlowTokens(MemoryTokens):
        def get(self, key: ServerKey, user: str) -> str | None:
            gone.wait()
            return super().get(key, user)

    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client(tokens=SlowTokens())
            connecting = asyncio.create_task(client.connect())
            await (await server.accept()).close()
            gone.set()
            await (await server.accept()).greet()
            await connecting
            await client.close()

    run(scenario())


def test_secret_and_invite_are_said_until_the_server_lets_the_user_in() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = Client(
                server.address, "alice", timers=QUICK, secret=CODE, invite="PARTY", device="desk\x1b"
            )
            connecting = asyncio.create_task(client.connect())
            conversation = await server.accept()
            await conversation.hear()
            conversation.say(Error(code=Code.AUTH_FAILED, text="Wrong.", needs="secret"))
            with pytest.raises(ConnectFailed) as caught:
                await connecting
            assert (caught.value.code, caught.value.needs) == (ErrorCode.AUTH_FAILED, "secret")
            connecting = asyncio.create_task(client.connect())
            conversation = await server.accept()
            hello = await conversation.greet()
            assert (hello.secret, hello.invite, hello.device) == (CODE, "PARTY", "desk")
            await connecting
            await conversation.close()
            hello = await (await server.accept()).greet()
            assert (hello.secret, hello.invite, hello.device) == (None, None, "desk")
            await client.close()

    run(scenario())


def test_a_secret_that_cannot_be_encoded_is_refused_without_a_server() -> None:
    async def scenario() -> None:
        client = Client("localhost:1", "alice", secret=UNSAYABLE)
        with pytest.raises(ConnectFailed) as caught:
            await client.connect()
        assert caught.value.loss is Loss.REFUSED
        await client.close()

    run(scenario())


def test_a_long_computer_name_is_cut() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = Client(server.address, "alice", timers=QUICK, device="x" * 100)
            connecting = asyncio.create_task(client.connect())
            assert (await (await server.accept()).greet()).device == "x" * 64
            await connecting
            await client.close()

    run(scenario())


@pytest.mark.parametrize(
    ("reason", "loss", "kept"),
    [
        ("revoked", Loss.REVOKED, False),
        ("signed_out", Loss.SIGNED_OUT, False),
        ("banned", Loss.BANNED, True),
    ],
)
@pytest.mark.parametrize("text", ["The server says why.", ""])
def test_a_device_that_was_cut_off_forgets_its_token_and_a_banned_one_does_not(
    reason: str, loss: Loss, kept: bool, text: str
) -> None:
    async def scenario() -> None:
        tokens = MemoryTokens()
        async with ScriptedServer() as server:
            client = server.client(tokens=tokens)
            conversation = await server.let_in(client)
            conversation.say(Goodbye(reason=reason, text=text))
            offline = (await rest_of(client))[-1]
            assert isinstance(offline, Offline)
            assert (offline.loss, offline.retry_in_s) == (loss, None)
            assert offline.text.endswith(".")
            assert tokens.get(KEY, "alice") == (TOKEN if kept else None)
            await client.close()

    run(scenario())


def test_a_device_that_was_cut_off_while_away_hears_it_at_once_and_forgets_its_token() -> None:
    async def scenario() -> None:
        tokens = MemoryTokens()
        async with ScriptedServer() as server:
            connecting = asyncio.create_task(server.client(tokens=tokens).connect())
            conversation = await server.accept()
            await conversation.hear()
            conversation.say(Goodbye(reason="revoked", text="Cut off."))
            with pytest.raises(ConnectFailed) as caught:
                await connecting
            assert (caught.value.loss, caught.value.text) == (Loss.REVOKED, f"Cut off. {REVOKED_NEXT}")
            assert tokens.get(KEY, "alice") is None

    run(scenario())


def test_a_token_that_was_cut_off_is_told_as_such_and_forgotten() -> None:
    async def scenario() -> None:
        tokens = MemoryTokens()
        async with ScriptedServer() as server:
            connecting = asyncio.create_task(server.client(tokens=tokens).connect())
            conversation = await server.accept()
            await conversation.hear()
            conversation.say(Error(code=Code.REVOKED, text="This device was cut off.", needs="secret"))
            with pytest.raises(ConnectFailed) as caught:
                await connecting
            error = caught.value
            assert (error.loss, error.text, error.code, error.needs) == (
                Loss.REVOKED,
                "This device was cut off.",
                ErrorCode.REVOKED,
                "secret",
            )
            assert tokens.get(KEY, "alice") is None

    run(scenario())


def test_a_device_that_was_cut_off_while_away_stops_trying_and_keeps_its_messages() -> None:
    async def scenario() -> None:
        tokens = MemoryTokens()
        async with ScriptedServer() as server:
            client = server.client(tokens=tokens)
            first = await server.let_in(client)
            await first.abort()
            second = await server.accept()
            await second.hear()
            client.enqueue("bob", "not sent yet")
            second.say(Error(code=Code.REVOKED, text="This device was cut off.", needs="secret"))
            offline = [event for event in await rest_of(client) if isinstance(event, Offline)][-1]
            assert (offline.loss, offline.text, offline.retry_in_s) == (
                Loss.REVOKED,
                "This device was cut off.",
                None,
            )
            assert [message.text for message in client.pending] == ["not sent yet"]
            assert tokens.get(KEY, "alice") is None
            await client.close()

    run(scenario())


def test_a_persons_devices_are_listed_let_in_and_cut_off() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            conversation = await server.let_in(client)
            phone = Device(id=2, name="phone", created=1, seen=2, online=False, this=False)
            asking = asyncio.gather(
                client.devices(),
                client.new_code(),
                client.revoke(2),
                client.set_password(PASSWORD),
                client.set_password(None),
                client.devices(),
                client.new_code(),
                return_exceptions=True,
            )
            asked = [await conversation.hear() for _ in range(7)]
            assert asked[:5] == [
                DevicesQuery(rid=1),
                CodeQuery(rid=2),
                Revoke(device=2, rid=3),
                SetPassword(rid=4, password=PASSWORD),
                SetPassword(rid=5),
            ]
            conversation.say(
                Devices(rid=1, devices=[phone], password=False),
                CodeFrame(rid=2, code="7KQF-2M4T", valid_s=300),
                Devices(rid=3, devices=[], password=False),
                Devices(rid=4, devices=[], password=True),
                Devices(rid=5, devices=[], password=False),
                Error(code=Code.AUTH_REQUIRED, text="This name is not bound.", rid=6),
                Found(rid=7, users=[]),
            )
            *answers, refused, wrong = await asking
            assert answers == [
                DeviceList((phone,), password=False),
                DeviceCode("7KQF-2M4T", 300),
                DeviceList((), password=False),
                DeviceList((), password=True),
                DeviceList((), password=False),
            ]
            assert isinstance(refused, RequestFailed)
            assert refused.text == "This name is not bound."
            assert isinstance(wrong, RequestFailed)
            await client.close()

    run(scenario())


def test_who_is_not_encrypted_is_known_beside_who_is_online() -> None:
    async def scenario() -> None:
        async with ScriptedServer() as server:
            client = server.client()
            await server.let_in(
                client, welcome(users=("alice", "bob", "carol"), unencrypted=("carol", "nobody"))
            )
            assert (await next_of(client, Online)).unencrypted == ("carol",)
            assert client.unencrypted_users == ("carol",)
            await client.close()

    run(scenario())
