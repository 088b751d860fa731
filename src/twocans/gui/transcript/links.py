"""Finds the links in a message. What a click on one does is not decided here.

A link never holds a character that is invisible or changes the writing direction, so what is underlined is
exactly what is opened.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from twocans.protocol.text import acting

MAX_LINK_CHARS: Final = 2048
"""A longer one stays plain text; browsers and servers do not take it either."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link at `text[start:end]`; `target` is what to open, with its scheme."""

    start: int
    end: int
    target: str


_CANDIDATE: Final = re.compile(
    r"""(?<![A-Za-z0-9_@/.])(?:https?://|www\.|mailto:)[^\s<>"`\\^{|}\u2028\u2029]+""",
    re.IGNORECASE,
)
_HOST: Final = re.compile(
    r"(?:[^/?#@]*@)?(?:\[[0-9a-f:.]+\]|[\w-]+(?:\.[\w-]+)*\.?)(?::[0-9]{1,5})?", re.IGNORECASE
)
_WWW_HOST: Final = re.compile(r"www(?:\.[\w-]+)+(?::[0-9]{1,5})?", re.IGNORECASE)
_MAILBOX: Final = re.compile(r"[^@\s/?#]+@[\w-]+(?:\.[\w-]+)*")
_TRAILING: Final = frozenset(".,;:!?'*_~…‘’“”«»‹›")
_BRACKETS: Final = {
    ")": "(",
    "]": "[",
    "）": "（",
    "】": "【",
    "」": "「",
    "』": "『",
    "》": "《",
    "〉": "〈",
}
_SENTENCE_MARKS: Final = re.compile("[。，、！？；：「」『』【】（）《》〈〉]")


def find_links(text: str) -> tuple[Link, ...]:
    """The links of `text`, in order and without overlap: http, https, www. and mailto."""
    if ":" not in text and "www." not in text.lower():
        return ()
    links = []
    for match in _CANDIDATE.finditer(text):
        link = _link(text, match.start(), match.end())
        if link is not None:
            links.append(link)
    return tuple(links)


def _link(text: str, start: int, end: int) -> Link | None:
    shown = text[start:end]
    if not shown.isascii() or not shown.isprintable():
        shown = _without_tail(shown)
    scheme, colon, rest = shown.partition(":")
    match scheme.lower():
        case "mailto":
            place, before, after = _MAILBOX.match(rest), "mailto:", "?"
        case "http" | "https":
            rest = rest.removeprefix("//")
            place, before, after = _HOST.match(rest), f"{scheme}{colon}//", "/?#"
        case _:
            rest = shown
            place, before, after = _WWW_HOST.match(rest), "", "/?#"
    if place is None:
        return None
    if rest[place.end() : place.end() + 1] not in after:
        rest = rest[: place.end()]
    shown = before + _without_punctuation(rest)
    if len(shown) > MAX_LINK_CHARS:
        return None
    return Link(start, start + len(shown), shown if before else f"http://{shown}")


def _without_tail(shown: str) -> str:
    """What comes before the first invisible character, or the first mark that ends a sentence in CJK text."""
    shown = shown[: min(acting(shown), default=len(shown))]
    for index, char in enumerate(shown):
        if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"}:
            return shown[:index]
    mark = _SENTENCE_MARKS.search(shown)
    return shown[: mark.start()] if mark else shown


def _without_punctuation(shown: str) -> str:
    """Leaves off what belongs to the sentence around the link: `(see http://a.b/c).` means `http://a.b/c`."""
    end = len(shown)
    while end:
        last = shown[end - 1]
        opening = _BRACKETS.get(last)
        unmatched = opening is not None and shown.count(last, 0, end) > shown.count(opening, 0, end)
        if last not in _TRAILING and not unmatched:
            break
        end -= 1
    return shown[:end]
