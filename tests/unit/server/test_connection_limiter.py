"""Who may open a connection: networks, bans, numbers, and how fast they may come."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest

from tests.unit.hub.fakes import ManualClock, RecordedLog
from twocans.hub.limits import Limits
from twocans.server.transports.connection_limiter import (
    BURST_S,
    UNREGISTERED,
    ConnectionLimiter,
    Refusal,
    words,
)

HOME = IPv4Network("192.168.0.0/16")
CELLAR = IPv4Network("192.168.7.0/24")


class Door:
    """A limiter with a clock and a log."""

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        allow: tuple[IPv4Network, ...] = (),
        deny: tuple[IPv4Network, ...] = (),
    ) -> None:
        self.clock = ManualClock()
        self.log = RecordedLog()
        self.banned: set[IPv4Address] = set()
        self.keeper = ConnectionLimiter(
            Limits() if limits is None else limits,
            allow=allow,
            deny=deny,
            banned=self.banned.__contains__,
            monotonic_s=self.clock.time,
            log=self.log,
        )

    def enter(self, host: str) -> Refusal | None:
        """Somebody comes."""
        return self.keeper.enter(IPv4Address(host), address=f"{host}:1234")

    def leave(self, host: str) -> None:
        """Somebody goes."""
        self.keeper.leave(IPv4Address(host))


def test_without_lists_everybody_may_come_in() -> None:
    door = Door()
    assert door.enter("192.168.1.2") is None
    assert door.enter("8.8.8.8") is None
    assert door.log.events == []


@pytest.mark.parametrize(
    ("host", "refusal"),
    [("192.168.1.2", None), ("192.168.7.2", Refusal.NETWORK), ("8.8.8.8", Refusal.NETWORK)],
)
def test_only_allowed_networks_come_in_and_denied_ones_never(host: str, refusal: Refusal | None) -> None:
    assert Door(allow=(HOME,), deny=(CELLAR,)).enter(host) is refusal


def test_deny_alone_shuts_out_its_networks_only() -> None:
    door = Door(deny=(CELLAR,))
    assert door.enter("192.168.7.255") is Refusal.NETWORK
    assert door.enter("192.168.8.0") is None


def test_ban_holds_from_now_on_until_it_is_lifted() -> None:
    door = Door()
    assert door.enter("10.0.0.1") is None
    door.banned.add(IPv4Address("10.0.0.1"))
    assert door.enter("10.0.0.1") is Refusal.BANNED
    assert door.enter("10.0.0.2") is None
    door.banned.clear()
    assert door.enter("10.0.0.1") is None


def test_one_address_has_so_many_connections_and_room_again_when_one_ends() -> None:
    door = Door(Limits(max_connections_per_address=2))
    assert [door.enter("10.0.0.1") for _ in range(3)] == [None, None, Refusal.ADDRESS_FULL]
    assert door.enter("10.0.0.2") is None
    door.leave("10.0.0.1")
    assert door.enter("10.0.0.1") is None
    assert door.enter("10.0.0.1") is Refusal.ADDRESS_FULL


def test_zero_is_no_limit_for_an_address() -> None:
    door = Door(Limits(max_connections_per_address=0, connection_rate=0.0))
    assert {door.enter("10.0.0.1") for _ in range(2000)} == {None}


def test_full_server_lets_nobody_in_until_somebody_leaves() -> None:
    door = Door(Limits(max_connections=1, max_connections_per_address=0))
    assert {door.enter("10.0.0.1") for _ in range(1 + UNREGISTERED)} == {None}
    assert door.enter("10.0.0.2") is Refusal.FULL
    door.leave("10.0.0.1")
    assert door.enter("10.0.0.2") is None


def test_refused_connections_do_not_count() -> None:
    door = Door(Limits(max_connections=1, max_connections_per_address=1))
    assert door.enter("10.0.0.1") is None
    for _ in range(2 * UNREGISTERED):
        assert door.enter("10.0.0.1") is Refusal.ADDRESS_FULL
    assert door.enter("10.0.0.2") is None


def test_connection_that_is_gone_at_once_does_not_come_in() -> None:
    door = Door(Limits(max_connections=1))
    for _ in range(2 * UNREGISTERED):
        assert door.keeper.enter(None, address="unknown") is Refusal.GONE
    assert door.enter("10.0.0.2") is None


def test_refusal_is_logged_with_its_reason() -> None:
    door = Door(deny=(HOME,))
    door.enter("192.168.1.2")
    assert door.log.events == [("connection_refused", {"address": "192.168.1.2:1234", "why": "network"})]


def test_address_that_comes_too_fast_waits_and_keeps_nobody_else_waiting() -> None:
    door = Door(Limits(connection_rate=2.0, max_connections_per_address=0))
    burst = int(2.0 * BURST_S)
    assert [door.enter("10.0.0.1") for _ in range(burst + 1)] == [None] * burst + [Refusal.TOO_FAST]
    assert door.enter("10.0.0.2") is None
    door.clock.advance(1.0)
    assert [door.enter("10.0.0.1") for _ in range(3)] == [None, None, Refusal.TOO_FAST]


def test_connections_that_are_refused_for_another_reason_are_not_counted_as_fast() -> None:
    door = Door(Limits(connection_rate=1.0, max_connections_per_address=1))
    assert door.enter("10.0.0.1") is None
    assert {door.enter("10.0.0.1") for _ in range(100)} == {Refusal.ADDRESS_FULL}
    door.leave("10.0.0.1")
    assert door.enter("10.0.0.1") is None


def test_rate_of_zero_is_no_limit() -> None:
    door = Door(Limits(connection_rate=0.0, max_connections_per_address=0))
    assert {door.enter("10.0.0.1") for _ in range(3000)} == {None}


def test_addresses_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twocans.server.transports.connection_limiter.MAX_ADDRESSES", 2)
    door = Door(Limits(connection_rate=0.1))
    assert [door.enter("10.0.0.1") for _ in range(2)] == [None, Refusal.TOO_FAST]
    assert [door.enter(f"10.0.0.{number}") for number in (2, 3)] == [None, None]
    assert [door.enter("10.0.0.1"), door.enter("10.0.0.3")] == [None, Refusal.TOO_FAST]


@pytest.mark.parametrize("refusal", list(Refusal))
def test_every_refusal_is_told_in_one_line(refusal: Refusal) -> None:
    told = words(refusal).decode()
    assert told.startswith("MSG: Server: ")
    assert told.index("\n") == len(told) - 1
