"""Makes the pictures in `docs/images`: `python -m tools.screenshots [folder]`, from the repository's root.

It runs a real server and a real client on a display of its own, with a few people who talk to each other.
"""

from __future__ import annotations

import asyncio
import math
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Final

from PIL import Image, ImageDraw, ImageOps

from tests.gui.harness import Display, Person, screenshot, set_environment
from tests.support.process import ServerProcess
from tests.support.raw import JsonPeer, PlainPeer
from tests.support.tls import client_context
from twocans.client import Address, Client, Nearby, NearbyServer, Search, ServerKey
from twocans.client.nearby import Networks
from twocans.gui.backend.settings import Look
from twocans.gui.transcript.model import Bubble, FileAction, FileCard, Status
from twocans.gui.viewmodel.do_not_disturb import Span
from twocans.gui.viewmodel.inputs import (
    ServersNearby,
    ServerTold,
)
from twocans.gui.viewmodel.recent import Recent
from twocans.gui.views.dialogs import Dialog
from twocans.gui.views.viewer import ViewerWindow

FOLDER: Final = Path(__file__).parents[1] / "docs" / "images"
WIDE: Final = (960, 660)
NARROW: Final = (430, 700)
DEVICES: Final = ("Amélie's telephone", "Kitchen")
STATUSES: Final = {"Chiara": "busy", "Olu": "away"}
PEOPLE: Final = ("Ben", "Chiara", "Maximiliane-von-Hohenlohe.Lang", "李小龙", "מרים", "Olu", "Zoë")
NEARBY: Final = tuple(
    NearbyServer(
        name=name,
        address=Address(f"192.168.1.{number + 5}"),
        key=ServerKey(f"{number:064x}"),
        invite=invite,
        online=online,
        seen_at=0.0,
    )
    for number, (name, online, invite) in enumerate((("Workshop", 7, False), ("Reading room", 23, True)))
)

RECENT: Final = (
    Recent(address="192.168.1.5", key=f"{0:064x}", user="Amélie", name="Workshop"),
    Recent(address="10.20.0.4:5051", key=f"{9:064x}", user="Amélie", name="Kitchen"),
)


def main(folder: Path) -> None:
    """Make all pictures."""
    with tempfile.TemporaryDirectory() as temporary:
        display = Display(Path(temporary) / "openbox.log")
        os.environ["DISPLAY"] = display.name
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={temporary}/no-bus"
        os.environ["PATH"] = f"{temporary}{os.pathsep}{os.environ['PATH']}"
        try:
            for look in (Look.LIGHT, Look.DARK):
                set_environment(Path(temporary) / look.value, os.environ.__setitem__)
                make(folder, look)
                make_safe(folder, look, Path(temporary) / f"{look.value}-safe")
                make_files(folder, look, Path(temporary) / f"{look.value}-files")
                make_hosting(folder, look, Path(temporary) / f"{look.value}-host")
                set_environment(Path(temporary) / f"{look.value}-quiet", os.environ.__setitem__)
                make_quiet(folder, look)
        finally:
            display.close()


