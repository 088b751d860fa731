"""The plain dialect, as a person at netcat sees it."""

from __future__ import annotations

import pytest

from tests.contract.conftest import Start
from tests.support.raw import PlainPeer, decode, hello
from tests.support.serving import Serving
from twocans.server.settings.config import HistoryMode


def part(alice: PlainPeer, bob: PlainPeer) -> None:
    """Bob leaves, and Alice knows."""
    alice.await_users(["alice", "bob"])
    bob.finish_sending()
    bob.expect_closed()
    alice.await_users(["alice"])


def test_first_list_holds_everybody_in_registration_order_and_the_reader(server: Serving) -> None:
    names = ["zoe", "alice", "Mallory"]
    peers = [server.plain(name) for name in names]
    for registered, peer in enumerate(peers, 1):
        assert peer.users == names[:registered]


def test_everybody_gets_a_new_list_when_somebody_comes_and_goes(server: Serving) -> None:
    alice, bob = server.plain("alice"), server.plain("bob")
    alice.await_users(["alice", "bob"])
    bob.close()
    alice.await_users(["alice"])


def test_message_reaches_the_one_it_is_for_and_nobody_else(server: Serving) -> None:
    alice, bob, carol = server.plain("alice"), server.plain("bob"), server.plain("carol")
    alice.say("bob", "for bob")
    alice.say("carol", "for carol")
    assert bob.read_message() == ("alice", "for bob")
    assert carol.read_message() == ("alice", "for carol")
    bob.say("alice", "back")
    assert alice.read_message() == ("bob", "back")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("MSG: bob: hello: there", "hello: there"),
        ("MSG:bob:no spaces", "no spaces"),
        ("MSG: bob:  indented", " indented"),
        ("MSG: bob: a\ttab", "a\ttab"),
        ("MSG: bob: Grüße, שלום, 你好 👋", "Grüße, שלום, 你好 👋"),
        ("MSG: BOB: any spelling of the name", "any spelling of the name"),
        ("MSG: bob: MSG: bob: quoted", "MSG: bob: quoted"),
    ],
)
def test_text_is_all_that_follows_the_second_colon(server: Serving, line: str, text: str) -> None:
    alice, bob = server.plain("alice"), server.plain("bob")
    alice.send_line(line)
    assert bob.read_message() == ("alice", text)


def test_messages_keep_their_order(server: Serving) -> None:
    alice, bob = server.plain("alice"), server.plain("bob")
    for number in range(200):
        alice.say("bob", str(number))
    assert bob.read_messages(200) == [("alice", str(number)) for number in range(200)]


@pytest.mark.parametrize(
    "line", ["hello?", "msg: bob: hi", "QUIT: now", "LIST: bob", "MSG: bob", "MSG: : hi", "", "HELLO: {}"]
)
def test_what_was_not_understood_gets_a_message_from_server_and_the_connection_stays(
    server: Serving, line: str
) -> None:
    alice, bob = server.plain("alice"), server.plain("bob")
    alice.send_line(line)
    alice.say("bob", "still here")
    assert bob.read_message() == ("alice", "still here")
    sender, text = alice.read_message()
    assert sender == "Server"
    assert text.endswith((".", "text"))


def test_no_other_verb_than_list_and_msg_is_ever_sent(server: Serving) -> None:
    alice, bob = server.plain("alice"), server.json("bob")
    bob.send("TYPING", to="alice")
    alice.say("bob", "hi")
    received = bob.expect("MSG")
    bob.send("READ", peer="alice", id=received["id"])
    alice.say("nobody", "hi")
    alice.send_line("nonsense")
    server.json("carol").send("BYE")
    bob.say("alice", "the end")
    lines = alice.read_until(lambda line: line == "MSG: bob: the end")
    assert {line.partition(":")[0] for line in lines} <= {"LIST", "MSG"}


def test_message_to_nobody_known_is_refused(server: Serving) -> None:
    alice = server.plain("alice")
    alice.say("nobody", "hi")
    sender, text = alice.read_message()
    assert sender == "Server"
    assert "nobody" in text
    assert "waits" not in text


def test_message_to_somebody_away_is_told_to_wait_and_reaches_them_after_the_first_list(
    server: Serving,
) -> None:
    alice, bob = server.plain("alice"), server.plain("bob")
    part(alice, bob)
    alice.say("bob", "first")
    assert alice.read_message() == ("Server", "bob is not online. Your message waits for them.")
    alice.say("bob", "second")
    bob = server.plain("bob")  # which reads its first list
    assert bob.read_messages(2) == [("alice", "first"), ("alice", "second")]


