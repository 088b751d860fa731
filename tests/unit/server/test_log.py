"""The server's log: a sentence for everything, nothing that forges a terminal, and nobody held up by a stream."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import stat
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from tests.support.deadline import DEADLINE_S
from twocans.hub.session import Reason
from twocans.protocol.typed import TypedKind
from twocans.server.operator.log import Log, LogFormat, sentence
from twocans.server.operator.log_throttle import ALLOWANCES
from twocans.server.operator.output import (
    LOG_FILE_BYTES,
    LOG_FILES,
    MAX_WAITING_CHARS,
    MAX_WAITING_LINES,
    Output,
)
from twocans.server.transports.connection_limiter import Refusal

_EVENTS: Final[list[tuple[str, dict[str, object], str]]] = [
    (
        "user_registered",
        {"user": "alice", "address": "10.0.0.2:99", "dialect": "json", "encrypted": True},
        "alice registered from 10.0.0.2:99\n",
    ),
    (
        "user_registered",
        {"user": "alice", "address": "10.0.0.2:99", "dialect": "json", "encrypted": False},
        "from 10.0.0.2:99 (not encrypted)\n",
    ),
    (
        "user_registered",
        {"user": "bob", "address": "10.0.0.2:99", "dialect": "plain", "encrypted": True},
        "from 10.0.0.2:99 (plain text)\n",
    ),
    (
        "user_registered",
        {"user": "bob", "address": "10.0.0.2:99", "dialect": "plain", "encrypted": False},
        "from 10.0.0.2:99 (plain text, not encrypted)\n",
    ),
    ("file_stored", {"bytes": 2_100_000}, "A file was uploaded (2.1 MB)"),
    ("files_removed", {"number": 3}, "Removed 3 uploaded files that nobody sent"),
    ("request_malformed", {"address": "10.0.0.2:99"}, "Invalid HTTP request from 10.0.0.2:99"),
    ("user_joined", {"user": "alice", "online": 3}, "alice joined (3 online)"),
    ("user_left", {"user": "alice", "reason": "left", "online": 0}, "alice left (nobody online)"),
    (
        "session_closed",
        {"user": "alice", "address": "a", "reason": "too_slow", "gone": False},
        "A session of alice ended: too slow",
    ),
    (
        "name_refused",
        {
            "name": "alice",
            "kind": "name",
            "length": 5,
            "code": "name_taken",
            "text": "It is taken.",
            "address": "10.0.0.2:99",
        },
        "Refused the name “alice” from 10.0.0.2:99: It is taken.",
    ),
    (
        "name_refused",
        {"name": "", "kind": "frame", "length": 9, "code": "c", "text": "", "address": "10.0.0.2:99"},
        "Refused a frame of 9 bytes that does not log in from 10.0.0.2:99\n",
    ),
    (
        "never_registered",
        {"address": "10.0.0.2:99", "reason": "not_registered"},
        "10.0.0.2:99 never registered",
    ),
    ("connection_refused", {"address": "10.0.0.2:99", "why": "full"}, "10.0.0.2:99: the server is full"),
    ("key_readable", {"file": "/data/server.key", "closed": True}, "now they cannot"),
    ("key_readable", {"file": "/data/server.key", "closed": False}, "/data/server.key"),
    (
        "certificate_replaced",
        {"file": "/data/server.crt", "aside": "/data/server.damaged.crt"},
        "The old file is now /data/server.damaged.crt",
    ),
    ("server_stopping", {"why": "Ctrl-C was pressed"}, "Ctrl-C was pressed"),
    ("server_stopped", {}, "stopped"),
    ("terminal_gone", {}, "keeps running without a prompt"),
    ("internal_error", {"error": "KeyError", "where": "/data/server.log"}, "/data/server.log"),
    ("storage_error", {"error": "disk I/O error"}, "disk I/O error"),
    ("messages_cleared", {"keep_days": 30, "number": 7}, "30 days"),
    ("database_upgraded", {"before": 5, "now": 8}, "from version 5 to version 8."),
    ("lines_dropped", {"number": 7}, "7 lines"),
    ("descriptors_short", {"why": "Too many open files"}, "ulimit -n"),
]


class Gate(io.StringIO):
    """A stream that stands still until it is opened, as a terminal does after Ctrl-S."""

    def __init__(self) -> None:
        super().__init__()
        self.stuck = threading.Event()
        self.opened = threading.Event()

    def write(self, text: str, /) -> int:
        """Wait, then write."""
        self.stuck.set()
        assert self.opened.wait(DEADLINE_S)
        return super().write(text)


@pytest.fixture
def gate() -> Iterator[Gate]:
    """A stream that stands still; it is opened at the end at the latest."""
    one = Gate()
    yield one
    one.opened.set()


def refused(name: str, kind: TypedKind = TypedKind.NAME, text: str = "No.") -> dict[str, object]:
    """The fields of an event."""
    return {"name": name, "kind": kind.value, "length": 9, "code": "c", "text": text, "address": "a"}


def _written(form: LogFormat, event: str, fields: dict[str, object], *, styled: bool = False) -> str:
    stream = io.StringIO()
    output = Output(stream=stream, styled=styled, log_file=None)
    Log(output, form)(event, **fields)
    output.close()
    return stream.getvalue()


# --- sentences -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("event", "fields", "part"), _EVENTS)
def test_every_event_is_one_line_with_the_time(event: str, fields: dict[str, object], part: str) -> None:
    written = _written(LogFormat.TEXT, event, fields)
    assert re.fullmatch(r"\d\d:\d\d:\d\d  [^\n]+\n", written)
    assert part in written


@pytest.mark.parametrize("kind", list(TypedKind))
def test_every_kind_of_refused_login_has_words(kind: TypedKind) -> None:
    told, _ = sentence("name_refused", refused("", kind))
    assert re.fullmatch(r"Refused (a \w+ of )?9 \w+[^_]* from a: No\.", told)


@pytest.mark.parametrize("why", list(Refusal))
def test_every_refusal_of_a_connection_has_words(why: Refusal) -> None:
    text, _ = sentence("connection_refused", {"address": "10.0.0.2:99", "why": why.value})
    assert text.startswith("Refused a connection from 10.0.0.2:99: ")


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words(reason: Reason) -> None:
    text, _ = sentence("user_left", {"user": "alice", "reason": reason.value, "online": 1})
    assert "_" not in text
    assert reason.value.split("_")[0] in text or reason in {
        Reason.PROTOCOL_ERROR,
        Reason.NOT_REGISTERED,
        Reason.REFUSED,
        Reason.SERVER_STOPPING,
        Reason.STORAGE_FAILED,
        Reason.TLS_FAILED,
        Reason.REVOKED,
    }


def test_end_of_a_session_by_which_its_user_is_gone_is_told_once() -> None:
    fields: dict[str, object] = {"user": "alice", "address": "a", "reason": "left", "gone": True}
    assert _written(LogFormat.TEXT, "session_closed", fields) == ""


def test_event_without_a_sentence_is_kept_in_the_file_only(tmp_path: Path) -> None:
    stream = io.StringIO()
    output = Output(stream=stream, styled=False, log_file=tmp_path / "server.log")
    Log(output, LogFormat.TEXT)("server_started", port=5050)
    output.close()
    assert stream.getvalue() == ""
    assert json.loads((tmp_path / "server.log").read_text("utf-8"))["port"] == 5050


def test_say_is_for_people_only() -> None:
    for form, expected in ((LogFormat.TEXT, "Hello.\n"), (LogFormat.JSON, "")):
        stream = io.StringIO()
        output = Output(stream=stream, styled=False, log_file=None)
        Log(output, form).say("Hello.", style="bold")
        output.close()
        assert stream.getvalue() == expected


def more_of_them(what: str, **fields: object) -> str:
    """How a count of what was not told reads."""
    known: dict[str, object] = {"number": 312, "source": "10.0.0.7", "sources": 1, "seconds": 60}
    return sentence("more_of_them", {"what": what, **known, **fields})[0]


@pytest.mark.parametrize(
    ("event", "fields", "part"),
    [
        (
            "more_of_them",
            {"what": "name_refused", "number": 1, "source": "", "sources": 1, "seconds": 70},
            "1 more login was refused in the last minute",
        ),
        (
            "more_of_them",
            {"what": "user_joined", "number": 1, "source": "", "sources": 1, "seconds": 120},
            "1 more time somebody joined in the last 2 minutes",
        ),
        ("name_refused", refused("") | {"length": 1}, "Refused a name of 1 character from a"),
        ("name_refused", refused("", TypedKind.FRAME) | {"length": 1}, "Refused a frame of 1 byte that"),
        ("messages_cleared", {"keep_days": 1, "number": 5}, "older than 1 day"),
        ("lines_dropped", {"number": 1}, "(1 line could not be shown)"),
    ],
)
def test_one_of_a_thing_is_told_in_the_singular(event: str, fields: dict[str, object], part: str) -> None:
    assert part in sentence(event, fields)[0]


def test_count_of_what_was_not_told_names_the_source_and_the_time() -> None:
    told = more_of_them("name_refused")
    assert told == "… and 312 more logins were refused from 10.0.0.7 in the last minute"
    assert more_of_them("user_joined", sources=40, seconds=3600) == (
        "… and 312 more times somebody joined from 40 sources, most of them 10.0.0.7, in the last 60 minutes"
    )


@pytest.mark.parametrize("what", list(ALLOWANCES))
def test_every_count_has_words(what: str) -> None:
    assert more_of_them(what, source="").endswith(" in the last minute")


def test_security_events_are_in_a_file_of_their_own_as_well(tmp_path: Path) -> None:
    files = tmp_path / "server.log", tmp_path / "security.log"
    output = Output(stream=io.StringIO(), styled=False, log_file=files[0], security_file=files[1])
    log = Log(output, LogFormat.TEXT)
    log("banned", kind="name", what="eve", why="")
    log("user_joined", user="alice", online=1)
    for what in ("user_joined", "name_refused"):
        log("more_of_them", what=what, number=3, source="10.0.0.7", sources=1, seconds=60)
    output.close(timeout_s=DEADLINE_S)
    everything, security = (
        [json.loads(line) for line in one.read_text("utf-8").splitlines()] for one in files
    )
    assert [event["event"] for event in everything] == [
        "banned",
        "user_joined",
        "more_of_them",
        "more_of_them",
    ]
    assert [(event["event"], event["what"]) for event in security] == [
        ("banned", "eve"),
        ("more_of_them", "name_refused"),
    ]


# --- hostile names ---------------------------------------------------------------------------------------

_FORGERIES: Final = [
    "\x1b[2J\x1b[1;1H",
    "\x9b31m",
    "a\nb",
    "a\r\n12:00:00  root joined (9 online)",
    "\u202egnp.exe",
    "\u2066x\u2069",
    "\u2028x",
    "\x07\x08\x7f",
    "\u200b\u200d\ufeff",
    "\U000e0041",
    "[bold red]markup[/bold red]",
    "\x1b]8;;http://evil\x07click\x1b]8;;\x07",
]


@pytest.mark.parametrize("name", _FORGERIES)
@pytest.mark.parametrize("styled", [False, True])
def test_refused_name_forges_nothing_on_the_console(name: str, styled: bool) -> None:
    fields = refused(name)
    written = _written(LogFormat.TEXT, "name_refused", fields, styled=styled)
    assert written.endswith("\n")
    assert written[:-1].isprintable()
    assert written.count("\n") == 1


def test_square_brackets_are_no_markup() -> None:
    fields = refused("[bold]x[/bold]")
    assert "[bold]x[/bold]" in _written(LogFormat.TEXT, "name_refused", fields, styled=True)


def test_names_of_any_script_are_shown_as_they_are() -> None:
    written = _written(LogFormat.TEXT, "user_joined", {"user": "Ælfrīç-李-Борис", "online": 1})
    assert "Ælfrīç-李-Борис joined" in written


@given(name=st.text(max_size=64))
def test_any_refused_name_makes_one_json_line_that_gives_it_back(name: str) -> None:
    fields = refused(name)
    written = _written(LogFormat.JSON, "name_refused", fields)
    assert written.endswith("\n")
    assert written[:-1].isprintable()
    read = json.loads(written)
    assert (read["event"], read["name"]) == ("name_refused", name)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d", read["time"])


@pytest.mark.parametrize("name", _FORGERIES)
@pytest.mark.parametrize("styled", [False, True])
def test_answer_at_the_prompt_forges_nothing_on_the_console(name: str, styled: bool) -> None:
    stream = io.StringIO()
    output = Output(stream=stream, styled=styled, log_file=None)
    Log(output, LogFormat.TEXT).say(f"{name} is not a command.")
    output.close()
    assert stream.getvalue().endswith("\n")
    assert stream.getvalue()[:-1].isprintable()


def test_details_of_a_fault_hold_nothing_that_acts_on_a_terminal(tmp_path: Path) -> None:
    output = Output(stream=io.StringIO(), styled=False, log_file=tmp_path / "log")
    output.put("", "Traceback:\n  bad name \x1b]0;root\x07\u202e")
    output.close()
    assert (tmp_path / "log").read_text() == "Traceback:\n  bad name \\u001b]0;root\\u0007\\u202e\n"


@given(name=st.text(max_size=64))
def test_any_refused_name_makes_one_printable_line(name: str) -> None:
    text, _ = sentence("name_refused", refused(name))
    assert text.isprintable()


# --- streams that stand still ----------------------------------------------------------------------------


@pytest.mark.parametrize("form", list(LogFormat))
def test_stalled_stream_holds_nobody_up_and_what_it_missed_is_counted(gate: Gate, form: LogFormat) -> None:
    output = Output(stream=gate, styled=False, log_file=None)
    log = Log(output, form)
    log("user_joined", user="first", online=1)
    assert gate.stuck.wait(DEADLINE_S)  # the writer holds one line; from here the queue fills
    for number in range(MAX_WAITING_LINES + 50):
        log("user_joined", user=f"u{number}", online=1)
    gate.opened.set()
    output.close(timeout_s=DEADLINE_S)
    lines = gate.getvalue().splitlines()
    assert len(lines) == 1 + MAX_WAITING_LINES + 1
    if form is LogFormat.JSON:
        assert json.loads(lines[-1])["number"] == 50
        assert all(json.loads(line) for line in lines)
    else:
        assert "50 lines" in lines[-1]


def test_count_is_told_before_the_next_line_once_there_is_room(gate: Gate) -> None:
    output = Output(stream=gate, styled=False, log_file=None)
    log = Log(output, LogFormat.TEXT)
    log("user_joined", user="first", online=1)
    assert gate.stuck.wait(DEADLINE_S)
    for number in range(MAX_WAITING_LINES + 5):
        log("user_joined", user=f"u{number}", online=1)
    gate.opened.set()
    deadline = time.monotonic() + DEADLINE_S
    while gate.getvalue().count("\n") <= MAX_WAITING_LINES:
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)
    log("user_joined", user="later", online=1)
    output.close(timeout_s=DEADLINE_S)
    *_, counted, later = gate.getvalue().splitlines()
    assert "5 lines" in counted
    assert "later joined" in later


def test_long_lines_of_a_stalled_stream_are_bounded_by_their_length(gate: Gate) -> None:
    output = Output(stream=gate, styled=False, log_file=None)
    output.notice = lambda number: (f"{number} lines could not be shown", "")
    output.put("first", "")
    assert gate.stuck.wait(DEADLINE_S)
    for _ in range(20):
        output.put("x" * (MAX_WAITING_CHARS // 4), "")
    gate.opened.set()
    output.close(timeout_s=DEADLINE_S)
    _, *long, counted = gate.getvalue().splitlines()
    assert len(long) == 4
    assert counted == "16 lines could not be shown"


def test_closing_gives_a_stalled_stream_up(gate: Gate) -> None:
    output = Output(stream=gate, styled=False, log_file=None)
    output.put("one", "")
    assert gate.stuck.wait(DEADLINE_S)
    output.close(timeout_s=0.01)
    assert gate.getvalue() == ""


def test_closing_writes_what_waits() -> None:
    stream = io.StringIO()
    output = Output(stream=stream, styled=False, log_file=None)
    for number in range(1000):
        output.put(str(number), "")
    output.close(timeout_s=DEADLINE_S)
    assert stream.getvalue().split() == [str(number) for number in range(1000)]


class _Broken(io.StringIO):
    """A pipe whose reader has gone."""

    def write(self, _text: str, /) -> int:
        raise BrokenPipeError


def test_file_goes_on_when_the_stream_is_gone(tmp_path: Path) -> None:
    output = Output(stream=_Broken(), styled=False, log_file=tmp_path / "server.log")
    log = Log(output, LogFormat.TEXT)
    for number in range(3):
        log("user_joined", user=f"u{number}", online=1)
    output.close(timeout_s=DEADLINE_S)
    assert len((tmp_path / "server.log").read_text("utf-8").splitlines()) == 3


class _Failing(io.StringIO):
    """A terminal that takes nothing for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.failed = threading.Event()
        self.fails = True

    def write(self, text: str, /) -> int:
        """Fail, or write."""
        if self.fails:
            self.failed.set()
            raise OSError(errno.EIO, "Input/output error")
        return super().write(text)


