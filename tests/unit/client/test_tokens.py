"""Tokens in memory, in files and in the keyring, whatever state those are in."""

from __future__ import annotations

import contextlib
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.core
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.chainer import ChainerBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.backends.null import Keyring as NullKeyring
from keyring.compat.properties import classproperty as keyring_property
from keyring.errors import KeyringLocked

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
from twocans.client.errors import KeyringUnusable, TokenLost
from twocans.client.keyring_names import KeyringNames
from twocans.client.keyring_tokens import (
    LOCKED,
    LOST,
    NOT_RUNNING,
    SERVICE,
    SILENT,
    find_keyring,
    safe_keyring,
)
from twocans.protocol.keys import ServerKey, server_key

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
        self.threads: set[int] = set()
        self.end = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.asked += 1
        self.threads.add(threading.get_ident())
        self.end.wait()
        return super().get_password(service, username)


class LockedVault(Vault):
    """A keyring whose owner does not unlock it."""

    locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("Failed to unlock the collection!")
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.get_password(service, username)
        super().set_password(service, username, password)


class PlaintextVault(Vault):
    """What keyrings.alt has: a file that anybody can read."""

    priority = 0.5


def either(
    folder: Path, vault: Vault | None, *known: ServerKey, answer_s: float = 30.0
) -> KeyringOrFileTokens:
    """Tokens as after a start, where servers with these keys were known before the record of names."""
    return KeyringOrFileTokens(
        KeyringTokens(lambda: vault, answer_s=answer_s),
        FileTokens(folder / "tokens"),
        KeyringNames(folder / "names.json", lambda: frozenset(known)),
    )


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
            return either(tmp_path, vault)


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


@pytest.mark.parametrize(
    "content",
    [b"", bytes(80), b"{", b"[]", b"\xff", b'{"server":"x","user":"y","token":"z"}'],
    ids=["empty", "zeros", "cut", "list", "binary", "other"],
)
def test_a_damaged_file_is_told_once_and_set_aside(tmp_path: Path, content: bytes) -> None:
    tokens = FileTokens(tmp_path)
    for number in range(2):
        tokens.put(ONE, "alice", "a")
        (file,) = (one for one in tmp_path.iterdir() if "damaged" not in one.name)
        file.write_bytes(content)
        with pytest.raises(TokenLost) as caught:
            tokens.get(ONE, "alice")
        assert not file.exists()
        asides = list(tmp_path.glob("*.damaged-*.json"))
        assert len(asides) == number + 1
        assert all(one.read_bytes() == content for one in asides)
        assert any(one.name in caught.value.text for one in asides)
        assert tokens.get(ONE, "alice") is None


@pytest.mark.parametrize("place", ["tokens", "."])
def test_folder_that_is_a_file_is_told(tmp_path: Path, place: str) -> None:
    wrong = (tmp_path / "data" / place).resolve()
    wrong.parent.mkdir(exist_ok=True)
    wrong.write_text("")
    tokens = FileTokens(tmp_path / "data" / "tokens")
    assert tokens.get(ONE, "alice") is None
    with pytest.raises(TokensUnusable) as caught:
        tokens.put(ONE, "alice", "a")
    assert caught.value.text.startswith(f"{wrong} is a file, and should be a folder")
    assert "until you quit" in caught.value.text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_file_that_an_editor_has_saved_with_a_mark_is_read(tmp_path: Path, encoding: str) -> None:
    tokens = FileTokens(tmp_path)
    tokens.put(ONE, "alice", "a")
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_text(encoding="utf-8").encode(encoding))
    assert tokens.get(ONE, "alice") == "a"


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
    either(tmp_path, vault).put(ONE, "alice", "a")
    assert vault.kept == {(SERVICE, f"alice@{ONE}"): "a"}
    assert not (tmp_path / "tokens").exists()


@pytest.mark.parametrize("vault", [BrokenVault(), None], ids=["broken", "absent"])
def test_a_keyring_that_does_not_work_leaves_it_to_files(tmp_path: Path, vault: Vault | None) -> None:
    tokens = either(tmp_path, vault)
    assert tokens.get(ONE, "alice") is None
    tokens.put(ONE, "alice", "a")
    assert tokens.get(ONE, "alice") == "a"
    assert FileTokens(tmp_path / "tokens").get(ONE, "alice") == "a"
    tokens.forget(ONE, "alice")
    assert FileTokens(tmp_path / "tokens").get(ONE, "alice") is None


