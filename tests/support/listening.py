"""Looks for servers on the network, and tells what it knows, a line of JSON each time that it changes."""

from __future__ import annotations

import asyncio
import sys

import msgspec

from twocans.client import Nearby, NearbyServers, ServerKey


def tell(known: Nearby) -> None:
    """Write a line."""
    sys.stdout.write(msgspec.json.encode(known).decode() + "\n")
    sys.stdout.flush()


async def main() -> None:
    """Until it is ended; the arguments are the keys that are known."""
    async with NearbyServers(tell, known=[ServerKey(key) for key in sys.argv[1:]]):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
