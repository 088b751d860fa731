"""The command line of the server: `python server.py`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twocans.hub.hub import EventLog
from twocans.protocol.faults import places
from twocans.protocol.keys import readable_key
from twocans.protocol.local_control import CONSOLE_LOG_FILE, NotStarted, Report, Started, Status, encode
from twocans.protocol.text import spelled_out_line
from twocans.server.discovery.addresses import how_to_connect, lan_addresses
from twocans.server.identity.permissions import (
    HISTORY_FILE,
    close_folder,
    close_to_others,
    make_folder,
    runs_as_root,
)
from twocans.server.maintenance.command_output import OutputError, complain, write_output
from twocans.server.operator.local_control import Control
from twocans.server.operator.log import Log, LogFormat
from twocans.server.operator.log_throttle import ThrottledLog
from twocans.server.operator.moderation import Moderation
from twocans.server.operator.operator import Operator
from twocans.server.operator.output import LOG_FILE, SECURITY_FILE, Output
from twocans.server.runtime import Server, StartError, loop_factory, raise_descriptor_limit
from twocans.server.settings.arguments import parse, wants_json
from twocans.server.settings.config import (
    ANY_ADDRESS,
    HOME_MISSING,
    NO_DATA_FOLDER,
    Config,
    SettingsInvalid,
    TlsMode,
    default_data_folder,
)
from twocans.server.settings.usage import HelpWanted, UsageError
from twocans.server.stop_signals import StopSignals
from twocans.standard_streams import discard_unwritable

if TYPE_CHECKING:
    from twocans.server.operator.prompt import Prompt
    from twocans.server.settings.sources import InForce


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a server until it is told to stop, or do what another command says.

    Args:
        arguments: the command line without the program's name; None for this process's.

    Returns:
        The exit code: 0 after a clean end, 1 if the server could not start or the command failed, 2 if the command line
        or settings are wrong, 130 if Ctrl-C ended a command.
    """
    words = sys.argv[1:] if arguments is None else arguments
    try:
        options = parse(words)
        if options.command is None:
            return _run_server(vars(options))
        return _run_command(options)
    except HelpWanted as wanted:
        text = str(wanted)
        return _end_with_output(lambda: write_output([text]))
    except UsageError as wrong:
        complain(f"{wrong.usage}{wrong}")
        if wants_json(words):
            _log_failed_start(str(wrong), why="command_line")
        return 2


def _run_command(options: Namespace) -> int:
    try:
        if options.command == "config":
            in_force = _settings(vars(options))
            return _end_with_output(lambda: _show(in_force))
        options.data = _folder(options)
    except SettingsInvalid as invalid:
        _complain_of(invalid)
        return 2
    # Serving needs none of what the commands need.
    from twocans.server.maintenance import commands

    return _end_with_output(lambda: commands.run(options))