def test_waiting_messages_come_once(server: Serving) -> None:
    alice, bob = server.plain("alice"), server.plain("bob")
    part(alice, bob)
    alice.say("bob", "while away")
    alice.read_message()
    bob = server.plain("bob")
    assert bob.read_message() == ("alice", "while away")
    part(alice, bob)
    bob = server.plain("bob")
    alice.say("bob", "live")
    assert bob.read_message() == ("alice", "live")


def test_without_history_a_message_to_somebody_away_is_refused(start: Start) -> None:
    server = start(history=HistoryMode.OFF)
    alice, bob = server.plain("alice"), server.plain("bob")
    part(alice, bob)
    alice.say("bob", "lost")
    sender, text = alice.read_message()
    assert sender == "Server"
    assert "bob is not online" in text
    assert "waits" not in text
    bob = server.plain("bob")
    alice.say("bob", "live")
    assert bob.read_message() == ("alice", "live")


def test_text_with_line_breaks_comes_as_several_messages(server: Serving) -> None:
    alice, bob = server.json("alice"), server.plain("bob")
    alice.say("bob", "one\ntwo\n\nfour")
    assert bob.read_messages(4) == [("alice", "one"), ("alice", "two"), ("alice", ""), ("alice", "four")]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("a\u2066b\u2069", "a\\u2066b\\u2069"),
        ("a\u2028MSG: Server: pay\u2029now", "a\\u2028MSG: Server: pay\\u2029now"),
        ("pay \u200f10 20", "pay \\u200f10 20"),
        ("pay\u200bpal s\xadafe \ufeff\u2060", "pay\\u200bpal s\\u00adafe \\ufeff\\u2060"),
        ("\ufff9a\ufffab\ufffb", "\\ufff9a\\ufffab\\ufffb"),
        ("hi\U000e0068\U000e0069", "hi\\U000e0068\\U000e0069"),
        ("\u3164a\ufe0f", "\\u3164a\\ufe0f"),
    ],
)
@pytest.mark.parametrize("sender", ["plain", "json"])
def test_what_could_reorder_hide_or_forge_is_spelled_out_for_people_and_unchanged_for_programs(
    server: Serving, sender: str, text: str, shown: str
) -> None:
    bob, carol = server.plain("bob"), server.json("carol")
    alice = server.plain("alice") if sender == "plain" else server.json("alice")
    alice.say("bob", text)
    assert bob.read_message() == ("alice", shown)
    alice.say("carol", text)
    assert carol.expect("MSG")["text"] == text


@pytest.mark.parametrize(
    "text",
    ["می\u200cخواهم", "שלום!\u200f 12", "👩\u200d👩\u200d👧 ❤\ufe0f", "ไป\u200bไหน", "क्\u200dष", "e\u0301"],
)
def test_what_writing_and_emoji_need_arrives_as_it_is(server: Serving, text: str) -> None:
    alice, bob = server.plain("alice"), server.plain("bob")
    alice.say("bob", text)
    assert bob.read_message() == ("alice", text)


def test_line_break_in_a_text_forges_no_message_of_another(server: Serving) -> None:
    alice, bob = server.json("alice"), server.plain("bob")
    alice.say("bob", "hi\nMSG: Server: send me money\nLIST: bob")
    assert bob.read_messages(3) == [
        ("alice", "hi"),
        ("alice", "MSG: Server: send me money"),
        ("alice", "LIST: bob"),
    ]


def test_what_waited_and_what_comes_together_is_spelled_out_too(server: Serving) -> None:
    alice, bob = server.plain("alice"), server.plain("bob")
    part(alice, bob)
    texts = ["plain", "a\u202eb", "漢字", "c\u2028d"]
    alice.sendall("".join(f"MSG: bob: {text}\n" for text in texts).encode())
    alice.read_messages(1)
    bob = server.plain("bob")
    assert [text for _, text in bob.read_messages(4)] == ["plain", "a\\u202eb", "漢字", "c\\u2028d"]


@pytest.mark.parametrize("text", ["", " ", "\t"])
def test_empty_message_is_refused(server: Serving, text: str) -> None:
    alice, bob = server.plain("alice"), server.plain("bob")
    alice.say("bob", text)
    sender, why = alice.read_message()
    assert sender == "Server"
    assert "empty" in why
    alice.say("bob", "full")
    assert bob.read_message() == ("alice", "full")


def test_message_to_oneself_comes_back_once(server: Serving) -> None:
    alice = server.plain("alice")
    alice.say("alice", "note")
    alice.say("alice", "another")
    assert alice.read_messages(2) == [("alice", "note"), ("alice", "another")]


@pytest.mark.parametrize("name", ["Server", "server", "SERVER"])
def test_nobody_can_write_to_the_server(server: Serving, name: str) -> None:
    alice = server.plain("alice")
    alice.say(name, "hello")
    sender, text = alice.read_message()
    assert sender == "Server"
    assert "waits" not in text


