"""Whoever knows the secret can ask a server and stop it; nobody else gets a word, and nobody can hold it up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import stat
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from twocans.common import local_sockets
from twocans.common.local_sockets import MAX_PATH_BYTES, open_connection
from twocans.protocol.keys import server_key
from twocans.protocol.local_control import (
    MAX_BYTES,
    RUNNING_FILE,
    SOCKET_FILE,
    Asked,
    Running,
    Status,
    Wish,
    decode_answer,
    decode_running,
    decode_status,
    encode,
)
from twocans.protocol.operator import Answer, Command, Done, Kick
from twocans.server.operator import local_control as module
from twocans.server.operator.local_control import MAX_ASKING, MAX_STRANGERS, Control

KEY = server_key(b"the server's")
ONE = Status(online=1, addresses=("192.168.1.5",))
WRONG = encode(Asked(secret="0" * 64, wish=Wish.STOP))


class Served:
    """A control and what it did."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.status = ONE
        self.stops = 0
        self.logged: list[str] = []
        self.commands: list[Command] = []
        self.control = Control(
            folder,
            status=lambda: self.status,
            carry_out=self._carry_out,
            stop=self._stop,
            log=self._log,
        )
        self.running: Running

    def _stop(self) -> None:
        self.stops += 1

    def _carry_out(self, command: Command) -> Answer:
        self.commands.append(command)
        return Done(text="It is done.")

    def _log(self, event: str, /, **_: object) -> None:
        self.logged.append(event)


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


pytestmark = pytest.mark.usefixtures("in_files")


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Served]:
    served = Served(folder)
    assert await served.control.start(host="127.0.0.1", port=5050, key=KEY, background=True)
    served.running = decode_running((folder / RUNNING_FILE).read_bytes())
    try:
        yield served
    finally:
        await served.control.close()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_file_that_an_editor_has_saved_with_a_mark_is_read(encoding: str) -> None:
    running = Running(
        pid=1, host="127.0.0.1", port=5050, key=KEY, started_at=5, background=True, control=9, secret="s" * 32
    )
    assert decode_running(encode(running).decode().encode(encoding)) == running


