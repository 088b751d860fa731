"""Every test of the contract runs against both ways of serving connections, in the clear and over TLS, and
against both storages."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest

from tests.support.process import ServerProcess
from tests.support.serving import Serving, serve
from tests.support.tls import client_context
from twocans.hub.limits import Limits
from twocans.server.settings.config import Concurrency, HistoryMode, TlsMode


class Start(Protocol):
    """Starts a server; it is stopped at the end of the test."""

    def __call__(self, limits: Limits | None = None, *, history: HistoryMode = HistoryMode.ON) -> Serving:
        """Start one."""
        ...


@pytest.fixture(params=list(Concurrency), ids=lambda mode: mode.value)
def concurrency(request: pytest.FixtureRequest) -> Concurrency:
    """Both ways of serving connections."""
    mode = request.param
    assert isinstance(mode, Concurrency)
    return mode


class Setup(NamedTuple):
    """One way to run a server."""

    concurrency: Concurrency
    on_disk: bool = False
    tls: ssl.SSLContext | None = None
    """How the peers encrypt."""


SETUPS = {
    "async": Setup(Concurrency.ASYNC),
    "thread": Setup(Concurrency.THREAD),
    "disk": Setup(Concurrency.ASYNC, on_disk=True),
    "async-tls": Setup(Concurrency.ASYNC, tls=client_context(ssl.TLSVersion.TLSv1_3)),
    "thread-tls": Setup(Concurrency.THREAD, tls=client_context(ssl.TLSVersion.TLSv1_2)),
}


@pytest.fixture(params=SETUPS)
def setup(request: pytest.FixtureRequest) -> Setup:
    """Both ways of serving connections, in the clear and over TLS, and the storage that lasts."""
    return SETUPS[request.param]


def serve_as(
    setup: Setup,
    data: Path | None,
    *,
    limits: Limits | None = None,
    history: HistoryMode = HistoryMode.ON,
) -> AbstractContextManager[Serving]:
    """Serve in one way of `SETUPS`; files can only be where there is a folder, `data`."""
    return serve(
        concurrency=setup.concurrency,
        history=history,
        limits=limits,
        data=data,
        # So that no peer gets by without the encryption that it is meant to have.
        mode=TlsMode.OFFERED if setup.tls is None else TlsMode.REQUIRED,
        tls=setup.tls,
    )


@pytest.fixture
def start(setup: Setup, tmp_path: Path) -> Iterator[Start]:
    """Starts servers with limits of the test's own, all on the same folder."""
    with ExitStack() as servers:

        def start_one(limits: Limits | None = None, *, history: HistoryMode = HistoryMode.ON) -> Serving:
            data = tmp_path if setup.on_disk else None
            return servers.enter_context(serve_as(setup, data, limits=limits, history=history))

        yield start_one


@pytest.fixture
def server(start: Start) -> Serving:
    """A server as it is out of the box."""
    return start()


@pytest.fixture
def process(concurrency: Concurrency) -> Iterator[ServerProcess]:
    """A server in a process of its own, whose memory, threads and descriptors are its own."""
    with ServerProcess("--concurrency", concurrency.value, "--rate-limit", "0") as server:
        yield server
