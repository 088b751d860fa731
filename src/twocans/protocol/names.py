"""Which user names exist, which of them are the same, and which only look the same.

The profile is UsernameCaseMapped of PRECIS (RFC 8265, section 3.3), narrowed to letters, digits, `-`, `_`
and `.`; likeness to the eye follows the Unicode confusables (UTS #39).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final, NewType

from precis_i18n import get_profile

from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.user_names import MAX_NAME_CHARS

SERVER_NAME: Final = "Server"

UserKey = NewType("UserKey", str)
"""What two spellings of one name have in common; equal keys are the same user."""

_PROFILE: Final = get_profile("UsernameCaseMapped")
_PUNCTUATION: Final = frozenset("-_.")
_SMALL_CAPITAL: Final = "LATIN LETTER SMALL CAPITAL "
_LEFT_TO_RIGHT: Final = "\u200e"
_PALOCHKA: Final = "\u04cf"
"""A Cyrillic small letter that the table has beside an i, while most fonts draw it as an l."""
_UNSEEN_DOT: Final = re.compile("(?<=[ij])\u0307")
_ADDRESS: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")
_DEVICE_KEY: Final = re.compile(r"(?=.*[0-9])[0-9a-tv-z]{4}-[0-9a-tv-z]{4}")
_RULE: Final = "Use 1 to 32 letters and digits, with -, _ or . after the first."


class NameInvalid(ProtocolError):
    """This is no user name; the sentence says why and what would be one."""

    def __init__(self, text: str) -> None:
        super().__init__(Code.NAME_INVALID, text)


class NameReserved(ProtocolError):
    """The name is, or looks like, that of the server."""

    def __init__(self) -> None:
        super().__init__(
            Code.NAME_RESERVED,
            "That name is kept for the server's own messages. Please choose another.",
        )


@lru_cache(maxsize=4096)
def user_key(name: str) -> UserKey:
    """The key of a name, equal for all its spellings.

    Raises:
        NameInvalid: it is not a name.
    """
    if not name:
        raise NameInvalid(f"A user name is missing. {_RULE}")
    if len(name) > MAX_NAME_CHARS:
        raise NameInvalid(f"That name is too long. {_RULE}")
    first = unicodedata.normalize("NFC", name)[0]
    if not _is_letter_or_digit(first):
        raise NameInvalid(f"A name starts with a letter or a digit. {_RULE}")
    for char in name:
        if not (char in _PUNCTUATION or _is_letter_or_digit(char) or unicodedata.category(char)[0] == "M"):
            what = "a space" if char.isspace() else "a sign that names cannot have"
            raise NameInvalid(f"That name contains {what}. {_RULE}")
    try:
        key = _PROFILE.enforce(name)
    except UnicodeEncodeError:
        raise NameInvalid(
            f"That name has a letter, or a mixture of writing directions, that is not allowed. {_RULE}"
        ) from None
    if len(key) > MAX_NAME_CHARS:
        raise NameInvalid(f"That name is too long. {_RULE}")
    return UserKey(key)


def key_of(name: str) -> str:
    """Return what all spellings of a name have in common, also where it is no name here: a newer server may have it."""
    try:
        return user_key(name)
    except NameInvalid:
        return name.casefold()


def new_user_key(name: str) -> UserKey:
    """The key of a name that somebody wants to take for themselves.

    Raises:
        NameInvalid: it is not a name.
        NameReserved: it is the server's, or the eye would take it for the server's.
    """
    key = user_key(name)
    if _SERVER_SKELETON in skeletons(name):
        raise NameReserved
    return key


def is_confusable_with_address_or_key(key: UserKey) -> bool:
    """True for the key of a name that could be an IPv4 address, or the key by which the operator calls a device.

    A name of that form is refused to newcomers, or the operator's commands could hit the wrong thing. Keys of devices
    without any digit look like double names (`mary-jane`), so those are allowed, and the operator is asked.
    """
    return _ADDRESS.fullmatch(key) is not None or _DEVICE_KEY.fullmatch(key) is not None


@lru_cache(maxsize=256)
def skeletons(name: str) -> frozenset[str]:
    """Return the skeletons of a name (UTS #39, section 4), as it is written and in small letters.

    Names with a skeleton in common are hard to tell apart. ASCII letters stay as they are, since people who type
    them know which ones they mean, and a dot above an i or a j, which cannot be seen, is left out.

    Raises:
        NameInvalid: it is not a name.
    """
    written = unicodedata.normalize("NFKD", name)
    small = unicodedata.normalize("NFD", user_key(name))
    return frozenset(
        _UNSEEN_DOT.sub("", "".join(map(_lookalike, spelling)).casefold())
        for spelling in (written, small, small.replace(_PALOCHKA, "l"))
    )


def _lookalike(char: str) -> str:
    """Return the letters that stand for all that look like this one; ASCII ones if there are any."""
    if char.isascii():
        return char
    prototype = _prototype(char)
    if len(prototype) == 1 and unicodedata.name(prototype, "").startswith(_SMALL_CAPITAL):
        return unicodedata.name(prototype).removeprefix(_SMALL_CAPITAL)[:1]
    candidates = [prototype, *_alike(prototype)]
    single = [one for one in candidates if len(one) == 1 and one.isascii() and one.isalnum()]
    # Small letters first, then capitals, then digits.
    return min(single, key=lambda one: (one.isdigit(), one.isupper(), one), default=prototype)


def _prototype(char: str) -> str:
    """Return the prototype of a letter (UTS #39): each letter of the table has one, and a prototype has many."""
    alike = _alike(char)
    if len(alike) != 1:
        return char
    (other,) = alike
    return other if len(_alike(other)) > 1 else min(char, other, key=lambda one: (not one.isascii(), one))


def _alike(text: str) -> list[str]:
    # The table has letters that are written from right to left between marks.
    table = _confusables()
    found = table.get(text) or table.get(f"{_LEFT_TO_RIGHT}{text}{_LEFT_TO_RIGHT}") or []
    return [entry["c"].strip(_LEFT_TO_RIGHT) for entry in found]


@lru_cache(maxsize=1)
def _confusables() -> dict[str, list[dict[str, str]]]:
    # Nearly a megabyte of data: loaded for the first name that is not ASCII.
    from confusable_homoglyphs import confusables

    data: dict[str, list[dict[str, str]]] = confusables.confusables_data
    return data


def _is_letter_or_digit(char: str) -> bool:
    return unicodedata.category(char) in {"Lu", "Ll", "Lt", "Lm", "Lo", "Nd"}


_SERVER_SKELETON: Final = SERVER_NAME.casefold()
