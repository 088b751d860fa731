"""Files for the backend: sends and fetches them with the client library, keeps pictures at hand, opens what is here.

In the asyncio thread.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Final, TypeAlias, assert_never

import platformdirs

from twocans.client import Client
from twocans.client.errors import ClientError
from twocans.client.transfers.model import Transfer, TransferState
from twocans.gui.backend.picture_cache import PictureCache
from twocans.gui.platform.opening import open_file, show_in_folder
from twocans.gui.viewmodel.effects import (
    CancelTransfer,
    FetchFile,
    FetchPicture,
    GoOnWithTransfer,
    OpenFile,
    PauseTransfer,
    SaveToDownloads,
    SendFiles,
    ShowFile,
)
from twocans.gui.viewmodel.inputs import (
    FileRefused,
    Input,
    PictureCame,
)
from twocans.protocol.messages import Message

FilingEffect: TypeAlias = (
    SendFiles
    | FetchFile
    | FetchPicture
    | SaveToDownloads
    | PauseTransfer
    | GoOnWithTransfer
    | CancelTransfer
    | OpenFile
    | ShowFile
)
NOT_CONNECTED: Final = "You are not connected, so nothing was done with the file."


class FileActions:
    """Carries out what concerns files.

    Args:
        pictures: where pictures are kept that are fetched only to be shown.
        put_now: hands an input to the window.
        spawn: runs something beside the rest.
    """

    def __init__(
        self,
        pictures: PictureCache,
        put_now: Callable[[Input], None],
        spawn: Callable[[Coroutine[None, None, None]], None],
    ) -> None:
        self._pictures = pictures
        self._put_now = put_now
        self._spawn = spawn

    def do(self, effect: FilingEffect, client: Client | None, session: int) -> None:
        """Carry an effect out for the login `session`, whose client is None while there is none."""
        match effect:
            case OpenFile(path):
                self._spawn(self._open(session, open_file(Path(path))))
            case ShowFile(path):
                self._spawn(self._open(session, show_in_folder(Path(path))))
            case _ if client is None:
                self._put_now(FileRefused(session, NOT_CONNECTED))
            case _:
                try:
                    self._ask(effect, client, session)
                except ClientError as error:
                    self._put_now(FileRefused(session, error.text))

    def keeps(self, transfer: Transfer, session: int) -> bool:
        """Whether a transfer is of a picture that is to be shown, of which the window need not know more."""
        hash_ = self._pictures.hash_of(Path(transfer.path))
        if transfer.outgoing or hash_ is None:
            return False
        match transfer.state:
            case TransferState.DONE:
                self._put_now(PictureCame(session, hash_, transfer.path))
            case TransferState.FAILED | TransferState.CANCELLED:
                self._put_now(PictureCame(session, hash_, ""))
            case _:
                pass
        return True

    # --- inside -------------------------------------------------------------------------------------------

    def _ask(
        self,
        effect: SendFiles
        | FetchFile
        | FetchPicture
        | SaveToDownloads
        | PauseTransfer
        | GoOnWithTransfer
        | CancelTransfer,
        client: Client,
        session: int,
    ) -> None:
        transfers = client.transfers
        match effect:
            case SendFiles(to, paths):
                self._send(to, paths, client, session)
            case FetchFile(message, path, replace):
                transfers.start_download(message, Path(path), replace=replace)
            case FetchPicture(message):
                self._fetch_picture(message, client, session)
            case SaveToDownloads(message, name):
                self._spawn(self._save_to_downloads(message, name, client, session))
            case PauseTransfer(id_):
                transfers.pause(id_)
            case GoOnWithTransfer(id_):
                transfers.resume(id_)
            case CancelTransfer(id_):
                transfers.cancel(id_)
            case _:
                assert_never(effect)

    def _send(self, to: str, paths: Sequence[str], client: Client, session: int) -> None:
        """Send files; one that is refused keeps no other back."""
        refused = ""
        for path in paths:
            try:
                client.transfers.start_upload(to, Path(path))
            except ClientError as error:
                refused = refused or f"“{Path(path).name}” was not sent. {error.text}"
        if refused:
            self._put_now(FileRefused(session, refused))

    def _fetch_picture(self, message: Message, client: Client, session: int) -> None:
        path = self._pictures.path(message)
        hash_ = self._pictures.hash_of(path)
        if hash_ is not None and path.exists():
            self._put_now(PictureCame(session, hash_, str(path)))
            return
        begun = next((one for one in client.transfers.all if one.path == str(path)), None)
        if begun is None or not begun.state.is_moving:
            client.transfers.start_download(message, path)

    async def _save_to_downloads(self, message: Message, name: str, client: Client, session: int) -> None:
        folder = platformdirs.user_downloads_path()
        try:
            await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
            client.transfers.start_download(message, folder / name)
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            text = f"The folder {folder} cannot be used ({reason}). Use “Save as…” to choose another one."
            self._put_now(FileRefused(session, text))
        except ClientError as error:
            self._put_now(FileRefused(session, error.text))

    async def _open(self, session: int, opening: Coroutine[None, None, str]) -> None:
        problem = await opening
        if problem:
            self._put_now(FileRefused(session, problem))
