"""Sends a file and ends when its message is stored: `.venv/bin/python examples/send_file.py FILE --to NAME`."""

import argparse
import asyncio

from twocans.client import Client, ClientError, default_tokens, default_trust


async def send(server: str, user: str, to: str, file: str) -> None:
    trust, tokens = default_trust(), default_tokens()
    async with Client(server, user, agent="send-file", trust=trust, tokens=tokens) as client:
        sent = await client.transfers.upload(to, file)
        print(f"{sent.name} is sent.", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Sends a file.")
    parser.add_argument("file", help="the file")
    parser.add_argument("--to", required=True, help="who it is for")
    parser.add_argument("--server", default="localhost", help="host or host:port (default: localhost)")
    parser.add_argument("--user", default="courier", help="who sends it (default: courier)")
    options = parser.parse_args()
    try:
        asyncio.run(send(options.server, options.user, options.to, options.file))
    except ClientError as error:
        parser.exit(1, f"{error}\n")
    except KeyboardInterrupt:
        parser.exit(1, "It was not sent.\n")
