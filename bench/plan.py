"""What is measured, as data: the loads, the servers that get them, and the columns that the tables show."""

from __future__ import annotations

from typing import Final

import msgspec

from bench.figures import Better

_MS: Final = 1e-3
_KIB: Final = 1 / 1024
_MB: Final = 1e-6


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What the load generator does; see `chatload --help`.

    Attributes:
        window: messages under way for each client; for `pairs` and `mesh`.
        rate_per_s: messages per second in all, on a fixed schedule, instead of `window`.
        at_once: for `churn`, how many come and go at a time.
        longer: how many times as long as other loads it is measured.
    """

    workload: str
    clients: int
    window: int = 0
    rate_per_s: int = 0
    payload_bytes: int = 64
    at_once: int = 0
    longer: int = 1


def _churn(clients: int, at_once: int) -> Load:
    # InspIRCd's timer of a second asks for several seconds.
    return Load(workload="churn", clients=clients, at_once=at_once, longer=2)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One load.

    Attributes:
        x: its place on the horizontal axis of a curve.
        without: subjects of the measurement that this load is not for.
    """

    name: str
    load: Load
    x: float = 0
    without: tuple[str, ...] = ()


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One figure in a table.

    Attributes:
        scale: what it is multiplied by to be in the unit that the heading names.
        better: which way it is good; None if it is not compared.
        rate: whether it says nothing of the server when the load generator was the limit.
    """

    figure: str
    heading: str
    digits: int = 0
    scale: float = 1
    better: Better | None = None
    rate: bool = False


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One named entry of the plan.

    Attributes:
        about: what the table shows, in a sentence.
        cases: its loads; empty if it is not the load generator that measures it.
        subjects: names of the servers.
        x_axis: for curves: the name of what changes from case to case.
        across: compare with the best yardstick of all cases, not of the same case.
    """

    name: str
    title: str
    about: str
    columns: tuple[Column, ...]
    cases: tuple[Case, ...] = ()
    subjects: tuple[str, ...] = ()
    x_axis: str = ""
    across: bool = False


_CPU: Final = Column(
    figure="server_cpu_us_per_unit", heading="server CPU, µs a message", digits=2, better=Better.LOWER
)
_PER_S: Final = Column(figure="per_s", heading="messages/s", better=Better.HIGHER, rate=True)
_P99: Final = Column(figure="latency_us_p99", heading="p99, ms", digits=2, scale=_MS, better=Better.LOWER)
_TIMES: Final = (
    Column(figure="median_ms", heading="median, ms", digits=2),
    Column(figure="p95_ms", heading="95 %, ms", digits=2),
    Column(figure="worst_ms", heading="worst, ms", digits=2),
)
_PEERS: Final = ("ngircd", "inspircd", "nats")
_ABOVE_IRC: Final = ("ngircd", "inspircd")


def _sizes() -> tuple[Case, ...]:
    return tuple(
        Case(
            name=f"{size} B" if size < 1024 else f"{size // 1024} KiB",
            load=Load(workload="mesh", clients=100, window=8, payload_bytes=size),
            x=size,
            # IRC has lines of at most 512 bytes.
            without=_ABOVE_IRC if size > 256 else (),
        )
        for size in (16, 64, 256, 1024, 4096, 16384)
    )


def _clients() -> tuple[Case, ...]:
    """Windows such that much the same number of messages is under way from 100 clients on."""
    return tuple(
        Case(
            name=f"{clients:,}",
            # With 10,000 clients a message is half a second on its way.
            load=Load(workload="mesh", clients=clients, window=window, longer=2 if clients == 10_000 else 1),
            x=clients,
        )
        for clients, window in ((10, 32), (100, 32), (1000, 32), (10_000, 4))
    )


