"""Saving a conversation in a file: all pages, in order, whole or not at all."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.unit.gui.test_history import Server
from twocans.client import Page, RequestFailed
from twocans.common.new_file import NewFileError
from twocans.common.transcripts import Form
from twocans.gui.backend.export import save

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


class Failing(Server):
    """Gives two pages, then no answer."""

    async def history_page(self, peer: str, *, before: int | None = None, limit: int = 50) -> Page:
        if self.asked == 2:
            raise RequestFailed("timed_out", "The server did not answer in time.")
        return await super().history_page(peer, before=before, limit=limit)


def test_all_pages_are_saved_oldest_first_and_progress_is_told(tmp_path: Path) -> None:
    path = tmp_path / "chat.json"
    moved: list[int] = []
    server = Server(list(range(1, 2301)))
    count = asyncio.run(save(server, "bob", path, user="alice", form=Form.JSON, now=NOW, moved=moved.append))
    saved = json.loads(path.read_text())
    assert [one["id"] for one in saved["conversations"][0]["messages"]] == list(range(1, 2301))
    assert count == 2300
    assert moved == [500, 1000, 1500, 2000, 2300]
    assert [one.name for one in tmp_path.iterdir()] == ["chat.json"]


def test_an_empty_conversation_is_saved_as_such(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    count = asyncio.run(
        save(Server([]), "bob", path, user="alice", form=Form.TEXT, now=NOW, moved=lambda _: None)
    )
    assert count == 0
    assert "There are no messages." in path.read_text()


def test_a_failure_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_text("as it was")
    with pytest.raises(RequestFailed):
        asyncio.run(
            save(
                Failing(list(range(3000))),
                "bob",
                path,
                user="alice",
                form=Form.TEXT,
                now=NOW,
                moved=lambda _: None,
            )
        )
    assert path.read_text() == "as it was"
    assert [one.name for one in tmp_path.iterdir()] == ["chat.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such pipes there")
def test_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    os.mkfifo(path)
    with pytest.raises(NewFileError, match="is a pipe"):
        asyncio.run(
            save(Server([1]), "bob", path, user="alice", form=Form.TEXT, now=NOW, moved=lambda _: None)
        )
    assert path.is_fifo()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NewFileError, match="No such file"):
        asyncio.run(
            save(
                Server([1]),
                "bob",
                tmp_path / "none" / "chat.txt",
                user="alice",
                form=Form.TEXT,
                now=NOW,
                moved=lambda _: None,
            )
        )


def test_cancelling_leaves_no_file(tmp_path: Path) -> None:
    async def begin() -> None:
        reading = asyncio.Event()
        task = asyncio.create_task(
            save(
                Server(list(range(200_000))),
                "bob",
                tmp_path / "chat.html",
                user="alice",
                form=Form.HTML,
                now=NOW,
                moved=lambda count: reading.set() if count == 200_000 else None,
            )
        )
        await reading.wait()
        await asyncio.sleep(0)  # the file is being written by its thread
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(begin())
    assert list(tmp_path.iterdir()) == []
