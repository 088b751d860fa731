"""A folder with the programs and a made-up package in place of theirs, so that a first start takes seconds.

Its requirements come from wheels that are made here; no package index is asked.
"""

import atexit
import functools
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAMS = ("server.py", "client_gui.py", "run_tests.py")

#: The interpreter behind the virtual environment that the tests run in.
PYTHON = str(getattr(sys, "_base_executable", sys.executable))

max_start_s = 100.0

_PROGRAM = """
import json, os, signal, sys
import tiny
try:
    import speedy
except ImportError:
    speedy = None
print(json.dumps({
    "module": __spec__.parent, "arguments": sys.argv[1:], "tiny": tiny.version, "pid": os.getpid(),
    "folder": sys.prefix, "speedy": speedy is not None, "searched": sys.path,
}), flush=True)
def end(signal_number, frame):
    os.write(1, b"interrupted\\n")  # the signal may come within print
    sys.exit(40 + signal_number)
if "--wait" in sys.argv or "--hang" in sys.argv:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end if "--wait" in sys.argv else lambda *_: None)
    print("waiting", flush=True)
    while True:
        signal.pause()
sys.exit(42 if "--fail" in sys.argv else 0)
"""


_COPY_PIP = """
import sys
if sys.argv[1:2] == ["venv"]:
    import pathlib, shutil, venv
    def copy_pip(self, context):
        packages = next(pathlib.Path(context.env_dir).glob("lib/python*/site-packages"))
        shutil.copytree({source!r}, packages, dirs_exist_ok=True)
    venv.EnvBuilder._setup_pip = copy_pip
"""


@functools.cache
def quick_python() -> str:
    """Return a Python that makes environments as `PYTHON` does, but copies pip into them, which saves three seconds each."""
    folder = Path(tempfile.mkdtemp(prefix="twocans-python-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", folder / "python"], check=True)
    here = Path(sysconfig.get_path("purelib"))
    for package in (here / "pip", *here.glob("pip-*.dist-info")):
        shutil.copytree(package, folder / "pip" / package.name)
    packages = next((folder / "python").glob("lib/python*/site-packages"))
    code = _COPY_PIP.format(source=str(folder / "pip"))
    (packages / "sitecustomize.py").write_text(code, encoding="utf-8")
    return str(folder / "python" / "bin" / "python")


class Installation:
    """The folder of the programs, and ways to start them as a user does."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.venv = root / ".venv"
        self.wheels = root / "wheels"

    @property
    def log(self) -> str:
        return (self.venv / "setup.log").read_text(encoding="utf-8")

    @property
    def stamp(self) -> Path:
        return self.venv / "twocans.json"

    def require(self, *needed: str, fast: Sequence[str] = ("speedy",)) -> None:
        """Write pyproject.toml."""
        lines = [
            "[project]",
            f"dependencies = {json.dumps(needed)}",
            "[project.optional-dependencies]",
            f"fast = {json.dumps(fast)}",
            "[dependency-groups]",
            "dev = []",
        ]
        (self.root / "pyproject.toml").write_text("\n".join(lines), encoding="utf-8")

    def start(
        self,
        program: str,
        *arguments: str,
        python: str | None = None,
        environment: dict[str, str] | None = None,
        options: Sequence[str] = (),
        prefix: Sequence[str] = (),
        new_group: bool = False,
    ) -> subprocess.Popen[str]:
        """Start a program from another folder than its own.

        Args:
            program: its file.
            arguments: its own.
            python: the interpreter; one that makes environments quickly, if not given.
            environment: variables besides those of `plain_environment`.
            options: the interpreter's, and modules that run the program, such as `-m pdb`.
            prefix: a command that runs it all.
            new_group: whether it leads a process group of its own.
        """
        return subprocess.Popen(
            [*prefix, python or quick_python(), *options, str(self.root / program), *arguments],
            cwd="/",
            env=plain_environment() | (environment or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=new_group,
        )

    def run(
        self,
        program: str,
        *arguments: str,
        python: str | None = None,
        environment: dict[str, str] | None = None,
        options: Sequence[str] = (),
        prefix: Sequence[str] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end; the arguments are those of `start`."""
        process = self.start(
            program, *arguments, python=python, environment=environment, options=options, prefix=prefix
        )
        with process:
            out, err = process.communicate(timeout=max_start_s)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def copy(self, root: Path) -> "Installation":
        """Copy the folder, set up or not, to another place."""
        shutil.copytree(self.root, root, symlinks=True)
        return Installation(root)


def install(root: Path) -> Installation:
    """Make the folder: the programs as they are, and a package `twocans` that only tells how it was started."""
    root.mkdir(parents=True)
    copy_starters(root)
    for name in ("server", "gui"):
        package = root / "src" / "twocans" / name
        package.mkdir(parents=True)
        (package / "__main__.py").write_text(_PROGRAM, encoding="utf-8")
    installation = Installation(root)
    installation.require("tiny>=1")
    installation.wheels.mkdir()
    make_wheel(installation.wheels, "tiny", "1.0")
    make_wheel(installation.wheels, "speedy", "1.0")
    return installation


def copy_starters(root: Path) -> None:
    """Copy what starts the programs."""
    shutil.copytree(
        REPOSITORY / "bootstrap", root / "bootstrap", ignore=shutil.ignore_patterns("__pycache__")
    )
    for program in PROGRAMS:
        shutil.copy(REPOSITORY / program, root)


def make_wheel(
    folder: Path, name: str, version: str, *, code: str = "", needs: str = "", lists: str = ""
) -> None:
    """Write a wheel of a package that has its version in it.

    Args:
        folder: where the wheel goes.
        name, version: the package's.
        code: what else is in its module.
        needs: another package that it needs.
        lists: a file that it names as its own and does not have.
    """
    info = f"{name}-{version}.dist-info"
    requires = f"Requires-Dist: {needs}\n" if needs else ""
    listed = (
        f"{name}.py",
        f"{info}/METADATA",
        f"{info}/WHEEL",
        f"{info}/RECORD",
        *([lists] if lists else []),
    )
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"version = {version!r}\n{code}\n")
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}"
        )
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "".join(f"{file},,\n" for file in listed))


def plain_environment() -> dict[str, str]:
    """The environment less what this machine and the run of the tests add to it."""
    dropped = ("PIP_", "PYTHON", "PYTEST_", "VIRTUAL_ENV", "COV_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return kept | {"PIP_CONFIG_FILE": os.devnull}


def without_module(folder: Path, *modules: str) -> dict[str, str]:
    """Return environment variables under which a Python lacks these modules."""
    folder.mkdir()
    lines = ["import sys", *(f"sys.modules[{module!r}] = None" for module in modules)]
    (folder / "sitecustomize.py").write_text("\n".join(lines), encoding="utf-8")
    return {"PYTHONPATH": str(folder)}


def assert_refused(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    """The program ended with exit code 1 and a sentence that has these parts."""
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for part in parts:
        assert part in done.stderr
    assert done.stdout == ""
