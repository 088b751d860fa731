"""A draft: what is written or attached and not sent yet. `sqlite_drafts` keeps them."""

from __future__ import annotations

from msgspec import Struct


class Draft(Struct, frozen=True):
    """What waits to be sent to one person.

    Args:
        peer: the person, in a spelling that stays the same.
        name: the person, as the server spells it.
        text: what is written.
        paths: the files that are attached.
    """

    peer: str
    name: str
    text: str
    paths: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to keep."""
        return not (self.text.strip() or self.paths)
