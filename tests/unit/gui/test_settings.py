"""The settings file: kept, private, and no obstacle when it is damaged."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from twocans.common import atomic_file
from twocans.gui.backend.settings import FOLDER_VARIABLE, Look, Settings, SettingsFile, config_dir
from twocans.gui.viewmodel.muted import MAX_MUTED, Muted
from twocans.gui.viewmodel.recent import MAX_RECENT, Recent


def test_settings_come_back_as_they_were_saved(tmp_path: Path) -> None:
    file = SettingsFile(tmp_path / "new" / "folder")
    settings = Settings(
        server="10.0.0.7:5051",
        user="李小龙",
        look=Look.DARK,
        text_size=1.5,
        sound=False,
        notifications=False,
        quiet_until_ms=1_800_000_000_000,
        muted=[Muted(server="ab" * 32, user="alice", peer="bob", name="Bob", until_ms=5)],
        away_after_min=0,
        keep_in_tray=True,
        geometry="900x600+-5+20",
    )
    assert file.save(settings) == ""
    assert file.load() == (settings, "")


def test_the_most_that_is_kept_is_read_again(tmp_path: Path) -> None:
    name = "\N{ROCKET}" * 100
    settings = Settings(
        server=name * 3,
        user=name,
        recent=[Recent(address=name * 3, key="f" * 64, user=name)] * MAX_RECENT,
        muted=[Muted(server="f" * 64, user=name, peer=name, name=name, until_ms=2**62)] * MAX_MUTED,
    )
    file = SettingsFile(tmp_path)
    assert file.save(settings) == ""
    assert file.load() == (settings, "")


def test_there_are_usual_settings_before_anything_was_saved(tmp_path: Path) -> None:
    settings, problem = SettingsFile(tmp_path).load()
    assert (settings.server, settings.user, problem) == ("localhost", "", "")


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"text_size": 99}',
        b'{"look": "pink"}',
        b'{"away_after_min": -1}',
        b'{"muted": [{"server": "x"}]}',
        b'{"geometry": "exec rm"}',
        b"[" * 60_000,
        b" " * 300_000,
    ],
)
def test_damaged_settings_are_set_aside_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    file = SettingsFile(tmp_path)
    file.path.write_bytes(content)
    settings, problem = file.load()
    assert settings == Settings()
    assert problem.startswith("Your settings were damaged")
    assert (tmp_path / "client.damaged.json").read_bytes() == content
    assert file.save(settings) == ""
    assert file.load() == (settings, "")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_settings_that_an_editor_has_saved_with_a_mark_are_read(tmp_path: Path, encoding: str) -> None:
    file = SettingsFile(tmp_path)
    file.path.write_bytes('{"user": "Jürgen"}'.encode(encoding))
    settings, problem = file.load()
    assert (settings.user, problem) == ("Jürgen", "")


def _opened(folder: Path) -> tuple[SettingsFile, Settings]:
    """What a window has after its start."""
    file = SettingsFile(folder)
    return file, file.load()[0]


def test_two_windows_keep_each_others_changes(tmp_path: Path) -> None:
    SettingsFile(tmp_path).save(Settings(user="alice", server="home"))
    first_file, first = _opened(tmp_path)
    second_file, second = _opened(tmp_path)
    first.sound, first.look = False, Look.DARK
    assert first_file.save(first) == ""
    second.text_size, second.look = 1.5, Look.LIGHT
    assert second_file.save(second) == ""
    assert (second.sound, second.look, second.text_size) == (False, Look.LIGHT, 1.5)
    # At its end each window writes the place where it was.
    first.geometry = "900x600+5+20"
    assert first_file.save(first) == ""
    assert first == Settings(
        user="alice", server="home", sound=False, look=Look.LIGHT, text_size=1.5, geometry="900x600+5+20"
    )
    assert _opened(tmp_path)[1] == first


def test_window_follows_what_another_has_written(tmp_path: Path) -> None:
    first_file, first = _opened(tmp_path)
    second_file, second = _opened(tmp_path)
    first.sound = False
    first_file.save(first)
    second.text_size = 1.5  # not written yet
    second_file.follow(second)
    assert (second.sound, second.text_size) == (False, 1.5)
    second_file.save(second)
    first_file.follow(first)
    assert first == second


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"text_size": 99}'])
def test_file_that_cannot_be_followed_changes_nothing(tmp_path: Path, content: bytes | None) -> None:
    file, settings = _opened(tmp_path)
    settings.sound = False
    file.save(settings)
    if content is None:
        file.path.unlink()
    else:
        file.path.write_bytes(content)
    file.follow(settings)
    assert settings == Settings(sound=False)
    assert file.save(settings) == ""
    assert _opened(tmp_path)[1] == Settings(sound=False)


def _recent(name: str, user: str = "alice") -> Recent:
    return Recent(address=name, key=name * 8, user=user)


def _muted(peer: str, until_ms: int = 0) -> Muted:
    return Muted(server="ab", user="alice", peer=peer, name=peer, until_ms=until_ms)


def test_lists_of_two_windows_are_merged_entry_by_entry(tmp_path: Path) -> None:
    SettingsFile(tmp_path).save(
        Settings(recent=[_recent("a"), _recent("b"), _recent("c")], muted=[_muted("x"), _muted("y")])
    )
    first_file, first = _opened(tmp_path)
    second_file, second = _opened(tmp_path)
    first.recent = [_recent("n"), _recent("a"), _recent("b"), _recent("c")]
    first.muted = [_muted("y"), _muted("z")]
    first_file.save(first)
    second.recent = [_recent("m"), _recent("c", "bob"), _recent("a")]
    second.muted = [_muted("x", 9), _muted("y"), _muted("w")]
    second_file.save(second)
    assert second.recent == [_recent("m"), _recent("c", "bob"), _recent("n"), _recent("a")]
    assert second.muted == [_muted("y"), _muted("z"), _muted("x", 9), _muted("w")]
    first_file.follow(first)
    assert (first.recent, first.muted) == (second.recent, second.muted)


def test_merged_lists_are_not_longer_than_what_is_read_again(tmp_path: Path) -> None:
    first_file, first = _opened(tmp_path)
    second_file, second = _opened(tmp_path)
    first.recent = [_recent(name) for name in "abcde"]
    first.muted = [_muted(f"a{number}") for number in range(MAX_MUTED)]
    first_file.save(first)
    second.recent = [_recent(name) for name in "vwxyz"]
    second.muted = [_muted(f"b{number}") for number in range(MAX_MUTED)]
    second_file.save(second)
    assert (len(second.recent), len(second.muted)) == (MAX_RECENT, MAX_MUTED)
    assert _opened(tmp_path)[1] == second


def test_settings_are_saved_although_a_program_that_hangs_holds_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic_file, "LOCK_S", 0.05)
    file, settings = _opened(tmp_path)
    lock = atomic_file.try_lock(tmp_path / "client.lock")
    assert lock is not None
    settings.sound = False
    assert file.save(settings) == ""
    os.close(lock)
    assert _opened(tmp_path)[1] == settings


def test_settings_of_a_later_version_are_read(tmp_path: Path) -> None:
    file = SettingsFile(tmp_path)
    file.path.write_bytes(b'{"user": "alice", "new_thing": [1, 2]}')
    settings, problem = file.load()
    assert (settings.user, problem) == ("alice", "")


def test_nobody_else_can_read_the_settings(tmp_path: Path) -> None:
    file = SettingsFile(tmp_path)
    file.save(Settings())
    # On Windows the user's own folder keeps others out.
    assert stat.S_IMODE(file.path.stat().st_mode) == (0o666 if sys.platform == "win32" else 0o600)


def test_settings_that_cannot_be_saved_are_told_in_a_sentence_and_leave_nothing_behind(
    tmp_path: Path,
) -> None:
    (tmp_path / "client.json").mkdir()
    (tmp_path / "client.json" / "occupied").touch()
    assert SettingsFile(tmp_path).save(Settings()).startswith("Your settings could not be saved")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["client.json", "client.lock"]


def test_a_variable_names_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert config_dir() == tmp_path
