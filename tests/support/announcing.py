"""Announces servers that need not exist, without the product's help: see `--help`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from ipaddress import IPv4Address

from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from twocans.protocol.announcement import SERVICE_TYPE


async def main(options: argparse.Namespace) -> None:
    """Until it is ended, which comes without a goodbye."""
    zeroconf = AsyncZeroconf(interfaces=[options.address])
    said = dict(word.split("=", 1) for word in options.said)
    announcing = []
    for number in range(options.times):
        name = options.name if options.times == 1 else f"{options.name} {number}"
        info = AsyncServiceInfo(
            SERVICE_TYPE,
            f"{name}.{SERVICE_TYPE}",
            port=options.port,
            properties=said if options.times == 1 else said | {"key": f"{number:064x}"},
            server=f"rogue-{options.port}-{number if options.spread else 0}.local.",
            parsed_addresses=[str(IPv4Address(options.address) + (number if options.spread else 0))],
            host_ttl=options.ttl,
            other_ttl=options.ttl,
        )
        announcing.append(zeroconf.async_register_service(info, strict=False, cooperating_responders=True))
    for told in await asyncio.gather(*announcing):
        await told
    sys.stdout.write("announced\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--times", type=int, default=1, help="so many servers, with keys and names of their own"
    )
    parser.add_argument(
        "--spread", action="store_true", help="each of them at the address that follows the one before"
    )
    parser.add_argument("--ttl", type=int, default=120, help="for how long it is believed, in seconds")
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("name")
    parser.add_argument("said", nargs="*", help="KEY=VALUE for the TXT record")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(_options()))
