"""A short soft tone for a new message, made here and played by what the system has. Never blocks, never fails."""

from __future__ import annotations

import asyncio
import io
import math
import shutil
import struct
import sys
import tempfile
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Final

PAUSE_S: Final = 1.0
"""No more than one tone in this time."""
_RATE_HZ: Final = 44_100
_LENGTH_S: Final = 0.32
_NOTES: Final = ((880.0, 0.0), (1318.5, 0.09))
_VOLUME: Final = 0.22
_PLAYERS: Final = (("pw-play",), ("paplay",), ("aplay", "-q"))
_PLAY_S: Final = 5.0


def tone() -> bytes:
    """Two soft notes as a WAV file."""
    frames = bytearray()
    for index in range(int(_RATE_HZ * _LENGTH_S)):
        now = index / _RATE_HZ
        value = 0.0
        for hertz, start in _NOTES:
            if now >= start:
                since = now - start
                value += math.sin(2 * math.pi * hertz * since) * min(1.0, since * 200) * math.exp(-since * 14)
        frames += struct.pack("<h", int(max(-1.0, min(1.0, value * _VOLUME)) * 32_767))
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE_HZ)
        file.writeframes(bytes(frames))
    return buffer.getvalue()


class Sound:
    """Plays the tone. Lives in the asyncio thread.

    Args:
        clock: seconds, monotonic.
        bell: what to do where nothing can play a file.
    """

    def __init__(self, clock: Callable[[], float], bell: Callable[[], None]) -> None:
        self._clock = clock
        self._bell = bell
        self._quiet_until = 0.0
        self._file: Path | None = None

    async def play(self) -> None:
        """Play the tone, unless it was played just now."""
        now = self._clock()
        if now < self._quiet_until:
            return
        self._quiet_until = now + PAUSE_S
        if sys.platform == "win32":
            await asyncio.to_thread(_play_on_windows, str(self._tone_file()))
            return
        player = _player()
        if player is None or not await self._run(player):
            self._bell()

    def close(self) -> None:
        """Remove what was written."""
        if self._file is not None:
            self._file.unlink(missing_ok=True)
            self._file = None

    async def _run(self, player: tuple[str, ...]) -> bool:
        try:
            process = await asyncio.create_subprocess_exec(
                *player,
                str(self._tone_file()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError:
            return False
        try:
            return await asyncio.wait_for(process.wait(), _PLAY_S) == 0
        except TimeoutError:
            return True
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def _tone_file(self) -> Path:
        if self._file is None:
            with tempfile.NamedTemporaryFile(prefix="twocans-", suffix=".wav", delete=False) as file:
                file.write(tone())
            self._file = Path(file.name)
        return self._file


def _player() -> tuple[str, ...] | None:
    if sys.platform == "darwin":
        return ("afplay",)
    for player in _PLAYERS:
        found = shutil.which(player[0])
        if found is not None:
            return (found, *player[1:])
    return None


def _play_on_windows(path: str) -> None:
    if sys.platform == "win32":
        import contextlib
        import winsound

        with contextlib.suppress(RuntimeError):
            winsound.PlaySound(path, winsound.SND_FILENAME | winsound.SND_NODEFAULT)
