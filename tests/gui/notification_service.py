"""A notification service for tests: prints every notification; a number on standard input clicks on that one, 0 on the last.

Its arguments are further capabilities that it has.
"""

from __future__ import annotations

import asyncio
import sys

from dbus_fast import BusType, Message, MessageType
from dbus_fast.aio import MessageBus

NAME = "org.freedesktop.Notifications"
PATH = "/org/freedesktop/Notifications"
DESCRIPTION = """<node><interface name="org.freedesktop.Notifications">
<method name="GetCapabilities"><arg direction="out" type="as"/></method>
<method name="GetServerInformation">
<arg direction="out" type="s"/><arg direction="out" type="s"/>
<arg direction="out" type="s"/><arg direction="out" type="s"/></method>
<method name="Notify">
<arg direction="in" type="s"/><arg direction="in" type="u"/><arg direction="in" type="s"/>
<arg direction="in" type="s"/><arg direction="in" type="s"/><arg direction="in" type="as"/>
<arg direction="in" type="a{sv}"/><arg direction="in" type="i"/><arg direction="out" type="u"/></method>
<method name="CloseNotification"><arg direction="in" type="u"/></method>
<signal name="NotificationClosed"><arg type="u"/><arg type="u"/></signal>
<signal name="ActionInvoked"><arg type="u"/><arg type="s"/></signal>
</interface></node>"""
CAPABILITIES = ["actions", "body", *sys.argv[1:]]


async def main() -> None:
    bus = await MessageBus(bus_type=BusType.SESSION).connect()
    shown = 0

    def answer(message: Message) -> Message | bool:
        nonlocal shown
        if message.member == "Introspect" and message.path == PATH:
            return Message.new_method_return(message, "s", [DESCRIPTION])
        if message.message_type is not MessageType.METHOD_CALL or message.interface != NAME:
            return False
        match message.member:
            case "GetCapabilities":
                return Message.new_method_return(message, "as", [CAPABILITIES])
            case "GetServerInformation":
                return Message.new_method_return(message, "ssss", ["test", "test", "1", "1.2"])
            case "Notify":
                shown += 1
                print("from", message.body[0], message.body[2], flush=True)
                print("notify", repr(message.body[3:6]), flush=True)
                return Message.new_method_return(message, "u", [shown])
            case "CloseNotification":
                print("close", message.body[0], flush=True)
                return Message.new_method_return(message)
            case _:
                return False

    bus.add_message_handler(answer)
    await bus.request_name(NAME)
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        clicked = int(line) or shown
        await bus.send(Message.new_signal(PATH, NAME, "ActionInvoked", "us", [clicked, "default"]))
    bus.disconnect()


asyncio.run(main())
