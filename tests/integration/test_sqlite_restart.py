"""With messages on disk: what a restart of the server leaves as it was, and resuming while traffic runs."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.keeping import database
from tests.support.raw import Frame, JsonPeer, Peer
from tests.support.serving import Serving, serve
from tests.support.tls import client_context
from twocans.hub.limits import Limits
from twocans.server.settings.config import Concurrency

UNLIMITED = Limits(rate_per_s=0)
every_concurrency = pytest.mark.parametrize("concurrency", list(Concurrency), ids=lambda mode: mode.value)


def numbers(frames: list[Frame]) -> list[int]:
    """The ids of messages."""
    return [frame.number("id") for frame in frames if frame.verb == "MSG"]


def says(frames: list[Frame]) -> list[str]:
    """What messages say."""
    return [frame.text("text") for frame in frames if frame.verb == "MSG"]


def leave(peer: JsonPeer) -> None:
    """Say goodbye, and see it through."""
    peer.send("BYE")
    peer.expect_closed()


@every_concurrency
def test_hundreds_of_resumes_amid_traffic_have_no_hole_and_no_overlap(
    concurrency: Concurrency, tmp_path: Path
) -> None:
    rounds, window = 300, 32
    rng = random.Random(7)  # noqa: S311 - repeatable
    stop = threading.Event()
    sent: list[int] = []
    with serve(concurrency=concurrency, limits=UNLIMITED, data=tmp_path) as server:
        bob = server.json("bob")
        alice, carol = server.json("alice"), server.json("carol")

        def write(sender: JsonPeer) -> None:
            while not stop.is_set():
                cids = [sender.say("bob", "hello") for _ in range(window)]
                for cid in cids:
                    sent.append(sender.expect("ACK", cid=cid).number("id"))  # noqa: PERF401 - two threads

        writers = [threading.Thread(target=write, args=(sender,)) for sender in (alice, carol)]
        for writer in writers:
            writer.start()
        received: list[int] = []
        log, token = bob.log, bob.token
        for _ in range(rounds):
            # Anywhere: while it catches up, at SYNCED, and when it is live.
            received += numbers([bob.read() for _ in range(rng.randint(0, 60))])
            bob.reset()
            after = received[-1] if received else 0
            bob = JsonPeer(server.port, "bob", token=token, after=after, log=log, sync=False)
        stop.set()
        for writer in writers:
            writer.join()
        bob.reset()
        bob = server.json("bob", token=token, after=received[-1], log=log)
        received += numbers(bob.missed)
        assert received == sorted(sent)
        assert len(received) == len(set(received))


@every_concurrency
def test_restart_keeps_who_is_known_what_is_unread_and_what_has_been_read(
    concurrency: Concurrency, tmp_path: Path
) -> None:
    with serve(concurrency=concurrency, data=tmp_path) as server:
        alice, bob = server.json("Alice"), server.json("bob")
        first = alice.deliver("bob", "one").number("id")
        second = alice.deliver("bob", "two").number("id")
        alice.deliver("bob", "three")
        bob.expect_messages(3)
        bob.send("GOT", id=second)
        bob.send("READ", peer="alice", id=first)
        alice.expect("RECEIPT", delivered=second, read=first)
        before = bob.ask("CHATS").fields["chats"]
        log = bob.log
    with serve(concurrency=concurrency, data=tmp_path) as server:
        bob = server.json("BOB")
        assert bob.welcome["user"] == "bob"
        assert bob.log == log
        # Without a cursor: what no device has got.
        assert says(bob.missed) == ["three"]
        assert bob.ask("CHATS").fields["chats"] == before
        (chat,) = bob.ask("CHATS").parts("chats")
        assert (chat["peer"], chat["unread"]) == ("Alice", 2)
        assert bob.ask("FIND", prefix="al")["users"] == ["Alice"]
        # Alice is away, and can be written to, under whatever spelling of her name.
        bob.deliver("aLICE", "back")
        alice = server.json("alice")
        assert alice.welcome["user"] == "Alice"
        assert says(alice.missed) == ["back"]
        alice.ask("HISTORY", peer="bob")
        alice.expect("RECEIPT", peer="bob", delivered=second, read=first)
        found = bob.ask("SEARCH", query="THR").parts("messages")
        assert [frame["text"] for frame in found] == ["three"]


@every_concurrency
def test_messages_for_people_who_are_away_survive_a_restart(concurrency: Concurrency, tmp_path: Path) -> None:
    with serve(concurrency=concurrency, data=tmp_path) as server:
        alice, bob = server.json("alice"), server.json("bob")
        carol = server.plain("carol")
        leave(bob)
        carol.close()
        alice.expect("LEFT", user="carol")
        for number in range(250):
            alice.deliver("bob", f"to bob {number}")
        for number in range(250):
            alice.deliver("carol", f"to carol {number}")
    expected = [("alice", f"to carol {number}") for number in range(250)]
    with serve(concurrency=concurrency, data=tmp_path) as server:
        assert says(server.json("bob").missed) == [f"to bob {number}" for number in range(250)]
        assert server.plain("carol").read_messages(250) == expected
    # A program has not said that it has them; somebody at a terminal has seen them.
    with serve(concurrency=concurrency, data=tmp_path) as server:
        assert len(server.json("bob").missed) == 250
        dora = server.json("dora")
        dora.deliver("carol", "one more")
        assert server.plain("carol").read_messages(1) == [("dora", "one more")]


@every_concurrency
def test_same_cid_after_a_restart_gets_the_first_acknowledgement(
    concurrency: Concurrency, tmp_path: Path
) -> None:
    with serve(concurrency=concurrency, data=tmp_path) as server:
        server.json("bob")
        alice = server.json("alice")
        first = alice.deliver("bob", "hello", "the-cid")
    with serve(concurrency=concurrency, data=tmp_path) as server:
        bob = server.json("bob")
        assert says(bob.missed) == ["hello"]
        alice = server.json("alice")
        assert alice.deliver("bob", "hello", "the-cid").fields == first.fields
        alice.say("bob", "other", "the-cid")
        assert alice.expect("ERROR", cid="the-cid")["code"] == "conflict"
        assert says(bob.drain()) == []


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server with some conversations, among them one that alice is no part of."""
    with serve(limits=UNLIMITED, data=tmp_path_factory.mktemp("library")) as server:
        people = {name: server.json(name) for name in ("alice", "bob", "carol")}
        for text in ("a quick fox", "u1 u2 u3", 'say "a" OR b', "café 漢字 🙂 नमस्ते", "x_y-z NEAR(a b)"):
            people["alice"].deliver("bob", text)
            people["bob"].deliver("carol", f"secret {text}")
        for peer in people.values():
            leave(peer)
        yield server


