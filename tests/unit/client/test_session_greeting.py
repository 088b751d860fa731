"""How a connection begins, and who answers there."""

from __future__ import annotations

import pytest

from tests.unit.client.sessions import INTRODUCTION, KEY, LIMITS, OLD_TOKEN, TOKEN, Harness, message, welcome
from twocans.client.codes import ErrorCode
from twocans.client.events import CaughtUp, Loss, MessageReceived, Offline, Online
from twocans.client.timing import Position, Timers
from twocans.protocol.messages import Error, Goodbye, Hello, Ping, Pong, Synced


def test_the_first_hello_asks_for_no_resumption() -> None:
    harness = Harness()
    harness.session.connected(INTRODUCTION)
    assert harness.said() == [Hello(user="alice", agent="test", token=OLD_TOKEN)]


def test_welcome_puts_the_user_online_under_the_servers_spelling() -> None:
    harness = Harness()
    harness.session.connected(INTRODUCTION)
    events = harness.say(welcome(user="Alice", users=("Alice", "bob")))
    assert events == [Online("Alice", "test", ("Alice", "bob"), LIMITS, False, KEY, log="log-1")]
    assert harness.session.user == "Alice"
    assert harness.session.users == ("Alice", "bob")
    assert harness.session.is_online


def test_a_ping_before_welcome_is_answered() -> None:
    harness = Harness()
    harness.session.connected(INTRODUCTION)
    harness.said()
    harness.say(Ping(n=7))
    assert harness.said() == [Pong(n=7)]


@pytest.mark.parametrize("code", [ErrorCode.NAME_TAKEN, ErrorCode.NAME_INVALID, ErrorCode.AUTH_FAILED])
def test_a_refused_name_ends_it_for_good(code: ErrorCode) -> None:
    harness = Harness()
    harness.session.connected(INTRODUCTION)
    assert harness.say(Error(code=code, text="No.")) == []
    ending = harness.session.ending
    assert ending is not None
    assert (ending.loss, ending.text, ending.code, ending.again) == (Loss.REFUSED, "No.", code, False)


@pytest.mark.parametrize("code", [ErrorCode.SERVER_FULL, ErrorCode.INTERNAL])
def test_a_refusal_that_passes_is_worth_another_attempt(code: ErrorCode) -> None:
    harness = Harness()
    harness.session.connected(INTRODUCTION)
    harness.say(Error(code=code, text="Later."))
    assert harness.session.ending is not None
    assert harness.session.ending.again


def test_a_server_that_is_full_and_speaks_the_plain_dialect_is_quoted() -> None:
    harness = Harness()
    harness.session.connected(INTRODUCTION)
    harness.session.receive(b"MSG: Server: The server is full.\x1b[31m Try later.\r\n")
    ending = harness.session.ending
    assert ending is not None
    assert ending.loss is Loss.REFUSED
    assert ending.text == "The server is full.\\u001b[31m Try later."


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        b"220 mail.example ESMTP: ready\r\n",
        b"\x15\x03\x01\x00\x02\x02F\n",
        b"\n",
        b"LIST: alice, bob\n",
        b"WELCOME: {}\n",
        b'JOINED: {"user":"bob"}\n',
    ],
)
def test_whoever_is_no_twocans_server_is_told_apart(answer: bytes) -> None:
    harness = Harness()
    harness.session.connected(INTRODUCTION)
    harness.session.receive(answer)
    ending = harness.session.ending
    assert ending is not None
    assert ending.loss is Loss.PROTOCOL
    assert "server:5050" in ending.text
    assert "not a Twocans server" in ending.text


def test_a_server_that_stays_silent_is_given_up_in_time() -> None:
    harness = Harness(timers=Timers(connect=10))
    harness.session.connected(INTRODUCTION)
    harness.clock.turn(9.9)
    harness.session.tick()
    assert harness.session.ending is None
    assert harness.session.next_tick() == pytest.approx(harness.clock() + 0.1)
    harness.clock.turn(0.1)
    harness.session.tick()
    ending = harness.session.ending
    assert ending is not None
    assert ending.loss is Loss.UNREACHABLE
    assert "10 seconds" in ending.text


@pytest.mark.parametrize("said", [b"W", b'PING: {"n":1}\n'], ids=["a byte", "a ping"])
def test_what_a_server_says_instead_of_welcome_gives_it_no_more_time(said: bytes) -> None:
    harness = Harness(timers=Timers(connect=10))
    harness.session.connected(INTRODUCTION)
    for _ in range(10):
        assert harness.session.ending is None
        harness.session.receive(said)
        harness.clock.turn(1)
        harness.session.tick()
    assert harness.session.ending is not None
    assert harness.session.ending.loss is Loss.PROTOCOL


