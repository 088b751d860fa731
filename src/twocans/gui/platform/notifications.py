"""Native notifications. A desktop without a service for them is no error: one line in the log until there is one."""

from __future__ import annotations

import asyncio
import io
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from twocans.common.atomic_file import data_folder, read_file, write_file
from twocans.gui.theme.shapes import sign

if TYPE_CHECKING:
    from desktop_notifier import DesktopNotifier

APP_NAME: Final = "Twocans"
ICON_FILE: Final = "icon.png"
"""In the data folder: notification services read it from there."""
MAX_SHOWN: Final = 50
"""How many notifications are remembered so that they can be taken back."""
_ICON_PIXELS: Final = 128
_SERVICE_S: Final = 5.0

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Notifications(Protocol):
    """The notifications of one system."""

    async def show(self, peer: str, title: str, body: str) -> None:
        """Show a notification in place of the last one about `peer`.

        Raises:
            Exception: it cannot be shown now; every desktop's own library raises its own kind.
        """
        ...

    async def withdraw(self, peer: str | None) -> None:
        """Take back the notification about `peer`, if there is one; all of them without one.

        Raises:
            Exception: as above.
        """
        ...

    def close(self) -> None:
        """Let go of the system's service."""
        ...


class Notifier:
    """Shows notifications. Lives in the asyncio thread. What fails is tried again with the next notification.

    Args:
        on_click: called with the person whose notification was clicked.
    """

    def __init__(self, on_click: Callable[[str], None]) -> None:
        self._on_click = on_click
        self._notifications: Notifications | None = None
        self._failed = False

    async def show(self, peer: str, title: str, body: str) -> None:
        """Show a notification in place of the last one about `peer`."""
        try:
            async with asyncio.timeout(_SERVICE_S):
                if self._notifications is None:
                    self._notifications = _notifications(icon_file(), self._on_click)
                await self._notifications.show(peer, title, body)
        except Exception as error:  # noqa: BLE001  every desktop's own library raises its own kind
            self._tell(error)
        else:
            self._failed = False

    async def withdraw(self, peer: str | None) -> None:
        """Take back the notification about `peer`, all of them without one."""
        if self._notifications is not None:
            try:
                async with asyncio.timeout(_SERVICE_S):
                    await self._notifications.withdraw(peer)
            except Exception as error:  # noqa: BLE001  as above
                self._tell(error)

    def close(self) -> None:
        """Let go of the system's service."""
        if self._notifications is not None:
            self._notifications.close()
            self._notifications = None

    def _tell(self, error: Exception) -> None:
        if not self._failed:
            self._failed = True
            log.warning("notifications_unavailable", reason=f"{type(error).__name__}: {error}")


class LibraryNotifications:
    """Notifications of Windows and macOS, by desktop-notifier.

    Args:
        icon: the file of the program's icon; None for none.
        on_click: called with the person whose notification was clicked.
    """

    def __init__(self, icon: Path | None, on_click: Callable[[str], None]) -> None:
        from desktop_notifier import DesktopNotifier, Icon

        # It logs its own tracebacks; here a line of ours is enough.
        logging.getLogger("desktop_notifier").setLevel(logging.CRITICAL)
        self._on_click = on_click
        self._service: DesktopNotifier = DesktopNotifier(
            app_name=APP_NAME, app_icon=None if icon is None else Icon(path=icon)
        )
        self._shown: dict[str, str] = {}

    async def show(self, peer: str, title: str, body: str) -> None:
        """Show a notification in place of the last one about `peer`.

        Raises:
            RuntimeError: the system has not taken it.
        """
        await self.withdraw(peer)
        taken: list[bool] = []
        identifier = await self._service.send(
            title,
            body,
            on_clicked=lambda: self._on_click(peer),
            on_dispatched=lambda: taken.append(True),
            thread=APP_NAME,
        )
        if not taken:
            raise RuntimeError("the system has not taken the notification")
        self._shown[peer] = identifier
        while len(self._shown) > MAX_SHOWN:
            self._shown.pop(next(iter(self._shown)))

    async def withdraw(self, peer: str | None) -> None:
        """Take back the notification about `peer`, if there is one; all of them without one."""
        for one in list(self._shown) if peer is None else [peer]:
            identifier = self._shown.pop(one, None)
            if identifier is not None:
                await self._service.clear(identifier)

    def close(self) -> None:
        """Nothing is held."""


def icon_file() -> Path | None:
    """Write the program's icon where notification services find it; None if that is not possible."""
    path = data_folder() / ICON_FILE
    drawn = io.BytesIO()
    sign(_ICON_PIXELS).save(drawn, format="PNG")
    try:
        if read_file(path, len(drawn.getvalue()) + 1) != drawn.getvalue():
            write_file(path, drawn.getvalue())
    except OSError as error:
        log.warning("icon_unwritten", reason=str(error))
        return None
    return path


def _notifications(icon: Path | None, on_click: Callable[[str], None]) -> Notifications:
    if sys.platform == "linux":
        from twocans.gui.platform.notifications_dbus import DBusNotifications

        return DBusNotifications(APP_NAME, "" if icon is None else icon.absolute().as_uri(), on_click)
    return LibraryNotifications(icon, on_click)
