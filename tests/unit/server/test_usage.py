"""Command lines that are not understood: the sentence says what is wrong and what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from twocans.server.settings.arguments import parse
from twocans.server.settings.usage import UsageError


def sentence(*words: str) -> str:
    """The sentence for a command line that is not understood."""
    with pytest.raises(UsageError) as wrong:
        parse(words)
    return str(wrong.value)


@pytest.mark.parametrize(
    ("words", "option", "meant"),
    [
        (["--prot=5"], "--prot", "--port"),
        (["--prot", "5"], "--prot", "--port"),
        (["config", "--prot", "5"], "--prot", "--port"),
        (["--Port", "5"], "--Port", "--port"),
        (["-port", "5"], "-port", "--port"),
        (["--max_connections", "5"], "--max_connections", "--max-connections"),
        (["--keep", "5"], "--keep", "--keep-days"),
        (["--no-anounce"], "--no-anounce", "--no-announce"),
        (["--host", "localhost", "--prot", "5", "backup", "out.db"], "--prot", "--port"),
        (["backup", "--froce", "out.db"], "--froce", "--force"),
        (["export", "--usr", "bob"], "--usr", "--user"),
        (["--dta", "x", "check"], "--dta", "--data"),
    ],
)
def test_misspelt_option_is_told_with_the_one_that_was_meant(
    words: list[str], option: str, meant: str
) -> None:
    assert sentence(*words) == f"{option} is not an option. Did you mean {meant}?"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([""], "An empty word is not a command. "),
        (["--", "check"], "-- means nothing before a command. See server.py --help."),
        (["--bogus"], "--bogus is not an option. See server.py --help."),
        (["bakup", "out.db"], "bakup is not a command. Did you mean backup? The commands are config, "),
        (["serve"], "serve is not a command. The commands are config, export, backup, check; without one, "),
        (["help"], "help is not a command. Did you mean --help?"),
        (["--announce", "no"], "The value of --announce stands behind an equals sign: --announce=no."),
        (["--announce=maybe"], "--announce is maybe, but has to be true or false."),
        (["--port"], "--port needs a value: --port N."),
        (["--host", "--port", "5"], "--host needs a value: --host ADDRESS."),
        (["check", "--files=yes"], "--files takes no value."),
        (["check", "all"], "check does not take the word all. See server.py check --help."),
        (["backup", "a.db", "b.db"], "backup does not take the word b.db. See server.py backup --help."),
        (
            ["check", "--force"],
            "--force goes with export and backup, not with check. See server.py check --help.",
        ),
        (["--force", "backup", "a.db"], "--force stands after its command: server.py export --force."),
        (["backup", "--port", "5", "a.db"], "--port is a setting of the server, and backup takes none. "),
        (["backup"], "backup needs FILE."),
        (["backup", "-"], "A backup cannot go to standard output. Name a file."),
        (["export"], "export needs --user NAME."),
        (["export", "--user"], "--user needs a value: --user NAME."),
        (
            ["export", "--user", "bob"],
            "export needs --format json, text or html, or --out with a name that ",
        ),
        (
            ["export", "--user", "bob", "--out", "bob.pdf"],
            "export needs --format json, text or html, or --out ",
        ),
        (
            ["export", "--user", "bob", "--format", "pdf"],
            "--format is pdf, but has to be one of json, text, html.",
        ),
        (["--\x1b[2J=1"], "--\\u001b[2J is not an option. See server.py --help."),
    ],
)
def test_what_is_not_understood_is_told_in_a_sentence(words: list[str], told: str) -> None:
    assert sentence(*words).startswith(told)


def test_usage_is_that_of_the_command() -> None:
    with pytest.raises(UsageError) as wrong:
        parse(["check", "all"])
    assert wrong.value.usage.startswith("usage: server.py check ")


@pytest.mark.parametrize(
    "words",
    [
        ["backup", "--data", "folder", "out.db"],
        ["--data", "folder", "backup", "out.db"],
        ["backup", "out.db", "--data", "folder"],
        ["backup", "out.db", "--data=folder"],
    ],
)
def test_options_stand_before_and_after_the_command(words: list[str]) -> None:
    options = parse(words)
    assert (options.command, options.data, options.file) == ("backup", "folder", Path("out.db"))


def test_config_takes_settings_after_its_name() -> None:
    options = parse(["--keep-days", "5", "config", "--port", "7", "--announce=no"])
    assert (options.keep_days, options.port, options.announce) == ("5", "7", False)


@pytest.mark.parametrize(
    ("words", "form"),
    [
        (["--out", "bob.json"], "json"),
        (["--out", "bob.txt"], "text"),
        (["--out", "here/bob.HTML"], "html"),
        (["--out", "bob.html", "--format", "json"], "json"),
        (["--out", "-", "--format", "text"], "text"),
    ],
)
def test_format_of_an_export_is_that_of_the_file_if_none_is_given(words: list[str], form: str) -> None:
    assert parse(["export", "--user", "bob", *words]).format == form


def test_dash_is_standard_output() -> None:
    assert parse(["export", "--user", "bob", "--format", "text", "--out", "-"]).out is None
