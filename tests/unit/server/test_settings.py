"""The settings: which source is the stronger, from where each is, and the sentence for each kind of mistake."""

from __future__ import annotations

import os
import re
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from tests.support.process import ROOT
from twocans.hub.limits import Limits
from twocans.server import cli
from twocans.server.settings import sources
from twocans.server.settings.arguments import parse
from twocans.server.settings.config import Config, SettingsInvalid, TlsMode
from twocans.server.settings.model import FRAME_BYTES, allowed, default, fields, is_list, option, variable
from twocans.server.settings.sources import InForce, read
from twocans.server.settings.table import table

CODE = "geheim-99"


@pytest.fixture(autouse=True)
def nothing_set_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by variables nor by a file in the folder of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith("TWOCANS_"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(sources, "default_data_folder", lambda: tmp_path / "user")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file in the folder `tmp_path`; not there yet."""
    return tmp_path / "twocans.toml"


def _read(*words: str) -> InForce:
    return read(vars(parse(words)))


def _in_folder(file: Path, *words: str) -> InForce:
    return _read("--data", str(file.parent), *words)


def _problems(*words: str) -> list[str]:
    with pytest.raises(SettingsInvalid) as invalid:
        _read(*words)
    return invalid.value.problems


def _problems_of(file: Path, text: str | bytes) -> list[str]:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return _problems("--data", str(file.parent))


# --- which is the stronger -------------------------------------------------------------------------------


def test_without_anything_the_defaults_are_in_force(tmp_path: Path) -> None:
    in_force = _read("--data", str(tmp_path))
    assert in_force.settings.config() == Config(data=tmp_path, announce=True)
    assert in_force.settings.config().limits == Limits()
    assert in_force.origins == {"data": "--data"}


def test_option_is_stronger_than_variable_and_variable_than_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("max_accounts = 1\nmax_connections = 1\nport = 1\n")
    monkeypatch.setenv("TWOCANS_MAX_CONNECTIONS", "2")
    monkeypatch.setenv("TWOCANS_PORT", "2")
    in_force = _in_folder(file, "--port", "3")
    settings, origins = in_force.settings, in_force.origins
    assert (settings.max_accounts, origins["max_accounts"]) == (1, str(file))
    assert (settings.max_connections, origins["max_connections"]) == (2, "TWOCANS_MAX_CONNECTIONS")
    assert (settings.port, origins["port"]) == (3, "--port")
    assert "max_text_bytes" not in origins


def test_empty_variable_counts_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWOCANS_PORT", "")
    assert "port" not in _read("--data", str(tmp_path)).origins


def test_named_file_is_read_instead_of_the_one_in_the_folder(file: Path, tmp_path: Path) -> None:
    file.write_text("port = 1\nmax_accounts = 7\n")
    other = tmp_path / "other.toml"
    other.write_text("port = 2\n")
    in_force = _in_folder(file, "--config", str(other))
    assert in_force.settings.port == 2
    assert in_force.file == other
    assert "max_accounts" not in in_force.origins


def test_file_is_found_in_the_folder_that_a_variable_names(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("port = 1\n")
    monkeypatch.setenv("TWOCANS_DATA", str(file.parent))
    in_force = _read()
    assert in_force.settings.port == 1
    assert in_force.origins["data"] == "TWOCANS_DATA"


def test_named_file_may_name_the_folder_and_paths_count_from_where_it_is(tmp_path: Path) -> None:
    named = tmp_path / "named.toml"
    named.write_text('data = "chat"\ncert = "a.pem"\nkey = "/b.pem"\n')
    settings = _read("--config", str(named)).settings
    assert settings.data == tmp_path / "chat"
    assert settings.cert == tmp_path / "a.pem"
    assert settings.key == Path("/b.pem")


def test_file_found_in_the_folder_cannot_name_the_folder(file: Path) -> None:
    (problem,) = _problems_of(file, 'data = "elsewhere"')
    assert problem.startswith(f"{file}: data ")
    assert "--config" in problem


# --- what values become ----------------------------------------------------------------------------------


def test_every_limit_that_can_be_set_reaches_the_server(tmp_path: Path) -> None:
    named = [name for name in Limits.__struct_fields__ if name in fields()]
    words = [word for name in named for word in (option(name), str(int(getattr(Limits(), name)) + 1))]
    limits = _read("--data", str(tmp_path), "--rate-limit", "51", *words).settings.config().limits
    for name in [*named, "rate_per_s"]:
        assert getattr(limits, name) == getattr(Limits(), name) + 1, name
    assert len(named) == 15


def test_what_else_is_set_reaches_the_server(tmp_path: Path) -> None:
    words = ["--tls", "required", "--cert", "c.pem", "--key", "k.pem", "--invite", CODE, "--deny", "10.0.0.7"]
    config = _read("--data", str(tmp_path), *words).settings.config()
    assert (config.tls, config.cert, config.key) == (TlsMode.REQUIRED, Path("c.pem"), Path("k.pem"))
    assert config.invite == CODE
    assert config.deny == (IPv4Network("10.0.0.7"),)


def test_lists_are_arrays_texts_with_commas_or_options_that_are_repeated(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = (IPv4Network("10.0.0.0/8"), IPv4Network("192.168.1.20"))
    file.write_text('allow = ["10.0.0.0/8", "192.168.1.20"]\n')
    assert _in_folder(file).settings.allow == networks
    monkeypatch.setenv("TWOCANS_ALLOW", "10.0.0.0/8, 192.168.1.20")
    assert _in_folder(file).settings.allow == networks
    monkeypatch.setenv("TWOCANS_ALLOW", "1.2.3.4")
    assert _in_folder(file, "--allow", "10.0.0.0/8", "--allow", "192.168.1.20").settings.allow == networks


# --- with and without a code -----------------------------------------------------------------------------


def test_open_ends_a_code_from_elsewhere(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(f'invite = "{CODE}"\n')
    assert _in_folder(file).settings.invite is not None
    assert _in_folder(file, "--open").settings.invite is None
    monkeypatch.setenv("TWOCANS_OPEN", "true")
    assert _in_folder(file).settings.invite is None


def test_a_switch_that_is_on_is_turned_off_in_each_of_the_three_spellings(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _in_folder(file).settings.config().announce
    assert not _in_folder(file, "--no-announce").settings.config().announce
    assert _in_folder(file, "--no-announce").origins["announce"] == "--no-announce"
    file.write_text("announce = false\n")
    assert not _in_folder(file).settings.announce
    assert _in_folder(file, "--announce").settings.announce
    assert _in_folder(file, "--announce").origins["announce"] == "--announce"
    monkeypatch.setenv("TWOCANS_ANNOUNCE", "true")
    assert _in_folder(file).settings.announce
    file.write_text("announce = 1\n")
    (problem,) = _problems_of(file, "announce = 1\n")
    assert problem.endswith("announce is 1, but has to be true or false.")


@pytest.mark.parametrize("name", ["announce", "open", "background"])
@pytest.mark.parametrize(
    ("value", "on"),
    [("yes", True), ("ON", True), ("true", True), ("no", False), ("Off", False), ("false", False)],
)
def test_a_switch_takes_a_value_behind_an_equals_sign(
    file: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, on: bool
) -> None:
    assert getattr(_in_folder(file, f"--{name}={value}").settings, name) is on
    monkeypatch.setenv(f"TWOCANS_{name.upper()}", value)
    assert getattr(_in_folder(file).settings, name) is on


def test_a_switch_of_the_file_is_turned_off_by_an_option(file: Path) -> None:
    file.write_text("background = true\n")
    assert _in_folder(file).settings.background
    assert not _in_folder(file, "--no-background").settings.background


@pytest.mark.parametrize(
    ("networks", "part"),
    [
        ("10.0.0.5/8", "192.168.1.20. Did you mean 10.0.0.0/8?"),
        ("10.0.0.1,,10.0.0.2", "10.0.0.1,,10.0.0.2 has an empty part. Take out the comma that is too many."),
        ("10.0.0.1,", "10.0.0.1, has an empty part."),
        (" ", "an empty text is not a network."),
    ],
)
def test_network_that_is_none_is_told_with_what_to_write(file: Path, networks: str, part: str) -> None:
    (problem,) = _problems_of(file, f'allow = "{networks}"\n')
    assert part in problem


def test_largest_file_fits_into_the_room_for_all(file: Path) -> None:
    (problem,) = _problems_of(file, "max_file = '3GB'\nmax_storage = '2GB'\n")
    assert problem == (
        f"max_file is 3000000000 ({file}), but has to be at most max_storage, which is 2000000000 ({file})."
    )
    file.write_text("max_storage = '2GB'\n")  # the default of max_file is larger, and nobody has asked for it
    assert _in_folder(file).settings.max_storage == 2_000_000_000


def test_code_ends_open_from_a_weaker_source(file: Path) -> None:
    file.write_text("open = true\n")
    settings = _in_folder(file, "--invite", CODE).settings
    assert settings.invite is not None
    assert not settings.open


def test_open_and_a_code_exclude_each_other_in_one_source(file: Path) -> None:
    (problem,) = _problems("--data", str(file.parent), "--open", "--invite", CODE)
    assert problem.startswith("--open and --invite exclude each other")
    (problem,) = _problems_of(file, f'open = true\ninvite = "{CODE}"\n')
    assert problem.startswith(f"{file}: open and {file}: invite exclude each other")


@pytest.mark.parametrize("code", ["abc", "x" * 65, "ge heim", "ge\theim", "geheim\u202e", ""])
def test_wrong_code_is_told_without_the_code(file: Path, code: str) -> None:
    (problem,) = _problems("--data", str(file.parent), f"--invite={code}")
    assert "4 to 64 printable characters without spaces" in problem
    assert code == "" or code not in problem


def test_code_is_never_shown(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(f'invite = "{CODE}"\nport = 1\n')
    assert cli.main(["config", "--data", str(file.parent)]) == 0
    told = capsys.readouterr()
    assert re.search(r"^invite +\(set\) +" + re.escape(str(file)), told.out, re.MULTILINE)
    assert CODE not in told.out + told.err
    assert CODE not in repr(_in_folder(file))


@pytest.mark.parametrize(
    "words",
    [
        ["--invte", CODE],
        [f"--invte={CODE}"],
        ["-invite", CODE],
        ["--invite", "two", CODE],
        ["--inv=x", CODE],
        [f"--in={CODE}"],
        ["check", "--invite", CODE],
    ],
)
def test_code_after_a_misspelt_option_is_not_repeated(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*words, "--bogus"]) == 2
    assert CODE not in capsys.readouterr().err


# --- mistakes --------------------------------------------------------------------------------------------


def test_limit_out_of_bounds_is_told_with_its_source_key_value_and_what_it_may_be(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds = "has to be a number from 1024 to 16777216."
    assert _problems_of(file, "max_line_bytes = 12") == [f"{file}: max_line_bytes is 12, but {bounds}"]
    file.unlink()
    assert _problems("--max-line-bytes", "12") == [f"--max-line-bytes is 12, but {bounds}"]
    monkeypatch.setenv("TWOCANS_MAX_LINE_BYTES", "12")
    assert _problems() == [f"TWOCANS_MAX_LINE_BYTES is 12, but {bounds}"]


_NUMBERS = [name for name in fields() if allowed(name).startswith("a number from ")]


@pytest.mark.parametrize("name", _NUMBERS)
def test_every_limit_takes_its_bounds_and_nothing_beyond(name: str, tmp_path: Path) -> None:
    least, most = map(float, re.findall(r"[\d.]+", allowed(name)))
    for outside in (least - 1, most + 1):
        (problem,) = _problems("--data", str(tmp_path), f"{option(name)}={outside:.16g}")
        assert problem == f"{option(name)} is {outside:.16g}, but has to be {allowed(name)}."
    room = ["--max-text-bytes", "100"] if name == "max_line_bytes" else ["--max-line-bytes", "16777216"]
    room += (
        ["--send-queue-bytes", "16777216"] if name != "send_queue_bytes" else ["--max-line-bytes", "65536"]
    )
    for bound in (least, most):
        settings = _read("--data", str(tmp_path), *room, option(name), f"{bound:.16g}").settings
        assert getattr(settings, name) == bound


@pytest.mark.parametrize(
    "given", ["true", '"many"', "[1]", "{}", "1.5", "2020-01-01", "nan", "0x" + "f" * 6000]
)
def test_other_kinds_of_values_get_a_sentence(file: Path, given: str) -> None:
    (problem,) = _problems_of(file, f"max_connections = {given}")
    assert problem.startswith(f"{file}: max_connections is ")
    assert problem.endswith("but has to be a number from 1 to 1000000.")
    assert len(problem) < len(str(file)) + 150


@pytest.mark.parametrize("given", ["7", "true", '"a\\u0000b"', "[]"])
def test_what_is_no_path_gets_a_sentence(file: Path, given: str) -> None:
    (problem,) = _problems_of(file, f"cert = {given}")
    assert problem.startswith(f"{file}: cert: ")
    assert problem.endswith(" is not a path.")


@pytest.mark.parametrize("name", fields())
@pytest.mark.parametrize("given", ["\udcff", "x\x1b[2Jy\x00", "٥", "9" * 5000])
def test_garbage_is_a_sentence_that_is_safe_to_show(file: Path, name: str, given: str) -> None:
    try:
        read({"data": str(file.parent), name: [given] if is_list(name) else given})
    except SettingsInvalid as invalid:
        for problem in invalid.problems:
            assert problem.isprintable()
            assert len(problem) < 400


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("port = 1\nhost = ", "at line 2"),
        ("port = 1\n\nmax_accounts\nport = 2", "at line 3"),
        ("port = [1,\n2\n", "at line 2, the last"),
        (b"port = \xff", "not UTF-8"),
        ("a = " + "[" * 5000, "nested too deep"),
    ],
)
def test_file_that_is_no_toml_is_told_with_the_line(file: Path, text: str | bytes, words: str) -> None:
    (problem,) = _problems_of(file, text)
    assert problem.startswith(str(file))
    assert words in problem


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_file_that_an_editor_has_saved_with_a_mark_is_read(file: Path, encoding: str) -> None:
    file.write_bytes("# für das Büro\nport = 5060\n".encode(encoding))
    in_force = _in_folder(file)
    assert in_force.settings.port == 5060
    assert in_force.origins["port"] == str(file)


def test_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (problem,) = _problems("--config", str(tmp_path / "none.toml"))
    assert problem == f"{tmp_path / 'none.toml'} cannot be read (No such file or directory)."
    (problem,) = _problems("--config", str(tmp_path))
    assert problem == f"{tmp_path} cannot be read: it is not a file."
    (tmp_path / "twocans.toml").mkdir()
    (problem,) = _problems("--data", str(tmp_path))
    assert "it is not a file" in problem


def test_unknown_key_is_told_with_the_nearest_one(file: Path) -> None:
    assert _problems_of(file, "max_conections = 1\nPort = 1\n[limits]\nport = 1\n") == [
        f"{file}: max_conections is not a setting. Did you mean max_connections?",
        f"{file}: Port is not a setting. Did you mean port?",
        f"{file}: limits is not a setting.",
    ]


@pytest.mark.parametrize(("invite", "short"), [("7305", True), ("7charac", True), ("8charact", False)])
def test_invite_that_is_short_is_a_warning_that_does_not_show_it(
    tmp_path: Path, invite: str, *, short: bool
) -> None:
    warnings = _read("--data", str(tmp_path), "--invite", invite).warnings
    assert [warning.startswith("The invite (") for warning in warnings] == [True] * short
    assert invite not in "".join(warnings)


def test_variable_that_looks_misspelt_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWOCANS_MAX_CONECTIONS", CODE)
    monkeypatch.setenv("TWOCANS_OTHER_PROGRAM", "1")
    for of_the_client in ("CONFIG_DIR", "DATA_DIR", "LOG_DIR", "GUI_STRICT"):
        monkeypatch.setenv(f"TWOCANS_{of_the_client}", "1")
    (warning,) = _read("--data", str(tmp_path)).warnings
    assert warning == "TWOCANS_MAX_CONECTIONS is not a known setting. Did you mean TWOCANS_MAX_CONNECTIONS?"


def test_all_problems_of_all_sources_are_told_at_once(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("burst_s = 0\ntls = 'maybe'\n")
    monkeypatch.setenv("TWOCANS_KEEP_DAYS", "week")
    assert cli.main(["--data", str(file.parent), "--port", "70000"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    first, second, third, fourth = told.err.splitlines()
    assert first == f"{file}: tls: maybe is not one of offered, required."
    assert second == f"{file}: burst_s is 0, but has to be a number from 0.1 to 3600."
    assert third.startswith("TWOCANS_KEEP_DAYS: week is not a number of days")
    assert fourth.startswith("--port: 70000 is not a port")


@pytest.mark.parametrize(
    ("given", "size"),
    [
        ("0", 0),
        ("1234", 1234),
        ("500MB", 500_000_000),
        ("2 GB", 2_000_000_000),
        ("1.5kb", 1500),
        ("7b", 7),
        ("1TB", 10**12),
    ],
)
def test_size_may_have_a_unit(tmp_path: Path, given: str, size: int) -> None:
    in_force = _read("--data", str(tmp_path), "--max-file", given, "--max-storage", given)
    limits = in_force.settings.config().limits
    assert (limits.max_file_bytes, limits.max_storage_bytes) == (size, size)


@pytest.mark.parametrize("given", ["", "much", "-1", "1e9", "2 GiB", "1,5GB", "9" * 18, "100000TB", "٥MB"])
def test_what_is_no_size_is_a_sentence(tmp_path: Path, given: str) -> None:
    (problem,) = _problems("--data", str(tmp_path), f"--max-file={given}")
    assert problem.startswith("--max-file: ")
    assert "is not a size such as 500MB or 2GB" in problem


def test_certificate_and_key_belong_together(tmp_path: Path) -> None:
    (problem,) = _problems("--data", str(tmp_path), "--cert", "c.pem")
    assert problem == "cert and key belong together: cert is c.pem (--cert), but key is not given."
    (problem,) = _problems("--data", str(tmp_path), "--key", "k.pem")
    assert problem.endswith("key is k.pem (--key), but cert is not given.")


def test_text_has_to_fit_into_a_line_and_a_line_into_the_send_queue(tmp_path: Path) -> None:
    (problem,) = _problems("--data", str(tmp_path), "--max-line-bytes", "2048")
    assert problem == (
        f"max_text_bytes is 16384 (default), but has to be at most {2048 - FRAME_BYTES}, "
        "because max_line_bytes is 2048 (--max-line-bytes)."
    )
    (problem,) = _problems("--data", str(tmp_path), "--max-line-bytes", "1048577")
    assert problem.endswith("at most send_queue_bytes, which is 1048576 (default).")


def test_commands_look_at_the_folder_alone(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("no toml")
    monkeypatch.setenv("TWOCANS_DATA", str(file.parent))
    monkeypatch.setenv("TWOCANS_PORT", "garbage")
    assert cli.main(["check"]) == 1
    assert str(file.parent) in capsys.readouterr().err
    named = file.parent / "named.toml"
    named.write_text('data = "chat"\nport = "garbage"\n')
    monkeypatch.delenv("TWOCANS_DATA")
    assert cli.main(["--config", str(named), "check"]) == 1
    assert str(file.parent / "chat") in capsys.readouterr().err


# --- what is told ----------------------------------------------------------------------------------------


def test_table_has_every_setting_with_its_value_unit_and_origin(file: Path) -> None:
    file.write_text("max_accounts = 77\n")
    lines = list(table(_in_folder(file, "--registration-s", "9")))
    cells = [re.split(r"  +", line) for line in lines]
    assert [row[0] for row in cells[1:-2]] == list(fields())
    assert ["max_accounts", "77", "people", str(file)] in cells
    assert ["registration_s", "9", "seconds", "--registration-s"] in cells
    assert ["keep_days", "for ever", "default"] in cells
    assert lines[-1].endswith(f"{file}.")


def test_documented_settings_and_defaults_are_those_there_are() -> None:
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    section = text.partition("\n## Settings\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section, re.MULTILINE)
    documented = {name: told for name, told in rows if name in fields()}
    assert list(documented) == list(fields())
    assert documented.pop("data") == "the data folder of the user"
    assert documented == {name: default(name) for name in documented}


def test_documented_bounds_of_limits_are_those_there_are() -> None:
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([\d.]+) \| ([\d.]+) \|", text, re.MULTILINE)
    assert {name: f"a number from {least} to {most}" for name, least, most in rows} == {
        name: allowed(name) for name in _NUMBERS
    }


def test_three_spellings_follow_from_one_name() -> None:
    assert option("max_line_bytes") == "--max-line-bytes"
    assert variable("max_line_bytes") == "TWOCANS_MAX_LINE_BYTES"
