"""What has been told about those who are online beside their names, kept so that a newcomer can be told it too."""

from __future__ import annotations

from collections.abc import Mapping

from twocans.protocol.messages import Presence, Status


class Presences:
    """What everybody knows about those who are online; only what is out of the ordinary takes room."""

    def __init__(self) -> None:
        self._exposed: dict[str, None] = {}
        self._statuses: dict[str, Status] = {}

    def of(self, user: str) -> Presence:
        """What has been told about somebody."""
        return Presence(user, user not in self._exposed, self._statuses.get(user, Status.HERE))

    def keep(self, presence: Presence) -> None:
        """This has been told."""
        self.forget(presence.user)
        if not presence.encrypted:
            self._exposed[presence.user] = None
        if presence.status is not Status.HERE:
            self._statuses[presence.user] = presence.status

    def forget(self, user: str) -> None:
        """Somebody is gone."""
        self._exposed.pop(user, None)
        self._statuses.pop(user, None)

    def exposed(self) -> tuple[str, ...]:
        """Those whose messages others on the network can read."""
        return tuple(self._exposed)

    def statuses(self) -> Mapping[str, Status]:
        """The statuses of those who are not here; what comes later does not change it."""
        return dict(self._statuses)
