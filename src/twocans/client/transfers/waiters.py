"""Tasks that wait for the end of a transfer."""

from __future__ import annotations

import asyncio

from twocans.client import sentences
from twocans.client.errors import TransferFailed
from twocans.client.events import TransferMoved
from twocans.client.transfers.job import Listener
from twocans.client.transfers.model import Transfer, TransferState


class Waiters:
    """A listener that passes everything on, and wakes the tasks that wait for a transfer.

    Args:
        listener: is told of every transfer.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._waiting: dict[str, set[asyncio.Future[Transfer]]] = {}

    def put_moved(self, event: TransferMoved) -> None:
        """A transfer has moved."""
        self._listener.put_moved(event)
        if _has_ended(event.transfer):
            for waiting in self._waiting.pop(event.transfer.id, set()):
                if not waiting.done():
                    waiting.set_result(event.transfer)

    async def wait(self, transfer: Transfer) -> Transfer:
        """Return a transfer as it is at its end.

        Raises:
            TransferFailed: it has failed, or was cancelled, or the client was closed before it ended.
        """
        if not _has_ended(transfer):
            waiting: asyncio.Future[Transfer] = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(transfer.id, set()).add(waiting)
            transfer = await waiting
        match transfer.state:
            case TransferState.FAILED:
                raise TransferFailed(transfer.text, transfer)
            case TransferState.CANCELLED:
                raise TransferFailed(sentences.FILE_CANCELLED, transfer)
            case TransferState.DONE:
                return transfer
            case _:
                raise TransferFailed(sentences.CLOSED, transfer)

    def end(self, transfers: tuple[Transfer, ...]) -> None:
        """No transfer goes on; the tasks hear how far theirs has come."""
        for transfer in transfers:
            for waiting in self._waiting.pop(transfer.id, set()):
                if not waiting.done():
                    waiting.set_result(transfer)


def _has_ended(transfer: Transfer) -> bool:
    return transfer.state in {TransferState.DONE, TransferState.FAILED, TransferState.CANCELLED}
