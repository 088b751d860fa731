"""The servers to choose from at the login: those nearby, and those that were used last and are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from twocans.client.address import DEFAULT_PORT
from twocans.client.nearby import Nearby, NearbyServer, Search
from twocans.gui.viewmodel.changes import Changes
from twocans.gui.viewmodel.effects import (
    LookForServers,
    RememberServers,
    StopLooking,
)
from twocans.gui.viewmodel.login import LoginForm
from twocans.gui.viewmodel.recent import MAX_RECENT, Recent
from twocans.gui.viewmodel.state import Heading, Part
from twocans.protocol.keys import ServerKey

_SAID: Final = {
    Search.SEARCHING: "Looking for servers …",
    Search.DONE: (
        "None found. Are both computers on the same network? Guest networks keep computers apart, and firewalls have "
        "to let UDP port 5353 through. The address, typed above, always works."
    ),
    Search.BLOCKED: (
        "Servers cannot be found: this computer lets no multicast through. Let UDP port 5353 through its firewall, "
        "or type the address above."
    ),
    Search.NO_NETWORK: "This computer is not connected to a network. Join one, or type the address above.",
}


@dataclass(frozen=True, slots=True)
class ServerRow:
    """A server to choose.

    Args:
        key: tells it from the others, whatever changes.
        name: what it is called.
        about: where it is, and what the user had to do with it.
        online: how many people are there; "" if nobody knows.
        invite: whether newcomers need a code.
        server: what is chosen.
    """

    key: str
    name: str
    about: str
    online: str
    invite: bool
    server: NearbyServer | Recent


class ServerChoice:
    """What can be chosen, and the intents.

    Args:
        changes: where changes are noted.
        form: where the choice goes.
        recent: the servers that were used last, the last one first.
    """

    def __init__(self, changes: Changes, form: LoginForm, recent: Sequence[Recent]) -> None:
        self._changes = changes
        self._form = form
        self._known: Nearby | None = None
        self._may_look = False
        self.recent = tuple(recent)[:MAX_RECENT]
        self.selected: str | None = None
        """The row that the cursor is on."""

    # --- what is shown -------------------------------------------------------------------------------------

    @property
    def is_looking(self) -> bool:
        """Whether servers are looked for at all."""
        return self._known is not None

    @property
    def items(self) -> tuple[Heading | ServerRow, ...]:
        """The servers nearby, those that came last first; then those used before that are not among them."""
        nearby = self._known.servers if self._known is not None else ()
        used = {one.key for one in self.recent}
        there = {one.key for one in nearby}
        rows = [_row(one, used=one.key in used) for one in nearby]
        others = [_recent_row(one) for one in self.recent if one.key not in there]
        return (*rows, Heading("Recent"), *others) if others else tuple(rows)

    @property
    def rows(self) -> tuple[ServerRow, ...]:
        """The same without the heading."""
        return tuple(item for item in self.items if isinstance(item, ServerRow))

    @property
    def text(self) -> str:
        """What there is to say where no server is nearby."""
        return "" if self._known is None or self._known.servers else _SAID[self._known.search]

    # --- the search ----------------------------------------------------------------------------------------

    def look(self) -> None:
        """Look for servers, now and whenever the login is shown."""
        self._may_look = True
        self.resume()

    def resume(self) -> None:
        """The login is shown."""
        if self._may_look:
            self._known = Nearby(Search.SEARCHING)
            self._changes.do(LookForServers(frozenset(ServerKey(one.key) for one in self.recent)))
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

    def follow(self, recent: Sequence[Recent]) -> None:
        """Use the servers that another window of this user has remembered."""
        self.recent = tuple(recent)[:MAX_RECENT]
        self._changes.draw(Part.LOGIN)

    # --- intents -------------------------------------------------------------------------------------------

    def move(self, by: int) -> None:
        """Move the cursor so many rows, as far as there are any; at first it comes from above them."""
        keys = [row.key for row in self.rows]
        if keys:
            at = by + (keys.index(self.selected) if self.selected in keys else -1)
            self.selected = keys[max(0, min(len(keys) - 1, at))]
            self._changes.draw(Part.LOGIN)

    def choose_selected(self) -> None:
        """Choose the row that the cursor is on."""
        row = self._selected_row()
        if row is not None:
            self.choose(row.server)

    def choose(self, server: NearbyServer | Recent) -> None:
        """Connect to a server, if it is known as whom."""
        if isinstance(server, Recent):
            self._form.choose(server.address, None, user=server.user)
            return
        user = next((one.user for one in self.recent if one.key == server.key), "")
        self._form.choose(_address(server), server.key, user="" if self._form.state.user.strip() else user)

    def forget_selected(self) -> None:
        """Forget the server that the cursor is on, if it is one that is remembered only."""
        row = self._selected_row()
        if row is not None and isinstance(row.server, Recent):
            self.forget(row.server)

    def forget(self, server: Recent) -> None:
        """Remember a server no longer; the cursor goes to the next one."""
        keys = [row.key for row in self.rows]
        self.recent = tuple(one for one in self.recent if one != server)
        left = [row.key for row in self.rows]
        if self.selected not in left:
            at = keys.index(self.selected) if self.selected in keys else 0
            self.selected = left[min(at, len(left) - 1)] if left else None
        self._changes.do(RememberServers(self.recent))
        self._changes.draw(Part.LOGIN)

    def used(self, address: str, user: str, key: ServerKey) -> None:
        """A login has worked."""
        nearby = self._known.servers if self._known is not None else ()
        names = [one.name for one in nearby if one.key == key] + [
            one.name for one in self.recent if one.key == key
        ]
        others = [
            one for one in self.recent if one.key != key and one.address.casefold() != address.casefold()
        ]
        this = Recent(address=address, key=key, user=user, name=names[0] if names else "")
        self.recent = (this, *others)[:MAX_RECENT]
        self._changes.do(RememberServers(self.recent))

    def _selected_row(self) -> ServerRow | None:
        return next((row for row in self.rows if row.key == self.selected), None)


def _row(server: NearbyServer, *, used: bool) -> ServerRow:
    where = _address(server)
    return ServerRow(
        key=f"nearby {server.key}",
        name=server.name,
        about=f"{where} · used before" if used else where,
        online="nobody online" if server.online == 0 else f"{server.online} online",
        invite=server.invite,
        server=server,
    )


def _recent_row(server: Recent) -> ServerRow:
    user = f"as {server.user}"
    return ServerRow(
        key=f"recent {server.key}",
        name=server.name or server.address,
        about=f"{server.address} · {user}" if server.name else user,
        online="",
        invite=False,
        server=server,
    )


def _address(server: NearbyServer) -> str:
    """As somebody would type it."""
    return server.address.host if server.address.port == DEFAULT_PORT else str(server.address)
