"""The desktop's own file dialog: the FileChooser portal of XDG, over D-Bus. In the asyncio thread.

https://flatpak.github.io/xdg-desktop-portal/docs/doc-org.freedesktop.portal.FileChooser.html
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from twocans.gui.platform.paste import paths_of
from twocans.gui.viewmodel.effects import ChooseFiles

if TYPE_CHECKING:
    from dbus_fast import Message
    from dbus_fast.aio import MessageBus

ANSWER_S: Final = 5.0
"""How long the portal may take to take a request; the dialog itself may stay as long as it likes."""
_CLOSE_S: Final = 0.5
_PORTAL: Final = "org.freedesktop.portal.Desktop"
_PATH: Final = "/org/freedesktop/portal/desktop"
_REQUEST: Final = "org.freedesktop.portal.Request"
_CHOOSER: Final = "org.freedesktop.portal.FileChooser"
_DBUS: Final = "org.freedesktop.DBus"
_CHOSEN, _CANCELLED = 0, 1

log: structlog.stdlib.BoundLogger = structlog.get_logger()


async def choose_files(asked: ChooseFiles) -> tuple[str, ...] | None:
    """Show the dialog, and wait until it is closed; a task that is cancelled takes it away.

    Returns:
        The paths of what was chosen, none if the user gave it up. None if there is no portal, it does not answer, it
        fails, or it ends while the dialog is open.

    Raises:
        NotOnThisComputer: not all that was chosen is a file of this computer.
    """
    from dbus_fast import BusType
    from dbus_fast.aio import MessageBus
    from dbus_fast.errors import AuthError, DBusError, InvalidAddressError

    bus = None
    try:
        async with asyncio.timeout(ANSWER_S):
            folder = await asyncio.to_thread(_usable, asked.folder)
            bus = await MessageBus(bus_type=BusType.SESSION).connect()
        asked = replace(asked, folder=folder)
        return await _Dialog(bus).run(asked)
    except (OSError, EOFError, TimeoutError, AuthError, DBusError, InvalidAddressError, _Unusable) as error:
        log.info("file_portal_unavailable", reason=f"{type(error).__name__}: {error}")
        return None
    finally:
        if bus is not None:
            bus.disconnect()


class NotOnThisComputer(Exception):
    """Something was chosen that has no path, e.g. on a phone or in a recycle bin."""


class _Unusable(Exception):
    """The portal does not do what it should."""


class _Dialog:
    """One request to the portal.

    Args:
        bus: a connection for this request alone: when it ends, the portal takes the dialog away.
    """

    def __init__(self, bus: MessageBus) -> None:
        self._bus = bus
        self._token = f"twocans{secrets.token_hex(8)}"
        sender = (bus.unique_name or "").lstrip(":").replace(".", "_")
        self._handle = f"{_PATH}/request/{sender}/{self._token}"
        self._owner: str | None = None
        self._ended = asyncio.Event()
        self._response: list[object] | None = None

    async def run(self, asked: ChooseFiles) -> tuple[str, ...] | None:
        """Show the dialog and return what `choose_files` does."""
        self._bus.add_message_handler(self._hear)
        async with asyncio.timeout(ANSWER_S):
            # Before the request, as the response may come before its answer.
            await self._match(f"interface='{_REQUEST}',member='Response',path='{self._handle}'")
            await self._match(f"sender='{_DBUS}',member='NameOwnerChanged',arg0='{_PORTAL}'")
            answer = await self._call(asked)
            if answer.body != [self._handle]:
                raise _Unusable(
                    f"its handle is {answer.body}, not {self._handle}"
                )  # before version 0.9 of 2017
        self._owner = answer.sender
        lost = asyncio.ensure_future(self._bus.wait_for_disconnect())  # type: ignore[no-untyped-call]  # it says nothing of its type
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait({lost, ended}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self._close()
            raise
        finally:
            ended.cancel()
            lost.cancel()
            if lost.done() and not lost.cancelled():
                lost.exception()  # nobody else asks for it
        return self._paths()

    def _paths(self) -> tuple[str, ...] | None:
        match self._response:
            case [int(code), dict(results)] if code == _CHOSEN:
                uris = results.get("uris")
                values = [str(uri) for uri in uris.value] if uris is not None else []
                paths = paths_of("\n".join(values))
                if len(paths) < len(values):
                    raise NotOnThisComputer
                return tuple(paths)
            case [int(code), *_] if code == _CANCELLED:
                return ()
            case _:
                # It has ended, or says that something else than the user has closed the dialog.
                return None

    async def _call(self, asked: ChooseFiles) -> Message:
        from dbus_fast import Message, Variant

        options = {
            "handle_token": Variant("s", self._token),
            "modal": Variant("b", True),
        }
        if asked.kinds:
            kinds = [[name, [[0, f"*{ending}"]]] for name, ending in asked.kinds]
            options["filters"] = Variant("a(sa(us))", kinds)
        if asked.folder:
            options["current_folder"] = Variant("ay", os.fsencode(asked.folder) + b"\0")
        if asked.name is None:
            options["multiple"] = Variant("b", True)
        else:
            options["current_name"] = Variant("s", asked.name)
        return await self._ask(
            Message(
                destination=_PORTAL,
                path=_PATH,
                interface=_CHOOSER,
                member="OpenFile" if asked.name is None else "SaveFile",
                signature="ssa{sv}",
                body=[asked.window, asked.title, options],
            )
        )

    async def _match(self, rule: str) -> None:
        from dbus_fast import Message

        await self._ask(
            Message(
                destination=_DBUS,
                path="/org/freedesktop/DBus",
                interface=_DBUS,
                member="AddMatch",
                signature="s",
                body=[f"type='signal',{rule}"],
            )
        )

    async def _ask(self, message: Message) -> Message:
        from dbus_fast import MessageType

        answer = await self._bus.call(message)
        if answer.message_type is not MessageType.METHOD_RETURN:
            raise _Unusable(f"{message.member}: {answer.error_name}")
        return answer

    def _hear(self, message: Message) -> None:
        match message.member:
            case "Response" if message.path == self._handle and self._owner in {None, message.sender}:
                self._response = message.body
                self._ended.set()
            case "NameOwnerChanged" if message.body and message.body[0] == _PORTAL and message.body[1]:
                self._ended.set()  # whoever shows the dialog is gone
            case _:
                pass

    async def _close(self) -> None:
        from dbus_fast import Message, MessageFlag

        close = Message(
            destination=_PORTAL,
            path=self._handle,
            interface=_REQUEST,
            member="Close",
            flags=MessageFlag.NO_REPLY_EXPECTED,
        )
        with contextlib.suppress(OSError, EOFError, TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._bus.send(close)


def _usable(folder: str) -> str:
    try:
        return folder if folder and Path(folder).is_dir() else ""
    except (OSError, ValueError):
        return ""
