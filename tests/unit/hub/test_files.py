"""Tickets: given to whom they are due, worth something for a time, and what is refused is refused with a sentence."""

from __future__ import annotations

import pytest

from tests.unit.hub.fakes import FakeSession, World
from twocans.hub.files import LINK_S, NotGranted
from twocans.hub.limits import Limits
from twocans.hub.session import Reason
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.messages import DownloadQuery, Error, FileRef, Hello, Message, Send, Ticket, UploadQuery
from twocans.protocol.names import UserKey
from twocans.storage.files import TICKET_S, Carried, OnCarried, OnOffset, Unkept
from twocans.storage.identities import BanKind

REPORT = FileRef("ab" * 32, 1000)
ALICE = UserKey("alice")
HERE = "192.168.1.5"


class FakeFiles:
    """Answers what the test says, at once or when the test wants it."""

    def __init__(self) -> None:
        self.secret = b"s" * 32
        self.totals = (0, 0)
        self.come: int | Unkept = 0
        self.carries: Carried | Unkept = Carried(REPORT, "report.pdf")
        self.waits = False
        self.asked: list[tuple[UserKey, FileRef | int]] = []
        self._late: list[tuple[OnOffset, int | Unkept]] = []

    def offset(self, user: UserKey, file: FileRef, on_offset: OnOffset) -> None:
        """See `FileKeeper.offset`."""
        self.asked.append((user, file))
        if self.waits:
            self._late.append((on_offset, self.come))
        else:
            on_offset(self.come)

    def carried(self, user: UserKey, id_: int, on_carried: OnCarried) -> None:
        """See `FileKeeper.carried`."""
        self.asked.append((user, id_))
        on_carried(self.carries)

    def answer(self) -> None:
        """Give the answers that are waited for."""
        late, self._late = self._late, []
        for on_offset, come in late:
            on_offset(come)


@pytest.fixture
def files() -> FakeFiles:
    """What is kept of files."""
    return FakeFiles()


@pytest.fixture
def world(files: FakeFiles) -> World:
    """A hub that takes files of up to a kilobyte."""
    return World(Limits(max_file_bytes=1000), files=files)


def ticket(session: FakeSession) -> Ticket:
    (given,) = session.of(Ticket)
    return given


def upload(world: World, session: FakeSession, file: FileRef = REPORT) -> None:
    world.hub.files.upload(session, UploadQuery(hash=file.hash, size=file.size, rid=1))


def test_ticket_for_bringing_says_how_much_has_come(world: World, files: FakeFiles) -> None:
    files.come = 300
    alice = world.json("Alice")
    upload(world, alice)
    given = ticket(alice)
    assert (given.rid, given.offset, given.valid_s) == (1, 300, TICKET_S)
    grant = world.hub.files.granted(given.ticket, fetching=False, host=HERE)
    assert (grant.user, grant.file, grant.id) == (ALICE, REPORT, None)
    assert files.asked == [(ALICE, REPORT)]
    assert len(given.ticket) <= 512


def test_ticket_of_the_longest_name_fits(world: World) -> None:
    somebody = world.json("\N{CJK UNIFIED IDEOGRAPH-9F98}" * 32)
    upload(world, somebody)
    assert len(ticket(somebody).ticket) <= 512


def test_ticket_for_fetching_is_for_that_message(world: World) -> None:
    alice = world.json("alice")
    world.hub.files.download(alice, DownloadQuery(id=7, rid="x"))
    given = ticket(alice)
    assert (given.rid, given.offset) == ("x", 0)
    grant = world.hub.files.granted(given.ticket, fetching=True, host=HERE)
    assert (grant.user, grant.file, grant.id) == (ALICE, REPORT, 7)


def test_ticket_is_worth_nothing_once_its_time_is_over_or_its_owner_banned(world: World) -> None:
    alice = world.json("alice")
    upload(world, alice)
    given = ticket(alice).ticket
    world.clock.advance(TICKET_S - 1)
    world.hub.files.granted(given, fetching=False, host=HERE)
    world.hub.ban(BanKind.NAME, "alice", "enough", lambda _: None)
    with pytest.raises(NotGranted, match="banned from this server: enough"):
        world.hub.files.granted(given, fetching=False, host=HERE)
    world.hub.bans.remove(BanKind.NAME, "alice", lambda _: None)
    world.clock.advance(1)
    with pytest.raises(NotGranted, match="too old"):
        world.hub.files.granted(given, fetching=False, host=HERE)


