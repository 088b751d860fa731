"""Modules of the user's that are named like Python's or a package's don't get into the programs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.installation import PYTHON, REPOSITORY, Installation, plain_environment

pytestmark = pytest.mark.timeout(300)


def put_hostile_modules(folder: Path) -> Path:
    """Write modules that end the program, named like a package's and like those of Python's that the start imports."""
    folder.mkdir(exist_ok=True)
    started, imported = (
        set(
            subprocess.check_output(
                [PYTHON, "-c", f"import sys; {code}; print(*sys.modules)"],
                cwd=REPOSITORY,
                env=plain_environment(),
                encoding="utf-8",
            ).split()
        )
        for code in ("pass", "import bootstrap.checks, bootstrap.download")
    )
    # What Python has imported itself is safe, or Python does not even start.
    names = (imported - started) & sys.stdlib_module_names
    assert {"json", "queue", "subprocess"} <= names
    for name in names | {"tiny"}:
        (folder / f"{name}.py").write_text("raise SystemExit(f'{__file__} was imported')\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("program", ["server.py", "client_gui.py"])
def test_python_path_has_no_say_in_a_first_or_later_start(
    fresh: Installation, tmp_path: Path, program: str
) -> None:
    environment = {"PYTHONPATH": str(put_hostile_modules(tmp_path / "hostile"))}
    for _ in ("first", "later"):
        done = fresh.run(program, environment=environment)
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told["tiny"] == "1.0"
        assert environment["PYTHONPATH"] not in told["searched"]


def test_modules_in_the_folder_of_the_programs_are_not_imported(ready: Installation) -> None:
    put_hostile_modules(ready.root)
    done = ready.run("server.py")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("options", [["-I"], ["-P"], ["-E", "-s"]])
def test_program_starts_under_an_isolated_python(ready: Installation, options: list[str]) -> None:
    done = ready.run("server.py", options=options)
    assert (done.returncode, done.stderr) == (0, "")


def test_safe_path_and_the_home_of_another_python_do_no_harm(ready: Installation) -> None:
    done = ready.run("server.py", environment={"PYTHONSAFEPATH": "1"})
    assert (done.returncode, done.stderr) == (0, "")
    done = ready.run("server.py", options=["-I"], environment={"PYTHONHOME": "/nowhere"})
    assert (done.returncode, done.stderr) == (0, "")


def test_library_of_python_that_is_named_in_python_path_is_still_searched(ready: Installation) -> None:
    done = ready.run("server.py", environment={"PYTHONPATH": str(Path(json.__file__).parents[1])})
    assert (done.returncode, done.stderr) == (0, "")


def test_download_imports_nothing_from_the_current_folder_or_python_path(
    fresh: Installation, tmp_path: Path
) -> None:
    index = fresh.wheels.rename(tmp_path / "index")
    put_hostile_modules(fresh.root)
    environment = {"PYTHONPATH": str(put_hostile_modules(tmp_path / "hostile"))}
    done = subprocess.run(
        [PYTHON, "-m", "bootstrap", "download"],
        cwd=fresh.root,
        env=plain_environment() | environment | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)},
        check=False,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name.partition("-")[0] for path in fresh.wheels.iterdir()) == ["speedy", "tiny"]


def test_choice_of_utf8_outlives_the_isolation(ready: Installation) -> None:
    program = ready.root / "src/twocans/server/__main__.py"
    program.write_text("import sys\nprint(sys.flags.utf8_mode)\n", encoding="utf-8")
    assert ready.run("server.py", environment={"PYTHONUTF8": "1"}).stdout == "1\n"
    assert ready.run("server.py", environment={"LC_ALL": "C.UTF-8"}).stdout == "0\n"
