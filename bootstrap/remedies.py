"""The sentences for what stops a set-up: what is wrong, and what to do about it on the system at hand."""

import errno
import platform
import re
import sys
from enum import Enum
from pathlib import Path


class SetupFailed(Exception):
    """Twocans can't be started. Its text is for the user: what is wrong and what to do."""


class System(Enum):
    """Systems that have a command of their own for installing a missing part of Python."""

    DEBIAN = "debian"
    FEDORA = "fedora"
    ARCH = "arch"
    SUSE = "suse"
    ALPINE = "alpine"
    MACOS = "macos"
    WINDOWS = "windows"
    OTHER = "other"


# As /etc/os-release names them in ID and ID_LIKE.
_BY_RELEASE_ID = {
    "debian": System.DEBIAN,
    "ubuntu": System.DEBIAN,
    "fedora": System.FEDORA,
    "rhel": System.FEDORA,
    "arch": System.ARCH,
    "suse": System.SUSE,
    "opensuse": System.SUSE,
    "alpine": System.ALPINE,
}


def system_of(platform_name: str, release_ids: list[str]) -> System:
    """Name the system by `sys.platform` and, on Linux, the ids in its os-release file, its own first."""
    if platform_name == "win32":
        return System.WINDOWS
    if platform_name == "darwin":
        return System.MACOS
    for release_id in release_ids:
        # openSUSE calls itself opensuse-leap, opensuse-tumbleweed and so on.
        found = _BY_RELEASE_ID.get(release_id.partition("-")[0])
        if found is not None:
            return found
    return System.OTHER


def this_system() -> System:
    """Name the system that this program runs on."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return system_of(sys.platform, [])
    return system_of(sys.platform, [release.get("ID", ""), *release.get("ID_LIKE", "").split()])


def tkinter_missing(system: System, *, version: str, from_system: bool) -> str:
    """Say how to get tkinter.

    Args:
        system: where this runs.
        version: of the Python that lacks it, as in "3.12".
        from_system: whether that Python came with the system. The system's packages add nothing to another one.
    """
    what = f"The Twocans window needs tkinter, which this Python {version} does not have."
    packages = {
        System.DEBIAN: "sudo apt install python3-tk",
        System.FEDORA: "sudo dnf install python3-tkinter",
        System.ARCH: "sudo pacman -S tk",
        System.SUSE: f"sudo zypper install python{version.replace('.', '')}-tk",
        System.ALPINE: "sudo apk add python3-tkinter",
    }
    if system is System.WINDOWS:
        return (
            f"{what}\nStart the Python installer again, choose Modify, tick 'tcl/tk and IDLE', and start the "
            "window again."
        )
    if system is System.MACOS:
        return (
            f"{what}\nIf it came from Homebrew: brew install python-tk@{version}\nIf not, install Python from "
            "www.python.org, which includes it."
        )
    if system is System.OTHER:
        return f"{what}\nInstall it with your system's package manager, and start the window again."
    if not from_system:
        return (
            f"{what}\nThe system's own Python can have it: {packages[system]}\n"
            "Then start the window with /usr/bin/python3 client_gui.py"
        )
    return f"{what}\nInstall it, and start the window again: {packages[system]}"


def venv_missing(system: System, *, version: str, from_system: bool) -> str:
    """Say how to get the parts of Python that make a `.venv`; the arguments are those of `tkinter_missing`."""
    what = "Twocans keeps its packages in a folder .venv, and this Python lacks the parts that make one (venv, ensurepip)."
    command = {
        System.DEBIAN: f"sudo apt install python{'3' if from_system else version}-venv",
        System.FEDORA: "sudo dnf install python3-libs python3-pip",
        System.ARCH: "sudo pacman -S python",
        System.SUSE: f"sudo zypper install python{version.replace('.', '')}",
        System.ALPINE: "sudo apk add python3 py3-pip",
        System.MACOS: "brew install python",
    }.get(system)
    if command is None:
        return (
            f"{what}\nInstall Python from www.python.org with all its parts, and start Twocans again with it."
        )
    return f"{what}\nInstall them, and start Twocans again: {command}"


_DISK_FULL = re.compile(
    r"No space left on device|Errno 28\b|Disk quota exceeded|not enough space on the disk", re.I
)
_FORBIDDEN = re.compile(r"Permission ?denied|PermissionError|Access is denied|Read-only file system", re.I)
_CERTIFICATE = re.compile(r"CERTIFICATE_VERIFY_FAILED|SSLError|SSLCertVerificationError", re.I)
_OFFLINE = re.compile(
    r"connection broken by|Failed to establish|Max retries exceeded|ConnectionError|ConnectTimeout|ReadTimeout"
    r"|timed out|ProxyError|from versions: none|name resolution|getaddrinfo failed|Network is unreachable",
    re.I,
)


def disk_full(folder: Path) -> str:
    """Say that the disk is full which `folder` is on."""
    return f"There is no space left on the disk for Twocans' packages in {folder}.\nMake room (about 300 MB) and start again."


def not_writable(folder: Path) -> str:
    """Say that `folder` can't be written to."""
    return (
        f"Twocans keeps its packages in a folder .venv beside its programs, and can't write in {folder}.\n"
        "Move or copy the whole Twocans folder to a place of your own, such as your home folder, and start it there."
    )


def file_failed(error: OSError, folder: Path) -> str:
    """Say why a file in `folder` could not be written or read."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(folder)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return not_writable(folder)
    return f"Twocans could not be set up in {folder}: {error}"


def pip_failed(output: str, folder: Path, log: Path) -> str:
    """Say why pip could not install the packages.

    Args:
        output: the end of what pip printed.
        folder: where the programs are.
        log: the file that has all of pip's output.
    """
    details = f"\nWhat pip said is in {log}"
    if _DISK_FULL.search(output):
        return disk_full(folder) + details
    if _CERTIFICATE.search(output):
        return (
            "Twocans' packages could not be fetched: the package server's certificate is not trusted here.\n"
            "Behind a company's proxy, name its certificate file in the environment variable PIP_CERT and start again."
            + details
        )
    if _OFFLINE.search(output):
        return (
            "Twocans' packages could not be fetched. The first start needs the internet once; later ones do not.\n"
            "Connect and start again, or set PIP_INDEX_URL to a package mirror that you can reach. Without any network:\n"
            "on a like machine that has it run `python -m bootstrap download` in the Twocans folder, and copy the folder\n"
            f"wheels that this makes to {folder}" + details
        )
    if _FORBIDDEN.search(output):
        return not_writable(folder) + details
    errors = [line for line in output.splitlines() if line.startswith("ERROR:")]
    why = errors[-1].removeprefix("ERROR:").strip() if errors else "pip ended with an error"
    return f"Twocans' packages could not be installed: {why}{details}"


def packages_incomplete(problems: list[str], log: Path) -> str:
    """Say that pip reported success and packages are missing all the same.

    Args:
        problems: one sentence about each package.
        log: the file that has all of pip's output.
    """
    shown = "; ".join(problems[:3]) + ("; …" if len(problems) > 3 else "")
    return (
        f"Twocans' packages are not complete after their installation: {shown}\n"
        "If a virus scanner removes files, make an exception for the Twocans folder, and start again.\n"
        f"What pip said is in {log}"
    )
