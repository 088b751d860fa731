"""Saves a conversation in a file: reads all of its pages, then writes the document beside the file and puts it there.

The pages come newest first and the document is oldest first, so they wait in a temporary file on disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Final

import msgspec

from twocans.client import Message
from twocans.common.new_file import NewFileError, new_file
from twocans.common.transcripts import Conversation, Form, render
from twocans.gui.backend.history import Pages

PAGE: Final = 500


class Cancelled(Exception):
    """The user does not want the file any more."""


async def save(
    client: Pages,
    peer: str,
    path: Path,
    *,
    user: str,
    form: Form,
    now: datetime,
    moved: Callable[[int], None],
) -> int:
    """Save the conversation with `peer`; an ordinary file that exists is replaced once the new one is whole.

    Args:
        moved: told how many messages have been read so far.

    Returns:
        The number of messages.

    Raises:
        RequestFailed: the server did not give them.
        NewFileError: the file cannot be written.
        OSError: there is no room for the temporary file.
    """
    stop = threading.Event()
    with tempfile.TemporaryFile() as pages:
        places: list[int] = []
        count, before, more = 0, None, True
        while more:
            page = await client.history_page(peer, before=before, limit=PAGE)
            places.append(pages.tell())
            _keep(pages, page.messages)
            count += len(page.messages)
            more = page.more and bool(page.messages)
            if more:
                before = page.messages[0].id
            moved(count)
        conversation = Conversation(peer, _backwards(pages, places, stop))
        pieces = render([conversation], user=user, form=form, now=now)
        writing = asyncio.create_task(asyncio.to_thread(_write, path, pieces))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            # The thread has the temporary file open: it has to end first.
            stop.set()
            with contextlib.suppress(Cancelled, NewFileError):
                await writing
            raise
    return count


def _keep(file: IO[bytes], messages: tuple[Message, ...]) -> None:
    # The length before each page is what it is read by.
    content = msgspec.msgpack.encode(messages)
    file.write(len(content).to_bytes(8))
    file.write(content)


def _backwards(file: IO[bytes], places: list[int], stop: threading.Event) -> Iterator[Message]:
    decoder = msgspec.msgpack.Decoder(list[Message])
    for place in reversed(places):
        if stop.is_set():
            raise Cancelled
        file.seek(place)
        yield from decoder.decode(file.read(int.from_bytes(file.read(8))))


def _write(path: Path, pieces: Iterator[str]) -> None:
    with (
        new_file(path, replace=True) as unfinished,
        unfinished.open("w", encoding="utf-8", newline="\n") as file,
    ):
        for piece in pieces:
            file.write(piece)
