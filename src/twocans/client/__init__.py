"""An asyncio client for Twocans servers: connect, who is online, send, an iterator of events, reconnect.

async with Client("192.168.1.5", "alice") as client:
    await client.deliver("bob", "hello")
    async for event in client:
        ...
"""

from twocans.client.address import DEFAULT_PORT, Address, parse_address
from twocans.client.client import Client, Page
from twocans.client.errors import (
    AddressInvalid,
    ClientError,
    ConnectFailed,
    MessageNotSent,
    OutboxUnusable,
    RequestFailed,
)
from twocans.client.events import (
    CaughtUp,
    Event,
    Loss,
    MessageReceived,
    MessageRefused,
    MessageStored,
    Offline,
    Online,
    PeerTyping,
    ReceiptMoved,
    UserJoined,
    UserLeft,
)
from twocans.client.outbox import MemoryOutbox, Outbox, Outgoing
from twocans.client.settings import Resume, Timers
from twocans.client.sqlite_outbox import SqliteOutbox, default_outbox_path
from twocans.protocol.messages import Chat, Message

__all__ = [
    "DEFAULT_PORT",
    "Address",
    "AddressInvalid",
    "CaughtUp",
    "Chat",
    "Client",
    "ClientError",
    "ConnectFailed",
    "Event",
    "Loss",
    "MemoryOutbox",
    "Message",
    "MessageNotSent",
    "MessageReceived",
    "MessageRefused",
    "MessageStored",
    "Offline",
    "Online",
    "Outbox",
    "OutboxUnusable",
    "Outgoing",
    "Page",
    "PeerTyping",
    "ReceiptMoved",
    "RequestFailed",
    "Resume",
    "SqliteOutbox",
    "Timers",
    "UserJoined",
    "UserLeft",
    "default_outbox_path",
    "parse_address",
]
