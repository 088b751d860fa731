"""Undo and redo in a field of one line."""

from __future__ import annotations

from twocans.gui.views.edit_history import MAX_CHARS, MAX_STEPS, PAUSE_S, EditHistory, FieldState


class Typist:
    """Edits a field by hand; `now_s` is the time."""

    def __init__(self, text: str = "") -> None:
        self.state = FieldState(text, len(text))
        self.now_s = 100.0
        self.history = EditHistory(self.state)

    def write(self, text: str) -> None:
        for char in text:
            self.now_s += 0.1
            before, cursor = self.state.text, self.state.cursor
            self.set(before[:cursor] + char + before[cursor:], cursor + 1)

    def backspace(self, count: int) -> None:
        for _ in range(count):
            self.now_s += 0.1
            before, cursor = self.state.text, self.state.cursor
            self.set(before[: cursor - 1] + before[cursor:], cursor - 1)

    def move(self, cursor: int) -> None:
        self.set(self.state.text, cursor)

    def set(self, text: str, cursor: int) -> None:
        self.state = FieldState(text, cursor)
        self.history.edited(self.state, self.now_s)

    def undo(self) -> str:
        return self._to(self.history.undo(self.state))

    def redo(self) -> str:
        return self._to(self.history.redo(self.state))

    def _to(self, state: FieldState | None) -> str:
        self.state = state or self.state
        return self.state.text


def test_words_are_undone_one_by_one_and_come_back() -> None:
    typist = Typist()
    typist.write("one two three")
    assert [typist.undo() for _ in range(3)] == ["one two ", "one ", ""]
    assert not typist.history.can_undo(typist.state)
    assert typist.undo() == ""
    assert [typist.redo() for _ in range(3)] == ["one ", "one two ", "one two three"]
    assert not typist.history.can_redo(typist.state)


def test_what_is_typed_after_a_pause_is_a_step_of_its_own() -> None:
    typist = Typist()
    typist.write("under")
    typist.now_s += PAUSE_S
    typist.write("stand")
    assert typist.undo() == "under"


def test_deleting_is_another_step_than_typing() -> None:
    typist = Typist("start ")
    typist.write("word")
    typist.backspace(3)
    assert [typist.undo(), typist.undo()] == ["start word", "start "]


def test_what_is_typed_elsewhere_is_another_step() -> None:
    typist = Typist()
    typist.write("end")
    typist.move(0)
    typist.write("the")
    assert typist.state.text == "theend"
    assert typist.undo() == "end"


def test_a_paste_is_one_step() -> None:
    typist = Typist()
    typist.write("see")
    typist.set("see a whole sentence", 20)
    assert typist.undo() == "see"
    assert typist.redo() == "see a whole sentence"


def test_writing_after_undo_ends_what_could_be_redone() -> None:
    typist = Typist()
    typist.write("one two")
    typist.undo()
    typist.write("x")
    assert not typist.history.can_redo(typist.state)
    assert typist.undo() == "one "


def test_undo_goes_back_over_a_change_by_the_program() -> None:
    typist = Typist()
    typist.write("typed")
    typist.state = FieldState("filled in", 9)
    assert typist.history.can_undo(typist.state)
    assert typist.undo() == "typed"
    assert typist.redo() == "filled in"


def test_the_history_is_bounded_in_steps_and_characters() -> None:
    typist = Typist()
    for number in range(2 * MAX_STEPS):
        typist.write(f" {number}x")
    steps = 0
    while typist.history.can_undo(typist.state):
        typist.undo()
        steps += 1
    assert steps == MAX_STEPS - 1
    large = Typist()
    for letter in "abcd":
        large.set(letter * (MAX_CHARS // 2), 1)
    assert large.undo()[0] == "c"
    assert not large.history.can_undo(large.state)
