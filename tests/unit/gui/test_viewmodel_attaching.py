"""Files beside a draft: which are taken, which are refused, and what sending does with them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.unit.gui.desk import Desk
from twocans.gui.viewmodel.attaching import MAX_ATTACHMENTS
from twocans.gui.viewmodel.effects import (
    SendFiles,
    SendMessage,
)


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.log_in("bob", "carol")
    desk.vm.open("bob")
    return desk


def file(folder: Path, name: str, size: int = 3) -> str:
    path = folder / name
    path.write_bytes(b"x" * size)
    return str(path)


def names(desk: Desk) -> list[str]:
    return [one.name for one in desk.vm.attachments]


def test_files_are_shown_with_what_is_known_of_them(desk: Desk, tmp_path: Path) -> None:
    desk.vm.attach([file(tmp_path, "a.PNG", 2_100_000), file(tmp_path, "b.txt")])
    picture, text = desk.vm.attachments
    assert (picture.name, picture.size_text, picture.picture) == ("a.PNG", "2.1 MB", True)
    assert (text.name, text.size_text, text.picture) == ("b.txt", "3 bytes", False)


def test_a_file_is_attached_once_and_can_be_taken_out(desk: Desk, tmp_path: Path) -> None:
    one, two = file(tmp_path, "one"), file(tmp_path, "two")
    desk.vm.attach([one, two, one])
    desk.vm.attach([two])
    assert names(desk) == ["one", "two"]
    desk.vm.detach(one)
    assert names(desk) == ["two"]


def test_files_go_before_the_text_that_was_typed_along(desk: Desk, tmp_path: Path) -> None:
    paths = [file(tmp_path, "one"), file(tmp_path, "two")]
    desk.vm.attach(paths)
    desk.vm.set_draft("Here they are")
    desk.forget()
    desk.vm.send()
    desk.take()
    sent = [one for one in desk.effects if isinstance(one, SendFiles | SendMessage)]
    assert sent == [SendFiles("bob", tuple(paths)), SendMessage("bob", "Here they are", "cid-1")]
    assert names(desk) == []
    desk.vm.send()
    assert len(desk.all(SendFiles)) == 1


def test_files_go_without_any_text(desk: Desk, tmp_path: Path) -> None:
    desk.vm.attach([file(tmp_path, "one")])
    desk.vm.send()
    assert len(desk.all(SendFiles)) == 1
    assert not desk.all(SendMessage)


def test_nothing_goes_while_the_text_is_too_long(desk: Desk, tmp_path: Path) -> None:
    desk.vm.attach([file(tmp_path, "one")])
    desk.vm.set_draft("x" * 20_000)
    desk.vm.send()
    assert not desk.all(SendFiles)
    assert names(desk) == ["one"]


def test_every_chat_keeps_its_files(desk: Desk, tmp_path: Path) -> None:
    desk.vm.attach([file(tmp_path, "one")])
    desk.vm.open("carol")
    assert names(desk) == []
    assert desk.row("bob").preview == "Draft: one"
    assert desk.row("bob").draft
    desk.vm.open("bob")
    assert names(desk) == ["one"]


def test_folders_and_files_that_are_gone_are_refused(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "Photos").mkdir()
    desk.vm.attach([str(tmp_path / "Photos"), file(tmp_path, "kept"), str(tmp_path / "gone")])
    assert names(desk) == ["kept"]
    assert desk.vm.notice is not None
    assert desk.vm.notice.text == (
        "“Photos” is a folder. Only files can be sent, so pack it into a ZIP file. 1 more could not be taken."
    )
    desk.vm.attach(["bad\0name"])
    assert desk.vm.notice.text.endswith("cannot be read.")


def test_a_file_that_vanished_since_is_told_of_and_nothing_is_sent_yet(desk: Desk, tmp_path: Path) -> None:
    gone, kept = file(tmp_path, "gone"), file(tmp_path, "kept")
    desk.vm.attach([gone, kept])
    desk.vm.set_draft("both")
    Path(gone).unlink()
    desk.vm.send()
    assert not desk.all(SendFiles)
    assert not desk.all(SendMessage)
    assert names(desk) == ["kept"]
    assert desk.vm.notice is not None
    assert desk.vm.notice.text == "“gone” is not there any more."
    desk.vm.send()
    assert desk.all(SendFiles) == [SendFiles("bob", (kept,))]


def test_no_more_than_so_many_files_at_once(desk: Desk, tmp_path: Path) -> None:
    desk.vm.attach([file(tmp_path, f"{number}") for number in range(MAX_ATTACHMENTS + 5)])
    assert len(desk.vm.attachments) == MAX_ATTACHMENTS
    assert desk.vm.notice is not None
    assert "100" in desk.vm.notice.text


def test_nothing_is_attached_where_nobody_can_be_written_to(desk: Desk, tmp_path: Path) -> None:
    desk.vm.close_chat()
    desk.vm.attach([file(tmp_path, "one")])
    desk.vm.open("SERVER")
    desk.vm.attach([file(tmp_path, "one")])
    assert names(desk) == []


def notice(desk: Desk) -> str:
    return desk.vm.notice.text if desk.vm.notice is not None else ""


def test_an_address_that_is_dropped_is_told_to_be_no_file(desk: Desk) -> None:
    desk.vm.attach(["https://a.example/cat.png"])
    assert names(desk) == []
    assert notice(desk) == (
        "“https://a.example/cat.png” is not a file on this computer. Save it here first, and send that."
    )


def test_a_name_that_is_no_text_is_told(desk: Desk, tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")
    Path(path).write_bytes(b"x")
    desk.vm.attach([path])
    assert names(desk) == []
    assert notice(desk) == "“caf.txt” has a name that is no text. Rename it, and choose it again."


def test_a_name_that_others_could_not_have_is_told_with_what_it_becomes(desk: Desk, tmp_path: Path) -> None:
    desk.vm.attach([file(tmp_path, "a?.txt"), file(tmp_path, "b.txt")])
    assert notice(desk) == f"“a?.txt” is sent as “{names(desk)[0]}”: its name cannot be used on every system."
    assert names(desk)[0] != "a?.txt"
    desk.vm.attach([file(tmp_path, "c?.txt"), file(tmp_path, "d?.txt")])
    assert notice(desk).startswith("“c?.txt” is sent as ")
    assert notice(desk).endswith(" 1 more are renamed, too.")


def test_control_characters_that_cannot_be_sent_are_told(desk: Desk) -> None:
    desk.vm.set_draft("a\x07b\r\nc\td  \n")
    desk.vm.send()
    assert [message.text for message in desk.all(SendMessage)] == ["ab\nc\td"]
    assert notice(desk) == (
        "Your message was sent without the control characters in it: they cannot be sent."
    )


def test_blank_lines_around_a_message_go_without_a_word(desk: Desk) -> None:
    desk.vm.set_draft("\n\nhello\r\n  ")
    desk.vm.send()
    assert [message.text for message in desk.all(SendMessage)] == ["hello"]
    assert notice(desk) == ""
