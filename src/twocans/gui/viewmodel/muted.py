"""A chat that is muted, as it is kept in the settings."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

MAX_MUTED: Final = 100


class Muted(Struct, frozen=True, kw_only=True):
    """A chat whose messages make no sound and no notification.

    Args:
        server: the key of the server where it is.
        user: whose chat it is, folded.
        peer: with whom, folded.
        name: with whom, as they were spelled last.
        until_ms: when that ends, in Unix milliseconds; 0 for never.
    """

    server: Annotated[str, Meta(max_length=64)]
    user: Annotated[str, Meta(max_length=100)]
    peer: Annotated[str, Meta(max_length=100)]
    name: Annotated[str, Meta(max_length=100)]
    until_ms: Annotated[int, Meta(ge=0)] = 0