def make(folder: Path, look: Look) -> None:
    """The pictures in one look."""

    def keep(person: Person, name: str) -> None:
        take(person, folder / f"{name}-{look.value}.png")

    with ServerProcess("--rate-limit", "0") as server:
        with person_at(server.port, None, look, networks=dict) as amelie:
            amelie.wait(lambda: "not connected to a network" in amelie.vm.nearby.text)
            keep(amelie, "login-no-network")
            amelie.vm.nearby.recent = RECENT
            amelie.window.take([ServersNearby(Nearby(Search.DONE, NEARBY))])
            amelie.vm.form.set_user("Amélie")
            amelie.window.refresh()
            keep(amelie, "login")
            resize(amelie, NARROW)
            keep(amelie, "login-narrow")
            resize(amelie, WIDE)
            amelie.vm.form.set_server("192.168.1.5:x")
            amelie.window.refresh()
            amelie.key("Return")
            keep(amelie, "login-error")
        with ExitStack() as stack:
            tls = client_context()
            with PlainPeer(server.port, "Tomás", tls=tls) as away, PlainPeer(server.port, "Priya", tls=tls):
                amelie = stack.enter_context(person_at(server.port, "Amélie", look))
                away.say("Amélie", "I am off to the mountains until Monday. See you then!")
                amelie.wait(lambda: amelie.vm.chats.unread == 1)
                amelie.window.act(amelie.vm.open, "Priya")
                amelie.wait(lambda: not amelie.vm.chats.open or not amelie.vm.chats.open.asked)
                write(amelie, "Could you bring the lake map?")
                amelie.window.act(amelie.vm.close_chat)
            ben = stack.enter_context(JsonPeer(server.port, "Ben", tls=tls))
            plain = {
                name: stack.enter_context(PlainPeer(server.port, name, tls=tls))
                for name in PEOPLE
                if name != "Ben" and name not in STATUSES
            }
            others = {
                name: stack.enter_context(JsonPeer(server.port, name, status=status, tls=tls))
                for name, status in STATUSES.items()
            }
            peers: dict[str, PlainPeer | JsonPeer] = {"Ben": ben, **plain, **others}
            amelie.wait(lambda: len(amelie.names) == len(PEOPLE) + 2)
            talk(amelie, peers, ben)
            keep(amelie, "chat")
            amelie.window.act(amelie.vm.open, "Priya")
            keep(amelie, "offline")
            for name, status in STATUSES.items():
                amelie.window.act(amelie.vm.open, name)
                amelie.wait(lambda: not amelie.vm.chats.open or not amelie.vm.chats.open.asked)
                keep(amelie, status)
            amelie.window.act(amelie.vm.open, "Ben")
            amelie.key("ctrl+shift+f")
            amelie.write("lake")
            amelie.wait(lambda: len(amelie.vm.finder) == 3)
            amelie.key("Down", "Return")
            amelie.wait(lambda: amelie.vm.found_key is not None)
            keep(amelie, "search")
            amelie.key("Escape")
            resize(amelie, NARROW)
            keep(amelie, "narrow-chat")
            amelie.key("Escape")
            keep(amelie, "narrow-list")
            resize(amelie, WIDE)
            peers["Zoë"].say("Amélie", "Did you see the river this morning? All frozen!")
            peers["Zoë"].say("Amélie", "I took pictures.")
            amelie.wait(lambda: amelie.vm.chats.unread == 5)
            keep(amelie, "notification")
            amelie.key("ctrl+k")
            amelie.write("zo")
            keep(amelie, "people")
            amelie.key("Escape")
            amelie.window.act(amelie.vm.open, "Ben")
            server.process.kill()
            amelie.wait(lambda: amelie.vm.banner is not None)
            amelie.write("See you there")
            amelie.key("Return")
            keep(amelie, "disconnect")


def make_safe(folder: Path, look: Look, temporary: Path) -> None:
    """The pictures about keys, codes and who can read along, in one look."""

    def keep(person: Person, name: str) -> None:
        take(person, folder / f"{name}-{look.value}.png")

    set_environment(temporary / "first", os.environ.__setitem__)
    hostname, socket.gethostname = socket.gethostname, lambda: "amelies-desktop"
    with ServerProcess() as server, PlainPeer(server.port, "Noor") as noor, ExitStack() as stack:
        tls = client_context()
        for name in PEOPLE[1:]:
            stack.enter_context(PlainPeer(server.port, name, tls=tls))
        with person_at(server.port, "Amélie", look) as amelie:
            amelie.wait(lambda: len(amelie.names) == len(PEOPLE))
            noor.say("Amélie", "Hello from the terminal in the workshop!")
            amelie.wait(lambda: amelie.vm.chats.unread == 1)
            amelie.window.act(amelie.vm.open, "Noor")
            amelie.wait(lambda: len(amelie.vm.bubbles) == 1)
            keep(amelie, "unencrypted")
            amelie.key("ctrl+d")
            for number, name in enumerate(DEVICES):
                amelie.wait(lambda number=number: len(amelie.vm.devices.rows) == number + 1)  # type: ignore[misc]  # a default binds early
                amelie.window.act(amelie.vm.devices.add)
                amelie.wait(lambda: amelie.vm.devices.code)
                asyncio.run(visit(server.port, amelie.vm.devices.code, name))
            amelie.wait(lambda: len(amelie.vm.devices.rows) == len(DEVICES) + 1)
            keep(amelie, "devices")
            amelie.window.act(amelie.vm.devices.add)
            amelie.wait(lambda: amelie.vm.devices.code)
            keep(amelie, "device-code")
        set_environment(temporary / "second", os.environ.__setitem__)
        with person_at(server.port, None, look) as amelie:
            amelie.vm.form.set_user("Amélie")
            amelie.window.act(amelie.vm.connect)
            amelie.wait(lambda: amelie.vm.form.state.needs)
            keep(amelie, "login-code")
    set_environment(temporary / "first", os.environ.__setitem__)
    with ServerProcess(port=server.port), person_at(server.port, None, look) as amelie:
        amelie.vm.form.set_user("Amélie")
        amelie.window.act(amelie.vm.connect)
        amelie.wait(lambda: amelie.vm.key_change)
        keep(amelie, "key-changed")
    socket.gethostname = hostname