def test_a_connection_that_ends_before_a_word_is_told() -> None:
    harness = Harness()
    harness.session.connected(INTRODUCTION)
    harness.session.lost()
    assert harness.session.ending is not None
    assert harness.session.ending.loss is Loss.UNREACHABLE
    assert "without a word" in harness.session.ending.text


@pytest.mark.parametrize(
    ("reason", "loss", "again", "text"),
    [
        ("kicked", Loss.KICKED, False, "Why. You can log in again."),
        ("banned", Loss.BANNED, False, "Why. Ask the person who runs the server to lift the ban."),
        (
            "revoked",
            Loss.REVOKED,
            False,
            "Why. Log in again. You may need a code from another device, or your password.",
        ),
        ("server_stopping", Loss.SERVER_CLOSED, True, "The server was stopped."),
        ("too_slow", Loss.LOST, True, "Why."),
        ("timed_out", Loss.LOST, True, "Why."),
    ],
)
def test_a_goodbye_says_why_and_what_to_do_next(reason: str, loss: Loss, again: bool, text: str) -> None:
    harness = Harness()
    harness.connect()
    harness.say(Goodbye(reason=reason, text="Why."), message(1))
    ending = harness.session.ending
    assert ending is not None
    assert (ending.loss, ending.text, ending.again) == (loss, text, again)
    harness.session.offline(ending, 0.5 if again else None)
    assert harness.session.take_events() == [Offline(loss, text, 0.5 if again else None)]
    assert harness.session.users == ()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("", "The operator has ended your session. You can log in again."),
        (" ", "The operator has ended your session. You can log in again."),
        ("Out: shouting", "Out: shouting. You can log in again."),
        ("Out!", "Out! You can log in again."),
    ],
)
def test_a_reason_without_a_full_stop_or_without_words_is_a_sentence_too(said: str, shown: str) -> None:
    harness = Harness()
    harness.connect()
    harness.say(Goodbye(reason="kicked", text=said))
    assert harness.session.ending is not None
    assert harness.session.ending.text == shown


def test_a_goodbye_without_a_word_is_a_lost_connection() -> None:
    harness = Harness()
    harness.connect()
    harness.say(Goodbye(reason="too_slow", text=""))
    assert harness.session.ending is not None
    assert harness.session.ending.text == "Connection lost."


def test_a_banned_user_who_comes_back_is_told_whom_to_ask() -> None:
    harness = Harness()
    harness.session.connected(INTRODUCTION)
    harness.say(Error(code=ErrorCode.BANNED, text="This name is banned from this server: spam"))
    ending = harness.session.ending
    assert ending is not None
    assert (ending.loss, ending.code, ending.again) == (Loss.REFUSED, ErrorCode.BANNED, False)
    assert ending.text == (
        "This name is banned from this server: spam. Ask the person who runs the server to lift the ban."
    )


@pytest.mark.parametrize("line", [b"MSG: {}\n", b"MSG: Server: hello\n", b"\xff\xfe\n", b"JOINED\n"])
def test_garbage_after_welcome_ends_the_connection_and_not_the_client(line: bytes) -> None:
    harness = Harness()
    harness.connect()
    harness.session.receive(line)
    assert harness.session.ending is not None
    assert harness.session.ending.loss is Loss.PROTOCOL
    assert harness.session.ending.again


def test_verbs_of_newer_servers_are_passed_over() -> None:
    harness = Harness()
    harness.connect()
    harness.session.receive(b'REACTION: {"id":1}\n')
    assert harness.session.ending is None


def test_a_second_welcome_is_no_twocans() -> None:
    harness = Harness()
    harness.connect()
    harness.say(welcome())
    assert harness.session.ending is not None


def test_an_earlier_programs_place_is_taken_up_again() -> None:
    harness = Harness(position=Position(after=41, log="log-1"))
    hello, *_ = harness.connect(message(41), message(42), last=42)
    assert hello == Hello(user="alice", agent="test", after=41, log="log-1", token=OLD_TOKEN)
    assert harness.progress.position == Position(after=42, log="log-1")
    assert harness.session.token == TOKEN


def test_messages_before_synced_are_given_out_in_between() -> None:
    harness = Harness()
    harness.session.connected(INTRODUCTION)
    events = harness.say(welcome(last=2), message(1), message(2), Synced(last=2))
    assert events[1:] == [MessageReceived(message(1)), MessageReceived(message(2)), CaughtUp(2)]
