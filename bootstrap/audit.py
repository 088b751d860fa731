"""Asks a public service whether the installed packages have known flaws: `python -m bootstrap.audit`.

A step of the tests. It ends with 0 if the packages have none, with 1 if they have, and with `NOT_RUN` where the service
can't be asked, which says nothing of them.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bootstrap.start import ROOT

#: The exit code for it; the last line of the output says why.
NOT_RUN = 77
#: The service gets so long for each answer, and for all of them together.
answer_s, all_answers_s = 5, 120

#: They come with the Python that made `.venv`, in a version that is not ours to choose, and no program of ours loads them.
_FROM_PYTHON = frozenset({"pip", "setuptools"})
_NO_ANSWER = re.compile(
    r"^(?:requests\.exceptions\.|pip_audit\._service\.interface\.)\w+(?=:|$)|Could not connect to", re.M
)
_CAUSES = re.compile(
    r"Failed to resolve '[^']+'|Connection refused|[Nn]etwork is unreachable|CERTIFICATE_VERIFY_FAILED"
    r"|timed out|\d{3} (?:Client|Server) Error|JSONDecodeError|Unable to connect to proxy"
)


class Flaw(NamedTuple):
    """A known flaw of an installed package; `fixed_in` are the versions without it, if there are any."""

    package: str
    version: str
    id: str
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        remedy = f"fixed in {', '.join(self.fixed_in)}" if self.fixed_in else "not fixed yet"
        return f"{self.package} {self.version}: {self.id}, {remedy}"


def main(arguments: Sequence[str]) -> int:
    """Audit the environment that runs this; `arguments` may name another service than that of OSV. Returns the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip_audit", "--local", "--progress-spinner=off", "--desc=off"]
        command += ["--format=json", f"--output={report}", f"--cache-dir={folder}", f"--timeout={answer_s}"]
        # The package index could be asked too, but takes a package that it does not know for one without flaws.
        command += ["--vulnerability-service=osv", *(f"--osv-url={url}" for url in arguments)]
        try:
            done = subprocess.run(
                command,
                check=False,
                cwd=ROOT,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=all_answers_s,
            )
        except subprocess.TimeoutExpired:
            return _not_run(f"the service has not given all answers within {all_answers_s} s")
        if report.exists():
            return _judge(json.loads(report.read_text(encoding="utf-8")))
    if _NO_ANSWER.search(done.stderr):
        cause = _CAUSES.findall(done.stderr)
        return _not_run(f"no answer from the service ({cause[-1] if cause else 'the connection broke'})")
    print(f"pip-audit has failed:\n{done.stdout}{done.stderr}")
    return 1


def _not_run(why: str) -> int:
    print(why)
    return NOT_RUN


def _judge(report: dict[str, list[dict[str, object]]]) -> int:
    packages = [package for package in report["dependencies"] if "vulns" in package]
    if not packages:
        return _not_run("no package has a version that can be asked for")
    flaws = list(_flaws(packages))
    ours = [flaw for flaw in flaws if flaw.package not in _FROM_PYTHON]
    for flaw in flaws:
        print(flaw if flaw in ours else f"{flaw} (not counted: it comes with Python)")
    print(f"{len(packages)} packages, {len(ours)} known flaw{'' if len(ours) == 1 else 's'}")
    return 1 if ours else 0


def _flaws(packages: Sequence[dict[str, object]]) -> Iterator[Flaw]:
    for package in packages:
        vulnerabilities = package["vulns"]
        if isinstance(vulnerabilities, list):
            for one in vulnerabilities:
                fixed_in = tuple(map(str, one["fix_versions"]))
                yield Flaw(str(package["name"]), str(package["version"]), str(one["id"]), fixed_in)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