def _end_with_output(show: Callable[[], int | None]) -> int:
    """Show something; its exit code, or 1 with a sentence if standard output does not take it."""
    try:
        return show() or 0
    except OutputError as error:
        if not error.reader_gone:
            complain(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


def _run_server(given: Mapping[str, Any]) -> int:
    try:
        in_force = _settings(given)
    except SettingsInvalid as invalid:
        _complain_of(invalid)
        if invalid.json_log:
            _log_failed_start(" ".join(invalid.problems), why="settings")
        return 2
    config = in_force.settings.config()
    log_format = in_force.settings.log_format
    try:
        log = _open_log(config, log_format)
    except StartError as error:
        if log_format is LogFormat.JSON and not config.background:
            _log_failed_start(str(error), why=error.why.value)
        return _failed(error, config)
    raise_descriptor_limit()
    close_to_others()
    signals = StopSignals()
    try:
        with asyncio.Runner(loop_factory=loop_factory(config.concurrency)) as runner:
            all_ended = runner.run(_serve(config, log, signals))
    except StartError as error:
        log("start_failed", why=error.why.value, text=str(error))
        log.output.close()
        return _failed(error, config)
    except KeyboardInterrupt:
        return 0
    all_written = log.output.close()
    signals.finished()
    if not all_written or not all_ended:
        # A terminal stands still, and the end of the interpreter would wait for it.
        os._exit(0)
    discard_unwritable()
    return 0


def _complain_of(invalid: SettingsInvalid) -> None:
    complain("\n".join(map(spelled_out_line, invalid.problems)))


def _log_failed_start(text: str, *, why: str) -> None:
    """Tell the programs that read the JSON log that there is no server, where there is no log file yet."""
    log = Log(Output(stream=None, styled=False, log_file=None), LogFormat.JSON)
    log("start_failed", why=why, text=text)
    log.output.close()
    discard_unwritable()


def _settings(given: Mapping[str, Any], only: Sequence[str] = ()) -> InForce:
    # Not loaded where a command needs no settings: it takes a moment.
    from twocans.server.settings.sources import read

    in_force = read(given, only=only)
    for warning in in_force.warnings:
        complain(warning)
    return in_force


def _folder(options: Namespace) -> Path:
    """The folder for which a command is; no other setting matters to it."""
    if "data" in options:
        return Path(options.data)
    if "config" in options or any(name.upper() == "TWOCANS_DATA" for name in os.environ):
        return _settings(vars(options), ["data"]).settings.data
    folder = default_data_folder()
    if folder == NO_DATA_FOLDER:
        raise SettingsInvalid([HOME_MISSING])
    return folder


def _show(in_force: InForce) -> None:
    from twocans.server.settings.table import table

    write_output(f"{line}\n" for line in table(in_force))


def _failed(error: StartError, config: Config) -> int:
    why = spelled_out_line(str(error)).rstrip(".")
    complain(f"The server could not start. {why}.")
    if config.background:
        _report_to_starter(NotStarted(why=error.why, text=str(error), port=config.port))
    return 1


def _report_to_starter(report: Report) -> None:
    """Tell the program that has started this one; it may be gone already."""
    with contextlib.suppress(OSError):
        sys.stdout.write(encode(report).decode())
        sys.stdout.flush()


def _open_log(config: Config, form: LogFormat) -> Log:
    log_file = security_file = console_file = None
    if config.data is not None:
        try:
            if config.data.is_file():
                raise StartError(
                    f"The folder {config.data} cannot be written to (it is a file). Choose another with --data DIR"
                )
            make_folder(config.data)
            log_file = config.data / LOG_FILE
            security_file = config.data / SECURITY_FILE
            console_file = config.data / CONSOLE_LOG_FILE if config.background else None
            for file in (log_file, security_file, console_file):
                if file is not None and file.is_fifo():  # opening it would wait for a reader
                    raise StartError(f"{file} is a pipe. Remove it, or choose another folder with --data DIR")
            os.close(os.open(log_file, os.O_CREAT | os.O_WRONLY, 0o600))
        except OSError as error:
            raise StartError(
                f"The folder {config.data} cannot be written to ({os.strerror(error.errno or 0)}). "
                "Choose another with --data DIR"
            ) from None
    styled = form is LogFormat.TEXT and sys.stdout.isatty()
    output = Output(
        stream=None,
        styled=styled,
        log_file=log_file,
        security_file=security_file,
        console_file=console_file,
    )
    return Log(output, form)


async def _serve(config: Config, log: Log, signals: StopSignals) -> bool:
    """Serve until somebody asks for the end; False if a thread is left that waits for the terminal."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    why = "the operator asked for it"

    def ask_to_stop(reason: str) -> None:
        nonlocal why
        if not stop.is_set():
            why = reason
            stop.set()

    signals.install(loop, ask_to_stop)
    faults = ThrottledLog(log, timers=loop)
    loop.set_exception_handler(lambda _, context: _report(faults, config, context))
    server = Server(config, log=log)
    closed = _closed(config)
    await server.start()
    control = await _let_find(
        config, server, log, lambda: ask_to_stop("a window of this computer asked for it")
    )
    _welcome(config, server, log)
    if not closed:
        log("folder_open", folder=str(config.data))
    if runs_as_root():
        log("runs_as_root")
    prompt = None
    if _has_operator(log):
        prompt = _open_prompt(server, config, log, lambda: ask_to_stop("the operator asked for it"))
    await stop.wait()
    all_ended = prompt is None or await prompt.stop()
    log("server_stopping", why=why)
    faults.tell_rest()
    if control is not None:
        await control.withdraw()
    await server.stop()
    if control is not None:
        if config.background:
            # The end of the control connections is the end of the server: its last line has to be in the log by then.
            await asyncio.to_thread(log.output.close)
        await control.close()
    return all_ended


async def _let_find(config: Config, server: Server, log: Log, stop: Callable[[], None]) -> Control | None:
    """Tell programs of this user that the server runs, and whoever has started it in the background.

    Raises:
        StartError: it cannot be told, so nobody could stop a server in the background.
    """
    if config.data is None:
        return None

    def status() -> Status:
        return Status(online=len(server.hub.roster), addresses=tuple(_addresses(config)), commands=True)

    operator = Operator(Moderation(server.hub, log))
    control = Control(config.data, status=status, carry_out=operator.answer, stop=stop, log=log)
    findable = await control.start(
        host=config.host, port=server.port, key=server.key, background=config.background
    )
    if config.background:
        if not findable:
            await server.stop()
            raise StartError(
                f"In the folder {config.data} nothing can be written, or no socket can be made. "
                "A server in the background could not be found there."
            )
        _report_to_starter(Started())
        _let_go(config.data / CONSOLE_LOG_FILE)
    return control


def _let_go(console_file: Path) -> None:
    """The program that has started this one may end: what else is written to the standard streams goes into a file."""
    with contextlib.suppress(OSError):
        file = os.open(console_file, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        for descriptor in (1, 2):
            os.dup2(file, descriptor)
        os.close(file)


def _addresses(config: Config) -> list[str]:
    return lan_addresses() if config.host == ANY_ADDRESS else [config.host]


def _open_prompt(server: Server, config: Config, log: Log, quit_server: Callable[[], None]) -> Prompt:
    # Loaded only where somebody sits at a terminal: it takes a moment.
    from twocans.server.operator.console import Console
    from twocans.server.operator.prompt import Prompt

    console = Console(
        server.hub, started_at=time.monotonic(), quit_server=quit_server, log=log, key=server.key
    )
    return Prompt(
        console,
        history_file=None if config.data is None else config.data / HISTORY_FILE,
        output=log.output,
        show=log.say,
        quit_server=quit_server,
        terminal_gone=lambda: log("terminal_gone"),
    )


def _report(log: EventLog, config: Config, context: dict[str, Any]) -> None:
    """Log what went wrong inside, with the places for the log file."""
    error = context.get("exception")
    log(
        "internal_error",
        error=type(error).__name__ if error else context.get("message", ""),
        where="nowhere" if config.data is None else str(config.data / LOG_FILE),
        places=places(error) if isinstance(error, BaseException) else "",
    )


def _closed(config: Config) -> bool:
    """See to it that nobody else on this computer reads what is kept; whether nobody can look at what there is."""
    if config.data is None:
        return True
    with contextlib.suppress(OSError):  # what cannot be closed is as it was before
        return close_folder(config.data)
    return False


def _welcome(config: Config, server: Server, log: Log) -> None:
    addresses = _addresses(config)
    log(
        "server_started",
        host=config.host,
        port=server.port,
        addresses=addresses,
        concurrency=config.concurrency.value,
        history=config.history.value,
        key=server.key,
    )
    netcat = "nc" if config.tls is TlsMode.OFFERED else "ncat --ssl"
    for number, line in enumerate(how_to_connect(config.host, addresses, server.port, netcat=netcat)):
        green = "bold green" if number == 1 else "green"
        log.say(line, style=green if line.startswith(" ") else "")
    log.say(f"The key of this server is {readable_key(server.key)}; clients show the same.")
    if _has_operator(log):
        log.say("Type help for what you can do here.")
    elif not config.background:
        log.say("Ctrl-C stops the server.")


def _has_operator(log: Log) -> bool:
    """Whether somebody sits at this terminal; without a standard input there is none."""
    return sys.stdin.isatty() and log.form is LogFormat.TEXT
