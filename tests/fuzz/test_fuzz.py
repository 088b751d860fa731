"""What peers send, at random and as it once went wrong: every target holds its laws."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.targets import TARGETS

CRASHES: Final = Path(__file__).parent / "crashes"
_KEPT: Final = sorted(path.relative_to(CRASHES) for path in CRASHES.glob("*/*"))


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_comes_breaks_nothing(name: str) -> None:
    target = TARGETS[name]

    @settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(data=target.inputs)
    def feed(data: bytes) -> None:
        target.check(data)

    feed()


@pytest.mark.parametrize("kept", _KEPT, ids=Path.as_posix)
def test_what_once_broke_something_does_so_no_more(kept: Path) -> None:
    TARGETS[kept.parent.name].check((CRASHES / kept).read_bytes())
