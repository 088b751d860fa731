"""The servers to choose from at the login: those nearby, and those that were used last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from twocans.client.address import DEFAULT_PORT
from twocans.client.nearby import Nearby, NearbyServer, Search
from twocans.gui.viewmodel.changes import Changes
from twocans.gui.viewmodel.effects import LookForServers, StopLooking
from twocans.gui.viewmodel.login import LoginForm
from twocans.gui.viewmodel.state import Part

MAX_RECENT: Final = 5
MAX_SHOWN: Final = 4
"""More are counted only, and fewer shown where there is no room."""

_SAID: Final = {
    Search.SEARCHING: "Looking for servers …",
    Search.DONE: "None found. Is one running on this network? Its address, typed above, works as well.",
    Search.BLOCKED: (
        "This computer lets no search through. Let UDP port 5353 through its firewall, or type the address above."
    ),
    Search.NO_NETWORK: "This computer is in no network. Join one, or type the address above.",
}


@dataclass(frozen=True, slots=True)
class ServerRow:
    """A server to choose; `about` says who is there and what is needed."""

    name: str
    about: str
    server: NearbyServer


class ServerChoice:
    """What can be chosen, and the intents.

    Args:
        changes: where changes are noted.
        form: where the choice goes.
        recent: the addresses that were used last, the last one first.
    """

    def __init__(self, changes: Changes, form: LoginForm, recent: Sequence[str]) -> None:
        self._changes = changes
        self._form = form
        self._known: Nearby | None = None
        self._may_look = False
        self.recent = tuple(recent)[:MAX_RECENT]

    @property
    def is_looking(self) -> bool:
        """Whether servers are looked for at all."""
        return self._known is not None

    @property
    def rows(self) -> tuple[ServerRow, ...]:
        """The servers nearby, those that came last first."""
        servers = self._known.servers if self._known is not None else ()
        return tuple(ServerRow(one.name, _about(one), one) for one in servers)

    def text(self, shown: int = MAX_SHOWN) -> str:
        """What there is to say below so many rows."""
        if self._known is None:
            return ""
        more = len(self._known.servers) - shown
        if more > 0:
            return (
                f"And {more} more: type the address." if shown else f"{more} found: make the window larger."
            )
        return "" if self._known.servers else _SAID[self._known.search]

    def look(self) -> None:
        """Look for servers, now and whenever the login is shown."""
        self._may_look = True
        self.resume()

    def resume(self) -> None:
        """The login is shown."""
        if self._may_look:
            self._known = Nearby(Search.SEARCHING)
            self._changes.do(LookForServers())
            self._changes.draw(Part.LOGIN)

    def pause(self) -> None:
        """The login is over."""
        if self._may_look:
            self._known = None
            self._changes.do(StopLooking())

    def taken(self, known: Nearby) -> None:
        """What is nearby has changed."""
        if self._known is not None:
            self._known = known
            self._changes.draw(Part.LOGIN)

    def choose(self, server: NearbyServer) -> None:
        """Connect to a server nearby, if it is known as whom."""
        address = server.address
        self._form.choose(address.host if address.port == DEFAULT_PORT else str(address), server.key)

    def choose_recent(self, address: str) -> None:
        """Connect to a server that was used before, if it is known as whom."""
        self._form.choose(address, None)

    def used(self, address: str) -> None:
        """A login at this address has worked."""
        others = [one for one in self.recent if one.casefold() != address.casefold()]
        self.recent = (address, *others)[:MAX_RECENT]


def _about(server: NearbyServer) -> str:
    online = "nobody online" if server.online == 0 else f"{server.online} online"
    return f"{online}, invite needed" if server.invite else online
