"""Tokens in memory, in files and in the keyring, whatever state those are in."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.chainer import ChainerBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.backends.null import Keyring as NullKeyring

from tests.support.process import ROOT, environment
from twocans.client import (
    FileTokens,
    KeyringOrFileTokens,
    KeyringTokens,
    MemoryTokens,
    Tokens,
    TokensUnusable,
    default_outbox_path,
    default_tokens,
)
from twocans.client.keyring_tokens import SERVICE, safe_keyring
from twocans.protocol.keys import server_key

ONE, OTHER = server_key(b"one"), server_key(b"other")


class Vault(KeyringBackend):
    """A keyring that works."""

    priority: float = 5

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class BrokenVault(Vault):
    """A keyring that fails in its own way."""

    def get_password(self, service: str, username: str) -> str | None:
        raise LookupError("org.freedesktop.DBus.Error.ServiceUnknown")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise SystemExit(1)


class StuckVault(Vault):
    """A keyring that never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.end = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.asked += 1
        self.end.wait()
        return None


class PlaintextVault(Vault):
    """What keyrings.alt has: a file that anybody can read."""

    priority = 0.5


@pytest.fixture(params=["memory", "file", "keyring", "either"])
def tokens(request: pytest.FixtureRequest, tmp_path: Path) -> Tokens:
    vault = Vault()
    match request.param:
        case "memory":
            return MemoryTokens()
        case "file":
            return FileTokens(tmp_path / "tokens")
        case "keyring":
            return KeyringTokens(lambda: vault)
        case _:
            return KeyringOrFileTokens(KeyringTokens(lambda: vault), FileTokens(tmp_path / "tokens"))


def test_a_token_is_for_one_user_at_one_server(tokens: Tokens) -> None:
    tokens.put(ONE, "alice", "a")
    tokens.put(ONE, "bob", "b")
    tokens.put(OTHER, "alice", "c")
    assert [tokens.get(ONE, "alice"), tokens.get(ONE, "bob"), tokens.get(OTHER, "alice")] == ["a", "b", "c"]
    assert tokens.get(OTHER, "bob") is None


def test_a_token_can_be_replaced_and_forgotten(tokens: Tokens) -> None:
    tokens.put(ONE, "alice", "a")
    tokens.put(ONE, "alice", "b")
    assert tokens.get(ONE, "alice") == "b"
    tokens.forget(ONE, "alice")
    tokens.forget(ONE, "alice")
    assert tokens.get(ONE, "alice") is None


# --- files -----------------------------------------------------------------------------------------------


def test_files_are_there_after_a_restart_and_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "tokens"
    FileTokens(folder).put(ONE, "alice", "a")
    assert FileTokens(folder).get(ONE, "alice") == "a"
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    FileTokens(folder).forget(ONE, "alice")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"server":"x","user":"y","token":"z"}'])
def test_a_damaged_file_holds_no_token_and_is_replaced(tmp_path: Path, content: bytes) -> None:
    tokens = FileTokens(tmp_path)
    tokens.put(ONE, "alice", "a")
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    assert tokens.get(ONE, "alice") is None
    tokens.put(ONE, "alice", "b")
    assert tokens.get(ONE, "alice") == "b"


