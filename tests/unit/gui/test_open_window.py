"""How the windows of a profile find each other: one is the first, the others have it shown."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import stat
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.unit.client.scripted import run, until
from twocans.common import local_sockets
from twocans.common.local_sockets import LocalListener, open_connection
from twocans.gui.backend import open_window as module
from twocans.gui.backend.open_window import Claim, OpenWindow, StartListener, StartOptions, start_options

NOTHING = StartOptions()


@pytest.fixture(params=[True, False], ids=["socket", "port"], autouse=True)
def in_files(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """True if the window listens on a socket that is a file; it listens on a port else, as on Windows."""
    is_file: bool = request.param
    monkeypatch.setattr(local_sockets, "IN_FILES", is_file)
    return is_file


def window(folder: Path, config: str = "config") -> OpenWindow:
    return OpenWindow(folder / "data", folder / config)


class Shown:
    """A window that is open, and what it was asked for."""

    def __init__(self, file: Path, *, answers: bool = True) -> None:
        self.asked: list[StartOptions] = []
        self._answers = answers
        self.listener = StartListener(file, self._started)

    def _started(self, number: int, options: StartOptions) -> None:
        self.asked.append(options)
        if self._answers:
            self.listener.answer(number)


@asynccontextmanager
async def opened(place: OpenWindow, *, answers: bool = True) -> AsyncIterator[Shown]:
    assert place.claim(NOTHING) is Claim.FIRST
    shown = Shown(place.file, answers=answers)
    listening = asyncio.create_task(shown.listener.serve())
    try:
        await until(place.file.exists)
        yield shown
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
        place.release()


async def connected(place: OpenWindow) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the open window of somebody who does not know the secret."""
    port = json.loads(place.file.read_bytes())["port"]
    return await open_connection(place.file.parent, port, limit=1024)


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


def test_first_window_is_the_only_one_until_it_ends(tmp_path: Path) -> None:
    first, second = window(tmp_path), window(tmp_path)
    assert first.claim(NOTHING) is Claim.FIRST
    assert first.claim_if_free()
    assert not second.claim_if_free()
    first.release()
    assert second.claim(NOTHING) is Claim.FIRST
    second.release()


def test_second_start_is_told_to_the_first_and_waits_for_its_answer(tmp_path: Path) -> None:
    async def test() -> None:
        options = StartOptions(server="chat.local", user="Jürgen", connect=True, in_tray=True)
        async with opened(window(tmp_path)) as shown:
            assert await asyncio.to_thread(window(tmp_path).claim, options) is Claim.SHOWN
            assert await asyncio.to_thread(window(tmp_path).claim, NOTHING) is Claim.SHOWN
        assert shown.asked == [options, NOTHING]
        assert not window(tmp_path).file.exists()

    run(test())


def test_other_folder_for_settings_is_another_profile(tmp_path: Path) -> None:
    first, second = window(tmp_path), window(tmp_path, "other")
    assert first.claim(NOTHING) is second.claim(NOTHING) is Claim.FIRST
    first.release()
    second.release()


def test_window_that_does_not_answer_is_told(tmp_path: Path) -> None:
    async def test() -> None:
        async with opened(window(tmp_path), answers=False) as shown:
            claim = await asyncio.to_thread(window(tmp_path).claim, NOTHING, within_s=0.3)
        assert (claim, shown.asked) == (Claim.SILENT, [NOTHING])

    run(test())


def test_window_that_is_just_starting_is_waited_for(tmp_path: Path) -> None:
    async def test() -> None:
        first = window(tmp_path)
        assert first.claim_if_free()
        second = asyncio.create_task(asyncio.to_thread(window(tmp_path).claim, NOTHING))
        async with opened(first):
            assert await second is Claim.SHOWN

    run(test())


