"""The commands beside serving: `server.py export`, `backup` and `check`. They work whether a server runs or not."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from msgspec.structs import replace

from twocans.common.newfile import NewFileError, new_file
from twocans.common.transcripts import Conversation, Form, render
from twocans.protocol.file_names import readable_size
from twocans.protocol.messages import Message
from twocans.protocol.names import NameInvalid, user_key
from twocans.protocol.text import spelled_out_line
from twocans.storage.sqlite import StorageError, archive
from twocans.storage.sqlite.backup import back_up
from twocans.storage.sqlite.check import check
from twocans.storage.sqlite.file_keeping import SUFFIX, copy_files
from twocans.storage.sqlite.schema import DATABASE_FILE, explain, open_to_read


class CommandError(Exception):
    """The command cannot do what it is asked to; the sentence says why and what to do."""


def run(options: Namespace) -> int:
    """Do what a command says.

    Args:
        options: the command line as it was understood.

    Returns:
        The exit code: 0 if it was done and all is well, 1 if not.
    """
    try:
        match options.command:
            case "export":
                return _export(
                    options.data, options.user, Form(options.format), options.out, force=options.force
                )
            case "backup":
                return _backup(options.data, options.file, force=options.force)
            case _:
                return _check(options.data, thorough=options.files)
    except (CommandError, StorageError, NewFileError) as error:
        print(spelled_out_line(f"{error}."), file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read it has seen enough; Python must not stumble over it again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def _export(data: Path, name: str, form: Form, out: Path | None, *, force: bool) -> int:
    path = data / DATABASE_FILE
    with contextlib.closing(open_to_read(path)) as database:
        try:
            if out is None:
                _use_utf8(sys.stdout)
                _write(_document(database, name, form), sys.stdout)
            else:
                with (
                    new_file(out, replace=force) as unfinished,
                    unfinished.open("w", encoding="utf-8", newline="\n") as file,
                ):
                    _write(_document(database, name, form), file)
        except sqlite3.Error as error:
            raise CommandError(explain(path, error)) from None
        except BrokenPipeError:
            raise
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            raise CommandError(f"The export could not be written ({why})") from None
    return 0


def _document(database: sqlite3.Connection, name: str, form: Form) -> Iterator[str]:
    try:
        person = archive.find(database, user_key(name))
    except NameInvalid:
        person = None
    if person is None:
        raise CommandError(
            f"Nobody called {name[:64]} has ever been on this server, so there is nothing to export"
        )
    conversations = (
        Conversation(peer, map(_telling_of_its_file, messages))
        for peer, messages in archive.conversations(database, person)
    )
    return render(conversations, user=person.name, form=form, now=datetime.now(UTC))


def _telling_of_its_file(message: Message) -> Message:
    if message.file is None:
        return message
    return replace(message, text=f"File: {message.text} ({readable_size(message.file.size)})")


def _write(document: Iterator[str], file: TextIO) -> None:
    for piece in document:
        file.write(piece)
    file.flush()


def _use_utf8(stream: TextIO) -> None:
    """What goes into a file or another program is UTF-8 everywhere; a terminal says itself what it can show."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        if not stream.isatty():
            reconfigure(encoding="utf-8", newline="\n")
        reconfigure(errors="backslashreplace")


def _backup(data: Path, to: Path, *, force: bool) -> int:
    size = back_up(data, to, replace=force)
    print(spelled_out_line(f"{to} holds all messages up to now ({size / 1e6:,.1f} MB) and has been checked."))
    beside = f"{to}{SUFFIX}"
    try:
        copied = copy_files(data, to)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise CommandError(f"The files could not be copied to {beside} ({why})") from None
    if copied.number:
        files = "file" if copied.number == 1 else "files"
        print(
            spelled_out_line(
                f"{beside} holds the {copied.number:,} {files} of them ({readable_size(copied.size)})."
            )
        )
    if copied.missing:
        raise CommandError(
            f"Files are missing from the server's folder ({copied.missing:,}), and so from the backup. The command check says which"
        )
    return 0


def _check(data: Path, *, thorough: bool) -> int:
    report = check(data, thorough=thorough)
    path = data / DATABASE_FILE
    if report.problems:
        for problem in report.problems:
            print(spelled_out_line(problem), file=sys.stderr)
        print(
            spelled_out_line(f"{path} is not in order. Stop the server and put a backup in its place."),
            file=sys.stderr,
        )
        return 1
    told = [f"{report.messages:,} messages", f"{report.people:,} people"]
    if report.cleared:
        told.append(f"{report.cleared:,} messages without their text, as their time is over")
    if report.files:
        told.append(f"{report.files:,} files")
    if report.unindexed:
        told.append(f"{report.unindexed:,} messages not yet in the search index, which the server sees to")
    print(spelled_out_line(f"{path} is in order: {', '.join(told)}."))
    return 0
