"""The keys of known servers, in memory and in a file that several programs share."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import ROOT, environment
from twocans.client import Address, FileTrust, MemoryTrust, Met, Trust, TrustUnusable
from twocans.client import trust as module
from twocans.common.atomic_file import locked
from twocans.protocol.keys import server_key

HERE = Address("Server.lan")
ONE, OTHER = server_key(b"one"), server_key(b"other")


@pytest.fixture(params=["memory", "file"])
def trust(request: pytest.FixtureRequest, tmp_path: Path) -> Trust:
    return MemoryTrust() if request.param == "memory" else FileTrust(tmp_path / "new" / "known_servers.json")


def test_a_server_is_new_once_and_then_known_by_its_first_key(trust: Trust) -> None:
    assert trust.key(HERE) is None
    assert trust.meet(HERE, ONE) == Met(ONE, first_use=True)
    assert trust.meet(HERE, ONE) == Met(ONE, first_use=False)
    assert trust.meet(HERE, OTHER) == Met(ONE, first_use=False)
    assert trust.key(HERE) == ONE


def test_a_key_that_is_known_at_another_address_is_not_new(trust: Trust) -> None:
    trust.meet(HERE, ONE)
    assert trust.meet(Address("10.0.0.1"), ONE) == Met(ONE, first_use=False)
    assert trust.meet(Address("10.0.0.1"), OTHER).known == ONE


@pytest.mark.parametrize("host", ["server.lan", "SERVER.LAN", "server.lan."])
def test_addresses_are_the_same_in_capitals_and_small_letters(trust: Trust, host: str) -> None:
    trust.meet(HERE, ONE)
    assert trust.key(Address(host)) == ONE
    assert trust.key(Address(host, 5051)) is None


def test_an_accepted_key_takes_the_place_of_the_known_one(trust: Trust) -> None:
    trust.meet(HERE, ONE)
    trust.accept(HERE, OTHER)
    assert trust.meet(HERE, OTHER) == Met(OTHER, first_use=False)
    assert trust.meet(HERE, ONE).known == OTHER


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_file_that_an_editor_has_saved_with_a_mark_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "known_servers.json"
    FileTrust(path).meet(HERE, ONE)
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    assert FileTrust(path).meet(HERE, OTHER) == Met(ONE, first_use=False)
    assert FileTrust(path).keys() == {ONE}


def test_keys_are_there_after_a_restart_and_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "known_servers.json"
    FileTrust(path).meet(HERE, ONE)
    FileTrust(path).accept(Address("b"), OTHER)
    again = FileTrust(path)
    assert (again.key(HERE), again.key(Address("b"))) == (ONE, OTHER)
    assert {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"\xff",
        b'{"servers":{"a:1":"abc"}}',
        b'{"servers":{"a:1":7}}',
        b"[" * 100_000,
        b" " * 5_000_000,
    ],
)
def test_a_damaged_file_is_a_problem_and_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "known_servers.json"
    path.write_bytes(content)
    trust = FileTrust(path)
    for use in (
        lambda: trust.key(HERE),
        lambda: trust.meet(HERE, ONE),
        lambda: trust.accept(HERE, ONE),
    ):
        with pytest.raises(TrustUnusable) as caught:
            use()
        assert str(path) in caught.value.text
    assert path.read_bytes() == content


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "known_servers.json"
    path.mkdir()
    with pytest.raises(TrustUnusable):
        FileTrust(path).meet(HERE, ONE)


def test_what_cannot_be_written_is_told_and_counts_until_the_program_ends(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    trust = FileTrust(tmp_path / "file" / "known_servers.json")
    met = trust.meet(HERE, ONE)
    assert (met.known, met.first_use) == (ONE, True)
    assert "until you quit" in met.problem
    assert trust.meet(HERE, OTHER).known == ONE
    with pytest.raises(TrustUnusable):
        trust.accept(HERE, OTHER)
    assert trust.key(HERE) == OTHER


def test_a_full_file_takes_no_more_servers_and_forgets_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_SERVERS", 2)
    trust = FileTrust(tmp_path / "known_servers.json")
    for host in "ab":
        assert trust.meet(Address(host), ONE).problem == ""
    assert trust.meet(Address("c"), OTHER).problem
    again = FileTrust(tmp_path / "known_servers.json")
    assert [again.key(Address(host)) for host in "abc"] == [ONE, ONE, None]


def test_a_lock_that_another_process_does_not_let_go_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twocans.common.atomic_file.LOCK_S", 0.05)
    path = tmp_path / "known_servers.json"
    with locked(path.with_suffix(".lock")):
        assert FileTrust(path).meet(HERE, ONE).problem
    assert FileTrust(path).meet(HERE, ONE) == Met(ONE, first_use=True)


_MANY = """
import sys
from pathlib import Path
from twocans.client import Address, FileTrust
from twocans.protocol.keys import server_key
trust = FileTrust(Path(sys.argv[1]))
sys.stdin.read()
for number in range(60):
    assert not trust.meet(Address(f"{sys.argv[2]}-{number}"), server_key(sys.argv[2].encode())).problem
    assert trust.meet(Address(f"both-{number}"), server_key(sys.argv[2].encode())).known
"""


def test_processes_that_write_at_once_lose_nothing_of_one_another(tmp_path: Path) -> None:
    path = tmp_path / "known_servers.json"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _MANY, str(path), name],
            env=environment({"PYTHONPATH": str(ROOT / "src")}),
            stdin=subprocess.PIPE,
        )
        for name in ("first", "second", "third")
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
    assert [process.wait() for process in processes] == [0, 0, 0]
    known = json.loads(path.read_text())["servers"]
    assert len(known) == 4 * 60
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []
