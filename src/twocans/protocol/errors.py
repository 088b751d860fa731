"""The error codes of the protocol, and errors that know theirs.

A code is for a program; the sentence beside it is for the person at the keyboard and says what to do.
"""

from __future__ import annotations

from enum import StrEnum

from twocans.protocol.messages import Error


class Code(StrEnum):
    """Why the server refused something."""

    BAD_REQUEST = "bad_request"
    UNKNOWN_VERB = "unknown_verb"
    NOT_REGISTERED = "not_registered"
    NAME_INVALID = "name_invalid"
    NAME_RESERVED = "name_reserved"
    NAME_TAKEN = "name_taken"
    AUTH_REQUIRED = "auth_required"
    AUTH_FAILED = "auth_failed"
    REVOKED = "revoked"
    LAST_DEVICE = "last_device"
    NO_SUCH_USER = "no_such_user"
    NOT_ONLINE = "not_online"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    RATE_LIMITED = "rate_limited"
    CONFLICT = "conflict"
    SERVER_FULL = "server_full"
    BANNED = "banned"
    NO_SUCH_FILE = "no_such_file"
    FILE_TOO_LARGE = "file_too_large"
    STORAGE_FULL = "storage_full"
    INTERNAL = "internal"


class ProtocolError(Exception):
    """Something that a peer sent cannot be accepted; the connection goes on.

    Args:
        code: the reason, for a program.
        text: the reason, a sentence for a person.
        cid: the message that it is about, if any.
        rid: the request that it is about, if any.
        needs: what else would help, for a program: `invite`, `secret` or `tls`.
    """

    def __init__(
        self,
        code: Code,
        text: str,
        *,
        cid: str | None = None,
        rid: int | str | None = None,
        needs: str | None = None,
    ) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.cid = cid
        self.rid = rid
        self.needs = needs

    def frame(self) -> Error:
        """What the peer is told."""
        return Error(code=self.code, text=self.text, cid=self.cid, rid=self.rid, needs=self.needs)
