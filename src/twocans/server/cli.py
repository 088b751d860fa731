"""The command line of the server: `python server.py`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ipaddress
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from twocans.hub.limits import Limits
from twocans.server.addresses import lan_addresses
from twocans.server.config import DEFAULT_PORT, Concurrency, Config, HistoryMode, default_data_folder
from twocans.server.log import LOG_FILE, Log, LogFormat, Output
from twocans.server.runtime import Server, StartError, loop_factory, raise_descriptor_limit
from twocans.storage.sqlite import Durability

_ANY: Final = "0.0.0.0"  # noqa: S104 - compared with, not listened on


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a server until it is told to stop.

    Args:
        arguments: the command line without the program's name; None for this process's.

    Returns:
        The exit code: 0 after a clean end, 1 if the server could not start.
    """
    options = _parser().parse_args(arguments)
    config = Config(
        host=options.host,
        port=options.port,
        data=options.data,
        concurrency=options.concurrency,
        history=options.history,
        durability=options.durability,
        limits=replace(Limits(), rate_per_s=options.rate_limit),
    )
    try:
        log = _open_log(config, options.log_format)
    except StartError as error:
        return _failed(error)
    raise_descriptor_limit()
    try:
        with asyncio.Runner(loop_factory=loop_factory(config.concurrency)) as runner:
            runner.run(_serve(config, log))
    except StartError as error:
        log.output.close()
        return _failed(error)
    except KeyboardInterrupt:
        return 0
    log.output.close()
    return 0


def _failed(error: StartError) -> int:
    print(f"The server could not start. {error}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    defaults = Limits()
    parser = argparse.ArgumentParser(
        prog="server.py",
        description="Hosts a chat for the people on this network.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--host",
        type=_ipv4,
        default=_ANY,
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
        type=Concurrency,
        choices=list(Concurrency),
        default=Concurrency.ASYNC,
        help="serve all clients from one event loop, or each from a thread of its own",
    )
    parser.add_argument(
        "--rate-limit",
        type=_rate,
        default=defaults.rate_per_s,
        metavar="N",
        help="messages per second for each client; after a pause ten seconds' worth at once; 0 for no limit",
    )
    parser.add_argument(
        "--durability",
        type=Durability,
        choices=list(Durability),
        default=Durability.PROCESS,
        help="what an acknowledged message survives: the end of this process, or a power cut too",
    )
    parser.add_argument(
        "--history",
        type=HistoryMode,
        choices=list(HistoryMode),
        default=HistoryMode.ON,
        help="keep messages for people who are away and for looking back, or keep nothing on disk",
    )
    parser.add_argument(
        "--log-format",
        type=LogFormat,
        choices=list(LogFormat),
        default=LogFormat.TEXT,
        help="sentences for people, or one JSON object a line for machines",
    )
    return parser


def _ipv4(text: str) -> str:
    if text == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not an IPv4 address such as 192.168.1.20") from None


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(
            f"{text} is not a port: a number from 1 to 65535, or 0 for any free one"
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


def _open_log(config: Config, form: LogFormat) -> Log:
    log_file = None
    if config.data is not None:
        try:
            config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
            log_file = config.data / LOG_FILE
            os.close(os.open(log_file, os.O_CREAT | os.O_WRONLY, 0o600))
        except OSError as error:
            raise StartError(
                f"The folder {config.data} cannot be written to ({os.strerror(error.errno or 0)}). "
                "Choose another with --data DIR"
            ) from None
    styled = form is LogFormat.TEXT and sys.stdout.isatty()
    return Log(Output(stream=None, styled=styled, log_file=log_file), form)


async def _serve(config: Config, log: Log) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    why = "quit was typed"

    def ask_to_stop(reason: str) -> None:
        nonlocal why
        if not stop.is_set():
            why = reason
            stop.set()

    _on_signals(loop, ask_to_stop)
    loop.set_exception_handler(lambda _, context: _report(log, config, context))
    server = Server(config, log=log)
    await server.start()
    _welcome(config, server, log)
    console = None
    if _has_operator(log):
        console = asyncio.create_task(_console(server, config, log, lambda: ask_to_stop("quit was typed")))
    await stop.wait()
    if console is not None:
        console.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await console
    log("server_stopping", why=why)
    await server.stop()


async def _console(server: Server, config: Config, log: Log, quit_server: Any) -> None:
    # Loaded only where somebody sits at a terminal: it takes a moment.
    from twocans.server.console import Console

    console = Console(server.hub, log=log, started_at=time.monotonic(), quit_server=quit_server)
    await console.run(data=config.data, show=log.say)


def _on_signals(loop: asyncio.AbstractEventLoop, ask_to_stop: Any) -> None:
    reasons = {signal.SIGINT: "Ctrl-C was pressed", signal.SIGTERM: "the system asked for it"}
    for number, reason in reasons.items():
        try:
            loop.add_signal_handler(number, ask_to_stop, reason)
        except NotImplementedError:  # on Windows
            signal.signal(number, lambda *_, reason=reason: loop.call_soon_threadsafe(ask_to_stop, reason))


def _report(log: Log, config: Config, context: dict[str, Any]) -> None:
    """Log what went wrong inside, with the details in the log file only."""
    error = context.get("exception")
    details = "".join(traceback.format_exception(error)) if isinstance(error, BaseException) else ""
    where = "nowhere" if config.data is None else str(config.data / LOG_FILE)
    log("internal_error", error=type(error).__name__ if error else context.get("message", ""), where=where)
    log.output.put("", details)


def _welcome(config: Config, server: Server, log: Log) -> None:
    addresses = lan_addresses() if config.host == _ANY else [config.host]
    suffix = "" if server.port == DEFAULT_PORT else f":{server.port}"
    log(
        "server_started",
        host=config.host,
        port=server.port,
        addresses=addresses,
        concurrency=config.concurrency.value,
        history=config.history.value,
    )
    log.say("Twocans is running. Others connect to")
    for number, address in enumerate(addresses):
        log.say(f"    {address}{suffix}", style="bold green" if number == 0 else "green")
    log.say(f"and this computer to localhost{suffix}, or by netcat: nc {addresses[0]} {server.port}")
    log.say("Type help for what you can do here." if _has_operator(log) else "Ctrl-C stops the server.")


def _has_operator(log: Log) -> bool:
    """Whether somebody sits at this terminal; without a standard input there is none."""
    return sys.stdin is not None and sys.stdin.isatty() and log.form is LogFormat.TEXT
