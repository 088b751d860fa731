"""The operator's commands; how they are typed is the affair of `prompt`."""

from __future__ import annotations

import contextlib
import difflib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import psutil
from msgspec import Struct

from twocans.hub.hub import EventLog, Hub
from twocans.protocol.file_names import readable_size
from twocans.protocol.keys import ServerKey, readable_key
from twocans.protocol.text import has_control
from twocans.server.operator.moderation import Moderation
from twocans.server.operator.moderation_commands import BAN_USAGE, UNBAN_USAGE, ModerationCommands

_TAKE_NAMES: Final = frozenset({"kick", "ban", "devices", "code", "free"})
_ALIASES: Final = {"?": "help", "exit": "quit"}


class Command(Struct, frozen=True):
    """One command.

    Args:
        usage: how it is typed.
        help: what it does, for people.
        run: carries it out, with what stands behind its name.
        max_words: how many words it takes; None for any text.
    """

    usage: str
    help: str
    run: Callable[[str], Iterator[str]]
    max_words: int | None = None


class Console:
    """Carries out what the operator types.

    Args:
        hub: the running server's.
        started_at: when the server started, by `time.monotonic`.
        quit_server: asks the server to stop.
        log: is told what the operator has done.
        key: what clients know the server by.
    """

    def __init__(
        self, hub: Hub, *, started_at: float, quit_server: Callable[[], None], log: EventLog, key: ServerKey
    ) -> None:
        self._hub = hub
        self._started_at = started_at
        self._quit = quit_server
        self._key = key
        moderation = ModerationCommands(Moderation(hub, log))
        self.commands: Mapping[str, Command] = {
            "help": Command("help [COMMAND]", "shows this list, or how one command is used", self._help, 1),
            "users": Command("users", "shows who is online, since when and from where", moderation.users, 0),
            "kick": Command(
                "kick NAME [REASON]", "ends somebody's session and tells them why", moderation.kick
            ),
            "say": Command("say TEXT", "sends a message from Server to everybody online", moderation.say),
            "ban": Command(BAN_USAGE, "bans a name, an address or a device", moderation.ban),
            "unban": Command(UNBAN_USAGE, "lifts a ban", moderation.unban, 2),
            "bans": Command("bans", "shows all bans", moderation.bans, 0),
            "devices": Command(
                "devices NAME", "shows the devices of a name, and their keys", moderation.devices, 1
            ),
            "code": Command("code NAME", "shows a code for logging in on a new device", moderation.code, 1),
            "free": Command(
                "free NAME", "frees a lost name, so that anybody can take it", moderation.free, 1
            ),
            "key": Command("key", "shows the server's key", self._show_key, 0),
            "stats": Command("stats", "shows what the server has done so far", self._stats, 0),
            "quit": Command("quit", "tells everybody goodbye and stops the server", self._quit_server, 0),
        }

    def carry_out(self, line: str) -> list[str]:
        """Carry out a command.

        Returns:
            What to show.
        """
        word, rest = [*line.split(None, 1), "", ""][:2]
        if not word:
            return []
        if has_control(line):  # a paste may bring them
            return ["That line contains control characters, so nothing was done."]
        command = self._find(word)
        if command is None:
            return [self._unknown(word)]
        if command.max_words is not None and len(rest.split()) > command.max_words:
            return [f"Too many arguments for {word}. Usage: {command.usage}"]
        return list(command.run(rest.strip()))

    def _find(self, word: str) -> Command | None:
        name = word.casefold()
        return self.commands.get(_ALIASES.get(name, name))

    def _unknown(self, word: str) -> str:
        alike = difflib.get_close_matches(word.casefold(), self.commands, 1)
        hint = f" Did you mean {alike[0]}?" if alike else ""
        return f"{word} is not a command.{hint} These are: {', '.join(self.commands)}"

    def _help(self, rest: str) -> Iterator[str]:
        if rest:
            command = self._find(rest)
            yield self._unknown(rest) if command is None else f"Usage: {command.usage}. It {command.help}."
            return
        width = max(len(command.usage) for command in self.commands.values())
        for command in self.commands.values():
            yield f"{command.usage:<{width}}  {command.help}"

    def _show_key(self, _rest: str) -> Iterator[str]:
        yield f"{readable_key(self._key)} is the key of this server; clients show the same."

    def _stats(self, _rest: str) -> Iterator[str]:
        statistics = self._hub.statistics
        minutes = int(time.monotonic() - self._started_at) // 60
        yield f"up for          {minutes // 60} h {minutes % 60} min"
        yield f"online          {len(self._hub.roster)}"
        yield f"known people    {len(self._hub.roster.known)}"
        yield f"messages        {statistics.messages}"
        files, size = self._hub.files.totals
        yield f"files           {files} ({readable_size(size)})"
        yield f"registrations   {statistics.registrations}"
        yield f"refused names   {statistics.refusals}"
        with contextlib.suppress(psutil.Error, OSError):  # a sandbox hides /proc
            yield f"memory          {psutil.Process().memory_info().rss / 2**20:.0f} MiB"

    def _quit_server(self, _rest: str) -> Iterator[str]:
        self._quit()
        yield "Stopping."

    def completions(self) -> Mapping[str, Sequence[str]]:
        """The commands, and what may follow each."""
        names = [account.name for account in self._hub.roster.online()]
        words = {word: names if word in _TAKE_NAMES else () for word in self.commands}
        return {**words, "help": list(self.commands)}
