"""Errors of the protocol carry their code, their sentence and what they are about."""

from __future__ import annotations

from twocans.protocol.errors import Code, ProtocolError

CONTRACT = {
    "bad_request", "unknown_verb", "not_registered", "name_invalid", "name_reserved", "name_taken",
    "auth_required", "auth_failed", "no_such_user", "not_online", "empty", "too_long", "rate_limited",
    "revoked", "last_device", "conflict", "server_full", "banned", "no_such_file", "file_too_large", "storage_full", "internal",
}  # fmt: skip


def test_codes_are_those_of_the_contract() -> None:
    assert {code.value for code in Code} == CONTRACT


def test_error_carries_what_it_is_about() -> None:
    error = ProtocolError(Code.CONFLICT, "That was sent before.", cid="c1", rid=7)
    assert (error.code, error.text, error.cid, error.rid) == (Code.CONFLICT, "That was sent before.", "c1", 7)
    assert str(error) == "That was sent before."
