"""Sends every message back to its sender: `.venv/bin/python examples/echo_bot.py --server HOST --user NAME`."""

import argparse
import asyncio

from twocans.client import Client, ClientError, MessageReceived, Offline, default_tokens, default_trust


async def echo(server: str, user: str) -> None:
    trust, tokens = default_trust(), default_tokens()
    async with Client(server, user, agent="echo-bot", trust=trust, tokens=tokens) as client:
        print(f"{client.user} is online at {client.address}. Ctrl-C ends.", flush=True)
        async for event in client:
            if isinstance(event, MessageReceived) and event.message.sender != client.user:
                client.enqueue(event.message.sender, event.message.text)
            elif isinstance(event, Offline):
                print(event.text, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Sends every message back to its sender.")
    parser.add_argument("--server", default="localhost", help="host or host:port (default: localhost)")
    parser.add_argument("--user", default="echo", help="the bot's name (default: echo)")
    options = parser.parse_args()
    try:
        asyncio.run(echo(options.server, options.user))
    except ClientError as error:
        parser.exit(1, f"{error}\n")
    except KeyboardInterrupt:
        pass
