"""The first start of the programs and the later ones, with nothing but Python."""

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bootstrap.environment import Environment, State
from tests.support.installation import (
    PYTHON,
    REPOSITORY,
    Installation,
    assert_refused,
    install,
    make_wheel,
    plain_environment,
    without_module,
)
from tests.support.terminal import Terminal

pytestmark = pytest.mark.timeout(300)

FIRST = "Setting up Twocans for its first start"
WAITING = "Another Twocans program is setting up"


def without_rights() -> list[str]:
    """A command prefix under which files are protected from us by their permissions, also when we are root."""
    dropped = "-dac_override,-dac_read_search,-fowner"
    return ["setpriv", f"--bounding-set={dropped}", f"--inh-caps={dropped}"] if os.geteuid() == 0 else []


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Take the right to write away, and give it back so that the folder can be removed."""
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink())]
    for path in folders:
        path.chmod(0o555)
    try:
        yield
    finally:
        for path in folders:
            path.chmod(0o755)


@contextmanager
def silent_index() -> Iterator[tuple[socket.socket, dict[str, str]]]:
    """A package index that takes connections and never answers, and the environment that leads pip to it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(100)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/simple"
        yield listener, {"PIP_INDEX_URL": url, "PIP_DEFAULT_TIMEOUT": "90"}


