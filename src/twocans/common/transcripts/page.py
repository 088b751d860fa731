"""Conversations as one web page: no script, no other file, light or dark as the reader's system is."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from typing import Final

from twocans.common.transcripts.heading import Conversation, Heading, not_empty
from twocans.common.transcripts.times import moment
from twocans.protocol.text import spelled_out

_STYLE: Final = """
:root { color-scheme: light dark; --page: #f6f7f9; --text: #1b1f24; --faint: #5b6570;
  --own: #d6e8ff; --other: #ffffff; --line: #d5dae0; }
@media (prefers-color-scheme: dark) {
  :root { --page: #16191d; --text: #e8eaed; --faint: #9aa4af; --own: #1d4166; --other: #242a31; --line: #363e47; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 50rem; background: var(--page); color: var(--text);
  font: 1rem/1.45 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.5rem; }
h2 { display: inline; font-size: 1.15rem; }
h3 { margin: 1.25rem 0 .5rem; text-align: center; font-size: .8rem; font-weight: 600; color: var(--faint); }
details { margin-top: 1.5rem; border-top: 1px solid var(--line); padding-top: 1rem; }
summary { cursor: pointer; }
header p, .by { margin: 0; font-size: .8rem; color: var(--faint); }
article { margin: .4rem 0; width: fit-content; max-width: 85%; padding: .4rem .75rem; border-radius: .75rem;
  background: var(--other); border: 1px solid var(--line); }
article.own { margin-left: auto; background: var(--own); border-color: transparent; }
.said { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
@media print { body { max-width: none; } article { break-inside: avoid; } }
"""


def render(conversations: Iterable[Conversation], heading: Heading) -> Iterator[str]:
    """The pieces of the page."""
    user = _shown(heading.user)
    now = heading.now.astimezone(heading.zone)
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        # Should anything ever slip through the escaping, the browser still runs and loads nothing.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Messages of {user}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<header>\n"
        f"<h1>Messages of <bdi>{user}</bdi></h1>\n"
        f'<p>Exported <time datetime="{now.isoformat(timespec="seconds")}">{now:%Y-%m-%d %H:%M:%S}</time>. '
        f"All times are in the time zone {_shown(heading.zone_name)}.</p>\n</header>\n"
    )
    empty = True
    for peer, messages in not_empty(conversations):
        empty = False
        yield f"<details open>\n<summary><h2><bdi>{_shown(peer)}</bdi></h2></summary>\n"
        day = ""
        for message in messages:
            time = moment(message.at, heading.zone)
            if day != (day := f"{time:%Y-%m-%d}"):
                yield f"<h3>{day}</h3>\n"
            own = ' class="own"' if message.sender == heading.user else ""
            yield (
                f'<article{own}><p class="by"><bdi>{_shown(message.sender)}</bdi> '
                f'<time datetime="{time.isoformat()}" title="{time.isoformat()}">{time:%H:%M:%S}</time></p>\n'
                f'<p class="said" dir="auto">{_shown(message.text)}</p></article>\n'
            )
        yield "</details>\n"
    if empty:
        yield "<p>There are no messages.</p>\n"
    yield "</body>\n</html>\n"


def _shown(text: str) -> str:
    return html.escape(spelled_out(text))
