"""A command line that was not understood: the sentence that says what is wrong with it, and what was meant."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Final, Never, TypeVar

PROGRAM: Final = "server.py"
TRUTH: Final = {
    **dict.fromkeys(("true", "yes", "on"), True),
    **dict.fromkeys(("false", "no", "off"), False),
}
"""What the value of a switch may be, in any case."""
_LIKENESS: Final = 0.6
_NEGATIVE: Final = re.compile(r"-[0-9]*\.?[0-9]+")
_ActionT = TypeVar("_ActionT", bound=argparse.Action)


class UsageError(Exception):
    """The command line is not understood; the sentence says why, `usage` what could be written."""

    def __init__(self, usage: str, sentence: str) -> None:
        super().__init__(sentence)
        self.usage = usage


class HelpWanted(Exception):
    """The command line asks for help, which is the text of this."""


class NotParsed(Exception):
    """argparse did not take the command line; the text is argparse's own."""

    def __init__(self, parser: argparse.ArgumentParser, why: str) -> None:
        super().__init__(why)
        self.parser = parser


class Parser(argparse.ArgumentParser):
    """A parser that knows its options and commands, and raises what it would print.

    Args:
        prog: how the program is called.
        usage, description, epilog, add_help: see `argparse.ArgumentParser`.
    """

    def __init__(
        self,
        prog: str = PROGRAM,
        usage: str | None = None,
        description: str | None = None,
        epilog: str | None = None,
        *,
        add_help: bool = True,
    ) -> None:
        self.options: dict[str, argparse.Action] = {}
        self.words: list[argparse.Action] = []
        self.commands: dict[str, Parser] = {}
        super().__init__(prog, usage, description, epilog, add_help=add_help, allow_abbrev=False)

    def _add_action(self, action: _ActionT) -> _ActionT:
        # argparse has no public way to ask for its options.
        if not action.option_strings and action.dest != "command":
            self.words.append(action)
        self.options |= dict.fromkeys(action.option_strings, action)
        return super()._add_action(action)

    def error(self, message: str) -> Never:
        """See `argparse.ArgumentParser.error`."""
        raise NotParsed(self, message)

    def print_help(self, file: object = None) -> None:  # noqa: ARG002 - the signature is argparse's
        """See `argparse.ArgumentParser.print_help`."""
        raise HelpWanted(self.format_help())


def explain(words: Sequence[str], parser: Parser) -> tuple[str, str]:
    """Find the first word of a command line that is not understood.

    Args:
        words: the command line without the program's name.
        parser: did not take it.

    Returns:
        What could be written, and a sentence about the word; the sentence is empty if none is found.
    """
    reading = _Reading(parser)
    sentence = reading.problem(words)
    return reading.usage, sentence


class _Reading:
    """Goes through a command line as argparse does."""

    def __init__(self, parser: Parser) -> None:
        self._all = parser
        self._parser = parser
        self._command = ""
        self._missing: list[argparse.Action] = []
        self._free: list[argparse.Action] = []
        self._waiting = ""
        self._switch = ""

    @property
    def usage(self) -> str:
        """What could be written, for the command if there is one."""
        return self._parser.format_usage()

    def problem(self, words: Iterable[str]) -> str:
        for word in words:
            if word == "--":
                return "" if self._command else f"-- means nothing before a command. {self._see()}"
            if found := self._take(word):
                return found
        if self._waiting:
            return self._without_value()
        wanted = [_usage(action) for action in self._missing]
        return f"{self._command} needs {' and '.join(wanted)}." if wanted else ""

    def _take(self, word: str) -> str:
        """Go on by a word; the sentence for it if it cannot stand there."""
        is_option = word.startswith("-") and word != "-" and not _NEGATIVE.fullmatch(word)
        if self._waiting:
            if is_option:
                return self._without_value()
            problem = self._unsuitable(self._waiting, word)
            self._waiting = ""
            return problem
        if is_option:
            return self._option(word)
        switch, self._switch = self._switch, ""
        if self._command:
            if not self._free:
                return f"{self._command} does not take the word {word}. {self._see()}"
            self._seen(self._free.pop(0))
            return ""
        if word not in self._all.commands:
            return self._no_command(word, switch)
        self._command, self._parser = word, self._all.commands[word]
        self._free = list(self._parser.words)
        self._missing = [
            action for action in [*self._parser.options.values(), *self._free] if action.required
        ]
        return ""

    def _option(self, word: str) -> str:
        name, equals, value = word.partition("=")
        action = self._parser.options.get(name)
        if action is None:
            return self._no_option(name)
        self._seen(action)
        self._switch = name if isinstance(action, argparse.BooleanOptionalAction) else ""
        if action.nargs == 0:
            if equals and self._switch:
                return f"{name} is {value}, but has to be true or false."
            return f"{name} takes no value." if equals else ""
        if equals:
            return self._unsuitable(name, value)
        self._waiting = name
        return ""

    def _unsuitable(self, name: str, value: str) -> str:
        choices = self._parser.options[name].choices
        if choices is None or value in choices:
            return ""
        return f"{name} is {value}, but has to be one of {', '.join(map(str, choices))}."

    def _without_value(self) -> str:
        return f"{self._waiting} needs a value: {_usage(self._parser.options[self._waiting])}."

    def _seen(self, action: argparse.Action) -> None:
        self._missing = [one for one in self._missing if one is not action]

    def _no_option(self, name: str) -> str:
        if self._command and name in self._all.options:
            return f"{name} is a setting of the server, and {self._command} takes none. {self._see()}"
        having = [word for word, parser in self._all.commands.items() if name in parser.options]
        if self._command and having:
            return f"{name} goes with {' and '.join(having)}, not with {self._command}. {self._see()}"
        if having:
            return f"{name} stands after its command: {PROGRAM} {having[0]} {name}."
        meant = _alike(name, self._parser.options) or _alike(name, self._all.options)
        return f"{name} is not an option. " + (f"Did you mean {meant}?" if meant else self._see())

    def _no_command(self, word: str, switch: str) -> str:
        if switch and word.lower() in TRUTH:
            return f"The value of {switch} stands behind an equals sign: {switch}={word}."
        if word.lower() == "help":
            return f"{word} is not a command. Did you mean --help?"
        meant = difflib.get_close_matches(word.lower(), self._all.commands, 1, _LIKENESS)
        hint = f"Did you mean {meant[0]}? " if meant else ""
        return (
            f"{word or 'An empty word'} is not a command. {hint}The commands are {', '.join(self._all.commands)}; "
            "without one, the server starts."
        )

    def _see(self) -> str:
        return f"See {self._parser.prog} --help."


def _usage(action: argparse.Action) -> str:
    """How an option or a word is written, with what stands for its value."""
    value = action.metavar if isinstance(action.metavar, str) else action.dest
    return f"{action.option_strings[0]} {value}" if action.option_strings else value


def _alike(name: str, options: Iterable[str]) -> str:
    """The option that was meant, or nothing."""
    spelled = {option.lstrip("-"): option for option in options if option.startswith("--")}
    wanted = name.lstrip("-").replace("_", "-").lower()
    if wanted in spelled:
        return spelled[wanted]
    longer = [option for option in spelled if wanted and option.startswith(wanted)]
    if len(longer) == 1:
        return spelled[longer[0]]
    close = difflib.get_close_matches(wanted, spelled, 1, _LIKENESS)
    return spelled[close[0]] if close else ""
