"""Feeds one target by atheris until it breaks or the time is over. Started by `__main__`, since atheris ends the process."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Final

import atheris

# Only what is imported within is looked at, and only our own: the rest would cost speed and lead astray.
with atheris.instrument_imports(include=["twocans"]):
    from tests.fuzz.targets import TARGETS

from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz.target import Target

FIRST_INPUTS: Final = 300
MAX_INPUT_BYTES: Final = 8192
MAX_INPUT_S: Final = 20
MAX_MEMORY_MIB: Final = 2048


def main(name: str, inputs: str, broken: str, seconds: str) -> None:
    """Feed the target; ends the process, with 0 if nothing broke."""
    target = TARGETS[name]
    _write_first(target, Path(inputs))
    words = Path(inputs).with_name("words")
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words), encoding="ascii")
    options = [
        f"-artifact_prefix={broken}/",
        f"-dict={words}",
        f"-max_total_time={seconds}",
        f"-max_len={MAX_INPUT_BYTES}",
        f"-timeout={MAX_INPUT_S}",
        f"-rss_limit_mb={MAX_MEMORY_MIB}",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], inputs, *options], target.check)
    atheris.Fuzz()


def _write_first(target: Target, folder: Path) -> None:
    """Inputs to begin with, so that the grammar need not be found out first."""

    @settings(
        max_examples=FIRST_INPUTS,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=target.inputs)
    def write(data: bytes) -> None:
        (folder / hashlib.sha256(data).hexdigest()[:32]).write_bytes(data)

    write()


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    main(*sys.argv[1:])
