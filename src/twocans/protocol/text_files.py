"""Decodes text files that a person or another program may have written."""

from __future__ import annotations

import codecs

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decode_text_file(content: bytes) -> str:
    """Decode UTF-8 with or without a byte order mark, or UTF-16 with one.

    Editors on Windows write the mark into UTF-8, and `>` in PowerShell 5 writes UTF-16.

    Raises:
        UnicodeDecodeError: it is neither.
    """
    return content.decode("utf-16" if content.startswith(_UTF16) else "utf-8-sig")
