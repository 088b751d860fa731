"""Attacks on names, with bare sockets: what does not prove that it is the same person does not get in."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest
from argon2 import PasswordHasher

from tests.support.deadline import DEADLINE_S
from tests.support.raw import Frame, JsonPeer, Peer, PlainPeer, Value, decode, eventually, hello
from tests.support.serving import Serving, serve
from tests.support.tls import client_context
from twocans.hub.limits import Limits
from twocans.server.identity import hash_queue
from twocans.server.identity.hash_queue import Check, HashQueue
from twocans.server.settings.config import Concurrency, HistoryMode

PASSWORD: Final = "korrekt horse"
WRONG: Final = "0" * 64
LOCAL: Final = "127.0.0.1"
GUESSERS: Final = 3
"""Addresses that guess on four connections at once: one check is being made, the others fill what may wait."""


class HeldChecks:
    """Counts the checks of passwords that are asked for, and keeps them from being made until the test lets them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._asked = 0
        self._may_go_on = threading.Event()
        put, verify = HashQueue.put, PasswordHasher.verify

        def counted(queue: HashQueue, check: Check) -> Check | None:
            self._asked += 1
            return put(queue, check)

        def held(hasher: PasswordHasher, hashed: str, password: str) -> bool:
            assert self._may_go_on.wait(DEADLINE_S)
            return verify(hasher, hashed, password)

        monkeypatch.setattr(HashQueue, "put", counted)
        monkeypatch.setattr(PasswordHasher, "verify", held)

    def wait_for(self, count: int) -> None:
        """Wait until so many have been asked for."""
        eventually(lambda: self._asked >= count)

    def release(self) -> None:
        """Let all of them be made."""
        self._may_go_on.set()


class House:
    """A server that can be stopped and started again in the same folder, and those who want in."""

    def __init__(self, concurrency: Concurrency, data: Path) -> None:
        self.tls = client_context()
        self._concurrency = concurrency
        self._data = data
        self._stack = ExitStack()
        self._history = HistoryMode.ON
        self._limits = Limits()
        self._invite: str | None = None
        self.server = self._start()

    def restart(
        self,
        *,
        history: HistoryMode = HistoryMode.ON,
        limits: Limits | None = None,
        invite: str | None = None,
    ) -> None:
        """Stop the server and start it again."""
        self._history, self._limits, self._invite = history, limits or Limits(), invite
        self._stack.close()
        self.server = self._start()

    def close(self) -> None:
        """Stop everything."""
        self._stack.close()

    def owner(self, name: str = "alice", token: str | None = None) -> JsonPeer:
        """A program on an encrypted connection that is let in."""
        return self._stack.enter_context(JsonPeer(self.server.port, name, token=token, tls=self.tls))

    def program(self, name: str = "alice", *, encrypted: bool = True, **fields: Value) -> Frame:
        """What a program gets as the first answer to its HELLO."""
        return decode(self.line(hello(name, **fields), encrypted=encrypted))

    def netcat(self, line: str, *, encrypted: bool = False) -> str:
        """What netcat gets as the first answer to its first line."""
        return self.line(line.encode() + b"\n", encrypted=encrypted)

    def line(self, first: bytes, *, encrypted: bool) -> str:
        """The first line of the answer to a first line."""
        with Peer(self.server.port, tls=self.tls if encrypted else None) as peer:
            peer.sendall(first)
            return peer.read_line()

    def _start(self) -> Serving:
        return self._stack.enter_context(
            serve(
                concurrency=self._concurrency,
                data=self._data,
                history=self._history,
                limits=self._limits,
                invite=self._invite,
            )
        )


@pytest.fixture
def house(concurrency: Concurrency, tmp_path: Path) -> Iterator[House]:
    """A server as it is out of the box, with a folder of its own."""
    made = House(concurrency, tmp_path)
    yield made
    made.close()


def refused(frame: Frame, code: str, needs: str | None = None) -> None:
    assert frame.verb == "ERROR", frame
    assert (frame["code"], frame.fields.get("needs")) == (code, needs), frame


def code_of(peer: JsonPeer) -> str:
    return peer.ask("CODE").text("code")


