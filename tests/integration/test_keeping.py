"""Messages whose time is over, and what one person has said and heard, with the real programs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.keeping import (
    assert_one_sentence,
    database,
    fill,
    is_private,
    make_larger,
    serve_and_say,
    served,
)
from tests.support.process import START_S, command, environment, run
from tests.support.raw import JsonPeer

DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three messages, to be copied."""
    return fill(tmp_path_factory.mktemp("spoken"))


# --- messages whose time is over -------------------------------------------------------------------------


def test_old_messages_are_gone_after_a_start_with_keep_days_and_newer_ones_are_not(tmp_path: Path) -> None:
    serve_and_say(tmp_path, "the old secret", "another old one", "the new secret")
    with database(tmp_path) as connection:
        connection.execute("UPDATE message SET at = at - ? WHERE id < 3", (31 * DAY_MS,))
        old = connection.execute("SELECT cid, at FROM message WHERE id = 1").fetchone()
    with served(tmp_path, "--keep-days", "30") as server:
        cleared = server.event("messages_cleared")
        assert (cleared["number"], cleared["keep_days"]) == (2, 30)
        with JsonPeer(server.port, "alice") as alice, JsonPeer(server.port, "bob") as bob:
            assert [frame["text"] for frame in bob.missed] == ["the new secret"]
            page = alice.ask("HISTORY", peer="bob")
            assert ([one["text"] for one in page.parts("messages")], page["more"]) == (
                ["the new secret"],
                False,
            )
            hits = alice.ask("SEARCH", query="secret").parts("messages")
            assert [hit["text"] for hit in hits] == ["the new secret"]
            (chat,) = bob.ask("CHATS").parts("chats")
            assert chat["unread"] == 1
            # What is gone was sent, and stays so: sent again, it is known.
            ack = alice.deliver("bob", "the old secret", old[0])
            assert (ack["id"], ack["at"]) == (1, old[1])
            assert bob.drain() == []
        with JsonPeer(server.port, "alice", after=0, log=alice.log, token=alice.token) as again:
            assert [frame["text"] for frame in again.missed] == ["the new secret"]
        shown = run("export", "--user", "alice", "--format", "json", data=tmp_path)
        assert "the new secret" in shown.stdout
        assert "old" not in shown.stdout
        assert run("check", data=tmp_path).returncode == 0


def test_clock_far_ahead_of_everything_removes_nothing_until_it_has_run_for_a_week(tmp_path: Path) -> None:
    serve_and_say(tmp_path, "one", "two")
    with database(tmp_path) as connection:
        connection.execute("UPDATE message SET at = at - ?", (60 * DAY_MS,))
    for _ in range(2):
        with served(tmp_path, "--keep-days", "30") as server:
            doubted = server.event("clock_doubted")
            assert doubted.number("trusted_from") >= doubted.number("clock") + 6 * DAY_MS
            with JsonPeer(server.port, "alice") as alice:
                page = alice.ask("HISTORY", peer="bob")
                assert [one["text"] for one in page.parts("messages")] == ["one", "two"]
                # What is sent by that clock does not make it any truer.
                alice.deliver("alice", "a note")
    with database(tmp_path) as connection:
        connection.execute("UPDATE log SET doubted_ms = doubted_ms - ?", (8 * DAY_MS,))
    with served(tmp_path, "--keep-days", "30") as server:
        assert server.event("messages_cleared")["number"] == 2


def test_chat_of_which_everything_went_is_gone_too(tmp_path: Path) -> None:
    serve_and_say(tmp_path, "one", "two")
    with database(tmp_path) as connection:
        connection.execute("UPDATE message SET at = at - ?", (2 * DAY_MS,))
    with served(tmp_path, "--keep-days", "1") as server:
        server.event("messages_cleared", number=2)
        with JsonPeer(server.port, "alice") as alice:
            assert alice.ask("CHATS").parts("chats") == []
            # The number of the newest message stays what it was, and the next one gets a higher one.
            assert alice.welcome["last"] == 2
            assert alice.deliver("bob", "three").number("id") > 2
            (chat,) = alice.ask("CHATS").parts("chats")
            assert chat.part("last")["text"] == "three"


def test_messages_are_kept_for_ever_without_the_option(tmp_path: Path) -> None:
    serve_and_say(tmp_path, "from long ago")
    with database(tmp_path) as connection:
        connection.execute("UPDATE message SET at = 1")
    with served(tmp_path) as server, JsonPeer(server.port, "alice") as alice:
        (message,) = alice.ask("HISTORY", peer="bob").parts("messages")
        assert message["text"] == "from long ago"


def test_people_chat_on_while_many_old_messages_go(tmp_path: Path) -> None:
    serve_and_say(tmp_path, "first")
    make_larger(tmp_path, messages=4000, at=0)
    with (
        served(tmp_path, "--keep-days", "7", "--rate-limit", "0") as server,
        JsonPeer(server.port, "alice", sync=False) as alice,
    ):
        sent = 0
        while not any(event.verb == "messages_cleared" for event in server.events()):
            alice.deliver("bob", f"new {sent}")
            sent += 1
        assert server.event("messages_cleared")["number"] == 3999
        with JsonPeer(server.port, "bob") as bob:
            texts = [frame["text"] for frame in bob.missed]
        assert texts == ["first", *(f"new {n}" for n in range(sent))]
    assert run("check", data=tmp_path).returncode == 0


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "ten", "", "36501", "99999999999999999999", "٣"])
def test_number_of_days_that_is_none_is_told(tmp_path: Path, value: str) -> None:
    finished = run(f"--keep-days={value}", data=tmp_path)
    assert finished.returncode == 2
    assert "--keep-days" in finished.stderr
    assert "not a number of days from 1 to 36500" in finished.stderr


