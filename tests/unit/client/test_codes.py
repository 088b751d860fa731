"""The codes of errors: those of the protocol are among them, and those of newer servers can be read."""

from __future__ import annotations

from typing import cast

import pytest

from twocans.client import ErrorCode, RequestFailed
from twocans.protocol.errors import Code


def test_every_code_of_the_protocol_is_one_of_the_client() -> None:
    assert {code.name: code.value for code in Code}.items() <= {
        code.name: code.value for code in ErrorCode
    }.items()


def test_code_that_is_not_known_yet_is_read_as_it_is() -> None:
    error = RequestFailed("from_the_future", "Not yet.")
    assert isinstance(error.code, ErrorCode)
    assert (error.code.name, error.code.value) == ("UNKNOWN", "from_the_future")
    assert str(error.code) == error.code == "from_the_future"
    assert error.code not in set(ErrorCode)
    assert error.code == RequestFailed("from_the_future", "").code
    with pytest.raises(ValueError, match="5"):
        ErrorCode(cast("str", 5))


def test_code_equals_its_text() -> None:
    assert RequestFailed("conflict", "").code is ErrorCode.CONFLICT
    counts: dict[str, int] = {ErrorCode.CONFLICT: 1}
    assert counts["conflict"] == 1
