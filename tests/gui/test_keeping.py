"""What survives the end of the client: messages that wait, and being the same person."""

from __future__ import annotations

import select
import socket
import threading
from pathlib import Path

from tests.gui.harness import ClientProcess, Person
from tests.support.process import ServerProcess
from tests.support.raw import PlainPeer
from twocans.gui.transcript.model import Status
from twocans.gui.viewmodel.state import Need, Screen


def test_what_a_killed_client_had_not_sent_goes_out_when_it_starts_again(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "server"))
    with ServerProcess(*data, forked=True) as server, PlainPeer(server.port, "bob"):
        address = f"127.0.0.1:{server.port}"
        with ClientProcess(
            tmp_path / "client", "--server", address, "--user", "alice", "--connect"
        ) as client:
            client.title_is("Twocans – alice")
            client.key("Down", "Return")
            server.process.kill()
            client.title_is("Twocans – alice (not connected)")
            client.write("from before the crash")
            client.key("Return")
            outbox = tmp_path / "client" / "data" / "outbox.db-wal"
            client.wait(lambda: b"from before the crash" in outbox.read_bytes(), "message on disk")
            client.process.kill()
            client.process.wait()
    with ServerProcess(*data, port=server.port, forked=True) as server, PlainPeer(server.port, "bob") as bob:
        with Person(port=server.port, user="alice") as alice:
            assert bob.read_message() == ("alice", "from before the crash")
            alice.click_on("bob")
            alice.wait(lambda: alice.vm.bubbles and alice.vm.bubbles[0].status is Status.SENT)
            assert [bubble.text for bubble in alice.vm.bubbles] == ["from before the crash"]
        with Person(port=server.port, user="alice") as alice:
            alice.wait(lambda: "bob" in alice.drawn)
            alice.click_on("bob")
            alice.wait(lambda: alice.vm.bubbles)
            assert [bubble.text for bubble in alice.vm.bubbles] == ["from before the crash"]


def test_back_to_login_and_in_again_keeps_what_waits_and_sends_it_once(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "server"))
    with Person(port=(server := ServerProcess(*data, forked=True)).port, user="alice") as alice:
        with server, PlainPeer(server.port, "bob"):
            alice.wait(lambda: "bob" in alice.drawn)
            alice.click_on("bob")
            server.process.kill()
            alice.wait(lambda: "Back to login" in alice.labels)
            alice.write("patience")
            alice.key("Return")
            alice.click_on("Back to login")
            alice.wait(lambda: alice.vm.screen is Screen.LOGIN)
        with ServerProcess(*data, port=server.port, forked=True), PlainPeer(server.port, "bob") as bob:
            alice.click_on("Connect")
            alice.wait(lambda: alice.vm.screen is Screen.MAIN)
            assert bob.read_message() == ("alice", "patience")
            alice.click_on("bob")
            alice.wait(lambda: alice.vm.bubbles and alice.vm.bubbles[0].status is Status.SENT)
            assert [bubble.text for bubble in alice.vm.bubbles] == ["patience"]


class Wire:
    """A connection to the server that stays there when the client at this end has died."""

    def __init__(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._server_port = port
        self._open = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._open = False
        self._thread.join()

    def _run(self) -> None:
        ways: dict[socket.socket, socket.socket] = {}
        kept: list[socket.socket] = []
        with self._listener:
            while self._open:
                ready, _, _ = select.select([self._listener, *ways], [], [], 0.05)
                for one in ready:
                    if one is self._listener:
                        client, _ = self._listener.accept()
                        server = socket.create_connection(("127.0.0.1", self._server_port))
                        ways |= {client: server, server: client}
                        kept += [client, server]
                        continue
                    try:
                        data = one.recv(65536)
                        ways[one].sendall(data)
                    except OSError:
                        data = b""
                    if not data:
                        del ways[one]
        for one in kept:
            one.close()


def test_a_killed_client_is_not_refused_its_own_name_while_the_server_has_not_noticed(
    server: ServerProcess, tmp_path: Path
) -> None:
    wire = Wire(server.port)
    try:
        address = f"127.0.0.1:{wire.port}"
        with ClientProcess(
            tmp_path / "client", "--server", address, "--user", "alice", "--connect"
        ) as client:
            client.title_is("Twocans – alice")
            client.process.kill()
            client.process.wait()
        with Person(port=wire.port, user="alice") as alice:
            assert alice.title == "Twocans – alice"
        assert [one["user"] for one in server.events() if one.verb == "name_refused"] == []
        logs = "".join(path.read_text() for path in (tmp_path / "client" / "log").glob("*"))
        tokens = list((tmp_path / "client" / "data" / "tokens").glob("*.json"))
        assert len(tokens) == 1
        assert tokens[0].read_text().split('"token":"')[1].split('"')[0] not in logs
    finally:
        wire.close()


def test_two_clients_of_one_computer_do_not_share_a_name(server: ServerProcess, tmp_path: Path) -> None:
    address = f"127.0.0.1:{server.port}"
    with ClientProcess(tmp_path / "client", "--server", address, "--user", "alice", "--connect") as client:
        client.title_is("Twocans – alice")
        with Person(port=server.port) as second:
            second.write("alice")
            second.key("Return")
            second.wait(lambda: second.vm.form.state.user_error)
            assert "taken" in second.vm.form.state.user_error


def test_a_damaged_outbox_is_set_aside_and_told_and_messages_still_go_out(
    server: ServerProcess, tmp_path: Path
) -> None:
    data = tmp_path / "client" / "data"
    data.mkdir(parents=True)
    (data / "outbox.db").write_bytes(b"this is no database, is it? " * 40)
    with PlainPeer(server.port, "bob") as bob, Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: any("was damaged. It was renamed to" in label for label in alice.labels))
        assert len(list(data.glob("outbox.damaged-*.db"))) == 1
        alice.click_on("bob")
        alice.write("hello")
        alice.key("Return")
        assert bob.read_message() == ("alice", "hello")


def test_a_token_file_full_of_zeros_is_told_and_a_code_asked_for(
    server: ServerProcess, tmp_path: Path
) -> None:
    with Person(port=server.port, user="alice"):
        pass
    (token,) = (tmp_path / "client" / "data" / "tokens").iterdir()
    token.write_bytes(bytes(token.stat().st_size))
    with Person(port=server.port) as alice:
        alice.write("alice")
        alice.key("Return")
        alice.wait(lambda: alice.vm.form.state.user_error)
        assert "is damaged, so it was renamed to" in alice.vm.form.state.user_error
        assert alice.vm.form.state.needs is Need.SECRET
        assert not token.exists()
    assert [one["user"] for one in server.events() if one.verb == "name_refused"] == []
