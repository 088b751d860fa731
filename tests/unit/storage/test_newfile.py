"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from twocans.storage.newfile import NewFileError, new_file


class _Interrupted(Exception):
    pass


def _begin(path: Path, *, replace: bool) -> None:
    """Write half of the file."""
    with new_file(path, replace=replace) as unfinished:
        unfinished.write_text("half")
        raise _Interrupted


def test_file_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with new_file(path, replace=False) as unfinished:
        unfinished.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("replace", [False, True])
def test_nothing_is_left_and_nothing_changed_when_it_does_not_come_to_its_end(
    tmp_path: Path, replace: bool
) -> None:
    path = tmp_path / "file"
    if replace:
        path.write_text("before")
    with pytest.raises(_Interrupted):
        _begin(path, replace=replace)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == (
        [("file", "before")] if replace else []
    )


def test_file_that_has_appeared_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with contextlib.ExitStack() as making:
        making.enter_context(pytest.raises(NewFileError, match="exists already"))
        making.enter_context(new_file(path, replace=False)).write_text("mine")
        path.write_text("theirs")
    assert path.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [path]


def test_link_to_nowhere_is_a_file_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(NewFileError, match="exists already"), new_file(path, replace=False):
        pass
    with new_file(path, replace=True) as unfinished:
        unfinished.write_text("mine")
    assert not path.is_symlink()
    assert not (tmp_path / "nowhere").exists()