def test_what_cannot_be_written_is_told_and_kept_until_the_program_ends(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    tokens = FileTokens(tmp_path / "file" / "tokens")
    with pytest.raises(TokensUnusable) as caught:
        tokens.put(ONE, "alice", "a")
    assert "until you quit" in caught.value.text
    assert tokens.get(ONE, "alice") == "a"
    tokens.forget(ONE, "alice")
    assert tokens.get(ONE, "alice") is None


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    tokens = FileTokens(tmp_path)
    tokens.put(ONE, "alice", "a")
    (file,) = tmp_path.iterdir()
    file.unlink()
    file.mkdir()
    with pytest.raises(TokensUnusable):
        tokens.get(ONE, "alice")
    with pytest.raises(TokensUnusable):
        tokens.forget(ONE, "alice")


# --- the keyring -----------------------------------------------------------------------------------------


def test_a_keyring_that_works_has_the_token_and_no_file_does(tmp_path: Path) -> None:
    vault = Vault()
    KeyringOrFileTokens(KeyringTokens(lambda: vault), FileTokens(tmp_path)).put(ONE, "alice", "a")
    assert vault.kept == {(SERVICE, f"alice@{ONE}"): "a"}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("vault", [BrokenVault(), None], ids=["broken", "absent"])
def test_a_keyring_that_does_not_work_leaves_it_to_files(tmp_path: Path, vault: Vault | None) -> None:
    tokens = KeyringOrFileTokens(KeyringTokens(lambda: vault), FileTokens(tmp_path))
    assert tokens.get(ONE, "alice") is None
    tokens.put(ONE, "alice", "a")
    assert tokens.get(ONE, "alice") == "a"
    assert FileTokens(tmp_path).get(ONE, "alice") == "a"
    tokens.forget(ONE, "alice")
    assert FileTokens(tmp_path).get(ONE, "alice") is None


def test_a_keyring_that_never_answers_is_asked_once(tmp_path: Path) -> None:
    vault = StuckVault()
    tokens = KeyringOrFileTokens(KeyringTokens(lambda: vault, answer_s=0.05), FileTokens(tmp_path))
    assert tokens.get(ONE, "alice") is None
    tokens.put(ONE, "alice", "a")
    assert tokens.get(ONE, "alice") == "a"
    assert vault.asked == 1
    vault.end.set()


def test_a_search_for_a_keyring_that_never_ends_is_given_up(tmp_path: Path) -> None:
    end = threading.Event()

    def find() -> None:
        end.wait()

    tokens = KeyringOrFileTokens(KeyringTokens(find, find_s=0.05), FileTokens(tmp_path))
    tokens.put(ONE, "alice", "a")
    assert FileTokens(tmp_path).get(ONE, "alice") == "a"
    end.set()


def test_a_token_in_a_file_counts_when_the_keyring_works_again(tmp_path: Path) -> None:
    FileTokens(tmp_path).put(ONE, "alice", "a")
    vault = Vault()
    tokens = KeyringOrFileTokens(KeyringTokens(lambda: vault), FileTokens(tmp_path))
    assert tokens.get(ONE, "alice") == "a"
    tokens.put(ONE, "alice", "b")
    assert tokens.get(ONE, "alice") == "b"
    assert FileTokens(tmp_path).get(ONE, "alice") is None


@pytest.fixture
def chosen() -> Iterator[None]:
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


@pytest.mark.usefixtures("chosen")
def test_only_a_keyring_that_keeps_secrets_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    vault = Vault()
    keyring.set_keyring(vault)
    assert safe_keyring() is vault
    none: list[KeyringBackend] = [NoKeyring(), NullKeyring(), PlaintextVault()]  # type: ignore[no-untyped-call]
    for other in none:
        keyring.set_keyring(other)
        assert safe_keyring() is None
    monkeypatch.setattr(ChainerBackend, "backends", [PlaintextVault(), vault])
    keyring.set_keyring(ChainerBackend())  # type: ignore[no-untyped-call]
    assert safe_keyring() is vault


_ALONE = """
import sys
from twocans.client import default_tokens
from twocans.protocol.keys import server_key
tokens = default_tokens()
tokens.put(server_key(b"one"), "alice", "a")
assert tokens.get(server_key(b"one"), "alice") == "a"
"""


def test_without_a_keyring_service_a_file_serves_and_nothing_is_printed(tmp_path: Path) -> None:
    env = environment(
        {"PYTHONPATH": str(ROOT / "src"), "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    )
    for name in ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "DISPLAY", "TWOCANS_DATA_DIR"):
        env.pop(name, None)
    done = subprocess.run([sys.executable, "-c", _ALONE], env=env, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert len(list((tmp_path / "twocans" / "tokens").iterdir())) == 1


def test_the_folder_can_be_moved_and_then_no_keyring_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWOCANS_DATA_DIR", str(tmp_path))
    default_tokens().put(ONE, "alice", "a")
    assert FileTokens(tmp_path / "tokens").get(ONE, "alice") == "a"
    assert default_outbox_path() == tmp_path / "outbox.db"
    monkeypatch.delenv("TWOCANS_DATA_DIR")
    assert default_outbox_path().parent != tmp_path