_SNIPPETS = st.sampled_from(
    [
        *"\"'*^-+(){}:ab_%\\é🙂\0\t\n\u202e",
        *("u1", "u2", "u3", "who:", "text:", "secret", "漢字", "e\u0301", ";--"),
        *(" OR ", " AND ", " NOT ", "NEAR("),
    ]
)
queries = st.one_of(
    st.lists(_SNIPPETS, max_size=12).map("".join), st.text(st.characters(codec="utf-8"), max_size=60)
)


@given(asked=st.lists(queries, min_size=1, max_size=20))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_query_is_safe_and_finds_only_ones_own_messages(library: Serving, asked: list[str]) -> None:
    with JsonPeer(library.port, "alice") as alice:
        for query in asked:
            answer = alice.ask("SEARCH", query=query)
            assert answer.verb == "RESULTS", (query, answer)
            for found in answer.parts("messages"):
                assert "alice" in {found["from"], found["to"]}
                assert not found.text("text").startswith("secret")
        leave(alice)


@pytest.mark.parametrize("query", ["\\ud800", "\\udfff x", "a\\ud83d"])
def test_query_with_half_a_character_is_refused_and_the_connection_stays(
    library: Serving, query: str
) -> None:
    with JsonPeer(library.port, "alice") as alice:
        alice.send_line(f'SEARCH: {{"query": "{query}", "rid": 1}}')
        assert alice.expect("ERROR")["code"] == "bad_request"
        assert alice.ask("SEARCH", query="fox").verb == "RESULTS"
        leave(alice)


@every_concurrency
def test_name_like_an_address_from_before_it_was_refused_is_still_its_owners(
    concurrency: Concurrency, tmp_path: Path
) -> None:
    tls = client_context()
    with serve(concurrency=concurrency, data=tmp_path) as server:
        with JsonPeer(server.port, "alice", tls=tls) as alice:
            token = alice.token
        leave(server.json("bob"))
    with database(tmp_path) as kept:
        for name, other in (("alice", "127.0.0.20"), ("bob", "4kqf-2m4t")):
            kept.execute("UPDATE account SET key = ?, name = ? WHERE key = ?", (other, other, name))
    with serve(concurrency=concurrency, data=tmp_path) as server:
        with JsonPeer(server.port, "127.0.0.20", token=token, tls=tls) as owner:
            assert owner.name == "127.0.0.20"
        assert server.json("4kqf-2m4t").name == "4kqf-2m4t"
        with Peer(server.port) as newcomer:
            newcomer.send_line("127.0.0.21")
            assert "looks like a network address" in newcomer.read_line()
