"""`python -m tests.hostile`: attack a server in each way for as long as one likes, and tell what that comes to."""

from __future__ import annotations

import argparse
from typing import Final

from tests.hostile.catalogue import ATTACKS
from tests.hostile.siege import MIB, besiege
from twocans.server.settings.config import Concurrency

PAUSE_S: Final = 0.05
"""How long each round of the pair is waited for, in seconds."""
_HEAD: Final = (
    "| attack | connections | memory, MiB | descriptors | threads | delay p50, ms | with it | max, ms | with it |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    """Attack in one way after another, and show a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help=f"all without: {', '.join(ATTACKS)}")
    parser.add_argument("--seconds", type=float, default=5.0, help="about how long each goes on (5)")
    parser.add_argument(
        "--concurrency", type=Concurrency, choices=list(Concurrency), default=Concurrency.ASYNC
    )
    parser.add_argument("--tls", action="store_true", help="attack over TLS")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.attacks if name not in ATTACKS]
    if unknown:
        parser.error(f"there is no attack {unknown[0]}. There are: {', '.join(ATTACKS)}")
    print(_HEAD)
    for name in chosen.attacks or ATTACKS:
        rounds = max(1, int(chosen.seconds / PAUSE_S))
        siege = besiege(name, chosen.concurrency, rounds=rounds, pause_s=PAUSE_S, tls=chosen.tls)
        before, most, quiet, loud = siege.before, siege.most, siege.quiet, siege.loud
        print(
            f"| {name} | {ATTACKS[name].connections} | +{siege.growth / MIB:.1f} |"
            f" {before.descriptors} → {most.descriptors} | {before.threads} → {most.threads} |"
            f" {quiet.median * 1000:.1f} | {loud.median * 1000:.1f} |"
            f" {quiet.longest * 1000:.1f} | {loud.longest * 1000:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