def test_window_that_is_just_ending_makes_room_for_the_next(tmp_path: Path) -> None:
    first, second = window(tmp_path), window(tmp_path)
    assert first.claim_if_free()
    found: list[Claim] = []
    waiting = threading.Thread(target=lambda: found.append(second.claim(NOTHING)))
    waiting.start()
    first.release()
    waiting.join()
    assert found == [Claim.FIRST]
    second.release()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", json.dumps({"port": 1, "secret": "s" * 64, "pid": 1}).encode()]
)
def test_file_that_was_left_over_keeps_nobody_from_starting(tmp_path: Path, content: bytes) -> None:
    place = window(tmp_path)
    place.file.parent.mkdir(parents=True)
    place.file.write_bytes(content)
    assert place.claim(NOTHING) is Claim.FIRST
    place.release()


def test_nobody_who_listens_is_told_as_unknown(tmp_path: Path) -> None:
    first = window(tmp_path)
    assert first.claim_if_free()
    assert window(tmp_path).claim(NOTHING, within_s=0.1) is Claim.UNKNOWN
    first.release()


def test_folder_that_cannot_be_used_is_told_as_unknown_at_once(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    place = window(tmp_path)
    assert place.claim(NOTHING) is Claim.UNKNOWN
    assert not place.claim_if_free()
    place.release()


def test_only_the_owner_can_read_the_secret(tmp_path: Path) -> None:
    async def test() -> None:
        place = window(tmp_path)
        async with opened(place):
            assert stat.S_IMODE(place.file.stat().st_mode) == 0o600
            assert stat.S_IMODE(place.file.parent.stat().st_mode) == 0o700

    run(test())


def test_who_does_not_know_the_secret_gets_no_word_and_moves_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        place = window(tmp_path)
        async with opened(place) as shown:
            for line in (
                json.dumps({"secret": "0" * 64, "options": {}}).encode(),
                b"GET / HTTP/1.1",
                b"[" * 5000,
                b"x" * 100_000,
                b"\xff",
            ):
                reader, writer = await connected(place)
                with contextlib.suppress(ConnectionError):
                    writer.write(line + b"\n")
                    assert await reader.read() == b""
                await close(writer)
        assert shown.asked == []

    run(test())


def test_silent_connections_are_cut_off_and_hold_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_LINE_S", 0.05)

    async def test() -> None:
        place = window(tmp_path)
        async with opened(place):
            silent = [await connected(place) for _ in range(module.MAX_CONNECTIONS + 1)]
            for reader, _ in silent:
                assert await reader.read() == b""
            assert await asyncio.to_thread(window(tmp_path).claim, NOTHING) is Claim.SHOWN
            for _, writer in silent:
                await close(writer)

    run(test())


def test_what_is_typed_may_be_long_or_no_text() -> None:
    options = start_options(server="s" * 10_000, user=os.fsdecode(b"\xff"), connect=False, in_tray=False)
    assert (options.server, options.user) == ("s" * module.MAX_SERVER_CHARS, "?")


def test_others_on_the_network_or_this_computer_find_nothing_to_connect_to(
    tmp_path: Path, *, in_files: bool
) -> None:
    async def test() -> None:
        place = window(tmp_path)
        async with opened(place):
            port = json.loads(place.file.read_bytes())["port"]
            if in_files:
                assert stat.S_IMODE((place.file.parent / port).stat().st_mode) == 0o600
            else:
                with socket.create_server(("127.0.0.2", port)):
                    pass

    run(test())


def test_socket_that_was_left_over_is_replaced_and_goes_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_sockets, "IN_FILES", True)
    place = window(tmp_path)
    left = place.file.with_suffix(".sock")
    left.parent.mkdir(parents=True)
    LocalListener(left.parent, left.name).socket.close()
    assert left.is_socket()
    place.file.write_text(json.dumps({"port": left.name, "secret": "s" * 64, "pid": 1}))

    async def test() -> None:
        async with opened(place):
            assert await asyncio.to_thread(window(tmp_path).claim, NOTHING) is Claim.SHOWN

    run(test())
    assert [path.suffix for path in left.parent.iterdir()] == [".lock"]
