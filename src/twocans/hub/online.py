"""Who is online, in the order of their registration, so that a change costs the same however many there are.

People stand in blocks. What a block looks like in each dialect is made once and stays until somebody of it comes
or goes, so a list of ten thousand is put together from a hundred pieces.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from twocans.hub.account import Account
from twocans.protocol.user_names import NameBlock, UserNames

BLOCK_NAMES: Final = 128


class OnlineBlock:
    """People who have registered one after another, and how their names look as long as nothing changes."""

    __slots__ = ("accounts", "names")

    def __init__(self) -> None:
        self.accounts: dict[Account, None] = {}
        self.names: NameBlock | None = None

    def snapshot(self) -> NameBlock:
        """The names."""
        if self.names is None:
            self.names = NameBlock(tuple([account.name for account in self.accounts]))
        return self.names


class Online:
    """People in the order of their registration; whoever leaves and comes back stands last."""

    def __init__(self) -> None:
        self._blocks: list[OnlineBlock] = []
        self._number = 0

    def __len__(self) -> int:
        return self._number

    def __iter__(self) -> Iterator[Account]:
        return chain.from_iterable([block.accounts for block in self._blocks])

    def add(self, account: Account) -> None:
        """Somebody has come, who was not here."""
        if not self._blocks or len(self._blocks[-1].accounts) >= BLOCK_NAMES:
            self._blocks.append(OnlineBlock())
        block = account.block = self._blocks[-1]
        block.accounts[account] = None
        block.names = None
        self._number += 1

    def remove(self, account: Account) -> None:
        """Somebody has gone, who was here."""
        block = account.block
        if block is None:
            raise KeyError(account.key)
        del block.accounts[account]
        block.names = None
        account.block = None
        self._number -= 1
        if not block.accounts:
            self._blocks.remove(block)

    def names(self) -> UserNames:
        """Everybody's names; what comes later does not change it."""
        return UserNames(tuple([block.snapshot() for block in self._blocks]))
