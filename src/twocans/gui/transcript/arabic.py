"""Joins Arabic letters: replaces them by the presentation forms that Unicode has for each position in a word.

For a Tk that draws one glyph a character, as on X11. Forms and ligatures come from the Unicode database.
"""

from __future__ import annotations

import re
import unicodedata
from enum import IntEnum
from functools import lru_cache
from typing import Final

from twocans.gui.transcript.glyphs import is_mark

_ARABIC: Final = re.compile("[\u0620-\u06d5\u06ee-\u06ff\u0750-\u077f]")
_LAM: Final = "\u0644"
_ZWJ: Final = "\u200d"
_TATWEEL: Final = "\u0640"


class _Form(IntEnum):
    ISOLATED = 0
    FINAL = 1
    INITIAL = 2
    MEDIAL = 3


_FORM_NAMES: Final = {
    "<isolated>": _Form.ISOLATED,
    "<final>": _Form.FINAL,
    "<initial>": _Form.INITIAL,
    "<medial>": _Form.MEDIAL,
}


@lru_cache(maxsize=1)
def _forms() -> tuple[dict[str, dict[_Form, str]], dict[str, dict[_Form, str]]]:
    """The forms of single letters, and those of lam with an alef after it."""
    letters: dict[str, dict[_Form, str]] = {}
    ligatures: dict[str, dict[_Form, str]] = {}
    for code in (*range(0xFB50, 0xFDFC), *range(0xFE80, 0xFEFD)):
        form_name, *parts = unicodedata.decomposition(chr(code)).split() or [""]
        form = _FORM_NAMES.get(form_name)
        if form is None:
            continue
        what = "".join(chr(int(part, 16)) for part in parts)
        if len(what) == 1:
            letters.setdefault(what, {})[form] = chr(code)
        elif len(what) == 2 and what[0] == _LAM and what[1] in "\u0622\u0623\u0625\u0627":
            ligatures.setdefault(what, {})[form] = chr(code)
    return letters, ligatures


def has_arabic(text: str) -> bool:
    """Whether `text` holds letters that join."""
    return not text.isascii() and _ARABIC.search(text) is not None


def shape(text: str) -> list[str]:
    """What to draw for each character of `text`, in the same (logical) order.

    The alef of a lam-alef ligature becomes an empty string: the ligature stands in the place of the lam.
    """
    drawn = list(text)
    if not has_arabic(text):
        return drawn
    letters, ligatures = _forms()
    solid = [index for index, char in enumerate(text) if not is_mark(char)]
    skip = -1
    for place, index in enumerate(solid):
        char = text[index]
        if index == skip or char not in letters:
            continue
        joins_before = place > 0 and _joins_next(text[solid[place - 1]]) and _has(char, _Form.FINAL)
        after = text[solid[place + 1]] if place + 1 < len(solid) else ""
        ligature = ligatures.get(char + after) if char == _LAM else None
        if ligature is not None:
            skip = solid[place + 1]
            drawn[index] = ligature[_Form.FINAL if joins_before else _Form.ISOLATED]
            drawn[skip] = ""
            continue
        joins_after = _joins_next(char) and _joins_previous(after)
        form = _Form(joins_before * _Form.FINAL + joins_after * _Form.INITIAL)
        drawn[index] = letters[char].get(form, char)
    return drawn


def _has(char: str, form: _Form) -> bool:
    return form in _forms()[0].get(char, ())


def _joins_next(char: str) -> bool:
    return char in {_ZWJ, _TATWEEL} or _has(char, _Form.INITIAL)


def _joins_previous(char: str) -> bool:
    return char in {_ZWJ, _TATWEEL} or _has(char, _Form.FINAL)
