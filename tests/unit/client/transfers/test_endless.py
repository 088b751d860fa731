"""A file server that never comes to the point: it is left after a bounded number of bytes, and the user is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Final

import pytest

from tests.unit.client.scripted import run, run_on_fast_loop, until
from tests.unit.client.transfers.file_server import FileServer, Request, content, failed
from twocans.client.checks import MAX_SENTENCE_CHARS
from twocans.client.transfers import http

_SIZE: Final = 100_000
_OK: Final = b"HTTP/1.1 200 OK\r\n"
_REFUSED: Final = b"HTTP/1.1 400 Bad Request\r\n"
_CHUNKED: Final = b"Transfer-Encoding: chunked\r\n\r\n"

ENDLESS: Final = {
    "answers before the answer": (b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "continues": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "headers": (_OK, b"X-More: and more\r\n"),
    "one header": (_OK + b"X: ", b"x" * 100),
    "status line": (b"HTTP/1.1 200 ", b"x" * 100),
    "chunk headers": (_REFUSED + _CHUNKED, b"1;" + b"x" * 100 + b"\r\nx\r\n"),
    "one chunk header": (_REFUSED + _CHUNKED, b"0" * 100),
    "chunk extension": (_REFUSED + _CHUNKED + b"5;", b"x" * 100),
    "trailers": (_REFUSED + _CHUNKED + b"0\r\n", b"X-More: and more\r\n"),
    "empty lines": (b"", b"\r\n\r\n"),
}
"""What the server says first, and what it then says for ever."""


async def _say_for_ever(request: Request, first: bytes, then: bytes) -> None:
    request.writer.write(first)
    while True:
        request.writer.write(then * 200)
        await request.writer.drain()


def _endless(mode: str) -> Callable[[Request, FileServer], object]:
    first, then = ENDLESS[mode]
    return lambda request, _: _say_for_ever(request, first, then)


@pytest.mark.parametrize("run_it", [run, run_on_fast_loop])
@pytest.mark.parametrize("mode", ENDLESS)
def test_a_download_from_an_endless_server_ends_with_a_sentence(
    tmp_path: Path, mode: str, run_it: Callable[[Coroutine[None, None, None]], None]
) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.on_request = _endless(mode)
            id_ = client.transfers.start_download(server.offer(content(_SIZE)), tmp_path / "a")
            assert 0 < len((await failed(client, id_)).text) <= MAX_SENTENCE_CHARS
            # After a lost connection the request is made once more.
            assert len(server.requests) <= 2

    run_it(scenario())


@pytest.mark.parametrize("mode", ENDLESS)
def test_an_upload_to_an_endless_server_ends_with_a_sentence(tmp_path: Path, mode: str) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.on_request = _endless(mode)
            (tmp_path / "a").write_bytes(content(_SIZE))
            id_ = client.transfers.start_upload("bob", tmp_path / "a")
            assert 0 < len((await failed(client, id_)).text) <= MAX_SENTENCE_CHARS
            # After a lost connection the request is made once more.
            assert len(server.requests) <= 2
            assert not server.messages

    run(scenario())


def test_a_server_that_gives_a_byte_now_and_then_is_left_and_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "IDLE_S", 0.5)

    async def trickle(request: Request) -> None:
        request.writer.write(_OK + b"Content-Length: %d\r\n\r\n" % _SIZE)
        while True:
            request.writer.write(b"x")
            await request.writer.drain()
            await asyncio.sleep(0.01)

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.on_request = lambda request, _: trickle(request)
            client.transfers.start_download(server.offer(content(_SIZE)), tmp_path / "a")
            await until(lambda: len(server.requests) >= 2)

    run(scenario())
