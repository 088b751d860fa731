"""The commands beside serving: `server.py export`, `backup` and `check`. They work whether a server runs or not."""

from __future__ import annotations

import contextlib
import io
import os
import sqlite3
import sys
from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from msgspec.structs import replace

from twocans.common.new_file import NewFileError, new_file
from twocans.common.transcripts import Conversation, Form, render
from twocans.protocol.file_names import readable_size
from twocans.protocol.messages import Message
from twocans.protocol.names import NameInvalid, user_key
from twocans.protocol.plurals import counted
from twocans.protocol.text import spelled_out_line
from twocans.server.maintenance.command_output import complain, write_output
from twocans.storage.sqlite import StorageError, archive
from twocans.storage.sqlite.backup import back_up
from twocans.storage.sqlite.check import check
from twocans.storage.sqlite.file_backup import SUFFIX, copy_files
from twocans.storage.sqlite.schema import DATABASE_FILE, explain, open_to_read


class CommandError(Exception):
    """The command cannot do what it is asked to; the sentence says why and what to do."""


def run(options: Namespace) -> int:
    """Do what a command says.

    Args:
        options: the command line as it was understood.

    Returns:
        The exit code: 0 if it was done and all is well, 1 if not.

    Raises:
        OutputError: standard output does not take what there is to tell.
    """
    try:
        match options.command:
            case "export":
                _export(options.data, options.user, Form(options.format), options.out, force=options.force)
                return 0
            case "backup":
                return _backup(options.data, options.file, force=options.force)
            case _:
                return _check(options.data, thorough=options.files)
    except (CommandError, StorageError, NewFileError) as error:
        complain(spelled_out_line(f"{error}."))
        return 1


def _export(data: Path, name: str, form: Form, out: Path | None, *, force: bool) -> None:
    path = data / DATABASE_FILE
    with contextlib.closing(open_to_read(path)) as database:
        try:
            if out is None:
                document = _document(database, name, form)
                _use_utf8(sys.stdout)
                write_output(document)
            else:
                with (
                    new_file(out, replace=force) as unfinished,
                    unfinished.open("w", encoding="utf-8", newline="\n") as file,
                ):
                    for piece in _document(database, name, form):
                        file.write(piece)
        except sqlite3.Error as error:
            raise CommandError(explain(path, error)) from None


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


def _use_utf8(stream: TextIO) -> None:
    """What goes into a file or another program is UTF-8 everywhere; a terminal says itself what it can show."""
    if isinstance(stream, io.TextIOWrapper) and not stream.isatty():
        stream.reconfigure(encoding="utf-8", newline="\n")


def _backup(data: Path, to: Path, *, force: bool) -> int:
    size = back_up(data, to, replace=force)
    told = [f"{to} holds all messages up to now ({size / 1e6:,.1f} MB) and has been checked."]
    beside = f"{to}{SUFFIX}"
    try:
        copied = copy_files(data, to)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise CommandError(f"The files could not be copied to {beside} ({why})") from None
    if copied.number:
        files = counted(copied.number, "file")
        told.append(f"{beside} holds the {files} of them ({readable_size(copied.size)}).")
    _say(told)
    if copied.missing:
        raise CommandError(
            f"{counted(copied.missing, 'file')} not found in the server's folder, so not in the backup either. "
            "The command check says which"
        )
    return 0


def _check(data: Path, *, thorough: bool) -> int:
    report = check(data, thorough=thorough)
    path = data / DATABASE_FILE
    if report.problems:
        for problem in report.problems:
            complain(spelled_out_line(problem))
        complain(spelled_out_line(f"{path} is not in order. Stop the server and put a backup in its place."))
        return 1
    told = [counted(report.messages, "message"), counted(report.people, "person", "people")]
    if report.cleared:
        told.append(
            counted(
                report.cleared,
                "message without its text, as its time is over",
                "messages without their text, as their time is over",
            )
        )
    if report.files:
        told.append(counted(report.files, "file"))
    if report.unindexed:
        unindexed = counted(report.unindexed, "message")
        told.append(f"{unindexed} not yet in the search index, which the server sees to")
    _say([f"{path} is in order: {', '.join(told)}."])
    return 0


def _say(sentences: list[str]) -> None:
    write_output(f"{spelled_out_line(sentence)}\n" for sentence in sentences)