PLAN: Final = {
    entry.name: entry
    for entry in (
        Measurement(
            name="core",
            title="Messages",
            about="100 clients, 64-byte texts. Pairs with one message under way for each client are a conversation;"
            " 32 under way between random clients are a stream.",
            columns=(_PER_S, _CPU, _P99),
            cases=(
                Case(
                    name="pairs, 1 under way",
                    load=Load(workload="pairs", clients=100, window=1),
                ),
                Case(
                    name="random recipients, 32 under way",
                    load=Load(workload="mesh", clients=100, window=32),
                ),
            ),
            subjects=("plain", "json", "thread", "process", "process-plain", "power", *_PEERS),
        ),
        Measurement(
            name="latency",
            title="Latency at a fixed rate",
            about="1,000 clients in pairs send on a schedule; a message that waits for the server counts from the moment"
            " at which it was due.",
            columns=(
                Column(figure="latency_us_p50", heading="p50, ms", digits=2, scale=_MS, better=Better.LOWER),
                _P99,
                Column(figure="ack_us_p99", heading="p99 of ACK, ms", digits=2, scale=_MS),
                Column(figure="undelivered", heading="late by more than 2 s"),
                Column(figure="server_cpu_percent", heading="server CPU, %"),
            ),
            cases=tuple(
                Case(name=f"{rate:,} messages/s", load=Load(workload="pairs", clients=1000, rate_per_s=rate))
                for rate in (10_000, 50_000)
            ),
            subjects=("plain", "json", "process", *_PEERS),
        ),
        Measurement(
            name="idle",
            title="Idle connections",
            about="10,000 clients register and stay silent. A plain client counts as there when it has its LIST.",
            columns=(
                Column(
                    figure="server_bytes_per_connection",
                    heading="KiB a connection",
                    digits=1,
                    scale=_KIB,
                    better=Better.LOWER,
                ),
                Column(figure="connect_s", heading="all registered, s", digits=1, better=Better.LOWER),
                Column(figure="connect_server_cpu_s", heading="CPU for that, s", digits=1),
                Column(figure="server_cpu_percent", heading="CPU while idle, %", digits=1),
            ),
            cases=(Case(name="10,000", load=Load(workload="idle", clients=10_000)),),
            subjects=("plain", "json", *_PEERS),
        ),
        Measurement(
            name="churn",
            title="Coming and going",
            about="Beside 1,000 clients that stay and are told, others register and leave, over and over. InspIRCd is"
            " given 1,000 at a time because it registers on a timer of one second; ratios are to the best of all.",
            columns=(
                Column(figure="joins_per_s", heading="joins/s", better=Better.HIGHER, rate=True),
                Column(
                    figure="server_cpu_us_per_unit",
                    heading="server CPU, ms a join",
                    digits=2,
                    scale=_MS,
                    better=Better.LOWER,
                ),
                Column(figure="join_us_p99", heading="p99, ms", digits=1, scale=_MS),
            ),
            cases=(
                Case(
                    name="8 at a time",
                    load=_churn(1000, 8),
                    without=("inspircd",),
                ),
                Case(
                    name="64 at a time",
                    load=_churn(1000, 64),
                    without=("inspircd", "ngircd"),
                ),
                Case(
                    name="1,000 at a time",
                    load=_churn(1000, 1000),
                    without=("plain", "json", "ngircd"),
                ),
            ),
            subjects=("plain", "json", "ngircd", "inspircd"),
            across=True,
        ),
        Measurement(
            name="clients",
            title="Cost against the number of clients",
            about="Random recipients, 64-byte texts, 32 messages under way for each client; 4 with 10,000 clients, which"
            " are 40,000 in all as against 32,000 with 1,000.",
            columns=(_CPU, _PER_S),
            cases=_clients(),
            subjects=("plain", "json", "process", "ngircd", "inspircd"),
            x_axis="clients",
        ),
        Measurement(
            name="sizes",
            title="Cost against the size of the text",
            about="100 clients, random recipients, 8 messages under way for each. IRC ends at 512 bytes a line.",
            columns=(_CPU, _PER_S),
            cases=_sizes(),
            subjects=("plain", "json", "ngircd", "inspircd"),
            x_axis="bytes of text",
        ),
        Measurement(
            name="presence",
            title="What presence costs",
            about="8 clients at a time come and go beside those who stay: what these are sent (LIST in plain, JOINED and"
            " LEFT in JSON), all of them together.",
            columns=(
                Column(figure="resident_bytes_per_s", heading="MB/s", digits=2, scale=_MB),
                Column(figure="joins_per_s", heading="joins/s"),
                Column(figure="server_cpu_us_per_unit", heading="server CPU, ms a join", digits=2, scale=_MS),
                Column(figure="notices_per_s", heading="lines/s"),
                Column(figure="server_cpu_percent", heading="server CPU, %"),
            ),
            cases=tuple(Case(name=f"{count:,} online", load=_churn(count, 8)) for count in (1000, 10_000)),
            subjects=("plain", "json"),
        ),
        Measurement(
            name="lookback",
            title="Looking back in 1,000,000 messages",
            about="Asked over the wire, one question at a time. Half of all messages are Alice's, a thousand are Zoe's."
            " All were sent through the server first.",
            columns=(*_TIMES, Column(figure="found", heading="messages in the answer")),
        ),
        Measurement(
            name="encryption",
            title="What encryption costs",
            about="The plain dialect without history, 64-byte texts between ten pairs, in the clear and over TLS 1.3: the"
            " server's CPU time and memory for each.",
            columns=(
                Column(figure="us", heading="server CPU, µs", digits=2),
                Column(figure="kib", heading="memory, KiB", digits=1),
            ),
        ),
        Measurement(
            name="files",
            title="Files",
            about="200 MiB to and from the server, beside a copy over a socket with nothing in between, and what a message"
            " takes from one client to another meanwhile. The server hashes and keeps what comes.",
            columns=(
                Column(figure="mb_per_s", heading="MB/s"),
                Column(figure="of_copy", heading="of a copy", digits=2),
                Column(figure="delay_ms_p50", heading="a message, median, ms", digits=2),
                Column(figure="delay_ms_p99", heading="p99, ms", digits=2),
            ),
        ),
        Measurement(
            name="startup",
            title="Starting",
            about="From the command to the server's readiness, and to a client's window that stands drawn.",
            columns=_TIMES,
        ),
        Measurement(
            name="window",
            title="The window with 100,000 messages",
            about="Opening, scrolling and changing a conversation of 100,000 messages, until all is drawn.",
            columns=(*_TIMES, Column(figure="mib", heading="MiB", digits=1)),
        ),
    )
}
