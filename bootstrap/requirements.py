"""What has to be installed, read from `pyproject.toml`. Leaves the installing to `environment`."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from bootstrap.remedies import SetupFailed

#: What every program needs, what makes it faster where it is to be had, and what the tests need.
RUN, FAST, DEV = "run", "fast", "dev"

Requirements = Mapping[str, list[str]]


def read(root: Path) -> Requirements:
    """Return the requirements of each group, in pip's syntax.

    Raises:
        SetupFailed: the file is missing or is not what this program came with.
    """
    try:
        document: object = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(root) from error
    return {
        RUN: _strings(root, document, "project", "dependencies"),
        FAST: _strings(root, document, "project", "optional-dependencies", "fast"),
        DEV: _strings(root, document, "dependency-groups", "dev"),
    }


def _strings(root: Path, value: object, *keys: str) -> list[str]:
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            raise _damaged(root)
        value = value[key]
    if not isinstance(value, list):
        raise _damaged(root)
    return [str(item) for item in value]


def _damaged(root: Path) -> SetupFailed:
    return SetupFailed(
        f"The file pyproject.toml in {root} is missing or damaged.\nGet Twocans again and start it from the new folder."
    )
