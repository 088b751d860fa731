"""Replies to every message exactly once, however it ends: `.venv/bin/python examples/echo_bot.py --server HOST`."""

import argparse
import asyncio

from twocans.client import Client, ClientError, MessageNotSent, MessageReceived, Offline


async def echo(server: str, user: str, folder: str) -> None:
    async with Client(server, user, agent="echo-bot", folder=folder) as client:
        print(f"{client.user} is online at {client.address}. Ctrl-C ends.", flush=True)
        async for event in client:
            if isinstance(event, MessageReceived) and event.message.sender != client.user:
                try:
                    await client.reply(event.message, event.message.text)
                except MessageNotSent as error:
                    print(error, flush=True)
            elif isinstance(event, Offline):
                print(event.text, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Replies to every message with its text, exactly once.")
    parser.add_argument("--server", default="localhost", help="host or host:port (default: localhost)")
    parser.add_argument("--user", default="echo", help="the bot's name (default: echo)")
    parser.add_argument(
        "--folder", default="echo-bot", help="keeps what the next run needs (default: echo-bot)"
    )
    options = parser.parse_args()
    try:
        asyncio.run(echo(options.server, options.user, options.folder))
    except ClientError as error:
        parser.exit(1, f"{error}\n")
    except KeyboardInterrupt:
        pass
