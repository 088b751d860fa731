"""What one account has been told, checked as it comes and once more against the log at the end."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from tests.support.raw import Frame
from tests.torture.script import Script


class Broken(AssertionError):
    """A promise was not kept."""


class Ledger:
    """The books of one account.

    Args:
        script: who says what.
        account: whose books.
    """

    def __init__(self, script: Script, account: int) -> None:
        self.script = script
        self.account = account
        self.name = script.name(account)
        self.said = 0
        """How many messages of the script have been begun; their numbers are below it."""
        self.cursor = 0
        """The last id that was processed."""
        self._ids = array("q")
        """By number, the id under which a message was acknowledged; 0 for not yet."""
        self._received_ids = array("q")
        self._received_from = array("q")
        self._received_numbers = array("q")
        self._waiting = 0

    @property
    def received(self) -> int:
        """How many messages of others have come."""
        return len(self._received_ids)

    @property
    def waiting(self) -> int:
        """How many messages are not acknowledged yet."""
        return self._waiting

    def begun(self, number: int) -> None:
        """A message is on its way; its acknowledgement is waited for."""
        while len(self._ids) <= number:
            self._ids.append(0)
            self._waiting += 1
        self.said = len(self._ids)

    def unacknowledged(self) -> Iterable[int]:
        """The numbers of messages that are not acknowledged, oldest first."""
        return [number for number, id_ in enumerate(self._ids) if not id_] if self._waiting else []

    def acknowledged(self, cid: str, id_: int) -> bool:
        """An acknowledgement has come.

        Returns:
            Whether it is the first for this message.

        Raises:
            Broken: nothing was sent under that cid, or it had another id before.
        """
        account, number = self.script.origin(cid)
        if account != self.account or number >= len(self._ids):
            raise Broken(f"{self.name} was given an acknowledgement of {cid}, which it has not sent")
        before = self._ids[number]
        if before and before != id_:
            raise Broken(f"{cid} was acknowledged with the id {before} and then with {id_}")
        if before:
            return False
        self._ids[number] = id_
        self._waiting -= 1
        return True

    def delivered(self, message: Frame) -> bool:
        """A message of the inbox has come.

        Returns:
            Whether somebody else has written it.

        Raises:
            Broken: its id is not beyond the last one, or nobody has said such a thing.
        """
        id_ = message.number("id")
        if id_ <= self.cursor:
            raise Broken(f"{self.name} was given the id {id_} after {self.cursor}")
        self.cursor = id_
        account, number = self.check(message)
        if account == self.account:
            return False
        self._received_ids.append(id_)
        self._received_from.append(account)
        self._received_numbers.append(number)
        return True

    def check(self, message: Frame) -> tuple[int, int]:
        """The account and the number of a message, which has to be as the script has it."""
        account, number = self.script.origin(message.text("cid"))
        wanted = self.script.message(account, number)
        if (message["from"], message["to"], message["text"]) != (
            self.script.name(account),
            wanted.to,
            wanted.text,
        ):
            raise Broken(f"{self.name} was given something that nobody has said: {message}")
        if self.name not in {message["from"], message["to"]}:
            raise Broken(f"{self.name} was given what is not for it: {message}")
        return account, number


class Audit:
    """Compares the books of one account with its inbox in the log, read from the beginning.

    Args:
        ledger: the books.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._own = array("q", [0]) * len(ledger._ids)
        self._seen = 0
        self._last = 0

    def message(self, message: Frame) -> None:
        """The next message of the inbox.

        Raises:
            Broken: it is not the one that the account had been given, or it is there twice.
        """
        ledger = self._ledger
        id_ = message.number("id")
        if id_ <= self._last:
            raise Broken(f"in the log of {ledger.name} the id {id_} follows {self._last}")
        self._last = id_
        account, number = ledger.check(message)
        if account == ledger.account:
            if number >= len(self._own):
                raise Broken(f"the log has message {number} of {ledger.name}, which was never sent")
            if self._own[number]:
                raise Broken(f"{message['cid']} is in the log as {self._own[number]} and as {id_}")
            self._own[number] = id_
            return
        place = self._seen
        self._seen += 1
        if place >= ledger.received:
            raise Broken(f"{ledger.name} has never been given {message}")
        given = (ledger._received_ids[place], ledger._received_from[place], ledger._received_numbers[place])
        if given != (id_, account, number):
            raise Broken(f"{ledger.name} was given {given} where the log has {(id_, account, number)}")

    def end(self) -> None:
        """The inbox has ended.

        Raises:
            Broken: something that was acknowledged or delivered is missing from it.
        """
        ledger = self._ledger
        if self._seen != ledger.received:
            lost = ledger._received_ids[self._seen]
            raise Broken(f"{ledger.name} was given the id {lost}, which is not in the log")
        for number, (own, acknowledged) in enumerate(zip(self._own, ledger._ids, strict=True)):
            if own != acknowledged:
                raise Broken(
                    f"message {number} of {ledger.name} was acknowledged as {acknowledged} and is in the log "
                    f"as {own} (0: not at all)"
                )