# --- names ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("online", [True, False])
def test_bound_name_cannot_be_taken_online_or_not(house: House, *, online: bool) -> None:
    alice = house.owner()
    bob = house.owner("bob")
    token = alice.token
    if not online:
        alice.close()
        bob.expect("LEFT", user="alice")
    refused(house.program(), "name_taken", "secret")
    refused(house.program(token=WRONG), "name_taken", "secret")
    refused(house.program(token=bob.token), "name_taken", "secret")
    refused(house.program("ALICE", token=token[:-1]), "name_taken", "secret")
    refused(house.program(encrypted=False, token=token), "name_taken", "tls")
    assert "alice is taken" in house.netcat("alice")
    assert "alice is taken" in house.netcat("alice", encrypted=True)
    assert "no spaces" in house.netcat(f"alice {token}")
    assert house.owner("Alice", token).name == "alice"


@pytest.mark.parametrize("history", list(HistoryMode))
def test_bound_name_stays_bound_when_the_server_starts_again(house: House, history: HistoryMode) -> None:
    house.restart(history=history)
    token = house.owner().token
    house.restart(history=history)
    refused(house.program(token=WRONG), "name_taken", "secret")
    assert "alice is taken" in house.netcat("alice")
    assert house.owner("alice", token).token == token


def test_what_waits_for_a_bound_name_is_for_its_owner_only(house: House) -> None:
    alice, bob = house.owner(), house.owner("bob")
    token = alice.token
    alice.close()
    bob.expect("LEFT", user="alice")
    bob.deliver("alice", "for alice only")
    refused(house.program(), "name_taken", "secret")
    assert [frame["text"] for frame in house.owner("alice", token).missed] == ["for alice only"]


def test_token_that_was_given_in_the_clear_binds_nothing(house: House) -> None:
    watcher = house.owner("watcher")
    with JsonPeer(house.server.port, "alice") as overheard:
        assert "device" not in overheard.welcome.fields
    watcher.expect("LEFT", user="alice")
    with PlainPeer(house.server.port, "alice") as plain:
        assert "alice" in plain.users


def test_token_of_another_name_is_replaced_by_one_of_the_server(house: House) -> None:
    alice = house.owner("alice")
    bob = house.owner("bob", alice.token)
    assert bob.token != alice.token
    bob.close()
    assert house.owner("bob", bob.token).welcome["user"] == "bob"
    house.restart()
    assert house.owner("alice", alice.token).welcome["token"] == alice.token
    assert house.owner("bob", bob.token).welcome["token"] == bob.token


def test_others_hear_when_somebody_can_be_overheard_no_more(house: House) -> None:
    watcher = house.owner("watcher")
    with JsonPeer(house.server.port, "alice") as overheard:
        assert watcher.expect("JOINED", user="alice")["encrypted"] is False
        assert house.owner("late").welcome["unencrypted"] == ["alice"]
        with Peer(house.server.port, tls=house.tls) as peer:
            peer.sendall(hello("alice", token=overheard.token))
            assert peer.read_line().startswith("WELCOME: ")
            assert overheard.expect_closed()
            assert watcher.expect("PRESENCE", user="alice")["encrypted"] is True


# --- further devices --------------------------------------------------------------------------------------


def test_code_brings_one_device_in_once_and_the_owner_can_cut_it_off(house: House) -> None:
    laptop = house.owner()
    code = code_of(laptop)
    with Peer(house.server.port, tls=house.tls) as peer:
        peer.sendall(hello("alice", secret=code.lower(), device="phone"))
        welcome = decode(peer.read_line())
        assert welcome.verb == "WELCOME"
        token = welcome.text("token")
        assert token != laptop.token
        refused(house.program(secret=code), "auth_failed", "secret")
        devices = laptop.ask("DEVICES").parts("devices")
        assert [(one["name"], one["online"], one["this"]) for one in devices] == [
            ("test", True, True),
            ("phone", True, False),
        ]
        left = laptop.ask("REVOKE", device=devices[1]["id"])
        assert [one["name"] for one in left.parts("devices")] == ["test"]
        last = decode(peer.expect_closed()[-1])
        assert (last.verb, last["reason"]) == ("BYE", "revoked")
    refused(house.program(token=token), "revoked", "secret")
    house.restart()
    refused(house.program(token=token), "revoked", "secret")
    refused(house.program(token=WRONG), "name_taken", "secret")
    assert house.owner("alice", laptop.token).name == "alice"


def test_code_may_be_mistyped_twice_on_a_connection_and_the_third_time_ends_it(house: House) -> None:
    laptop = house.owner()
    with Peer(house.server.port, tls=house.tls) as peer:
        for _ in range(2):
            peer.sendall(hello("alice", secret="2222-2222"))
            refused(decode(peer.read_line()), "auth_failed", "secret")
        peer.sendall(hello("alice", secret=code_of(laptop)))
        assert decode(peer.read_line()).verb == "WELCOME"
    with Peer(house.server.port, tls=house.tls) as peer:
        for _ in range(3):
            peer.sendall(hello("alice", secret="2222-2222"))
            refused(decode(peer.read_line()), "auth_failed", "secret")
        (last,) = [decode(line) for line in peer.expect_closed()]
        assert (last.verb, last["reason"]) == ("BYE", "refused")


