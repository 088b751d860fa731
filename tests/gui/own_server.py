"""A server that a window of the test has started, as a process of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil
import pytest
import zxingcpp

from tests.gui.harness import Person, screenshot
from tests.support.process import START_S
from twocans.protocol.local_control import RUNNING_FILE, Running, decode_running

START: Final = "Start a server on this computer"


def own_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of this user's server, which ends afterwards."""
    for name, value in (("PORT", "0"), ("HOST", "127.0.0.1"), ("ANNOUNCE", "false")):
        monkeypatch.setenv(f"TWOCANS_{name}", value)
    data = Path(os.environ["TWOCANS_DATA"])
    yield data
    if (data / RUNNING_FILE).exists():
        number = read(data).pid
        if psutil.pid_exists(number):
            process = psutil.Process(number)
            process.kill()
            process.wait(START_S)


def read(folder: Path) -> Running:
    return decode_running((folder / RUNNING_FILE).read_bytes())


def hosts(person: Person) -> Person:
    """Somebody starts a server with a click, and is connected to it."""
    person.vm.form.set_user("alice")
    person.window.refresh()
    person.click_on(START)
    person.wait(lambda: person.title == "Twocans – alice")
    person.wait(lambda: person.vm.hosting.server is not None and person.vm.hosting.server.online == 1)
    return person


def shows_its_server(person: Person) -> None:
    person.key("ctrl+h")
    person.await_dialog("Your server is running")


def scanned() -> list[str]:
    """What a camera in front of the screen reads."""
    return [found.text for found in zxingcpp.read_barcodes(screenshot().convert("L"))]
