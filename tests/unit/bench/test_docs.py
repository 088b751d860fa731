"""The tables in the document are replaced, and nothing else of it is touched."""

from __future__ import annotations

import pytest

from bench.cli import DOCUMENT
from bench.docs import BEGIN, END, MarkersMissing, with_tables


def test_what_stands_between_the_markers_is_replaced_and_the_rest_is_kept() -> None:
    before = f"# Title\n\nmine\n\n{BEGIN}\n\nold\n\n{END}\n\nmine too\n"
    after = with_tables(before, "new\n")
    assert after == f"# Title\n\nmine\n\n{BEGIN}\n\nnew\n\n{END}\n\nmine too\n"
    assert with_tables(after, "new\n") == after


@pytest.mark.parametrize(
    "document", ["", BEGIN, END, f"{END}{BEGIN}", f"{BEGIN}{END}{END}", f"{BEGIN}{END}{BEGIN}{END}"]
)
def test_document_without_its_two_markers_is_refused(document: str) -> None:
    with pytest.raises(MarkersMissing):
        with_tables(document, "new")


def test_the_document_of_this_repository_has_the_markers() -> None:
    assert "new" in with_tables(DOCUMENT.read_text(encoding="utf-8"), "new")