def test_device_signs_out_for_good(house: House) -> None:
    laptop = house.owner()
    refused(laptop.ask("SIGNOUT"), "last_device")
    laptop.ask("PASSWORD", password=PASSWORD)
    laptop.send("SIGNOUT", rid="bye")
    *_, answer, last = [decode(line) for line in laptop.expect_closed()]
    assert (answer.verb, answer["rid"], answer["devices"]) == ("DEVICES", "bye", [])
    assert (last.verb, last["reason"]) == ("BYE", "signed_out")
    house.restart()
    refused(house.program(token=laptop.token), "revoked", "secret")
    assert house.program(token=laptop.token, secret=PASSWORD).text("token") != laptop.token


def test_guessing_codes_is_slowed_down_and_keeps_no_fresh_code_out(house: House) -> None:
    laptop = house.owner()
    code = code_of(laptop)
    limit = Limits().failed_logins_per_address
    for _ in range(limit):
        refused(house.program(secret="AAAA-AAAA"), "auth_failed", "secret")
    refused(house.program(secret=code), "rate_limited")
    assert house.owner("alice", laptop.token).name == "alice"
    assert house.program(secret=code_of(laptop)).verb == "WELCOME"


def test_what_is_read_on_one_device_is_read_on_all_and_each_gets_everything(house: House) -> None:
    laptop, bob = house.owner(), house.owner("bob")
    with Peer(house.server.port, tls=house.tls) as peer:
        peer.sendall(hello("alice", secret=code_of(laptop)))
        decode(peer.read_line())
        sent = bob.deliver("alice", "hi")
        peer.read_until(lambda line: line.startswith("MSG: "))
        laptop.expect("MSG", id=sent["id"])
        laptop.send("READ", peer="bob", id=sent["id"])
        mark = decode(peer.read_until(lambda line: line.startswith("READ: "))[-1])
        assert mark.fields == {"peer": "bob", "id": sent["id"]}


# --- passwords --------------------------------------------------------------------------------------------


def test_password_is_another_way_in_over_an_encrypted_connection_only(house: House) -> None:
    alice = house.owner()
    assert alice.ask("PASSWORD", password=PASSWORD)["password"] is True
    assert house.netcat(f"alice {PASSWORD}", encrypted=True).startswith("LIST: ")
    assert house.program(secret=PASSWORD).verb == "WELCOME"
    assert "not the password" in house.netcat(f"alice {PASSWORD}!", encrypted=True)
    refused(house.program(secret=f"{PASSWORD} "[::-1]), "auth_failed", "secret")
    assert "no spaces" in house.netcat(f"alice {PASSWORD}")
    refused(house.program(encrypted=False, secret=PASSWORD), "name_taken", "tls")
    house.restart()
    assert house.netcat(f"alice {PASSWORD}", encrypted=True).startswith("LIST: ")


def test_guessing_passwords_is_stopped_in_both_dialects(house: House) -> None:
    alice = house.owner()
    alice.ask("PASSWORD", password=PASSWORD)
    house.restart(limits=Limits(failed_logins_per_address=4))
    for number in range(2):
        refused(house.program(secret=f"guess {number}"), "auth_failed", "secret")
        assert "not the password" in house.netcat(f"alice guess {number}", encrypted=True)
    refused(house.program(secret=PASSWORD), "rate_limited")
    assert "too many wrong tries" in house.netcat(f"alice {PASSWORD}", encrypted=True)
    assert house.owner("alice", alice.token).name == "alice"


def test_session_by_password_is_seen_and_ends_with_the_password(house: House) -> None:
    alice, bob = house.owner(), house.owner("bob")
    alice.ask("PASSWORD", password=PASSWORD)
    with PlainPeer(house.server.port, f"alice {PASSWORD}", tls=house.tls) as thief:
        seen = alice.ask("DEVICES").parts("sessions")
        assert [(one["by"], one["plain"], one["this"]) for one in seen] == [
            ("password", True, False),
            ("device", False, True),
        ]
        assert alice.ask("PASSWORD")["password"] is False
        bob.deliver("alice", "for alice only")
        assert "for alice only" not in "".join(thief.expect_closed())
    assert len(alice.ask("DEVICES").parts("sessions")) == 1


