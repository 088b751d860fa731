"""The server as a process: what it prints, how it ends, and what its options do."""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.process import START_S, Output, ServerProcess, command, parse_event
from tests.support.raw import JsonPeer, Peer, PlainPeer, decode, eventually, hello
from tests.support.tls import client_context

NETCAT = [shutil.which("nc") or ""] if shutil.which("nc") else [
    sys.executable,
    "-c",
    """
import socket, sys, threading
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
def send():
    for line in sys.stdin.buffer:
        connection.sendall(line)
    connection.shutdown(socket.SHUT_WR)
threading.Thread(target=send, daemon=True).start()
while chunk := connection.recv(65536):
    sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()
""",
]  # fmt: skip


@pytest.fixture(params=["async", "thread"])
def mode(request: pytest.FixtureRequest) -> str:
    """Both ways of serving connections."""
    return str(request.param)


# --- what it prints --------------------------------------------------------------------------------------


def test_address_to_connect_to_is_printed_ready_to_copy() -> None:
    with ServerProcess(json_log=False) as server, PlainPeer(text_port(server), "alice") as alice:
        assert alice.users == ["alice"]


def test_key_of_the_server_is_shown_as_clients_show_it_and_stays_the_same(tmp_path: Path) -> None:
    with ServerProcess(json_log=False) as server:
        shown = server.output.wait_for(lambda line: "The key of this server is" in line)
        assert re.search(r"is (\w{4}-){4}\w{4}; clients show the same\.", shown)
    keys = []
    for _ in range(2):
        with ServerProcess("--data", str(tmp_path)) as server:
            keys.append(server.started.text("key"))
    assert keys[0] == keys[1]
    assert {"server.crt", "server.key"} <= {path.name for path in tmp_path.iterdir()}


def test_encrypted_clients_are_told_apart_in_the_log(mode: str) -> None:
    with ServerProcess("--concurrency", mode) as server:
        with (
            PlainPeer(server.port, "alice", tls=client_context()),
            JsonPeer(server.port, "bob"),
        ):
            assert server.event("user_registered", user="alice")["encrypted"] is True
            assert server.event("user_registered", user="bob")["encrypted"] is False
        assert server.event("session_closed", user="alice")["reason"] == "left"
        with Peer(server.port) as peer:
            peer.sendall(b"\x16\x03\x01\x00\x05hello")
            failed = server.event("never_registered", address=f"127.0.0.1:{peer.local_port}")
            assert failed["reason"] == "tls_failed"
        assert server.stop() == 0
        assert server.errors.all() == []


def text_port(server: ServerProcess) -> int:
    """The port that a server tells to people."""
    line = server.output.wait_for(lambda line: line.startswith("Use localhost:"), START_S)
    return int(line.partition("localhost:")[2].partition(",")[0])


def test_on_all_interfaces_every_printed_address_leads_to_the_server(tmp_path: Path) -> None:
    with ServerProcess("--host", "0.0.0.0") as server:  # noqa: S104 - what the server does by default
        addresses = server.started.names("addresses")
        assert addresses
        for address in addresses:
            ipaddress.IPv4Address(address)
            with Peer(server.port, host=address) as peer:
                peer.sendall(b"alice\n")
                assert peer.read_line().startswith("LIST: ")
                peer.finish_sending()
                peer.expect_closed()


def test_lines_into_a_pipe_are_plain_and_have_the_time() -> None:
    with ServerProcess(json_log=False) as server:
        with PlainPeer(text_port(server), "alice"):
            server.output.wait_for(lambda line: "alice joined" in line)
        gone = server.output.wait_for(lambda line: "alice left" in line)
        assert server.stop() == 0
        assert all("\x1b" not in line for line in server.output.all())
        clock, _, _ = gone.partition(" ")
        assert [part.isdigit() for part in clock.split(":")] == [True, True, True]
        assert server.errors.all() == []


