"""Names that nobody new can take: the words of the protocol, which people at a terminal would take for commands."""

from __future__ import annotations

from typing import Final

from twocans.protocol.messages import FROM_CLIENT, FROM_SERVER
from twocans.protocol.names import skeletons
from twocans.protocol.plain import HELP_WORD

_PLAIN_WORDS: Final = frozenset({"list", HELP_WORD})
COMMAND_WORDS: Final = _PLAIN_WORDS.union(kind.verb.casefold() for kind in (*FROM_CLIENT, *FROM_SERVER))
"""All verbs of both dialects, and the word with which people ask for help."""


def is_command_word(name: str) -> bool:
    """True if a name is a word of the protocol in any case, or looks like one.

    Raises:
        NameInvalid: it is not a name.
    """
    return not COMMAND_WORDS.isdisjoint(skeletons(name))
