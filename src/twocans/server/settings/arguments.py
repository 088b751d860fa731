"""The command line of the server: the options, which follow from its settings, and the commands."""

from __future__ import annotations

import argparse
import difflib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from twocans.protocol.text import spelled_out_line
from twocans.server.settings.usage import PROGRAM, TRUTH, NotParsed, Parser, UsageError, explain

FORMATS: Final = {"json": "json", "text": "txt", "html": "html"}
"""The forms of an export, and how the name of a file of each ends."""
COMMANDS: Final = ("config", "export", "backup", "check")
_LIKENESS: Final = 0.6


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Understand the command line.

    Args:
        words: the command line without the program's name.

    Returns:
        `command`, which is None for serving, else the name of a command, with what belongs to it; and those settings
        that are given, by name and as they are given, with `config` for the file that is named.

    Raises:
        UsageError: it is not understood.
        HelpWanted: it asks for help.
    """
    # Loading the settings takes a moment, and most commands need none but the folder.
    commands = Parser(add_help=False)
    _add_whereabouts(commands)
    _add_commands(commands)
    try:
        options = commands.parse_args(words)
    except NotParsed:
        options = argparse.Namespace(command=None)
    if options.command is None:
        options = _parse_everything(words)
    _complete(options, commands)
    return options


def wants_json(words: Sequence[str]) -> bool:
    """True if a command line that is not understood asks for a server whose log is JSON."""
    if any(word in COMMANDS for word in words):
        return False
    given = os.environ.get("TWOCANS_LOG_FORMAT", "")
    for word, following in zip(words, [*words[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        if name == "--log-format":
            given = value if equals else following
    return given == "json"


def _complete(options: argparse.Namespace, parser: Parser) -> None:
    """Put in what follows from the rest of a command's options.

    Raises:
        UsageError: they do not go together.
    """
    if options.command == "export":
        options.out = None if options.out in (None, "-") else Path(options.out)
        options.format = options.format or _format_of(options.out)
        if options.format is None:
            raise UsageError(
                parser.commands["export"].format_usage(),
                "export needs --format json, text or html, or --out with a name that ends in .json, .txt or .html.",
            )
    elif options.command == "backup" and options.file == Path("-"):
        raise UsageError(
            parser.commands["backup"].format_usage(),
            "A backup cannot go to standard output. Name a file.",
        )


def _format_of(out: Path | None) -> str | None:
    """The format that the name of a file says."""
    ending = "" if out is None else out.suffix.lower().lstrip(".")
    return next((name for name, usual in FORMATS.items() if ending == usual), None)


def _parse_everything(words: Sequence[str]) -> argparse.Namespace:
    parser = Parser(
        usage=f"{PROGRAM} [options] [command]",
        description="Hosts a chat for the people on this network. Without a command it serves.",
        epilog="All options but --config can be set in a file and in the environment, too: see docs/operating.md.",
    )
    _add_config(parser)
    _add_settings(parser)
    _add_commands(parser)
    _add_settings(parser.commands["config"])
    words = list(_with_switches(words, parser))
    try:
        return parser.parse_args(words)
    except NotParsed as wrong:
        usage, sentence = explain(words, parser)
        sentence = _without_codes(sentence or f"{wrong}.", words)
        raise UsageError(usage, spelled_out_line(sentence)) from None


def _with_switches(words: Sequence[str], parser: Parser) -> Iterator[str]:
    """The command line with `--no-announce` for `--announce=no`, as argparse has it."""
    for word in words:
        name, _, value = word.partition("=")
        is_switch = isinstance(parser.options.get(name), argparse.BooleanOptionalAction)
        on = TRUTH.get(value.lower()) if is_switch else None
        yield word if on is None else name if on else name.replace("--", "--no-", 1)


def _add_settings(parser: Parser) -> None:
    from twocans.server.settings.model import default, fields, is_list, is_switch, option, says

    for name, field in fields().items():
        if option(name) in parser.options:
            continue
        description = f"{field.description} (default: {default(name)})".replace("`", "").replace("%", "%%")
        if is_switch(name):
            parser.add_argument(
                option(name),
                dest=name,
                action=argparse.BooleanOptionalAction,
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


def _add_commands(parser: Parser) -> None:
    commands = parser.add_subparsers(
        dest="command",
        metavar="command",
        prog=PROGRAM,
        title="commands",
        description="They work while the server runs, too.",
    )

    def add(name: str, sentence: str, usage: str | None = None) -> Parser:
        command = commands.add_parser(name, help=sentence, description=sentence, usage=usage)
        parser.commands[name] = command
        # Whatever stands before the command counts, unless it is said again after it.
        _add_whereabouts(command)
        return command

    add(
        "config",
        "Show all settings and where each value comes from; takes the options of the server.",
        usage=f"{PROGRAM} config [options]",
    )
    export = add("export", "Export all conversations of one person.")
    export.add_argument("--user", required=True, metavar="NAME", help="whose conversations")
    export.add_argument(
        "--format",
        choices=FORMATS,
        help="for programs, for reading, or for the browser; by default what the name of FILE ends in",
    )
    export.add_argument("--out", metavar="FILE", help="the file to make; - or nothing for standard output")
    backup = add("backup", "Copy the database into one file, and the files that people sent beside it.")
    backup.add_argument("file", type=Path, metavar="FILE", help="the file to make")
    check = add("check", "Check the database without changing it.")
    check.add_argument(
        "--files", action="store_true", help="read all files that messages carry, too, which may take long"
    )
    for command in (export, backup):
        command.add_argument("--force", action="store_true", help="replace FILE if it is an ordinary file")


def _add_whereabouts(parser: Parser) -> None:
    parser.add_argument("--data", default=argparse.SUPPRESS, metavar="DIR", help="the folder of the server")
    _add_config(parser)


def _add_config(parser: Parser) -> None:
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
