"""Known flaws of the packages: told by name and remedy, and told apart from a service that can't be asked."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bootstrap import audit, checks
from bootstrap.start import ROOT

Answer = Callable[[str], tuple[int, bytes]]
"""What the service says of a package: the status and the body."""


@contextmanager
def service(answer: Answer) -> Iterator[str]:
    """A service for advisories on this machine; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, body = answer(asked["package"]["name"])
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1/query"
        finally:
            server.shutdown()
            thread.join()


def flaw(package: str, *, fixed: str) -> bytes:
    """What the service says of a package with a flaw."""
    events = [{"introduced": "0"}, {"fixed": fixed}] if fixed else [{"introduced": "0"}]
    affected = {
        "package": {"name": package, "ecosystem": "PyPI"},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    return json.dumps({"vulns": [{"id": "PYSEC-2026-1", "affected": [affected]}]}).encode()


def audited(url: str) -> tuple[int, list[str]]:
    """Run the step against a service: its exit code, and the lines that it says."""
    done = subprocess.run(
        [sys.executable, "-m", "bootstrap.audit", url],
        check=False,
        cwd=ROOT,
        env=os.environ | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
        capture_output=True,
        encoding="utf-8",
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout.splitlines()


def test_packages_without_known_flaws_pass() -> None:
    asked: list[str] = []

    def harmless(package: str) -> tuple[int, bytes]:
        asked.append(package)
        return 200, b"{}"

    with service(harmless) as url:
        code, lines = audited(url)
    assert code == 0
    assert lines == [f"{len(asked)} packages, 0 known flaws"]
    assert {"msgspec", "psutil", "pytest"} <= set(asked)


@pytest.mark.parametrize(("fixed", "remedy"), [("999.1", "fixed in 999.1"), ("", "not fixed yet")])
def test_flaw_fails_and_is_named_with_package_id_and_remedy(fixed: str, remedy: str) -> None:
    with service(lambda name: (200, flaw(name, fixed=fixed) if name == "msgspec" else b"{}")) as url:
        code, lines = audited(url)
    assert code == 1
    assert lines[0].startswith("msgspec ")
    assert lines[0].endswith(f": PYSEC-2026-1, {remedy}")
    assert lines[1].endswith(" packages, 1 known flaw")


def test_flaw_of_what_comes_with_python_is_told_and_fails_nothing() -> None:
    with service(lambda name: (200, flaw(name, fixed="999.1") if name == "pip" else b"{}")) as url:
        code, lines = audited(url)
    assert code == 0
    assert lines[0].startswith("pip ")
    assert lines[0].endswith("(not counted: it comes with Python)")


@pytest.mark.parametrize(
    ("answer", "why"),
    [((503, b"busy"), "503 Server Error"), ((200, b"<html>Log in first</html>"), "JSONDecodeError")],
)
def test_service_that_gives_no_answer_says_nothing_of_the_packages(
    answer: tuple[int, bytes], why: str
) -> None:
    with service(lambda _: answer) as url:
        code, lines = audited(url)
    assert code == audit.NOT_RUN
    assert lines == [f"no answer from the service ({why})"]


def test_service_that_is_not_there_says_nothing_of_the_packages() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/v1/query"
        code, lines = audited(url)
    assert code == audit.NOT_RUN
    assert lines[0].startswith("no answer from the service (")


def test_step_without_its_network_is_neither_good_nor_bad(capsys: pytest.CaptureFixture[str]) -> None:
    program = f"print('checking'); print('nobody answers'); raise SystemExit({audit.NOT_RUN})"
    step = checks.Step("Packages", [sys.executable, "-c", program], needs_network=True)
    result = checks._run(step, captured=True)
    assert checks._summarize([result]) == 0
    summary = capsys.readouterr().out.partition("=== Summary\n")[2]
    assert summary == "Packages      not run: nobody answers\n0 passed, 0 failed\n"


def test_step_that_needs_no_network_fails_by_any_code(capsys: pytest.CaptureFixture[str]) -> None:
    step = checks.Step("Lint", [sys.executable, "-c", f"raise SystemExit({audit.NOT_RUN})"])
    assert checks._summarize([checks._run(step, captured=True)]) == 1
    assert "FAILED" in capsys.readouterr().out


def test_step_that_finds_something_fails(capsys: pytest.CaptureFixture[str]) -> None:
    step = checks.Step("Packages", [sys.executable, "-c", "raise SystemExit(1)"], needs_network=True)
    assert checks._summarize([checks._run(step, captured=True)]) == 1
    assert "FAILED" in capsys.readouterr().out
