"""What starts the programs besides `python server.py`: batch files, the CI's script, Pythons that are too old."""

import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.installation import (
    PROGRAMS,
    PYTHON,
    REPOSITORY,
    Installation,
    copy_starters,
    install,
    plain_environment,
)

BATCH_FILES = {"Run Server.bat": "server.py", "Run Client.bat": "client_gui.py"}


def old_pythons() -> list[Path]:
    """Every Python on this machine that is older than 3.11."""
    places = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    places += Path.home().glob(".pyenv/versions/*/bin")
    found = {}
    for place in places:
        for path in place.glob("python*"):
            if re.fullmatch(r"python(2|2\.7|3|3\.\d+)?", path.name) and os.access(path, os.X_OK):
                code = "import sys; sys.exit(40 if sys.hexversion < 0x030B0000 else 0)"
                if subprocess.call([path, "-c", code], stderr=subprocess.DEVNULL) == 40:
                    found[path.resolve()] = path
    return list(found.values())


def test_old_python_is_refused_with_a_sentence(tmp_path: Path) -> None:
    copy_starters(tmp_path / "twocans")
    for python in old_pythons():
        for program in PROGRAMS:
            done = subprocess.run(
                [python, tmp_path / "twocans" / program],
                capture_output=True,
                encoding="utf-8",
                env=plain_environment(),
                check=False,
            )
            assert done.returncode == 1, python
            assert done.stderr.startswith("Twocans needs Python 3.11 or newer, and this is Python ")
            assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", [*PROGRAMS, "bootstrap/__init__.py"])
def test_what_an_old_python_meets_first_has_nothing_it_can_not_read(name: str) -> None:
    text = (REPOSITORY / name).read_bytes()
    assert text.isascii()  # Python 2 takes no other letters without being told
    for node in ast.walk(ast.parse(text)):
        assert not isinstance(
            node, (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Match, ast.AsyncFunctionDef)
        )
        if isinstance(node, ast.FunctionDef):
            assert node.returns is None
            assert not any(argument.annotation for argument in node.args.args)
            assert not node.args.kwonlyargs


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_asks_for_the_version_before_anything_else(name: str) -> None:
    imported = [
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(ast.parse((REPOSITORY / name).read_text(encoding="utf-8")))
        if isinstance(node, (ast.Import, ast.ImportFrom))
    ]
    assert {str(module).partition(".")[0] for module in imported} <= {"os", "sys", "bootstrap"}


@pytest.mark.parametrize("name", BATCH_FILES)
def test_batch_file_has_the_line_ends_that_windows_needs(name: str) -> None:
    text = (REPOSITORY / name).read_bytes()
    assert text.isascii()
    assert text.endswith(b"\r\n")
    assert text.count(b"\n") == text.count(b"\r\n") == text.count(b"\r")


def test_git_keeps_those_line_ends_in_every_checkout() -> None:
    rules = (REPOSITORY / ".gitattributes").read_text(encoding="utf-8").splitlines()
    assert "*.bat text eol=crlf" in rules
    if (REPOSITORY / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "--eol", "*.bat"],
            cwd=REPOSITORY,
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        for line in listed.stdout.splitlines():
            assert line.split()[:2] == ["i/lf", "w/crlf"], line
            assert "eol=crlf" in line


@pytest.mark.parametrize(("name", "program"), BATCH_FILES.items())
def test_batch_file_finds_its_folder_and_python_and_keeps_its_window_open(name: str, program: str) -> None:
    lines = (REPOSITORY / name).read_text(encoding="ascii").splitlines()
    labels = {line[1:] for line in lines if line.startswith(":")}
    jumps = re.findall(
        r"(?:goto|call) :?([a-z_]+)", "\n".join(line for line in lines if not line.startswith("rem"))
    )
    assert set(jumps) == labels  # none leads nowhere, none is left over

    assert lines[0] == "@echo off"
    assert "setlocal EnableExtensions DisableDelayedExpansion" in lines  # a "!" in a path stays one
    assert 'pushd "%~dp0"' in lines  # quoted: a path may have spaces, "&" and parentheses
    assert f"%python% -I {program} %*" in lines
    assert lines.index("call :try py -3") < lines.index("if not defined python call :try cmd /d /c python")
    # Parentheses in a path would end a block in parentheses, so there is none.
    assert not [line for line in lines if line.rstrip().endswith("(") or line.lstrip().startswith(")")]
    # Whatever went wrong, it is said and stays to be read.
    ends = [
        index for index, line in enumerate(lines) if line.startswith("exit /b") and not line.endswith(" 0")
    ]
    assert len(ends) == 5
    assert all(lines[index - 1] == "pause" for index in ends)


def test_batch_file_asks_for_the_version_that_the_programs_need() -> None:
    for name in BATCH_FILES:
        text = (REPOSITORY / name).read_text(encoding="ascii")
        match = re.search(r'-E -c "(.+?)"', text)
        assert match is not None
        assert subprocess.call([sys.executable, "-c", match[1]]) == 40
        assert match[1].replace(">= (3, 11)", ">= (99,)") != match[1]
        assert subprocess.call([sys.executable, "-c", match[1].replace("(3, 11)", "(99,)")]) == 41


