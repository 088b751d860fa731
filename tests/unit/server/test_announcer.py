"""What a server is announced as, and by which addresses."""

from __future__ import annotations

import asyncio
import errno

from hypothesis import given
from hypothesis import strategies as st
from zeroconf import ServiceInfo

from tests.support.deadline import DEADLINE_S
from tests.unit.hub.fakes import RecordedLog
from twocans.protocol.announcement import SERVICE_TYPE, Announcement
from twocans.server.discovery.announcer import (
    MAX_NAME_BYTES,
    Announcer,
    announced_addresses,
    instance_name,
    server_name,
)


def test_a_server_is_announced_by_the_address_that_it_listens_on() -> None:
    assert announced_addresses("192.0.2.7") == ["192.0.2.7"]


def test_a_server_for_its_own_computer_alone_is_announced_by_none() -> None:
    assert announced_addresses("127.0.0.1") == []
    assert announced_addresses("127.3.2.1") == []


def test_the_loopback_address_is_not_announced_beside_others() -> None:
    assert not [address for address in announced_addresses("0.0.0.0") if address.startswith("127.")]  # noqa: S104


def test_the_computers_name_is_the_servers() -> None:
    assert server_name("Noor’s laptop") == "Noor’s laptop"


def test_a_computer_without_a_name_has_a_server_with_one() -> None:
    assert server_name(" \x00\n ") == "Twocans"


@given(st.text())
def test_any_name_fits_into_a_label_with_a_number_after_it(name: str) -> None:
    said = instance_name(server_name(name))
    assert said
    assert len(said.encode()) <= MAX_NAME_BYTES
    ServiceInfo(SERVICE_TYPE, f"{said}-999999.{SERVICE_TYPE}")


def test_addresses_that_cannot_be_asked_for_are_asked_for_again_and_keep_nobody_from_stopping() -> None:
    """As when no descriptors are left: the system is asked over a socket."""
    log = RecordedLog()
    answers: list[OSError | list[str]] = [OSError(errno.EMFILE, "none left"), []]
    asked_again = asyncio.Event()

    def addresses() -> list[str]:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        asked_again.set()
        answers.append(answer)
        return answer

    def nothing_to_announce() -> Announcement:
        raise AssertionError("there are no addresses")

    async def run() -> None:
        announcer = Announcer(
            port=5050, addresses=addresses, announcement=nothing_to_announce, log=log, update_s=0.01
        )
        announcer.start()
        async with asyncio.timeout(DEADLINE_S):
            await asked_again.wait()
        await announcer.stop()

    asyncio.run(run())
    assert len(log.named("not_announced")) == 1
