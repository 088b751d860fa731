"""How the files of messages look: how far each has got, what can be done with it, and the picture that it is."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final, assert_never

from twocans.client.transfers.model import Transfer, TransferState
from twocans.gui.transcript.model import FileAction, FileCard
from twocans.gui.viewmodel.attaching import is_picture
from twocans.gui.viewmodel.entries import Entry, own_key
from twocans.gui.viewmodel.state import Clock
from twocans.protocol.file_names import readable_size

MAX_PICTURE_BYTES: Final = 10 * 1024 * 1024
"""Larger pictures are not fetched unasked."""
_OPENED: Final = frozenset(
    [
        ".png",
        ".jpg",
        ".jpeg",
        ".gif",
        ".webp",
        ".bmp",
        ".pdf",
        ".txt",
        ".md",
        ".csv",
        ".log",
        ".rtf",
        ".doc",
        ".docx",
        ".xls",
        ".xlsx",
        ".ppt",
        ".pptx",
        ".odt",
        ".ods",
        ".odp",
        ".epub",
        ".svg",
        ".tif",
        ".tiff",
        ".heic",
        ".mp3",
        ".wav",
        ".ogg",
        ".oga",
        ".flac",
        ".m4a",
        ".opus",
        ".mp4",
        ".mkv",
        ".mov",
        ".webm",
        ".avi",
        ".zip",
        ".7z",
        ".tar",
        ".gz",
        ".xz",
    ]
)
"""Files that a click may open: no programs. Others can only be shown in their folder."""
MAX_WANTED: Final = 1000
"""How many pictures are waited for at a time."""
_RATE_S: Final = 2.0
"""Over how much time the speed of a transfer is measured at least."""

_UNFINISHED: Final = frozenset(
    {
        TransferState.HASHING,
        TransferState.WAITING,
        TransferState.RUNNING,
        TransferState.PAUSED,
        TransferState.CHECKING,
    }
)


class FileCards:
    """The transfers of one login, by what they belong to.

    Args:
        clock: the time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sent: dict[str, Transfer] = {}
        self._fetched: dict[int, Transfer] = {}
        self._since: dict[str, tuple[float, int]] = {}
        self._pictures: dict[str, str] = {}
        self._wanted: set[str] = set()

    # --- what is known ------------------------------------------------------------------------------------

    def transfer(self, entry: Entry) -> Transfer | None:
        """What goes on with the file of a message."""
        fetched = self._fetched.get(entry.id) if entry.id else None
        return fetched or self._sent.get(entry.key)

    def picture(self, entry: Entry) -> str | None:
        """Where the picture is that a message's file is; None if it is none, or not here."""
        if entry.file is None or not is_picture(entry.text):
            return None
        transfer = self.transfer(entry)
        if transfer is not None and (transfer.outgoing or transfer.state is TransferState.DONE):
            return transfer.path
        return self._pictures.get(entry.file.hash)

    def wants_picture(self, entry: Entry) -> bool:
        """Whether a message's file is to be fetched to show it; says so once."""
        file = entry.file
        if file is None or not entry.id or file.hash in self._wanted or not is_picture(entry.text):
            return False
        if len(self._wanted) >= MAX_WANTED:
            return False
        if file.size > MAX_PICTURE_BYTES or self.picture(entry) is not None:
            return False
        self._wanted.add(file.hash)
        return True

    def card(self, entry: Entry) -> FileCard | None:
        """What the file of a message looks like; None if it carries none."""
        if entry.file is None:
            return None
        transfer = self.transfer(entry)
        size = readable_size(entry.file.size)
        picture = self.picture(entry)
        if entry.failed:
            return FileCard(entry.text, size, None, failed=True, actions=(), picture=picture)
        if transfer is None:
            actions = (FileAction.SAVE, FileAction.SAVE_AS) if entry.id else ()
            return FileCard(entry.text, size, None, failed=False, actions=actions, picture=picture)
        return FileCard(
            entry.text,
            self._detail(transfer, size),
            _fraction(transfer),
            failed=transfer.state is TransferState.FAILED,
            actions=_actions(transfer),
            picture=picture,
        )

    # --- what happens -------------------------------------------------------------------------------------

    def moved(self, transfer: Transfer) -> None:
        """A transfer has got further."""
        if transfer.outgoing:
            self._sent[own_key(transfer.id)] = transfer
        elif transfer.message_id is not None:
            if transfer.state is TransferState.CANCELLED:
                self._fetched.pop(transfer.message_id, None)
            else:
                self._fetched[transfer.message_id] = transfer
        if transfer.state is not TransferState.RUNNING:
            self._since.pop(transfer.id, None)
        elif transfer.id not in self._since:
            self._since[transfer.id] = (self._clock.monotonic(), transfer.done)

    def picture_came(self, hash_: str, path: str) -> None:
        """A picture is here; "" if it could not be had, and is asked for when the chat is opened again."""
        if path:
            self._pictures[hash_] = path
        self._wanted.discard(hash_)

    def begin(self) -> None:
        """Another server, or another user: nothing of it belongs there."""
        self.forget_ids()
        self._sent.clear()
        self._since.clear()
        self._pictures.clear()

    def forget_ids(self) -> None:
        """The ids of messages mean something else now."""
        self._fetched.clear()
        self._wanted.clear()

    @property
    def unfinished(self) -> int:
        """How many transfers are under way or wait."""
        return sum(one.state in _UNFINISHED for one in (*self._sent.values(), *self._fetched.values()))

    # --- inside -------------------------------------------------------------------------------------------

    def _detail(self, transfer: Transfer, size: str) -> str:
        match transfer.state:
            case TransferState.HASHING:
                return f"{size} · getting ready …"
            case TransferState.WAITING:
                return f"{size} · {transfer.text or 'waiting …'}"
            case TransferState.RUNNING:
                return f"{readable_size(transfer.done)} of {size}{self._left(transfer)}"
            case TransferState.PAUSED:
                return f"{readable_size(transfer.done)} of {size} · paused"
            case TransferState.CHECKING:
                return f"{size} · checking …"
            case TransferState.DONE:
                return size if transfer.outgoing else f"{size} · {_saved(transfer)}"
            case TransferState.FAILED:
                return transfer.text or "It did not work."
            case TransferState.CANCELLED:
                return f"{size} · cancelled"
            case _:
                assert_never(transfer.state)

    def _left(self, transfer: Transfer) -> str:
        """How long a transfer will take yet, once its speed is known."""
        since, before = self._since[transfer.id]
        passed = self._clock.monotonic() - since
        if passed < _RATE_S or transfer.done <= before:
            return ""
        left = round((transfer.size - transfer.done) * passed / (transfer.done - before))
        if left < 60:
            return f" · {max(1, left)} s left"
        return (
            f" · {left // 60} min left"
            if left < 3600
            else f" · {left // 3600} h {left % 3600 // 60} min left"
        )


