"""Operating a server from a window: real processes, found, started again, and with the control socket held by others."""

from __future__ import annotations

import asyncio
import stat
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from tests.integration.test_hosting import Starter, read, window
from tests.support.deadline import DEADLINE_S
from tests.support.process import ROOT, ServerProcess
from tests.support.raw import JsonPeer, Peer, PlainPeer, encode
from tests.support.tls import client_context
from twocans.common.local_sockets import connect
from twocans.gui.viewmodel.effects import FindServer, FollowPeople, OperateServer, StopServer
from twocans.gui.viewmodel.inputs import ServerAnswered, ServerEnded, ServerPeople, ServerRuns
from twocans.protocol.keys import server_key
from twocans.protocol.local_control import (
    RUNNING_FILE,
    SOCKET_FILE,
    Asked,
    Running,
    Status,
    Wish,
    decode_asked,
)
from twocans.protocol.local_control import encode as encode_running
from twocans.protocol.operator import (
    AddBan,
    Answer,
    BanList,
    BanTarget,
    CodeGiven,
    Command,
    Done,
    FreeName,
    GiveCode,
    Kick,
    LiftBan,
    ListBans,
    Refused,
    Say,
)
from twocans.server.operator.local_control import MAX_STRANGERS


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of this user's server."""
    data = tmp_path / "server"
    monkeypatch.setenv("TWOCANS_DATA", str(data))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    return data


@pytest.fixture(params=["async", "thread"])
def server(folder: Path, request: pytest.FixtureRequest) -> Iterator[ServerProcess]:
    """A server that was not started by this window, in the same folder."""
    with ServerProcess("--concurrency", request.param, data=folder) as running:
        yield running


@asynccontextmanager
async def operating() -> AsyncIterator[Starter]:
    """A window that has found the server."""
    async with window() as alice:
        alice.host.do(FindServer())
        assert (await alice.hears(ServerRuns)).commands
        yield alice


async def does(window: Starter, command: Command) -> Answer:
    """Return the answer to a command."""
    number = time.monotonic_ns()
    window.host.do(OperateServer(number, command))
    return (await window.hears(ServerAnswered, lambda answered: answered.number == number)).answer


async def sees(window: Starter, *names: str) -> ServerPeople:
    """Wait until these are connected, and no others."""
    return await window.hears(
        ServerPeople, lambda told: [person.name for person in told.people.people] == list(names)
    )


def test_who_is_connected_is_told_as_it_changes(server: ServerProcess) -> None:
    async def main() -> None:
        async with operating() as alice:
            alice.host.do(FollowPeople(""))
            await sees(alice)
            with JsonPeer(server.port, "bob", tls=client_context()):
                told = await sees(alice, "bob")
                (session,) = told.people.people[0].sessions
                assert (session.address, session.encrypted, session.device) == ("127.0.0.1", True, "test")
                with PlainPeer(server.port, "carol"):
                    await sees(alice, "bob", "carol")
                    alice.host.do(FollowPeople("CAR"))
                    await sees(alice, "carol")
            alice.host.do(FollowPeople(""))
            await sees(alice)

    asyncio.run(main())


def test_commands_of_the_window_are_carried_out(server: ServerProcess) -> None:
    tls = client_context()

    async def main() -> None:
        async with operating() as alice:
            with JsonPeer(server.port, "bob", tls=tls) as bob:
                assert await does(alice, Say(text="Tea")) == Done(text="Sent to 1 person.")
                assert bob.expect("MSG")["text"] == "Tea"
                kick = Kick(name="bob", reason="too loud")
                assert await does(alice, kick) == Done(text="bob was kicked.")
                assert "too loud" in bob.expect_closed()[-1]
                assert await does(alice, kick) == Refused(text="bob is not online.")
            ban = AddBan(target=BanTarget.NAME, value="bob", reason="enough")
            assert await does(alice, ban) == Done(text="bob is banned.")
            with Peer(server.port, tls=tls) as peer:
                peer.send_line(encode("HELLO", user="bob", agent="test", token=bob.token))
                assert "enough" in peer.read_line()
            bans = await does(alice, ListBans())
            assert isinstance(bans, BanList)
            assert [one.value for one in bans.bans] == ["bob"]
            lift = LiftBan(target=BanTarget.NAME, value="bob")
            assert await does(alice, lift) == Done(text="bob is no longer banned.")
            given = await does(alice, GiveCode(name="bob"))
            assert isinstance(given, CodeGiven)
            with Peer(server.port, tls=tls) as peer:
                peer.send_line(encode("HELLO", user="bob", agent="test", secret=given.code))
                assert peer.read_line().startswith("WELCOME: ")
                assert isinstance(await does(alice, FreeName(name="bob")), Done)
            with PlainPeer(server.port, "bob") as anybody:
                assert anybody.users == ["bob"]
        server.event("banned", kind="name", what="bob")
        server.event("code_given", user="bob")
        server.event("name_freed", user="bob")

    asyncio.run(main())


