"""Results on disk, and what the load generator prints."""

from __future__ import annotations

from pathlib import Path

from bench import records
from bench.load import outcome
from bench.machine import version_in
from bench.plots import draw
from bench.records import Results
from tests.unit.bench.runs import measured, run


def test_results_come_back_as_they_were_saved(tmp_path: Path) -> None:
    results = Results(measurements={"core": measured(run("plain", per_s=1.5), run("json", failed="why"))})
    records.save(tmp_path / "new", results)
    assert records.load(tmp_path / "new") == results


def test_folder_without_results_has_none(tmp_path: Path) -> None:
    assert records.load(tmp_path) == Results()


def test_rate_counts_only_what_was_delivered_and_acknowledged() -> None:
    text = '{"protocol": "json", "delivered_per_s": 900, "acked_per_s": 800, "errors": 0, "out_of_order": 0}'
    assert outcome(text, acknowledged=True).figures["per_s"] == 800
    assert outcome(text, acknowledged=False).figures["per_s"] == 900
    assert outcome(text, acknowledged=False).failed == ""


def test_errors_and_disorder_are_told() -> None:
    text = '{"errors": 2, "out_of_order": 1, "disconnects": 0, "first_error": "oops"}'
    assert outcome(text, acknowledged=False).failed == "2 errors, 1 out of order, the first: oops"


def test_version_is_found_in_what_programs_say() -> None:
    assert version_in("ngIRCd 26.1-IDENT+IPv6-x86_64/pc/linux-gnu") == "26.1"
    assert version_in("nats-server: v2.15.1") == "2.15.1"
    assert version_in("") == "of unknown version"


def test_every_measurement_by_load_gets_a_picture_even_if_some_runs_failed(tmp_path: Path) -> None:
    results = Results(
        measurements={
            "core": measured(run("plain", per_s=10, latency_us_p99=5), run("json", failed="why")),
            "sizes": measured(run("plain", case="16 B", per_s=10, server_cpu_us_per_unit=2)),
            "startup": measured(run("start", case="server", median_ms=10)),
            "latency": measured(run("plain", failed="why")),
        }
    )
    assert draw(results, tmp_path) == ["core.png", "sizes.png"]
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in ("core.png", "sizes.png"))
