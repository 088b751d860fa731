"""Drafts that outlive the window: when they are written to disk, and what becomes of them at the next login."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.unit.gui.desk import Desk
from twocans.client.drafts import Draft
from twocans.client.events import Loss, Offline, UserLeft
from twocans.gui.viewmodel.attaching import Attachment
from twocans.gui.viewmodel.drafts import MAX_UNKEPT_S, PAUSE_S
from twocans.gui.viewmodel.effects import Disconnect, KeepDraft, SendFiles, SendMessage
from twocans.gui.viewmodel.inputs import DraftsLoaded, KeptDraft


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.log_in("carol", "bob")
    return desk


def kept(desk: Desk) -> list[Draft]:
    return [effect.draft for effect in desk.all(KeepDraft)]


def load(desk: Desk, *drafts: KeptDraft, problem: str = "") -> None:
    desk.vm.handle(DraftsLoaded(desk.vm.form.session, drafts, problem))


def test_a_draft_is_written_once_typing_pauses(desk: Desk) -> None:
    desk.vm.open("bob")
    for text in ("h", "he", "hel"):
        desk.vm.set_draft(text)
        desk.later(PAUSE_S - 0.1)
    assert kept(desk) == []
    assert desk.vm.next_tick_s <= 0.11
    desk.later(0.1)
    assert kept(desk) == [Draft("bob", "bob", "hel")]
    desk.later(60)
    assert len(kept(desk)) == 1


def test_somebody_who_types_without_a_pause_loses_a_few_seconds_at_most(desk: Desk) -> None:
    desk.vm.open("bob")
    text = ""
    for _ in range(round(10 / 0.25)):
        text += "x"
        desk.vm.set_draft(text)
        desk.later(0.25)
    lengths = [0, *(len(draft.text) for draft in kept(desk)), len(text)]
    steps = [later - earlier for earlier, later in itertools.pairwise(lengths)]
    assert max(steps) <= MAX_UNKEPT_S / 0.25 + 1


@pytest.mark.parametrize("how", ["sent", "emptied"])
def test_a_draft_that_is_sent_or_emptied_is_removed_at_once(desk: Desk, how: str) -> None:
    desk.vm.open("bob")
    desk.vm.set_draft("hello")
    desk.later(PAUSE_S)
    assert kept(desk) == [Draft("bob", "bob", "hello")]
    desk.forget()
    if how == "sent":
        desk.vm.send()
        effects = [type(one) for one in desk.take().effects]
        assert effects.index(SendMessage) < effects.index(KeepDraft), "a crash in between must not lose it"
    else:
        desk.vm.set_draft("")
    assert kept(desk) == [Draft("bob", "bob", "")]
    desk.later(60)
    assert kept(desk) == [Draft("bob", "bob", "")]


def test_attached_files_are_kept_beside_the_text(desk: Desk, tmp_path: Path) -> None:
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    first.write_text("a")
    second.write_text("b")
    desk.vm.open("bob")
    desk.vm.set_draft("look")
    desk.vm.attach([str(first), str(second)])
    desk.later(PAUSE_S)
    assert kept(desk)[-1] == Draft("bob", "bob", "look", (str(first), str(second)))
    desk.vm.detach(str(first))
    desk.later(PAUSE_S)
    assert kept(desk)[-1] == Draft("bob", "bob", "look", (str(second),))
    desk.vm.send()
    assert desk.all(SendFiles)
    assert kept(desk)[-1] == Draft("bob", "bob", "")


@pytest.mark.parametrize("how", ["logout", "kicked", "window"])
def test_what_was_typed_last_is_written_before_the_login_ends(desk: Desk, how: str) -> None:
    desk.vm.open("bob")
    desk.vm.set_draft("to bob")
    desk.vm.open("carol")
    desk.vm.set_draft("to carol")
    if how == "logout":
        desk.vm.back_to_login()
    elif how == "kicked":
        desk.event(Offline(Loss.KICKED, "Out.", None))
    else:
        desk.vm.keep_drafts()
    assert kept(desk) == [Draft("bob", "bob", "to bob"), Draft("carol", "carol", "to carol")]
    effects = [type(one) for one in desk.effects]
    if how != "window":
        assert effects.index(KeepDraft) < effects.index(Disconnect)


def test_drafts_of_an_earlier_time_are_there_for_people_who_are_offline_too(desk: Desk) -> None:
    file = Attachment("/home/plan.pdf", "plan.pdf", 5, picture=False)
    load(
        desk,
        KeptDraft("bob", "half a sentence", (), changed=False),
        KeptDraft("zoe", "", (file,), changed=False),
    )
    assert desk.row("bob").preview == "Draft: half a sentence"
    assert desk.row("zoe").preview == "Draft: plan.pdf"
    assert desk.row("zoe").draft
    desk.vm.open("zoe")
    assert desk.vm.attachments == (file,)
    desk.vm.open("bob")
    assert desk.vm.chats.open is not None
    assert desk.vm.chats.open.draft == "half a sentence"
    desk.later(60)
    assert kept(desk) == [], "what is on disk need not be written again"


def test_files_that_are_gone_are_told_and_the_disk_is_brought_up_to_date(desk: Desk) -> None:
    load(
        desk,
        KeptDraft("bob", "look", (), changed=True),
        KeptDraft("zoe", "", (), changed=True),
        problem="Gone.",
    )
    assert desk.vm.notice is not None
    assert desk.vm.notice.text == "Gone."
    desk.later(PAUSE_S)
    assert set(kept(desk)) == {Draft("bob", "bob", "look"), Draft("zoe", "zoe", "")}
    assert "zoe" not in desk.names


def test_what_was_written_here_meanwhile_is_not_replaced(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.vm.set_draft("new")
    desk.vm.set_draft("")
    desk.vm.open("carol")
    desk.vm.set_draft("newer")
    load(desk, KeptDraft("bob", "old", (), changed=False), KeptDraft("carol", "older", (), changed=False))
    assert desk.vm.chats.open is not None
    assert desk.vm.chats.open.draft == "newer"
    assert not desk.row("bob").draft


def test_the_same_user_has_their_drafts_after_a_login_that_ended_too_early_to_write_them(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.vm.set_draft("hello")
    desk.event(Offline(Loss.KICKED, "Out.", None))
    desk.log_in("bob")
    desk.later(PAUSE_S)
    assert kept(desk) == [Draft("bob", "bob", "hello")]
    assert desk.row("bob").preview == "Draft: hello"


def test_the_drafts_of_one_user_are_never_written_for_another(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.vm.set_draft("hello")
    desk.vm.back_to_login()
    desk.forget()
    desk.vm.form.set_user("dora")
    desk.log_in("bob")
    desk.later(60)
    assert kept(desk) == []
    assert not desk.row("bob").draft


def test_a_draft_to_somebody_who_leaves_is_written_too(desk: Desk) -> None:
    desk.vm.open("bob")
    desk.vm.set_draft("hello")
    desk.event(UserLeft("bob"))
    desk.later(PAUSE_S)
    assert kept(desk) == [Draft("bob", "bob", "hello")]
