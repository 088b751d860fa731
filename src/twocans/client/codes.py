"""The codes of errors: those of the protocol, and those of what the client itself refuses or gives up."""

from __future__ import annotations

from enum import StrEnum


class ErrorCode(StrEnum):
    """A code for what went wrong.

    A newer server may have codes that this version does not know: they compare equal to their text, and have the
    name `UNKNOWN`.
    """

    BAD_REQUEST = "bad_request"
    UNKNOWN_VERB = "unknown_verb"
    NOT_REGISTERED = "not_registered"
    NAME_INVALID = "name_invalid"
    NAME_RESERVED = "name_reserved"
    NAME_TAKEN = "name_taken"
    AUTH_REQUIRED = "auth_required"
    AUTH_FAILED = "auth_failed"
    NO_SUCH_USER = "no_such_user"
    NOT_ONLINE = "not_online"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    RATE_LIMITED = "rate_limited"
    CONFLICT = "conflict"  # another message has the cid
    SERVER_FULL = "server_full"
    BANNED = "banned"
    NO_SUCH_FILE = "no_such_file"
    FILE_TOO_LARGE = "file_too_large"
    STORAGE_FULL = "storage_full"
    REVOKED = "revoked"
    LAST_DEVICE = "last_device"
    INTERNAL = "internal"

    OFFLINE = "offline"  # refused by the client: it is not connected
    TIMED_OUT = "timed_out"  # the server did not answer in time
    BUSY = "busy"  # refused or given up by the client: one of its buffers is full
    UNWRITTEN = "unwritten"  # the message could not be written into the outbox, so it was not sent
    CLOSED = "closed"  # given up: the client was closed
    TOKEN_UNREADABLE = "token_unreadable"  # noqa: S105 - a code; the login was not sent: its token cannot be read

    @classmethod
    def _missing_(cls, value: object) -> ErrorCode | None:
        if not isinstance(value, str):
            return None
        unknown = str.__new__(cls, value)
        unknown._name_, unknown._value_ = "UNKNOWN", value
        return unknown