def make_hosting(folder: Path, look: Look, temporary: Path) -> None:
    """The pictures of a server from the window, in one look."""

    def keep(person: Person, name: str) -> None:
        take(person, folder / f"{name}-{look.value}.png")

    set_environment(temporary, os.environ.__setitem__)
    os.environ |= {"TWOCANS_HOST": "127.0.0.1", "TWOCANS_PORT": "0", "TWOCANS_ANNOUNCE": "false"}
    with person_at(1, None, look, networks=dict) as amelie:
        amelie.vm.form.set_user("Amélie")
        amelie.window.act(amelie.vm.hosting.start)
        amelie.wait(lambda: amelie.vm.hosting.server is not None and amelie.vm.hosting.server.online == 1)
        with PlainPeer(int(amelie.vm.form.state.server.rpartition(":")[2]), "Ben", tls=client_context()):
            amelie.wait(lambda: amelie.vm.hosting.others == 1)
            amelie.window.take([ServerTold(2, ("192.168.1.5",))])
            amelie.key("ctrl+h")
            amelie.wait(lambda: "Ben joined" in amelie.vm.hosting.log)
            take_dialog(amelie, folder / f"host-{look.value}.png")
            amelie.key("Escape", "ctrl+q")
            amelie.wait(lambda: "Keep it running" in amelie.labels)
            keep(amelie, "host-question")
            amelie.window.act(amelie.vm.hosting.leave_question)
        amelie.window.act(amelie.vm.hosting.stop)
        amelie.wait(lambda: amelie.vm.hosting.server is None)


def make_files(folder: Path, look: Look, temporary: Path) -> None:
    """The pictures about files, in one look."""

    def keep(person: Person, name: str) -> None:
        take(person, folder / f"{name}-{look.value}.png")

    set_environment(temporary, os.environ.__setitem__)
    temporary.mkdir(parents=True, exist_ok=True)
    photo, sketch = temporary / "Lake in the morning.jpg", temporary / "Sketch.png"
    lake((1600, 1100)).save(photo)
    lake((500, 900)).save(sketch)
    tls = client_context()
    with (
        ServerProcess() as server,
        JsonPeer(server.port, "Ben", tls=tls),
        person_at(server.port, "Amélie", look) as amelie,
    ):
        amelie.wait(lambda: amelie.names == ["Ben"])
        amelie.window.act(amelie.vm.open, "Ben")
        amelie.wait(lambda: amelie.vm.chats.open and not amelie.vm.chats.open.asked)
        amelie.window.chat.transcript.set_bubbles(cards(photo, sketch))
        keep(amelie, "files")
        resize(amelie, NARROW)
        keep(amelie, "files-narrow")
        resize(amelie, WIDE)
        amelie.window.chat.transcript.set_bubbles(cards(photo, sketch)[:3])
        for name in ("Programme of the trip.pdf", "Costs 2026 (third try, with all the tickets).xlsx"):
            (temporary / name).write_bytes(b"x" * 345_678)
            amelie.window.act(amelie.vm.attach, [str(temporary / name)])
        amelie.window.act(amelie.vm.attach, [str(photo)])
        keep(amelie, "files-to-send")
        amelie.window.chat.overlay.show("Ben")
        keep(amelie, "files-drop")
        amelie.window.chat.overlay.hide()
        shown = [(str(path), path.name) for path in (sketch, photo)]
        viewer = ViewerWindow(amelie.root, amelie.app.theme, shown, 1, lambda _: None)
        viewer.geometry(f"{WIDE[0]}x{WIDE[1]}+40+60")
        amelie.wait(lambda: "×" in viewer.title())
        keep(amelie, "viewer")