def _saved(transfer: Transfer) -> str:
    """Where a file is now, and as what if that is not its own name."""
    path = PurePath(transfer.path)
    where = f"saved in {path.parent.name}"
    return where if path.name == transfer.name else f"{where} as {path.name}"


def _fraction(transfer: Transfer) -> float | None:
    if transfer.state in {TransferState.DONE, TransferState.FAILED, TransferState.CANCELLED}:
        return None
    return transfer.done / transfer.size if transfer.size else 0.0


def _actions(transfer: Transfer) -> tuple[FileAction, ...]:
    match transfer.state:
        case TransferState.RUNNING | TransferState.WAITING:
            return (FileAction.PAUSE, FileAction.CANCEL)
        case TransferState.HASHING | TransferState.CHECKING:
            return (FileAction.CANCEL,)
        case TransferState.PAUSED:
            return (FileAction.GO_ON, FileAction.CANCEL)
        case TransferState.FAILED:
            return (FileAction.RETRY, FileAction.CANCEL)
        case TransferState.DONE:
            opened = PurePath(transfer.path).suffix.casefold() in _OPENED
            return (FileAction.OPEN, FileAction.SHOW) if opened else (FileAction.SHOW,)
        case TransferState.CANCELLED:
            return ()
        case _:
            assert_never(transfer.state)