# --- export ----------------------------------------------------------------------------------------------


def test_export_gives_all_conversations_of_one_person_while_the_server_runs(tmp_path: Path) -> None:
    with (
        served(tmp_path) as server,
        JsonPeer(server.port, "Alice") as alice,
        JsonPeer(server.port, "bob") as bob,
        JsonPeer(server.port, "carol") as carol,
    ):
        first = alice.deliver("bob", "hello <b>bob</b>")
        bob.deliver("alice", "hello\nAlice \u202e")
        carol.deliver("alice", "hi from carol")
        carol.deliver("bob", "not for Alice")
        found = json.loads(run("export", "--user", "ALICE", "--format", "json", data=tmp_path).stdout)
        assert found["user"] == "Alice"
        assert [
            (one["with"], [message["text"] for message in one["messages"]]) for one in found["conversations"]
        ] == [("bob", ["hello <b>bob</b>", "hello\nAlice \u202e"]), ("carol", ["hi from carol"])]
        message = found["conversations"][0]["messages"][0]
        assert (message["id"], message["at"]) == (first["id"], first["at"])
        text = run("export", "--user", "alice", "--format", "text", data=tmp_path).stdout
        assert "bob: hello\n" in text
        assert "Alice \\u202e" in text
        assert "\u202e" not in text
        html = run("export", "--user", "alice", "--format", "html", data=tmp_path).stdout
        assert "hello &lt;b&gt;bob&lt;/b&gt;" in html
        assert "not for Alice" not in f"{found}{text}{html}"
        alice.deliver("bob", "still running")


def test_export_works_when_no_server_runs_and_leaves_the_folder_to_the_next(tmp_path: Path) -> None:
    serve_and_say(tmp_path, "hello")
    assert "alice: hello" in run("export", "--user", "bob", "--format", "text", data=tmp_path).stdout
    serve_and_say(tmp_path, "again")
    assert "alice: again" in run("export", "--user", "bob", "--format", "text", data=tmp_path).stdout


def test_times_of_an_export_are_in_the_time_zone_of_the_computer(tmp_path: Path) -> None:
    serve_and_say(tmp_path, "hello")
    with database(tmp_path) as connection:
        connection.execute("UPDATE message SET at = 1782864000000")
    finished = subprocess.run(
        command("export", "--data", str(tmp_path), "--user", "alice", "--format", "text"),
        env=environment({"TZ": "XST-5:30"}),
        capture_output=True,
        encoding="utf-8",
        timeout=START_S,
        check=True,
    )
    if sys.platform != "win32":
        assert "time zone XST" in finished.stdout
        assert "2026-07-01T05:30:00+05:30  alice: hello" in finished.stdout


def test_export_into_a_file_is_private_and_replaces_nothing_unasked(tmp_path: Path) -> None:
    data = tmp_path / "data"
    serve_and_say(data, "Grüße 👋")
    out = tmp_path / "alice.html"
    arguments = ["export", "--user", "alice", "--format", "html", "--out", str(out)]
    assert run(*arguments, data=data).returncode == 0
    assert "Grüße 👋" in out.read_text(encoding="utf-8")
    assert is_private(out)
    out.write_text("mine", encoding="utf-8")
    assert_one_sentence(run(*arguments, data=data), str(out), "--force")
    assert out.read_text(encoding="utf-8") == "mine"
    assert run(*arguments, "--force", data=data).returncode == 0
    assert "Grüße" in out.read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alice.html", "data"]


@pytest.mark.parametrize("name", ["nobody", "two words", "", "x" * 100, "\x1b[2J\u202e"])
def test_person_who_does_not_exist_is_told_in_one_sentence(spoken: Path, tmp_path: Path, name: str) -> None:
    data = tmp_path / "data"
    shutil.copytree(spoken, data)
    out = tmp_path / "out"
    finished = run("export", f"--user={name}", "--format", "text", "--out", str(out), data=data)
    assert_one_sentence(finished, "Nobody")
    assert finished.stderr.rstrip("\n").isprintable()
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe's end shows itself otherwise there")
def test_reader_of_an_export_that_goes_away_early_causes_no_traceback(tmp_path: Path) -> None:
    serve_and_say(tmp_path, *("x" * 10_000 for _ in range(20)))
    reader, writer = os.pipe()
    os.close(reader)
    with subprocess.Popen(
        command("export", "--data", str(tmp_path), "--user", "alice", "--format", "text"),
        env=environment(),
        stdout=writer,
        stderr=subprocess.PIPE,
    ) as export:
        os.close(writer)
        _, errors = export.communicate(timeout=START_S)
    assert (export.returncode, errors) == (1, b"")
