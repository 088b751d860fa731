"""How results look as Markdown."""

from __future__ import annotations

from bench.figures import Better
from bench.plan import Column
from bench.records import Results, Run
from bench.tables import number, render, table
from tests.unit.bench.runs import measured, run

PAIRS = "pairs, 1 under way"


def rendered(name: str, *runs: Run, left_out: list[str] | None = None, picture: str = "") -> str:
    """The tables of one measurement."""
    results = Results(measurements={name: measured(*runs, left_out=left_out)})
    return render(results, {name: picture} if picture else {})


def row(text: str, start: str) -> list[str]:
    """The cells of the first row that starts so."""
    line = next(line for line in text.splitlines() if line.startswith(f"| {start} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def core(subject: str, per_s: float, cpu_us: float, *, server: float = 99, generator: float = 60) -> Run:
    """A run of the first measurement."""
    return run(
        subject,
        per_s=per_s,
        server_cpu_us_per_unit=cpu_us,
        server_cpu_percent=server,
        generator_cpu_percent=generator,
    )


def test_table_aligns_numbers_to_the_right() -> None:
    assert table(["server", "n"], [["a", "1"]]) == "| server | n |\n|---|---:|\n| a | 1 |"


def test_number_has_its_unit_and_digits_and_may_be_missing() -> None:
    column = Column(figure="x", heading="ms", scale=1e-3, digits=2, better=Better.LOWER)
    assert number(1_234_567.0, column) == "1,234.57"
    assert number(None, column) == "–"


def test_row_has_median_ratio_and_who_was_the_limit() -> None:
    text = rendered(
        "core", core("plain", 150_000, 6), core("ngircd", 100_000, 8), core("inspircd", 90_000, 5)
    )
    assert row(text, "Twocans, history off, plain") == [
        "Twocans, history off, plain",
        "150,000",
        "1.50",
        "6.00",
        "1.20",
        "server",
    ]


def test_row_limited_by_the_generator_says_so_and_its_rate_is_a_bound() -> None:
    text = rendered("core", core("plain", 150_000, 6, server=80, generator=99), core("ngircd", 100_000, 8))
    cells = row(text, "Twocans, history off, plain")
    assert cells[2] == "≥ 1.50"
    assert cells[4] == "0.75"
    assert cells[5] == "load generator: compare the CPU"


def test_rate_against_a_peer_limited_by_the_generator_is_a_bound_from_above() -> None:
    peer = core("ngircd", 100_000, 8, server=80, generator=99)
    assert (
        row(rendered("core", core("plain", 150_000, 6), peer), "Twocans, history off, plain")[2] == "≤ 1.50"
    )
    both = core("plain", 150_000, 6, server=80, generator=99)
    assert row(rendered("core", both, peer), "Twocans, history off, plain")[2] == "–"


def test_server_that_nobody_keeps_busy_is_not_called_the_limit() -> None:
    text = rendered("core", core("plain", 150_000, 6, server=50, generator=50))
    assert row(text, "Twocans, history off, plain")[-1] == "neither is busy"


def test_peer_that_needs_a_case_of_its_own_is_compared_with_across_cases() -> None:
    ours = run("json", case="8 at a time", joins_per_s=500, server_cpu_us_per_unit=1000)
    theirs = run("inspircd", case="1,000 at a time", joins_per_s=100, server_cpu_us_per_unit=2000)
    cells = row(rendered("churn", ours, theirs), "Twocans, history off, JSON")
    assert cells[1:5] == ["500", "5.00", "1.00", "0.50"]


def test_curve_has_a_column_for_each_size_and_marks_where_the_generator_was_the_limit() -> None:
    free = run("plain", case="16 B", per_s=10, server_cpu_us_per_unit=1.5)
    bound = run(
        "plain",
        case="64 B",
        per_s=20,
        server_cpu_us_per_unit=2.5,
        server_cpu_percent=50,
        generator_cpu_percent=99,
    )
    text = rendered("sizes", free, bound)
    assert row(text, "Twocans, history off, plain")[1:] == ["1.50", "2.50", "–", "–", "–", "–"]
    assert "| Twocans, history off, plain | 10 | 20 ° |" in text
    assert "° The load generator was the limit." in text


def test_actions_are_rows_and_columns_without_figures_are_left_out() -> None:
    text = rendered("window", run("window", case="open", median_ms=12.345))
    assert row(text, "open") == ["open", "12.35"]
    assert "worst" not in text.split("### ")[1]


def test_failed_runs_are_told_once_with_their_number() -> None:
    failures = [run("ngircd", turn, failed="only 7 of 100 registered") for turn in (1, 2)]
    text = rendered("core", core("plain", 1, 1), *failures)
    assert f"- ngIRCd, {PAIRS}: only 7 of 100 registered (2 times)" in text
    assert row(text, "ngIRCd")[1:3] == ["–", "–"]


def test_section_tells_when_where_and_with_what_and_who_was_left_out() -> None:
    text = rendered("core", core("plain", 1, 1), left_out=["nats-server is not installed, and left out: …"])
    for told in ("2026-01-02 03:04 UTC", "3 turns of 2 s", "Abacus", "SQLite 3.40.1", "nats-server is not"):
        assert told in text


def test_picture_stands_in_its_section() -> None:
    assert "![Messages](x/core.png)" in rendered("core", core("plain", 1, 1), picture="x/core.png")
