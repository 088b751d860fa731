"""`python -m tests.fuzz`: feed targets by atheris, which looks for inputs that reach what none has reached before."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

from tests.fuzz.targets import TARGETS
from tests.fuzz.test_fuzz import CRASHES

ROOT: Final = Path(__file__).parents[2]


def main() -> int:
    """Feed one target after another; 1 if one of them broke, 2 if atheris is not there."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"all without: {', '.join(TARGETS)}")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long to feed each target (1)")
    parser.add_argument(
        "--corpus",
        type=Path,
        default=user_cache_path("twocans-fuzz"),
        help="the folder for inputs that reached something new, and for those that broke something (%(default)s)",
    )
    chosen = parser.parse_args()
    unknown = [name for name in chosen.targets if name not in TARGETS]
    if unknown:
        parser.error(f"there is no target {unknown[0]}. There are: {', '.join(TARGETS)}")
    if importlib.util.find_spec("atheris") is None:
        print(_how_to_install())
        return 2
    broken = [name for name in chosen.targets or TARGETS if not _feed(name, chosen.minutes, chosen.corpus)]
    print(f"\nBroken: {', '.join(broken)}" if broken else "\nNothing broke.")
    return 1 if broken else 0


def _how_to_install() -> str:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = " ".join(f'"{one}"' for one in document["dependency-groups"]["fuzz"])
    return (
        f"atheris is not installed. Install it: {sys.executable} -m pip install {wanted}\n"
        "It comes ready for CPython 3.11 to 3.13 on Linux; macOS has to build it, and Windows can't."
    )


def _feed(name: str, minutes: float, corpus: Path) -> bool:
    """Feed one target in a process of its own; False if it broke."""
    inputs, broken = corpus / name / "inputs", corpus / name / "broken"
    for folder in (inputs, broken):
        folder.mkdir(parents=True, exist_ok=True)
    before = set(broken.iterdir())
    print(f"=== {name}", flush=True)
    began = time.monotonic()
    command = [
        sys.executable,
        "-m",
        "tests.fuzz.driver",
        name,
        str(inputs),
        str(broken),
        str(max(1, round(minutes * 60))),
    ]
    done = subprocess.run(command, cwd=ROOT, check=False)
    print(f"=== {name}: {'ok' if done.returncode == 0 else 'BROKEN'} after {time.monotonic() - began:.0f} s")
    for found in sorted(set(broken.iterdir()) - before):
        kept = (CRASHES / name / "WHAT-IT-IS").relative_to(ROOT)
        print(f"Make a test of it: mkdir -p {kept.parent} && cp {found} {kept}")
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
