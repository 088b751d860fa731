"""The programs started from development environments and debuggers, whose process must not be replaced."""

import json
from pathlib import Path

import psutil
import pytest

from tests.support.idle import Idle
from tests.support.installation import PYTHON, Installation, max_start_s, plain_environment

pytestmark = pytest.mark.timeout(300)


def test_idle_shows_the_output_of_a_program_and_has_its_prompt_back_when_it_ends(fresh: Installation) -> None:
    with Idle(PYTHON, plain_environment()) as idle:
        idle.run(fresh.root / "server.py", "--port", "7", "ü b")
        idle.wait()
        told = json.loads(idle.text())
        assert told["module"] == "twocans.server"
        assert told["arguments"] == ["--port", "7", "ü b"]
        assert told["folder"] == str(fresh.venv)
        assert "Setting up Twocans for its first start" in idle.text("stderr")
        assert "Traceback" not in idle.text("stderr")


def test_ctrl_c_in_idle_ends_the_program_as_in_a_terminal(ready: Installation) -> None:
    with Idle(PYTHON, plain_environment()) as idle:
        idle.run(ready.root / "server.py", "--wait")
        idle.wait_for("waiting\n")
        idle.interrupt()
        idle.wait()
        assert "interrupted" in idle.text()
        assert "Traceback" not in idle.text("stderr")


@pytest.mark.parametrize("stops", [True, False])
def test_program_ends_with_the_shell_of_idle(ready: Installation, stops: bool) -> None:
    """Also one that does not end by itself when it is asked to."""
    with Idle(PYTHON, plain_environment()) as idle:
        idle.run(ready.root / "server.py", "--wait" if stops else "--hang")
        idle.wait_for("waiting\n")
        program = psutil.Process(json.loads(idle.text().splitlines()[0])["pid"])
        idle.end()
        program.wait(max_start_s)


DEBUGGER = """
import os, runpy, sys
{setting}
program = sys.argv[1]
sys.argv = sys.argv[1:]
try:
    runpy.run_path(program, run_name="__main__")
except SystemExit as end:
    print("ended with", end.code, "in", os.getpid(), flush=True)
"""
TRACING = "sys.settrace(lambda *_: None)"
VSCODE = "import types; sys.modules['debugpy'] = types.ModuleType('debugpy')"
# Redirects the output too.
PYCHARM = """
import types; sys.modules['pydevd'] = types.ModuleType('pydevd')
class Redirected:
    def __init__(self, stream): self.stream = stream
    def __getattr__(self, name): return getattr(self.stream, name)
sys.stdout = Redirected(sys.stdout)
"""


def debugged(tmp_path: Path, setting: str) -> list[str]:
    """Options of Python with which it runs a program as a debugger does."""
    script = tmp_path / "debugger.py"
    script.write_text(DEBUGGER.format(setting=setting), encoding="utf-8")
    return [str(script)]


@pytest.mark.parametrize("setting", [TRACING, VSCODE, PYCHARM], ids=["tracing", "VS Code", "PyCharm"])
def test_debugger_outlives_the_program_and_its_exit_code_is_seen(
    ready: Installation, tmp_path: Path, setting: str
) -> None:
    done = ready.run("server.py", "--fail", options=debugged(tmp_path, setting))
    told, ended = done.stdout.splitlines()
    assert json.loads(told)["folder"] == str(ready.venv)
    assert ended.startswith("ended with 42 in ")
    assert done.stderr == ""


@pytest.mark.parametrize("setting", [TRACING, VSCODE, PYCHARM], ids=["tracing", "VS Code", "PyCharm"])
def test_debugger_that_runs_the_python_of_the_environment_has_the_program_in_its_own_process(
    ready: Installation, tmp_path: Path, setting: str
) -> None:
    options = debugged(tmp_path, setting)
    done = ready.run("server.py", "--fail", "x", options=options, python=str(ready.venv / "bin/python"))
    told, ended = done.stdout.splitlines()
    assert json.loads(told)["arguments"] == ["--fail", "x"]
    assert ended == f"ended with 42 in {json.loads(told)['pid']}"


def test_program_does_not_outlive_its_debugger(ready: Installation, tmp_path: Path) -> None:
    with ready.start("server.py", "--wait", options=debugged(tmp_path, TRACING)) as debugger:
        assert debugger.stdout is not None
        program = psutil.Process(json.loads(debugger.stdout.readline())["pid"])
        assert debugger.stdout.readline() == "waiting\n"
        debugger.kill()
        program.wait(max_start_s)


def test_python_debugger_and_interactive_mode_have_their_prompt_back(ready: Installation) -> None:
    for options in (["-m", "pdb", "-c", "continue"], ["-i"]):
        with ready.start("server.py", "--fail", options=options) as process:
            out, err = process.communicate("print('prompt', 'is back')\n", timeout=max_start_s)
        assert '"module": "twocans.server"' in out, err
        assert "prompt is back" in out


def test_breakpoint_in_the_program_holds(ready: Installation) -> None:
    program = ready.root / "src/twocans/server/__main__.py"
    line = program.read_text(encoding="utf-8").splitlines().index("import tiny") + 1
    options = ["-m", "pdb", "-c", f"break {program}:{line}", "-c", "continue"]
    done = ready.run("server.py", options=options, python=str(ready.venv / "bin/python"))
    assert f"> {program}({line})<module>()" in done.stdout
