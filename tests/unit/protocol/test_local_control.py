"""What a server and the programs of its user tell each other: all of it can be read back, and nothing else is taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twocans.protocol.local_control import (
    Asked,
    NotStarted,
    Running,
    RunningInvalid,
    Started,
    Status,
    Why,
    Wish,
    decode_answer,
    decode_asked,
    decode_report,
    decode_running,
    decode_status,
    encode,
)
from twocans.protocol.messages import Status as PresenceStatus
from twocans.protocol.operator import (
    AddBan,
    BanEntry,
    BanList,
    BanTarget,
    CodeGiven,
    Connected,
    DeviceList,
    Done,
    FreeName,
    GiveCode,
    Kick,
    LiftBan,
    ListBans,
    ListDevices,
    ListPeople,
    OwnedDevice,
    People,
    Person,
    Refused,
    Say,
)

RUNNING = Running(
    pid=7,
    host="0.0.0.0",  # noqa: S104 - nothing is bound
    port=5050,
    key="ab" * 32,
    started_at=1,
    background=True,
    control=40000,
    secret="s" * 64,
)
COMMANDS = (
    ListPeople(find="al"),
    Kick(name="alice", reason="shouting"),
    AddBan(target=BanTarget.ADDRESS, value="10.0.0.1"),
    LiftBan(target=BanTarget.DEVICE, value="4KQF-2M4T"),
    ListBans(),
    Say(text="Tea\nis ready"),
    ListDevices(name="alice"),
    GiveCode(name="alice"),
    FreeName(name="alice"),
)
ANSWERS = (
    People(
        people=(
            Person(
                name="alice",
                status=PresenceStatus.AWAY,
                owned=True,
                sessions=(Connected(address="10.0.0.1", since=1, encrypted=True, device="laptop", key="K"),),
                session_count=1,
            ),
        ),
        total=1,
    ),
    BanList(bans=(BanEntry(target=BanTarget.NAME, value="bob", reason="", at=1),), total=1),
    DeviceList(
        name="alice",
        devices=(OwnedDevice(key="K", name="laptop", created=1, seen=2, online=False),),
        password=True,
    ),
    CodeGiven(name="alice", code="ABCD-1234", valid_s=600),
    Done(text="bob was kicked."),
    Refused(text="bob is not online."),
)


def test_a_server_of_an_earlier_version_takes_no_commands() -> None:
    assert not decode_status(b'{"online":1,"addresses":[]}').commands


def test_all_that_is_said_can_be_read_back() -> None:
    assert decode_running(encode(RUNNING)) == RUNNING
    for report in (Started(), NotStarted(why=Why.PORT_TAKEN, text="Port 5050 is taken", port=5050)):
        assert decode_report(encode(report)) == report
    asked = Asked(secret="s", wish=Wish.STOP)
    assert decode_asked(encode(asked)) == asked
    status = Status(online=3, addresses=("192.168.1.5",))
    assert decode_status(encode(status)) == status
    for command in COMMANDS:
        asked = Asked(secret="s", wish=Wish.COMMAND, command=command)
        assert decode_asked(encode(asked)) == asked
    for answer in ANSWERS:
        assert decode_answer(encode(answer)) == answer
    for line in (encode(RUNNING), encode(asked), encode(status)):
        assert line.count(b"\n") == 1
        assert line.endswith(b"\n")


@pytest.mark.parametrize(
    "change",
    [
        (b'"port":5050', b'"port":0'),
        (b'"port":5050', b'"port":65536'),
        (b'"pid":7', b'"pid":"7"'),
        (b"ab" * 32, b"ab" * 31),
        (b"ab" * 32, b"AB" * 32),
        (b"s" * 64, b"s"),
        (b'"control":40000,', b""),
        (b"}", b""),
    ],
)
def test_a_file_that_is_not_whole_is_refused(change: tuple[bytes, bytes]) -> None:
    before = encode(RUNNING)
    assert before.replace(*change) != before
    with pytest.raises(RunningInvalid):
        decode_running(before.replace(*change))


@given(st.binary(max_size=200))
@pytest.mark.parametrize(
    "decode", [decode_running, decode_report, decode_asked, decode_status, decode_answer]
)
def test_whatever_else_comes_is_refused(decode: object, line: bytes) -> None:
    assert callable(decode)
    with pytest.raises(RunningInvalid):
        decode(line)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(RunningInvalid):
        decode_asked(b'{"secret":' * 100_000)
