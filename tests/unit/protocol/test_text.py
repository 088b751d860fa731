"""Which characters a line and a message's text may hold, and which are spelled out where people read them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twocans.protocol.errors import Code, ProtocolError
from twocans.protocol.text import acting, decode_line, has_control, may_act, spelled_out, spelled_out_line


def read(line: bytes) -> str | ProtocolError:
    try:
        return decode_line(line)
    except ProtocolError as error:
        return error


@given(text=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])))
def test_text_without_control_characters_is_read_as_it_is(text: str) -> None:
    assert decode_line(text.encode()) == text
    assert not has_control(text)


@given(line=st.binary(max_size=100))
def test_no_bytes_raise_anything_but_a_protocol_error(line: bytes) -> None:
    outcome = read(line)
    if isinstance(outcome, str):
        assert all(char == "\t" or unicodedata.category(char) != "Cc" for char in outcome)
    else:
        assert outcome.code is Code.BAD_REQUEST


@given(char=st.characters(categories=["Cc"]), before=st.text("aé \U0001f600"), after=st.text("aé "))
def test_every_control_character_but_tab_is_refused_in_a_line(char: str, before: str, after: str) -> None:
    line = (before + char + after).encode()
    if char == "\t":
        assert decode_line(line) == before + char + after
        return
    with pytest.raises(ProtocolError) as caught:
        decode_line(line)
    assert "control characters" in caught.value.text


@given(char=st.characters(categories=["Cc"]))
def test_only_tab_and_line_feed_are_meant_in_a_message(char: str) -> None:
    assert has_control(f"a{char}b") is (char not in "\t\n")


def test_bytes_that_are_not_utf8_say_so() -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_line(b"\xff\xfe")
    assert "UTF-8" in caught.value.text


# --- what is shown ---------------------------------------------------------------------------------------

# Never part of any writing: controls, embeddings, overrides, isolates, line ends in disguise, annotations, fillers.
_NEVER = (
    {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))} - {"\t", "\n"}
    | {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xFFF9, 0xFFFC))}
    | set("\u2028\u2029\xad\u2060\ufeff\u115f\u1160\u3164\uffa0\U000e0001\U000e0041\U0001d173\ud800")
)
_HIDING = sorted(
    _NEVER | set("\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\ufe00\ufe0f\U000e0061\U000e007f")
)
_SEEN = "ab1#é漢שم\u05b8\u093eक\u094dไ☎👩🏽🏴 \n\t\\"
any_text = st.text(st.characters())
mixed = st.text(st.sampled_from([*_HIDING, *_SEEN]))


@given(text=any_text | mixed)
def test_nothing_that_could_reorder_hide_or_forge_is_left(text: str) -> None:
    shown = spelled_out(text)
    assert acting(shown) == []
    assert not _NEVER & set(shown)
    assert spelled_out(shown) == shown
    assert spelled_out_line(text).isprintable()


@given(text=any_text | mixed)
def test_all_else_stays_as_it_is(text: str) -> None:
    places = set(acting(text))
    assert spelled_out(text, spell=lambda _: "") == "".join(
        char for index, char in enumerate(text) if index not in places
    )
    assert all(
        unicodedata.category(text[index]) in {"Cc", "Cf", "Cn", "Cs", "Lo", "Mn", "Zl", "Zp"}
        for index in places
    )


@given(
    text=st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], include_characters="\t\n")) | mixed
)
def test_many_messages_need_a_look_if_one_does(text: str) -> None:
    text = "".join(char for char in text if char in "\t\n" or unicodedata.category(char) not in {"Cc", "Cs"})
    assert may_act(text, text.encode()) or acting(text) == []


@given(
    text=st.text(
        st.characters(
            codec="utf-8", exclude_categories=["C"], exclude_characters="".join(_HIDING) + "\u17b4\u17b5"
        )
    )
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    if not any(unicodedata.name(char, "").find("SELECTOR") >= 0 for char in text):
        assert spelled_out(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Grüße – “so” it’s 100 % fine…\ta\u00a0b\nnext",
        "می\u200cخواهم",  # Persian
        "क्\u200dष, ക്\u200d",  # Hindi, Malayalam
        "ไป\u200bไหน, ទៅ\u200bណា",  # Thai, Khmer
        "\u1828\u180b\u182f\u180e\u1820",  # Mongolian
        "שלום!\u200f 12",  # Hebrew, with a mark that keeps the sign on its side
        "مرحبا \u200eC++\u200e, \u061c12",
        "👩\u200d👩\u200d👧 ❤\ufe0f\u200d🔥 👍🏽 🧑🏽\u200d💻 1\ufe0f\u20e3 ☎\ufe0e 🇩🇪",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",  # Scotland
        "葛\U000e0100",  # a variant of a Chinese letter
        "ẹ̀́ e\u0301",
    ],
)
def test_what_writing_and_emoji_need_is_kept(text: str) -> None:
    assert spelled_out(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202egnp.exe", "a\\u202egnp.exe"),
        ("\u2067a\u2069", "\\u2067a\\u2069"),
        ("שלום\u202eabc", "שלום\\u202eabc"),
        ("a\u2028MSG: b", "a\\u2028MSG: b"),
        ("pay\u200bpal go\u200dogle s\xadafe", "pay\\u200bpal go\\u200dogle s\\u00adafe"),
        (
            "pay \u200f10 20",
            "pay \\u200f10 20",
        ),  # no right-to-left letter: it would only turn the numbers round
        ("א\u200f\u200f\u200f", "א\u200f\\u200f\\u200f"),
        ("א\npay \u200f10 20", "א\npay \\u200f10 20"),
        ("a\ufe0f 👍\ufe0f\ufe0f", "a\\ufe0f 👍\ufe0f\\ufe0f"),
        ("🏴\U000e0041 hi\U000e0061", "🏴\\U000e0041 hi\\U000e0061"),
        ("👩\u200d \u200d", "👩\\u200d \\u200d"),
        ("\x1b]0;root\x07\x9b2J\x85\r", "\\u001b]0;root\\u0007\\u009b2J\\u0085\\u000d"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_is_not_needed_is_spelled_out(text: str, shown: str) -> None:
    assert spelled_out(text) == shown


def test_longest_message_of_such_characters_takes_no_longer_than_it_is_long() -> None:
    assert spelled_out("א" + "\u200f" * 5_000) == "א\u200f" + "\\u200f" * 4_999
    assert spelled_out("👩\u200d" * 3_000 + "\n" * 5_000).count("\\u200d") == 1
