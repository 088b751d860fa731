"""Undo and redo for a field of one line, which Tk has for multi-line fields only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PAUSE_S: Final = 1.0
"""Text typed after a pause of this length is undone on its own."""
MAX_STEPS: Final = 100
MAX_CHARS: Final = 100_000
"""The oldest steps go when all steps together hold more characters."""


@dataclass(frozen=True, slots=True)
class FieldState:
    """The text of a field, and where the cursor is in it."""

    text: str
    cursor: int


class EditHistory:
    """The states of a field that undo and redo walk through. A step is a word, a paste, or what stands between pauses.

    Args:
        state: the field before it is edited.
    """

    def __init__(self, state: FieldState) -> None:
        self._states = [state]
        self._place = 0
        self._run: int | None = None  # 1 while characters are typed one by one, -1 while they are deleted so
        self._last_s = 0.0

    def edited(self, state: FieldState, now_s: float) -> None:
        """Record the field after a key. `now_s` is a monotonic time in seconds."""
        before = self._states[self._place]
        if state.text == before.text:
            if state.cursor != before.cursor:  # what is typed from here on is another step
                self._states[self._place] = state
                self._run = None
            return
        run = len(state.text) - len(before.text)
        one_by_one = run in {1, -1} and _differ_at_cursor(before, state)
        starts_word = run == 1 and not state.text[state.cursor - 1].isspace() and _after_space(state)
        joins = one_by_one and run == self._run and now_s - self._last_s < PAUSE_S and not starts_word
        self._run = run if one_by_one else None
        self._last_s = now_s
        del self._states[self._place + 1 :]
        if joins:
            self._states[self._place] = state
        else:
            self._append(state)

    def can_undo(self, state: FieldState) -> bool:
        """True if there is an earlier text than that of `state`, the field as it is."""
        return self._place > 0 or state.text != self._states[self._place].text

    def can_redo(self, state: FieldState) -> bool:
        """True if the field is as undo left it and a later text is known."""
        return self._place + 1 < len(self._states) and state.text == self._states[self._place].text

    def undo(self, state: FieldState) -> FieldState | None:
        """The step before `state`, the field as it is; None if there is none."""
        self._run = None
        if state.text != self._states[self._place].text:  # the program has changed it
            del self._states[self._place + 1 :]
            self._append(state)
        if self._place == 0:
            return None
        self._place -= 1
        return self._states[self._place]

    def redo(self, state: FieldState) -> FieldState | None:
        """The step after `state`, the field as it is; None if there is none."""
        self._run = None
        if not self.can_redo(state):
            return None
        self._place += 1
        return self._states[self._place]

    def _append(self, state: FieldState) -> None:
        self._states.append(state)
        while len(self._states) > 2 and (
            len(self._states) > MAX_STEPS or sum(len(one.text) for one in self._states) > MAX_CHARS
        ):
            del self._states[0]
        self._place = len(self._states) - 1


def _differ_at_cursor(before: FieldState, after: FieldState) -> bool:
    """True if one character was typed at the cursor, or one before or after it was deleted."""
    longer, shorter = (after, before) if len(after.text) > len(before.text) else (before, after)
    place = min(before.cursor, after.cursor)
    return longer.text[:place] + longer.text[place + 1 :] == shorter.text


def _after_space(state: FieldState) -> bool:
    return state.cursor >= 2 and state.text[state.cursor - 2].isspace()