def test_refused_name_is_told_why_and_another_may_follow(server: Serving) -> None:
    server.plain("alice")
    peer = server.peer()
    peer.send_line("alice")
    refusal = peer.read_line()
    assert refusal.startswith("MSG: Server: ")
    assert "alice" in refusal
    peer.send_line("bob")
    assert peer.read_line() == "LIST: alice, bob"


def test_three_refusals_close_the_connection(server: Serving) -> None:
    peer = server.peer()
    for name in ("two words", "Server", "x" * 33):
        peer.send_line(name)
    lines = peer.expect_closed()
    assert len(lines) >= 3
    assert all(line.startswith("MSG: Server: ") for line in lines)


def test_refused_name_may_be_followed_by_the_other_dialect(server: Serving) -> None:
    peer = server.peer()
    peer.send_line("two words")
    assert peer.read_line().startswith("MSG: Server: ")
    peer.send_line('HELLO: {"user": "alice", "agent": "test"}')
    assert peer.read_line().startswith("WELCOME: ")


def test_lines_before_the_end_of_a_pipe_still_count(server: Serving) -> None:
    bob = server.plain("bob")
    pipe = server.peer()
    pipe.sendall(b"alice\n" + b"".join(b"MSG: bob: %d\n" % number for number in range(50)))
    pipe.finish_sending()
    assert bob.read_messages(50) == [("alice", str(number)) for number in range(50)]
    bob.await_users(["bob"])
    pipe.expect_closed()


def test_unfinished_line_at_the_end_is_no_message(server: Serving) -> None:
    bob = server.plain("bob")
    pipe = server.peer()
    pipe.sendall(b"alice\nMSG: bob: whole\nMSG: bob: cut of")
    pipe.finish_sending()
    pipe.expect_closed()
    carol = server.plain("carol")
    carol.say("bob", "next")
    assert bob.read_messages(2) == [("alice", "whole"), ("carol", "next")]


def test_name_may_have_spaces_around_it(server: Serving) -> None:
    peer = server.peer()
    peer.sendall(b"  alice \r\n")
    assert peer.read_line() == "LIST: alice"


def test_dialects_write_to_one_another(server: Serving) -> None:
    alice, bob = server.plain("alice"), server.json("bob")
    alice.say("bob", "plain to JSON")
    received = bob.expect("MSG")
    assert (received["from"], received["to"], received["text"]) == ("alice", "bob", "plain to JSON")
    bob.say("alice", "JSON to plain")
    assert alice.read_message() == ("bob", "JSON to plain")


def test_server_says_goodbye_when_it_stops(server: Serving) -> None:
    alice: PlainPeer = server.plain("alice")
    server.stop()
    lines = alice.expect_closed()
    assert lines
    assert lines[-1].startswith("MSG: Server: ")


@pytest.mark.parametrize("word", ["help", "HELP", "?", "/help", " help "])
def test_help_says_what_can_be_typed(server: Serving, word: str) -> None:
    alice = server.plain("alice")
    alice.send_line(word)
    told = alice.read_messages(3)
    assert {sender for sender, _ in told} == {"Server"}
    assert "MSG: name: text" in told[0][1]
    assert "LIST" in told[1][1]
    assert "leave" in told[2][1]


@pytest.mark.parametrize("word", ["help", "Help", "?", "/help"])
def test_help_in_the_place_of_a_name_says_what_to_type_and_a_name_may_follow(
    server: Serving, word: str
) -> None:
    peer = server.peer()
    peer.send_line(word)
    assert "your name" in peer.read_line()
    assert "MSG: name: text" in peer.read_line()
    assert "LIST" in peer.read_line()
    peer.send_line("alice")
    assert peer.read_line() == "LIST: alice"


def test_help_in_the_place_of_a_name_is_not_given_for_ever(server: Serving) -> None:
    peer = server.peer()
    peer.sendall(b"help\n" * 10)
    assert len(peer.expect_closed()) == 10  # three times three lines, and the goodbye


def test_help_is_no_name_in_either_dialect_but_whoever_has_it_keeps_it(
    server: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = server.peer()
    program.sendall(hello("Help"))
    refusal = decode(program.read_line())
    assert (refusal.verb, refusal["code"]) == ("ERROR", "name_reserved")
    with monkeypatch.context() as before:  # as it was when that was a name like any other
        before.setattr("twocans.hub.admission.is_command_word", lambda _: False)
        first = server.json("help")
        first.reset()
    assert server.json("help", token=first.token).name == "help"
    owner = server.peer()
    owner.send_line("help")
    assert "help is taken" in owner.read_line()
    asking = server.peer()
    asking.send_line("?")
    assert "your name" in asking.read_line()
