"""A client whose server says whatever it likes, and the window's model that hears of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Coroutine, Iterator
from typing import Final

from hypothesis import strategies as st

from tests.fuzz.grammar import JSON_WORDS, frames, streams
from tests.fuzz.target import Target, arriving, option, pieces
from tests.unit.client.sessions import INTRODUCTION, Harness, message, welcome
from twocans.client import Page
from twocans.client.outbox import Outgoing
from twocans.client.requests import Answer
from twocans.client.session import Session, State
from twocans.client.timing import Position
from twocans.gui.backend import history
from twocans.gui.transcript.dates import local_moment
from twocans.gui.viewmodel import ViewModel
from twocans.gui.viewmodel.effects import (
    Connect,
    FindPeople,
    LoadChats,
    LoadHistory,
    MarkRead,
    SearchMessages,
    SendMessage,
)
from twocans.gui.viewmodel.inputs import (
    ChatsLoaded,
    FromClient,
    HistoryLoaded,
    Input,
    PeopleFound,
    ResultsLoaded,
)
from twocans.gui.viewmodel.state import Clock
from twocans.protocol import json
from twocans.protocol.errors import ProtocolError
from twocans.protocol.messages import (
    FROM_SERVER,
    Ack,
    Chat,
    Chats,
    ChatsQuery,
    Error,
    FindQuery,
    Found,
    History,
    HistoryQuery,
    Joined,
    Left,
    Message,
    Receipt,
    Results,
    SearchQuery,
    Synced,
    TypingFrom,
)


def check_session(data: bytes) -> None:
    """Whatever the server says ends the connection at worst; the client says only what a server understands."""
    variant, data = option(data)
    client = Harness(position=Position(after=3, log="log-1") if variant & 1 else None)
    client.session.connected(INTRODUCTION)
    if variant & 2:
        client.say(welcome(), Synced(last=0))
    for number, (what, chunk) in enumerate(pieces(data)):
        match what:
            case 1:
                client.clock.turn(15.0)
            case 2:
                client.session.send(Outgoing(f"c{number}", "bob", "hi"))
            case 3:
                client.session.ask(lambda rid: HistoryQuery(peer="bob", rid=rid))
            case 4:
                client.session.read("bob", number)
            case 5 if client.session.state is State.ENDED:
                client.drop()
                client.session.connected(INTRODUCTION)
            case _:
                pass
        client.session.tick()
        client.session.receive(chunk)
        client.session.take_events()
        client.session.take_answers()
        _says_what_is_understood(client.session)
    client.session.leave()
    _says_what_is_understood(client.session)
    assert client.session.unsaid_bytes == 0
    client.drop()
    client.session.connected(INTRODUCTION)
    _says_what_is_understood(client.session)


def _says_what_is_understood(session: Session) -> None:
    said = bytearray()
    while part := session.take_bytes():
        said += part
    for line in bytes(said).split(b"\n")[:-1]:
        assert len(line) <= 64 * 1024
        json.decode_client(line)


class _Window:
    """A view-model over a session, with what the backend does in between."""

    def __init__(self) -> None:
        self.client = Harness()
        clock = Clock(self.client.clock, lambda: round(self.client.clock.now * 1000), local_moment)
        cids = (f"cid-{number}" for number in itertools.count(1))
        self.vm = ViewModel(clock, lambda: next(cids), lambda _: None, user="alice")
        self._asked: dict[object, Callable[[Answer], Input | None]] = {}

    @property
    def login(self) -> int:
        """Which login this is."""
        return self.vm.form.session

    def turn(self) -> None:
        """Hand events and answers over, and do what the window asks for."""
        for event in self.client.session.take_events():
            self.vm.handle(FromClient(self.login, event))
        for answer in self.client.session.take_answers():
            loaded = self._asked.pop(answer.rid, None)
            what = None if loaded is None else loaded(answer)
            if what is not None:
                self.vm.handle(what)
        for effect in self.vm.take().effects:
            match effect:
                case Connect():
                    self.client.session.connected(INTRODUCTION)
                case SendMessage(to=to, text=text, cid=cid):
                    self.client.session.send(Outgoing(cid, to, text))
                case MarkRead(peer, upto):
                    self.client.session.read(peer, upto)
                case LoadHistory(peer, before):
                    self._ask_history(peer, before)
                case LoadChats():
                    rid = self.client.session.ask(lambda rid: ChatsQuery(rid=rid))
                    self._asked[rid] = self._chats
                case FindPeople(prefix):
                    self._ask_people(prefix)
                case SearchMessages():
                    self._ask_search(effect)
                case _:
                    pass
        self.look()

    def look(self) -> None:
        """Read all that is drawn."""
        vm = self.vm
        _ = (
            vm.title,
            vm.banner,
            vm.people,
            vm.header,
            vm.composer,
            vm.bubbles,
            vm.empty_text,
            vm.next_tick_s,
        )

    def _ask_history(self, peer: str, before: int | None) -> None:
        def loaded(answer: Answer) -> Input:
            reply = answer.reply
            if isinstance(reply, History):
                return HistoryLoaded(self.login, peer, before, tuple(reply.messages), reply.more)
            return HistoryLoaded(self.login, peer, before, None)

        rid = self.client.session.ask(lambda rid: HistoryQuery(peer=peer, rid=rid, before=before))
        self._asked[rid] = loaded

    def _ask_search(self, asked: SearchMessages) -> None:
        def loaded(answer: Answer) -> Input:
            reply = answer.reply
            if isinstance(reply, Results):
                return ResultsLoaded(self.login, asked.number, tuple(reply.messages), reply.more)
            return ResultsLoaded(self.login, asked.number, None, problem="no")

        query, peer, before = asked.query, asked.peer, asked.before
        rid = self.client.session.ask(lambda rid: SearchQuery(query=query, rid=rid, peer=peer, before=before))
        self._asked[rid] = loaded

    def _chats(self, answer: Answer) -> Input | None:
        return ChatsLoaded(self.login, tuple(answer.reply.chats)) if isinstance(answer.reply, Chats) else None

    def _ask_people(self, prefix: str) -> None:
        def loaded(answer: Answer) -> Input | None:
            reply = answer.reply
            return PeopleFound(self.login, prefix, tuple(reply.users)) if isinstance(reply, Found) else None

        self._asked[self.client.session.ask(lambda rid: FindQuery(prefix=prefix, rid=rid))] = loaded


def check_window(data: bytes) -> None:
    """The same behind a window, which shows it, and goes on asking."""
    window = _Window()
    vm = window.vm
    vm.connect()
    window.turn()
    window.client.session.receive(b"".join(map(json.encode, (welcome(), Synced(last=0)))))
    window.turn()
    vm.open("bob")
    for what, chunk in pieces(data):
        match what:
            case 1:
                window.client.clock.turn(25.0)
                vm.tick()
            case 2:
                vm.set_draft("hello")
                vm.send()
            case 3:
                vm.move(1)
                vm.open_selected()
            case 4:
                vm.near_top()
            case 5:
                vm.search("b")
            case 6:
                vm.find(everywhere=True)
                vm.type_to_find("hi")
            case 7:
                vm.open_found(0)
                vm.more_found()
            case _:
                pass
        window.client.session.receive(chunk)
        window.turn()
        ending = window.client.session.ending
        if ending is not None:
            window.client.session.offline(ending, 1.0)
            window.turn()
            window.client.session.connected(INTRODUCTION)


class _Pages:
    """A server's answers to questions for pages, one after another."""

    def __init__(self, pages: Iterator[Page]) -> None:
        self._pages = pages
        self.asked = 0

    async def history_page(self, peer: str, *, before: int | None = None, limit: int = 50) -> Page:
        """The next answer, whatever was asked."""
        self.asked += 1
        return next(self._pages, Page((), more=False))


