"""Native notifications. A desktop without a service for them is no error: one line in the log, then silence."""

from __future__ import annotations

import asyncio
import html
import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from desktop_notifier import DesktopNotifier

_SERVICE_S: Final = 5.0
MAX_SHOWN: Final = 50
"""How many notifications are remembered so that they can be taken back."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Notifier:
    """Shows notifications. Lives in the asyncio thread.

    Args:
        on_click: called with the person whose notification was clicked.
    """

    def __init__(self, on_click: Callable[[str], None]) -> None:
        self._on_click = on_click
        self._service: DesktopNotifier | None = None
        self._absent = False
        self._reads_markup: bool | None = None
        self._shown: dict[str, str] = {}

    async def show(self, peer: str, title: str, body: str) -> None:
        """Show a notification in place of the last one about `peer`."""
        service = self._get()
        if service is None:
            return
        await self.withdraw(peer)
        try:
            async with asyncio.timeout(_SERVICE_S):
                if self._reads_markup is None:
                    self._reads_markup = await _reads_markup()
                if self._reads_markup:
                    body = html.escape(body, quote=False)
                identifier = await service.send(
                    title, body, on_clicked=lambda: self._on_click(peer), thread="twocans"
                )
        except Exception as error:  # noqa: BLE001  every desktop's own library raises its own kind
            self._give_up(error)
            return
        self._shown[peer] = identifier
        while len(self._shown) > MAX_SHOWN:
            self._shown.pop(next(iter(self._shown)))

    async def withdraw(self, peer: str | None) -> None:
        """Take back the notification about `peer`, all of them without one."""
        peers = list(self._shown) if peer is None else [peer]
        for one in peers:
            identifier = self._shown.pop(one, None)
            if identifier is None or self._service is None:
                continue
            try:
                async with asyncio.timeout(_SERVICE_S):
                    await self._service.clear(identifier)
            except Exception as error:  # noqa: BLE001  as above
                self._give_up(error)

    def _get(self) -> DesktopNotifier | None:
        if self._absent or self._service is not None:
            return self._service
        try:
            from desktop_notifier import DesktopNotifier

            # It logs its own tracebacks; here a line of ours is enough.
            logging.getLogger("desktop_notifier").setLevel(logging.CRITICAL)
            self._service = DesktopNotifier(app_name="Twocans")
        except Exception as error:  # noqa: BLE001  as above
            self._give_up(error)
        return self._service

    def _give_up(self, error: Exception) -> None:
        self._service, self._absent = None, True
        self._shown.clear()
        log.warning("notifications_unavailable", reason=f"{type(error).__name__}: {error}")


async def _reads_markup() -> bool:
    """Whether the desktop takes the text for markup, in which a message could bring links and pictures along.

    It says so itself (Desktop Notifications Specification, GetCapabilities); others show the signs that would escape it.
    """
    if sys.platform != "linux":
        return False
    from dbus_fast import BusType, Message
    from dbus_fast.aio import MessageBus

    bus = await MessageBus(bus_type=BusType.SESSION).connect()
    try:
        answer = await bus.call(
            Message(
                destination="org.freedesktop.Notifications",
                path="/org/freedesktop/Notifications",
                interface="org.freedesktop.Notifications",
                member="GetCapabilities",
            )
        )
    finally:
        bus.disconnect()
    return bool(answer.body) and "body-markup" in answer.body[0]
