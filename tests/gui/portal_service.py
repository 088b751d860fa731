"""A FileChooser portal for tests: prints every request as JSON; lines of JSON on standard input are its responses.

Its argument is how it behaves: `good`; `eager`, which responds before it answers; `odd`, whose handle is another one than
was asked for; `silent`, which never answers; `refusing`, which has no file dialogs.
"""

from __future__ import annotations

import asyncio
import json
import sys

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

NAME = "org.freedesktop.portal.Desktop"
PATH = "/org/freedesktop/portal/desktop"
CHOOSER = "org.freedesktop.portal.FileChooser"
REQUEST = "org.freedesktop.portal.Request"
BEHAVIOUR = sys.argv[1]


def plain(value: object) -> object:
    """What JSON can say of a value."""
    if isinstance(value, Variant):
        return plain(value.value)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


async def main() -> None:
    bus = await MessageBus(bus_type=BusType.SESSION).connect()
    handle = ""

    def respond(code: int, uris: list[str]) -> None:
        results = {"uris": Variant("as", uris)} if uris else {}
        bus.send(Message.new_signal(handle, REQUEST, "Response", "ua{sv}", [code, results]))

    def answer(message: Message) -> Message | bool:
        nonlocal handle
        if message.message_type is not MessageType.METHOD_CALL:
            return False
        if message.interface == REQUEST and message.member == "Close":
            print(json.dumps({"closed": message.path == handle}), flush=True)
            return True
        if message.interface != CHOOSER:
            return False
        parent, title, options = message.body
        sender = str(message.sender).lstrip(":").replace(".", "_")
        token = options["handle_token"].value
        handle = f"{PATH}/request/{sender}/{'other' if BEHAVIOUR == 'odd' else token}"
        request = {"method": message.member, "parent": parent, "title": title}
        print(json.dumps(request | {"options": plain(options)}), flush=True)
        if BEHAVIOUR == "silent":
            return True
        if BEHAVIOUR == "refusing":
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownMethod", "no file dialogs")
        if BEHAVIOUR == "eager":
            respond(0, ["file:///etc/hostname"])
        return Message.new_method_return(message, "o", [handle])

    bus.add_message_handler(answer)
    await bus.request_name(NAME)
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        code, uris = json.loads(line)
        respond(code, uris)
    bus.disconnect()


asyncio.run(main())
