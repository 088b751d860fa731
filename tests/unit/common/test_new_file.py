"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from twocans.common.new_file import NewFileError, new_file


class _Interrupted(Exception):
    pass


def _begin(path: Path, *, replace: bool) -> None:
    """Write half of the file."""
    with new_file(path, replace=replace) as unfinished:
        unfinished.write_text("half")
        raise _Interrupted


def make_pipe(path: Path) -> None:
    """Make a named pipe."""
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    """Make a Unix socket."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def make_link(path: Path) -> None:
    """Make a symbolic link to an ordinary file."""
    target = path.with_name("target")
    target.write_text("theirs")
    path.symlink_to(target)


def make_link_to_nowhere(path: Path) -> None:
    """Make a symbolic link to nothing."""
    path.symlink_to(path.with_name("nowhere"))


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


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such things there")
@pytest.mark.parametrize("make", [make_pipe, make_socket, make_link, make_link_to_nowhere])
@pytest.mark.parametrize("replace", [False, True])
def test_what_is_no_ordinary_file_is_never_replaced(
    tmp_path: Path, make: Callable[[Path], None], replace: bool
) -> None:
    path = tmp_path / "file"
    make(path)
    before = os.lstat(path)
    with pytest.raises(NewFileError, match="is never replaced"), new_file(path, replace=replace):
        pass
    assert os.path.samestat(os.lstat(path), before)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such things there")
def test_device_is_never_replaced() -> None:
    keyboard, terminal = os.openpty()
    try:
        path = Path(os.ttyname(terminal))
        with pytest.raises(NewFileError, match="is a device, which"), new_file(path, replace=True):
            pass
    finally:
        os.close(keyboard)
        os.close(terminal)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such things there")
def test_pipe_that_appears_while_the_file_is_made_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with contextlib.ExitStack() as making:
        making.enter_context(pytest.raises(NewFileError, match="is a pipe"))
        making.enter_context(new_file(path, replace=True)).write_text("mine")
        os.mkfifo(path)
    assert path.is_fifo()
    assert list(tmp_path.iterdir()) == [path]
