"""The plan makes sense: what it names exists, and every load is one that the server and the generator can take."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.figures import YARDSTICKS
from bench.load import arguments
from bench.plan import PLAN, Case, Load, Measurement
from bench.servers import Serving
from bench.subjects import SUBJECTS, Subject

IRC_TEXT_BYTES = 400
"""What is left of IRC's 512 bytes a line for the text, with room for the names."""

ENTRIES = [pytest.param(entry, id=name) for name, entry in PLAN.items()]
LOADS = [
    pytest.param(entry, case, id=f"{name}-{case.name}")
    for name, entry in PLAN.items()
    for case in entry.cases
]


@pytest.mark.parametrize("entry", ENTRIES)
def test_servers_exist_and_cases_differ_in_name(entry: Measurement) -> None:
    assert set(entry.subjects) <= SUBJECTS.keys()
    assert bool(entry.cases) == bool(entry.subjects)
    names = [case.name for case in entry.cases]
    assert len(set(names)) == len(names)
    for case in entry.cases:
        assert set(case.without) < set(entry.subjects), "nobody would be left"


@pytest.mark.parametrize("entry", ENTRIES)
def test_curves_go_upwards(entry: Measurement) -> None:
    places = [case.x for case in entry.cases]
    if entry.x_axis:
        assert places == sorted(set(places))
        assert places[0] > 0


@pytest.mark.parametrize(("entry", "case"), LOADS)
def test_load_is_one_that_the_generator_takes(entry: Measurement, case: Case) -> None:
    load = case.load
    exchange = load.workload in ("pairs", "mesh")
    assert exchange == bool(load.window or load.rate_per_s)
    assert not (load.window and load.rate_per_s)
    assert (load.workload == "churn") == bool(load.at_once)
    assert 16 <= load.payload_bytes <= 16384
    assert load.workload != "pairs" or load.clients % 2 == 0
    if load.payload_bytes > IRC_TEXT_BYTES:
        assert not set(YARDSTICKS) & (set(entry.subjects) - set(case.without))


def test_what_the_issue_asks_for_is_in_the_plan() -> None:
    assert {case.x for case in PLAN["clients"].cases} == {10, 100, 1000, 10_000}
    assert {case.x for case in PLAN["sizes"].cases} == {16, 64, 256, 1024, 4096, 16384}
    assert {case.load.clients for case in PLAN["presence"].cases} == {1000, 10_000}
    assert {case.load.rate_per_s for case in PLAN["latency"].cases} == {10_000, 50_000}
    assert [case.load.clients for case in PLAN["idle"].cases] == [10_000]


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=str)
def test_every_peer_has_a_configuration_with_a_place_for_the_port(subject: Subject) -> None:
    if subject.peer is None:
        assert subject.protocol in ("plain", "json")
        return
    [template] = (Path(__file__).parents[3] / "bench" / "peers").glob(f"{subject.name}.*")
    assert template.read_text(encoding="utf-8").count("@PORT@") == 1


def line_for(subject: str, load: Load) -> list[str]:
    """The command line of the load generator."""
    return arguments(load, SUBJECTS[subject], Serving(port=1, pid=2), seconds=1)


def option(line: list[str], name: str) -> str | None:
    """The value of an option, None if it is not there."""
    return line[line.index(name) + 1] if name in line else None


def test_peers_get_as_many_registrations_at_a_time_as_they_can_take() -> None:
    idle, pairs = Load(workload="idle", clients=10), Load(workload="pairs", clients=10, window=1)
    assert option(line_for("ngircd", idle), "--connect-batch") == "8"
    assert option(line_for("inspircd", idle), "--connect-batch") == "4000"
    assert option(line_for("inspircd", pairs), "--connect-batch") == "1000"
    assert option(line_for("plain", pairs), "--connect-batch") is None


def test_acknowledgements_are_waited_for_where_messages_are_kept_and_sent() -> None:
    assert "--ack" in line_for("process", Load(workload="mesh", clients=10, window=1))
    assert "--ack" not in line_for("json", Load(workload="mesh", clients=10, window=1))
    assert "--ack" not in line_for("process", Load(workload="idle", clients=10))


def test_plain_clients_that_only_come_count_as_there_when_they_have_their_list() -> None:
    assert option(line_for("plain", Load(workload="idle", clients=10)), "--ready") == "list"
    assert option(line_for("json", Load(workload="idle", clients=10)), "--ready") is None
