"""What cannot be used now looks so; what is too long, or secret, is shown as such."""

from __future__ import annotations

import tkinter as tk
from dataclasses import replace
from tkinter import ttk

from PIL import Image, ImageChops

from tests.gui.harness import Person, screenshot
from tests.support.process import ServerProcess
from tests.support.raw import PlainPeer
from twocans.gui.theme.fonts import Face
from twocans.gui.theme.theme import Theme
from twocans.gui.viewmodel.state import Need, Part
from twocans.gui.views.viewer import ViewerWindow


def picture_of(widget: tk.Misc) -> Image.Image:
    widget.update()
    x, y = widget.winfo_rootx(), widget.winfo_rooty()
    return screenshot().crop((x, y, x + widget.winfo_width(), y + widget.winfo_height())).convert("RGB")


def drawn_on(theme: Theme, icon: str, size: float, colour: str, ground: str) -> Image.Image:
    """An icon as it is when nothing lies over it."""
    glyph = theme.render_icon(icon, theme.em(size), colour)
    image = Image.new("RGBA", glyph.size, ground)
    image.alpha_composite(glyph)
    return image.convert("RGB")


def shows(button: tk.Misc, icon: Image.Image) -> bool:
    """Whether the icon is in the middle of a button, pixel by pixel but for rounding."""
    face = picture_of(button)
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            left = (face.width - icon.width) // 2 + dx
            top = (face.height - icon.height) // 2 + dy
            found = face.crop((left, top, left + icon.width, top + icon.height))
            difference = ImageChops.difference(found, icon).tobytes()
            if max(difference) <= 8:
                return True
    return False


def test_the_button_that_sends_is_faint_and_smooth_while_nothing_is_written(server: ServerProcess) -> None:
    with PlainPeer(server.port, "bob"), Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        alice.click_on("bob")
        theme, send = alice.app.theme, alice.window.chat.composer._send
        alice.hover(alice.root, 1, 1)
        c = theme.colours
        alice.wait(lambda: shows(send, drawn_on(theme, "send-fill", 1.1, c.disabled, c.soft)))
        alice.write("x")
        alice.wait(lambda: shows(send, drawn_on(theme, "send-fill", 1.1, c.on_accent, c.accent)))


def test_files_cannot_be_sent_to_nobody_and_the_clip_says_so_smoothly(server: ServerProcess) -> None:
    with PlainPeer(server.port, "bob") as bob, Person(port=server.port, user="alice") as alice:
        bob.say("alice", "hi")
        alice.wait(lambda: "Server" in alice.drawn or alice.vm.chats.unread)
        alice.click_on("bob")
        attach, theme = alice.window.chat.composer.attach, alice.app.theme
        alice.hover(alice.root, 1, 1)
        attach.state(["disabled"])
        icon = drawn_on(theme, "paperclip", 1.2, theme.colours.disabled, theme.colours.base)
        alice.wait(lambda: shows(attach, icon))


def test_the_viewers_arrows_at_the_end_are_faint_and_smooth(server: ServerProcess) -> None:
    with Person(port=server.port, user="alice") as alice:
        viewer = ViewerWindow(alice.root, alice.app.theme, [("/nowhere.png", "a.png")], 0, lambda _: None)
        alice.wait(viewer.winfo_viewable)
        arrow = viewer._buttons["chevron-left"]
        assert arrow.instate(["disabled"])
        ground, faint = "#1d232e", "#5c687b"
        alice.wait(lambda: shows(arrow, drawn_on(alice.app.theme, "chevron-left", 1.1, faint, ground)))
        alice.window._set_text_size(1.5)
        alice.wait(lambda: shows(arrow, drawn_on(alice.app.theme, "chevron-left", 1.1, faint, ground)))
        viewer.destroy()


def test_a_check_button_that_cannot_be_used_looks_like_it(server: ServerProcess) -> None:
    with Person(port=server.port, user="alice") as alice:
        alice.key("ctrl+comma")
        alice.await_dialog("Text size")
        button = next(
            one
            for one in alice._widgets()
            if isinstance(one, ttk.Checkbutton) and one.cget("text") == "Play a short sound"
        )
        alice.hover(alice.root, 1, 1)
        seen = set()
        for selected in ("selected", "!selected"):
            for disabled in ("disabled", "!disabled"):
                button.state([selected, disabled])
                seen.add(picture_of(button).tobytes())
        assert len(seen) == 4
        text = alice.app.theme.colours.text
        colours = {colour for _, colour in picture_of(button).getcolors(9999) or []}
        assert tuple(int(text[n : n + 2], 16) for n in (1, 3, 5)) in colours
        button.state(["disabled"])
        colours = {colour for _, colour in picture_of(button).getcolors(9999) or []}
        assert tuple(int(text[n : n + 2], 16) for n in (1, 3, 5)) not in colours


def test_ones_own_long_name_ends_in_an_ellipsis_that_can_be_seen(server: ServerProcess) -> None:
    name = "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
    with Person(port=server.port, user=name) as alice:
        sidebar = alice.window._sidebar
        for width in (700, 1200, 400):
            alice.root.geometry(f"{width}x700")
            alice.wait(lambda width=width: alice.root.winfo_width() == width)  # type: ignore[misc]  # a default binds early
            alice.wait(lambda: str(sidebar._name.cget("text")) != "")
            alice._settle()
            said = str(sidebar._name.cget("text"))
            assert said.endswith("…") or said == name
            room = sidebar.bell_button.winfo_rootx() - sidebar._name.winfo_rootx()
            assert alice.app.theme.measure(Face.TITLE, said) <= room
            # No shorter than there is room for, either.
            longer = name[: len(said)] + "…"
            assert said == name or alice.app.theme.measure(Face.TITLE, longer) > room - 2


def test_a_code_or_password_is_hidden_until_it_is_to_be_shown() -> None:
    with Person(port=1) as alice:
        login = alice.window._login
        alice.vm.form.state = replace(alice.vm.form.state, needs=Need.SECRET)
        alice.window.refresh(Part.LOGIN)
        entry, eye = login._secret.entry, login._secret._eye
        assert eye is not None
        alice.wait(entry.winfo_viewable)
        assert entry.cget("show") == "•"
        alice.click(eye)
        assert entry.cget("show") == ""
        alice.click(eye)
        assert entry.cget("show") == "•"
        alice.click(eye)
        for needs in (None, Need.SECRET):
            alice.vm.form.state = replace(alice.vm.form.state, needs=needs)
            alice.window.refresh(Part.LOGIN)
        assert entry.cget("show") == "•", "the next one is hidden again"


def test_the_chats_menu_is_named_after_what_it_is(server: ServerProcess) -> None:
    with PlainPeer(server.port, "bob"), Person(port=server.port, user="alice") as alice:
        alice.wait(lambda: "bob" in alice.drawn)
        alice.click_on("bob")
        alice.hover(alice.window.chat.menu_button, 9, 9)
        alice.wait(lambda: "Chat menu" in alice.labels)
