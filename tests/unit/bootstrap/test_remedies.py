"""What stops a set-up becomes a sentence that names the remedy for the system at hand."""

import errno
import os
from pathlib import Path

import pytest

from bootstrap import remedies


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ("OSError: [Errno 28] No space left on device", ["no space left", "Make room"]),
        ("ERROR: Could not install: [Errno 13] Permission denied: '/x'", ["can't write", "Move or copy"]),
        ("SSLError(SSLCertVerificationError(1, 'CERTIFICATE_VERIFY_FAILED'))", ["certificate", "PIP_CERT"]),
        (
            "connection broken by 'NewConnectionError()'\nERROR: No matching",
            ["internet once", "PIP_INDEX_URL"],
        ),
        (
            "ERROR: one\nERROR: No matching distribution found for x>=9\n",
            ["No matching distribution found for x>=9"],
        ),
        ("", ["pip ended with an error"]),
    ],
)
def test_what_pip_said_becomes_a_sentence_that_says_what_to_do(said: str, parts: list[str]) -> None:
    sentence = remedies.pip_failed(said, Path("/programs"), Path("/programs/.venv/setup.log"))
    for part in [*parts, "/programs/.venv/setup.log"]:
        assert part in sentence


def test_full_disk_is_told() -> None:
    sentence = remedies.file_failed(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), Path("/programs"))
    assert "no space left" in sentence


@pytest.mark.parametrize(
    ("platform", "ids", "tkinter", "venv"),
    [
        ("linux", ["debian"], "sudo apt install python3-tk", "sudo apt install python3-venv"),
        (
            "linux",
            ["linuxmint", "ubuntu", "debian"],
            "sudo apt install python3-tk",
            "sudo apt install python3-venv",
        ),
        ("linux", ["fedora"], "sudo dnf install python3-tkinter", "sudo dnf install"),
        ("linux", ["arch"], "sudo pacman -S tk", "sudo pacman -S python"),
        (
            "linux",
            ["opensuse-leap", "suse"],
            "sudo zypper install python312-tk",
            "sudo zypper install python312",
        ),
        ("linux", ["alpine"], "sudo apk add python3-tkinter", "sudo apk add python3"),
        ("linux", ["slackware"], "your system's package manager", "www.python.org"),
        ("darwin", [], "brew install python-tk@3.12", "brew install python"),
        ("win32", [], "tcl/tk", "www.python.org"),
    ],
)
def test_remedy_is_the_one_for_the_system_at_hand(
    platform: str, ids: list[str], tkinter: str, venv: str
) -> None:
    system = remedies.system_of(platform, ids)
    assert tkinter in remedies.tkinter_missing(system, version="3.12", from_system=True)
    assert venv in remedies.venv_missing(system, version="3.12", from_system=True)


def test_python_that_is_not_the_systems_is_not_sent_after_the_systems_packages() -> None:
    system = remedies.System.DEBIAN
    assert "/usr/bin/python3 client_gui.py" in remedies.tkinter_missing(
        system, version="3.12", from_system=False
    )
    assert "python3.12-venv" in remedies.venv_missing(system, version="3.12", from_system=False)