def cards(photo: Path, sketch: Path) -> list[Bubble]:
    """Files in all states."""
    a = FileAction
    told: tuple[tuple[bool, FileCard], ...] = (
        (False, FileCard(photo.name, "3.4 MB", None, False, (a.SAVE,), str(photo))),
        (False, FileCard("Timetable.pdf", "210 KB · saved in Downloads", None, False, (a.OPEN, a.SHOW), None)),
        (True, FileCard("Songs for the journey.mp3", "Waiting · 8.1 MB", 0.0, False, (a.PAUSE, a.CANCEL), None)),
        (True, FileCard("Films from last year, all of them, in good quality.zip", "412 MB of 1.3 GB · 48 s left",
                        0.31, False, (a.PAUSE, a.CANCEL), None)),
        (True, FileCard(sketch.name, "1.2 MB", None, False, (), str(sketch))),
        (False, FileCard("Film.mp4", "120 MB of 300 MB · paused", 0.4, False, (a.GO_ON, a.CANCEL), None)),
        (False, FileCard("setup.exe", "The server does not have this file any more.", None, True,
                         (a.RETRY, a.CANCEL), None)),
        (True, FileCard("Costs.xlsx", "34 KB", None, False, (), None)),
    )  # fmt: skip
    start = 1_763_000_000_000
    return [
        Bubble(f"card/{number}", own, file.name, start + number * 20_000,
               Status.READ if own else Status.NONE, file=file)
        for number, (own, file) in enumerate(told)
    ]  # fmt: skip


def lake(size: tuple[int, int]) -> Image.Image:
    """A picture to send: hills, water and a sun."""
    width, height = size
    image = Image.linear_gradient("L").resize(size)
    image = ImageOps.colorize(image, "#f7b267", "#1f4e79")
    pen = ImageDraw.Draw(image)
    pen.ellipse((width * 0.62, height * 0.18, width * 0.62 + height * 0.16, height * 0.34), "#fff1c9")
    for step, colour in ((0.50, "#3d5a80"), (0.58, "#2b4162"), (0.68, "#16283f")):
        hill = [(x * width / 40, height * (step + 0.06 * math.sin(x * 0.5 + step * 40))) for x in range(41)]
        pen.polygon([*hill, (width, height), (0, height)], colour)
    return image


def make_quiet(folder: Path, look: Look) -> None:
    """The pictures of the settings and of what does not disturb, in one look, with a tray."""
    tray = ["trayer", "--edge", "bottom", "--align", "right", "--widthtype", "pixel", "--width", "60"]
    with (
        ServerProcess() as server,
        Popen(tray, stdout=DEVNULL, stderr=DEVNULL) as process,  # noqa: S603  nothing in it comes from outside
        ExitStack() as stack,
    ):
        stack.callback(process.terminate)
        peers = {
            name: stack.enter_context(PlainPeer(server.port, name, tls=client_context())) for name in PEOPLE
        }
        amelie = stack.enter_context(person_at(server.port, "Amélie", look))
        amelie.wait(lambda: len(amelie.names) == len(PEOPLE) and not amelie.window.reach.tray_problem)
        amelie.window.act(amelie.vm.quiet.mute, "Zoë", Span.ALWAYS)
        amelie.window.act(amelie.vm.quiet.mute, "Chiara", Span.MORNING)
        for text in ("Did you see the river?", "All frozen!"):
            peers["Zoë"].say("Amélie", text)
        peers["Ben"].say("Amélie", "Nine it is.")
        amelie.wait(lambda: amelie.vm.chats.unread == 3)
        amelie.key("ctrl+comma")
        amelie.await_dialog("Text size")
        take_dialog(amelie, folder / f"settings-{look.value}.png")
        amelie.key("Escape")
        amelie.window.act(amelie.vm.quiet.begin, Span.MORNING)
        amelie.window.act(amelie.vm.open, "Chiara")
        take(amelie, folder / f"quiet-{look.value}.png")


