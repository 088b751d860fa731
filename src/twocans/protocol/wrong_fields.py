"""The field of a payload that is missing or wrong, as a sentence instead of in the words and paths of the decoder."""

from __future__ import annotations

import re
from typing import Final

import msgspec

NO_OBJECT: Final = "its payload is not a JSON object in UTF-8"

_MISSING: Final = re.compile(r"Object missing required field `(\w+)`")
_EXPECTED: Final = re.compile(r"Expected `([\w |]+)`(?:, got .*| (of length )?([<>])= (\d+))")
_FIELD: Final = re.compile(r"\.(\w+)")
_TYPES: Final = {
    "int": "an integer",
    "str": "a string",
    "float": "a number",
    "bool": "true or false",
    "array": "an array",
    "object": "an object",
}


def describe(error: msgspec.ValidationError) -> str:
    """Return which field of a payload is missing, or wrong and how."""
    reason, _, place = str(error).partition(" - at ")
    fields = _FIELD.findall(place)
    if missing := _MISSING.fullmatch(reason):
        return f"the field `{'.'.join((*fields, missing[1]))}` is missing"
    if not fields:
        return NO_OBJECT
    return f"the field `{'.'.join(fields)}` {_problem(reason)}"


def _problem(reason: str) -> str:
    expected = _EXPECTED.fullmatch(reason)
    if expected is None:
        return "has a value that is not allowed"
    kinds, length, side, bound = expected.groups()
    problem = "has to be " + " or ".join(_TYPES[kind] for kind in kinds.split(" | ") if kind in _TYPES)
    if not bound:
        return problem
    limit = f"at {'most' if side == '<' else 'least'} {bound}"
    return (
        f"{problem} of {limit} character{'' if bound == '1' else 's'}" if length else f"{problem} of {limit}"
    )
