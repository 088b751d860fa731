"""The Unicode Bidirectional Algorithm (UAX #9) for text without explicit formatting characters.

Those are spelled out in what is shown, and tabs are spaces, so levels come from the characters alone (rules P2-P3, W1-W7,
N0-N2, I1-I2, L1-L2). Positions are kept, which a library that only returns reordered text would lose: selecting with
the mouse needs to know which character is where.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_OPEN_BRACKETS: Final = 63
"""UAX #9, BD16: deeper nesting ends the pairing of brackets."""

_RTL: Final = re.compile(
    "[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_PAIRS: Final = (
    "()[]{}༺༻༼༽᚛᚜⁅⁆⁽⁾₍₎⌈⌉⌊⌋〈〉❨❩❪❫❬❭❮❯❰❱❲❳❴❵⟅⟆⟦⟧⟨⟩⟪⟫⟬⟭⟮⟯⦃⦄⦅⦆⦇⦈⦉⦊⦋⦌⦍⦐⦏⦎⦑⦒⦓⦔⦕⦖⦗⦘⧘⧙⧚⧛⧼⧽⸢⸣⸤⸥⸦⸧⸨⸩"
    "〈〉《》「」『』【】〔〕〖〗〘〙〚〛﹙﹚﹛﹜﹝﹞（）［］｛｝｟｠｢｣"
)
_CLOSING: Final = dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True))
_OPENING: Final = {closing: opening for opening, closing in _CLOSING.items()}
_SAME_BRACKET: Final = {"\u232a": "\u3009"}  # canonically equivalent to the CJK bracket
_MIRRORED: Final = {
    **_CLOSING,
    **_OPENING,
    **{
        a: b
        for left, right in ("<>", "«»", "‹›", "≤≥", "≪≫", "≺≻", "⊂⊃", "⊆⊇", "∈∋")
        for a, b in ((left, right), (right, left))
    },
}
_MIRROR_TABLE: Final = str.maketrans(_MIRRORED)
_NEUTRAL: Final = frozenset({"B", "S", "WS", "ON"})
_IGNORED: Final = frozenset({"BN", "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


def has_rtl(text: str) -> bool:
    """Whether `text` holds characters that are written from right to left."""
    return not text.isascii() and _RTL.search(text) is not None


def base_level(text: str) -> int:
    """The level of a paragraph: 0 for left to right, 1 for right to left, after its first letter (P2, P3)."""
    for char in text:
        match unicodedata.bidirectional(char):
            case "L":
                return 0
            case "R" | "AL":
                return 1
    return 0


def mirrored(text: str) -> str:
    """`text` with brackets and the like turned round, as they are drawn from right to left (L4)."""
    return text.translate(_MIRROR_TABLE)


def levels(text: str, base: int) -> list[int]:
    """The embedding level of every character of a paragraph: even ones run to the right, odd ones to the left."""
    classes = [unicodedata.bidirectional(char) or "L" for char in text]
    kept = [index for index, kind in enumerate(classes) if kind not in _IGNORED]  # X9
    kinds = [classes[index] for index in kept]
    edge = "R" if base % 2 else "L"
    _resolve_weak(kinds, edge)
    _resolve_brackets(kinds, [text[index] for index in kept], [classes[index] for index in kept], edge)
    _resolve_neutral(kinds, edge)
    result = [base] * len(text)
    for index, kind in zip(kept, kinds, strict=True):  # I1, I2
        if base % 2:
            result[index] = base if kind == "R" else base + 1
        else:
            result[index] = base + (0 if kind == "L" else 1 if kind == "R" else 2)
    for index, kind in enumerate(classes):
        if kind in _IGNORED:
            result[index] = result[index - 1] if index else base
    return result


def _resolve_weak(kinds: list[str], edge: str) -> None:
    previous = edge
    strong = edge
    for index, kind in enumerate(kinds):
        if kind == "NSM":  # W1
            kinds[index] = kind = previous
        previous = kind
        if kind in {"L", "R", "AL"}:
            strong = kind
        elif kind == "EN" and strong == "AL":  # W2
            kinds[index] = "AN"
    kinds[:] = ["R" if kind == "AL" else kind for kind in kinds]  # W3
    for index in range(1, len(kinds) - 1):  # W4
        before, after = kinds[index - 1], kinds[index + 1]
        if before == after and (
            (kinds[index] in {"ES", "CS"} and before == "EN") or (kinds[index] == "CS" and before == "AN")
        ):
            kinds[index] = before
    index = 0
    while index < len(kinds):  # W5
        end = index + 1
        if kinds[index] == "ET":
            while end < len(kinds) and kinds[end] == "ET":
                end += 1
            if (index and kinds[index - 1] == "EN") or (end < len(kinds) and kinds[end] == "EN"):
                kinds[index:end] = ["EN"] * (end - index)
        index = end
    strong = edge
    for index, kind in enumerate(kinds):
        if kind in {"ES", "ET", "CS"}:  # W6
            kinds[index] = "ON"
        elif kind in {"L", "R"}:
            strong = kind
        elif kind == "EN" and strong == "L":  # W7
            kinds[index] = "L"


def _resolve_brackets(kinds: list[str], chars: list[str], classes: list[str], edge: str) -> None:
    """N0: a pair of brackets goes with what it holds, or else with what stands before it."""
    for opening, closing in _bracket_pairs(kinds, chars):
        inside = {_direction(kinds[index]) for index in range(opening + 1, closing)}
        if edge in inside:
            side = edge
        elif inside & {"L", "R"}:
            before = next(
                (way for way in (_direction(kinds[i]) for i in range(opening - 1, -1, -1)) if way), edge
            )
            side = before if before in inside else edge
        else:
            continue
        for bracket in (opening, closing):
            kinds[bracket] = side
            after = bracket + 1
            while after < len(kinds) and classes[after] == "NSM":
                kinds[after] = side
                after += 1


def _bracket_pairs(kinds: list[str], chars: list[str]) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    open_: list[tuple[str, int]] = []
    for index, char in enumerate(chars):
        if kinds[index] != "ON":
            continue
        if char in _CLOSING:
            if len(open_) == MAX_OPEN_BRACKETS:
                break
            closing = _CLOSING[char]
            open_.append((_SAME_BRACKET.get(closing, closing), index))
        elif char in _OPENING:
            wanted = _SAME_BRACKET.get(char, char)
            for depth in range(len(open_) - 1, -1, -1):
                if open_[depth][0] == wanted:
                    pairs.append((open_[depth][1], index))
                    del open_[depth:]
                    break
    return sorted(pairs)


def _direction(kind: str) -> str:
    """The direction that a resolved type counts as among neutrals; empty for a neutral one."""
    return "R" if kind in {"R", "EN", "AN"} else "L" if kind == "L" else ""


def _resolve_neutral(kinds: list[str], edge: str) -> None:
    index = 0
    while index < len(kinds):  # N1, N2
        if kinds[index] not in _NEUTRAL:
            index += 1
            continue
        end = index
        while end < len(kinds) and kinds[end] in _NEUTRAL:
            end += 1
        before = _direction(kinds[index - 1]) if index else edge
        after = _direction(kinds[end]) if end < len(kinds) else edge
        kinds[index:end] = [before if before == after else edge] * (end - index)
        index = end


def visual_runs(text: str, levels: list[int], start: int, end: int, base: int) -> list[tuple[int, int, int]]:
    """The runs of the line `text[start:end]` from left to right: (start, end, level) (L1, L2)."""
    stop = end
    while stop > start and unicodedata.bidirectional(text[stop - 1]) in {"WS", "S", "B"} | _IGNORED:
        stop -= 1
    runs: list[tuple[int, int, int]] = []
    for index in range(start, end):
        level = levels[index] if index < stop else base
        if runs and runs[-1][2] == level:
            runs[-1] = (runs[-1][0], index + 1, level)
        else:
            runs.append((index, index + 1, level))
    highest = max((level for _, _, level in runs), default=0)
    for turned in range(highest, 0, -1):
        first = 0
        while first < len(runs):
            last = first
            while last < len(runs) and runs[last][2] >= turned:
                last += 1
            runs[first:last] = runs[first:last][::-1]
            first = max(last, first + 1)
    return runs
