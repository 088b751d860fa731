"""What the tests need from the system is installed where that can be done, and named where it can't."""

import os
from pathlib import Path

import pytest

from bootstrap import environment, machine
from bootstrap.remedies import SetupFailed, System

APT_GET = """#!/bin/sh
echo "$DEBIAN_FRONTEND" "$@" >> "$APT_LOG"
case " $* " in *" install "*) ;; *) exit 100 ;; esac
[ -z "$APT_FAILS" ] || exit 100
for tool in Xvfb openbox xdotool xclip trayer nc fc-list cc strace ip nft; do
    printf '#!/bin/sh\\necho "Noto Color Emoji,Noto Sans CJK JP,DejaVu Sans,Noto Sans"\\n' > "$TOOLS/$tool"
    /bin/chmod 755 "$TOOLS/$tool"
done
: > "$HEADERS/stdlib.h"
"""


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with no tool but apt-get, which installs all; returns the file where that notes its calls."""
    tools, headers, calls = tmp_path / "tools", tmp_path / "headers", tmp_path / "calls"
    tools.mkdir()
    headers.mkdir()
    (tools / "apt-get").write_text(APT_GET, encoding="utf-8")
    (tools / "apt-get").chmod(0o755)
    for name, value in {"PATH": tools, "TOOLS": tools, "HEADERS": headers, "APT_LOG": calls}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(machine, "_HEADERS", headers)
    monkeypatch.setattr(machine, "this_system", lambda: System.DEBIAN)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(environment, "has_tkinter", lambda **_: True)
    monkeypatch.setattr(environment, "can_import", lambda _: True)
    return calls


def test_on_debian_root_gets_what_is_missing_installed(
    bare: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.prepare(tmp_path / "log")
    update, install = bare.read_text(encoding="utf-8").splitlines()
    assert update.startswith("noninteractive")
    assert update.endswith("update")
    assert install.endswith(" ".join(tool.package for tool in machine.TOOLS))
    assert capsys.readouterr().err.count("\n") == 1

    machine.prepare(tmp_path / "log")  # nothing is missing any more
    assert len(bare.read_text(encoding="utf-8").splitlines()) == 2
    assert capsys.readouterr().err == ""


def test_on_debian_tkinter_is_installed_for_the_systems_python(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "runs_systems_python", lambda: True)
    monkeypatch.setattr(environment, "has_tkinter", lambda **_: bare.exists())
    machine.prepare(tmp_path / "log")
    assert "python3-tk" in bare.read_text(encoding="utf-8")


def test_installation_that_fails_is_told(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APT_FAILS", "1")
    with pytest.raises(SetupFailed, match="apt-get could not install xvfb"):
        machine.prepare(tmp_path / "log")


@pytest.mark.parametrize(
    ("system", "named"),
    [
        (System.DEBIAN, "sudo apt-get install xvfb openbox"),
        (System.FEDORA, "sudo dnf install xorg-x11-server-Xvfb"),
        (System.ARCH, "sudo pacman -S xorg-server-xvfb"),
        (System.SUSE, "sudo zypper install"),
        (System.ALPINE, "sudo apk add xvfb"),
        (System.WINDOWS, "on Linux only"),
    ],
)
def test_elsewhere_the_command_is_named(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: System, named: str
) -> None:
    monkeypatch.setattr(machine, "this_system", lambda: system)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SetupFailed, match=named):
        machine.prepare(tmp_path / "log")
    assert not bare.exists()


def test_machine_without_tkinter_is_refused(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "runs_systems_python", lambda: False)
    monkeypatch.setattr(environment, "has_tkinter", lambda **_: False)
    with pytest.raises(SetupFailed, match="needs tkinter"):
        machine.prepare(tmp_path / "log")
