"""Starting, running and stopping a server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final

from twocans.hub.hub import EventLog, Hub, HubEnvironment
from twocans.hub.session import Reason
from twocans.protocol.announcement import Announcement
from twocans.protocol.keys import ServerKey
from twocans.protocol.local_control import Why
from twocans.server.discovery.announcer import Announcer, announced_addresses, server_name
from twocans.server.http.server import HttpServer
from twocans.server.identity.certificate import (
    CertificateError,
    Identity,
    given_identity,
    own_identity,
    passing_identity,
)
from twocans.server.identity.passwords import Argon2Passwords
from twocans.server.identity.permissions import describe_storage_error
from twocans.server.maintenance.orphans import Sweeping
from twocans.server.maintenance.retention import Retention
from twocans.server.operator.log_throttle import ThrottledLog
from twocans.server.settings.config import Concurrency, Config, HistoryMode, TlsMode
from twocans.server.transports.connection_limiter import ConnectionLimiter
from twocans.server.transports.event_loop import Acceptor, AsyncAcceptor
from twocans.server.transports.sockets import ListenError, listen
from twocans.server.transports.threads import ThreadAcceptor
from twocans.server.warm_up import warm_up
from twocans.storage.base import Storage
from twocans.storage.contents import FILES_FOLDER, Contents
from twocans.storage.identities import Identities, MemoryIdentities
from twocans.storage.memory import MemoryStorage
from twocans.storage.sqlite import Durability, FolderInUse, SqliteStorage, StorageError
from twocans.storage.sqlite.schema import MIGRATIONS
from twocans.storage.transient import TransientStorage

RESERVED_DESCRIPTORS: Final = 64
"""How many descriptors no connection gets: files that are sent, logs and the database need some."""
STOPPING: str = "The server is stopping. Your client can connect again when it is back."


class StartError(Exception):
    """The server cannot start; the sentence says why and what to do, `why` the same for programs."""

    def __init__(self, text: str, *, why: Why = Why.OTHER) -> None:
        super().__init__(text)
        self.why = why


def _silent(event: str, /, **fields: object) -> None:
    """Log nothing."""


class Server:
    """A chat server. Create and use it on a running event loop.

    Args:
        config: what to serve, and how.
        log: is told what happens.
    """

    def __init__(self, config: Config, *, log: EventLog = _silent) -> None:
        self._config = config
        self._log = log
        self._listener: socket.socket | None = None
        self._acceptor: Acceptor | None = None
        self._kept: SqliteStorage | None = None
        self._identities: Identities = MemoryIdentities()
        self._retention: Retention | None = None
        self._sweeping: Sweeping | None = None
        self._hub: Hub | None = None
        self._key: ServerKey | None = None
        self._announcer: Announcer | None = None
        self._stopped = False

    @property
    def port(self) -> int:
        """The TCP port that is listened on."""
        if self._listener is None:
            raise RuntimeError("the server has not been started")
        return self._port

    @property
    def key(self) -> ServerKey:
        """What clients know this server by."""
        if self._key is None:
            raise RuntimeError("the server has not been started")
        return self._key

    @property
    def hub(self) -> Hub:
        """The hub of the running server; only to be used on its event loop."""
        if self._hub is None:
            raise RuntimeError("the server has not been started")
        return self._hub

    async def start(self) -> None:
        """Listen.

        Raises:
            StartError: it cannot; the sentence says why.
        """
        config = self._config
        try:
            self._listener = listen(config.host, config.port)
        except ListenError as error:
            raise StartError(str(error), why=Why.PORT_TAKEN if error.taken else Why.OTHER) from None
        self._port = int(self._listener.getsockname()[1])
        loop = asyncio.get_running_loop()
        try:
            self._open_storage(loop)
            identity = self._identify()
        except (StorageError, CertificateError) as error:
            self._listener.close()
            if self._kept is not None:
                self._kept.close()
            why = Why.FOLDER_IN_USE if isinstance(error, FolderInUse) else Why.OTHER
            raise StartError(str(error), why=why) from None
        warm_up()
        self._key = identity.key
        self._passwords = Argon2Passwords(loop.call_soon_threadsafe)
        self._throttled_log = ThrottledLog(self._log, timers=loop)
        self._hub = Hub(
            self._storage,
            self._identities,
            name=socket.gethostname(),
            limits=config.limits,
            keeps_history=config.history is HistoryMode.ON,
            invite=config.invite,
            passwords=self._passwords,
            environment=HubEnvironment(
                monotonic_s=loop.time,
                wall_ns=time.time_ns,
                call_later=loop.call_later,
                log=self._throttled_log,
            ),
            files=None if self._kept is None else self._kept.files,
        )
        self._http = HttpServer(
            self._hub,
            None if self._kept is None else self._kept.files,
            tls=config.tls,
            log=self._throttled_log,
        )
        make = ThreadAcceptor if config.concurrency is Concurrency.THREAD else AsyncAcceptor
        self._acceptor = make(
            self._hub,
            connection_limiter=ConnectionLimiter(
                config.limits,
                allow=config.allow,
                deny=config.deny,
                banned=lambda host: self.hub.bans.of_address(host) is not None,
                monotonic_s=loop.time,
                log=self._throttled_log,
                max_descriptors=descriptors_for_connections(),
            ),
            log=self._log,
            context=identity.context,
            http=self._http,
            tls=config.tls,
        )
        self._hub.access.on_ban(self._acceptor.end_shut_out)
        await self._acceptor.start(self._listener)
        if config.keep_days is not None and self._kept is not None:
            self._retention = Retention(
                self._kept,
                keep_days=config.keep_days,
                wall_ms=_wall_ms,
                call_later=loop.call_later,
                log=self._log,
            )
            self._retention.start()
        if self._kept is not None and self._kept.files is not None:
            self._sweeping = Sweeping(self._kept.files, call_later=loop.call_later, log=self._log)
        if config.announce:
            self._announcer = Announcer(
                port=self._port,
                addresses=lambda: announced_addresses(config.host),
                announcement=self._announcement,
                log=self._log,
            )
            self._announcer.start()

    def _announcement(self) -> Announcement:
        return Announcement(
            name=server_name(socket.gethostname()),
            key=self.key,
            invite=self._config.invite is not None,
            tls_required=self._config.tls is TlsMode.REQUIRED,
            online=len(self.hub.roster),
        )

    def _identify(self) -> Identity:
        config = self._config
        if config.cert is not None and config.key is not None:
            return given_identity(config.cert, config.key, log=self._log)
        if config.cert is not None or config.key is not None:
            raise CertificateError("A certificate and its key go together: give both --cert and --key")
        if config.data is None:
            return passing_identity(log=self._log)
        return own_identity(config.data, log=self._log)

    def _open_storage(self, loop: asyncio.AbstractEventLoop) -> None:
        config = self._config
        if config.data is not None:
            # Without history no message and no file comes into it, but names and bans are kept.
            folder, contents = config.data, None
            if config.history is HistoryMode.ON and config.limits.max_file_bytes:
                contents = _open_contents(config.data, config)
            self._kept = SqliteStorage(
                config.data,
                durability=config.durability,
                post=loop.call_soon_threadsafe,
                at_end_of_turn=loop.call_soon,
                on_error=lambda error: self._throttled_log(
                    "storage_error", error=describe_storage_error(error, folder)
                ),
                on_upgraded=lambda before: self._log("database_upgraded", before=before, now=len(MIGRATIONS)),
                contents=contents,
            )
            self._identities = self._kept.identities
        self._storage: Storage
        if config.history is HistoryMode.OFF:
            self._storage = TransientStorage(
                log=uuid.uuid4().hex, max_messages=config.limits.transient_messages
            )
        elif self._kept is not None:
            self._storage = self._kept
        else:
            self._storage = MemoryStorage(
                log=uuid.uuid4().hex,
                max_messages=config.limits.memory_messages,
                max_bytes=config.limits.memory_bytes,
            )

    async def stop(self) -> None:
        """Tell every client, and close; nothing happens if that is done already."""
        if self._acceptor is None or self._stopped:
            return
        self._stopped = True
        loop = asyncio.get_running_loop()
        for part in self._parts_to_stop(self._acceptor):
            try:
                stopping = part()
                if stopping is not None:
                    await stopping
            except Exception as error:  # noqa: BLE001 - the root of each part's end: the others end all the same
                loop.call_exception_handler({"message": "a part did not stop well", "exception": error})
        self._log("server_stopped")

    def _parts_to_stop(self, acceptor: Acceptor) -> Iterator[Callable[[], Awaitable[None] | None]]:
        """What stops the parts of the server, in this order."""
        if self._announcer is not None:
            yield self._announcer.stop
        yield self.hub.roster.fall_silent
        yield lambda: acceptor.stop(Reason.SERVER_STOPPING, STOPPING)
        yield self._http.stop
        if self._retention is not None:
            yield self._retention.stop
        if self._sweeping is not None:
            yield self._sweeping.stop
        yield self._passwords.close
        if self._kept is not None:
            yield self._kept.close
        yield self._throttled_log.tell_rest


def _open_contents(data: Path, config: Config) -> Contents:
    try:
        return Contents(
            data / FILES_FOLDER,
            max_bytes=config.limits.max_storage_bytes,
            durable=config.durability is Durability.POWER,
        )
    except OSError as error:
        raise StorageError(
            f"The folder {data / FILES_FOLDER} cannot be used ({os.strerror(error.errno or 0)}). "
            "Choose another with --data DIR"
        ) from None


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def loop_factory(concurrency: Concurrency) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The fastest event loop there is; None for asyncio's own."""
    if sys.platform == "win32":
        # Threads' sockets are written to by the loop, which the proactor cannot.
        return asyncio.SelectorEventLoop if concurrency is Concurrency.THREAD else None
    with contextlib.suppress(ImportError):
        import uvloop

        return uvloop.new_event_loop
    return None


def descriptors_for_connections() -> int | None:
    """How many connections may be open beside what is open now, so that some descriptors are left for files.

    Returns:
        None if there is no limit, or none that can be known.
    """
    if sys.platform == "win32":
        return None
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return None
    try:
        room = limit - len(list(Path("/dev/fd").iterdir()))
    except OSError:
        return None
    return max(1, room - min(RESERVED_DESCRIPTORS, room // 4))


def raise_descriptor_limit() -> None:
    """Let this process have as many connections as the system permits without asking anybody."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        if soft != hard:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