def test_events_for_machines_tell_who_comes_and_goes_and_why(mode: str) -> None:
    with ServerProcess("--concurrency", mode) as server:
        assert server.started["host"] == "127.0.0.1"
        with PlainPeer(server.port, "alice") as alice:
            registered = server.event("user_registered", user="alice")
            assert registered["dialect"] == "plain"
            assert registered.text("address").startswith("127.0.0.1:")
            assert server.event("user_joined", user="alice")["online"] == 1
            with JsonPeer(server.port, "bob") as bob:
                assert server.event("user_registered", user="bob")["dialect"] == "json"
                assert server.event("user_joined", user="bob")["online"] == 2
                bob.send("BYE")
                bob.expect_closed()
            assert server.event("session_closed", user="bob")["reason"] == "left"
            assert server.event("user_left", user="bob")["online"] == 1
            with JsonPeer(server.port, "carol") as carol:
                carol.reset()
            assert server.event("session_closed", user="carol")["reason"] == "connection_lost"
            # Read to the end: the system resets a connection that is closed with something unread.
            alice.finish_sending()
            alice.expect_closed()
        assert server.event("session_closed", user="alice")["reason"] == "left"
        assert server.event("user_left", user="alice")["online"] == 0


def test_refused_names_and_connections_that_never_register_are_told_with_the_reason(mode: str) -> None:
    with ServerProcess("--concurrency", mode) as server:
        with Peer(server.port) as peer:
            peer.sendall(b"two words\n")
            # It may be a name and a password, which is not for the log.
            refused = server.event("name_refused", kind="spaces", length=9)
            assert refused["name"] == ""
            assert refused["code"] == "name_invalid"
            assert "space" in refused.text("text")
            assert refused.text("address") == f"127.0.0.1:{peer.local_port}"
            peer.sendall(hello("Server"))
            assert server.event("name_refused", name="Server")["code"] == "name_reserved"
        assert server.event("never_registered", address=f"127.0.0.1:{peer.local_port}")["reason"]
        with Peer(server.port) as peer:
            peer.reset()
        assert len([event for event in server.events() if event.verb == "user_registered"]) == 0


def test_line_that_breaks_the_protocol_is_told_as_the_reason(mode: str) -> None:
    with ServerProcess("--concurrency", mode) as server, JsonPeer(server.port, "alice") as alice:
        alice.sendall(b"x" * 100_000)
        alice.expect_closed()
        assert server.event("session_closed", user="alice")["reason"] == "protocol_error"


def test_events_hold_no_token_and_no_text_of_a_message(mode: str) -> None:
    with ServerProcess("--concurrency", mode) as server:
        with JsonPeer(server.port, "alice") as alice, PlainPeer(server.port, "bob") as bob:
            alice.deliver("bob", "the secret of the house")
            bob.say("alice", "the answer to it")
            alice.expect("MSG")
            alice.send_line("MSG: the secret of the house")
            alice.expect("ERROR")
            token = alice.token
        server.event("user_left", user="bob")
        server.event("user_left", user="alice")
        assert server.stop() == 0
        log = "\n".join([*server.output.all(), *server.errors.all()])
        assert "secret" not in log
        assert "answer" not in log
        assert token not in log


def test_names_cannot_forge_lines_or_colours_of_the_log() -> None:
    with ServerProcess(json_log=False) as server:
        with Peer(text_port(server)) as peer:
            peer.sendall(hello("\x1b[2J12:00:00  eve joined\r\n12:00:00 \u202eforged"))
            assert decode(peer.read_line())["code"] == "name_invalid"
        server.output.wait_for(lambda line: "never registered" in line)
        assert server.stop() == 0
        lines = server.output.all()
        assert all(line.isprintable() for line in lines)
        assert not any(
            line.startswith("12:00:00") and "eve" in line for line in lines if "Refused" not in line
        )


# --- how it ends -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_signal_tells_every_client_and_ends_with_exit_code_0(mode: str, signal_number: int) -> None:
    with (
        ServerProcess("--concurrency", mode) as server,
        JsonPeer(server.port, "alice") as alice,
        PlainPeer(server.port, "bob") as bob,
        Peer(server.port) as nobody,
    ):
        server.event("user_joined", user="bob")
        assert server.stop(signal_number) == 0
        *_, goodbye = [decode(line) for line in alice.expect_closed()]
        assert (goodbye.verb, goodbye["reason"]) == ("BYE", "server_stopping")
        assert goodbye.text("text")
        *_, last = bob.expect_closed()
        assert last.startswith("MSG: Server: ")
        nobody.expect_closed()
        assert parse_event(server.output.all()[-1]).verb == "server_stopped"
        assert server.errors.all() == []


