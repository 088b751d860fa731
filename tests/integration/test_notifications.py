"""Notifications on a real session bus, whose service is late, restarts, hangs, or is another one than before."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import structlog
from dbus_fast import BusType, Message
from dbus_fast.aio import MessageBus
from PIL import Image, ImageChops

from tests.support.notifications import Notifications, SessionBus
from tests.support.process import START_S
from twocans.gui.platform import notifications as module
from twocans.gui.platform.notifications import Notifier
from twocans.gui.platform.notifications_dbus import NAME, PATH
from twocans.gui.theme.shapes import sign

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no D-Bus")


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SessionBus]:
    monkeypatch.setenv("TWOCANS_DATA_DIR", str(tmp_path / "data"))
    with SessionBus(tmp_path / "bus") as bus:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.address)
        yield bus


class Desk:
    """A notifier, and whose notifications were clicked."""

    def __init__(self) -> None:
        self.clicked: list[str] = []
        self._changed = asyncio.Event()
        self.notifier = Notifier(self._click)

    def _click(self, peer: str) -> None:
        self.clicked.append(peer)
        self._changed.set()

    async def clicks(self, *peers: str) -> None:
        """Wait until these have been clicked, and nothing else."""
        while len(self.clicked) < len(peers):
            self._changed.clear()
            await self._changed.wait()
        assert self.clicked == list(peers)


@asynccontextmanager
async def working() -> AsyncIterator[Desk]:
    desk = Desk()
    async with asyncio.timeout(START_S):
        yield desk
        await desk.notifier.withdraw(None)
    desk.notifier.close()


def run(scenario: Callable[[], Coroutine[None, None, None]]) -> list[str]:
    """Run a scenario; returns the events that were logged."""
    with structlog.testing.capture_logs() as logs:
        asyncio.run(scenario())
    return [str(one["event"]) for one in logs]


def test_name_and_icon_are_the_programs(bus: SessionBus, tmp_path: Path) -> None:
    async def scenario() -> None:
        with Notifications() as service:
            async with working() as desk:
                await desk.notifier.show("bob", "Bob", "hello")
                said = service.output.wait_for(lambda line: line.startswith("from Twocans "))
                icon = Path(unquote(urlsplit(said.removeprefix("from Twocans ")).path))
                assert icon == tmp_path / "data" / "icon.png"
                with Image.open(icon) as drawn:
                    assert drawn.size == (128, 128)
                    assert ImageChops.difference(drawn.convert("RGBA"), sign(128)).getbbox() is None

    assert run(scenario) == []


def test_icon_that_cannot_be_written_leaves_notifications_without_one(
    bus: SessionBus, tmp_path: Path
) -> None:
    (tmp_path / "data").write_text("")

    async def scenario() -> None:
        with Notifications() as service:
            async with working() as desk:
                await desk.notifier.show("bob", "Bob", "hello")
                service.output.wait_for(lambda line: line == "from Twocans ")

    assert run(scenario) == ["icon_unwritten"]


def test_service_that_comes_late_shows_what_comes_after(bus: SessionBus) -> None:
    async def scenario() -> None:
        async with working() as desk:
            for _ in range(2):
                await desk.notifier.show("bob", "Bob", "too early")
                await desk.notifier.withdraw("bob")
            with Notifications() as service:
                await desk.notifier.show("bob", "Bob", "hello")
                service.wait_for("hello")
                assert not service.shown("too early")
                service.click()
                await desk.clicks("bob")

    assert run(scenario) == ["notifications_unavailable"]


def test_bus_that_comes_late_is_found(bus: SessionBus) -> None:
    bus.stop()

    async def scenario() -> None:
        async with working() as desk:
            await desk.notifier.show("bob", "Bob", "too early")
            bus.start()
            with Notifications() as service:
                await desk.notifier.show("bob", "Bob", "hello")
                service.wait_for("hello")

    assert run(scenario) == ["notifications_unavailable"]


def test_service_that_restarts_shows_and_tells_clicks_as_before(bus: SessionBus) -> None:
    async def scenario() -> None:
        async with working() as desk:
            with Notifications() as service:
                await desk.notifier.show("bob", "Bob", "before")
                service.wait_for("before")
            await desk.notifier.show("bob", "Bob", "in between")
            with Notifications() as service:
                await desk.notifier.show("carol", "Carol", "after")
                service.wait_for("after")
                service.click()
                await desk.clicks("carol")
                await desk.notifier.show("bob", "Bob", "at last")
                service.click()
                await desk.clicks("carol", "bob")

    assert run(scenario) == ["notifications_unavailable"]


def test_numbers_of_a_service_mean_nothing_to_the_next_one(bus: SessionBus) -> None:
    async def scenario() -> None:
        async with working() as desk:
            with Notifications():
                await desk.notifier.show("bob", "Bob", "number 1")
                await desk.notifier.show("carol", "Carol", "number 2")
            with Notifications() as service:
                await desk.notifier.show("dora", "Dora", "number 1 again")
                service.click(2)  # another program's
                await desk.notifier.withdraw("carol")
                await desk.notifier.withdraw("bob")
                service.click(1)
                await desk.clicks("dora")
                assert not service.shown("close")

    assert run(scenario) == []


@pytest.mark.parametrize(("first", "then"), [("", "body-markup"), ("body-markup", "")])
def test_markup_is_escaped_for_the_service_that_is_there_now(bus: SessionBus, first: str, then: str) -> None:
    async def scenario() -> None:
        async with working() as desk:
            for capability in (first, then):
                with Notifications(capability) as service:
                    await desk.notifier.show("bob", "Bob", "<b>hello</b>")
                    service.wait_for("&lt;b&gt;hello&lt;/b&gt;" if capability else "<b>hello</b>")

    assert run(scenario) == []


def test_bus_that_ends_and_comes_back_is_joined_again(bus: SessionBus) -> None:
    async def scenario() -> None:
        async with working() as desk:
            with Notifications() as service:
                await desk.notifier.show("bob", "Bob", "before")
                service.close()
            bus.stop()
            await desk.notifier.show("bob", "Bob", "nowhere")
            bus.start()
            with Notifications() as service:
                await desk.notifier.show("bob", "Bob", "after")
                service.wait_for("after")
                service.click()
                await desk.clicks("bob")

    assert run(scenario) == ["notifications_unavailable"]


def test_service_that_hangs_is_given_up_for_one_notification_only(
    bus: SessionBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with working() as desk:
            with Notifications() as service:
                await desk.notifier.show("bob", "Bob", "before")
                service.hang()
                monkeypatch.setattr(module, "_SERVICE_S", 0.2)
                await desk.notifier.show("bob", "Bob", "not now")
                service.go_on()
                monkeypatch.undo()
                monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.address)
                await desk.notifier.show("bob", "Bob", "after")
                service.wait_for("after")

    assert run(scenario) == ["notifications_unavailable"]


def test_click_that_another_program_pretends_is_ignored(bus: SessionBus) -> None:
    async def scenario() -> None:
        with Notifications() as service:
            async with working() as desk:
                await desk.notifier.show("bob", "Bob", "number 1")
                await desk.notifier.show("carol", "Carol", "number 2")
                other = await MessageBus(bus_type=BusType.SESSION).connect()
                await other.send(Message.new_signal(PATH, NAME, "ActionInvoked", "us", [1, "default"]))
                # The bus answers this when it has passed the signal on.
                await other.introspect("org.freedesktop.DBus", "/org/freedesktop/DBus")
                other.disconnect()
                service.click(2)
                await desk.clicks("carol")

    assert run(scenario) == []


def test_notification_replaces_the_last_one_of_the_same_person_and_is_taken_back(bus: SessionBus) -> None:
    async def scenario() -> None:
        with Notifications() as service:
            async with working() as desk:
                await desk.notifier.show("bob", "Bob", "one")
                await desk.notifier.show("bob", "Bob", "two")
                service.wait_for("close 1")
                await desk.notifier.show("carol", "Carol", "three")
                await desk.notifier.withdraw("bob")
                service.wait_for("close 2")
                await desk.notifier.withdraw("bob")
                await desk.notifier.withdraw(None)
                assert [line for line in service.output.lines() if line.startswith("close")] == [
                    "close 1",
                    "close 2",
                    "close 3",
                ]

    assert run(scenario) == []
