"""A connection from its first line until it is registered: the dialect, the name, and what is refused meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from twocans.hub.hub import Hub
from twocans.hub.session import Reason
from twocans.protocol import json, plain
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.messages import (
    Bye,
    Error,
    FromClient,
    Goodbye,
    Hello,
    Notice,
    Ping,
    Pong,
)
from twocans.protocol.names import NameInvalid
from twocans.protocol.typed import Typed, TypedKind, describe_typed
from twocans.server.settings.config import TlsMode

if TYPE_CHECKING:
    from twocans.server.connection.connection import Connection

_FINAL: Final = frozenset({Code.SERVER_FULL, Code.BANNED})
"""Refusals after which no other name is asked for."""
_WHO: Final = "Register first: send HELLO with your user name."
_SPACED: Final = (
    "A name has no spaces. A password after it is taken over an encrypted connection only; one that was sent here"
    " may have been read by others."
)
_ENCRYPTED_ONLY: Final = (
    "This server accepts encrypted connections only. Use the Twocans client, or ncat --ssl."
)


class Registration:
    """Registers a connection.

    Args:
        connection: the connection.
        hub: where it registers.
        tls: whether it may do so without encryption.
    """

    __slots__ = ("_connection", "_hub", "_name", "_refusals", "_tls", "_typed")

    def __init__(self, connection: Connection, hub: Hub, tls: TlsMode) -> None:
        self._connection = connection
        self._hub = hub
        self._tls = tls
        self._name: str | None = None
        self._typed = Typed(TypedKind.BYTES, 0)
        self._refusals = 0

    def take(self, line: bytes) -> None:
        """The peer says who it is; the hub tells the connection what comes of it.

        Raises:
            ProtocolError: it has said something else that has to wait until then.
        """
        connection = self._connection
        if connection.json is None:
            connection.json = json.is_hello(line)
            connection.plain = not connection.json
        if self._tls is TlsMode.REQUIRED and not connection.encrypted:
            connection.deliver(Error(code=Code.AUTH_REQUIRED, text=_ENCRYPTED_ONLY, needs="tls"))
            connection.deliver(Goodbye(reason=Reason.REFUSED.value, text="Goodbye."))
            connection.close(Reason.NOT_ENCRYPTED)
            return
        self._name = None
        self._typed = Typed(TypedKind.FRAME if connection.json else TypedKind.BYTES, len(line))
        try:
            if connection.json:
                hello = json.decode_client(line)
                if not isinstance(hello, Hello):
                    self._before_hello(hello)
                    return
                self._name, self._typed = hello.user, describe_typed(hello.user)
                self._hub.register_json(connection, hello)
            elif plain.asks_for_help(line) and not self._is_a_name(line):
                self._help()
            else:
                name, secret = plain.decode_login(line)
                # What stands before a space is not always a name.
                self._typed = describe_typed(name if secret is None else f"{name} {secret}")
                self._name = name
                if secret is not None and not connection.encrypted:
                    raise NameInvalid(_SPACED)
                self._hub.register_plain(connection, name, secret)
        except ProtocolError as error:
            if connection.json:
                json.identify(error, line)
            self.refuse(error)

    def _is_a_name(self, line: bytes) -> bool:
        """True if somebody has been called by the word for help, since a time when it was a name like any other."""
        return line.strip().lower() == plain.HELP_WORD.encode() and self._hub.is_known(plain.HELP_WORD)

    def _help(self) -> None:
        """Tell a person what to type; counted as a refusal, so that nobody asks for ever."""
        self._connection.deliver(Notice(plain.HELP_BEFORE_NAME))
        self._count_refusal()

    def refuse(self, error: ProtocolError) -> None:
        """The peer is not registered; it may try again, but not for ever."""
        connection = self._connection
        self._hub.refused(connection, self._name, self._typed, error)
        connection.deliver(error.frame())
        if error.code in _FINAL:
            connection.end(Reason.REFUSED, "Goodbye.")
        else:
            self._count_refusal()

    def _count_refusal(self) -> None:
        connection = self._connection
        self._refusals += 1
        if self._refusals >= self._hub.limits.max_refusals:
            connection.end(Reason.REFUSED, "No name was accepted. Please connect again.")
        elif not connection.json:
            # The next first line may pick the other dialect.
            connection.json = None

    def _before_hello(self, message: FromClient) -> None:
        match message:
            case Ping(n=n):
                self._connection.deliver(Pong(n))
            case Pong():
                pass
            case Bye():
                self._connection.close(Reason.LEFT)
            case _:
                raise ProtocolError(Code.NOT_REGISTERED, _WHO)