def test_server_that_is_started_again_is_found_and_operated_again(folder: Path) -> None:
    async def main() -> None:
        async with window() as alice:
            alice.host.do(FollowPeople(""))
            # A window that has just connected looks for some seconds: the file may come a moment later.
            alice.host.do(FindServer(again=True))
            for name in ("bob", "carol"):
                with ServerProcess(data=folder) as server:
                    assert (await alice.hears(ServerRuns)).port == server.port
                    with PlainPeer(server.port, name):
                        await sees(alice, name)
                        assert await does(alice, Kick(name=name)) == Done(text=f"{name} was kicked.")
                    assert server.stop() == 0
                    await alice.hears(ServerEnded)
            gone = Refused(text="Your server is not running any more.")
            assert await does(alice, Kick(name="bob")) == gone

    asyncio.run(main())


def test_server_that_the_window_has_stopped_is_not_looked_for(server: ServerProcess) -> None:
    async def main() -> None:
        async with operating() as alice:
            alice.host.do(StopServer())
            await alice.hears(ServerEnded)
            assert await alice.settled() == []

    asyncio.run(main())
    assert server.wait() == 0


def test_programs_of_the_user_that_hold_the_control_socket_keep_no_window_out(
    server: ServerProcess, folder: Path
) -> None:
    place = read(folder).control
    holding = [connect(folder, place, timeout_s=DEADLINE_S) for _ in range(2 * MAX_STRANGERS)]
    asyncio.run(_says_tea())
    for one in holding:
        one.close()


def test_other_users_find_nothing_to_connect_to_but_the_chat(server: ServerProcess, folder: Path) -> None:
    asyncio.run(_says_tea())
    listening = [
        connection.laddr.port
        for connection in psutil.Process(server.process.pid).net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening == [server.port]
    assert stat.S_IMODE((folder / SOCKET_FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_window_finds_a_server_whose_folder_is_deep_and_after_it_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path.joinpath(*["deep" * 10] * 5)
    monkeypatch.setenv("TWOCANS_DATA", str(folder))
    for _ in range(2):
        with ServerProcess(data=folder) as server:
            asyncio.run(_says_tea())
            server.process.kill()
            server.process.wait()
    assert (folder / SOCKET_FILE).exists()


async def _says_tea() -> None:
    async with operating() as alice:
        assert await does(alice, Say(text="Tea")) == Done(text="Nobody is online.")


def _write(folder: Path, port: int) -> None:
    running = Running(
        pid=1,
        host="127.0.0.1",
        port=5050,
        key=server_key(b"a server's"),
        started_at=1,
        background=False,
        control=port,
        secret="s" * 64,
    )
    folder.mkdir()
    (folder / RUNNING_FILE).write_bytes(encode_running(running))


@asynccontextmanager
async def pretended(folder: Path, answer: Callable[[Asked], bytes]) -> AsyncIterator[None]:
    """Something that says it is a server in that folder; where it answers nothing, it closes the connection."""

    talks: set[asyncio.Task[None] | None] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())
        try:
            while (line := await reader.readline()) and (answered := answer(decode_asked(line))):
                writer.write(answered)
        finally:
            writer.close()

    listener = await asyncio.start_server(talk, "127.0.0.1", 0)
    _write(folder, listener.sockets[0].getsockname()[1])
    try:
        yield
    finally:
        listener.close()
        await asyncio.wait([talk for talk in talks if talk is not None])


def test_connection_that_is_closed_without_an_answer_is_made_again(folder: Path) -> None:
    answers = [b"", b"", encode_running(Status(online=3, addresses=()))]

    async def main() -> None:
        async with pretended(folder, lambda _: answers.pop(0)), window() as alice:
            alice.host.do(FindServer())
            assert (await alice.hears(ServerRuns)).online == 3

    asyncio.run(main())


def test_command_is_never_given_twice_and_its_loss_is_told(folder: Path) -> None:
    given: list[Command] = []

    def answer(asked: Asked) -> bytes:
        if asked.command is None:
            return encode_running(Status(online=0, addresses=(), commands=True))
        given.append(asked.command)
        return b""

    async def main() -> None:
        async with pretended(folder, answer), window() as alice:
            alice.host.do(FindServer())
            await alice.hears(ServerRuns)
            told = await does(alice, Say(text="Tea"))
            assert isinstance(told, Refused)
            assert told.text.startswith("Your server did not answer.")
            assert given == [Say(text="Tea")]

    asyncio.run(main())


def test_server_of_an_earlier_version_is_found_and_not_asked_who_is_connected(folder: Path) -> None:
    def answer(asked: Asked) -> bytes:
        assert asked.command is None
        return b"" if asked.wish is Wish.STOP else b'{"online":3,"addresses":[]}\n'

    async def main() -> None:
        async with pretended(folder, answer), window() as alice:
            alice.host.do(FollowPeople(""))
            alice.host.do(FindServer())
            assert not (await alice.hears(ServerRuns)).commands
            alice.host.do(StopServer())
            await alice.hears(ServerEnded)

    asyncio.run(main())
