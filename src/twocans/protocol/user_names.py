"""Lists of user names that are sent often and change little, and how they are written in each dialect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final, overload

import msgspec

MAX_NAME_CHARS: Final = 32


class NameBlock:
    """Some names, with what they look like in each dialect, which is made when it is first asked for."""

    __slots__ = ("_json", "_plain", "names")

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self._json: bytes | None = None
        self._plain: bytes | None = None

    def json(self) -> bytes:
        """The names as JSON strings with commas between them."""
        if self._json is None:
            self._json = msgspec.json.encode(self.names)[1:-1]
        return self._json

    def plain(self) -> bytes:
        """The names with `, ` between them."""
        if self._plain is None:
            self._plain = ", ".join(self.names).encode()
        return self._plain


class UserNames(Sequence[str]):
    """Names, put together from blocks that are shared with the lists before and after this one."""

    __slots__ = ("_blocks", "_plain")

    def __init__(self, blocks: tuple[NameBlock, ...]) -> None:
        self._blocks = blocks
        self._plain: bytes | None = None

    @classmethod
    def of(cls, *names: str) -> UserNames:
        """A list of a few names."""
        return cls((NameBlock(names),))

    def __len__(self) -> int:
        return sum(len(block.names) for block in self._blocks)

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable([block.names for block in self._blocks])

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return list(self)[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def json(self) -> bytes:
        """A JSON array of the names."""
        return b"[" + b",".join([block.json() for block in self._blocks]) + b"]"

    def plain(self) -> bytes:
        """The names with `, ` between them."""
        if self._plain is None:
            self._plain = b", ".join([block.plain() for block in self._blocks])
        return self._plain
