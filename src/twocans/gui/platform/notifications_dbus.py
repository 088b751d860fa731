"""Notifications of Linux desktops (Desktop Notifications Specification 1.2), whenever their service comes and goes."""

from __future__ import annotations

import asyncio
import contextlib
import html
from collections.abc import Callable
from typing import Final

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus
from msgspec import Struct

NAME: Final = "org.freedesktop.Notifications"
PATH: Final = "/org/freedesktop/Notifications"
MAX_SHOWN: Final = 50
"""How many notifications are remembered so that they can be taken back."""
_BUS: Final = "org.freedesktop.DBus"
_BUS_PATH: Final = "/org/freedesktop/DBus"
_SIGNALS: Final = f"type='signal',sender='{NAME}',path='{PATH}',interface='{NAME}'"
_CLICK: Final = "default"
_NO_CLICKS: Final = frozenset({"Xfce Notify Daemon"})
"""Services that would show a button instead."""
_NORMAL: Final = 1


class ServiceFailed(Exception):
    """The service is not there, or has refused."""


class _Service(Struct, frozen=True):
    """The service that is there now.

    Args:
        owner: its name on the bus, another one after each restart.
        reads_markup: the text is markup, in which a message could bring links and pictures along.
        takes_clicks: a click on a notification is told.
    """

    owner: str
    reads_markup: bool
    takes_clicks: bool


class DBusNotifications:
    """Shows notifications. Lives in the asyncio thread.

    Args:
        app_name: what the desktop calls the program.
        icon: the URI of its icon; "" for none.
        on_click: called with the person whose notification was clicked.
    """

    def __init__(self, app_name: str, icon: str, on_click: Callable[[str], None]) -> None:
        self._app_name, self._icon, self._on_click = app_name, icon, on_click
        self._lock = asyncio.Lock()
        self._bus: MessageBus | None = None
        self._service: _Service | None = None
        self._ids: dict[str, int] = {}
        # Clicks may be told before the answer that has the notification's number.
        self._sending = False
        self._early: set[int] = set()

    async def show(self, peer: str, title: str, body: str) -> None:
        """Show a notification in place of the last one about `peer`.

        Raises:
            Exception: it cannot be shown now; the next one may.
        """
        async with self._lock:
            bus = await self._connected_bus()
            service = await self._present_service(bus)
            await self._close(peer)
            self._sending = True
            try:
                answer = await _call(
                    bus,
                    service.owner,
                    "Notify",
                    "susssasa{sv}i",
                    [
                        self._app_name,
                        0,
                        self._icon,
                        title,
                        html.escape(body, quote=False) if service.reads_markup else body,
                        [_CLICK, ""] if service.takes_clicks else [],
                        {"urgency": Variant("y", _NORMAL)},
                        -1,
                    ],
                )
                self._ids[peer] = int(answer.body[0])
                while len(self._ids) > MAX_SHOWN:
                    self._ids.pop(next(iter(self._ids)))
                if self._ids[peer] in self._early:
                    self._clicked(self._ids[peer])
            finally:
                self._sending = False
                self._early.clear()

    async def withdraw(self, peer: str | None) -> None:
        """Take back the notification about `peer`, if there is one; all of them without one.

        Raises:
            Exception: it cannot be taken back.
        """
        async with self._lock:
            for one in list(self._ids) if peer is None else [peer]:
                await self._close(one)

    def close(self) -> None:
        """Leave the bus; what is shown stays."""
        if self._bus is not None:
            self._bus.disconnect()
            self._bus = None

    # --- inside -------------------------------------------------------------------------------------------

    async def _connected_bus(self) -> MessageBus:
        if self._bus is not None and self._bus.connected:
            return self._bus
        self._bus = self._service = None
        bus = await MessageBus(bus_type=BusType.SESSION).connect()
        try:
            await _ask(bus, Message(_BUS, _BUS_PATH, _BUS, "AddMatch", signature="s", body=[_SIGNALS]))
        except BaseException:
            bus.disconnect()
            raise
        bus.add_message_handler(self._heard)
        self._bus = bus
        return bus

    async def _present_service(self, bus: MessageBus) -> _Service:
        """Look which service there is now; the bus starts one if it can.

        Everything after is said to this one alone: another one may read other texts, and numbers notifications anew.
        """
        capabilities = await _call(bus, NAME, "GetCapabilities")
        owner = capabilities.sender or ""
        if self._service is None or self._service.owner != owner:
            information = await _call(bus, owner, "GetServerInformation")
            self._service = _Service(
                owner=owner,
                reads_markup="body-markup" in capabilities.body[0],
                takes_clicks=information.body[0] not in _NO_CLICKS,
            )
            self._ids.clear()
        return self._service

    async def _close(self, peer: str) -> None:
        number = self._ids.pop(peer, None)
        bus, service = self._bus, self._service
        if number is not None and service is not None and bus is not None and bus.connected:
            # It may be gone already, or its service may be.
            with contextlib.suppress(ServiceFailed):
                await _call(bus, service.owner, "CloseNotification", "u", [number])

    def _heard(self, message: Message) -> None:
        if message.message_type is not MessageType.SIGNAL:
            return
        if self._service is None or message.sender != self._service.owner or message.interface != NAME:
            return
        if message.member == "ActionInvoked" and message.body[1] == _CLICK:
            self._clicked(message.body[0])
        elif message.member == "NotificationClosed":
            self._ids = {peer: number for peer, number in self._ids.items() if number != message.body[0]}

    def _clicked(self, number: int) -> None:
        peer = next((peer for peer, shown in self._ids.items() if shown == number), None)
        if peer is not None:
            del self._ids[peer]
            self._on_click(peer)
        elif self._sending:
            self._early.add(number)


async def _call(
    bus: MessageBus, destination: str, member: str, signature: str = "", body: list[object] | None = None
) -> Message:
    return await _ask(bus, Message(destination, PATH, NAME, member, signature=signature, body=body or []))


async def _ask(bus: MessageBus, message: Message) -> Message:
    answer = await bus.call(message)
    if answer.message_type is MessageType.ERROR:
        raise ServiceFailed(answer.error_name)
    return answer
