"""Announces a server that need not exist: `python -m tests.support.announcing ADDRESS PORT NAME [KEY=VALUE …]`."""

from __future__ import annotations

import asyncio
import sys

from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from twocans.protocol.announcement import SERVICE_TYPE


async def main(address: str, port: str, name: str, *said: str) -> None:
    """Until it is ended, which comes without a goodbye."""
    zeroconf = AsyncZeroconf(interfaces=[address])
    info = AsyncServiceInfo(
        SERVICE_TYPE,
        f"{name}.{SERVICE_TYPE}",
        port=int(port),
        properties=dict(word.split("=", 1) for word in said),
        server="rogue.local.",
        parsed_addresses=[address],
    )
    await (await zeroconf.async_register_service(info, strict=False))
    sys.stdout.write("announced\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
