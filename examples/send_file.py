"""Sends a file and ends when its message is stored: `.venv/bin/python examples/send_file.py FILE --to NAME`."""

import argparse
import asyncio
from pathlib import Path

from twocans.client import (
    Client,
    ClientError,
    MessageStored,
    TransferMoved,
    TransferState,
    default_tokens,
    default_trust,
)


async def send(server: str, user: str, to: str, file: Path) -> str:
    """Send it; a sentence that says why if that did not work."""
    trust, tokens = default_trust(), default_tokens()
    async with Client(server, user, agent="send-file", trust=trust, tokens=tokens) as client:
        sent = client.transfers.start_upload(to, file)
        async for event in client:
            if isinstance(event, MessageStored) and event.cid == sent:
                print(f"{event.text} is sent.", flush=True)
                break
            if isinstance(event, TransferMoved) and event.transfer.state is TransferState.FAILED:
                return event.transfer.text
    return ""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Sends a file.")
    parser.add_argument("file", type=Path, help="the file")
    parser.add_argument("--to", required=True, help="who it is for")
    parser.add_argument("--server", default="localhost", help="host or host:port (default: localhost)")
    parser.add_argument("--user", default="courier", help="who sends it (default: courier)")
    options = parser.parse_args()
    try:
        problem = asyncio.run(send(options.server, options.user, options.to, options.file))
    except ClientError as error:
        problem = str(error)
    except KeyboardInterrupt:
        problem = "It was not sent."
    if problem:
        parser.exit(1, f"{problem}\n")