@pytest.mark.parametrize("styled", [False, True])
def test_lines_that_a_stream_did_not_take_are_not_kept(styled: bool) -> None:
    stream = _Failing()
    output = Output(stream=stream, styled=styled, log_file=None)
    output.put("lost", "")
    assert stream.failed.wait(DEADLINE_S)
    stream.fails = False
    output.put("shown", "")
    output.close(timeout_s=DEADLINE_S)
    assert stream.getvalue() == "shown\n"


def test_stream_that_lacks_a_letter_still_gets_the_line() -> None:
    """As a pipe on Windows does, whose encoding knows the letters of one country only."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="cp1252", newline="\n")
    output = Output(stream=stream, styled=False, log_file=None)
    Log(output, LogFormat.TEXT)("user_joined", user="李", online=1)
    output.close(timeout_s=DEADLINE_S)
    stream.flush()
    assert b"joined (1 online)" in raw.getvalue()


# --- the file --------------------------------------------------------------------------------------------


def test_every_log_file_is_for_its_owner_only_after_rotation_too(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    output = Output(stream=io.StringIO(), styled=False, log_file=path)
    for _ in range(int(LOG_FILE_BYTES / 60_000 * 2.5)):
        output.put("", "x" * 60_000)
    output.close(timeout_s=DEADLINE_S)
    files = sorted(tmp_path.iterdir())
    assert [one.name for one in files] == ["server.log", "server.log.1", "server.log.2"]
    if sys.platform != "win32":  # which has other rights than these
        assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}


def test_log_files_together_stay_within_their_bound(tmp_path: Path) -> None:
    output = Output(stream=io.StringIO(), styled=False, log_file=tmp_path / "server.log")
    for _ in range(int(LOG_FILE_BYTES / 60_000 * (LOG_FILES + 4))):
        output.put("", "x" * 60_000)
    output.close(timeout_s=DEADLINE_S)
    files = list(tmp_path.iterdir())
    assert len(files) == LOG_FILES + 1
    assert all(one.stat().st_size <= LOG_FILE_BYTES for one in files)


def test_log_goes_on_in_the_file_of_before(tmp_path: Path) -> None:
    for user in ("first", "second"):
        output = Output(stream=io.StringIO(), styled=False, log_file=tmp_path / "server.log")
        Log(output, LogFormat.JSON)("user_joined", user=user, online=1)
        output.close(timeout_s=DEADLINE_S)
    lines = (tmp_path / "server.log").read_text("utf-8").splitlines()
    assert [json.loads(line)["user"] for line in lines] == ["first", "second"]


def test_file_that_cannot_be_rotated_shows_nobody_a_traceback(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "server.log.1" / "in the way").mkdir(parents=True)
    stream = io.StringIO()
    output = Output(stream=stream, styled=False, log_file=tmp_path / "server.log")
    for number in range(LOG_FILE_BYTES // 60_000 + 5):
        output.put(f"line {number}", "x" * 60_000)
    output.close(timeout_s=DEADLINE_S)
    assert len(stream.getvalue().splitlines()) == LOG_FILE_BYTES // 60_000 + 5
    assert capfd.readouterr().err == ""


def test_file_that_takes_nothing_more_does_not_keep_the_server_from_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_for_reading(path: str, _flags: int) -> int:
        """Open a file so that writing fails, as on a full disk: when it is flushed, and again when it is closed."""
        return os.open(path, os.O_RDONLY | os.O_CREAT, 0o600)

    monkeypatch.setattr("twocans.server.operator.output._open_private", open_for_reading)
    stream = io.StringIO()
    output = Output(
        stream=stream,
        styled=False,
        log_file=tmp_path / "server.log",
        security_file=tmp_path / "security.log",
    )
    output.put("shown", "kept", security=True)
    assert output.close(timeout_s=DEADLINE_S)
    assert stream.getvalue() == "shown\n"


def test_styled_line_keeps_its_words_when_it_is_longer_than_the_terminal() -> None:
    stream = io.StringIO()
    output = Output(stream=stream, styled=True, log_file=None)
    output.put(Text("word " * 100), "")
    output.close(timeout_s=DEADLINE_S)
    assert stream.getvalue().count("\n") == 1


def test_what_would_be_shown_goes_into_files_of_the_same_bound_instead(tmp_path: Path) -> None:
    stream, path = io.StringIO(), tmp_path / "console.log"
    output = Output(stream=stream, styled=False, log_file=None, console_file=path)
    log = Log(output, LogFormat.TEXT)
    log.say("Hello.")
    for _ in range(int(LOG_FILE_BYTES / 60_000 * 1.5)):
        output.put("x" * 60_000, "x" * 60_000)
    log.say("Goodbye.")
    output.close(timeout_s=DEADLINE_S)
    assert stream.getvalue() == ""
    assert path.read_text().endswith("Goodbye.\n")
    files = sorted(tmp_path.iterdir())
    assert [one.name for one in files] == ["console.log", "console.log.1"]
    assert files[1].read_text().startswith("Hello.\n")
    if sys.platform != "win32":  # which has other rights than these
        assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}
