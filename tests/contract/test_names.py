"""Who may have which name, and who is the same person again."""

from __future__ import annotations

import unicodedata

import pytest

from tests.support.raw import Peer, decode, hello
from tests.support.serving import Serving


def refusal(server: Serving, name: str, **fields: str) -> tuple[str, str]:
    """The code and the sentence with which a HELLO is refused."""
    peer = server.peer()
    peer.sendall(hello(name, **fields))
    frame = decode(peer.read_line())
    assert frame.verb == "ERROR", frame
    return frame.text("code"), frame.text("text")


def plain_answer(peer: Peer, name: str) -> str:
    """What a plain client is answered that gives a name."""
    peer.send_line(name)
    return peer.read_line()


@pytest.mark.parametrize("name", ["a", "x" * 32, "Zoë", "алиса", "愛麗絲", "אליס", "علي", "7of9", "a-b_c.d"])
def test_letters_and_digits_of_any_script_make_a_name(server: Serving, name: str) -> None:
    assert server.json(name).name == name
    plain = server.peer()
    assert plain_answer(plain, "reader") == f"LIST: {name}, reader"


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "x" * 33,
        "-a",
        ".a",
        "_a",
        "two words",
        "a:b",
        "a,b",
        "al\u200bice",
        "a\u202eb",
        "😀",
        "a/b",
        "a@b",
    ],
)
def test_what_is_no_name_is_refused_with_the_rule(server: Serving, name: str) -> None:
    code, text = refusal(server, name)
    assert code == "name_invalid"
    assert "1 to 32" in text
    assert plain_answer(server.peer(), name).startswith("MSG: Server: ")


@pytest.mark.parametrize(
    "name", ["Server", "server", "SERVER", "Ｓｅｒｖｅｒ", "Ѕerver", "sеrvеr", "SΕRVΕR", "serνer"]
)
def test_server_in_any_spelling_is_refused(server: Serving, name: str) -> None:
    assert refusal(server, name)[0] == "name_reserved"
    assert plain_answer(server.peer(), name).startswith("MSG: Server: ")


@pytest.mark.parametrize("name", ["MSG", "list", "Hello", "НЕLР"])
def test_words_of_the_protocol_are_no_names_and_whoever_has_one_keeps_it(
    server: Serving, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    peer = server.peer()
    peer.send_line(name)
    assert "is a command here" in peer.read_line()
    peer.sendall(hello(name))
    refusal = decode(peer.read_line())
    assert (refusal.verb, refusal["code"]) == ("ERROR", "name_reserved")
    with monkeypatch.context() as before:  # as it was when they were names like any other
        before.setattr("twocans.hub.admission.is_command_word", lambda _: False)
        first = server.json(name)
        first.reset()
    with server.json(name, token=first.token) as again:
        assert again.name == name


def test_names_with_a_word_of_the_protocol_in_them_are_free(server: Serving) -> None:
    for name in ("msg1", "lister", "my-list", "hello.hello", "Ping"):
        assert server.plain(name).name == name


@pytest.mark.parametrize(
    "other", ["alicé", "Alicé", "ALICÉ", "ａｌｉｃé", unicodedata.normalize("NFD", "alicé")]
)
def test_spellings_that_the_profile_maps_to_one_are_the_same_name(server: Serving, other: str) -> None:
    server.json("Alicé")
    assert refusal(server, other)[0] == "name_taken"
    assert plain_answer(server.peer(), other).startswith("MSG: Server: ")


@pytest.mark.parametrize(
    ("known", "lookalike"),
    [
        ("alice", "аlice"),
        ("omar", "οmar"),
        ("раураl", "paypal"),
        ("Bob", "Вob"),
        ("Hans", "Нans"),
        ("bob", "bοb"),
    ],
)
def test_name_that_the_eye_takes_for_another_is_taken(server: Serving, known: str, lookalike: str) -> None:
    server.json(known)
    code, text = refusal(server, lookalike)
    assert code == "name_taken"
    assert "looks" in text
    answer = plain_answer(server.peer(), lookalike)
    assert answer.startswith("MSG: Server: ")
    assert "looks" in answer


def test_name_that_looks_like_that_of_somebody_known_and_away_is_taken(server: Serving) -> None:
    bob = server.json("bob")
    alice = server.json("alice")
    alice.send("BYE")
    bob.expect("LEFT")
    assert refusal(server, "аlice")[0] == "name_taken"


def test_names_that_differ_to_the_eye_are_two_people(server: Serving) -> None:
    names = ["zoe", "zoë", "alice", "alicia", "bob", "rob", "анна", "инна"]
    for name in names:
        server.json(name)
    assert server.json("last").welcome["users"] == [*names, "last"]


def test_the_spelling_of_the_first_registration_is_shown(server: Serving) -> None:
    alice, bob = server.json("ALICE"), server.json("bob")
    again = server.json("alice", token=alice.token)
    assert again.name == "ALICE"
    bob.say("alicE", "hi")
    assert alice.expect("MSG")["to"] == "ALICE"
    alice.say("BOB", "hi")
    received = bob.expect("MSG")
    assert (received["from"], received["to"]) == ("ALICE", "bob")


def test_name_in_use_is_refused_without_a_token(server: Serving) -> None:
    alice = server.json("alice")
    code, text = refusal(server, "alice")
    assert code == "name_taken"
    assert "alice" in text
    assert alice.drain() == []


def test_name_in_use_by_a_plain_client_is_refused_to_both_dialects(server: Serving) -> None:
    server.plain("alice")
    assert refusal(server, "alice")[0] == "name_taken"
    assert plain_answer(server.peer(), "Alice").startswith("MSG: Server: ")


@pytest.mark.parametrize("token", ["", "x", "0" * 64])
def test_wrong_token_does_not_open_a_name_in_use(server: Serving, token: str) -> None:
    server.json("alice")
    assert refusal(server, "alice", token=token)[0] in ("auth_failed", "name_taken")


def test_token_of_somebody_else_does_not_open_a_name_in_use(server: Serving) -> None:
    server.json("alice")
    bob = server.json("bob")
    assert refusal(server, "alice", token=bob.token)[0] in ("auth_failed", "name_taken")


def test_right_token_is_the_same_person_on_another_device(server: Serving) -> None:
    alice = server.json("alice")
    phone = server.json("Alice", token=alice.token)
    laptop = server.json("alice", token=phone.token)
    assert laptop.welcome["users"] == ["alice"]


def test_token_works_after_everybody_has_left(server: Serving) -> None:
    bob, alice = server.json("bob"), server.json("alice")
    token = alice.token
    alice.send("BYE")
    bob.expect("LEFT")
    again = server.json("alice", token=token)
    server.json("alice", token=again.token)
    server.json("alice", token=token)


def test_token_that_this_server_has_never_given_opens_a_name_that_is_free(server: Serving) -> None:
    """As after a restart of a server that keeps nothing: the client comes back with what it has."""
    alice = server.json("alice", token="0" * 64, after=12, log="another log")
    server.json("alice", token=alice.token)


def test_name_is_free_again_when_its_holder_has_left(server: Serving) -> None:
    watcher = server.plain("watcher")
    for _ in range(3):
        alice = server.plain("alice")
        watcher.await_users(["watcher", "alice"])
        alice.close()
        watcher.await_users(["watcher"])


def test_refused_name_does_not_appear_anywhere(server: Serving) -> None:
    alice = server.json("alice")
    refusal(server, "Alice")
    refusal(server, "two words")
    assert alice.drain() == []
    assert server.json("bob").welcome["users"] == ["alice", "bob"]
