"""Files in chats: the intents that concern them. How they look is in `filecards`."""

from __future__ import annotations

from pathlib import PurePath
from typing import assert_never

from twocans.client.transfers.model import Transfer
from twocans.gui.transcript.model import FileAction
from twocans.gui.viewmodel.attaching import is_picture
from twocans.gui.viewmodel.effects import (
    AskWhereToSave,
    CancelTransfer,
    FetchFile,
    GoOnWithTransfer,
    OpenFile,
    PauseTransfer,
    Picture,
    SaveToDownloads,
    SendFiles,
    ShowFile,
    ShowPictures,
)
from twocans.gui.viewmodel.entries import Entry
from twocans.gui.viewmodel.security import SecurityActions
from twocans.protocol.file_names import safe_name


class FileActions(SecurityActions):
    """What the user does with files."""

    def act_on_file(self, key: str, action: FileAction) -> None:
        """Something that the file of a message offers was chosen."""
        entry, transfer = self._file(key)
        if entry is None:
            return
        if action is FileAction.SAVE and entry.id and self.chats.open is not None:
            self._changes.do(SaveToDownloads(self.chats.open.message(entry), safe_name(entry.text)))
        elif action is FileAction.SAVE_AS and entry.id:
            self._changes.do(AskWhereToSave(key, safe_name(entry.text)))
        elif transfer is not None:
            self._act_on_transfer(key, action, transfer)

    def save_file(self, key: str, path: str, *, replace: bool) -> None:
        """Save the file of a message where the user wants it; its chat may have been left meanwhile.

        Args:
            key: the message's.
            path: where.
            replace: whether the user has agreed to lose what is there.
        """
        for conversation in self.chats.all.values():
            entry = conversation.get(key)
            if entry is not None and entry.file is not None:
                self._changes.do(FetchFile(conversation.message(entry), path, replace))
                return
        self._tell(f"“{PurePath(path).name}” was not saved: its message is no longer here.")

    def show_picture(self, key: str) -> None:
        """The picture of a message was clicked: show it, and the others of this chat beside it."""
        opened = self.chats.open
        if opened is None:
            return
        shown = [(one, self.chats.files.picture(one)) for one in opened.entries if one.file is not None]
        pictures = tuple(Picture(one.key, path, one.text) for one, path in shown if path is not None)
        index = next((place for place, one in enumerate(pictures) if one.key == key), None)
        if index is not None:
            self._changes.do(ShowPictures(pictures, index))

    def _act_on_transfer(self, key: str, action: FileAction, transfer: Transfer) -> None:
        match action:
            case FileAction.OPEN if is_picture(transfer.path):
                self.show_picture(key)
            case FileAction.OPEN:
                self._changes.do(OpenFile(transfer.path))
            case FileAction.SHOW:
                self._changes.do(ShowFile(transfer.path))
            case FileAction.PAUSE:
                self._changes.do(PauseTransfer(transfer.id))
            case FileAction.GO_ON | FileAction.RETRY:
                self._changes.do(GoOnWithTransfer(transfer.id))
            case FileAction.CANCEL:
                self._changes.do(CancelTransfer(transfer.id))
            case FileAction.SAVE | FileAction.SAVE_AS:
                pass  # before anybody else has it
            case _:
                assert_never(action)

    def _send_file_again(self, key: str) -> bool:
        """Send the file of a message that was refused; says whether it carries one."""
        entry, transfer = self._file(key)
        opened = self.chats.open
        if opened is None or entry is None or transfer is None or not entry.failed:
            return False
        self.chats.drop(opened, key)
        self._changes.do(SendFiles(opened.name, (transfer.path,)))
        return True

    def _file(self, key: str) -> tuple[Entry | None, Transfer | None]:
        """A message of the open chat that carries a file, and what goes on with it."""
        entry = self.chats.open.get(key) if self.chats.open is not None else None
        if entry is None or entry.file is None:
            return None, None
        return entry, self.chats.files.transfer(entry)
