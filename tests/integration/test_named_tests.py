"""The documents name the tests that hold what they promise: those exist."""

from __future__ import annotations

import re

import pytest

from tests.support.process import ROOT

TESTS = frozenset(
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
)


@pytest.mark.parametrize("document", ["delivery.md", "security.md"])
def test_every_test_that_a_document_names_exists(document: str) -> None:
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", text))
    assert len(named) > 10
    assert named <= TESTS
    files = re.findall(r"`((?:tests/[\w/]+/)?test_\w+\.py)`", text)
    there = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    assert {name.rpartition("/")[2] for name in files} <= there