@pytest.fixture(params=[True, False], ids=["socket", "port"])
def in_files(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Listen on a socket that is a file, and as on Windows on a port."""
    monkeypatch.setattr(local_sockets, "IN_FILES", request.param)


async def connect(served: Served) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await open_connection(served.folder, served.running.control, limit=MAX_BYTES)


async def gets(served: Served, said: bytes) -> bytes:
    """All that comes back until the other side closes."""
    reader, writer = await connect(served)
    try:
        writer.write(said)
        await writer.drain()
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def test_the_file_says_where_it_is_and_is_for_its_user_alone_and_goes_at_the_end(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(tmp_path) as served:
            assert (served.running.pid, served.running.port, served.running.key) == (os.getpid(), 5050, KEY)
            assert stat.S_IMODE((tmp_path / RUNNING_FILE).stat().st_mode) == 0o600
            await served.control.withdraw()
            assert names_in(tmp_path) == []

    asyncio.run(main())


def test_who_knows_the_secret_hears_how_the_server_is_as_often_as_they_ask(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(tmp_path) as served:
            reader, writer = await connect(served)
            ask = encode(Asked(secret=served.running.secret, wish=Wish.STATUS))
            for online in (1, 2):
                served.status = Status(online=online, addresses=())
                writer.write(ask)
                assert decode_status(await reader.readline()).online == online
            assert served.stops == 0
            writer.write(encode(Asked(secret=served.running.secret, wish=Wish.STOP)))
            assert await reader.readline()
            assert served.stops == 1
            await served.control.close()
            assert await reader.read() == b""
            writer.close()

    asyncio.run(main())


@pytest.mark.parametrize("said", [WRONG, b"\n", b"GET / HTTP/1.1\r\n\r\n", b"\xff\n", b"x" * (2 * MAX_BYTES)])
def test_who_does_not_know_it_gets_nothing(tmp_path: Path, said: bytes) -> None:
    async def main() -> None:
        async with serving(tmp_path) as served:
            assert await gets(served, said) == b""
            assert served.stops == 0
            assert served.logged == []

    asyncio.run(main())


def test_who_says_nothing_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_LINE_S", 0.01)

    async def main() -> None:
        async with serving(tmp_path) as served:
            assert await gets(served, b"") == b""

    asyncio.run(main())


def test_more_than_may_ask_at_once_are_turned_away_until_one_has_gone(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(tmp_path) as served:
            ask = encode(Asked(secret=served.running.secret, wish=Wish.STATUS))
            asking = [await connect(served) for _ in range(MAX_ASKING)]
            for reader, writer in asking:
                writer.write(ask)
                assert await reader.readline()
            assert await gets(served, ask) == b""
            asking[0][1].close()
            await asking[0][1].wait_closed()
            while not await _answers(served, ask):
                pass
            for _, writer in asking:
                writer.close()

    asyncio.run(main())


def test_who_knows_the_secret_may_give_commands_and_nobody_else(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(tmp_path) as served:
            kick = Kick(name="bob", reason="shouting")
            wrong = Asked(secret="0" * 64, wish=Wish.COMMAND, command=kick)
            assert await gets(served, encode(wrong)) == b""
            assert served.commands == []
            reader, writer = await connect(served)
            writer.write(encode(Asked(secret=served.running.secret, wish=Wish.COMMAND, command=kick)))
            assert decode_answer(await reader.readline()) == Done(text="It is done.")
            assert served.commands == [kick]
            # A line that does not know it ends the connection, whatever was said before.
            writer.write(encode(wrong))
            assert await reader.read() == b""
            assert served.commands == [kick]
            writer.close()

    asyncio.run(main())


def test_who_holds_many_connections_without_the_secret_keeps_nobody_out(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(tmp_path) as served:
            ask = encode(Asked(secret=served.running.secret, wish=Wish.STATUS))
            reader, writer = await connect(served)
            writer.write(ask)
            assert await reader.readline()
            silent = [await connect(served) for _ in range(MAX_STRANGERS)]
            assert await _answers(served, ask)
            # The oldest had to go for that, not the owner's, and no other.
            assert await silent[0][0].read() == b""
            silent += [await connect(served) for _ in range(2 * MAX_STRANGERS)]
            assert await _answers(served, ask)
            writer.write(ask)
            assert await reader.readline()
            for _, one in (*silent, (reader, writer)):
                one.close()

    asyncio.run(main())


def test_who_sends_a_line_without_end_is_cut_off_and_keeps_nobody_out(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(tmp_path) as served:
            ask = encode(Asked(secret=served.running.secret, wish=Wish.STATUS))
            senders = [await connect(served) for _ in range(4)]
            for _, writer in senders:
                writer.write(b"x" * (4 * MAX_BYTES))
            assert await _answers(served, ask)
            for reader, writer in senders:
                with contextlib.suppress(ConnectionResetError):
                    assert await reader.read() == b""
                writer.close()

    asyncio.run(main())


async def _answers(served: Served, ask: bytes) -> bool:
    reader, writer = await connect(served)
    try:
        writer.write(ask)
        return await reader.readline() != b""
    except ConnectionResetError:
        return False
    finally:
        writer.close()


def test_a_folder_that_cannot_be_written_to_is_logged_and_keeps_nothing_from_running(tmp_path: Path) -> None:
    async def main() -> None:
        (tmp_path / RUNNING_FILE).mkdir()
        served = Served(tmp_path)
        assert not await served.control.start(host="127.0.0.1", port=5050, key=KEY, background=False)
        assert served.logged == ["not_findable"]
        await served.control.close()

    asyncio.run(main())


# --- where the socket is ----------------------------------------------------------------------------------


def listens_in(folder: Path, *, place: str | None = SOCKET_FILE) -> None:
    """A control in that folder answers, and leaves nothing at its end."""

    async def main() -> None:
        async with serving(folder) as served:
            ask = encode(Asked(secret=served.running.secret, wish=Wish.STATUS))
            assert await _answers(served, ask)
            if place is not None:
                assert served.running.control == place
            at = folder / str(served.running.control)
            assert stat.S_IMODE(at.stat().st_mode) == 0o600
        assert not at.exists()
        assert not (folder / RUNNING_FILE).exists()

    asyncio.run(main())


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder for temporary files, on a system where sockets are files."""
    monkeypatch.setattr(local_sockets, "IN_FILES", True)
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_socket_is_for_its_user_alone_whatever_the_umask(sockets: Path, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        listens_in(tmp_path)
    finally:
        os.umask(before)
    assert names_in(sockets) == []


def test_folder_may_be_deeper_than_the_path_of_a_socket(sockets: Path, tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["deep" * 10] * 5)
    folder.mkdir(parents=True)
    assert len(os.fsencode(folder)) > MAX_PATH_BYTES
    listens_in(folder)
    assert names_in(sockets) == []


def test_socket_that_a_killed_server_has_left_over_is_replaced(sockets: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / SOCKET_FILE))
    listens_in(tmp_path)
    assert names_in(sockets) == []


def test_folder_that_has_no_room_for_a_socket_gets_one_among_the_temporary_files(
    sockets: Path, tmp_path: Path
) -> None:
    (tmp_path / SOCKET_FILE).mkdir()
    listens_in(tmp_path, place=None)
    assert names_in(sockets) == []


def test_socket_among_the_temporary_files_goes_with_the_next_start(sockets: Path, tmp_path: Path) -> None:
    (tmp_path / SOCKET_FILE).mkdir()

    async def main() -> None:
        async with serving(tmp_path):
            left = (tmp_path / RUNNING_FILE).read_bytes()
            place = sockets / names_in(sockets)[0]
            assert stat.S_IMODE(place.stat().st_mode) == 0o700
            place.rename(tmp_path / "kept")
        # As a server leaves it that is killed.
        (tmp_path / "kept").rename(place)
        (tmp_path / RUNNING_FILE).write_bytes(left)

    asyncio.run(main())
    assert len(names_in(sockets)) == 1
    listens_in(tmp_path, place=None)
    assert names_in(sockets) == []


def test_file_that_names_anything_but_a_socket_removes_nothing(sockets: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "file"
    other.parent.mkdir()
    other.write_text("mine")
    local_sockets.remove_socket(tmp_path, str(other))
    local_sockets.remove_socket(tmp_path, "\0")
    assert other.read_text() == "mine"
    assert names_in(sockets) == []
