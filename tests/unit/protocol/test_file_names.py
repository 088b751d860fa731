"""Names of files that others have chosen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twocans.protocol.file_names import MAX_NAME_BYTES, readable_size, safe_name
from twocans.protocol.text import spelled_out


@pytest.mark.parametrize(
    "name",
    ["report.pdf", "Grüße aus Köln.txt", "写真.jpeg", "a b (1).tar.gz", "no suffix", "👩\u200d🚀.png", "_x"],
)
def test_a_name_that_is_safe_stays(name: str) -> None:
    assert safe_name(name) == name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\Windows\\win.ini", "win.ini"),
        ("C:\\autoexec.bat", "autoexec.bat"),
        ("C:evil.txt", "C_evil.txt"),
        ("/", "file"),
        ("..", "file"),
        ("", "file"),
        (" . ", "file"),
        (".bashrc", "bashrc"),
        ("a.txt...  ", "a.txt"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("COM1 .log", "_COM1 .log"),
        ("console.txt", "console.txt"),
        ("a\nb\tc\x00.txt", "abc.txt"),
        ("what?*.txt", "what__.txt"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("e\u0301.txt", "\u00e9.txt"),
        ("\ud800.txt", "txt"),
        ("notes.txt:hidden", "notes.txt_hidden"),
    ],
)
def test_what_is_not_safe_is_made_so(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_long_name_keeps_its_suffix() -> None:
    safe = safe_name("ä" * 300 + ".tar.gz")
    assert safe.endswith("ä.gz")
    assert MAX_NAME_BYTES - 1 <= len(safe.encode()) <= MAX_NAME_BYTES


def test_what_is_no_suffix_is_shortened_too() -> None:
    assert safe_name("x." + "y" * 300) == "x." + "y" * (MAX_NAME_BYTES - 2)


ANY = st.text()
AT_THE_EDGE = st.text(alphabet=" .\u00adCONcom1\u200e\u202e\u0301é\ud800:/👩\u200d", max_size=12)
LONG = st.text(alphabet=" .aä👩\u200d\u0301", min_size=150, max_size=250)


@given(ANY | AT_THE_EDGE | LONG)
def test_all_names_are_safe_and_stay_so(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert safe_name(safe) == safe
    assert spelled_out(safe) == safe
    assert len(safe.encode()) <= MAX_NAME_BYTES
    assert not set(safe) & set('/\\<>:"|?*\0\n\r\t')
    assert safe.strip(" .") == safe


@pytest.mark.parametrize(
    ("size", "readable"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 KB"),
        (9_940, "9.9 KB"),
        (9_960, "10 KB"),
        (999_400, "999 KB"),
        (999_600, "1.0 MB"),
        (2_147_483_648, "2.1 GB"),
        (2**63 - 1, "9.2 EB"),
    ],
)
def test_sizes_are_said_for_people(size: int, readable: str) -> None:
    assert readable_size(size) == readable
