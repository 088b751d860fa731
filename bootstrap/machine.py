"""What the tests need from the system besides Python: installed on Debian as root, named anywhere else."""

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from bootstrap import environment
from bootstrap.remedies import SetupFailed, System, this_system


class Tool(NamedTuple):
    """A program, font or C header that tests use: how to see that it is there, and Debian's package that has it."""

    package: str
    command: str = ""
    font: str = ""
    header: str = ""


TOOLS = (
    Tool("xvfb", command="Xvfb"),
    Tool("openbox", command="openbox"),
    Tool("xdotool", command="xdotool"),
    Tool("xclip", command="xclip"),
    Tool("trayer", command="trayer"),
    Tool("netcat-openbsd", command="nc"),
    Tool("fontconfig", command="fc-list"),
    Tool("strace", command="strace"),
    Tool("iproute2", command="ip"),
    Tool("nftables", command="nft"),
    Tool("gcc", command="cc"),
    Tool("libc6-dev", header="stdlib.h"),
    Tool("fonts-noto-color-emoji", font="Noto Color Emoji"),
    Tool("fonts-noto-cjk", font="Noto Sans CJK"),
    Tool("fonts-dejavu-core", font="DejaVu Sans"),
    Tool("fonts-noto-core", font="Noto Sans"),
)

_HEADERS = Path("/usr/include")

# The same, as other systems call them.
_COMMANDS = {
    System.FEDORA: "sudo dnf install xorg-x11-server-Xvfb openbox xdotool xclip trayer netcat fontconfig strace iproute nftables gcc glibc-devel"
    " google-noto-color-emoji-fonts google-noto-sans-cjk-fonts dejavu-sans-fonts google-noto-sans-fonts",
    System.ARCH: "sudo pacman -S xorg-server-xvfb openbox xdotool xclip trayer openbsd-netcat fontconfig strace iproute2 nftables gcc"
    " noto-fonts-emoji noto-fonts-cjk ttf-dejavu noto-fonts",
    System.SUSE: "sudo zypper install xorg-x11-server-Xvfb openbox xdotool xclip trayer netcat-openbsd fontconfig strace iproute2 nftables gcc glibc-devel"
    " google-noto-coloremoji-fonts google-noto-sans-cjk-fonts dejavu-fonts google-noto-sans-fonts",
    System.ALPINE: "sudo apk add xvfb openbox xdotool xclip trayer netcat-openbsd fontconfig strace iproute2 nftables gcc musl-dev"
    " font-noto-emoji font-noto-cjk font-dejavu font-noto",
}


def prepare(log: Path) -> None:
    """See to it that everything in `TOOLS`, tkinter, venv and IDLE are there; tells in one line when that takes time.

    Raises:
        SetupFailed: something is missing that this program can't install; names the command that does.
    """
    system = this_system()
    missing = _missing()
    if system is System.DEBIAN and environment.runs_systems_python():
        missing += [] if environment.has_tkinter() else ["python3-tk"]
        missing += [] if environment.can_import("ensurepip") else ["python3-venv"]
        missing += [] if environment.can_import("idlelib") else ["idle"]
    if missing and system is System.DEBIAN and os.geteuid() == 0:
        print(f"Installing what the tests need: {' '.join(missing)}", file=sys.stderr, flush=True)
        _install(missing, log)
        # Folders that were seen without the new modules are looked into again.
        importlib.invalidate_caches()
        missing = _missing()
    if missing:
        raise SetupFailed(f"The tests need {', '.join(missing)}.\n{_advice(system, missing)}")
    environment.require_tkinter()


def _missing() -> list[str]:
    fonts = _fonts()
    return [
        tool.package
        for tool in TOOLS
        if (tool.command and shutil.which(tool.command) is None)
        or (tool.font and tool.font not in fonts)
        or (tool.header and not (_HEADERS / tool.header).exists())
    ]


def _fonts() -> str:
    if shutil.which("fc-list") is None:
        return ""
    return subprocess.check_output(["fc-list", ":", "family"], stdin=subprocess.DEVNULL, encoding="utf-8")


def _advice(system: System, missing: list[str]) -> str:
    if system is System.DEBIAN:
        return f"Install them: sudo apt-get install {' '.join(missing)}"
    if system in _COMMANDS:
        return f"Install them: {_COMMANDS[system]}"
    return "Those are the names of Debian's packages. The tests of the window run on Linux only."


def _install(packages: list[str], log: Path) -> None:
    apt = ["apt-get", "-y", "-o", "DPkg::Lock::Timeout=600"]
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with log.open("ab") as output:
        for command in (["update"], ["install", "--no-install-recommends", *packages]):
            code = subprocess.call(
                [*apt, *command], stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=quiet
            )
            # A source that can't be read fails the update, and need not be the one that has the packages.
            if code != 0 and command != ["update"]:
                raise SetupFailed(
                    f"apt-get could not install {' '.join(packages)}.\nWhat it said is in {log}"
                )
