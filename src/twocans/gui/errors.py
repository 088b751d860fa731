"""Failed callbacks: the log gets the places of the traceback, the user one plain sentence, and the window goes on.

With `TWOCANS_GUI_STRICT=1`, in tests, the program ends with exit code 70 instead.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys
import threading
import tkinter as tk
from collections.abc import Callable, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Final, ParamSpec, TypeVar

import platformdirs
import structlog

from twocans.protocol.faults import places

STRICT_VARIABLE: Final = "TWOCANS_GUI_STRICT"
FOLDER_VARIABLE: Final = "TWOCANS_LOG_DIR"
EXIT_SOFTWARE: Final = 70
_MAX_LOG_BYTES: Final = 1_000_000
SENTENCE: Final = (
    "Something went wrong here, and was noted in the log. If things look odd, please restart Twocans."
)

P = ParamSpec("P")
T = TypeVar("T")

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def log_dir() -> Path:
    """The folder of the log."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else Path(platformdirs.user_log_dir("twocans", appauthor=False))


def set_up_log(folder: Path) -> None:
    """Write the log into a file there, and nothing to the terminal; a folder that cannot be written is no error."""
    handler: logging.Handler
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            folder / "client.log", maxBytes=_MAX_LOG_BYTES, backupCount=1, encoding="utf-8", delay=True
        )
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(_Formatter("%(message)s"))
    everything = logging.getLogger()
    everything.handlers[:] = [handler]
    logger = logging.getLogger("twocans")
    logger.setLevel(logging.INFO)
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            _without_texts,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=lambda *_: logger,
        cache_logger_on_first_use=False,
    )
    threading.excepthook = _thread_failed


class _Formatter(logging.Formatter):
    """Formats what others log as `_without_texts` does."""

    def formatException(  # noqa: N802 - logging's own name
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        return "" if ei[1] is None else places(ei[1])


def _without_texts(
    _logger: object, _name: str, event: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    """Log where an error came about, not its text, which may repeat a message, a file's name or a password."""
    failure = event.pop("exc_info", None)
    if isinstance(failure, tuple):
        failure = failure[1]
    elif not isinstance(failure, BaseException) and failure:
        failure = sys.exc_info()[1]
    if isinstance(failure, BaseException):
        event["exception"] = places(failure)
    return event


def catch(root: tk.Tk, tell: Callable[[str], None]) -> None:
    """From now on, no callback's failure reaches the user as anything but a sentence."""

    def failed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            raise error  # Ctrl+C in the terminal: for whoever runs the main loop
        log.error("callback_failed", exc_info=(kind, error, trace))
        if os.environ.get(STRICT_VARIABLE) == "1":
            logging.shutdown()
            # A test has to notice, whatever the window was about to do next.
            os._exit(EXIT_SOFTWARE)
        tell(SENTENCE)

    def failed_in_tcl(message: str) -> None:
        # Tk's own scripts, and the extensions': Tk would show a dialog with the traceback of the script.
        try:
            trace = root.tk.eval("set ::errorInfo")
        except tk.TclError:
            trace = message
        root.report_callback_exception(tk.TclError, tk.TclError(trace), None)

    root.report_callback_exception = failed
    root.tk.createcommand("bgerror", guard(root, failed_in_tcl))


def guard(root: tk.Tk, callback: Callable[P, T]) -> Callable[P, T | None]:
    """Return a callback whose failure is reported like that of a binding; None is returned then.

    For what Tk does not guard itself: an exception in a file handler ends the main loop.
    """

    def guarded(*args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return callback(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the root of a callback
            root.report_callback_exception(type(error), error, error.__traceback__)
            return None

    return guarded


def _thread_failed(failure: threading.ExceptHookArgs) -> None:
    if failure.exc_value is not None:
        log.error("thread_failed", exc_info=failure.exc_value)
