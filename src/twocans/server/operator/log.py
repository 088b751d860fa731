"""What the server tells the person who runs it: events with fields, as sentences or as JSON lines.

Where the lines go is the affair of `output`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from datetime import datetime
from enum import StrEnum
from typing import Final

import structlog
from rich.text import Text

from twocans.protocol.file_names import readable_size
from twocans.protocol.local_control import STOPPED_LINE
from twocans.protocol.plurals import counted
from twocans.protocol.text import spelled_out_line
from twocans.protocol.typed import TypedKind
from twocans.server.operator.output import Output
from twocans.server.operator.times import follow_time_zone, format_date

Fields = Mapping[str, object]


class LogFormat(StrEnum):
    """How events are shown."""

    TEXT = "text"
    JSON = "json"


_REASONS: Final[Mapping[str, str]] = {
    "left": "left",
    "connection_lost": "connection lost",
    "timed_out": "timed out",
    "too_slow": "too slow: did not keep up with what was sent",
    "kicked": "kicked",
    "protocol_error": "broke the protocol",
    "refused": "no name was accepted",
    "not_registered": "gave no user name in time",
    "server_stopping": "the server is stopping",
    "storage_failed": "their messages could not be read",
    "revoked": "the device was removed, or the name freed",
    "signed_out": "the device was signed out",
    "banned": "banned",
    "tls_failed": "the encryption failed",
    "not_encrypted": "not encrypted, which this server asks for",
    "failed": "failed: something went wrong inside the server",
}


_WHY_REFUSED: Final[Mapping[str, str]] = {
    "full": "the server is full",
    "descriptors": "the process has reached its limit of open files (raise it with ulimit -n)",
    "address_full": "too many are open from that address",
    "too_fast": "they come too fast from that address",
    "network": "its network is not allowed",
    "banned": "that address is banned",
    "gone": "it closed at once",
}


_MORE: Final[Mapping[str, tuple[str, str]]] = {
    "connection_refused": ("more connection was refused", "more connections were refused"),
    "name_refused": ("more login was refused", "more logins were refused"),
    "never_registered": ("more connection never registered", "more connections never registered"),
    "request_malformed": ("more invalid HTTP request", "more invalid HTTP requests"),
    "user_registered": ("more session registered", "more sessions registered"),
    "user_joined": ("more time somebody joined", "more times somebody joined"),
    "user_left": ("more time somebody left", "more times somebody left"),
    "session_closed": ("more session ended", "more sessions ended"),
    "device_added": ("more device was added", "more devices were added"),
    "device_cut_off": ("more device was removed", "more devices were removed"),
    "password_changed": ("more password was set or removed", "more passwords were set or removed"),
    "file_stored": ("more file was uploaded", "more files were uploaded"),
    "internal_error": (
        "more internal error",
        "more internal errors",
    ),
    "storage_error": (
        "more time something could not be stored or read",
        "more times something could not be stored or read",
    ),
}

SECURITY: Final = frozenset(
    {
        "server_started",
        "server_stopping",
        "server_stopped",
        "name_refused",
        "connection_refused",
        "banned",
        "unbanned",
        "kicked",
        "code_given",
        "name_freed",
        "unkept",
        "device_added",
        "device_cut_off",
        "password_changed",
        "certificate_replaced",
        "key_readable",
        "folder_open",
        "runs_as_root",
    }
)
"""Events that are kept in a file of their own as well."""


def _is_security(event: Fields) -> bool:
    return event["event"] in SECURITY or (event["event"] == "more_of_them" and event["what"] in SECURITY)


def _more(fields: Fields) -> str:
    """Say how many events were not told one by one, whose they were, and within which time."""
    seconds = int(str(fields["seconds"]))
    time = "minute" if seconds < 90 else counted(round(seconds / 60), "minute")
    source, sources = str(fields["source"]), int(str(fields["sources"]))
    whose = (
        f" from {sources} sources, most of them {source},"
        if sources > 1
        else f" from {source}"
        if source
        else ""
    )
    return (
        f"… and {counted(int(str(fields['number'])), *_MORE[str(fields['what'])])}{whose} in the last {time}"
    )


def manner(*, plain: bool, encrypted: bool) -> str:
    """What to say behind a session that is not as it should be, or in the dialect for people."""
    marks = (["plain text"] if plain else []) + ([] if encrypted else ["not encrypted"])
    return f" ({', '.join(marks)})" if marks else ""


def _online(fields: Fields) -> str:
    number = fields["online"]
    return "nobody online" if number == 0 else f"{number} online"


def _why_left(fields: Fields) -> str:
    return "" if fields["reason"] == "left" else f": {_reason(fields)}"


def _reason(fields: Fields) -> str:
    reason = str(fields["reason"])
    return _REASONS.get(reason, reason)


_TYPED: Final[Mapping[str, tuple[str, str, str]]] = {
    TypedKind.NAME.value: ("a name of ", "character", ""),
    TypedKind.SPACES.value: ("", "character", " with spaces or tabs"),
    TypedKind.CONTROL.value: ("", "character", ", some of them control characters,"),
    TypedKind.OTHER.value: ("", "character", " that are not a name"),
    TypedKind.FRAME.value: ("a frame of ", "byte", " that does not log in"),
    TypedKind.BYTES.value: ("", "byte", " that are not text"),
}


def _typed(fields: Fields) -> str:
    if fields["name"]:
        return f"the name “{fields['name']}”"
    before, unit, after = _TYPED[str(fields["kind"])]
    return f"{before}{counted(int(str(fields['length'])), unit)}{after}"


_SENTENCES: Final[Mapping[str, tuple[str, Callable[[Fields], str]]]] = {
    "server_stopped": ("bold", lambda _: STOPPED_LINE),
    "server_stopping": ("bold", lambda f: f"Stopping: {f['why']}. Telling everybody goodbye."),
    "user_registered": (
        "dim",
        lambda f: (
            f"{f['user']} registered from {f['address']}"
            + manner(plain=f["dialect"] == "plain", encrypted=bool(f["encrypted"]))
        ),
    ),
    "user_joined": ("green", lambda f: f"{f['user']} joined ({_online(f)})"),
    "user_left": ("yellow", lambda f: f"{f['user']} left{_why_left(f)} ({_online(f)})"),
    "session_closed": (
        "dim",
        lambda f: "" if f["gone"] else f"A session of {f['user']} ended: {_reason(f)}",
    ),
    "name_refused": (
        "magenta",
        lambda f: f"Refused {_typed(f)} from {f['address']}" + (f": {f['text']}" if f["text"] else ""),
    ),
    "never_registered": (
        "dim",
        lambda f: f"A connection from {f['address']} never registered: {_reason(f)}",
    ),
    "connection_refused": (
        "magenta",
        lambda f: f"Refused a connection from {f['address']}: {_WHY_REFUSED[str(f['why'])]}",
    ),
    "more_of_them": ("magenta", _more),
    "key_readable": (
        "bold red",
        lambda f: (
            f"Other users of this computer could read the private key in {f['file']}"
            + (
                "; now they cannot. If one of them may have copied it, stop the server and delete it together with "
                "server.crt: the server makes a new key when it starts, which your users have to compare again"
                if f["closed"]
                else ". Make it readable for you alone: whoever has it can pretend to be this server"
            )
        ),
    ),
    "certificate_replaced": (
        "yellow",
        lambda f: (
            f"The certificate in {f['file']} was damaged, so there is a new one for the same key. Users notice nothing. "
            f"The old file is now {f['aside']}"
        ),
    ),
    "device_added": (
        "dim",
        lambda f: (
            f"The name {f['user']} now belongs to a device: {f['device']} ({f['key']}), from {f['address']}"
        ),
    ),
    "device_cut_off": (
        "yellow",
        lambda f: f"{f['user']} removed a device, from {f['address']}: {f['device']} ({f['key']})",
    ),
    "password_changed": (
        "dim",
        lambda f: f"{f['user']} {'set' if f['set'] else 'removed'} their password, from {f['address']}",
    ),
    "folder_open": (
        "yellow",
        lambda f: (
            f"Other users of this computer can list the folder {f['folder']}, but can't read the server's files in it."
        ),
    ),
    "descriptors_short": (
        "bold red",
        lambda f: (
            f"The server can't accept new connections ({f['why']}). Raise the limit of open files (ulimit -n), or add "
            "memory."
        ),
    ),
    "announced": ("dim", lambda f: f"This server is visible on this network as “{f['name']}”."),
    "not_announced": (
        "yellow",
        lambda f: (
            f"The server can't be announced on the network ({f['why']}), so people have to type its address. Allow UDP "
            "port 5353 in the firewall, or turn announcements off with --no-announce."
        ),
    ),
    "not_findable": (
        "yellow",
        lambda f: (
            f"Clients on this computer can't see that the server is running ({f['why']}). Its folder must be writable, "
            "and 127.0.0.1 usable."
        ),
    ),
    "terminal_gone": (
        "yellow",
        lambda _: "The terminal was closed. The server keeps running without a prompt; stop it with SIGTERM.",
    ),
    "runs_as_root": (
        "yellow",
        lambda _: "The server is running as root. It doesn't need to; an ordinary account is safer.",
    ),
    "unkept": (
        "red",
        lambda f: f"The result of {f['command']} could not be saved. It will be lost when the server stops.",
    ),
    "internal_error": (
        "red",
        lambda f: f"Internal server error ({f['error']}). The server keeps running; see {f['where']}.",
    ),
    "file_stored": ("dim", lambda f: f"A file was uploaded ({readable_size(int(str(f['bytes'])))})"),
    "files_removed": (
        "dim",
        lambda f: f"Removed {counted(int(str(f['number'])), 'uploaded file')} that nobody sent",
    ),
    "request_malformed": ("dim", lambda f: f"Invalid HTTP request from {f['address']}"),
    "messages_cleared": (
        "dim",
        lambda f: (
            f"Removed {counted(int(str(f['number'])), 'message')} older than {counted(int(str(f['keep_days'])), 'day')}"
        ),
    ),
    "clock_doubted": (
        "bold red",
        lambda f: (
            f"The clock shows {format_date(f['clock'])}, more than a week after this server was last used. If that "
            "is wrong, set the clock and start the server again. If it is right, there is nothing to do: old "
            f"messages are removed again from {format_date(f['trusted_from'])} on."
        ),
    ),
    "database_upgraded": (
        "yellow",
        lambda f: (
            f"The database was upgraded from version {f['before']} to version {f['now']}. Earlier versions of Twocans cannot "
            "use it any more. To keep a way back next time, run server.py backup FILE with the new version before its "
            "first start."
        ),
    ),
    "storage_error": ("red", lambda f: f"Messages or files could not be stored or read: {f['error']}"),
    "lines_dropped": ("dim", lambda f: f"({counted(int(str(f['number'])), 'line')} could not be shown)"),
}


def sentence(event: str, fields: Fields) -> tuple[str, str]:
    """How an event reads, and its style; empty if people need not be told."""
    known = _SENTENCES.get(event)
    if known is None:
        return "", ""
    style, say = known
    return spelled_out_line(say(fields)), style


class _QueueLogger:
    """What structlog hands finished lines to."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def info(self, shown: Text | str, kept: str, *, security: bool = False) -> None:
        self._output.put(shown, kept, security=security)


