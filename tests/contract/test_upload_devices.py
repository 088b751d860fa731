"""Uploads of the same file by two devices of one account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.http import Document, HttpClient, path_of, upload_ticket
from tests.support.raw import JsonPeer, decode, eventually, hello
from tests.support.serving import Serving, serve
from tests.support.tls import client_context
from twocans.server.settings.config import Concurrency

REPORT = Document(bytes(range(256)) * 400)
CANCELLED = (200, "The upload is cancelled.\n")


class Devices(NamedTuple):
    """A server and two devices of alice."""

    server: Serving
    laptop: JsonPeer
    phone: JsonPeer

    def begin(self, device: JsonPeer, come: int) -> HttpClient:
        """Upload the file until this much of it has come."""
        ticket = upload_ticket(device, REPORT)
        first = ticket.number("offset")
        client = HttpClient(self.server.peer())
        client.begin("PUT", path_of(ticket), length=REPORT.size - first, Content_Range=REPORT.range(first))
        client.peer.sendall(REPORT.content[first:come])
        eventually(lambda: self.come() == come)
        return client

    def cancel(self, device: JsonPeer) -> tuple[int, str]:
        """Cancel it as a device does."""
        with HttpClient(self.server.peer()) as client:
            answer = client.ask("DELETE", path_of(upload_ticket(device, REPORT)))
            return answer.status, answer.text

    def come(self) -> int:
        """Return the number of bytes of it that have come."""
        return upload_ticket(self.laptop, REPORT).number("offset")


@pytest.fixture
def devices(concurrency: Concurrency, tmp_path: Path) -> Iterator[Devices]:
    """Names have devices over TLS only."""
    with serve(concurrency=concurrency, data=tmp_path, tls=client_context()) as server:
        laptop, phone = server.json("alice"), server.peer()
        phone.sendall(hello("alice", secret=laptop.ask("CODE")["code"]))
        token = decode(phone.read_line()).text("token")
        yield Devices(server, laptop, server.json("alice", token=token))


def test_cancelling_on_one_device_leaves_the_upload_of_another(devices: Devices) -> None:
    uploading = devices.begin(devices.laptop, 1000)
    assert devices.cancel(devices.phone) == CANCELLED
    uploading.peer.sendall(REPORT.content[1000:])
    assert uploading.answer().status == 201


def test_cancelling_on_one_device_leaves_what_another_has_brought_and_will_go_on_with(
    devices: Devices,
) -> None:
    devices.begin(devices.laptop, 1000).close()
    assert devices.cancel(devices.phone) == CANCELLED
    assert devices.come() == 1000
    assert devices.cancel(devices.laptop) == CANCELLED
    assert devices.come() == 0


def test_upload_of_two_devices_goes_once_both_have_cancelled_it(devices: Devices) -> None:
    on_laptop = devices.begin(devices.laptop, 1000)
    on_phone = devices.begin(devices.phone, 2000)
    on_laptop.expect_closed()
    assert devices.cancel(devices.phone) == CANCELLED
    on_phone.expect_closed()
    assert devices.come() == 2000
    assert devices.cancel(devices.laptop) == CANCELLED
    assert devices.come() == 0
