"""Files that are sent: hashed, brought to the server in as many attempts as it takes, and then told of."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.support.certificates import identity
from tests.unit.client.scripted import next_of, run, run_on_fast_loop, until
from tests.unit.client.sessions import LIMITS as NO_FILES
from tests.unit.client.transfers.file_server import (
    FileServer,
    Request,
    content,
    done,
    failed,
    moved_to,
    ref,
)
from twocans.client import FileRef, MessageRefused, MessageStored, Online, TransferMoved, TransferState
from twocans.client.transfers import http
from twocans.client.transfers.disk import PIECE_BYTES
from twocans.protocol.messages import Error

SIZES = [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 5_000_000]


def written(folder: Path, data: bytes, name: str = "report.pdf") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("size", SIZES)
def test_file_is_brought_and_then_its_message_is_stored(tmp_path: Path, size: int) -> None:
    data = content(size)

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            id_ = client.transfers.start_upload("bob", written(tmp_path, data))
            transfer = await done(client, id_)
            stored = await next_of(client, MessageStored)
            assert (stored.cid, stored.to, stored.text, stored.file) == (id_, "bob", "report.pdf", ref(data))
            assert server.brought[ref(data).hash] == data
            assert (transfer.size, transfer.done, transfer.outgoing, transfer.peer) == (
                size,
                size,
                True,
                "bob",
            )
            (kept,) = client.transfers.all
            assert kept.message_id == stored.id
            assert [(one.cid, one.file) for one in server.messages] == [(id_, ref(data))]

    run_on_fast_loop(scenario())


def test_name_of_a_file_is_made_safe(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            await done(
                client, client.transfers.start_upload("bob", written(tmp_path, b"x"), name="../a:b\u202e.txt")
            )
            await next_of(client, MessageStored)
            assert server.messages[0].text == "a_b.txt"

    run(scenario())


def test_upload_that_is_cut_goes_on_where_it_was(tmp_path: Path) -> None:
    data = content(3_000_000)

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.cut_after = [1, 500_000, 700_000, 123_457]
            await done(client, client.transfers.start_upload("bob", written(tmp_path, data)))
            await next_of(client, MessageStored)
            assert server.brought[ref(data).hash] == data
            assert len(server.requests) == 5
            assert len(server.messages) == 1

    run(scenario())


def test_upload_waits_for_a_lost_connection_and_goes_on(tmp_path: Path) -> None:
    data = content(3_000_000)

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.gate.clear()
            id_ = client.transfers.start_upload("bob", written(tmp_path, data))
            await until(lambda: len(server.brought.get(ref(data).hash, b"")) > 0)
            await server.stop()
            assert (await moved_to(client, id_, TransferState.WAITING)).text == ""
            server.gate.set()
            await server.open()
            await done(client, id_)
            assert server.brought[ref(data).hash] == data

    run(scenario())


def test_server_that_stands_still_is_left_and_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "IDLE_S", 0.2)
    data = content(30_000_000)

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.gate.clear()
            id_ = client.transfers.start_upload("bob", written(tmp_path, data))
            await until(lambda: len(server.requests) == 2)
            server.gate.set()
            await done(client, id_)
            assert server.brought[ref(data).hash] == data

    run(scenario())


def test_file_that_the_server_has_already_is_not_brought_again(tmp_path: Path) -> None:
    data = content(1000)

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.brought[ref(data).hash] = bytearray(data)
            await done(client, client.transfers.start_upload("bob", written(tmp_path, data)))
            await next_of(client, MessageStored)
            assert server.requests == []

    run(scenario())


def test_file_changed_while_it_is_brought_fails_and_is_sent_as_it_is_when_told_to_go_on(
    tmp_path: Path,
) -> None:
    data, other = content(1_000_000), content(1_000_000, 2)

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.gate.clear()
            path = written(tmp_path, data)
            id_ = client.transfers.start_upload("bob", path)
            await until(lambda: ref(data).hash in server.brought)
            path.write_bytes(other)
            os.utime(path, ns=(1, 1))
            server.gate.set()
            transfer = await failed(client, id_)
            assert (
                transfer.text
                == "report.pdf was changed while it was being sent. Send it again when it is ready."
            )
            assert server.messages == []
            client.transfers.resume(id_)
            await done(client, id_)
            await next_of(client, MessageStored)
            assert [one.file for one in server.messages] == [ref(other)]

    run(scenario())


def test_file_that_has_become_shorter_fails_and_is_sent_as_it_is_when_told_to_go_on(tmp_path: Path) -> None:
    data = content(50_000_000)

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.gate.clear()
            path = written(tmp_path, data)
            id_ = client.transfers.start_upload("bob", path)
            await until(lambda: ref(data).hash in server.brought)
            path.write_bytes(b"short")
            server.gate.set()
            assert "was changed" in (await failed(client, id_)).text
            client.transfers.resume(id_)
            await done(client, id_)
            await next_of(client, MessageStored)
            assert [one.file for one in server.messages] == [ref(b"short")]

    run(scenario())


def test_file_whose_content_the_server_finds_wrong_is_hashed_and_brought_once_more(tmp_path: Path) -> None:
    data = content(1000)

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            wrong = [True]

            def refuse(request: Request, server: FileServer) -> object:
                return (
                    request.answer("422 Unprocessable Entity", b"Wrong.") if wrong and wrong.pop() else None
                )

            server.on_request = refuse
            await done(client, client.transfers.start_upload("bob", written(tmp_path, data)))
            server.on_request = lambda request, _: request.answer(
                "422 Unprocessable Entity", b"Wrong\x1b[31m."
            )
            transfer = await failed(
                client, client.transfers.start_upload("bob", written(tmp_path, data + b"x"))
            )
            assert "\x1b" not in transfer.text
            assert transfer.text.startswith("Wrong")

    run(scenario())


def test_refusals_are_told_as_the_server_says_them(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            path = written(tmp_path, b"data")
            server.refusals = [Error(code="storage_full", text="The server's disk is full.")]
            id_ = client.transfers.start_upload("bob", path)
            assert (await failed(client, id_)).text == "The server's disk is full."
            server.on_request = lambda request, _: request.answer(
                "507 Insufficient Storage", b"No room left."
            )
            client.transfers.resume(id_)
            assert (await failed(client, id_)).text == "No room left."
            server.on_request = None
            client.transfers.resume(id_)
            await done(client, id_)

    run(scenario())


@pytest.mark.parametrize(
    "status", ["409 Conflict", "403 Forbidden", "503 Service Unavailable", "202 Accepted"]
)
def test_refusals_that_pass_only_put_it_off(tmp_path: Path, status: str) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            refused = [1, 2, 3]
            server.on_request = lambda request, _: (
                request.answer(status) if refused and refused.pop() else None
            )
            await done(client, client.transfers.start_upload("bob", written(tmp_path, b"data")))
            assert len(server.requests) == 4

    run(scenario())


def test_ticket_that_is_refused_for_now_is_asked_for_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.refusals = [Error(code=code, text="Not now.") for code in ("internal", "rate_limited")]
            id_ = client.transfers.start_upload("bob", written(tmp_path, b"data"))
            waiting = await next_of(client, TransferMoved, lambda event: event.transfer.text == "Not now.")
            assert waiting.transfer.state is TransferState.WAITING
            await done(client, id_)

    run(scenario())


def test_server_that_never_takes_anything_is_given_up(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.on_request = lambda request, _: request.answer("409 Conflict", b"Not so.")
            id_ = client.transfers.start_upload("bob", written(tmp_path, b"data"))
            assert (await failed(client, id_)).text == "Not so."
            assert len(server.requests) == 10

    run(scenario())


@pytest.mark.parametrize("status", ["301 Moved Permanently", "307 Temporary Redirect", "200 OK"])
def test_answer_that_nobody_asked_for_is_refused(tmp_path: Path, status: str) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.on_request = lambda request, _: request.answer(
                status, b"", f"Location: https://127.0.0.1:{server.port}/files/elsewhere"
            )
            transfer = await failed(client, client.transfers.start_upload("bob", written(tmp_path, b"data")))
            assert "not understood" in transfer.text
            assert len(server.requests) == 1

    run(scenario())


def test_nothing_is_sent_to_a_server_with_another_key(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            await next_of(client, Online)
            chat = next(iter(server._chats))
            async with FileServer(identity("another")) as other:
                # The same address and port, as somebody between the two would have it.
                assert server._server is not None
                server._server.close()
                await other.stop()
                other.port = server.port
                await other.open()
                transfer = await failed(
                    client, client.transfers.start_upload("bob", written(tmp_path, b"data"))
                )
                assert "not the server" in transfer.text
                assert other.requests == []
                assert not chat.transport.is_closing()

    run(scenario(), expected=("SSL",))


def test_server_that_takes_no_files_or_none_so_large_is_not_asked(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server:
            server.limits = NO_FILES
            async with server.client() as client:
                transfer = await failed(
                    client, client.transfers.start_upload("bob", written(tmp_path, b"data"))
                )
                assert transfer.text == "This server doesn't accept files."

    run(scenario())


def test_what_is_no_file_or_not_there_fails_with_a_sentence(tmp_path: Path) -> None:
    others = [(tmp_path, "is a folder")]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        others.append((tmp_path / "pipe", "is no file"))

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            for path, wanted in (
                *others,
                (tmp_path / "gone.txt", f"{tmp_path / 'gone.txt'} is not there."),
                (tmp_path / "gone" / "a.txt", f"{tmp_path / 'gone'} is not there."),
                (tmp_path / "a\0b", "is not there"),
            ):
                assert wanted in (await failed(client, client.transfers.start_upload("bob", path))).text

    run(scenario())


def test_message_that_is_refused_makes_its_file_fail_and_it_can_be_tried_again(tmp_path: Path) -> None:
    data = content(1000)

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.refuse_message = "no_such_file"
            id_ = client.transfers.start_upload("bob", written(tmp_path, data))
            await done(client, id_)
            transfer = await failed(client, id_)
            assert transfer.text == "That file is not there."
            assert (await next_of(client, MessageRefused)).cid == id_
            client.transfers.resume(id_)
            await next_of(client, MessageStored)
            assert [one.file for one in server.messages] == [FileRef(ref(data).hash, 1000)]

    run(scenario())


def test_ticket_that_is_no_name_is_not_asked_for(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.next_ticket = "../x?y"
            transfer = await failed(client, client.transfers.start_upload("bob", written(tmp_path, b"data")))
            assert "not understood" in transfer.text
            assert server.requests == []

    run(scenario())


def test_refusal_before_the_body_is_heard_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            refused = asyncio.Event()

            async def refuse(request: Request) -> None:
                await request.answer("507 Insufficient Storage", b"No room left.")
                refused.set()

            server.on_request = lambda request, _: refuse(request)
            path = tmp_path / "large"
            with path.open("wb") as file:
                file.truncate(200_000_000)
            transfer = await failed(client, client.transfers.start_upload("bob", path))
            assert transfer.text == "No room left."
            assert refused.is_set()

    run(scenario())


def test_cancelled_upload_is_removed_from_the_server(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.gate.clear()
            id_ = client.transfers.start_upload("bob", written(tmp_path, content(1_000_000)))
            await until(lambda: any(server.brought.values()))
            client.transfers.cancel(id_)
            await moved_to(client, id_, TransferState.CANCELLED)
            await until(lambda: not server.brought)
            assert [request.method for request in server.requests] == ["PUT", "DELETE"]

    run(scenario())


def test_same_file_is_sent_again_once_the_server_has_removed_what_was_cancelled(tmp_path: Path) -> None:
    asked, may_end = asyncio.Event(), asyncio.Event()

    async def remove_slowly(request: Request, server: FileServer) -> None:
        asked.set()
        await may_end.wait()
        server.brought.clear()
        await request.answer("200 OK")

    async def scenario() -> None:
        async with FileServer() as server, server.client() as client:
            server.on_request = lambda request, server: (
                remove_slowly(request, server) if request.method == "DELETE" else None
            )
            server.gate.clear()
            path = written(tmp_path, content(1_000_000))
            id_ = client.transfers.start_upload("bob", path)
            await until(lambda: any(server.brought.values()))
            client.transfers.cancel(id_)
            await moved_to(client, id_, TransferState.CANCELLED)
            await asked.wait()
            server.gate.set()
            again = client.transfers.start_upload("bob", path)
            # Another file takes as many steps as this one, which began before it.
            await done(
                client,
                client.transfers.start_upload("bob", written(tmp_path, content(1_000_000, 2), "other")),
            )
            assert [request.method for request in server.requests] == ["PUT", "DELETE", "PUT"]
            may_end.set()
            await done(client, again)
            assert [request.method for request in server.requests] == ["PUT", "DELETE", "PUT", "PUT"]

    run(scenario())
