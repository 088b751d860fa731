"""An asyncio client for Twocans servers: events, messages, history and files, over all losses of the connection.

    async with Client("192.168.1.5", "echo", folder="echo-bot") as client:
        async for event in client:
            if isinstance(event, MessageReceived) and event.message.sender != client.user:
                await client.reply(event.message, event.message.text)

`Client` has the calls, `client.transfers` (see `Transfers`) those for files, and `Event` lists what the iteration gives. The folder
keeps what the next run needs. docs/library.md is the guide; the names in `__all__` are the whole public interface.
"""

from twocans.client.address import DEFAULT_PORT, Address, Link, parse_address, parse_link
from twocans.client.client import Client, DeviceCode, DeviceList
from twocans.client.codes import ErrorCode
from twocans.client.errors import (
    AddressInvalid,
    ClientError,
    ConnectFailed,
    ConnectionEnded,
    FolderInUse,
    MessageNotSent,
    OutboxUnusable,
    RequestFailed,
    TokensUnusable,
    TransferFailed,
    TrustUnusable,
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
    PresenceChanged,
    ReadElsewhere,
    ReceiptMoved,
    TransferMoved,
    UserJoined,
    UserLeft,
)
from twocans.client.keyring_tokens import KeyringOrFileTokens, KeyringTokens, default_tokens
from twocans.client.nearby import Nearby, NearbyServer, NearbyServers, Search
from twocans.client.outbox import MemoryOutbox, Outbox, Outgoing
from twocans.client.paging import Page
from twocans.client.sqlite_outbox import SqliteOutbox, default_outbox_path
from twocans.client.timing import Position, Timers
from twocans.client.tokens import FileTokens, MemoryTokens, Tokens
from twocans.client.transfers.model import Transfer, TransferState
from twocans.client.transfers.transfers import Transfers
from twocans.client.trust import FileTrust, MemoryTrust, Met, Trust, default_trust
from twocans.protocol.keys import ServerKey, is_same_key, readable_key
from twocans.protocol.messages import Chat, Device, FileRef, LimitsInForce, LoggedIn, Message, Status

__all__ = [
    "DEFAULT_PORT",
    "Address",
    "AddressInvalid",
    "CaughtUp",
    "Chat",
    "Client",
    "ClientError",
    "ConnectFailed",
    "ConnectionEnded",
    "Device",
    "DeviceCode",
    "DeviceList",
    "ErrorCode",
    "Event",
    "FileRef",
    "FileTokens",
    "FileTrust",
    "FolderInUse",
    "KeyringOrFileTokens",
    "KeyringTokens",
    "LimitsInForce",
    "Link",
    "LoggedIn",
    "Loss",
    "MemoryOutbox",
    "MemoryTokens",
    "MemoryTrust",
    "Message",
    "MessageNotSent",
    "MessageReceived",
    "MessageRefused",
    "MessageStored",
    "Met",
    "Nearby",
    "NearbyServer",
    "NearbyServers",
    "Offline",
    "Online",
    "Outbox",
    "OutboxUnusable",
    "Outgoing",
    "Page",
    "PeerTyping",
    "Position",
    "PresenceChanged",
    "ReadElsewhere",
    "ReceiptMoved",
    "RequestFailed",
    "Search",
    "ServerKey",
    "SqliteOutbox",
    "Status",
    "Timers",
    "Tokens",
    "TokensUnusable",
    "Transfer",
    "TransferFailed",
    "TransferMoved",
    "TransferState",
    "Transfers",
    "Trust",
    "TrustUnusable",
    "UserJoined",
    "UserLeft",
    "default_outbox_path",
    "default_tokens",
    "default_trust",
    "is_same_key",
    "parse_address",
    "parse_link",
    "readable_key",
]