def test_ci_runs_everything_from_any_folder(tmp_path: Path) -> None:
    root, tools = tmp_path / "a clone", tmp_path / "tools"
    (root / ".ci").mkdir(parents=True)
    shutil.copy(REPOSITORY / ".ci/run", root / ".ci/run")
    tools.mkdir()
    (tools / "python3").write_text('#!/bin/sh\necho "$PWD" "$@"\nexit 9\n', encoding="utf-8")
    (tools / "python3").chmod(0o755)
    environment = plain_environment() | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "CI": "true"}
    done = subprocess.run(
        ["bash", root / ".ci/run"],
        cwd="/",
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stdout == f"{root} run_tests.py\n"
    assert done.returncode == 9
    assert os.access(REPOSITORY / ".ci/run", os.X_OK)


TESTS = {
    "unit": "def test_passes(): pass\n",
    "contract": "import pytest\n@pytest.mark.parametrize('n', range(3))\ndef test_three(n): pass\n",
    "fuzz": "def test_fed(): pass\n",
    "hostile": "def test_stood(): pass\n",
    "misbehaving": "def test_ended(): pass\n",
    "integration": "import os\ndef test_may_fail(): assert 'FAIL' not in os.environ\n",
    "gui": "import pytest\n@pytest.mark.xfail\ndef test_skipped(): assert 0\n",
}


@pytest.fixture
def checkable(tmp_path: Path) -> Installation:
    """An installation with small tests, whose environment borrows the tools of the one that runs this test."""
    installation = install(tmp_path / "twocans")
    for name, text in TESTS.items():
        folder = installation.root / "tests" / name
        folder.mkdir(parents=True)
        (folder / f"test_{name}.py").write_text(text, encoding="utf-8")
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", installation.venv], check=True)
    borrowed = [path for path in sys.path if path.endswith("site-packages")]
    (packages,) = installation.venv.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text("\n".join(borrowed), encoding="utf-8")
    (installation.venv / "bin/ruff").symlink_to(Path(sys.prefix, "bin/ruff"))
    stamp = {
        "complete": True,
        "platform": f"linux {os.uname().machine}",
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "base": os.path.realpath(PYTHON),
        "tkinter": True,
        "groups": {"run": ["tiny>=1"], "fast": ["speedy"], "dev": []},
    }
    installation.stamp.write_text(json.dumps(stamp), encoding="utf-8")
    return installation


def test_every_check_runs_though_others_fail_and_the_last_line_counts_the_tests(
    checkable: Installation,
) -> None:
    done = checkable.run("run_tests.py", environment={"FAIL": "1"})
    assert done.returncode == 1
    for name in ("Format", "Lint", "Types", "Layers", "Window tests", "Tests"):
        assert f"\n=== {name}\n" in done.stdout, done.stderr
    summary = done.stdout.partition("=== Summary")[2]
    assert re.search(r"^Format +FAILED", summary, re.MULTILINE)  # the small tests are not well formatted
    assert re.search(r"^Window tests +ok .* 0 passed, 0 failed, 1 skipped$", summary, re.MULTILINE)
    assert re.search(r"^Tests +FAILED .* 7 passed, 1 failed$", summary, re.MULTILINE)
    assert done.stdout.splitlines()[-1] == "7 passed, 1 failed, 1 skipped"


def test_arguments_select_tests_and_run_nothing_else(checkable: Installation) -> None:
    done = checkable.run("run_tests.py", "tests/contract", "-k", "three and not 2")
    assert done.returncode == 0, done.stderr
    assert "Format" not in done.stdout
    assert done.stdout.splitlines()[-1] == "2 passed, 0 failed"


def test_python_path_of_the_user_has_no_say_in_the_checks(checkable: Installation, tmp_path: Path) -> None:
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    for name in ("queue", "pytest", "test_contract"):
        (hostile / f"{name}.py").write_text("raise SystemExit('was imported')\n", encoding="utf-8")
    done = checkable.run("run_tests.py", "tests/contract", environment={"PYTHONPATH": str(hostile)})
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1] == "3 passed, 0 failed"


def test_selection_that_matches_no_test_is_a_failure(checkable: Installation) -> None:
    done = checkable.run("run_tests.py", "tests/unit", "-k", "nothing_has_this_name")
    assert done.returncode == 1
    assert "ran no test" in done.stdout
    assert done.stdout.splitlines()[-1] == "0 passed, 1 failed"


@pytest.mark.timeout(900)
def test_fresh_clone_starts_the_real_server(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """The one test that fetches the real packages from wherever pip is set to fetch them here."""
    root = tmp_path / "clone"
    left_out = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "wheels")
    shutil.copytree(REPOSITORY, root, ignore=left_out)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST_"))
    }
    options = ["--port", "0", "--no-announce", "--log-format", "json", "--data", str(tmp_path / "data")]
    for start in ("first", "second"):
        began = time.monotonic()
        with subprocess.Popen(
            [PYTHON, root / "server.py", *options],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as server:
            assert server.stdout is not None
            line = server.stdout.readline()
            record_property(f"{start}_start_s", round(time.monotonic() - began, 2))
            server.send_signal(signal.SIGINT)
            _, err = server.communicate(timeout=60)
        assert json.loads(line)["event"] == "server_started", err
        assert server.returncode == 0, err
        assert bool(err) is (start == "first")