def test_link_is_good_for_a_day(world: World) -> None:
    message = Message(3, 1, "bob", "alice", "report.pdf", "c1", REPORT)
    text = world.hub.files.linked(world.plain("alice"), message, REPORT, "http://10.0.0.1:5050").text
    assert text.startswith("report.pdf (1.0 KB) http://10.0.0.1:5050/files/")
    link, _, name = text.rpartition("/files/")[2].partition("/")
    assert name == "report.pdf"
    world.clock.advance(LINK_S - 1)
    assert world.hub.files.granted(link, fetching=True, host=HERE).id == 3
    world.clock.advance(1)
    with pytest.raises(NotGranted):
        world.hub.files.granted(link, fetching=True, host=HERE)


def test_ticket_of_another_server_is_worth_nothing(world: World) -> None:
    others = FakeFiles()
    others.secret = b"t" * 32
    other = World(files=others)
    alice = other.json("alice")
    upload(other, alice)
    with pytest.raises(NotGranted, match="not valid on this server"):
        world.hub.files.granted(ticket(alice).ticket, fetching=False, host=HERE)


@pytest.mark.parametrize("why", list(Unkept))
def test_refusal_is_a_sentence_and_the_next_question_may_be_asked(
    world: World, files: FakeFiles, why: Unkept
) -> None:
    files.come = files.carries = why
    alice = world.json("alice")
    upload(world, alice)
    world.hub.files.download(alice, DownloadQuery(id=7, rid=2))
    first, second = alice.of(Error)
    assert (first.rid, second.rid) == (1, 2)
    assert first.text.endswith(".")
    assert not alice.asking


def test_one_question_at_a_time_and_none_for_who_has_left(world: World, files: FakeFiles) -> None:
    files.waits = True
    alice = world.json("alice")
    upload(world, alice)
    assert alice.asking
    world.hub.leave(alice, Reason.LEFT)
    files.answer()
    assert not alice.asking


@pytest.mark.parametrize("size", [1001, 2**63 - 1])
def test_larger_file_is_refused_before_anything_is_asked(world: World, files: FakeFiles, size: int) -> None:
    alice = world.json("alice")
    large = FileRef("cd" * 32, size)
    with pytest.raises(ProtocolError, match=r"at most 1\.0 KB") as refused:
        upload(world, alice, large)
    assert (refused.value.code, refused.value.rid) == (Code.FILE_TOO_LARGE, 1)
    with pytest.raises(ProtocolError) as refused:
        world.hub.files.post(alice, Send("alice", "x", "c1", large))
    assert (refused.value.code, refused.value.cid) == (Code.FILE_TOO_LARGE, "c1")
    assert files.asked == []


@pytest.mark.parametrize("max_bytes", [0, 1000])
def test_hub_without_files_says_so(max_bytes: int) -> None:
    files = FakeFiles() if max_bytes == 0 else None
    world = World(Limits(max_file_bytes=max_bytes), files=files)
    alice = world.json("alice")
    assert alice.welcome().limits.file_bytes == 0
    with pytest.raises(ProtocolError, match="accept files") as refused:
        upload(world, alice)
    assert refused.value.code is Code.FILE_TOO_LARGE


def test_nobody_brings_or_sends_a_file_before_saying_who_they_are(world: World) -> None:
    nobody = world.session()
    with pytest.raises(ProtocolError) as refused:
        upload(world, nobody)
    assert refused.value.code is Code.NOT_REGISTERED
    with pytest.raises(ProtocolError) as refused:
        world.hub.files.download(nobody, DownloadQuery(id=1, rid=1))
    assert refused.value.code is Code.NOT_REGISTERED
    with pytest.raises(ProtocolError) as refused:
        world.hub.files.post(nobody, Send("alice", "x", "c1", REPORT))
    assert refused.value.code is Code.NOT_REGISTERED


def test_message_with_a_file_reaches_all_devices_of_both(world: World) -> None:
    alice, other, bob = world.json("alice"), world.session(), world.json("bob")
    world.hub.register_json(other, Hello(user="alice", agent="test", token=alice.welcome().token))
    world.hub.files.post(alice, Send("bob", "report.pdf", "c1", REPORT))
    (ack,) = alice.acks()
    for session in (other, bob):
        (message,) = session.of(Message)
        assert (message.id, message.file) == (ack.id, REPORT)


def test_message_with_a_file_counts_as_any(files: FakeFiles) -> None:
    world = World(Limits(stored_messages_per_sender=1), files=files)
    alice = world.json("alice")
    world.hub.files.post(alice, Send("alice", "report.pdf", "c1", REPORT))
    world.hub.files.post(alice, Send("alice", "report.pdf", "c2", REPORT))
    assert [error.code for error in alice.errors()] == [Code.RATE_LIMITED]


def test_message_with_a_file_needs_a_recipient(world: World) -> None:
    alice = world.json("alice")
    with pytest.raises(ProtocolError) as refused:
        world.hub.files.post(alice, Send("zed", "report.pdf", "c1", REPORT))
    assert (refused.value.code, refused.value.cid) == (Code.NO_SUCH_USER, "c1")
