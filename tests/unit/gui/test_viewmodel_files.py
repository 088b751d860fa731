"""Files in chats: what is shown of them, what can be done, and which pictures are fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.gui.desk import Desk
from twocans.client.codes import ErrorCode
from twocans.client.events import MessageRefused, MessageStored, TransferMoved
from twocans.client.transfers.model import Transfer, TransferState
from twocans.gui.transcript.model import Bubble, FileAction, FileCard, Status
from twocans.gui.viewmodel.effects import (
    AskFiles,
    AskWhereToSave,
    CancelTransfer,
    FetchFile,
    FetchPicture,
    GoOnWithTransfer,
    OpenFile,
    PauseTransfer,
    Picture,
    SaveToDownloads,
    SendFiles,
    ShowFile,
    ShowNotification,
    ShowPictures,
)
from twocans.gui.viewmodel.filecards import MAX_PICTURE_BYTES
from twocans.gui.viewmodel.inputs import (
    FileRefused,
    PictureCame,
)
from twocans.gui.viewmodel.transcript_changes import (
    Replace,
)
from twocans.protocol.messages import FileRef

HASH = "ab" * 32
OTHER_HASH = "cd" * 32


def upload(state: TransferState, *, done: int = 0, size: int = 2_100_000, text: str = "") -> Transfer:
    return Transfer(
        id="up-1",
        outgoing=True,
        peer="bob",
        name="report.pdf",
        size=size,
        done=done,
        state=state,
        path="/home/alice/report.pdf",
        message_id=None,
        text=text,
    )


def download(
    state: TransferState, *, message: int, done: int = 0, path: str = "/home/alice/Downloads/a.pdf"
) -> Transfer:
    return Transfer(
        id="down-1",
        outgoing=False,
        peer="bob",
        name="a.pdf",
        size=1000,
        done=done,
        state=state,
        path=path,
        message_id=message,
        text="",
    )


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.log_in("bob")
    desk.vm.open("bob")
    desk.forget()
    return desk


def only_bubble(desk: Desk) -> Bubble:
    (bubble,) = desk.vm.bubbles
    return bubble


def card(desk: Desk) -> FileCard:
    found = only_bubble(desk).file
    assert found is not None
    return found


def moved(desk: Desk, transfer: Transfer) -> None:
    desk.event(TransferMoved(transfer))


# --- sending ---


def test_a_file_that_is_sent_is_in_the_chat_at_once_and_tells_how_far_it_is(desk: Desk) -> None:
    moved(desk, upload(TransferState.HASHING))
    assert only_bubble(desk).own
    assert only_bubble(desk).status is Status.WAITING
    assert card(desk).name == "report.pdf"
    assert card(desk).detail == "2.1 MB · getting ready …"
    moved(desk, upload(TransferState.RUNNING, done=500_000))
    assert card(desk).fraction == pytest.approx(500_000 / 2_100_000)
    assert card(desk).actions == (FileAction.PAUSE, FileAction.CANCEL)
    desk.later(10.0)
    moved(desk, upload(TransferState.RUNNING, done=1_300_000))
    assert card(desk).detail == "1.3 MB of 2.1 MB · 10 s left"


def test_only_its_own_bubble_is_drawn_anew(desk: Desk) -> None:
    moved(desk, upload(TransferState.RUNNING))
    desk.take()
    moved(desk, upload(TransferState.RUNNING, done=1))
    (change,) = desk.take().transcript
    assert isinstance(change, Replace)


def test_a_file_that_has_arrived_is_a_message_like_others(desk: Desk) -> None:
    moved(desk, upload(TransferState.RUNNING))
    moved(desk, upload(TransferState.DONE, done=2_100_000))
    file = FileRef(HASH, 2_100_000)
    desk.event(MessageStored("up-1", "bob", "report.pdf", 7, desk.now_ms(), file))
    assert only_bubble(desk).status is Status.SENT
    assert card(desk).detail == "2.1 MB"
    assert card(desk).fraction is None
    assert card(desk).actions == (FileAction.OPEN, FileAction.SHOW)


def test_a_file_that_is_given_up_is_not_in_the_chat_any_more(desk: Desk) -> None:
    moved(desk, upload(TransferState.RUNNING))
    desk.vm.act_on_file("own/up-1", FileAction.CANCEL)
    assert desk.all(CancelTransfer) == [CancelTransfer("up-1")]
    moved(desk, upload(TransferState.CANCELLED))
    assert desk.vm.bubbles == ()


def test_a_failed_file_says_why_and_can_be_tried_again(desk: Desk) -> None:
    moved(desk, upload(TransferState.RUNNING))
    moved(desk, upload(TransferState.FAILED, text="The server's disk is full."))
    assert card(desk).failed
    assert card(desk).detail == "The server's disk is full."
    desk.vm.act_on_file("own/up-1", FileAction.RETRY)
    assert desk.all(GoOnWithTransfer) == [GoOnWithTransfer("up-1")]


def test_a_paused_file_can_go_on(desk: Desk) -> None:
    moved(desk, upload(TransferState.RUNNING, done=100))
    desk.vm.act_on_file("own/up-1", FileAction.PAUSE)
    assert desk.all(PauseTransfer) == [PauseTransfer("up-1")]
    moved(desk, upload(TransferState.PAUSED, done=100))
    assert card(desk).detail == "100 bytes of 2.1 MB · paused"
    assert card(desk).actions == (FileAction.GO_ON, FileAction.CANCEL)


def test_a_file_whose_message_was_refused_is_sent_anew(desk: Desk) -> None:
    moved(desk, upload(TransferState.DONE, done=2_100_000))
    moved(desk, upload(TransferState.RUNNING))
    desk.event(MessageRefused("up-1", "bob", ErrorCode.RATE_LIMITED, "Too many."))
    assert card(desk).failed
    desk.vm.retry("own/up-1")
    assert desk.all(SendFiles) == [SendFiles("bob", ("/home/alice/report.pdf",))]
    assert desk.vm.bubbles == ()


def test_a_file_to_somebody_whose_chat_is_not_open_waits_in_theirs(desk: Desk) -> None:
    desk.vm.close_chat()
    moved(desk, upload(TransferState.RUNNING))
    assert desk.row("bob").preview == "You: File: report.pdf"
    desk.vm.open("bob")
    assert card(desk).name == "report.pdf"


# --- getting ---


def test_a_file_that_comes_can_be_saved_where_the_user_wants(desk: Desk) -> None:
    desk.receive("bob", "a.pdf", file=FileRef(HASH, 1000))
    assert card(desk).detail == "1.0 KB"
    assert card(desk).actions == (FileAction.SAVE, FileAction.SAVE_AS)
    key = only_bubble(desk).key
    desk.vm.act_on_file(key, FileAction.SAVE_AS)
    assert desk.all(AskWhereToSave) == [AskWhereToSave(key, "a.pdf")]
    desk.vm.save_file(key, "/home/alice/x.pdf", replace=False)
    (fetch,) = desk.all(FetchFile)
    assert (fetch.message.text, fetch.path, fetch.replace) == ("a.pdf", "/home/alice/x.pdf", False)


def test_the_name_that_is_offered_leads_nowhere_else(desk: Desk) -> None:
    desk.receive("bob", "../../.bashrc", file=FileRef(HASH, 1))
    desk.vm.act_on_file(only_bubble(desk).key, FileAction.SAVE_AS)
    assert desk.all(AskWhereToSave)[0].name == "bashrc"
    desk.vm.act_on_file(only_bubble(desk).key, FileAction.SAVE)
    assert desk.all(SaveToDownloads)[0].name == "bashrc"


def test_a_file_is_saved_in_the_downloads_with_one_click(desk: Desk) -> None:
    desk.receive("bob", "a.pdf", file=FileRef(HASH, 1000))
    desk.vm.act_on_file(only_bubble(desk).key, FileAction.SAVE)
    (saving,) = desk.all(SaveToDownloads)
    assert (saving.message.text, saving.name) == ("a.pdf", "a.pdf")


def test_a_file_whose_chat_was_left_meanwhile_is_saved_all_the_same(desk: Desk) -> None:
    desk.receive("bob", "a.pdf", file=FileRef(HASH, 1000))
    key = only_bubble(desk).key
    desk.vm.act_on_file(key, FileAction.SAVE_AS)
    desk.vm.close_chat()
    desk.vm.save_file(key, "/home/alice/x.pdf", replace=False)
    assert [fetch.path for fetch in desk.all(FetchFile)] == ["/home/alice/x.pdf"]
    desk.vm.save_file("gone", "/home/alice/y.pdf", replace=False)
    assert desk.vm.notice is not None
    assert desk.vm.notice.text == "“y.pdf” was not saved: its message is no longer here."


def test_files_go_to_whom_they_were_chosen_for(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("a")
    desk.vm.choose_files()
    assert desk.all(AskFiles) == [AskFiles("bob", "bob")]
    desk.vm.close_chat()
    desk.vm.attach_chosen("bob", [str(file)])
    assert desk.vm.chats.open is not None
    assert desk.vm.chats.open.name == "bob"
    assert [one.name for one in desk.vm.attachments] == ["a.txt"]
    desk.vm.back_to_login()
    desk.vm.attach_chosen("bob", [str(file)])
    assert desk.vm.notice is not None
    assert desk.vm.notice.text == "No file was attached: you are not logged in."


def test_what_was_saved_can_be_opened_and_shown_in_its_folder(desk: Desk) -> None:
    number = desk.receive("bob", "a.pdf", file=FileRef(HASH, 1000)).id
    moved(desk, download(TransferState.RUNNING, message=number, done=500))
    assert card(desk).fraction == 0.5
    moved(desk, download(TransferState.DONE, message=number, done=1000))
    assert card(desk).detail == "1.0 KB · saved in Downloads"
    path = "/home/alice/Downloads/a (1).pdf"
    moved(desk, download(TransferState.DONE, message=number, done=1000, path=path))
    assert card(desk).detail == "1.0 KB · saved in Downloads as a (1).pdf"
    moved(desk, download(TransferState.DONE, message=number, done=1000))
    key = only_bubble(desk).key
    desk.vm.act_on_file(key, FileAction.OPEN)
    desk.vm.act_on_file(key, FileAction.SHOW)
    assert desk.all(OpenFile) == [OpenFile("/home/alice/Downloads/a.pdf")]
    assert desk.all(ShowFile) == [ShowFile("/home/alice/Downloads/a.pdf")]


@pytest.mark.parametrize("name", ["a.exe", "a.sh", "a.desktop", "a.bat", "a.html", "a", "a.pdf.lnk", "a.py"])
def test_a_program_is_only_shown_in_its_folder(desk: Desk, name: str) -> None:
    number = desk.receive("bob", name, file=FileRef(HASH, 1000)).id
    moved(desk, download(TransferState.DONE, message=number, path=f"/home/alice/Downloads/{name}"))
    assert card(desk).actions == (FileAction.SHOW,)


def test_a_download_that_is_given_up_can_be_begun_again(desk: Desk) -> None:
    number = desk.receive("bob", "a.pdf", file=FileRef(HASH, 1000)).id
    moved(desk, download(TransferState.RUNNING, message=number))
    moved(desk, download(TransferState.CANCELLED, message=number))
    assert card(desk).actions == (FileAction.SAVE, FileAction.SAVE_AS)


def test_a_file_is_told_of_as_one(desk: Desk) -> None:
    desk.vm.set_in_front(False)
    desk.receive("bob", "a.pdf", file=FileRef(HASH, 1000))
    assert desk.all(ShowNotification)[0].body == "File: a.pdf"
    assert desk.row("bob").preview == "File: a.pdf"


def test_what_does_not_work_is_told(desk: Desk) -> None:
    desk.vm.handle(FileRefused(desk.vm.form.session, "a.pdf is no longer there."))
    assert desk.vm.notice is not None
    assert desk.vm.notice.text == "a.pdf is no longer there."


# --- pictures ---


def test_a_picture_is_fetched_once_and_shown(desk: Desk) -> None:
    desk.receive("bob", "cat.PNG", file=FileRef(HASH, 1000))
    desk.receive("bob", "same.png", file=FileRef(HASH, 1000))
    (fetch,) = desk.all(FetchPicture)
    assert fetch.message.text == "cat.PNG"
    desk.vm.handle(PictureCame(desk.vm.form.session, HASH, "/cache/cat.png"))
    cards = [bubble.file for bubble in desk.vm.bubbles]
    assert [one.picture for one in cards if one is not None] == ["/cache/cat.png"] * 2


def test_a_picture_that_could_not_be_had_is_asked_for_when_the_chat_is_opened_again(desk: Desk) -> None:
    desk.receive("bob", "cat.png", file=FileRef(HASH, 1000))
    desk.vm.handle(PictureCame(desk.vm.form.session, HASH, ""))
    desk.forget()
    desk.vm.close_chat()
    desk.vm.open("bob")
    assert len(desk.all(FetchPicture)) == 1


@pytest.mark.parametrize(
    ("name", "size"), [("cat.txt", 10), ("cat.svg", 10), ("png", 10), ("cat.png", MAX_PICTURE_BYTES + 1)]
)
def test_what_is_no_picture_or_too_large_is_not_fetched_unasked(desk: Desk, name: str, size: int) -> None:
    desk.receive("bob", name, file=FileRef(HASH, size))
    assert not desk.all(FetchPicture)


def test_pictures_of_chats_that_are_not_open_are_not_fetched(desk: Desk) -> None:
    desk.vm.close_chat()
    desk.receive("bob", "cat.png", file=FileRef(HASH, 1000))
    assert not desk.all(FetchPicture)
    desk.vm.open("bob")
    assert len(desk.all(FetchPicture)) == 1


def test_a_click_on_a_picture_shows_it_among_the_others_of_the_chat(desk: Desk) -> None:
    desk.receive("bob", "one.png", file=FileRef(HASH, 1000))
    desk.receive("bob", "a.pdf", file=FileRef("ef" * 32, 1000))
    desk.receive("bob", "two.png", file=FileRef(OTHER_HASH, 1000))
    session = desk.vm.form.session
    desk.vm.handle(PictureCame(session, HASH, "/cache/1.png"))
    desk.vm.handle(PictureCame(session, OTHER_HASH, "/cache/2.png"))
    one, _, two = desk.vm.bubbles
    desk.vm.show_picture(two.key)
    assert desk.all(ShowPictures) == [
        ShowPictures(
            (Picture(one.key, "/cache/1.png", "one.png"), Picture(two.key, "/cache/2.png", "two.png")), 1
        )
    ]
