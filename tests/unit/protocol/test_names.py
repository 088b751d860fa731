"""User names: which exist, which are the same, which only look the same."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from twocans.protocol.errors import Code
from twocans.protocol.names import (
    NameInvalid,
    NameReserved,
    UserKey,
    new_user_key,
    skeletons,
    user_key,
)
from twocans.protocol.user_names import MAX_NAME_CHARS

LETTERS = st.characters(categories=["Lu", "Ll", "Lo", "Lt", "Lm", "Nd", "Mn"])
plausible = st.text(
    st.one_of(LETTERS, st.sampled_from("-_.ßſΣςİıﬁＡａé")), min_size=1, max_size=MAX_NAME_CHARS
)


def key_or_none(name: str) -> UserKey | None:
    try:
        return user_key(name)
    except NameInvalid:
        return None


def claim(name: str) -> UserKey | NameInvalid | NameReserved:
    try:
        return new_user_key(name)
    except (NameInvalid, NameReserved) as error:
        return error


@given(name=st.one_of(plausible, st.text(max_size=40)))
@example(name="ΣΑΣ")
@example(name="İstanbul")
@example(name="ﬁx")
def test_key_of_a_key_is_itself(name: str) -> None:
    key = key_or_none(name)
    if key is not None:
        assert user_key(key) == key


@given(name=plausible)
def test_composed_and_decomposed_spellings_are_one_name(name: str) -> None:
    key = key_or_none(name)
    decomposed = unicodedata.normalize("NFD", name)
    if key is not None and len(decomposed) <= MAX_NAME_CHARS:
        assert key_or_none(decomposed) == key


@given(name=plausible)
def test_name_and_its_key_look_the_same(name: str) -> None:
    key = key_or_none(name)
    if key is not None:
        assert skeletons(name) & skeletons(key)


@given(name=st.text(max_size=40))
def test_no_text_raises_anything_but_the_two_errors_of_names(name: str) -> None:
    outcome = claim(name)
    if isinstance(outcome, str):
        assert 1 <= len(outcome) <= MAX_NAME_CHARS
        assert not set(outcome) & set(" :,\t\n\r")
    else:
        assert outcome.code in (Code.NAME_INVALID, Code.NAME_RESERVED)
        assert outcome.text.endswith(".")


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "alice",
        "Alice-2",
        "a.b_c-d",
        "7of9",
        "x" * 32,
        "Zoë",
        "Ömer",
        "алиса",
        "愛麗絲",
        "אליס",
        "علي",
        "ひなた",
        "नेहा",
    ],
)
def test_letters_and_digits_of_any_script_make_a_name(name: str) -> None:
    assert new_user_key(name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "missing"),
        ("x" * 33, "too long"),
        ("-alice", "starts with"),
        (".alice", "starts with"),
        ("_alice", "starts with"),
        ("\u0301alice", "starts with"),
        ("two words", "space"),
        ("alice\u00a0b", "space"),
        ("alice:", "sign"),
        ("alice,bob", "sign"),
        ("al\u200bice", "sign"),
        ("al\u202eice", "sign"),
        ("alice\n", "space"),
        ("alice\x00", "sign"),
        ("alice😀", "sign"),
        ("alice☃", "sign"),
        ("Ⅷ", "starts with"),
        ("aliceא", "not allowed"),
        ("ﬁx", "not allowed"),
    ],
)
def test_what_is_no_name_is_told_why(name: str, why: str) -> None:
    with pytest.raises(NameInvalid) as caught:
        new_user_key(name)
    assert why in caught.value.text


@pytest.mark.parametrize(
    "other",
    ["alice", "ALICE", "aLiCe", "Ａｌｉｃｅ", "ａｌｉｃｅ"],
)
def test_case_and_width_make_no_difference(other: str) -> None:
    assert user_key(other) == user_key("Alice")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice", "alicе"),
        ("paypal", "раураl"),
        ("omar", "οmar"),
        ("Bob", "Вob"),
        ("Hans", "Нans"),
        ("Tom", "Тom"),
        ("Nina", "Νina"),
        ("Zoe", "Ζoe"),
        ("ANNA", "АΝΝА"),
        ("victor", "vi\u0307ctor"),
        ("Lidija", "Lidi\u0307j\u0307a"),
        ("bill", "bi\u01c1"),
        ("oedipe", "\u0153dipe"),
        ("bob", "b\u043eb"),
        ("alice", "a\u04cfice"),
        ("alice", "A\u04c0ice"),
        ("\u05d5\u05d3", "\u05df\u05d3"),
        ("\u0628\u0627", "\u0628\u07ca"),
    ],
)
def test_names_that_the_eye_takes_for_one_another_share_a_skeleton(one: str, other: str) -> None:
    assert user_key(one) != user_key(other)
    assert skeletons(one) & skeletons(other)


@pytest.mark.parametrize(
    ("one", "other"), [("alice", "alicia"), ("bob", "rob"), ("zoe", "zoë"), ("анна", "инна")]
)
def test_names_that_differ_to_the_eye_share_none(one: str, other: str) -> None:
    assert not skeletons(one) & skeletons(other)


@pytest.mark.parametrize(
    "name",
    [
        "Server",
        "server",
        "SERVER",
        "Ｓｅｒｖｅｒ",
        "Ѕerver",
        "ѕеrvеr",
        "sеrvеr",
        "serνer",
        "seꮁver",
        "ꜱᴇʀᴠᴇʀ",
    ],
)
def test_server_in_any_spelling_is_reserved(name: str) -> None:
    with pytest.raises((NameReserved, NameInvalid)) as caught:
        new_user_key(name)
    assert caught.value.code is Code.NAME_RESERVED


@pytest.mark.parametrize("name", ["servers", "observer", "my-server", "serve", "serwer"])
def test_names_that_only_resemble_the_server_are_free(name: str) -> None:
    assert new_user_key(name)
