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

MAX_NAME_CHARS: Final = 32
SERVER_NAME: Final = "Server"

UserKey = NewType("UserKey", str)
"""What two spellings of one name have in common; equal keys are the same user."""

_PROFILE: Final = get_profile("UsernameCaseMapped")
_PUNCTUATION: Final = frozenset("-_.")
_SMALL_CAPITAL: Final = "LATIN LETTER SMALL CAPITAL "
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
    """What the eye sees of a name, as it is written and in small letters.

    Names with a skeleton in common are hard to tell apart. Names in plain ASCII are told apart by the hand
    that types them, so only other letters are mapped.

    Raises:
        NameInvalid: it is not a name.
    """
    written = unicodedata.normalize("NFKD", name)
    small = unicodedata.normalize("NFD", user_key(name))
    return frozenset(
        "".join(char if char.isascii() else _lookalike(char) for char in spelling).casefold()
        for spelling in (written, small)
    )


def _lookalike(char: str) -> str:
    """The letter that stands for all letters which look like this one; an ASCII one if there is one."""
    if unicodedata.name(char, "").startswith(_SMALL_CAPITAL):
        return unicodedata.name(char).removeprefix(_SMALL_CAPITAL)[:1]
    alike = _confusables().get(char)
    if not alike:
        return char
    candidates = [entry["c"] for entry in alike if len(entry["c"]) == 1]
    lower_ascii = sorted(one for one in candidates if one.isascii() and one.isalnum() and not one.isupper())
    upper_ascii = sorted(one for one in candidates if one.isascii() and one.isalpha() and one.isupper())
    return (lower_ascii or upper_ascii or [min([char, *candidates])])[0]


@lru_cache(maxsize=1)
def _confusables() -> dict[str, list[dict[str, str]]]:
    # Nearly a megabyte of data: loaded for the first name that is not ASCII.
    from confusable_homoglyphs import confusables

    data: dict[str, list[dict[str, str]]] = confusables.confusables_data
    return data


def _is_letter_or_digit(char: str) -> bool:
    return unicodedata.category(char) in {"Lu", "Ll", "Lt", "Lm", "Lo", "Nd"}


_SERVER_SKELETON: Final = SERVER_NAME.casefold()
