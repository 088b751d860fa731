"""Writers at full speed while the server, the clients or both are killed again and again."""

from __future__ import annotations

import argparse
import random
import sys
import time

from tests.torture.ledger import Broken
from tests.torture.plan import Kill
from tests.torture.run import Torture


def main() -> int:
    """Run it; 0 if every promise was kept."""
    options = _parser().parse_args()
    seed = random.SystemRandom().getrandbits(32) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    ends_at = time.monotonic() + options.minutes * 60
    torture = Torture(
        seed=seed,
        accounts=options.accounts,
        writers=options.writers,
        kill=Kill(options.kill),
        largest_gap=options.largest_gap,
        is_enough=lambda _: time.monotonic() >= ends_at,
        durability=options.durability,
        concurrency=options.concurrency,
    )
    try:
        outcome = torture.run()
    except Broken as broken:
        print(f"BROKEN: {broken}")
        print(f"Again: python -m tests.torture --seed {seed} {' '.join(sys.argv[1:])}")
        return 1
    print(
        f"{outcome.acknowledged} messages acknowledged, {outcome.server_kills} times the server was killed, "
        f"{outcome.client_kills} times a client; nothing lost, nothing twice"
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.torture",
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=1.0, help="for how long to kill")
    parser.add_argument("--seed", type=int, help="makes the same messages and choices again; printed")
    parser.add_argument(
        "--writers",
        choices=["raw", "library"],
        default="raw",
        help="bare peers, or programs on the client library",
    )
    parser.add_argument(
        "--kill",
        choices=[kind.value for kind in Kill],
        default=Kill.SERVER.value,
        help="what is killed; clients can be if the writers are programs",
    )
    parser.add_argument("--accounts", type=int, default=16, help="how many write to one another")
    parser.add_argument(
        "--largest-gap", type=int, default=5000, help="messages acknowledged between two kills, at most"
    )
    parser.add_argument("--durability", choices=["process", "power"], default="process")
    parser.add_argument("--concurrency", choices=["async", "thread"], default="async")
    return parser


sys.exit(main())
