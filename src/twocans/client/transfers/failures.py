"""Why an attempt to bring or fetch a file ended before its time."""

from __future__ import annotations


class Failed(Exception):
    """It makes no sense to go on unless somebody says so; `text` tells a person why."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Changed(Failed):
    """The file is not what it was when its hash was taken; told to go on, it is taken as it is then."""


class Cut(Exception):
    """Another attempt may well succeed; `text` tells a person why it waits."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
