"""Listening, its errors as sentences, and what a peer's machine has confirmed."""

from __future__ import annotations

import contextlib
import errno
import socket
import sys

import pytest

from twocans.server.transports.sockets import (
    ListenError,
    listen,
    peer_address,
    set_option,
    tune,
    unacknowledged_bytes,
)


def _complaint(host: str, port: int) -> str:
    with pytest.raises(ListenError) as refusal:
        listen(host, port)
    return str(refusal.value)


def test_listening_socket_takes_connections() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()) as client:
        assert listener.family is socket.AF_INET
        assert not listener.getblocking()
        assert client.getpeername() == listener.getsockname()


def test_taken_port_names_another() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        complaint = _complaint("127.0.0.1", port)
    assert complaint.startswith(f"Port {port} is taken")
    assert complaint.endswith(f"--port {port + 1 if port < 65535 else 5050}")


def test_port_can_be_listened_on_again_at_once() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = listener.accept()
            accepted.close()
    with listen("127.0.0.1", port) as again:
        assert again.getsockname()[1] == port


def test_address_of_another_computer_is_told_so() -> None:
    assert "192.0.2.1 is not an address of this computer" in _complaint("192.0.2.1", 0)


def test_address_that_is_none_is_told_so() -> None:
    assert "is not an IPv4 address" in _complaint("999.1.1.1", 0)


class _Refusing(socket.socket):
    """A socket of a system that refuses to bind."""

    code = 0

    def bind(self, _address: object, /) -> None:
        raise OSError(self.code, "no")


@pytest.mark.parametrize(
    ("code", "part"),
    [
        (errno.EACCES, "Port 80 needs the rights of an administrator"),
        (errno.EPERM, "Port 80 needs the rights of an administrator"),
        (errno.ENOBUFS, "Listening on 127.0.0.1:80 is not possible: "),
    ],
)
def test_what_the_system_refuses_is_a_sentence(code: int, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Refusing, "code", code)
    monkeypatch.setattr(socket, "socket", _Refusing)
    assert _complaint("127.0.0.1", 80).startswith(part)


def test_socket_is_tuned_to_notice_a_dead_peer() -> None:
    with socket.socket() as sock:
        tune(sock)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if sys.platform == "linux":
            idle, interval, probes = (
                sock.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            )
            # The contract: off the list within 60 s.
            assert idle + interval * probes < 60
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) < 60_000


def test_option_that_the_system_lacks_and_socket_that_is_gone_are_no_errors() -> None:
    sock = socket.socket()
    set_option(sock, socket.SOL_SOCKET, "SO_NO_SUCH_OPTION", 1)
    sock.close()
    tune(sock)


def test_closed_socket_counts_as_unconfirmed_where_the_system_can_tell() -> None:
    sock = socket.socket()
    sock.close()
    assert (unacknowledged_bytes(sock) > 0) == (sys.platform == "linux")


def test_bytes_that_a_full_peer_has_not_taken_are_unconfirmed_where_the_system_can_tell() -> None:
    with listen("127.0.0.1", 0) as listener, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(listener.getsockname())
        accepted, _ = listener.accept()
        with accepted:
            assert unacknowledged_bytes(accepted) == 0
            accepted.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    accepted.send(b"x" * 65536)
            assert (unacknowledged_bytes(accepted) > 0) == (sys.platform == "linux")


@pytest.mark.parametrize(
    ("name", "shown"),
    [(("10.0.0.2", 99), "10.0.0.2:99"), (("::1", 99, 0, 0), "::1:99"), (None, "unknown"), ("", "unknown")],
)
def test_peer_is_shown_as_host_and_port(name: object, shown: str) -> None:
    assert peer_address(name) == shown
