"""Drives `session` over asyncio: connects, moves bytes, keeps time, and connects again after a loss."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Final, Protocol

from twocans.client import sentences
from twocans.client.address import Address
from twocans.client.backoff import Backoff
from twocans.client.codes import ErrorCode
from twocans.client.credentials import Credentials
from twocans.client.errors import ConnectFailed, ConnectionEnded, MessageNotSent
from twocans.client.events import Event, Loss, MessageRefused, MessageStored, Online
from twocans.client.link import AttemptFailed, Link, NotEncrypted, Where, open_link
from twocans.client.requests import Reply
from twocans.client.session import Session
from twocans.client.stream import EventStream
from twocans.client.timing import Clock, Ending, Introduction, Timers
from twocans.protocol.keys import ServerKey
from twocans.protocol.messages import Error, Rid

MAX_EVENTS: Final = 1000
"""With so many events not taken yet, nothing more is read from the server until half of them are.

Those with long texts count as several: see `stream.weight`.
"""

MAX_EVENTS_AWAITED: Final = 20_000
"""The same while the program waits for an answer, which comes after them; then the waiting is given up."""

MAX_UNSAID_BYTES: Final = 256 * 1024
"""With so many bytes that the server does not take, nothing more is read: it would have to be answered too."""

CLOSE_S: Final = 2.0
"""How long a goodbye may take, in seconds."""

LONGEST_TICK_S: Final = 5.0
"""How long the clock goes unread at most, so that a sleep of the machine is noticed."""

_SHORTEST_TICK_S: Final = 0.02

Result = MessageStored | MessageRefused


class Observer(Protocol):
    """What goes along with the connection."""

    def happened(self, event: Event) -> None:
        """Something has happened; called before the program hears of it."""
        ...

    def ended(self) -> None:
        """There will be no connection any more."""
        ...


class Driver:
    """The connection of one client, over all its losses.

    Args:
        session: what is said.
        address: where the server is.
        credentials: which server it has to be, and what proves to it who one is.
        timers: how long things may take.
        clock: the time, in seconds.
        random: for the pauses between attempts.
    """

    def __init__(
        self,
        session: Session,
        address: Address,
        credentials: Credentials,
        *,
        timers: Timers,
        clock: Clock,
        random: Random,
    ) -> None:
        self.stream = EventStream(self._taken)
        self.observer: Observer | None = None
        self._session = session
        self._address = address
        self._credentials = credentials
        self._timers = timers
        self._clock = clock
        self._backoff = Backoff(first_s=timers.retry_first, most_s=timers.retry_max, random=random)
        self._answers: dict[Rid, asyncio.Future[Reply]] = {}
        self._results: dict[str, list[asyncio.Future[Result]]] = {}
        self._online_at = 0.0
        self._link: Link | None = None
        self._greeted: asyncio.Future[Online] | None = None
        self._over: asyncio.Future[Ending] | None = None
        self._task: asyncio.Task[Online] | asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._turn_is_due = False
        self._program_is_slow = False
        self._retry_now = asyncio.Event()
        self._closing = False
        self._closed = asyncio.Event()
        self._started = False
        self._lost: ConnectionEnded | None = None
        self._draining: set[asyncio.Future[None]] = set()

    # --- from the first connection to the last ------------------------------------------------------------

    async def start(self) -> Online:
        """Connect for the first time.

        Raises:
            ConnectFailed: it did not work; nothing is retried.
            RuntimeError: it is connected, or closed, already.
        """
        if self._task is not None or self._closing:
            raise RuntimeError("a client connects once, and not after it was closed")
        attempt = asyncio.create_task(self._attempt(), name="twocans: connect")
        self._task = attempt
        try:
            online = await attempt
        except AttemptFailed as failed:
            self._task = None
            ending = self._credentials.explained(failed.ending)
            await self._forget_if_revoked(ending)
            raise ConnectFailed(
                ending.loss,
                ending.text,
                ending.code,
                needs=ending.needs,
                key=ending.key,
                known_key=ending.known_key,
            ) from None
        except asyncio.CancelledError:
            self._task = None
            # Cancelled by close(), not from outside: then the caller is to know, not to end.
            task = asyncio.current_task()
            if self._closing and task is not None and not task.cancelling():
                raise ConnectFailed(Loss.LOST, sentences.CLOSED) from None
            raise
        if self._closing:
            raise ConnectFailed(Loss.LOST, sentences.CLOSED)
        self._started = True
        self._task = asyncio.create_task(self._stay_connected(), name="twocans: stay connected")
        return online

    @property
    def is_started(self) -> bool:
        """True once events can be waited for: from the first connection on, and after `close`."""
        return self._started or self.stream.ended

    @property
    def lost(self) -> ConnectionEnded | None:
        """Why there is no connection for good; None while there may be one, and after `close`."""
        task = self._task
        if (
            self._lost is None
            and not self._closing
            and task is not None
            and task.done()
            and not task.cancelled()
        ):
            self._lost = ConnectionEnded(Loss.LOST, sentences.UNEXPECTED)
            self._lost.__cause__ = task.exception()
        return self._lost

    @property
    def where(self) -> Where | None:
        """Whom the client is connected to; None while the user is not let in."""
        link = self._link
        if link is None or not self._session.is_online:
            return None
        return link.where

    def retry(self) -> None:
        """Skip the pause before the next attempt."""
        self._retry_now.set()

    async def close(self) -> None:
        """Say goodbye and end the stream; within `CLOSE_S` seconds. Any number of times."""
        if self._closing:
            await self._closed.wait()
            return
        self._closing = True
        try:
            if self._task is not None and not self._task.done():
                self._task.cancel()
                await asyncio.wait({self._task})
            link = self._link
            if link is not None:
                self._session.leave()
                self._publish()
                link.write(self._session.take_bytes())
                await link.finish(within_s=CLOSE_S)
        finally:
            self._drop_link()
            self._end()
            self._closed.set()

    async def _stay_connected(self) -> None:
        try:
            while self._over is not None:
                ending = await self._over
                self._backoff.connected_for(self._clock() - self._online_at)
                await self._reconnect(ending)
        finally:
            if not self._closing:
                self._drop_link()
                self._end()

    async def _reconnect(self, ending: Ending) -> None:
        """Try until it works; if it makes no sense, there is no connection afterwards."""
        lost = ending.text
        while True:
            self._drop_link()
            pause_s = self._backoff.next_s() if ending.again else None
            self._retry_now.clear()
            self._session.offline(ending, pause_s)
            self._publish()
            if pause_s is None:
                self._over = None
                self._lost = ConnectionEnded(ending.loss, ending.text, ending.code)
                await self._forget_if_revoked(ending)
                return
            try:
                async with asyncio.timeout(pause_s):
                    await self._retry_now.wait()
            except TimeoutError:
                pass
            try:
                await self._attempt()
            except AttemptFailed as failed:
                ending = sentences.not_connected_again(lost, failed.ending)
            else:
                return

    async def _attempt(self) -> Online:
        """Connect, and wait until the server has let the user in.

        Raises:
            AttemptFailed: it did not work.
        """
        loop = asyncio.get_running_loop()
        greeted: asyncio.Future[Online] = loop.create_future()
        self._greeted = greeted
        self._over = loop.create_future()
        try:
            key = await self._introduce()
            online = await greeted
            await self._credentials.welcomed(key, self._session.token)
        except BaseException:
            self._drop_link()
            raise
        else:
            return online

    async def _introduce(self) -> ServerKey:
        """Connect, and say who one is if the server is the right one.

        Raises:
            AttemptFailed: there is no connection, or not to that server.
        """
        link, introduction = await self._meet()
        if link.is_closed:
            # Somebody may have had to unlock a keyring first, and the server does not wait that long.
            link, introduction = await self._meet()
        self._link = link
        self._program_is_slow = False
        self._session.connected(introduction)
        if link.is_closed:
            self._session.lost()
        self._turn()
        link.begin()
        return introduction.key

    async def _meet(self) -> tuple[Link, Introduction]:
        """Connect, and look up what to say if the server is the right one; nothing is said yet.

        Raises:
            AttemptFailed: there is no connection, or not to that server.
        """
        try:
            link = await open_link(self._address, self, within_s=self._timers.connect)
        except NotEncrypted as failed:
            raise await self._credentials.not_encrypted(failed) from None
        try:
            return link, await self._credentials.introduction(link.where.key)
        except BaseException:
            link.abort()
            raise

    async def _forget_if_revoked(self, ending: Ending) -> None:
        if ending.loss in {Loss.REVOKED, Loss.SIGNED_OUT}:
            await self._credentials.revoked()

    def _drop_link(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.abort()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._session.disconnected()
        self._publish()

    def _end(self) -> None:
        """Nothing will happen any more: nobody waits for it in vain."""
        if self.observer is not None:
            self.observer.ended()
        self.stream.end()
        self._give_up(ErrorCode.CLOSED, sentences.CLOSED)

    # --- one connection ----------------------------------------------------------------------------------

    def link_received(self, link: Link, chunk: bytes) -> None:
        """Called by the link."""
        if link is self._link:
            self._session.receive(chunk)
            self._turn()

    def link_writable(self, link: Link) -> None:
        """Called by the link."""
        if link is self._link:
            self._turn()

    def link_closed(self, link: Link) -> None:
        """Called by the link."""
        if link is self._link:
            self._session.lost()
            self._turn()

    def changed(self) -> None:
        """The program has done something to the session: what it comes to is sent soon, and in one go."""
        self._publish()
        if self._link is not None and not self._turn_is_due:
            self._turn_is_due = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        """Bring everything else to where the session is now."""
        self._turn_is_due = False
        link = self._link
        if link is None:
            return
        while link.writable and (data := self._session.take_bytes()):
            link.write(data)
        self._publish()
        ending = self._session.ending
        if ending is not None:
            if self._greeted is not None and not self._greeted.done():
                self._greeted.set_exception(AttemptFailed(ending))
            if self._over is not None and not self._over.done():
                self._over.set_result(ending)
            return
        if self._session.is_online:
            self._regulate(link)
        self._set_timer()

    def _publish(self) -> None:
        """Hand out events and answers."""
        for answer in self._session.take_answers():
            waiting = self._answers.pop(answer.rid, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(answer.reply)
        events = self._session.take_events()
        for event in events:
            match event:
                case Online():
                    self._online_at = self._clock()
                    if self._greeted is not None and not self._greeted.done():
                        self._greeted.set_result(event)
                case MessageStored() | MessageRefused():
                    for result in self._results.get(event.cid, ()):
                        if not result.done():
                            result.set_result(event)
                case _:
                    pass
            if self.observer is not None:
                self.observer.happened(event)
        self.stream.put(events)
        if self._draining and not self._session.pending:
            for drain in self._draining:
                if not drain.done():
                    drain.set_result(None)

    # --- time, and too much of it all ---------------------------------------------------------------------

    def _set_timer(self) -> None:
        at = self._session.next_tick()
        if at is None:
            return
        loop = asyncio.get_running_loop()
        wait_s = min(max(at - self._clock(), _SHORTEST_TICK_S), LONGEST_TICK_S)
        # A timer that is too early only looks and is set again; most bytes put the deadline off.
        if self._timer is not None and self._timer.when() <= loop.time() + wait_s:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_later(wait_s, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._session.tick()
        self._turn()

    def _regulate(self, link: Link) -> None:
        """Stop reading while the program or the server does not keep up; nothing is ever dropped."""
        waiting = self.stream.load
        awaited = bool(self._answers or self._results or self._draining)
        if awaited and waiting >= MAX_EVENTS_AWAITED:
            self._give_up(ErrorCode.BUSY, sentences.TOO_MANY_EVENTS)
        limit = MAX_EVENTS_AWAITED if awaited else MAX_EVENTS
        # Whoever waits for an answer may take no events until then: only what they take would let it be read.
        slow = waiting >= limit or (self._program_is_slow and not awaited and waiting > limit // 2)
        if slow is not self._program_is_slow:
            self._program_is_slow = slow
            self._session.listen(again=not slow)
        if slow or self._session.unsaid_bytes > MAX_UNSAID_BYTES:
            link.pause_reading()
        else:
            link.resume_reading()

    def _taken(self) -> None:
        if self._program_is_slow:
            self.changed()

    # --- whoever waits -----------------------------------------------------------------------------------

    async def answer(self, rid: int) -> Reply:
        """The answer to a request that the session was just asked."""
        waiting: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._answers[rid] = waiting
        self.changed()
        try:
            return await waiting
        finally:
            self._answers.pop(rid, None)

    async def result(self, cid: str) -> Result:
        """What becomes of a message that was just given to the session."""
        waiting: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        together = self._results.setdefault(cid, [])
        together.append(waiting)
        self.changed()
        try:
            return await waiting
        finally:
            together.remove(waiting)
            if not together and self._results.get(cid) is together:
                del self._results[cid]

    async def drained(self) -> None:
        """Return as soon as the outbox is empty.

        Raises:
            MessageNotSent: nobody can wait any more.
        """
        if not self._session.pending:
            return
        if self.stream.ended:
            raise MessageNotSent(ErrorCode.CLOSED, sentences.CLOSED)
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._draining.add(waiting)
        self.changed()
        try:
            await waiting
        finally:
            self._draining.discard(waiting)

    def _give_up(self, code: ErrorCode, text: str) -> None:
        for rid, waiting in self._answers.items():
            if not waiting.done():
                waiting.set_result(Error(code=code, text=text, rid=rid))
        for cid, together in self._results.items():
            for result in together:
                if not result.done():
                    result.set_result(MessageRefused(cid, "", code, text))
        for drain in self._draining:
            if not drain.done():
                drain.set_exception(MessageNotSent(code, text))
        self._answers.clear()
        self._results.clear()
