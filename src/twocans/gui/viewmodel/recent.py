"""A server that was used before, as it is kept in the settings."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from twocans.client.nearby import MAX_NAME_CHARS

MAX_RECENT: Final = 5


class Recent(Struct, frozen=True, kw_only=True):
    """A server at which a login has worked.

    Args:
        address: where it was, as it was typed or announced.
        key: the key that it has, by which it is known again elsewhere.
        user: as whom.
        name: what it was called when it was announced; "" if it was not.
    """

    address: Annotated[str, Meta(max_length=300)]
    key: Annotated[str, Meta(max_length=64)]
    user: Annotated[str, Meta(max_length=100)]
    name: Annotated[str, Meta(max_length=MAX_NAME_CHARS)] = ""
