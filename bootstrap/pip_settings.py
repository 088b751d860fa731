"""The environment in which pip runs: the user's way to a package index counts, all else that pip can be told does not.

A `target` or `dry-run` in pip.conf or the environment would leave `.venv` without the packages, and pip would report
success.
"""

import ast
import os
import subprocess
from pathlib import Path

from bootstrap.children import NO_WINDOW
from bootstrap.remedies import SetupFailed

#: pip's options that say where packages come from and how they are reached, as its settings name them.
_KEPT = frozenset(
    {
        "cache-dir",
        "cert",
        "client-cert",
        "constraint",
        "default-timeout",
        "extra-index-url",
        "find-links",
        "index-url",
        "keyring-provider",
        "no-cache-dir",
        "no-index",
        "proxy",
        "retries",
        "timeout",
        "trusted-host",
        "use-feature",
    }
)
#: The sections of pip's settings that count, each before the next.
_SECTIONS = ("global", "install", ":env:")
_OURS = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


class PipDamaged(Exception):
    """The pip of `.venv` is missing or damaged; its text is what it printed."""


def environment(python: Path) -> dict[str, str]:
    """Return the environment for the pip of `python`.

    Raises:
        PipDamaged: pip can't be run.
        SetupFailed: pip's settings can't be read.
        OSError: `python` can't be run.
    """
    # Not by way of the log, as the address of an index may hold a password.
    done = subprocess.run(
        [str(python), "-I", "-m", "pip", "config", "list"],
        check=False,
        env=without_python_settings() | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        creationflags=NO_WINDOW,
    )
    if done.returncode != 0:
        if "Traceback" in done.stderr or "No module named" in done.stderr:
            raise PipDamaged(done.stderr)
        why = " ".join((done.stdout + done.stderr).split())
        raise SetupFailed(
            f"pip can't read its settings: {why.removeprefix('ERROR:').strip()}\n"
            "Correct them, or name another file in the environment variable PIP_CONFIG_FILE, and start again."
        )
    inherited = {
        name: value for name, value in without_python_settings().items() if not name.startswith("PIP_")
    }
    return inherited | _without_cache_at_home() | _kept(done.stdout) | _OURS


def without_python_settings() -> dict[str, str]:
    """Return the environment without what would change how a Python works, such as PYTHONPATH and PYTHONHOME.

    SSLKEYLOGFILE is left out too: where virus scanners set it to a file that can't be written, pip fails.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTHON") and name != "SSLKEYLOGFILE"
    }


def _without_cache_at_home() -> dict[str, str]:
    """Keep pip from making a folder that is called "~" where the user has no home folder."""
    try:
        Path.home()
    except RuntimeError:
        return {"PIP_NO_CACHE_DIR": "1"}
    return {}


def _kept(listed: str) -> dict[str, str]:
    """Return as environment variables what counts of the output of `pip config list`."""
    found: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.partition(".")
        if section in found and option in _KEPT:
            found[section][f"PIP_{option.upper().replace('-', '_')}"] = str(ast.literal_eval(value))
    return {name: value for section in _SECTIONS for name, value in found[section].items()}
