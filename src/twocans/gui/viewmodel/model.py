"""The view-model: everything on screen, from the client's events and the user's intents.

It holds no widget, thread, socket or clock. After every step the window takes the changes: which regions to
draw again, what happens to the transcript, and the effects that others have to carry out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, assert_never

from twocans.client.events import (
    CaughtUp,
    Event,
    Loss,
    MessageReceived,
    MessageRefused,
    MessageStored,
    Offline,
    Online,
    PeerTyping,
    PresenceChanged,
    ReadElsewhere,
    ReceiptMoved,
    TransferMoved,
    UserJoined,
    UserLeft,
)
from twocans.client.timing import BACK_WITHIN_S
from twocans.gui.transcript.destination import Destination, destination
from twocans.gui.transcript.model import ViewState
from twocans.gui.viewmodel.changes import Update
from twocans.gui.viewmodel.chats import SERVER_KEY, loses_characters
from twocans.gui.viewmodel.conversation import Conversation, Stretch
from twocans.gui.viewmodel.effects import (
    AskFiles,
    AskLink,
    Disconnect,
    FindPeople,
    Focus,
    LoadChats,
    OpenLink,
    Place,
    RaiseWindow,
    RememberLogin,
    RetryNow,
    SetStatus,
)
from twocans.gui.viewmodel.entries import shown_text
from twocans.gui.viewmodel.file_actions import FileActions
from twocans.gui.viewmodel.hosting import Stage
from twocans.gui.viewmodel.inputs import (
    AroundLoaded,
    ChatsLoaded,
    CodeMade,
    ConnectRefused,
    DevicesLoaded,
    DraftsLoaded,
    ExportEnded,
    ExportMoved,
    FileRefused,
    FilesChosen,
    FromClient,
    HistoryLoaded,
    IdleFor,
    Input,
    KeepingFailed,
    NewerLoaded,
    NotificationClicked,
    OutboxOpened,
    PeopleFound,
    PictureCame,
    ResultsLoaded,
    RingBell,
    SendFailed,
    ServerAnswered,
    ServerEnded,
    ServerLog,
    ServerNotStarted,
    ServerPeople,
    ServerRuns,
    ServersNearby,
    ServerTold,
    StartedAgain,
    SystemLook,
    Told,
)
from twocans.gui.viewmodel.presentation import REDRAW_S
from twocans.gui.viewmodel.state import Part, Screen
from twocans.protocol.messages import Status
from twocans.protocol.names import key_of
from twocans.protocol.text import spelled_out

SAME_MOMENT_S: Final = 2.0
"""Who leaves so shortly before the connection is lost has lost it too."""


class ViewModel(FileActions):
    """The state of the window, its intents, and what is told from outside. See `Presentation` for the arguments."""

    def take(self) -> Update:
        """What has changed since the last time."""
        status = self.absence.turned()
        if status is not None:
            self.set_status(status)
        return self._changes.take()

    # --- intents ------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Connect with what stands in the login form."""
        self.form.connect()

    def back_to_login(self, message: str = "") -> None:
        """Give the connection up; the form holds the last server and name."""
        self.form.session += 1
        self.chats.drafts.flush()
        self._changes.do(Disconnect())
        self._to_login(message)
        self.form.focus()

    def retry_now(self) -> None:
        """Try to connect again without waiting any longer."""
        if self.screen is Screen.MAIN and not self.connected:
            self._retry_at = None
            self._changes.do(RetryNow())
            self._changes.draw(Part.BANNER)

    def search(self, query: str) -> None:
        """What stands in the search field."""
        if query == self.query:
            return
        self.query = query
        self._found = ()
        self._changes.draw(Part.PEOPLE)
        if self.connected and query.strip():
            self._changes.do(FindPeople(query.strip()))
        rows = self.people.rows
        if query.strip() and rows:
            self._selected = rows[0].key

    def select(self, key: str) -> None:
        """The cursor in the list moves to somebody."""
        if key != self._selected:
            self._selected = key
            self._changes.draw(Part.PEOPLE)

    def move(self, by: int) -> None:
        """The cursor in the list moves by so many people."""
        keys = [row.key for row in self.people.rows]
        if not keys:
            return
        if self._selected not in keys:
            self.select(keys[0] if by >= 0 else keys[-1])
            return
        self.select(keys[max(0, min(len(keys) - 1, keys.index(self._selected) + by))])

    def open_selected(self) -> None:
        """Open the chat with whom the cursor is on, or whom a search found first."""
        rows = self.people.rows
        chosen = next((row for row in rows if row.key == self._selected), rows[0] if rows else None)
        if chosen is not None:
            self.open(chosen.name)

    def open(self, name: str) -> None:
        """Open the chat with somebody."""
        if self.screen is not Screen.MAIN:
            return
        conversation = self.chats.of(name)
        self._selected = conversation.key
        self._leaves_at = None
        self._clear_notice()
        if self.query:
            self.query, self._found = "", ()
        if conversation is not self.chats.open:
            self.chats.show(conversation)
        self._attention.seen(conversation.key)
        self._changes.draw(Part.PEOPLE)
        self._changes.do(Focus(Place.PEOPLE if conversation.key == SERVER_KEY else Place.COMPOSER))

    def close_chat(self) -> None:
        """Back to the list."""
        if self.chats.open is not None:
            self.chats.close()
            self._leaves_at = None
        self._changes.do(Focus(Place.PEOPLE))

    def set_draft(self, text: str) -> None:
        """What stands in the composer."""
        self.chats.set_draft(text)

    def send(self) -> None:
        """Send the files that are attached, and what stands in the composer."""
        problem = self.chats.send_files()
        if problem:
            self._tell(problem)
            return
        draft = self.chats.open.draft if self.chats.open is not None else ""
        if self.chats.send() and loses_characters(draft):
            self._tell("Your message was sent without the control characters in it: they cannot be sent.")

    def keep_drafts(self) -> None:
        """Have drafts written to disk now: the window is about to end."""
        self.chats.drafts.flush()

    def attach(self, paths: Iterable[str]) -> None:
        """Have files sent with the draft of the open chat."""
        problem = self.chats.attach(paths)
        if problem:
            self._tell(problem)

    def choose_files(self) -> None:
        """Ask which files to send to whom the open chat is with."""
        opened = self.chats.open
        if opened is not None and self.composer.enabled:
            self._changes.do(AskFiles(opened.key, opened.name))

    def attach_chosen(self, key: str, paths: Iterable[str]) -> None:
        """Have files sent that were chosen for a chat, which may have been left meanwhile."""
        conversation = self.chats.all.get(key)
        if conversation is None or self.screen is not Screen.MAIN:
            self._tell("No file was attached: you are not logged in.")
            return
        if conversation is not self.chats.open:
            self.open(conversation.name)
        self.attach(paths)
        self._changes.do(Focus(Place.COMPOSER))

    def detach(self, path: str) -> None:
        """Do not send a file that was attached."""
        self.chats.detach(path)

    def retry(self, key: str) -> None:
        """Send a failed message again."""
        if not self._send_file_again(key):
            self.chats.retry(key)

    def near_top(self) -> None:
        """The user is about to see the oldest message that is here."""
        self.chats.near_top()

    def near_bottom(self) -> None:
        """The user is about to see the newest message that is here."""
        self.chats.near_bottom()

    def to_newest(self) -> None:
        """Show the newest messages of the open chat."""
        self.chats.to_newest()

    def keep_view(self, key: str, view: ViewState | None) -> None:
        """Where the transcript of a chat stands that is about to be hidden."""
        self.chats.keep_view(key, view)

    def set_in_front(self, in_front: bool) -> None:
        """The window came to the front, or went away from it."""
        self.chats.set_in_front(in_front)
        self._forget_seen()

    def set_at_bottom(self, at_bottom: bool) -> None:
        """The transcript shows its end, or does not."""
        self.chats.set_at_bottom(at_bottom)
        self._forget_seen()

    def set_in_view(self, first: str, last: str) -> None:
        """The first and the last message of which the transcript shows the end."""
        self.chats.set_in_view(first, last)
        self._forget_seen()

    def set_shown(self, shown: bool) -> None:
        """The chat came into sight in the window, or something else took its place."""
        self.chats.set_shown(shown)
        self._forget_seen()

    def open_link(self, target: str) -> None:
        """A link was clicked; one whose text could be taken for another destination is asked about first."""
        where = destination(target)
        self._changes.do(AskLink(where) if where.warnings else OpenLink(where.url))

    def open_asked_link(self, where: Destination) -> None:
        """The user wants to go there all the same."""
        self._changes.do(OpenLink(where.url))

    def open_notice(self) -> None:
        """The line that goes away by itself was clicked."""
        notice = self.notice
        self._clear_notice()
        if notice is not None and notice.peer is not None:
            self.open(notice.peer)

    def set_status(self, status: Status) -> None:
        """Let others know whether one is here and may be disturbed; counts for later logins too."""
        if status is not self._own_status:
            self._own_status = status
            if self.screen is Screen.MAIN:
                self._changes.do(SetStatus(status))

    def tell(self, text: str) -> None:
        """Show a sentence that goes away by itself."""
        self._tell(text)

    # --- time ---------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Do what is due. To be called no later than `next_tick_s` says."""
        now = self._clock.monotonic()
        if self.banner is not None:
            self._changes.draw(Part.BANNER)
        if self.notice is not None and now >= self._notice_until:
            self._clear_notice()
        if self._leaves_at is not None and self.connected and now >= self._leaves_at:
            self._leaves_at = None
            if self.chats.open is not None and self.chats.open.key not in self._roster:
                self._leave(self.chats.open)
        for conversation in self.chats.all.values():
            if conversation.typing_until and now >= conversation.typing_until:
                conversation.typing_until = 0.0
                self._changes.draw(Part.PEOPLE | Part.HEADER)
        if now >= self._redraw_at:
            self._redraw_at = now + REDRAW_S
            self._changes.draw(Part.PEOPLE)
        self.chats.tick()
        self.chats.drafts.tick()
        self.devices.tick()
        self.quiet.tick()
        self.absence.tick()
        self._tick_looking()
        if self._caught_up:
            self._attention.tick()

    @property
    def next_tick_s(self) -> float:
        """In how many seconds `tick` has to be called."""
        now = self._clock.monotonic()
        due = [self._redraw_at, self._attention.next_due, self.chats.next_due]
        due.append(self._leaves_at if self.connected else None)
        due += [
            self.finder.next_due,
            self.chats.drafts.next_due,
            self._export_until,
            self.devices.next_due,
            self.quiet.next_due,
            self.absence.next_due,
        ]
        due.append(self._notice_until if self.notice is not None else None)
        due.append(now + 0.5 if self.banner is not None and self._retry_at is not None else None)
        due += [one.typing_until for one in self.chats.all.values() if one.typing_until]
        return max(0.02, min(one for one in due if one is not None) - now)

    # --- inputs -------------------------------------------------------------------------------------------

    def handle(self, what: Input) -> None:
        """Take in what happened elsewhere; what belongs to an earlier login is ignored."""
        self._take_in(what)
        self._say_problem()

    def _take_in(self, what: Input) -> None:
        match what:
            case NotificationClicked(peer):
                self._changes.do(RaiseWindow())
                if peer in self.chats.all:
                    self.open(self.chats.all[peer].name)
            case ServersNearby(known):
                self.nearby.taken(known)
            case ServerRuns():
                self.hosting.taken_up(what)
            case ServerTold():
                self.hosting.told(what)
            case ServerLog(text):
                self.hosting.logged(text)
            case ServerPeople(people):
                self.operating.listed(people)
            case ServerAnswered():
                self.operating.answered(what)
            case ServerEnded():
                self._server_ended(what)
            case ServerNotStarted():
                self.hosting.not_started(what)
            case IdleFor(seconds):
                self.absence.idle_for(seconds)
            case SystemLook() | RingBell() | StartedAgain() | FilesChosen():
                pass  # for the window itself
            case Told(text):
                self._tell(text)
            case _ if what.session != self.form.session:
                pass
            case FromClient(_, event):
                self._event(event)
            case ConnectRefused():
                if self.form.state.connecting:
                    self._refused(what)
            case HistoryLoaded(_, peer, before, messages, more):
                stretch = Stretch.NEWEST if before is None else Stretch.OLDER
                if self.chats.is_asked(peer, (stretch, before)):
                    self.chats.page(peer, messages, more=more)
            case AroundLoaded(_, peer, id_, messages, more, ahead):
                if self.chats.is_asked(peer, (Stretch.AROUND, id_)):
                    self.chats.around(peer, id_, messages, more=more, ahead=ahead)
                elif self.chats.is_asked(peer, (Stretch.UNREAD, id_)):
                    self.chats.around_unread(peer, messages, more=more, ahead=ahead)
            case NewerLoaded(_, peer, after, messages, ahead):
                if self.chats.is_asked(peer, (Stretch.NEWER, after)):
                    self.chats.newer(peer, messages, ahead=ahead)
            case ChatsLoaded(_, chats):
                self.chats.listed(chats)
                for key in (key_of(chat.peer) for chat in chats):
                    if key in self.chats.all and not self.chats.all[key].unread:
                        self._attention.seen(key)
            case PeopleFound(_, prefix, users):
                if prefix == self.query.strip():
                    self._found = users
                    self._changes.draw(Part.PEOPLE)
            case ResultsLoaded(_, number, found, more, problem):
                self.finder.results(number, found, more, problem)
            case ExportMoved():
                self._export_moved(what)
            case ExportEnded():
                self._export_ended(what)
            case OutboxOpened(_, waiting, problem):
                self.chats.waiting(waiting)
                if problem:
                    self._tell(problem)
            case DraftsLoaded(_, drafts, problem):
                self.chats.restore(drafts)
                if problem:
                    self._tell(problem)
            case KeepingFailed(_, text):
                self._keeping_failed(text)
            case DevicesLoaded() | CodeMade():
                self._devices_taken(what)
            case PictureCame(_, hash_, path):
                self.chats.picture_came(hash_, path)
            case FileRefused(_, text):
                self._tell(text)
            case SendFailed(_, to, cid, text):
                self.chats.refused(cid, to, text)
            case _:
                assert_never(what)

    def _event(self, event: Event) -> None:
        match event:
            case Online():
                self._online(event)
            case Offline():
                self._offline(event)
            case CaughtUp():
                self._caught_up = True
                self._attention.tick()
                self._changes.do(LoadChats())
            case UserJoined(user):
                self._present(event)
                self._joined(user)
            case UserLeft(user):
                self._left(user)
            case MessageReceived(message):
                conversation, tell = self.chats.receive(message)
                self._changes.draw(Part.TITLE | Part.HEADER)
                if tell:
                    in_front = self.chats.in_front
                    shown = shown_text(message.text, message.file)
                    self._attention.message(conversation.key, conversation.name, shown, in_front=in_front)
            case MessageStored():
                self.chats.stored(event)
            case TransferMoved(transfer):
                self.chats.file_moved(transfer)
            case MessageRefused(cid, to, _, text):
                self.chats.refused(cid, to, text)
            case ReceiptMoved(peer, delivered, read):
                self.chats.receipt(peer, delivered, read)
            case PeerTyping(user):
                self.chats.typing(user)
            case PresenceChanged():
                self._present(event)
            case ReadElsewhere(peer, id_):
                self._read_elsewhere(peer, id_)
            case _:
                assert_never(event)

    # --- the connection -----------------------------------------------------------------------------------

    def _online(self, event: Online) -> None:
        first = self.form.state.connecting
        if first:
            login = (self.form.state.server.strip().casefold(), key_of(event.user))
            self.chats.begin(event.user, same=login == self._login)
            self._login = login
            self.form.welcomed(event.user)
            self.nearby.used(self.form.state.server.strip(), event.user, event.key)
            self.nearby.pause()
            self.quiet.logged_in(event.key, event.user)
            self.absence.logged_in()
            self.screen = Screen.MAIN
            self.query, self._found, self._selected = "", (), None
            self._changes.do(RememberLogin(self.form.state.server.strip(), event.user))
            self._changes.do(Focus(Place.PEOPLE))
            if self._own_status is not Status.HERE:
                self._changes.do(SetStatus(self._own_status))
        before = set(self._roster)
        self._roster = {key_of(name): name for name in event.users}
        self._roster.pop(key_of(event.user), None)
        self._statuses = {key_of(user): status for user, status in event.statuses.items()}
        self.chats.online(event.user, event.limits, fresh=event.fresh)
        self.finder.online(event.user)
        self._met(event)
        self.hosting.look(again=True)  # the user's own server may just have started, or started again
        self._lost, self._retry_at, self._caught_up = "", None, False
        opened = self.chats.open
        if opened is None or opened.key in self._roster:
            self._leaves_at = None
        elif opened.key in before or self._leaves_at is not None:
            # The other side may have lost its connection together with this one, and be back in a moment.
            self._leaves_at = self._clock.monotonic() + BACK_WITHIN_S
        if not first:
            self._back_by = self._clock.monotonic() + BACK_WITHIN_S
            self._tell("Connected again.")
        self._changes.draw(Part.ALL)

    def _offline(self, event: Offline) -> None:
        if event.retry_in_s is None:
            self.form.session += 1
            self.chats.drafts.flush()
            self._changes.do(Disconnect())
            self._to_login(event.text, about_name=event.loss is Loss.REFUSED)
            if event.known_key is not None and event.key is not None:
                self._key_changed(event.known_key, event.key)
            else:
                self.form.focus()
            return
        self.chats.offline()
        self.devices.no_connection()
        self.finder.offline()
        if (
            self._left_just_now is not None
            and self.chats.open is None
            and self._clock.monotonic() < self._left_just_now[1]
        ):
            # The server went, and everybody with it: nobody has left this chat.
            self.chats.show(self._left_just_now[0])
            self._returning.discard(self._left_just_now[0].key)
        self._left_just_now = None
        self._lost = event.text
        self._retry_at = self._clock.monotonic() + event.retry_in_s
        self._clear_notice()
        self._changes.draw(Part.ALL)

    def _refused(self, refused: ConnectRefused) -> None:
        if refused.known is not None and refused.presented is not None:
            self._key_changed(refused.known, refused.presented)
        else:
            self.form.refused(spelled_out(refused.text), refused.code, refused.needs)

    def _server_ended(self, ended: ServerEnded) -> None:
        """One's own server is gone; where the user has stopped it, there is nothing to wait for."""
        stopped = self.hosting.stage is Stage.STOPPING
        hosted = self.hosting.server
        text = self.hosting.ended(ended)
        here = self.server is not None and hosted is not None and self.server.key == hosted.key
        if stopped and here and self.screen is Screen.MAIN:
            self.back_to_login(text)
        elif self.screen is Screen.MAIN and text:
            self._tell(text)

    def _to_login(self, message: str, *, about_name: bool = False) -> None:
        self.chats.offline()
        self.finder.offline()
        self.finder.end()
        self.end_export()
        if self.chats.open is not None:
            self.chats.close()
        if self.screen is Screen.MAIN:
            self.nearby.resume()
            self.hosting.look()
        self.quiet.logged_out()
        self.absence.logged_out()
        self.screen = Screen.LOGIN
        message = spelled_out(message)
        self.form.state.connecting = False
        self.form.state.message = "" if about_name else message
        self.form.state.server_error = ""
        self.form.state.user_error = message if about_name else ""
        self._roster, self._found, self.query = {}, (), ""
        self._statuses.clear()
        self._part()
        self._lost, self._retry_at, self._leaves_at, self._back_by = "", None, None, 0.0
        self._returning.clear()
        self._attention.clear()
        self._clear_notice()
        self._changes.draw(Part.ALL)

    # --- the roster ---------------------------------------------------------------------------------------

    def _present(self, event: UserJoined | PresenceChanged) -> None:
        """What there is to know about somebody who is online."""
        self._statuses[key_of(event.user)] = event.status
        self._encrypts(event)

    def _joined(self, user: str) -> None:
        key = key_of(user)
        if key == key_of(self.me):
            return
        self._roster[key] = user
        self._changes.draw(Part.PEOPLE | Part.HEADER | Part.COMPOSER)
        conversation = self.chats.all.get(key)
        if conversation is not None:
            conversation.name = user
            if conversation is self.chats.open:
                self._leaves_at = None
            elif key in self._returning:
                self._tell(f"{user} is back. Your draft is kept.", user)
        self._returning.discard(key)

    def _left(self, user: str) -> None:
        key = key_of(user)
        self._roster.pop(key, None)
        self._statuses.pop(key, None)
        self._changes.draw(Part.PEOPLE | Part.HEADER | Part.COMPOSER)
        conversation = self.chats.all.get(key)
        if conversation is None:
            return
        conversation.typing_until = 0.0
        if conversation is self.chats.open:
            if self._clock.monotonic() < self._back_by:
                # The server may notice only now that it lost the other side together with this one.
                self._leaves_at = self._back_by
            else:
                self._leave(conversation)

    def _leave(self, conversation: Conversation) -> None:
        """The other side of the open chat is gone: back to the list, so that another can be chosen."""
        self.close_chat()
        self._left_just_now = (conversation, self._clock.monotonic() + SAME_MOMENT_S)
        if conversation.has_draft:
            self._returning.add(conversation.key)
            self._tell(f"{conversation.name} left. Your draft is kept.")
        else:
            self._tell(f"{conversation.name} left.")

    # --- inside -------------------------------------------------------------------------------------------

    def _read_elsewhere(self, peer: str, id_: int) -> None:
        conversation = self.chats.read_elsewhere(peer, id_)
        if conversation is not None and not conversation.unread:
            self._attention.seen(conversation.key)

    def _clear_notice(self) -> None:
        if self.notice is not None:
            self.notice = None
            self._changes.draw(Part.NOTICE)

    def _forget_seen(self) -> None:
        conversation = self.chats.open
        if conversation is not None and not conversation.unread:
            self._attention.seen(conversation.key)
