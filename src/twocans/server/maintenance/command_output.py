"""What commands write on standard output, and their complaints on standard error, whatever becomes of those streams."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable

from twocans.standard_streams import discard_unwritable


class OutputError(Exception):
    """Standard output takes no more; the sentence says why.

    Args:
        error: the system's.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(f"Standard output cannot be written ({os.strerror(error.errno or 0)}).")
        self.reader_gone = isinstance(error, BrokenPipeError)
        """True if the program that read it has seen enough, which needs no sentence."""


def write_output(pieces: Iterable[str]) -> None:
    """Write text to standard output, all of it. What its encoding lacks is written as an escape.

    Raises:
        OutputError: it takes no more.
    """
    stream = sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    try:
        for piece in pieces:
            stream.write(piece)
        stream.flush()
    except OSError as error:
        discard_unwritable()
        raise OutputError(error) from None


def complain(sentence: str) -> None:
    """Write a sentence to standard error, if that takes it."""
    try:
        print(sentence, file=sys.stderr, flush=True)
    except OSError:
        discard_unwritable()