class Log:
    """The server's event log; call it with an event's name and fields.

    Args:
        output: where lines go.
        form: how they look there.
    """

    def __init__(self, output: Output, form: LogFormat) -> None:
        self.output = output
        self.form = form
        render = _render_json if form is LogFormat.JSON else _render_text
        self._logger = structlog.wrap_logger(
            _QueueLogger(output),
            processors=[_stamp, render],
            wrapper_class=structlog.BoundLogger,
        ).bind()
        output.notice = lambda number: render(None, "", _now({"event": "lines_dropped", "number": number}))[0]

    def __call__(self, event: str, /, **fields: object) -> None:
        """Log one event."""
        self._logger.info(event, **fields)

    def say(self, text: str, *, style: str = "") -> None:
        """Tell a line that is no event, only where sentences are shown."""
        if self.form is LogFormat.TEXT:
            self.output.put(Text(spelled_out_line(text), style=style), "")


_to_json = structlog.processors.JSONRenderer()


def _stamp(_logger: object, _name: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
    """Put the time into an event: ISO 8601 with the distance from UTC."""
    event["time"] = datetime.now().astimezone().isoformat(timespec="microseconds")
    return event


def _now(event: dict[str, object]) -> MutableMapping[str, object]:
    follow_time_zone()
    return _stamp(None, "", event)


def _json_line(event: MutableMapping[str, object]) -> str:
    # JSON in ASCII has no character left that could forge a terminal's output but this one.
    return str(_to_json(None, "", dict(event))).replace("\x7f", "\\u007f")


def _render_json(
    _logger: object, _name: str, event: MutableMapping[str, object]
) -> tuple[tuple[Text | str, str], dict[str, object]]:
    line = _json_line(event)
    return (line, line), {"security": _is_security(event)}


def _render_text(
    _logger: object, _name: str, event: MutableMapping[str, object]
) -> tuple[tuple[Text | str, str], dict[str, object]]:
    line = _json_line(event)
    text, style = sentence(str(event["event"]), event)
    security: dict[str, object] = {"security": _is_security(event)}
    if not text:
        return ("", line), security
    time = str(event["time"])[11:19]
    return (Text.assemble((time, "dim"), "  ", (text, style)), line), security
