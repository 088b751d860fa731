"""What the client tells a person when connecting, sending or waiting fails."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path
from typing import Final

from msgspec import structs

from twocans.client.address import Address
from twocans.client.events import Loss
from twocans.client.timing import Ending
from twocans.protocol.file_names import readable_size
from twocans.protocol.keys import ServerKey, readable_key

NOT_CONNECTED: Final = "The server cannot be reached right now. Try again when the connection is back."
CLOSED: Final = "The connection was ended here before the answer came."
SENT_TOO_LATE: Final = "You are no longer connected to the server, so this was not sent. Log in again first."
NO_ANSWER: Final = "The server did not answer in time. Please try again."
NOT_UNDERSTOOD: Final = "The server's answer was not understood. Is its version newer than this program's?"
TOO_MANY_REQUESTS: Final = "Too many questions are waiting for an answer. Try again in a moment."
TOO_MANY_EVENTS: Final = "This program does not keep up with what the server tells it, so it stopped waiting."
OUTBOX_FULL: Final = "Too many messages are waiting to be sent. Try again when the connection is back."
EMPTY: Final = "That message is empty, so it was not sent."
CONTROL: Final = "That message contains control characters, so it was not sent."
UNSAYABLE: Final = "That contains characters that are not text, so it was not sent."
UNSAYABLE_NAME: Final = "That name contains a sign that names cannot have. Please choose another."
LOST: Final = "Connection lost."
STOPPED: Final = "The server was stopped."
KICKED: Final = "The operator has ended your session."
KICKED_NEXT: Final = "You can log in again."
NO_SECRET: Final = (
    "That password, code or invite contains characters that are not text. Please type it again."  # noqa: S105 - a sentence
)
REVOKED: Final = "Another of your devices removed this one."
REVOKED_NEXT: Final = "Log in again. You may need a code from another device, or your password."
SIGNED_OUT: Final = (
    "This device is signed out. A code from another device, or the password, lets it in again."
)
BANNED: Final = "You are banned from this server."
BANNED_NEXT: Final = "Ask the person who runs the server to lift the ban."
UNEXPECTED: Final = "Something went wrong in this program, so the connection was ended. Start it again."
REFUSED: Final = "The server does not let you in. Ask the person who runs it."
GARBLED: Final = "The server sent something that was not understood, so the connection was ended."

TOO_MANY_FILES: Final = "Too many files are waiting already. Let some of them finish, or cancel them."
NO_FILES: Final = "This server doesn't accept files."
FILE_CANCELLED: Final = "The file was cancelled."
FILE_CUT: Final = "The connection for the file was lost."
FILE_GARBLED: Final = (
    "The server's answer about the file was not understood. Is its version newer than this program's?"
)
FILE_NOT_KEPT: Final = "The server could not use what came of the file."
FILE_WRONG: Final = "What came is not the file that was sent, twice over, so it was thrown away."
FILE_WRONG_ONCE: Final = "What came is not the file that was sent, so it is fetched once more."
FILE_UNEXPECTED: Final = "Something went wrong with this file. Try again."
OTHER_SERVER: Final = (
    "What answered for the file is not the server that you are connected to, so nothing was sent to it. "
    "Ask the person who runs the server."
)

_FULL: Final = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
_GONE: Final = frozenset({errno.ENOENT, errno.ENOTDIR})
_READ_ONLY: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NO_ROUTE: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})
_NOT_ALLOWED: Final = frozenset({errno.EACCES, errno.EPERM})
_WINDOWS_TIMEOUT: Final = frozenset({121, 10060})
_WINDOWS_NO_ROUTE: Final = frozenset({1231, 1232, 10050, 10051, 10064, 10065})
_WINDOWS_REFUSED: Final = frozenset({1225, 10061})


def too_long(limit: int) -> str:
    """For a message of more than `limit` bytes."""
    return f"That message is too long: at most {limit} bytes fit into one. Please send it in parts."


def silent(seconds: float) -> str:
    """For a server from which nothing was heard for that long."""
    return f"Connection lost. The server has not answered for {seconds:g} seconds."


def stuck(seconds: float) -> str:
    """For a server that does not send what was missed for that long."""
    return f"Connection lost. The server has not sent your messages for {seconds:g} seconds."


def another_user(where: str) -> str:
    """For a server that lets somebody in under a name that is not theirs."""
    return f"{where} let you in under another name, so nothing was sent. Ask the person who runs the server."


def ended(said: str, otherwise: str, following: str) -> str:
    """For a session that the server has ended for good: its reason, and what to do next.

    Args:
        said: the server's sentence, perhaps empty or without a full stop.
        otherwise: the sentence if the server said nothing.
        following: what to do next.
    """
    reason = said.strip() or otherwise
    return f"{reason}{'' if reason.endswith(('.', '!', '?')) else '.'} {following}"


def not_connected_again(lost: str, failed: Ending) -> Ending:
    """For an attempt to connect again that failed, where advice for a first connection would mislead.

    Args:
        lost: how the connection ended.
        failed: why there is no new one.
    """
    match failed.loss:
        case Loss.UNREACHABLE:
            text = lost
        case Loss.KEY_CHANGED | Loss.UNVERIFIED | Loss.KICKED | Loss.BANNED | Loss.REVOKED | Loss.SIGNED_OUT:
            text = failed.text
        case _:
            text = f"{lost} {failed.text}"
    return structs.replace(failed, text=text)


def not_twocans(where: str) -> str:
    """For an answer that no Twocans server gives."""
    return f"What answers at {where} is not a Twocans server. Check the address and the port."


def not_encrypted(where: str) -> str:
    """For something that does not speak TLS, or none that is safe today."""
    return (
        f"What answers at {where} is not a Twocans server, or an older one that cannot encrypt. "
        "Check the address and the port, and update the server if it is one."
    )


def refused(where: str, why: str) -> str:
    """For a server that lets nobody in just now, or nobody from here, and says why before there is encryption."""
    return f"{where} does not let you in. It says: {why}"


def stripped(where: str) -> str:
    """For a known server's address at which the connection cannot be encrypted."""
    return (
        f"What answers at {where} does not encrypt, and the server that was there did. It may be another program, "
        "or somebody between you and the server. Nothing was sent. Ask the person who runs the server."
    )