def test_a_keyring_that_never_answers_is_asked_once(tmp_path: Path) -> None:
    vault = StuckVault()
    tokens = either(tmp_path, vault, answer_s=0.05)
    assert tokens.get(ONE, "alice") is None
    tokens.put(ONE, "alice", "a")
    assert tokens.get(ONE, "alice") == "a"
    assert vault.asked == 1
    vault.end.set()


def test_a_search_for_a_keyring_that_never_ends_is_given_up(tmp_path: Path) -> None:
    end = threading.Event()

    def find() -> None:
        end.wait()

    names = KeyringNames(tmp_path / "names.json", frozenset)
    tokens = KeyringOrFileTokens(KeyringTokens(find, find_s=0.05), FileTokens(tmp_path / "tokens"), names)
    tokens.put(ONE, "alice", "a")
    assert FileTokens(tmp_path / "tokens").get(ONE, "alice") == "a"
    end.set()


def test_a_token_in_a_file_counts_when_the_keyring_works_again(tmp_path: Path) -> None:
    FileTokens(tmp_path / "tokens").put(ONE, "alice", "a")
    vault = Vault()
    tokens = either(tmp_path, vault)
    assert tokens.get(ONE, "alice") == "a"
    tokens.put(ONE, "alice", "b")
    assert tokens.get(ONE, "alice") == "b"
    assert FileTokens(tmp_path / "tokens").get(ONE, "alice") is None


# --- a keyring that is locked, hangs or is not there, and has the token ------------------------------------


def test_a_locked_keyring_is_told_and_asked_again(tmp_path: Path) -> None:
    vault = LockedVault()
    either(tmp_path, vault).put(ONE, "alice", "a")
    vault.locked = True
    tokens = either(tmp_path, vault)
    for _ in range(2):
        with pytest.raises(KeyringUnusable) as caught:
            tokens.get(ONE, "alice")
        assert caught.value.text == LOCKED
    vault.locked = False
    assert tokens.get(ONE, "alice") == "a"


def test_a_new_name_goes_into_a_file_while_the_keyring_is_locked(tmp_path: Path) -> None:
    vault = LockedVault()
    tokens = either(tmp_path, vault)
    tokens.put(ONE, "alice", "a")
    vault.locked = True
    assert tokens.get(ONE, "bob") is None
    assert tokens.get(OTHER, "alice") is None
    tokens.put(ONE, "bob", "b")
    assert tokens.get(ONE, "bob") == "b"
    vault.locked = False
    assert (tokens.get(ONE, "bob"), tokens.get(ONE, "alice")) == ("b", "a")


def test_a_server_known_before_the_record_may_have_tokens_in_the_keyring(tmp_path: Path) -> None:
    vault = LockedVault()
    vault.kept[SERVICE, f"alice@{ONE}"] = "a"
    vault.locked = True
    for _ in range(2):
        tokens = either(tmp_path, vault, ONE)
        with pytest.raises(KeyringUnusable):
            tokens.get(ONE, "alice")
        assert tokens.get(OTHER, "alice") is None
    vault.locked = False
    assert tokens.get(ONE, "alice") == "a"


def test_a_server_met_after_the_record_was_begun_is_no_older_one(tmp_path: Path) -> None:
    vault = LockedVault()
    either(tmp_path, vault)
    vault.locked = True
    assert either(tmp_path, vault, ONE).get(ONE, "alice") is None


def test_token_found_in_the_keyring_is_recorded(tmp_path: Path) -> None:
    vault = LockedVault()
    vault.kept[SERVICE, f"alice@{ONE}"] = "a"
    assert either(tmp_path, vault).get(ONE, "alice") == "a"
    vault.locked = True
    with pytest.raises(KeyringUnusable):
        either(tmp_path, vault).get(ONE, "alice")