def test_stopping_does_not_wait_for_a_reader_that_stalls(mode: str) -> None:
    with (
        ServerProcess("--concurrency", mode, "--rate-limit", "0") as server,
        JsonPeer(server.port, "alice") as alice,
    ):
        stalled = Peer(server.port, receive_buffer=4096)
        stalled.sendall(hello("stalled"))
        alice.expect("JOINED", user="stalled")
        for _ in range(60):
            alice.deliver("stalled", "x" * 16_000)
        assert server.stop() == 0
        stalled.close()


def test_second_server_can_start_on_the_port_at_once_when_the_first_has_ended(mode: str) -> None:
    with ServerProcess("--concurrency", mode) as first, PlainPeer(first.port, "alice"):
        assert first.stop() == 0
        with ServerProcess("--concurrency", mode, "--port", str(first.port)) as second:
            assert second.port == first.port


# --- options ---------------------------------------------------------------------------------------------


def test_rate_limit_of_the_command_line_is_told_to_clients(mode: str) -> None:
    with (
        ServerProcess("--concurrency", mode, "--rate-limit", "7") as server,
        JsonPeer(server.port, "alice") as alice,
    ):
        limits = alice.welcome.part("limits")
        assert (limits["rate"], limits["burst"]) == (7, 70)


def test_history_can_be_switched_off() -> None:
    with ServerProcess("--history", "off") as server, JsonPeer(server.port, "alice") as alice:
        with JsonPeer(server.port, "bob") as bob:
            bob.send("BYE")
            bob.expect_closed()
        alice.expect("LEFT", user="bob")
        alice.say("bob", "hi")
        assert alice.expect("ERROR")["code"] == "not_online"


def test_thread_mode_has_a_thread_for_every_client() -> None:
    with ServerProcess("--concurrency", "thread") as server:
        process = psutil.Process(server.process.pid)
        before = process.num_threads()
        peers = [PlainPeer(server.port, f"u{number}") for number in range(10)]
        assert process.num_threads() == before + 10
        for peer in peers:
            peer.close()
        eventually(lambda: process.num_threads() == before)


def test_console_is_absent_without_a_terminal() -> None:
    """Standard input is a pipe here: whatever comes through it, and its end, mean nothing."""
    with ServerProcess(json_log=False, stdin=subprocess.PIPE) as server:
        assert server.process.stdin is not None
        server.process.stdin.write(b"quit\nusers\n")
        server.process.stdin.close()
        port = text_port(server)
        with JsonPeer(port, "alice") as alice:
            assert alice.drain() == []
        server.output.wait_for(lambda line: "alice left" in line)
        assert server.process.poll() is None
        assert not any(line.startswith(">") for line in server.output.lines())
        assert server.stop() == 0
        assert server.errors.all() == []


def test_standard_input_may_be_closed() -> None:
    start = ["sh", "-c", 'exec "$@" <&-', "sh", *command()]
    with ServerProcess(start=start) as server, PlainPeer(server.port, "alice"):
        assert server.stop() == 0


def test_server_goes_on_when_nobody_reads_its_output_any_more() -> None:
    reader, writer = os.pipe()
    with ServerProcess(stdout=writer, port=free_port()) as server:
        os.close(writer)
        eventually(lambda: listens(server.port))
        os.close(reader)
        for number in range(50):
            with PlainPeer(server.port, f"u{number}") as peer:
                peer.say(peer.name, "still there")
                assert peer.read_message() == (peer.name, "still there")
        assert server.stop() == 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


# --- netcat ----------------------------------------------------------------------------------------------


def test_netcat_joins_in(mode: str) -> None:
    with ServerProcess("--concurrency", mode) as server, JsonPeer(server.port, "alice") as alice:
        netcat = subprocess.Popen(
            [*NETCAT, "127.0.0.1", str(server.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        assert netcat.stdin is not None
        assert netcat.stdout is not None
        output = Output(netcat.stdout)
        netcat.stdin.write(b"bob\n")
        output.wait_for(lambda line: line == "LIST: alice, bob")
        alice.expect("JOINED", user="bob")
        alice.deliver("bob", "hello netcat")
        output.wait_for(lambda line: line == "MSG: alice: hello netcat")
        netcat.stdin.write(b"MSG: alice: hello window\n")
        assert alice.expect("MSG")["text"] == "hello window"
        netcat.stdin.close()
        netcat.terminate()
        netcat.wait(START_S)
        alice.expect("LEFT", user="bob")
