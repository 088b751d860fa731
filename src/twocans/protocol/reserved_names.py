"""Names that nobody new can take: words that people at a terminal take for commands."""

from __future__ import annotations

from typing import Final

from twocans.protocol.names import skeletons
from twocans.protocol.plain import HELP_WORD

COMMAND_WORDS: Final = frozenset({"hello", "list", "msg", HELP_WORD})
"""The words of the plain dialect, and the one with which a program begins."""


def is_command_word(name: str) -> bool:
    """True if a name is one of these words in any case, or looks like one.

    Raises:
        NameInvalid: it is not a name.
    """
    return not COMMAND_WORDS.isdisjoint(skeletons(name))
