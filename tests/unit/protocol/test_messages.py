"""The vocabulary holds exactly the verbs and fields of the contract."""

from __future__ import annotations

import msgspec.inspect as inspect
import pytest

from twocans.protocol.messages import FROM_CLIENT, FROM_SERVER, Frame

# verb: (required fields, optional fields)
CLIENT = {
    "HELLO": ({"user", "agent"}, {"after", "log", "token", "secret", "invite", "device", "status"}),
    "MSG": ({"to", "text", "cid"}, {"file"}),
    "GOT": ({"id"}, set()),
    "READ": ({"peer", "id"}, set()),
    "TYPING": ({"to"}, set()),
    "STATUS": ({"status"}, set()),
    "HISTORY": ({"peer", "rid"}, {"before", "limit"}),
    "SEARCH": ({"query", "rid"}, {"peer", "before", "limit"}),
    "CHATS": ({"rid"}, set()),
    "FIND": ({"prefix", "rid"}, set()),
    "DEVICES": ({"rid"}, set()),
    "CODE": ({"rid"}, set()),
    "REVOKE": ({"device", "rid"}, set()),
    "SIGNOUT": ({"rid"}, set()),
    "PASSWORD": ({"rid"}, {"password"}),
    "UPLOAD": ({"hash", "size", "rid"}, set()),
    "DOWNLOAD": ({"id", "rid"}, set()),
    "PING": ({"n"}, set()),
    "PONG": ({"n"}, set()),
    "BYE": (set(), set()),
}
SERVER = {
    "WELCOME": (
        {"user", "server", "log", "last", "users", "token", "limits"},
        {"after", "device", "unencrypted", "statuses"},
    ),
    "SYNCED": ({"last"}, set()),
    "JOINED": ({"user"}, {"encrypted", "status"}),
    "LEFT": ({"user"}, set()),
    "PRESENCE": ({"user", "encrypted"}, {"status"}),
    "MSG": ({"id", "at", "from", "to", "text", "cid"}, {"file"}),
    "ACK": ({"cid", "id", "at"}, set()),
    "RECEIPT": ({"peer", "delivered", "read"}, set()),
    "READ": ({"peer", "id"}, set()),
    "TYPING": ({"from"}, set()),
    "HISTORY": ({"rid", "messages", "more"}, set()),
    "RESULTS": ({"rid", "messages", "more"}, set()),
    "CHATS": ({"rid", "chats"}, set()),
    "FOUND": ({"rid", "users"}, set()),
    "DEVICES": ({"rid", "devices", "password"}, {"sessions", "session_count"}),
    "CODE": ({"rid", "code", "valid_s"}, set()),
    "TICKET": ({"rid", "ticket", "offset", "valid_s"}, set()),
    "ERROR": ({"code", "text"}, {"cid", "rid", "needs"}),
    "PING": ({"n"}, set()),
    "PONG": ({"n"}, set()),
    "BYE": ({"reason", "text"}, set()),
}


def fields(kind: type[Frame]) -> tuple[set[str], set[str]]:
    description = inspect.type_info(kind)
    assert isinstance(description, inspect.StructType)
    required = {field.encode_name for field in description.fields if field.required}
    return required, {field.encode_name for field in description.fields} - required


@pytest.mark.parametrize(
    ("kinds", "contract"), [(FROM_CLIENT, CLIENT), (FROM_SERVER, SERVER)], ids=["client", "server"]
)
def test_verbs_and_fields_are_those_of_the_contract(
    kinds: tuple[type[Frame], ...], contract: dict[str, tuple[set[str], set[str]]]
) -> None:
    assert {kind.verb: fields(kind) for kind in kinds} == contract
    assert len(kinds) == len(contract)
