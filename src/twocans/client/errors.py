"""What goes wrong for a program that uses the client; every error's text is a sentence for a person."""

from __future__ import annotations

from twocans.client.codes import ErrorCode
from twocans.client.events import Loss
from twocans.client.transfers.model import Transfer
from twocans.protocol.keys import ServerKey


class ClientError(Exception):
    """Base of what the client raises.

    Args:
        text: what happened and what to do, a sentence for a person.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class AddressInvalid(ClientError, ValueError):
    """What was typed is no address of a server."""


class OutboxUnusable(ClientError):
    """The outbox on disk cannot be read or written. One in memory does without a disk."""


class OutboxDamaged(OutboxUnusable):
    """The file of the outbox is no database any more, or a page of it is corrupt."""


class FolderInUse(ClientError):
    """Another program uses the folder as the same user at the same server."""


class TrustUnusable(ClientError):
    """The keys of known servers cannot be read or written."""


class TokensUnusable(ClientError):
    """The tokens cannot be read or written."""


class KeyringUnusable(TokensUnusable):
    """There is a keyring, and it cannot be used just now: it is locked, hangs or fails. Another try may work."""


class TokenLost(TokensUnusable):
    """There was a token, and it is gone for good. A device code or the password lets the user in."""


class ConnectFailed(ClientError):
    """The first connection did not come about; nothing is retried.

    Args:
        loss: at which point it failed.
        text: what happened and what to do, a sentence for a person.
        code: the server's, if it refused.
        needs: what the server asks for to let this user in: `invite` or `secret`.
        key: what the server has shown, with `Loss.KEY_CHANGED`.
        known_key: what was known before, with `Loss.KEY_CHANGED`.
    """

    def __init__(
        self,
        loss: Loss,
        text: str,
        code: str | None = None,
        *,
        needs: str | None = None,
        key: ServerKey | None = None,
        known_key: ServerKey | None = None,
    ) -> None:
        super().__init__(text)
        self.loss = loss
        self.code = None if code is None else ErrorCode(code)
        self.needs = needs
        self.key = key
        self.known_key = known_key


class ConnectionEnded(ClientError):
    """The connection is lost, and another attempt would make no sense: the iteration of the client ends with this.

    Args:
        loss: why.
        text: what happened and what to do, a sentence for a person.
        code: the server's, if it refused.
    """

    def __init__(self, loss: Loss, text: str, code: str | None = None) -> None:
        super().__init__(text)
        self.loss = loss
        self.code = None if code is None else ErrorCode(code)


class TransferFailed(ClientError):
    """A file that was waited for has not arrived.

    Args:
        text: what happened and what to do, a sentence for a person.
        transfer: the transfer as it was then. `transfers.resume` tries again one that has failed, and one that is
            still under way goes on by itself, after a restart too if there is a folder or an outbox on disk.
    """

    def __init__(self, text: str, transfer: Transfer) -> None:
        super().__init__(text)
        self.transfer = transfer


class RequestFailed(ClientError):
    """A question was not answered.

    Args:
        code: the server's, or the client's own.
        text: what happened and what to do, a sentence for a person.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = ErrorCode(code)


class MessageNotSent(ClientError):
    """A message was refused, or nobody waits for its result any more.

    Args:
        code: the server's, or the client's own. With `BUSY` and `CLOSED` the message may
            still be in the outbox.
        text: what happened and what to do, a sentence for a person.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = ErrorCode(code)
