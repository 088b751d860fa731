"""The search in messages, and saving a conversation. The rest of the view-model is in `model`."""

from __future__ import annotations

from typing import Final

from twocans.common.transcripts import Form
from twocans.gui.viewmodel.effects import (
    CancelExport,
    ExportChat,
    Focus,
    Place,
)
from twocans.gui.viewmodel.inputs import (
    ExportEnded,
    ExportMoved,
)
from twocans.gui.viewmodel.presentation import Presentation
from twocans.gui.viewmodel.state import Export, Part, Screen
from twocans.protocol.plurals import counted

EXPORT_STAYS_S: Final = 8.0


class SearchAndExport(Presentation):
    """The intents and inputs of both."""

    # --- searching ----------------------------------------------------------------------------------------

    def find(self, *, everywhere: bool) -> None:
        """Search messages: those of the open chat, or all."""
        if self.screen is Screen.MAIN:
            opened = None if everywhere else self.chats.open
            self.finder.begin(opened.name if opened is not None else None)
            self._changes.do(Focus(Place.FINDER))

    def type_to_find(self, query: str) -> None:
        """What stands in the field of that search."""
        self.finder.type(query)

    def move_found(self, by: int) -> None:
        """The cursor moves by so many results."""
        self.finder.move(by)

    def open_found(self, index: int | None = None) -> None:
        """Show a result in its chat."""
        message = self.finder.choose(index)
        if message is None:
            return
        own = self.chats.is_own(message)
        conversation = self.chats.of(message.to if own else message.sender)
        self._selected = conversation.key
        self._leaves_at = None
        if conversation is self.chats.open:
            self.chats.go_to(message.id)
        else:
            self.chats.show(conversation, at=message.id)
        self._say_problem()
        self._changes.draw(Part.PEOPLE | Part.CHAT)

    def more_found(self) -> None:
        """The end of the results is near."""
        self.finder.want_older()

    def uncover_found(self) -> None:
        """In a narrow window: from the chat back to the results."""
        self.finder.uncover()
        self._changes.do(Focus(Place.FINDER))

    def end_search(self) -> None:
        """No search any more; the chat that was opened stays."""
        self.finder.end()
        self._changes.do(Focus(Place.COMPOSER if self.chats.open is not None else Place.PEOPLE))

    @property
    def found_key(self) -> str | None:
        """The bubble of the open chat that was chosen among the results."""
        opened, chosen = self.chats.open, self.finder.chosen
        return (
            opened.key_at(chosen.id, self.chats.epoch) if opened is not None and chosen is not None else None
        )

    # --- saving -------------------------------------------------------------------------------------------

    def save_chat(self, path: str, form: Form, peer: str) -> None:
        """Save the chat with somebody in a file."""
        if self.screen is not Screen.MAIN:
            self._tell("The chat was not saved: you are not logged in.")
        elif self.export is not None and self.export.busy:
            self._tell("Another chat is being saved. Save this one when that is done, or cancel it.")
        else:
            self._set_export(Export(f"Saving the chat with {peer} …", busy=True))
            self._changes.do(ExportChat(peer, path, form))

    def end_export(self) -> None:
        """Stop saving, or take away what was said about it."""
        if self.export is not None and self.export.busy:
            self._changes.do(CancelExport())
        self._set_export(None)

    def _export_moved(self, moved: ExportMoved) -> None:
        if self.export is not None and self.export.busy:
            text = f"Saving the chat with {moved.peer} … {counted(moved.count, 'message')}"
            self._set_export(Export(text, busy=True))

    def _export_ended(self, ended: ExportEnded) -> None:
        if self.export is not None and self.export.busy:
            self._set_export(Export(ended.text, failed=ended.failed))
            if not ended.failed:
                self._export_until = self._clock.monotonic() + EXPORT_STAYS_S

    def _set_export(self, export: Export | None) -> None:
        self.export = export
        self._export_until = None
        self._changes.draw(Part.EXPORT)

    # --- both ---------------------------------------------------------------------------------------------

    def _tick_looking(self) -> None:
        self.finder.tick()
        if self._export_until is not None and self._clock.monotonic() >= self._export_until:
            self._set_export(None)

    def _say_problem(self) -> None:
        """Tell what the conversations could not do."""
        problem, self.chats.problem = self.chats.problem, ""
        if problem:
            self._tell(problem)
