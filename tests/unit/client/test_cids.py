"""The ids of messages: UUIDs of version 7, in the order of the time."""

from __future__ import annotations

import uuid
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.unit.client.sessions import message
from twocans.client.cids import new_cid, reply_cid

times = st.integers(0, 2**48 - 1)


class Dice(Random):
    """Chance that gives the same bits each time."""

    def __init__(self, bits: int) -> None:
        super().__init__()
        self.bits = bits

    def getrandbits(self, k: int, /) -> int:
        assert k == 74
        return self.bits


@given(now_ms=times, seed=st.integers(0, 2**32))
def test_cid_is_a_uuid_of_version_7_that_tells_the_time(now_ms: int, seed: int) -> None:
    cid = new_cid(now_ms=now_ms, random=Random(seed))  # noqa: S311
    read = uuid.UUID(cid)
    assert str(read) == cid
    assert (read.version, read.variant) == (7, uuid.RFC_4122)
    assert read.int >> 80 == now_ms


@given(one=times, other=times, seed=st.integers(0, 2**32))
def test_later_cid_is_greater(one: int, other: int, seed: int) -> None:
    chance = Random(seed)  # noqa: S311
    cids = {now_ms: new_cid(now_ms=now_ms, random=chance) for now_ms in (one, other)}
    assert (cids[one] < cids[other]) is (one < other)


def test_example_of_the_rfc() -> None:
    """RFC 9562, appendix A.6."""
    chance = Dice(0xCC3 << 62 | 0x18C4DC0C0C07398F)
    assert new_cid(now_ms=0x017F22E279B0, random=chance) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


def test_no_bit_of_the_chance_is_lost() -> None:
    cids = {new_cid(now_ms=1, random=Dice(1 << bit)) for bit in range(74)}
    assert len(cids) == 74


def test_reply_has_one_cid_that_no_other_message_shares() -> None:
    first = message(7)
    cid = uuid.UUID(reply_cid(first))
    assert (cid.version, cid.variant, cid.int >> 80) == (7, uuid.RFC_4122, first.at)
    assert reply_cid(message(7)) == str(cid)
    others = [
        replace(first, id=8),
        replace(first, at=7001),
        replace(first, sender="carol"),
        replace(first, cid="another"),
    ]
    assert len({str(cid), *map(reply_cid, others)}) == 5


def test_cid_of_a_reply_stays_the_same_in_later_versions() -> None:
    """A program that is updated between two runs would reply twice."""
    assert reply_cid(message(7)) == "00000000-1b58-788b-ae61-393c0120f94e"
