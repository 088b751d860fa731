"""The command line of the server: its options and commands, and what their values may be."""

from __future__ import annotations

import argparse
import ipaddress
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from twocans.hub.limits import Limits
from twocans.server.config import DEFAULT_PORT, Concurrency, HistoryMode, default_data_folder
from twocans.server.log import LogFormat
from twocans.storage.sqlite import Durability

ANY_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - people on the network are to reach it
MAX_KEEP_DAYS: Final = 36_500
_Choice = TypeVar("_Choice", bound=StrEnum)
FORMATS: Final = ("json", "text", "html")


def parser() -> argparse.ArgumentParser:
    """What understands the command line. `command` is None for serving, else the name of a command."""
    made = argparse.ArgumentParser(
        prog="server.py",
        description="Hosts a chat for the people on this network. Without a command it serves.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    _add_serving(made)
    _add_commands(made)
    return made


def _add_serving(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--host",
        type=_ipv4,
        default=ANY_ADDRESS,
        metavar="ADDRESS",
        help="the IPv4 address of this computer to listen on",
    )
    parser.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, metavar="N", help="the TCP port; 0 for any"
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=default_data_folder(),
        metavar="DIR",
        help="the folder for everything that the server keeps: messages, its log, the console's history",
    )
    parser.add_argument(
        "--concurrency",
        type=_one_of(Concurrency),
        metavar=" or ".join(Concurrency),
        default=Concurrency.ASYNC,
        help="serve all clients from one event loop, or each from a thread of its own",
    )
    parser.add_argument(
        "--rate-limit",
        type=_rate,
        default=Limits().rate_per_s,
        metavar="N",
        help="messages per second for each client; after a pause ten seconds' worth at once; 0 for no limit",
    )
    parser.add_argument(
        "--durability",
        type=_one_of(Durability),
        metavar=" or ".join(Durability),
        default=Durability.PROCESS,
        help="what an acknowledged message survives: the end of this process, or a power cut too",
    )
    parser.add_argument(
        "--history",
        type=_one_of(HistoryMode),
        metavar=" or ".join(HistoryMode),
        default=HistoryMode.ON,
        help="keep messages for people who are away and for looking back, or keep nothing on disk",
    )
    parser.add_argument(
        "--keep-days",
        type=_days,
        default="for ever",
        metavar="N",
        help="how many days a message is kept",
    )
    parser.add_argument(
        "--log-format",
        type=_one_of(LogFormat),
        metavar=" or ".join(LogFormat),
        default=LogFormat.TEXT,
        help="sentences for people, or one JSON object a line for machines",
    )


def _add_commands(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(
        dest="command",
        metavar="command",
        title="commands",
        description="They work while the server runs, too.",
    )
    export = commands.add_parser("export", help="write down all conversations of one person")
    export.add_argument("--user", required=True, metavar="NAME", help="whose conversations")
    export.add_argument(
        "--format", choices=FORMATS, required=True, help="for programs, for reading, or for the browser"
    )
    export.add_argument("--out", type=Path, metavar="FILE", help="the file to make; else standard output")
    backup = commands.add_parser("backup", help="copy the database into one file, and check the copy")
    backup.add_argument("file", type=Path, metavar="FILE", help="the file to make")
    check = commands.add_parser("check", help="look whether the database is whole")
    for command in (export, backup, check):
        # Whatever stands before the command counts, unless it is said again after it.
        command.add_argument(
            "--data", type=Path, default=argparse.SUPPRESS, metavar="DIR", help="the folder of the server"
        )
    for command in (export, backup):
        command.add_argument("--force", action="store_true", help="replace FILE if it exists")


def _one_of(kind: type[_Choice]) -> Callable[[str], _Choice]:
    """Understands the values of an option that has a few."""

    def choose(text: str) -> _Choice:
        try:
            return kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text} is not one of {', '.join(kind)}") from None

    return choose


def _ipv4(text: str) -> str:
    if text == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not an IPv4 address such as 192.168.1.20") from None


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 5 or int(text) > 65535:
        raise argparse.ArgumentTypeError(
            f"{text[:20]} is not a port: a number from 1 to 65535, or 0 for any free one"
        )
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of messages per second, 0 or more")
    return rate


def _days(text: str) -> int | None:
    if text == "for ever":
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not 1 <= int(text) <= MAX_KEEP_DAYS:
        raise argparse.ArgumentTypeError(
            f"{text} is not a number of days from 1 to {MAX_KEEP_DAYS}. Without this option messages are kept for ever"
        )
    return int(text)
