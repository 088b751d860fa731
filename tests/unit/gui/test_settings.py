"""The settings file: kept, private, and no obstacle when it is damaged."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from twocans.gui.settings import FOLDER_VARIABLE, Look, Settings, SettingsFile, config_dir
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
    assert [path.name for path in tmp_path.iterdir()] == ["client.json"]


def test_a_variable_names_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert config_dir() == tmp_path
