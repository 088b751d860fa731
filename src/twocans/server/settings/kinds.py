"""The kinds of values that settings have: how they are understood, and the sentence for those that are not.

A value is text where it comes from an option or the environment, and may be anything else in a file.
"""

from __future__ import annotations

import ipaddress
import re
from enum import StrEnum
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Final, TypeVar

from msgspec import Struct
from pydantic import BeforeValidator, SecretStr
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode

from twocans.protocol.text import spelled_out_line
from twocans.server.operator.log import LogFormat
from twocans.server.settings.config import Concurrency, HistoryMode, TlsMode
from twocans.server.settings.usage import TRUTH
from twocans.storage.sqlite import Durability

MAX_KEEP_DAYS: Final = 36_500
INVITE_CHARS: Final = range(4, 65)
MAX_BYTES: Final = 10**16
_SIZE: Final = re.compile(r"([0-9]{1,17}(?:\.[0-9]{1,9})?) ?(B|[KMGT]B)?", re.IGNORECASE)
_UNITS: Final = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SHOWN_CHARS: Final = 40
_MAX_BITS: Final = 1024  # Python refuses to write down numbers that are much longer
_Choice = TypeVar("_Choice", bound=StrEnum)


class Says(Struct, frozen=True, kw_only=True):
    """What people are told of a setting beside its description.

    Args:
        value: what stands for its value in the help.
        unit: what its number counts.
        empty: what it is called if it has no value.
        allowed: what it may be, after "has to be"; for a number its bounds say it.
    """

    value: str = "N"
    unit: str = ""
    empty: str = "none"
    allowed: str = ""


def shortened(value: object) -> str:
    """A value that somebody gave, to be shown in a sentence: without its end if it is long, and harmless."""
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return "a huge number"
    text = spelled_out_line(str(value)) or "an empty text"
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"


def _one_of(kind: type[_Choice]) -> BeforeValidator:
    def choose(given: object) -> _Choice:
        try:
            return kind(str(given))
        except ValueError:
            raise ValueError(f"{shortened(given)} is not one of {', '.join(kind)}") from None

    return BeforeValidator(choose)


def _choices(kind: type[StrEnum]) -> Says:
    return Says(value=" or ".join(kind))


def _ipv4(given: object) -> str:
    text = shortened(given)
    if text == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise ValueError(f"{shortened(given)} is not an IPv4 address such as 192.168.1.20") from None


def _port(given: object) -> int:
    text = shortened(given)
    if not text.isascii() or not text.isdigit() or len(text) > 5 or int(text) > 65535:
        raise ValueError(f"{shortened(given)} is not a port: a number from 1 to 65535, or 0 for any free one")
    return int(text)


def _rate(given: object) -> float:
    try:
        rate = float(str(given))
    except ValueError:
        rate = -1.0
    if not 0 <= rate < float("inf"):
        raise ValueError(f"{shortened(given)} is not a number of messages per second, 0 or more")
    return rate


def _days(given: object) -> int | None:
    text = shortened(given)
    if text == "for ever":
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not 1 <= int(text) <= MAX_KEEP_DAYS:
        raise ValueError(
            f"{shortened(given)} is not a number of days from 1 to {MAX_KEEP_DAYS}. "
            "Without this setting messages are kept for ever"
        )
    return int(text)


def _bytes(given: object) -> int:
    text = shortened(given)
    match = _SIZE.fullmatch(text)
    size = -1.0 if match is None else float(match[1]) * _UNITS[(match[2] or "").upper()]
    if not 0 <= size <= MAX_BYTES:
        raise ValueError(f"{shortened(given)} is not a size such as 500MB or 2GB")
    return int(size)


def _path(given: object) -> Path:
    if not isinstance(given, str) or "\0" in given:
        raise ValueError(f"{shortened(given)!r} is not a path")
    return Path(given)


def _code(given: object) -> SecretStr:
    if (
        not isinstance(given, str)
        or len(given) not in INVITE_CHARS
        or not given.isprintable()
        or " " in given
    ):
        raise ValueError(
            f"what was given, which is not shown here, is not a code of {INVITE_CHARS[0]} to {INVITE_CHARS[-1]} "
            "printable characters without spaces"
        )
    return SecretStr(given)


def _networks(given: object) -> tuple[IPv4Network, ...]:
    """Understands one text with commas, or a list of such texts."""
    parts = given if isinstance(given, list) else [given]
    return tuple(_network(word.strip(), part) for part in parts for word in str(part).split(","))


def _network(text: str, among: object) -> IPv4Network:
    if not text:
        whole = shortened(among).strip()
        raise ValueError(
            f"{whole} has an empty part. Take out the comma that is too many"
            if whole
            else "an empty text is not a network. Leave the setting out for none"
        )
    try:
        return IPv4Network(text)
    except ValueError:
        meant = _meant(text)
        raise ValueError(
            f"{shortened(text)} is not an IPv4 network or address such as 192.168.1.0/24 or 192.168.1.20"
            + (f". Did you mean {meant}?" if meant else "")
        ) from None


def _meant(text: str) -> IPv4Network | None:
    """The network of an address in it, as in 10.0.0.5/8."""
    try:
        return IPv4Network(text, strict=False)
    except ValueError:
        return None


def _no_truth(given: object) -> object:
    """A truth value would count as 1 or 0."""
    if isinstance(given, bool):
        raise PydanticCustomError("truth_value", "expected a number, not true or false")
    return given


def _yes_or_no(given: object) -> bool:
    on = TRUTH.get(str(given).lower())
    if on is None:
        raise PydanticCustomError("no_truth_value", "neither true nor false")
    return on


Host = Annotated[str, BeforeValidator(_ipv4), Says(value="ADDRESS")]
Port = Annotated[int, BeforeValidator(_port), Says()]
Rate = Annotated[float, BeforeValidator(_rate), Says(unit="messages per second")]
Days = Annotated[int | None, BeforeValidator(_days), Says(unit="days", empty="for ever")]
Bytes = Annotated[int, BeforeValidator(_bytes), Says(value="SIZE", unit="bytes")]
Folder = Annotated[Path, BeforeValidator(_path), Says(value="DIR")]
File = Annotated[Path | None, BeforeValidator(_path), Says(value="FILE")]
Code = Annotated[SecretStr | None, BeforeValidator(_code), Says(value="CODE")]
Networks = Annotated[tuple[IPv4Network, ...], NoDecode, BeforeValidator(_networks)]
Whole = Annotated[int, BeforeValidator(_no_truth)]
Seconds = Annotated[float, BeforeValidator(_no_truth), Says(unit="seconds")]
Switch = Annotated[bool, BeforeValidator(_yes_or_no), Says(value="", allowed="true or false")]
ConcurrencyChoice = Annotated[Concurrency, _one_of(Concurrency), _choices(Concurrency)]
DurabilityChoice = Annotated[Durability, _one_of(Durability), _choices(Durability)]
HistoryChoice = Annotated[HistoryMode, _one_of(HistoryMode), _choices(HistoryMode)]
LogFormatChoice = Annotated[LogFormat, _one_of(LogFormat), _choices(LogFormat)]
TlsChoice = Annotated[TlsMode, _one_of(TlsMode), _choices(TlsMode)]
