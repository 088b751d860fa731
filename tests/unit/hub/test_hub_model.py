"""The hub and the memory storage against a plain model: people come, go, send, resend, confirm and read at random.

The model knows the log and who is online. From these alone follows what every session must have been told.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.unit.hub.fakes import World
from tests.unit.hub.model import Device, Logged, Person, Visit, folded
from twocans.hub.account import Account
from twocans.hub.limits import Limits
from twocans.hub.session import Reason
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.messages import (
    History,
    HistoryQuery,
    Message,
    Read,
    Receipt,
    Synced,
    UserList,
)
from twocans.protocol.names import user_key

PEOPLE = ("ann", "Bob", "cy")
DEVICES = 2
LIMITS = Limits(page_bytes=4, list_delay_s=0.05)  # one or two messages to a page


class HubModel(RuleBasedStateMachine):
    """Random traffic, checked after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(LIMITS)
        self.people = {name: Person(name) for name in PEOPLE}
        self.devices = [Device(person) for person in self.people.values() for _ in range(DEVICES)]
        self.log: list[Logged] = []
        self.online: list[str] = []
        self.known: set[str] = set()
        self.plain: dict[str, Visit] = {}
        self.cids = 0

    @initialize()
    def everybody_is_known(self) -> None:
        """One device of each is there, so that something happens from the start."""
        for number in range(0, len(self.devices), DEVICES):
            self.comes(number=number, stalls=False, resumes=False)

    # --- what happens ------------------------------------------------------------------------------------

    @rule(number=st.integers(0, len(PEOPLE) * DEVICES - 1), stalls=st.booleans(), resumes=st.booleans())
    def comes(self, number: int, stalls: bool, resumes: bool) -> None:
        """A device registers, by its token if it has one."""
        device = self.devices[number]
        person = device.person
        if device.visit is not None:
            return
        after = device.cursor if resumes else None
        taken = person.name in self.online and (device.token is None or device.token != person.token)
        refused: Code | None = None
        try:
            session = self.world.json(
                person.name.upper(), token=device.token, after=after, log="log-1", stalls=stalls
            )
        except ProtocolError as error:
            refused = error.code
        assert refused == (Code.NAME_TAKEN if taken else None)
        if refused is not None:
            return
        welcome = session.welcome()
        assert (device.token == welcome.token) == (device.token is not None and device.token == person.token)
        person.token = device.token = welcome.token
        self._joined(person.name)
        assert welcome.users == self.shown(self.online)
        assert welcome.last == self.last(person.name)
        if after is None:
            device.visit = Visit(person, session, person.handed, False, welcome.last, plain=False)
        else:
            self._confirmed(person, after)
            device.visit = Visit(person, session, after, True, welcome.last, plain=False)

    @rule(name=st.sampled_from(PEOPLE), stalls=st.booleans())
    def comes_plain(self, name: str, stalls: bool) -> None:
        """Somebody comes with netcat."""
        person = self.people[name]
        refused: Code | None = None
        try:
            session = self.world.plain(name, stalls=stalls)
        except ProtocolError as error:
            refused = error.code
        assert refused == (Code.NAME_TAKEN if name in self.online else None)
        if refused is not None:
            return
        person.token = None
        self._joined(name)
        assert session.of(UserList)[0].users == self.shown(self.online)
        self.plain[name] = Visit(person, session, person.handed, False, self.last(name), plain=True)

    @rule(number=st.integers(0, len(PEOPLE) * DEVICES - 1), keeps=st.booleans())
    def goes(self, number: int, keeps: bool) -> None:
        """A device loses its connection; it may have kept what it was sent last, or not."""
        device = self.devices[number]
        if device.visit is None:
            return
        visit, device.visit = device.visit, None
        if keeps:
            device.cursor = self.cursor_of(visit, device)
        self.world.hub.leave(visit.session, Reason.CONNECTION_LOST)
        self._left(visit.person.name)

    @rule(name=st.sampled_from(PEOPLE), taken=st.integers(0, 5))
    def goes_plain(self, name: str, taken: int) -> None:
        """A plain connection ends after its machine has taken the first so many messages."""
        visit = self.plain.pop(name, None)
        if visit is None:
            return
        ids = visit.received()[:taken]
        visit.session.handed = ids[-1] if ids else 0
        visit.person.handed = max(visit.person.handed, visit.session.handed)
        self.world.hub.leave(visit.session, Reason.CONNECTION_LOST)
        self._left(name)

    @rule(number=st.integers(0, len(PEOPLE) * DEVICES - 1), to=st.sampled_from(PEOPLE))
    def sends(self, number: int, to: str) -> None:
        """A device sends something new."""
        device = self.connected(number)
        if device is None or device.visit is None or to not in self.known:
            return
        self.cids += 1
        session = device.visit.session
        before = len(session.acks())
        self.world.post(session, to.lower(), f"t{self.cids}", f"c{self.cids}")
        (ack,) = session.acks()[before:]
        assert ack.cid == f"c{self.cids}"
        assert ack.id > (self.log[-1].id if self.log else 0)
        logged = Logged(ack.id, device.person.name, to, f"t{self.cids}", ack.cid, device.visit)
        self.log.append(logged)
        device.sent.append(logged)

    @rule(name=st.sampled_from(PEOPLE), to=st.sampled_from(PEOPLE))
    def sends_plain(self, name: str, to: str) -> None:
        """Somebody with netcat sends something; the one id more than before is its own."""
        visit = self.plain.get(name)
        if visit is None or to not in self.known:
            return
        self.cids += 1
        self.world.post(visit.session, to, f"t{self.cids}", None)
        account = self.account(name)
        assert account.last > (self.log[-1].id if self.log else 0)
        self.log.append(Logged(account.last, name, to, f"t{self.cids}", "", Device(visit.person)))

    @rule(number=st.integers(0, len(PEOPLE) * DEVICES - 1), which=st.integers(0, 100), changed=st.booleans())
    def sends_again(self, number: int, which: int, changed: bool) -> None:
        """A device has missed an ACK, or gives an old cid to something new."""
        device = self.connected(number)
        if device is None or device.visit is None or not device.sent:
            return
        old = device.sent[which % len(device.sent)]
        session = device.visit.session
        acks, errors = len(session.acks()), len(session.errors())
        self.world.post(session, old.to, old.text + "!" * changed, old.cid)
        if changed:
            assert [error.code for error in session.errors()[errors:]] == [Code.CONFLICT]
            assert len(session.acks()) == acks
        else:
            assert [(ack.cid, ack.id) for ack in session.acks()[acks:]] == [(old.cid, old.id)]

    @rule(number=st.integers(0, len(PEOPLE) * DEVICES - 1), place=st.integers(0, 100))
    def got(self, number: int, place: int) -> None:
        """A device has made something safe."""
        device = self.connected(number)
        if device is None or device.visit is None or not (ids := device.visit.received()):
            return
        upto = ids[place % len(ids)]
        self.world.hub.got(device.visit.session, upto)
        self._confirmed(device.person, upto)

    @rule(
        number=st.integers(0, len(PEOPLE) * DEVICES - 1),
        peer=st.sampled_from(PEOPLE),
        upto=st.integers(0, 40),
    )
    def reads(self, number: int, peer: str, upto: int) -> None:
        """Somebody has read, or says so."""
        device = self.connected(number)
        if device is None or device.visit is None or peer not in self.known:
            return
        self.world.hub.read(device.visit.session, Read(peer=peer, id=upto))
        upto = min(upto, self.last(device.person.name))
        self._confirmed(device.person, upto)
        device.person.read[peer] = max(upto, device.person.read.get(peer, 0))

    @rule(number=st.integers(0, len(PEOPLE) * DEVICES - 1))
    def drains(self, number: int) -> None:
        """A slow reader has fetched what was there."""
        for visit in self.visits():
            if visit.person is self.devices[number].person:
                visit.session.drain()

    @rule()
    def time_passes(self) -> None:
        """After the last change, every plain reader has the right list."""
        self.world.clock.advance(1.0)
        for visit in self.plain.values():
            assert visit.session.of(UserList)[-1].users == self.shown(self.online)

    @precondition(lambda self: self.log)
    @rule(
        number=st.integers(0, len(PEOPLE) * DEVICES - 1),
        peer=st.sampled_from(PEOPLE),
        limit=st.integers(1, 4),
    )
    def looks_back(self, number: int, peer: str, limit: int) -> None:
        """A walk through HISTORY gives the whole conversation once."""
        device = self.connected(number)
        if device is None or device.visit is None or peer not in self.known:
            return
        session = device.visit.session
        walked: list[int] = []
        before: int | None = None
        while True:
            self.world.hub.queries.history(
                session, HistoryQuery(peer=peer, rid=1, before=before, limit=limit)
            )
            page = session.of(History)[-1]
            walked = [*(message.id for message in page.messages), *walked]
            if not page.more:
                break
            before = walked[0]
        both = {device.person.name, peer}
        assert walked == [logged.id for logged in self.log if {logged.sender, logged.to} == both]

    # --- what must hold ----------------------------------------------------------------------------------

    @invariant()
    def every_inbox_is_in_order_without_doubles_or_holes(self) -> None:
        """What was told is what the log holds for this session; all of it once the backlog is through."""
        for visit in self.visits():
            received = visit.received()
            assert received == sorted(set(received))
            expected = self.expected(visit)
            assert set(received) <= expected
            if visit.up_to_date:
                assert set(received) == expected

    @invariant()
    def messages_say_what_was_sent(self) -> None:
        """No message is mixed up with another."""
        by_id = {logged.id: logged for logged in self.log}
        for visit in self.visits():
            for message in visit.session.of(Message):
                logged = by_id[message.id]
                assert (message.text, message.to.casefold()) == (logged.text, logged.to.casefold())
                assert message.sender.casefold() == logged.sender.casefold()

    @invariant()
    def synced_comes_once_after_the_backlog(self) -> None:
        """And says where the inbox stands."""
        for visit in self.visits():
            synced = visit.session.of(Synced)
            assert len(synced) == (visit.up_to_date and not visit.plain)
            for one in synced:
                assert one.last >= visit.began_at

    @invariant()
    def changes_folded_over_the_welcome_give_who_is_online(self) -> None:
        """JOINED and LEFT are enough to know, order included."""
        assert self.world.hub.roster.names() == self.shown(self.online)
        for visit in self.visits():
            if visit.plain:
                continue
            # What is being gathered still is told at the latest when somebody new writes to it.
            self.world.hub.roster.catch_up(visit.session)
            users: list[str] = []
            for frame in visit.session.told:
                users = folded(users, frame)
            assert users == self.shown(self.online)

    @invariant()
    def receipts_only_grow(self) -> None:
        """And never tell more than the peer has confirmed."""
        for visit in self.visits():
            latest: dict[str, Receipt] = {}
            for receipt in visit.session.of(Receipt):
                before = latest.get(receipt.peer)
                if before is not None:
                    assert receipt.delivered >= before.delivered
                    assert receipt.read >= before.read
                latest[receipt.peer] = receipt
                peer = self.person(receipt.peer)
                assert receipt.read <= receipt.delivered <= peer.delivered
                assert receipt.read <= peer.read.get(visit.person.name, 0)

    @invariant()
    def marks_are_those_of_the_model(self) -> None:
        """`last`, `delivered`, `handed` and the read marks follow from what happened."""
        for name in self.known:
            account, person = self.account(name), self.people[name]
            assert account.last == self.last(name)
            assert account.delivered == person.delivered
            assert account.handed == person.handed
            assert account.delivered <= account.handed <= account.last
            for peer, upto in person.read.items():
                assert account.read.get(user_key(peer), 0) == upto

    # --- the model ---------------------------------------------------------------------------------------

    def connected(self, number: int) -> Device | None:
        """One of the devices that are here."""
        here = [device for device in self.devices if device.visit is not None]
        return here[number % len(here)] if here else None

    def visits(self) -> list[Visit]:
        """All sessions that are open."""
        return [*(device.visit for device in self.devices if device.visit is not None), *self.plain.values()]

    def expected(self, visit: Visit) -> set[int]:
        """The ids that a session must be told once it is up to date, and no others."""
        name = visit.person.name
        return {
            logged.id
            for logged in self.log
            if logged.id > visit.after
            and logged.involves(name)
            and logged.session is not visit
            # What another device sends while or after this one caught up is told too.
            and (logged.to == name or visit.own or (not visit.plain and logged.id > visit.began_at))
        }

    def last(self, name: str) -> int:
        """The newest id of an inbox."""
        return max((logged.id for logged in self.log if logged.involves(name)), default=0)

    def cursor_of(self, visit: Visit, device: Device) -> int:
        """The last id that a client has processed when it keeps everything it was told."""
        if visit.up_to_date:
            own = [logged.id for logged in device.sent]
            return max([visit.began_at, visit.after, *visit.received(), *own])
        return max([device.cursor or 0, *visit.received()]) if visit.own else device.cursor or 0

    def shown(self, names: list[str]) -> list[str]:
        """The names as they are shown: as first registered."""
        return [self.account(name).name for name in names]

    def account(self, name: str) -> Account:
        """The hub's account."""
        account = self.world.hub.roster.get(user_key(name))
        assert account is not None
        return account

    def person(self, shown: str) -> Person:
        """The model's person."""
        return next(person for name, person in self.people.items() if name.casefold() == shown.casefold())

    def _joined(self, name: str) -> None:
        self.known.add(name)
        if name not in self.online:
            self.online.append(name)

    def _left(self, name: str) -> None:
        if name not in self.plain and all(
            device.visit is None for device in self.devices if device.person.name == name
        ):
            self.online.remove(name)

    def _confirmed(self, person: Person, upto: int) -> None:
        upto = min(upto, self.last(person.name))
        if upto > person.delivered:
            person.delivered = upto
            person.handed = max(person.handed, upto)


TestHubModel = HubModel.TestCase
TestHubModel.settings = settings(max_examples=80, stateful_step_count=60, deadline=None)
