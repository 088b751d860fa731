"""Files of this user: read whole, and never waited for."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from twocans.common.atomic_file import read_file


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes in folders")
def test_pipe_in_place_of_a_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "server.json")
    with pytest.raises(OSError, match="Invalid argument"):
        read_file(tmp_path / "server.json", 1000)


def test_file_is_read_up_to_the_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    assert read_file(tmp_path / "a", 4) == b"0123"
    assert read_file(tmp_path / "none", 4) is None
    with pytest.raises(IsADirectoryError):
        read_file(tmp_path, 4)
