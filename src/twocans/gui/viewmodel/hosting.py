"""The server of one's own on this computer: starting it, what others need to come to it, stopping it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import Final

from twocans.client.address import DEFAULT_PORT, Address, Link
from twocans.gui.viewmodel.changes import Changes
from twocans.gui.viewmodel.effects import (
    FindServer,
    FollowServerLog,
    OpenFolder,
    Quit,
    StartServer,
    StopServer,
)
from twocans.gui.viewmodel.inputs import (
    ServerEnded,
    ServerNotStarted,
    ServerRuns,
    ServerTold,
)
from twocans.gui.viewmodel.login import LoginForm
from twocans.gui.viewmodel.operating import Operating
from twocans.gui.viewmodel.state import Part
from twocans.protocol.keys import ServerKey
from twocans.protocol.local_control import STOPPED_LINE, Why
from twocans.protocol.text import spelled_out, spelled_out_line

MAX_ADDRESSES: Final = 6
"""So many addresses are shown; computers with many virtual networks have more, and those come last."""
_LOOPBACK: Final = "127."
_LAST_PORT: Final = 65535


class Stage(Enum):
    """How far the server is."""

    NONE = "none"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"


class Question(Enum):
    """What is to be decided about the server."""

    NONE = "none"
    STOP = "stop"
    QUIT = "quit"


class Hosting:
    """The server, and the intents about it.

    Args:
        changes: where changes are noted.
        form: connects to it.
        operating: what can be done about the people who are connected.
        is_there: whether the user is connected to the server with a key.
        at_login: whether the login is shown.
    """

    def __init__(
        self,
        changes: Changes,
        form: LoginForm,
        operating: Operating,
        *,
        is_there: Callable[[ServerKey], bool],
        at_login: Callable[[], bool],
    ) -> None:
        self._changes = changes
        self._form = form
        self._operating = operating
        self._is_there = is_there
        self._at_login = at_login
        self._chosen = ""
        self.stage = Stage.NONE
        self.server: ServerRuns | None = None
        self.log = ""
        self.problem = ""
        """Why there is none although somebody wanted it, as a sentence; "" if nothing is wrong."""
        self.taken_port: int | None = None
        """The port that something else has."""
        self.question = Question.NONE
        self.is_open = False
        """Whether the dialog about the server is shown."""

    # --- what is shown ------------------------------------------------------------------------------------

    @property
    def runs(self) -> bool:
        """Whether the server is there to be used."""
        return self.stage is Stage.RUNNING

    @property
    def is_own(self) -> bool:
        """True if the user is connected to it."""
        return self.server is not None and self._is_there(self.server.key)

    @property
    def asks_before_quitting(self) -> bool:
        """Whether the user has to say whether the server goes on without this window."""
        return self.server is not None and self.server.background

    @property
    def others(self) -> int:
        """How many people are at the server, without the user."""
        if self.server is None:
            return 0
        return max(0, self.server.online - (1 if self.is_own else 0))

    @property
    def who(self) -> str:
        """The same as a sentence, and what it means for them if the server stops."""
        if not self.others:
            return "Nobody else is connected."
        people = "1 other person is" if self.others == 1 else f"{self.others:,} other people are"
        return f"{people} connected. Stopping the server ends their chat."

    @property
    def places(self) -> tuple[str, ...]:
        """What others type to connect, the likeliest first; empty if nobody else can."""
        if self.server is None:
            return ()
        others = [one for one in self.server.addresses if not one.startswith(_LOOPBACK)]
        return tuple(str(Address(one, self.server.port)) for one in others[:MAX_ADDRESSES])

    @property
    def place(self) -> str:
        """The one of them that the link leads to; "" if there is none."""
        return self._chosen if self._chosen in self.places else next(iter(self.places), "")

    @property
    def link(self) -> str:
        """That address with the server's key, to be scanned or pasted; "" if there is none."""
        if self.server is None or not self.place:
            return ""
        host = self.place.rpartition(":")[0]
        return str(Link(Address(host, self.server.port), self.server.key))

    @property
    def next_port(self) -> int:
        """The port to try where one is taken."""
        port = self.taken_port or DEFAULT_PORT
        return port + 1 if port < _LAST_PORT else DEFAULT_PORT

    # --- intents ------------------------------------------------------------------------------------------

    def look(self, *, again: bool = False) -> None:
        """Find out whether a server runs already; `again` tries for some seconds, as one may just be starting."""
        if self.stage is Stage.NONE:
            self._changes.do(FindServer(again))

    def start(self, port: int | None = None) -> None:
        """Start the server, and connect to it.

        Args:
            port: another port than what its settings say.
        """
        if self.stage is Stage.NONE:
            self.stage = Stage.STARTING
            self._forget_problem()
            self._changes.do(StartServer(port))

    def start_elsewhere(self) -> None:
        """Start it at the port after the one that is taken."""
        self.start(self.next_port)

    def connect_to_taken(self) -> None:
        """Connect to what has the port: it may be a server."""
        if self.taken_port is not None:
            port = self.taken_port
            self._forget_problem()
            self._form.choose("localhost" if port == DEFAULT_PORT else f"localhost:{port}", None, user="")

    def connect(self) -> None:
        """Connect to the server, if it is known as whom."""
        server = self.server
        if server is not None and self.runs and self._at_login():
            # Its key comes from its own folder, so it counts more than what was known of this address.
            self._form.choose(server.address, server.key, user="", vouched=True)

    def open(self) -> None:
        """Show the dialog about it."""
        if self.server is not None and not self.is_open:
            self.is_open = True
            self._changes.do(FollowServerLog(True))
            if self.server.commands:
                self._operating.open()
            self._changes.draw(Part.HOSTING)

    def close(self) -> None:
        """Close that dialog."""
        if self.is_open:
            self.is_open, self.log = False, ""
            self._changes.do(FollowServerLog(False))
            self._operating.close()
            self._changes.draw(Part.HOSTING)

    def back(self) -> None:
        """Leave the page of the dialog that is shown; from the first one, close it."""
        if not self._operating.back():
            self.close()

    def choose(self, place: str) -> None:
        """The link is to lead to this address."""
        if place != self.place:
            self._chosen = place
            self._changes.draw(Part.HOSTING)

    def open_folder(self) -> None:
        """Show the folder where the log is."""
        if self.server is not None:
            self._changes.do(OpenFolder(self.server.folder))

    def ask_stop(self) -> None:
        """Stop the server; where others are at it, that is asked about first."""
        if self.runs and self.others:
            self._ask(Question.STOP)
        else:
            self.stop()

    def ask_quit(self) -> None:
        """The window is to be closed: does the server go on?"""
        self._ask(Question.QUIT)

    def stop(self) -> None:
        """Stop the server, or give up starting it."""
        if self.stage in {Stage.STARTING, Stage.RUNNING}:
            self.stage = Stage.STOPPING
            self._changes.do(StopServer())
            if self.question is Question.STOP:
                self.question = Question.NONE
            self._changes.draw(Part.HOSTING)

    def keep(self) -> None:
        """Close the window, and let the server go on."""
        self.question = Question.NONE
        self._changes.do(Quit())
        self._changes.draw(Part.HOSTING)

    def leave_question(self) -> None:
        """Neither: everything stays as it is."""
        self._ask(Question.NONE)

    # --- inputs -------------------------------------------------------------------------------------------

    def taken_up(self, server: ServerRuns) -> None:
        """The server runs."""
        wanted = self.stage is Stage.STARTING
        self.server = server
        self._forget_problem()
        if self.stage is not Stage.STOPPING:
            self.stage = Stage.RUNNING
        if wanted:
            self.connect()

    def told(self, told: ServerTold) -> None:
        """Others are at it, or it has other addresses."""
        server = self.server
        if server is not None:
            self.server = replace(server, online=told.online, addresses=told.addresses)
            self._changes.draw(Part.HOSTING | Part.PEOPLE)

    def logged(self, text: str) -> None:
        """The end of its log."""
        if self.is_open:
            self.log = spelled_out(text)
            self._changes.draw(Part.HOSTING)

    def ended(self, ended: ServerEnded) -> str:
        """The server has ended; what to tell about it."""
        wanted = self.stage is Stage.STOPPING
        quits = wanted and self.question is Question.QUIT
        ran = self.server is not None
        self.close()
        self.stage, self.server, self.question = Stage.NONE, None, Question.NONE
        self._forget_problem()
        if quits:
            self._changes.do(Quit())
        if wanted:
            return "Your server has stopped." if ran else ""
        last = spelled_out_line(ended.last)
        if last.endswith(STOPPED_LINE):
            # Another window of this computer, or somebody at its console, has stopped it.
            return "Your server was stopped."
        self.problem = (
            f"Your server has ended by itself. The last line of its log: {last}"
            if last
            else "Your server has ended."
        )
        return self.problem

    def not_started(self, refused: ServerNotStarted) -> None:
        """The server could not be started."""
        if self.stage is not Stage.STARTING:
            return
        self.stage = Stage.NONE
        match refused.why:
            case Why.PORT_TAKEN:
                self.taken_port = refused.port
                self.problem = (
                    f"Port {refused.port} of this computer is taken: a server is running on it already, or "
                    "another program is using it."
                )
            case Why.FOLDER_IN_USE:
                self.problem = (
                    "A server is running on this computer already: it has the folder where yours keeps everything. "
                    "Connect to that one, or stop it first."
                )
            case Why.OTHER:
                self.problem = f"The server could not start. {spelled_out_line(refused.text)}"
        self._changes.draw(Part.HOSTING)

    # --- inside -------------------------------------------------------------------------------------------

    def _ask(self, question: Question) -> None:
        if question is not self.question:
            self.question = question
            self._changes.draw(Part.HOSTING)

    def _forget_problem(self) -> None:
        self.problem, self.taken_port = "", None
        self._changes.draw(Part.HOSTING | Part.PEOPLE)
