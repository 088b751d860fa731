"""The operator's console, at a real pseudo-terminal."""

from __future__ import annotations

import json
import os
import signal
import ssl
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.process import START_S, command, environment
from tests.support.raw import JsonPeer, Peer, PlainPeer, decode, encode, eventually
from tests.support.terminal import Terminal
from tests.support.tls import client_context
from twocans.protocol.keys import ServerKey, is_same_key, server_key


def presented_key(port: int) -> ServerKey:
    """The key that a server proves to have."""
    certificate = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", port)))
    public_key = x509.load_der_x509_certificate(certificate).public_key()
    return server_key(public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


@dataclass
class Operated:
    """A server with somebody at its terminal."""

    terminal: Terminal
    port: int
    data: Path


@pytest.fixture(params=["async", "thread"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Operated]:
    """A server on a terminal, with its prompt shown, where everybody may read by default what is made."""
    before = os.umask(0)
    options = ["--host", "127.0.0.1", "--port", "0", "--data", str(tmp_path), "--concurrency", request.param]
    with Terminal(command(*options), environment()) as terminal:
        address = terminal.expect(r"localhost:\d+", START_S)
        terminal.expect(r"Type help[^>]*>", START_S)
        os.umask(before)
        yield Operated(terminal, int(address.rpartition(":")[2]), tmp_path)


def test_help_names_every_command(server: Operated) -> None:
    server.terminal.enter("help")
    for name in ("help", "users", "kick NAME", "say TEXT", "stats", "quit"):
        server.terminal.expect(rf"\b{name}\b[^\n]* {{2,}}[a-z]")


def test_key_is_shown_as_clients_show_it(server: Operated) -> None:
    server.terminal.enter("key")
    shown = server.terminal.expect(r"(?:[0-9A-HJKMNP-TV-Z]{4}-){4}[0-9A-HJKMNP-TV-Z]{4}")
    assert is_same_key(shown, presented_key(server.port))


def test_banned_name_and_its_device_are_out_until_they_are_let_in_again(server: Operated) -> None:
    tls = client_context()
    with JsonPeer(server.port, "alice", tls=tls) as alice:
        server.terminal.enter("devices alice")
        key = server.terminal.expect(r"[0-9A-Z]{4}-[0-9A-Z]{4}(?=  test  since)")
        server.terminal.enter("ban alice too loud")
        assert "too loud" in alice.expect_closed()[-1]
        server.terminal.expect("alice is banned. One session has ended")
    server.terminal.enter(f"ban {key}")
    server.terminal.expect(f"{key} is banned")
    server.terminal.enter("unban alice")
    server.terminal.expect("alice is no longer banned")
    with Peer(server.port, tls=tls) as peer:
        peer.send_line(encode("HELLO", user="alice", agent="test", token=alice.token))
        assert "This device is banned" in peer.read_line()
    server.terminal.enter(f"unban {key}")
    server.terminal.expect(f"{key} is no longer banned")
    with JsonPeer(server.port, "alice", token=alice.token, tls=tls) as back:
        assert back.name == "alice"


def test_lost_name_is_given_back_by_a_code_or_freed(server: Operated) -> None:
    tls = client_context()
    with JsonPeer(server.port, "alice", tls=tls) as lost:
        server.terminal.enter("code alice")
        code = server.terminal.expect(r"[0-9A-Z]{4}-[0-9A-Z]{4}(?= lets one device in)")
        with Peer(server.port, tls=tls) as peer:
            peer.send_line(encode("HELLO", user="alice", agent="test", secret=code))
            assert peer.read_line().startswith("WELCOME: ")
        server.terminal.enter("free alice")
        server.terminal.expect("alice is free")
        assert '"revoked"' in lost.expect_closed()[-1]
    with PlainPeer(server.port, "alice") as anybody:
        assert anybody.users == ["alice"]


def test_what_is_typed_is_kept_for_the_operator_alone(server: Operated) -> None:
    server.terminal.enter("users")
    server.terminal.expect("Nobody is online")
    history = server.data / "console-history"
    eventually(history.exists)
    assert stat.S_IMODE(history.stat().st_mode) == 0o600


def test_users_are_shown_since_when_and_from_where(server: Operated) -> None:
    server.terminal.enter("users")
    server.terminal.expect("Nobody is online")
    with PlainPeer(server.port, "alice") as alice, JsonPeer(server.port, "bob"):
        server.terminal.enter("users")
        server.terminal.expect(rf"alice +since \d\d:\d\d from 127\.0\.0\.1:{alice.local_port}")
        server.terminal.expect(r"bob +since \d\d:\d\d from 127\.0\.0\.1:\d+")


def test_kick_ends_the_session_and_tells_why(server: Operated) -> None:
    with JsonPeer(server.port, "alice") as alice, PlainPeer(server.port, "bob") as bob:
        alice.expect("JOINED", user="bob")
        server.terminal.enter("kick BOB too loud tonight")
        *_, last = bob.expect_closed()
        assert last.startswith("MSG: Server: ")
        assert "too loud tonight" in last
        server.terminal.expect("bob left: kicked")
        alice.expect("LEFT", user="bob")
        server.terminal.enter("kick alice")
        *_, goodbye = [decode(line) for line in alice.expect_closed()]
        assert (goodbye.verb, goodbye["reason"]) == ("BYE", "kicked")
        assert goodbye.text("text")


def test_kick_ends_all_sessions_of_a_user(server: Operated) -> None:
    with (
        JsonPeer(server.port, "alice") as desk,
        JsonPeer(server.port, "alice", token=desk.token) as phone,
        JsonPeer(server.port, "bob") as bob,
    ):
        server.terminal.enter("kick alice")
        desk.expect_closed()
        phone.expect_closed()
        bob.expect("LEFT", user="alice")


@pytest.mark.parametrize("rest", ["", " nobody", " two words", " -x"])
def test_kick_of_nobody_says_so(server: Operated, rest: str) -> None:
    server.terminal.enter(f"kick{rest}")
    server.terminal.expect("not online|kick NAME")
    server.terminal.enter("stats")
    server.terminal.expect("known people")


def test_say_reaches_everybody_as_a_message_from_server(server: Operated) -> None:
    server.terminal.enter("say anybody there?")
    server.terminal.expect("Nobody is online")
    with PlainPeer(server.port, "alice") as alice, JsonPeer(server.port, "bob") as bob:
        server.terminal.enter("say Tea is ready: come!")
        assert alice.read_message() == ("Server", "Tea is ready: come!")
        told = bob.expect("MSG")
        assert (told["from"], told["text"]) == ("Server", "Tea is ready: come!")
        server.terminal.expect("2 online")
        server.terminal.enter("say")
        server.terminal.expect("say TEXT")


def test_stats_count_what_happens(server: Operated) -> None:
    with JsonPeer(server.port, "alice") as alice:
        for number in range(3):
            alice.deliver("alice", str(number))
        server.terminal.enter("stats")
        server.terminal.expect(r"online +1\b")
        server.terminal.expect(r"messages +3\b")
        server.terminal.expect(r"registrations +1\b")


def test_unknown_command_is_told_with_those_that_exist(server: Operated) -> None:
    server.terminal.enter("dance")
    server.terminal.expect("dance is not a command.*help.*quit")
    server.terminal.enter("")
    server.terminal.enter("users")
    server.terminal.expect("Nobody is online")


_FORGERY = "\x1b]0;owned\x07\x1b[2J\u202eforged\u2028\x9b31m"


def test_names_agents_and_addresses_of_peers_act_on_nothing_at_the_terminal(server: Operated) -> None:
    for said in (_FORGERY, f"a{_FORGERY}", "\u202eecila"):
        with Peer(server.port) as peer:
            peer.sendall(f"{said}\r\n".encode())
            peer.read_line()
        with Peer(server.port) as peer:
            peer.sendall(encode("HELLO", user=said, agent=_FORGERY).encode() + b"\n")
            peer.read_line()
    server.terminal.expect(rf"Refused {len(_FORGERY) + 1} characters with spaces or tabs from 127\.0\.0\.1:")
    shown = server.terminal.raw.decode()
    assert not set(shown) & {"\u202e", "\u2028", "\x9b", "\x07"}
    assert "\x1b]" not in shown
    assert "\x1b[2J" not in shown


def test_control_characters_that_were_pasted_are_carried_out_nowhere(server: Operated) -> None:
    with PlainPeer(server.port, "bob") as bob:
        for command in ("kick bob", "say", "dance"):
            server.terminal.enter(f"\x1b[200~{command} \x1b]0;owned\x07\x9b31m\x1b[201~")
            server.terminal.expect("control characters, so nothing was done")
        assert "\x1b]0" not in server.terminal.raw.decode()
        server.terminal.enter("say still here")
        assert bob.read_message() == ("Server", "still here")


def test_command_half_typed_survives_lines_that_are_logged_meanwhile(server: Operated) -> None:
    server.terminal.type("us")
    with PlainPeer(server.port, "alice"):
        server.terminal.expect("alice joined")
        with PlainPeer(server.port, "bob"):
            server.terminal.expect("bob joined")
        server.terminal.expect("bob left")
        server.terminal.enter("ers")
        server.terminal.expect(r"alice +since \d\d:\d\d from 127\.0\.0\.1:\d+")


@pytest.mark.parametrize("keys", ["quit\r", "\x03", "\x04"], ids=["quit", "Ctrl-C", "Ctrl-D"])
def test_quit_tells_everybody_and_ends_with_exit_code_0(server: Operated, keys: str) -> None:
    with JsonPeer(server.port, "alice") as alice:
        # While a line of the log is shown, the terminal is not the prompt's, and takes Ctrl-D for itself.
        server.terminal.expect("alice joined[^>]*>")
        server.terminal.type(keys)
        *_, goodbye = [decode(line) for line in alice.expect_closed()]
        assert (goodbye.verb, goodbye["reason"]) == ("BYE", "server_stopping")
        assert server.terminal.wait() == 0
        assert "Traceback" not in server.terminal.text


def test_signal_ends_it_at_the_prompt_too(server: Operated) -> None:
    server.terminal.type("half a comm")
    server.terminal.process.send_signal(signal.SIGTERM)
    assert server.terminal.wait() == 0
    assert "Traceback" not in server.terminal.text


FAULTY = """
from twocans.server.cli import main
from twocans.server.operator.console import Console

def fail(*_):
    raise LookupError("a fault")

Console._show_key = fail
raise SystemExit(main())
"""


def test_command_that_fails_says_so_and_the_next_one_is_carried_out(tmp_path: Path) -> None:
    options = ["--host", "127.0.0.1", "--port", "0", "--data", str(tmp_path)]
    with Terminal([sys.executable, "-c", FAULTY, *options], environment()) as terminal:
        terminal.expect(r"Type help[^>]*>", START_S)
        terminal.enter("key")
        terminal.expect("The command failed")
        terminal.enter("users")
        terminal.expect("Nobody is online")
        terminal.enter("quit")
        assert terminal.wait() == 0
        assert "Traceback" not in terminal.text
    events = [json.loads(line) for line in (tmp_path / "server.log").read_text().splitlines()]
    (fault,) = (event for event in events if event["event"] == "internal_error")
    assert "in fail" in fault["places"]
    assert "a fault" not in fault["places"]
