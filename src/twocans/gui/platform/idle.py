"""How long nobody has touched the computer's keyboard and mouse. Never fails; what is unknown is None."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from Xlib.display import Display

_ANSWER_S: Final = 2.0
_MUTTER: Final = "org.gnome.Mutter.IdleMonitor"
_MUTTER_PATH: Final = "/org/gnome/Mutter/IdleMonitor/Core"
_HID_IDLE: Final = re.compile(r'"HIDIdleTime"\s*=\s*(\d+)')


class IdleTime:
    """Asks the system. Lives in the asyncio thread."""

    def __init__(self) -> None:
        self._display: Display | None = None
        self._absent = False
        self._asking = asyncio.Lock()

    async def seconds(self) -> float | None:
        """Since when there has been no input, whatever program it was for; None if the system does not say."""
        if sys.platform == "win32":
            return _windows()
        if sys.platform == "darwin":
            return await asyncio.to_thread(_macos)
        if os.environ.get("XDG_SESSION_TYPE") == "wayland":
            # The display that Tk is on hears of no input but its own there.
            return await _mutter()
        async with self._asking:  # one display, and one thread at a time
            return await asyncio.to_thread(self._x11)

    def close(self) -> None:
        """Ask no more."""
        if self._display is not None:
            self._display.close()
            self._display = None

    def _x11(self) -> float | None:
        """MIT-SCREEN-SAVER, which nearly every display has."""
        if self._absent:
            return None
        from Xlib.display import Display
        from Xlib.error import ConnectionClosedError, DisplayError, XError
        from Xlib.ext import screensaver

        try:
            if self._display is None:
                self._display = Display()
                if not self._display.has_extension(screensaver.extname):
                    self._absent = True
                    return None
            info = screensaver.query_info(self._display.screen().root)
        except (ConnectionClosedError, DisplayError, XError, OSError):
            self._absent = True
            return None
        return float(info.idle) / 1000


async def _mutter() -> float | None:
    """What GNOME says."""
    from dbus_fast import BusType, Message, MessageType
    from dbus_fast.aio import MessageBus
    from dbus_fast.errors import DBusError, InvalidAddressError

    try:
        async with asyncio.timeout(_ANSWER_S):
            bus = await MessageBus(bus_type=BusType.SESSION).connect()
            try:
                answer = await bus.call(
                    Message(destination=_MUTTER, path=_MUTTER_PATH, interface=_MUTTER, member="GetIdletime")
                )
            finally:
                bus.disconnect()
    except (OSError, EOFError, TimeoutError, DBusError, InvalidAddressError):
        return None
    if answer.message_type is not MessageType.METHOD_RETURN or answer.signature != "t":
        return None
    return float(answer.body[0]) / 1000


def _macos() -> float | None:
    found = shutil.which("ioreg", path="/usr/sbin")
    if found is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603  no shell, and nothing in it comes from outside
            [found, "-c", "IOHIDSystem", "-d", "4"],
            capture_output=True,
            timeout=_ANSWER_S,
            check=False,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    said = _HID_IDLE.search(done.stdout)
    return int(said[1]) / 1_000_000_000 if said is not None else None


def _windows() -> float | None:
    if sys.platform != "win32":
        return None
    import ctypes

    class LastInput(ctypes.Structure):
        _fields_ = (("size", ctypes.c_uint), ("tick_ms", ctypes.c_uint))

    last = LastInput(ctypes.sizeof(LastInput), 0)
    if not ctypes.windll.user32.GetLastInputInfo(ctypes.byref(last)):
        return None
    # Both count milliseconds since the start, and begin again at 2^32.
    return ((ctypes.windll.kernel32.GetTickCount() - last.tick_ms) & 0xFFFF_FFFF) / 1000
