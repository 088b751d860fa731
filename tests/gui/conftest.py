"""A display for the tests of the window; without Xvfb and its company they fail, they are not skipped."""

from __future__ import annotations

import gc
import os
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.gui.harness import Display, set_environment
from tests.support.process import ServerProcess


@pytest.fixture(scope="session")
def _session_display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    display = Display(tmp_path_factory.mktemp("display") / "openbox.log")
    yield display.name
    display.close()


@pytest.fixture(scope="session", autouse=True)
def display(_session_display: str) -> Iterator[None]:
    before = os.environ.get("DISPLAY")
    os.environ["DISPLAY"] = _session_display
    yield
    if before is None:
        del os.environ["DISPLAY"]
    else:
        os.environ["DISPLAY"] = before


@pytest.fixture(scope="session")
def _further_displays(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[int, int], Display]]:
    """They stay to the end: Tk ends the program when a display goes that it has ever been on."""
    displays: dict[tuple[int, int], Display] = {}
    yield displays
    for one in displays.values():
        one.close()


@pytest.fixture
def screen_of(
    _further_displays: dict[tuple[int, int], Display], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int, int], None]:
    """Puts the windows to come on a screen of another size."""

    def choose(width: int, height: int) -> None:
        size = (width, height)
        if size not in _further_displays:
            _further_displays[size] = Display(tmp_path / "openbox.log", size=size)
        monkeypatch.setenv("DISPLAY", _further_displays[size].name)

    return choose


@pytest.fixture(scope="session", autouse=True)
def _modules_are_not_looked_at_for_garbage() -> None:
    """It took a tenth of a second for each test."""
    gc.freeze()


@pytest.fixture(autouse=True)
def _windows_go_in_their_own_thread() -> None:
    """Tk ends the program when another thread, here the client's, is the one to collect what is left of a window."""
    gc.collect()


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the settings of whoever runs it, reaches their desktop, or depends on its look."""
    set_environment(tmp_path / "client", monkeypatch.setenv)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/no-bus")
    monkeypatch.setenv("TZ", "UTC")
    # It looks for browsers once in a process, and a test before may have named its own.
    monkeypatch.setattr(webbrowser, "_tryorder", None)
    for variable in ("GDK_SCALE", "QT_SCALE_FACTOR"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def server() -> Iterator[ServerProcess]:
    with ServerProcess(forked=True) as running:
        yield running
