"""A `.venv` that lacks what it should have is seen before it is used, and mended when it fails later."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap import pip_settings
from tests.support.installation import (
    PYTHON,
    REPOSITORY,
    Installation,
    assert_refused,
    make_wheel,
    plain_environment,
)

pytestmark = pytest.mark.timeout(300)

MENDING = "A package in the folder .venv is missing or damaged: setting it up again"


def packages(installation: Installation) -> Path:
    (found,) = installation.venv.glob("lib/python*/site-packages")
    return found


def test_settings_of_pip_that_lead_elsewhere_do_not_count(fresh: Installation, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    file = tmp_path / "pip.conf"
    file.write_text(
        f"[global]\ndry-run = true\n[install]\nno-deps = true\ntarget = {elsewhere}\n", encoding="utf-8"
    )
    make_wheel(fresh.wheels, "outer", "1.0", needs="tiny")
    fresh.require("outer")
    done = fresh.run("server.py", environment={"PIP_CONFIG_FILE": str(file)})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["tiny"] == "1.0"
    assert not elsewhere.exists()


def test_variables_of_pip_that_lead_elsewhere_do_not_count(fresh: Installation) -> None:
    names = ("PIP_DRY_RUN", "PIP_QUIET", "PIP_REQUIRE_HASHES", "PIP_IGNORE_INSTALLED")
    done = fresh.run("server.py", environment=dict.fromkeys(names, "1"))
    assert done.returncode == 0, done.stderr
    assert fresh.run("server.py").stderr == ""


def test_package_index_in_the_settings_of_pip_counts(fresh: Installation, tmp_path: Path) -> None:
    index = fresh.wheels.rename(tmp_path / "index")
    file = tmp_path / "pip.conf"
    file.write_text(f"[global]\nno-index = true\n[install]\nfind-links =\n    {index}\n", encoding="utf-8")
    done = fresh.run("server.py", environment={"PIP_CONFIG_FILE": str(file)})
    assert done.returncode == 0, done.stderr


def test_settings_of_pip_that_can_not_be_read_are_named(fresh: Installation, tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("no section\n", encoding="utf-8")
    done = fresh.run("server.py", environment={"PIP_CONFIG_FILE": str(file)})
    assert_refused(done, "pip can't read its settings", str(file), "PIP_CONFIG_FILE")
    assert fresh.run("server.py").returncode == 0


def test_key_log_that_can_not_be_written_does_not_stop_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    """As virus scanners set SSLKEYLOGFILE; pip would fail where it encrypts."""
    monkeypatch.setenv("SSLKEYLOGFILE", "/nowhere/keys.log")
    assert "SSLKEYLOGFILE" not in pip_settings.environment(Path(sys.executable))


def test_password_of_a_package_index_is_not_logged(fresh: Installation) -> None:
    environment = {"PIP_EXTRA_INDEX_URL": "http://user:secret@127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    assert fresh.run("server.py", environment=environment).returncode == 0
    assert "secret" not in fresh.log


def test_package_that_is_removed_later_is_brought_back_by_the_next_start(ready: Installation) -> None:
    (packages(ready) / "tiny.py").unlink()
    done = ready.run("server.py", "--fail", "a b")
    assert done.returncode == 42
    assert "Traceback" not in done.stderr
    assert "No module named 'tiny'" in done.stderr
    assert MENDING in done.stderr
    told = json.loads(done.stdout)
    assert (told["tiny"], told["arguments"]) == ("1.0", ["--fail", "a b"])
    assert ready.run("server.py").stderr == ""


def test_source_that_is_not_found_any_more_is_found_again(ready: Installation) -> None:
    (packages(ready) / "twocans.pth").unlink()
    done = ready.run("client_gui.py")
    assert done.returncode == 0, done.stderr
    assert MENDING in done.stderr


def test_file_that_is_missing_is_noticed_before_new_packages_count_as_installed(ready: Installation) -> None:
    (packages(ready) / "tiny.py").unlink()
    make_wheel(ready.wheels, "new", "1.0")
    ready.require("tiny>=1", "new")
    done = ready.run("server.py")
    assert done.returncode == 0, done.stderr
    assert MENDING in done.stderr
    assert "No module named" not in done.stderr


def test_package_that_is_gone_as_soon_as_it_is_installed_is_named(ready: Installation) -> None:
    """As a virus scanner does it."""
    make_wheel(ready.wheels, "quarantined", "1.0", lists="virus.py")
    ready.require("tiny>=1", "quarantined")
    done = ready.run("server.py")
    assert_refused(
        done, "quarantined lacks its file virus.py", "virus scanner", str(ready.venv / "setup.log")
    )
    ready.require("tiny>=1")
    assert ready.run("server.py").returncode == 0


def test_package_that_can_not_be_loaded_even_after_a_new_set_up_is_named(ready: Installation) -> None:
    make_wheel(ready.wheels, "tiny", "3.0", code="import not_to_be_had")
    ready.require("tiny>=3")
    done = ready.run("server.py")
    assert_refused(done, "No module named 'not_to_be_had'", "delete the folder .venv")
    assert done.stderr.count(MENDING) == 1


def test_missing_part_of_twocans_or_of_python_is_named_without_a_new_set_up(ready: Installation) -> None:
    program = ready.root / "src/twocans/server/__main__.py"
    for code, parts in (
        ("import twocans.server.cli", ["A part of Twocans is missing", "Get Twocans again"]),
        ("from twocans.server import cli", ["Twocans is damaged", "Get Twocans again"]),
        ("import _sqlite3; raise ImportError(name='_sqlite3')", ["lacks its part _sqlite3", "all its parts"]),
    ):
        program.write_text(code, encoding="utf-8")
        done = ready.run("server.py")
        assert_refused(done, *parts)
        assert MENDING not in done.stderr
    shutil.rmtree(ready.root / "src")
    assert_refused(ready.run("server.py"), "A part of Twocans is missing")


def test_environment_without_pip_is_made_anew(fresh: Installation) -> None:
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", fresh.venv], check=True)
    done = fresh.run("server.py")
    assert done.returncode == 0, done.stderr
    assert fresh.run("server.py").stderr == ""


def test_two_programs_that_find_a_package_missing_at_once_set_up_once(ready: Installation) -> None:
    (packages(ready) / "tiny.py").unlink()
    with ready.start("server.py") as server, ready.start("client_gui.py") as client:
        told = [process.communicate(timeout=200) for process in (server, client)]
    assert (server.returncode, client.returncode) == (0, 0), told
    assert "".join(err for _, err in told).count(MENDING) == 1


def test_environment_that_lost_what_makes_it_one_is_set_up_again(ready: Installation) -> None:
    """As it is for a moment while another program sets it up again: its Python does not know where it comes from."""
    (ready.venv / "pyvenv.cfg").unlink()
    done = ready.run("server.py")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(MENDING) == 1


def test_program_outside_its_folder_is_mended_by_the_program_that_was_started(
    ready: Installation, tmp_path: Path
) -> None:
    (packages(ready) / "tiny.py").unlink()
    link = tmp_path / "elsewhere" / "server.py"
    link.parent.mkdir()
    link.symlink_to(ready.root / "server.py")
    done = subprocess.run(
        [PYTHON, link], env=plain_environment(), capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr


def test_environment_that_goes_between_the_check_and_the_start_is_told(tmp_path: Path) -> None:
    """As while another program sets it up again."""
    code = (
        "from pathlib import Path; from bootstrap.environment import Environment; from bootstrap import handover; "
        f"handover.hand_over(Environment(Path({str(tmp_path)!r})), 'twocans.server', [])"
    )
    done = subprocess.run(
        [PYTHON, "-c", code], cwd=REPOSITORY, capture_output=True, encoding="utf-8", check=False
    )
    assert_refused(done, f"{tmp_path / '.venv/bin/python'} can't be run", "Start again in a moment")
