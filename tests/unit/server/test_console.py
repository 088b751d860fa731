"""The operator's commands, carried out against a real hub."""

from __future__ import annotations

import re
import time

import psutil
import pytest

from tests.unit.hub.fakes import World
from twocans.hub.session import Reason
from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.keys import server_key
from twocans.protocol.messages import Message
from twocans.protocol.typed import Typed, TypedKind
from twocans.server.operator.console import Console

KEY = server_key(b"the server's")


class Operated:
    """A console over a world."""

    def __init__(self) -> None:
        self.world = World()
        self.quits = 0
        self.console = Console(
            self.world.hub,
            started_at=time.monotonic() - 3720,
            quit_server=self._quit,
            log=self.world.log,
            key=KEY,
        )

    def do(self, line: str) -> list[str]:
        """Type a line."""
        return self.console.carry_out(line)

    def _quit(self) -> None:
        self.quits += 1


@pytest.fixture
def operated() -> Operated:
    """A console over a world."""
    return Operated()


def test_help_explains_every_command(operated: Operated) -> None:
    lines = operated.do("help")
    assert [line.split()[0] for line in lines] == list(operated.console.commands)
    assert {"help", "users", "kick", "say", "stats", "quit"} <= set(operated.console.commands)
    assert "kick NAME [REASON]" in "\n".join(lines)


@pytest.mark.parametrize("line", ["", "   ", "\t"])
def test_empty_line_does_nothing(operated: Operated, line: str) -> None:
    assert operated.do(line) == []


@pytest.mark.parametrize("line", ["nope", "kickbob", "/help", "help nope"])
def test_unknown_command_is_answered_with_those_that_exist(operated: Operated, line: str) -> None:
    (answer,) = operated.do(line)
    assert f"{line.split()[-1]} is not a command." in answer
    assert "help, users, kick, say, ban, unban, bans, devices, code, free, key, stats, quit" in answer


def test_misspelt_command_is_answered_with_the_one_that_is_like_it(operated: Operated) -> None:
    (answer,) = operated.do("uesrs")
    assert answer.startswith("uesrs is not a command. Did you mean users? ")


@pytest.mark.parametrize("line", ["help kick", "help KICK", "? kick"])
def test_help_for_a_command_tells_of_that_one_alone(operated: Operated, line: str) -> None:
    assert operated.do(line) == ["Usage: kick NAME [REASON]. It ends somebody's session and tells them why."]


def test_question_mark_is_help_and_exit_is_quit(operated: Operated) -> None:
    assert operated.do("?") == operated.do("help")
    assert operated.do("exit") == ["Stopping."]
    assert operated.quits == 1


@pytest.mark.parametrize(
    "line",
    [
        *("quit bob", "exit now", "users bob", "bans all", "key please", "stats 5", "help kick ban"),
        *("devices bob carol", "code bob carol", "free bob carol"),
        *("unban bob carol", "unban name bob carol"),
    ],
)
def test_words_that_a_command_does_not_take_are_refused(operated: Operated, line: str) -> None:
    bob = operated.world.program("bob")
    operated.do("ban carol")
    (answer,) = operated.do(line)
    assert "Usage: " in answer
    assert operated.quits == 0
    assert bob.ended == []
    assert operated.do("bans")[0].startswith("name     carol")


@pytest.mark.parametrize("line", ["USERS", "  users  ", "Users"])
def test_case_and_spaces_around_do_not_matter(operated: Operated, line: str) -> None:
    assert operated.do(line) == ["Nobody is online."]


def test_users_shows_who_is_online_from_where_and_by_what(operated: Operated) -> None:
    world = operated.world
    phone = world.json("Alice")
    world.json("alice", token=phone.welcome().token).encrypted = True
    world.plain("bob")
    world.hub.leave(world.json("carol"), Reason.LEFT)
    alice, bob = operated.do("users")
    assert alice.startswith("Alice")
    assert len(re.findall(r"since [-\d]+ \d\d:\d\d from 192\.168\.1\.5:40000", alice)) == 2
    assert "plain text" not in alice
    assert alice.count("(not encrypted)") == 1
    assert bob.split(None, 1)[0] == "bob"
    assert "192.168.1.5:40000 (plain text, not encrypted)" in bob


def test_kick_ends_every_session_with_the_reason_that_was_given(operated: Operated) -> None:
    alice = operated.world.json("alice")
    assert operated.do("kick alice  no  more of this ") == ["alice was kicked."]
    assert alice.ended == [(Reason.KICKED, "The operator has ended your session: no  more of this")]
    assert len(operated.world.hub.roster) == 0
    assert [fields["reason"] for fields in operated.world.log.named("user_left")] == ["kicked"]


def test_kick_without_a_reason_needs_none(operated: Operated) -> None:
    alice = operated.world.json("alice")
    operated.do("kick ALICE")
    assert alice.ended == [(Reason.KICKED, "The operator has ended your session.")]


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("kick", "kick NAME"),
        ("kick   ", "kick NAME"),
        ("kick nobody", "not online"),
        ("kick ! x", "not online"),
    ],
)
def test_kick_of_nobody_says_what_to_do(operated: Operated, line: str, part: str) -> None:
    bob = operated.world.json("bob")
    (answer,) = operated.do(line)
    assert part in answer
    assert bob.ended == []


def test_say_reaches_everybody_as_it_was_typed(operated: Operated) -> None:
    alice, bob = operated.world.json("alice"), operated.world.plain("bob")
    assert operated.do("say Tea:  at four") == ["Sent to 2 people."]
    for session in (alice, bob):
        assert [(one.sender, one.text) for one in session.of(Message)] == [("Server", "Tea:  at four")]


@pytest.mark.parametrize("line", ["say a\x1b]0;root\x07", "kick bob \x9b2J", "\x1b[2J", "kick b\x08ob"])
def test_line_with_control_characters_does_nothing_and_is_not_repeated(operated: Operated, line: str) -> None:
    bob = operated.world.json("bob")
    (answer,) = operated.do(line)
    assert "control characters" in answer
    assert answer.isprintable()
    assert (bob.ended, bob.of(Message)) == ([], [])


def test_say_to_nobody_and_say_nothing_are_told_so(operated: Operated) -> None:
    assert operated.do("say hello") == ["Nobody is online."]
    (answer,) = operated.do("say")
    assert "say TEXT" in answer


def test_stats_counts_what_has_happened(operated: Operated) -> None:
    world = operated.world
    alice, bob = world.json("alice"), world.json("bob")
    for number in range(3):
        world.post(alice, "bob", "hi", str(number))
    world.hub.leave(bob, Reason.LEFT)
    error = ProtocolError(Code.NAME_RESERVED, "No.")
    world.hub.refused(world.session(), "Server", Typed(TypedKind.NAME, 6), error)
    told = dict(line.rsplit("  ", 1) for line in operated.do("stats"))
    values = {name.strip(): value.strip() for name, value in told.items()}
    assert values["up for"] == "1 h 2 min"
    assert values["online"] == "1"
    assert values["known people"] == "2"
    assert values["messages"] == "3"
    assert values["registrations"] == "2"
    assert values["refused names"] == "1"
    assert values["files"] == "0 (0 bytes)"
    assert values["memory"].endswith(" MiB")


def test_stats_leave_out_what_the_system_does_not_tell(
    operated: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hidden(_: object) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "memory_info", hidden)
    told = operated.do("stats")
    assert told[1] == "online          0"
    assert not any(line.startswith("memory") for line in told)


def test_quit_asks_the_server_to_stop(operated: Operated) -> None:
    assert operated.do("quit") == ["Stopping."]
    assert operated.quits == 1