async def visit(port: int, code: str, device: str) -> None:
    """Another device of Amélie's comes, and goes."""
    async with Client(f"127.0.0.1:{port}", "Amélie", secret=code, device=device):
        pass


def take(person: Person, path: Path) -> None:
    """A picture of the window, and of what is over it."""
    settle(person)
    root = person.root
    left, top = root.winfo_rootx(), root.winfo_rooty()
    picture = screenshot().crop((left, top, left + root.winfo_width(), top + root.winfo_height()))
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.convert("RGB").save(path, optimize=True)


def take_dialog(person: Person, path: Path) -> None:
    """A picture of the window over the main one."""
    settle(person)
    dialog = next(one for one in person.root.winfo_children() if isinstance(one, Dialog))
    left, top = dialog.winfo_rootx(), dialog.winfo_rooty()
    picture = screenshot().crop((left, top, left + dialog.winfo_width(), top + dialog.winfo_height()))
    picture.convert("RGB").save(path, optimize=True)


def talk(amelie: Person, peers: dict[str, PlainPeer | JsonPeer], ben: JsonPeer) -> None:
    """A little life."""
    peers["Olu"].say("Amélie", "Thanks!")
    peers["李小龙"].say("Amélie", "你好，今天过得怎么样？")
    peers["מרים"].say("Amélie", "שלום, מה שלומך?")
    amelie.wait(lambda: amelie.vm.chats.unread == 4)
    amelie.window.act(amelie.vm.open, "Olu")
    amelie.window.act(amelie.vm.open, "Ben")
    for own, text in (
        (False, "Good morning! Are we still going to the lake on Saturday?"),
        (True, "Yes! I checked the trains: https://example.org/trains?to=lake"),
        (False, "Perfect."),
        (False, "I bring the canoe, Chiara brings the sandwiches. Anything that you cannot eat?"),
        (True, "Everything is fine 🙂\nShall we meet at nine?"),
        (False, "Nine it is."),
    ):
        count = len(amelie.vm.bubbles)
        if own:
            write(amelie, text)
            if count == 1:  # the later ones are delivered, and not read yet
                ben.send("READ", peer="Amélie", id=ben.expect("MSG").number("id"))
        else:
            peers["Ben"].say("Amélie", text)
        amelie.wait(lambda count=count: len(amelie.vm.bubbles) > count)  # type: ignore[misc]  # a default binds early

    ben.send("GOT", id=ben.expect("MSG").number("id"))
    amelie.wait(lambda: amelie.vm.bubbles[4].status is Status.DELIVERED)


def write(person: Person, text: str) -> None:
    """Write something and send it."""
    person.composer.insert("end", text)
    settle(person)
    person.key("Return")


@contextmanager
def person_at(
    port: int, user: str | None, look: Look, *, networks: Callable[[], Networks] | None = None
) -> Iterator[Person]:
    """Somebody at a window of the usual size."""
    with Person(port=port, user=user, networks=networks) as person:
        person.window._set_look(look)
        person.window.act(person.vm.close_first_use)
        resize(person, WIDE)
        yield person


def resize(person: Person, size: tuple[int, int]) -> None:
    """Make the window so large."""
    person.root.geometry(f"{size[0]}x{size[1]}+40+60")
    person.wait(lambda: (person.root.winfo_width(), person.root.winfo_height()) == size)


def settle(person: Person) -> None:
    """Let everything be drawn, and the pointer be out of the way."""
    person._xdotool("mousemove", "1590", "1090")
    until = time.monotonic() + 0.6
    person.wait(lambda: time.monotonic() > until)
    person.root.update_idletasks()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
