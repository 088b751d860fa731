"""A large file passes through a server that does not grow with it, while others chat."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.torture.files import MIB, through

SIZE = 192 * MIB
CUTS = 20


def test_large_file_is_cut_again_and_again_and_arrives_and_the_server_stays_small(tmp_path: Path) -> None:
    outcome = through(size=SIZE, cuts=CUTS, random=Random(2), folder=tmp_path)  # noqa: S311 - places to cut
    assert outcome.arrived
    assert outcome.cuts == CUTS
    assert outcome.server_peak_mib < 150