def closed_index() -> dict[str, str]:
    """The environment that leads pip to an index where nobody listens, as without a network."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return {"PIP_INDEX_URL": f"http://127.0.0.1:{port}/simple", "PIP_RETRIES": "0"}


def test_first_start_says_what_it_does_and_later_ones_say_nothing(fresh: Installation) -> None:
    first = fresh.run("server.py", "--port", "7", "a b")
    assert first.returncode == 0
    lines = first.stderr.splitlines()
    assert lines[0].startswith(FIRST)
    assert lines[1:4] == ["Creating the folder .venv…", "Looking up packages…", "Installing 1 package…"]
    assert re.fullmatch(r"Twocans is set up, after \d+ s\.", lines[-1])
    assert len(lines) < 10
    told = json.loads(first.stdout)
    assert told["module"] == "twocans.server"
    assert told["arguments"] == ["--port", "7", "a b"]
    assert told["tiny"] == "1.0"
    assert told["folder"] == str(fresh.venv)
    stamp = fresh.stamp.stat().st_mtime_ns

    later = fresh.run("client_gui.py", "--fail")
    assert later.returncode == 42
    assert later.stderr == ""
    assert json.loads(later.stdout)["module"] == "twocans.gui"
    assert fresh.stamp.stat().st_mtime_ns == stamp


def test_terminal_has_one_line_that_shows_the_step_and_the_time(fresh: Installation) -> None:
    fresh.wheels.rename(fresh.root / "later")
    with silent_index() as (listener, environment):
        command = [PYTHON, str(fresh.root / "server.py")]
        with Terminal(command, plain_environment() | environment) as terminal:
            terminal.expect(r"Creating the folder \.venv… \d+ s")
            connection, _ = listener.accept()
            with connection:
                terminal.expect(r"Looking up packages… (\d+) s.*Looking up packages… (?!\1 s)\d+ s")
                terminal.process.send_signal(signal.SIGINT)
                terminal.expect("Stopped. The next start sets Twocans up.")


def test_the_current_folder_is_not_searched_for_packages(ready: Installation) -> None:
    searched = json.loads(ready.run("server.py").stdout)["searched"]
    assert "" not in searched
    assert "/" not in searched
    assert str(ready.root / "src") in searched


def test_program_takes_the_place_of_its_starter_so_signals_and_exit_code_are_its_own(
    ready: Installation,
) -> None:
    with ready.start("server.py", "--wait") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["pid"] == process.pid
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 40 + signal.SIGTERM


def test_started_from_any_virtual_environment_it_uses_its_own(ready: Installation, tmp_path: Path) -> None:
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", tmp_path / "other"], check=True)
    for python in (tmp_path / "other/bin/python", ready.venv / "bin/python"):
        done = ready.run("client_gui.py", python=str(python))
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(done.stdout)["folder"] == str(ready.venv)


def test_later_start_needs_no_right_to_write_and_no_network(ready: Installation) -> None:
    shutil.rmtree(ready.wheels)
    with read_only(ready.root):
        done = ready.run("server.py", prefix=without_rights(), environment=closed_index())
    assert (done.returncode, done.stderr) == (0, "")


def test_new_requirement_is_installed_at_the_next_start(ready: Installation) -> None:
    make_wheel(ready.wheels, "tiny", "2.0")
    ready.require("tiny>=2")
    done = ready.run("server.py")
    assert done.stderr.startswith("Twocans has changed")
    assert json.loads(done.stdout)["tiny"] == "2.0"
    assert ready.run("server.py").stderr == ""


def test_requirement_that_is_not_to_be_had_is_named_and_the_old_ones_stay(ready: Installation) -> None:
    ready.require("tiny>=3")
    done = ready.run("server.py", environment={"PIP_NO_INDEX": "1"})
    assert_refused(
        done,
        "tiny>=3",
        str(ready.venv / "setup.log"),
    )
    ready.require("tiny>=1")
    assert ready.run("server.py").stderr == ""


def test_faster_event_loop_is_taken_where_it_exists_and_not_missed_elsewhere(
    ready: Installation, tmp_path: Path
) -> None:
    assert json.loads(ready.run("server.py").stdout)["speedy"] is True
    without = install(tmp_path / "without")
    without.require("tiny>=1", fast=["speedy>=9"])
    done = without.run("server.py", environment={"PIP_NO_INDEX": "1"})
    assert json.loads(done.stdout)["speedy"] is False
    assert without.run("server.py").stderr == ""


def test_environment_whose_python_is_gone_is_made_again(ready: Installation) -> None:
    for link in (ready.venv / "bin").glob("python*"):
        link.unlink()
        link.symlink_to("/nowhere/python3")
    done = ready.run("server.py")
    assert done.returncode == 0
    assert done.stderr.startswith("The folder .venv does not work here any more")


def test_environment_is_used_on_exactly_when_its_system_and_version_of_python_are_the_same(
    ready: Installation,
) -> None:
    environment = Environment(ready.root)
    stamp = environment.stamp()
    assert stamp is not None
    wanted = stamp.groups
    assert environment.state(wanted) is State.READY
    environment.write_stamp(stamp._replace(base="/where/it/was/before/an/update/python3"))
    assert environment.state(wanted) is State.READY
    environment.write_stamp(stamp._replace(base="/where/it/was/before/an/update/python3", python="3.1"))
    assert environment.state(wanted) is State.BROKEN
    environment.write_stamp(stamp._replace(platform="plan9 mips"))
    assert environment.state(wanted) is State.BROKEN


def test_environment_that_somebody_made_by_hand_is_completed(fresh: Installation) -> None:
    subprocess.run([PYTHON, "-m", "venv", fresh.venv], check=True)
    (fresh.venv / "theirs").touch()
    done = fresh.run("server.py", python=str(fresh.venv / "bin/python"))
    assert done.returncode == 0
    assert (fresh.venv / "theirs").exists()
    assert fresh.run("server.py").stderr == ""


@pytest.mark.parametrize(
    ("sent", "code"),
    [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130)],
    ids=lambda value: str(value),
)
def test_set_up_that_was_cut_short_leaves_nothing_running_and_is_done_again(
    fresh: Installation, sent: signal.Signals, code: int
) -> None:
    wheels = fresh.wheels.rename(fresh.root / "later")
    with silent_index() as (listener, environment):
        process = fresh.start("server.py", environment=environment, new_group=True)
        connection, _ = listener.accept()
        with connection, process:
            connection.settimeout(60)
            process.send_signal(sent)
            out, err = process.communicate(timeout=60)
            while connection.recv(65536):  # pip's request; the end comes when pip is gone
                pass
    assert process.returncode == code
    assert out == ""
    assert "Traceback" not in err
    wheels.rename(fresh.wheels)
    done = fresh.run("server.py")
    assert done.returncode == 0
    assert done.stderr.startswith("The last set-up did not finish")
    assert fresh.run("server.py").stderr == ""


def test_two_programs_started_at_once_set_up_once(fresh: Installation) -> None:
    with fresh.start("server.py") as server, fresh.start("client_gui.py") as client:
        told = [process.communicate(timeout=200) for process in (server, client)]
    assert (server.returncode, client.returncode) == (0, 0)
    assert sorted(json.loads(out)["module"] for out, _ in told) == ["twocans.gui", "twocans.server"]
    said = "".join(err for _, err in told)
    assert said.count(FIRST) == 1
    assert fresh.log.count("$ python -m venv") == 1


def test_program_that_waits_for_another_set_up_says_so_and_goes_on_when_it_is_done(
    ready: Installation,
) -> None:
    stamp = ready.stamp.read_text(encoding="utf-8")
    ready.stamp.write_text(json.dumps(json.loads(stamp) | {"complete": False}), encoding="utf-8")
    with (ready.venv / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with ready.start("server.py") as process:
            assert process.stderr is not None
            assert process.stderr.readline().startswith(WAITING)
            ready.stamp.write_text(stamp, encoding="utf-8")
            fcntl.flock(lock, fcntl.LOCK_UN)
            _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert err == ""


@pytest.mark.parametrize("retries", ["0", "1"])  # pip words it differently
def test_first_start_without_network_says_what_it_needs(fresh: Installation, retries: str) -> None:
    shutil.rmtree(fresh.wheels)
    done = fresh.run("server.py", environment=closed_index() | {"PIP_RETRIES": retries})
    assert_refused(done, "needs the internet once", "PIP_INDEX_URL", "wheels", str(fresh.venv / "setup.log"))
    assert "tiny" in fresh.log


def test_folder_of_wheels_brought_from_another_machine_replaces_the_network(
    fresh: Installation, tmp_path: Path
) -> None:
    index = fresh.wheels.rename(tmp_path / "index")
    environment = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)}
    fetched = subprocess.run(
        [PYTHON, "-m", "bootstrap", "download"],
        cwd=fresh.root,
        env=plain_environment() | environment,
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    assert "The folder wheels now serves" in fetched.stdout
    lab = install(tmp_path / "lab")
    shutil.rmtree(lab.wheels)
    shutil.copytree(fresh.wheels, lab.wheels)
    done = lab.run("server.py", environment=closed_index())
    assert done.returncode == 0, done.stderr


def test_first_start_in_a_folder_that_can_not_be_written_says_so(fresh: Installation) -> None:
    with read_only(fresh.root):
        done = fresh.run("server.py", prefix=without_rights())
    assert_refused(done, f"can't write in {fresh.root}", "Move or copy the whole Twocans folder")


def test_window_without_tkinter_is_refused_before_anything_is_installed(
    fresh: Installation, tmp_path: Path
) -> None:
    environment = without_module(tmp_path / "lacking", "tkinter", "_tkinter")
    assert_refused(fresh.run("client_gui.py", environment=environment), "needs tkinter")
    assert not fresh.venv.exists()
    assert fresh.run("server.py", environment=environment).returncode == 0


def test_window_is_refused_when_tkinter_was_removed_later(ready: Installation, tmp_path: Path) -> None:
    environment = without_module(tmp_path / "lacking", "tkinter", "_tkinter")
    assert_refused(ready.run("client_gui.py", environment=environment), "needs tkinter")
    assert ready.run("server.py", environment=environment).returncode == 0


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_python_without_the_parts_for_an_environment_is_refused(
    fresh: Installation, tmp_path: Path, module: str
) -> None:
    environment = without_module(tmp_path / "lacking", module)
    assert_refused(fresh.run("server.py", environment=environment), "venv, ensurepip")


def test_damaged_project_file_is_named(ready: Installation) -> None:
    for text in ("[project", "[project]\n", '[project]\ndependencies = "tiny"\n'):
        (ready.root / "pyproject.toml").write_text(text, encoding="utf-8")
        assert_refused(ready.run("server.py"), "pyproject.toml", "missing or damaged")


def test_file_in_the_place_of_the_environment_is_told(fresh: Installation) -> None:
    fresh.venv.touch()
    assert_refused(fresh.run("server.py"), str(fresh.venv))


CHILD = """
import sys
from bootstrap.handover import run_as_child
code = run_as_child([sys.executable, "-c", sys.argv[1]])
print("child ended with", code, flush=True)
sys.exit(code)
"""


def test_child_that_stands_in_for_the_program_passes_streams_ctrl_c_and_exit_code() -> None:
    """Windows can't replace a process, so there the program runs as a child."""
    program = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, lambda *_: sys.exit(int(sys.stdin.readline())))\n"
        "print('up', flush=True)\n"
        "signal.pause()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, program],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("17\n")
        process.stdin.flush()
        assert process.stdout.readline() == "up\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout.readline() == "child ended with 17\n"
        assert process.wait(timeout=60) == 17


def test_no_package_server_is_named_anywhere() -> None:
    for path in [
        *(REPOSITORY / "bootstrap").glob("*.py"),
        *REPOSITORY.glob("*.py"),
        *REPOSITORY.glob("*.bat"),
    ]:
        assert not re.search(
            r"https?://|pypi|pythonhosted", path.read_text(encoding="utf-8"), re.IGNORECASE
        ), path
