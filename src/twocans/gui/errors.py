"""What happens when a callback fails: the log gets the traceback, the user one plain sentence, the window goes on.

With `TWOCANS_GUI_STRICT=1`, in tests, the program ends with exit code 70 instead.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import tkinter as tk
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final

import platformdirs
import structlog

STRICT_VARIABLE: Final = "TWOCANS_GUI_STRICT"
FOLDER_VARIABLE: Final = "TWOCANS_LOG_DIR"
EXIT_SOFTWARE: Final = 70
_MAX_LOG_BYTES: Final = 1_000_000
SENTENCE: Final = (
    "Something went wrong here, and was noted in the log. If things look odd, please restart Twocans."
)

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
    handler.setFormatter(logging.Formatter("%(message)s"))
    everything = logging.getLogger()
    everything.handlers[:] = [handler]
    logger = logging.getLogger("twocans")
    logger.setLevel(logging.INFO)
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=lambda *_: logger,
        cache_logger_on_first_use=False,
    )


def catch(root: tk.Tk, tell: Callable[[str], None]) -> None:
    """From now on, no callback's failure reaches the user as anything but a sentence."""

    def failed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.error("callback_failed", exc_info=(kind, error, trace))
        if os.environ.get(STRICT_VARIABLE) == "1":
            logging.shutdown()
            # A test has to notice, whatever the window was about to do next.
            os._exit(EXIT_SOFTWARE)
        tell(SENTENCE)

    root.report_callback_exception = failed
