"""Looks for servers on the network, and tells what it knows, a line of JSON each time that it changes."""

from __future__ import annotations

import asyncio
import sys

import msgspec

from twocans.client import Nearby, NearbyServers


def tell(known: Nearby) -> None:
    """Write a line."""
    sys.stdout.write(msgspec.json.encode(known).decode() + "\n")
    sys.stdout.flush()


async def main() -> None:
    """Until it is ended."""
    async with NearbyServers(tell):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