def key_changed(where: str, key: ServerKey, known: ServerKey) -> str:
    """For a server with another key than before."""
    return (
        f"The server at {where} is not the one that was there before: its key is {readable_key(key)} and was "
        f"{readable_key(known)}. Either it was set up anew, or somebody else answers in its place to read what you "
        "write. Nothing was sent. Ask the person who runs the server which key it shows."
    )


def not_announced(where: str, key: ServerKey, announced: ServerKey) -> str:
    """For a server with another key than was announced for it."""
    return (
        f"The server at {where} is not the one that was announced: its key is {readable_key(key)} and was announced "
        f"as {readable_key(announced)}. Somebody may answer in its place. Nothing was sent. Ask whoever runs the "
        "server which key it shows."
    )


def taken_without_proof(problem: str, text: str) -> str:
    """For a name that the server says is taken, where the proof that it is the user's may be out of reach."""
    return f"{problem} If the name is yours, that is why the server does not know you. It says: {text}"


def closed_at_once(where: str) -> str:
    """For a connection that ended before anything was said."""
    return f"{where} ended the connection without a word. Check that a Twocans server is running there."


def hung_up(where: str) -> str:
    """For a connection that ended while it was being encrypted."""
    return (
        f"{where} ended the connection before it was encrypted. "
        "Check that a Twocans server is running there, and that it is not an older one."
    )


def no_welcome(where: str, seconds: float) -> str:
    """For a connection on which the server does not say anything."""
    return (
        f"{where} is there, but did not answer within {seconds:g} seconds. "
        "Check that a Twocans server is running there, and try again."
    )


def unreachable(address: Address, error: OSError | UnicodeError, *, within_s: float) -> Ending:
    """Why a TCP connection did not come about, from what the system says."""
    host, port = address.host, address.port
    windows: int | None = getattr(error, "winerror", None)
    if isinstance(error, socket.gaierror | UnicodeError):
        text = (
            f"No computer called {host} was found. Check the spelling and your network, "
            "or type the numbers that the server shows."
        )
    elif isinstance(error, TimeoutError) or windows in _WINDOWS_TIMEOUT:
        text = (
            f"{address} did not answer within {within_s:g} seconds. Check the address, that the computer is on, "
            f"and that its firewall lets port {port} through."
        )
    elif isinstance(error, ConnectionRefusedError) or windows in _WINDOWS_REFUSED:
        text = f"No server is running at {address}. Start it there, or check the address and the port."
    elif error.errno in _NO_ROUTE or windows in _WINDOWS_NO_ROUTE:
        text = f"{host} cannot be reached from here. Check that both computers are on the same network."
    elif error.errno in _NOT_ALLOWED:
        text = f"This computer does not allow a connection to {address}. Check its firewall and the address."
    else:
        text = f"{address} could not be connected to. Check the address and your network."
    return Ending(Loss.UNREACHABLE, text)


def disk(path: Path, error: OSError) -> str:
    """For a file or folder that cannot be read or written, from what the system says."""
    if error.errno in _FULL:
        return f"There is no room left on the disk for {path.name}. Make room for it, and then let it go on."
    if error.errno in _GONE:
        return f"{path} is not there."
    if error.errno in _READ_ONLY:
        return f"This computer does not allow {path} to be used. Check the permissions of the file and its folder."
    if error.errno == errno.EFBIG:
        return f"The disk does not take files as large as {path.name}."
    return f"{path} cannot be used: {os.strerror(error.errno or errno.EIO)}."


def no_file(name: str, *, is_folder: bool) -> str:
    """For something that is to be sent and is no file."""
    if is_folder:
        return f"{name} is a folder, and only files can be sent. Pack it into one file first."
    return f"{name} is no file that can be sent."


def not_replaced(name: str) -> str:
    """For a file that is to be saved in place of something that is no file."""
    return f"{name} is a folder, a link or a device, so it was not replaced. Choose another name."


def file_changed(name: str) -> str:
    """For a file that was changed between being looked at and having been sent."""
    return f"{name} was changed while it was being sent. Send it again when it is ready."


def file_too_large(size: int, limit: int) -> str:
    """For a file of more than `limit` bytes; 0 is for a server that takes none."""
    if not limit:
        return NO_FILES
    return f"That file is too large: it has {readable_size(size)}, and this server takes at most {readable_size(limit)}."


def name_taken(path: Path) -> str:
    """For a file that came, where no name is left for it."""
    return f"There are too many files called {path.name} in {path.parent}. Choose another name."