def check_pages(data: bytes) -> None:
    """Any pages make an answer, after a bounded number of questions."""
    after, data = option(data)
    for find in (history.newer, history.around):
        pages = _Pages(_pages(data))
        _finish(find(pages, "bob", after))
        assert pages.asked < 100


def _pages(data: bytes) -> Iterator[Page]:
    for line in data.split(b"\n"):
        try:
            frame = json.decode_server(line)
        except ProtocolError:
            continue
        if isinstance(frame, History):
            yield Page(tuple(frame.messages), frame.more)


def _finish(coroutine: Coroutine[object, None, object]) -> None:
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits for something that is no page")


_said = [
    message(1),
    message(2, text="hi\nthere"),
    message(3, sender="alice", to="bob"),
    message(2**62, sender="eve"),  # at a time that no calendar has
    Message(id=4, at=-(10**18), sender="bob", to="alice", text="long ago", cid=""),
]
_apt = st.sampled_from(
    [
        welcome(),
        welcome(user="ALICE", log="other", users=("bob", "Bob", "ＢＯＢ", "")),
        Synced(last=0),
        Synced(last=2**62),
        *_said,
        Ack(cid="c0", id=9, at=-5),
        Ack(cid="cid-1", id=9, at=10**18),
        Error(code="bad_request", text="no", cid="c1"),
        Error(code="internal", text="no", rid=1),
        Receipt(peer="bob", delivered=2**63 - 1, read=5),
        TypingFrom(sender="bob"),
        Joined(user="eve"),
        Joined(user=""),
        Left(user="bob"),
        Left(user="alice"),
        *(History(rid=rid, messages=_said[: rid % 4], more=True) for rid in range(1, 5)),
        *(History(rid=rid, messages=_said[::-1], more=False) for rid in range(1, 5)),
        *(
            Chats(rid=rid, chats=[Chat("bob", _said[0], -7), Chat("bob", _said[2], 10**9)])
            for rid in range(1, 5)
        ),
        *(Results(rid=rid, messages=_said, more=True) for rid in range(1, 5)),
        *(Found(rid=rid, users=["bob", "bob", ""]) for rid in range(1, 5)),
    ]
).map(json.encode)
_streams = st.one_of(streams(_apt), streams(_apt, frames(*FROM_SERVER)))
_pages_given = st.builds(
    lambda rid, messages, more: json.encode(History(rid=rid, messages=messages, more=more)),
    st.just(1),
    st.lists(st.sampled_from(_said), max_size=3),
    st.booleans(),
)


def _with_option(inputs: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.builds(lambda variant, rest: bytes([variant]) + rest, st.integers(0, 255), inputs)


TARGETS: Final = (
    Target("session", check_session, _with_option(arriving(_streams)), JSON_WORDS),
    Target("window", check_window, arriving(_streams), JSON_WORDS),
    Target("pages", check_pages, _with_option(streams(_pages_given, frames(History))), JSON_WORDS),
)
