"""What every account says: message `number` of an account follows from the seed, so nothing has to be kept."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

MAX_PADDING: Final = 400


@dataclass(frozen=True)
class Message:
    """One message of the script."""

    cid: str
    to: str
    text: str


@dataclass(frozen=True)
class Script:
    """The messages of a run.

    Args:
        seed: of the run.
        accounts: how many accounts write to one another; at least two.
    """

    seed: int
    accounts: int

    def name(self, account: int) -> str:
        """The user name of an account."""
        return f"writer{account}"

    def names(self) -> list[str]:
        """All user names."""
        return [self.name(account) for account in range(self.accounts)]

    def message(self, account: int, number: int) -> Message:
        """What an account says as its `number`-th message."""
        choose = random.Random(f"{self.seed} {account} {number}")  # noqa: S311 - nothing secret
        # Anybody but oneself.
        to = (account + 1 + choose.randrange(self.accounts - 1)) % self.accounts
        cid = f"{account}-{number}-{self.seed:x}"
        padding = "ä" * choose.randrange(MAX_PADDING) if choose.random() < 0.1 else ""
        return Message(cid, self.name(to), f"{cid} says {self.name(account)}\nto {self.name(to)}{padding}")

    def origin(self, cid: str) -> tuple[int, int]:
        """The account and the number of a message.

        Raises:
            ValueError: the cid is not of this run.
        """
        account, number, seed = cid.split("-")
        if seed != f"{self.seed:x}":
            raise ValueError(cid)
        return int(account), int(number)
