"""Tells what is missing in an environment: `python -I installed.py REQUIREMENT...`, run by its interpreter.

Prints a line for each package that is missing, too old or incomplete, those included that the named ones need. It is run
as a script and imports nothing of `bootstrap`.
"""

import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name


def problems(requirements: list[str]) -> Iterator[str]:
    """Yield what is wrong with the packages that these requirements, in pip's syntax, lead to."""
    waiting = [(Requirement(text), "") for text in requirements]
    seen = set()
    while waiting:
        wanted, extra = waiting.pop()
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(wanted.name)
        try:
            found = metadata.distribution(wanted.name)
        except metadata.PackageNotFoundError:
            yield f"{name} is missing"
            continue
        if not wanted.specifier.contains(found.version, prereleases=True):
            yield f"{name} {found.version} is there instead of {wanted}"
        for extra in ("", *wanted.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += [(Requirement(text), extra) for text in found.requires or ()]
                if not extra and (lacking := _lacking(found)):
                    yield f"{name} lacks its file {lacking}"


def _lacking(found: metadata.Distribution) -> str:
    """Return the first file of a package that is gone, or was emptied; empty if there is none."""
    for file in found.files or ():
        if file.suffix == ".pyc":
            continue
        try:
            size = Path(file.locate()).stat().st_size
        except OSError:
            return str(file)
        if size == 0 and file.size:
            return str(file)
    return ""


if __name__ == "__main__":
    for problem in problems(sys.argv[1:]):
        print(problem)
