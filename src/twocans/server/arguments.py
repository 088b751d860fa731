"""The command line of the server: the options, which follow from its settings, and the commands."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Never

FORMATS: Final = ("json", "text", "html")
_PROGRAM: Final = "server.py"
_LIKENESS: Final = 0.6


class _NotUnderstood(Exception):
    def __init__(self, parser: argparse.ArgumentParser, why: str) -> None:
        super().__init__(why)
        self.parser = parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Never:
        raise _NotUnderstood(self, message)


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Understands the command line, or ends the program with a sentence and exit code 2.

    Args:
        words: the command line without the program's name.

    Returns:
        `command`, which is None for serving, else the name of a command, with what belongs to it; and those settings
        that are given, by name and as they are given, with `config` for the file that is named.
    """
    # Loading the settings takes a moment, and most commands need none but the folder.
    commands = _Parser(prog=_PROGRAM, add_help=False, allow_abbrev=False)
    _add_whereabouts(commands)
    _add_commands(commands)
    try:
        options = commands.parse_args(words)
        if options.command is not None:
            return options
    except _NotUnderstood:
        pass
    try:
        return _everything().parse_args(words)
    except _NotUnderstood as wrong:
        argparse.ArgumentParser.error(wrong.parser, _without_codes(str(wrong), words))


def _everything() -> argparse.ArgumentParser:
    made = _Parser(
        prog=_PROGRAM,
        usage=f"{_PROGRAM} [options] [command]",
        description="Hosts a chat for the people on this network. Without a command it serves.",
        epilog="All options but --config can be set in a file and in the environment, too: see docs/operating.md.",
    )
    _add_config(made)
    _add_settings(made)
    _add_commands(made)
    return made


def _add_settings(parser: argparse.ArgumentParser) -> None:
    from twocans.server.settings.model import default, fields, is_list, is_on, is_switch, option, says

    for name, field in fields().items():
        description = f"{field.description} (default: {default(name)})".replace("`", "").replace("%", "%%")
        if is_switch(name):
            parser.add_argument(
                option(name),
                dest=name,
                action=argparse.BooleanOptionalAction if is_on(name) else "store_true",
                default=argparse.SUPPRESS,
                help=description,
            )
        else:
            parser.add_argument(
                option(name),
                dest=name,
                action="append" if is_list(name) else "store",
                default=argparse.SUPPRESS,
                metavar=says(name).value,
                help=description,
            )


def _add_commands(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(
        dest="command",
        metavar="command",
        prog=_PROGRAM,
        title="commands",
        description="They work while the server runs, too.",
    )
    config = commands.add_parser("config", help="show all settings, and from where each is")
    export = commands.add_parser("export", help="write down all conversations of one person")
    export.add_argument("--user", required=True, metavar="NAME", help="whose conversations")
    export.add_argument(
        "--format", choices=FORMATS, required=True, help="for programs, for reading, or for the browser"
    )
    export.add_argument("--out", type=Path, metavar="FILE", help="the file to make; else standard output")
    backup = commands.add_parser("backup", help="copy the database into one file, and the files beside it")
    backup.add_argument("file", type=Path, metavar="FILE", help="the file to make")
    check = commands.add_parser("check", help="look whether the database is whole")
    check.add_argument(
        "--files", action="store_true", help="read all files that messages carry, too, which may take long"
    )
    for command in (config, export, backup, check):
        # Whatever stands before the command counts, unless it is said again after it.
        _add_whereabouts(command)
    for command in (export, backup):
        command.add_argument("--force", action="store_true", help="replace FILE if it exists")


def _add_whereabouts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", default=argparse.SUPPRESS, metavar="DIR", help="the folder of the server")
    _add_config(parser)


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        default=argparse.SUPPRESS,
        metavar="FILE",
        help="the file with settings, instead of a twocans.toml in the folder of the server",
    )


def _without_codes(message: str, words: Sequence[str]) -> str:
    """The message without any code that let people in, even if the option before it is misspelt."""
    for code in _codes(words):
        message = message.replace(repr(code)[1:-1], "…").replace(code, "…")
    return message


def _codes(words: Sequence[str]) -> Iterator[str]:
    follows = False
    for word in words:
        name, _, value = word.partition("=")
        if word.startswith("-"):
            bare = name.strip("-")
            follows = bool(difflib.get_close_matches(bare, ["invite"], cutoff=_LIKENESS)) or (
                bare != "" and "invite".startswith(bare)
            )
            if follows and value:
                yield value
        elif follows and word:
            yield word
