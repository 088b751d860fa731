"""Where a search's words stand in a text: at the beginnings of words, whatever their case and accents."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+")
_KEPT: Final = 256

Words = tuple[str, ...]
Spans = tuple[tuple[int, int], ...]


def words_of(query: str) -> Words:
    """What a search looks for, folded."""
    return tuple(dict.fromkeys(_WORD.findall(_folded(query)[0])))


@lru_cache(maxsize=_KEPT)
def spans(text: str, words: Words) -> Spans:
    """The parts of `text` that were looked for, in order and apart from each other: (start, end)."""
    if not words:
        return ()
    folded, origin = _folded(text)
    found: list[tuple[int, int]] = []
    for match in _WORD.finditer(folded):
        length = max((len(word) for word in words if match[0].startswith(word)), default=0)
        if length:
            start, last = origin[match.start()], origin[match.start() + length - 1]
            end = last + 1
            while end < len(text) and unicodedata.combining(text[end]):
                end += 1
            if not found or start >= found[-1][1]:
                found.append((start, end))
    return tuple(found)


def _folded(text: str) -> tuple[str, list[int]]:
    """The text without case and accents, and where each of its characters comes from."""
    if text.isascii():
        return text.lower(), list(range(len(text)))
    chars: list[str] = []
    origin: list[int] = []
    for index, char in enumerate(text):
        for part in unicodedata.normalize("NFKD", char.casefold()):
            if not unicodedata.combining(part):
                chars.append(part)
                origin.append(index)
    return "".join(chars), origin