def test_others_are_served_while_passwords_are_checked(house: House) -> None:
    alice, bob = house.owner(), house.owner("bob")
    alice.ask("PASSWORD", password=PASSWORD)
    with ExitStack() as guessing:
        for _ in range(8):
            peer = guessing.enter_context(Peer(house.server.port, tls=house.tls))
            peer.sendall(hello("alice", secret="guess"))
        bob.deliver("alice", "still quick")
        alice.expect("MSG", text="still quick")


@pytest.mark.parametrize("source", [LOCAL, "127.0.2.1"], ids=["at the computer itself", "elsewhere"])
def test_owner_gets_in_by_password_while_many_addresses_guess(
    house: House, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    # All peers of these tests are on one computer: only one of its addresses counts as such here.
    monkeypatch.setattr(hash_queue, "is_local", lambda host: host == LOCAL)
    monkeypatch.setattr(hash_queue, "MAX_WAITING", 4 * GUESSERS - 1)
    alice = house.owner()
    alice.ask("PASSWORD", password=PASSWORD)
    held = HeldChecks(monkeypatch)

    def guess(number: int) -> Peer:
        peer = guessing.enter_context(
            Peer(house.server.port, tls=house.tls, source=f"127.0.1.{number % GUESSERS}")
        )
        peer.sendall(b"alice wrong horse\n")
        return peer

    with ExitStack() as guessing:
        for number in range(4 * GUESSERS):
            guess(number)
            held.wait_for(number + 1)
        assert "busy checking passwords" in guess(0).read_line()
        with Peer(house.server.port, tls=house.tls, source=source) as owner:
            owner.sendall(f"alice {PASSWORD}\n".encode())
            held.wait_for(4 * GUESSERS + 2)
            held.release()
            assert owner.read_line().startswith("LIST: ")


# --- invites and versions of TLS --------------------------------------------------------------------------


def test_newcomers_need_the_invite_and_those_who_are_known_do_not(house: House) -> None:
    token = house.owner().token
    house.restart(invite="tin-can-7")
    assert house.owner("alice", token).name == "alice"
    refused(house.program("bob"), "auth_required", "invite")
    refused(house.program("bob", invite="tin"), "auth_failed", "invite")
    refused(house.program("bob", encrypted=False, invite="tin-can-7"), "auth_required", "tls")
    assert "asks newcomers for an invite" in house.netcat("bob")
    assert "Wrong invite" in house.netcat("bob tin", encrypted=True)
    assert house.netcat("bob tin-can-7", encrypted=True).startswith("LIST: ")
    assert house.program("carol", invite="tin-can-7").verb == "WELCOME"


def test_wrong_invites_are_taken_one_after_another_after_a_while(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twocans.hub.guesses.INVITE_BURST", 3)
    token = house.owner().token
    house.restart(invite="tin-can-7")
    for _ in range(3):
        refused(house.program("bob", invite="tin"), "auth_failed", "invite")
    refused(house.program("bob", invite="tin"), "rate_limited", "invite")
    assert "each has to wait for its turn" in house.netcat("bob tin", encrypted=True)
    assert house.owner("alice", token).name == "alice"
    eventually(lambda: house.program("carol", invite="tin-can-7").verb == "WELCOME")


@pytest.mark.parametrize("most", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_encryption_older_than_tls_1_2_is_refused(house: House, most: ssl.TLSVersion) -> None:
    context = client_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = most
    with pytest.raises((ssl.SSLError, ConnectionError)):
        Peer(house.server.port, tls=context)


# --- one after another ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "end", [Peer.finish_sending, Peer.close, Peer.reset], ids=["goodbye", "close", "reset"]
)
def test_name_is_bound_even_if_its_owner_is_gone_before_the_answer(
    house: House, end: Callable[[Peer], None]
) -> None:
    token = "ab" * 32
    watcher = house.owner("watcher")
    peer = Peer(house.server.port, tls=house.tls)
    peer.sendall(hello("alice", token=token))
    end(peer)
    peer.close()
    assert watcher.ask("FIND", prefix="w").names("users") == ["watcher"]
    assert house.owner("alice", token).token == token


def test_what_follows_the_hello_at_once_counts(house: House) -> None:
    bob = house.owner("bob")
    with Peer(house.server.port, tls=house.tls) as peer:
        peer.sendall(hello("alice") + b'MSG: {"to": "bob", "text": "at once", "cid": "c"}\n')
        peer.finish_sending()
        assert bob.expect("MSG")["text"] == "at once"
