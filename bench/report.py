"""Writes what people read of the results: tables, plots, and the tables in `docs/performance.md`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from bench import docs, plots, tables
from bench.processes import BenchFailed
from bench.records import Results

TABLES_FILE: Final = "tables.md"


def write(results: Results, folder: Path, document: Path | None) -> None:
    """Write tables and plots into a folder; into a document, if one is given, the tables with links to the plots.

    Raises:
        BenchFailed: there are no results, or the document has no place for the tables.
    """
    if not results.measurements:
        raise BenchFailed(f"There are no results in {folder}.")
    pictures = plots.draw(results, folder)
    (folder / TABLES_FILE).write_text(tables.render(results, _links("", pictures)), encoding="utf-8")
    print(f"Tables and plots are in {folder}")
    if document is None:
        return
    prefix = Path(os.path.relpath(folder, document.parent)).as_posix() + "/"
    try:
        text = docs.with_tables(
            document.read_text(encoding="utf-8"), tables.render(results, _links(prefix, pictures))
        )
    except (OSError, docs.MarkersMissing) as error:
        raise BenchFailed(f"{document} was not updated: {error}") from error
    document.write_text(text, encoding="utf-8")
    print(f"{document} shows them")


def _links(prefix: str, pictures: list[str]) -> dict[str, str]:
    return {Path(picture).stem: prefix + picture for picture in pictures}
