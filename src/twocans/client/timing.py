"""What a client can be told about time and about an earlier connection, and the clock that it uses by default."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias

from msgspec import Struct

from twocans.client.codes import ErrorCode
from twocans.client.events import Loss
from twocans.protocol.keys import ServerKey

Clock: TypeAlias = Callable[[], float]
"""Seconds since some moment, never going back; counts the time that the machine is asleep, if it can."""

CONNECT_S: Final = 10.0
PING_AFTER_S: Final = 20.0

RETRY_MAX_S: Final = 4.0
"""The longest pause before connecting again: on a local network a server that is back is to be found at once."""

BACK_WITHIN_S: Final = max(CONNECT_S, PING_AFTER_S) + RETRY_MAX_S
"""Once the server is back, other clients are connected again within this time.

A client has noticed the loss, and is in an attempt or a pause; or it has been idle, and notices with its next PING.
"""


class Timers(Struct, frozen=True, kw_only=True):
    """How long things may take, all in seconds.

    Args:
        connect: for an encrypted connection to come about, and again for the server's WELCOME.
        ping_after: of silence, then the server is asked for a sign of life.
        dead_after: of silence, then the connection counts as lost.
        answer: for a request to be answered.
        catch_up: for the next of the messages that were missed to come.
        retry_first: the first pause before connecting again.
        retry_max: the longest such pause.
        file_retry_max: the longest pause before a file is tried again that has not got any further.
    """

    connect: float = CONNECT_S
    ping_after: float = PING_AFTER_S
    dead_after: float = 45.0
    answer: float = 30.0
    catch_up: float = 180.0
    retry_first: float = 0.5
    retry_max: float = RETRY_MAX_S
    file_retry_max: float = 30.0


class Position(Struct, frozen=True):
    """The place where a later client goes on after an earlier one.

    Args:
        after: the id up to which the program has dealt with everything; None if it has dealt with nothing.
        log: the server's log that `after` belongs to.
    """

    after: int | None = None
    log: str | None = None


class Ending(Struct, frozen=True):
    """Why a connection, or an attempt at one, is over; `again` tells whether another attempt makes sense."""

    loss: Loss
    text: str
    code: ErrorCode | None = None
    again: bool = True
    needs: str | None = None
    key: ServerKey | None = None
    known_key: ServerKey | None = None


class Introduction(Struct, frozen=True, kw_only=True):
    """Who one is, for a server whose key has been checked. Token, secret and invite are for it alone."""

    key: ServerKey
    first_use: bool
    token: str
    secret: str | None = None
    invite: str | None = None
    device: str | None = None


def default_clock() -> Clock:
    """The clock of this system that goes on while the machine is asleep, else `time.monotonic`."""
    # Linux stops CLOCK_MONOTONIC in sleep and macOS does not; Python's own monotonic() stops on both.
    for name in ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC"):
        number: int | None = getattr(time, name, None)
        if number is not None:
            return partial(time.clock_gettime, number)
    return time.monotonic