@pytest.mark.parametrize("content", [None, b"", bytes(50), b"[]"], ids=["gone", "empty", "zeros", "list"])
def test_record_that_is_gone_or_damaged_starts_from_the_known_servers(
    tmp_path: Path, content: bytes | None
) -> None:
    vault = LockedVault()
    either(tmp_path, vault).put(ONE, "alice", "a")
    record = tmp_path / "names.json"
    record.unlink() if content is None else record.write_bytes(content)
    vault.locked = True
    with pytest.raises(KeyringUnusable):
        either(tmp_path, vault, ONE).get(ONE, "alice")


def test_record_that_cannot_be_written_holds_as_long_as_the_program(tmp_path: Path) -> None:
    vault = LockedVault()
    (tmp_path / "names.json").mkdir()
    tokens = either(tmp_path, vault)
    tokens.put(ONE, "alice", "a")
    vault.locked = True
    with pytest.raises(KeyringUnusable):
        tokens.get(ONE, "alice")


def test_a_name_that_was_given_up_is_new_again(tmp_path: Path) -> None:
    vault = LockedVault()
    tokens = either(tmp_path, vault)
    tokens.put(ONE, "alice", "a")
    vault.locked = True
    tokens.forget(ONE, "alice")
    assert tokens.get(ONE, "alice") is None


def test_a_keyring_that_hangs_is_told_and_holds_one_thread(tmp_path: Path) -> None:
    vault = StuckVault()
    vault.kept[SERVICE, f"alice@{ONE}"] = "a"
    tokens = either(tmp_path, vault, ONE, answer_s=0.05)
    for _ in range(3):
        with pytest.raises(KeyringUnusable) as caught:
            tokens.get(ONE, "alice")
        assert caught.value.text == SILENT
    assert vault.asked == 1
    vault.end.set()
    # The thread that hung asks on; how long it takes to wake is nobody's fault.
    while True:
        with contextlib.suppress(KeyringUnusable):
            assert tokens.get(ONE, "alice") == "a"
            break
    assert len(vault.threads) == 1


def test_a_keyring_that_is_started_late_is_found(tmp_path: Path) -> None:
    vaults: list[Vault] = []
    keyring_tokens = KeyringTokens(lambda: vaults[0] if vaults else None)
    names = KeyringNames(tmp_path / "names.json", frozenset)
    names.add(ONE, "alice")
    tokens = KeyringOrFileTokens(keyring_tokens, FileTokens(tmp_path / "tokens"), names)
    with pytest.raises(TokensUnusable) as caught:
        tokens.get(ONE, "alice")
    assert caught.value.text == NOT_RUNNING
    vault = Vault()
    vault.kept[SERVICE, f"alice@{ONE}"] = "a"
    vaults.append(vault)
    assert tokens.get(ONE, "alice") == "a"


def test_token_that_the_keyring_has_lost_is_told_once(tmp_path: Path) -> None:
    vault = Vault()
    tokens = either(tmp_path, vault)
    tokens.put(ONE, "alice", "a")
    vault.kept.clear()
    with pytest.raises(TokenLost) as caught:
        tokens.get(ONE, "alice")
    assert caught.value.text == LOST
    assert tokens.get(ONE, "alice") is None


def test_token_in_the_keyring_serves_where_the_file_is_damaged(tmp_path: Path) -> None:
    vault = Vault()
    FileTokens(tmp_path / "tokens").put(ONE, "alice", "old")
    (file,) = (tmp_path / "tokens").iterdir()
    file.write_bytes(bytes(80))
    vault.kept[SERVICE, f"alice@{ONE}"] = "a"
    assert either(tmp_path, vault).get(ONE, "alice") == "a"


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


@pytest.mark.usefixtures("chosen")
def test_keyring_whose_service_starts_after_the_first_look_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class LateVault(Vault):
        running = False

        @keyring_property
        def priority(cls) -> float:  # noqa: N805 - of the class
            if not LateVault.running:
                raise RuntimeError("not running")
            return 5.0

    monkeypatch.setattr(KeyringBackend, "_classes", {LateVault})
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
    monkeypatch.setattr(keyring.core, "load_config", lambda: None)
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]
    try:
        assert find_keyring() is None
        LateVault.running = True
        assert isinstance(find_keyring(), LateVault)
    finally:
        keyring.backend.get_all_keyring.reset()


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
