"""The window's log tells where an error came about, and nothing that it says."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import structlog

from twocans.gui import errors

TEXT: Final = "marked-text"


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    """The log, set up as the window does; that of the tests is back afterwards."""
    root = logging.getLogger()
    handlers = list(root.handlers)
    errors.set_up_log(tmp_path)
    yield tmp_path / "client.log"
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = handlers
    structlog.reset_defaults()


def fail() -> None:
    try:
        os.environ[TEXT]
    except KeyError as error:
        raise ValueError(TEXT) from error


@pytest.mark.parametrize("way", ["exception", "value", "triple", "library"])
def test_log_has_the_places_of_an_error_and_not_its_text(log_file: Path, way: str) -> None:
    log = structlog.get_logger()
    try:
        fail()
    except ValueError as error:
        match way:
            case "exception":
                log.exception("callback_failed")
            case "value":
                log.error("callback_failed", exc_info=error)  # noqa: TRY400 - as the window does
            case "library":
                logging.getLogger("asyncio").exception("nobody has asked for it")
            case _:
                log.error("callback_failed", exc_info=(type(error), error, None))  # noqa: TRY400 - as Tk does
    text = log_file.read_text()
    told = text if way == "library" else json.loads(text.splitlines()[0])["exception"]
    assert told.index("KeyError") < told.index("ValueError")
    assert "in fail" in told
    assert TEXT not in text
