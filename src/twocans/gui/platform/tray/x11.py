"""The icon in a tray of X11, where it is a window within a window of the desktop.

System Tray Protocol Specification 0.4 and XEmbed 0.5, over a connection to the display of its own that Tk listens to.
"""

from __future__ import annotations

import tkinter as tk
from typing import Final

import structlog
from PIL import Image
from Xlib import X, Xatom, Xutil
from Xlib.display import Display
from Xlib.error import BadWindow, CatchError, ConnectionClosedError, XError
from Xlib.protocol.event import ClientMessage
from Xlib.protocol.rq import Event
from Xlib.xobject.drawable import Window

from twocans.gui import errors
from twocans.gui.platform.tray import NO_TRAY, Answers, Sight
from twocans.gui.platform.tray.picture import picture

_REQUEST_DOCK: Final = 0
_XEMBED_MAPPED: Final = 1
_USUAL_SIZE: Final = 24
_LARGEST: Final = 128
_DEPTH_WITH_ALPHA: Final = 32
_GROUND: Final = (0x20, 0x24, 0x2C)
"""Behind the sign where the tray cannot show through."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class X11Tray:
    """The icon; a tray that comes later gets it too.

    Args:
        root: the window, whose thread and event loop this lives in.
        answers: what the program does about it.

    Raises:
        Xlib.error.DisplayError: the display lets nobody in.
    """

    def __init__(self, root: tk.Tk, answers: Answers) -> None:
        self._root, self._answers = root, answers
        self._display = Display(root.winfo_screen().rpartition(".")[0] or None)
        # A tray may go at any moment, and with it the windows that are talked about.
        self._display.set_error_handler(lambda error, _: log.info("tray_error", reason=str(error)))
        self._screen = self._display.screen()
        self._selection = self._atom(f"_NET_SYSTEM_TRAY_S{self._display.get_default_screen()}")
        self._manager: Window | None = None
        self._window: Window | None = None
        self._depth = 0
        self._size = (_USUAL_SIZE, _USUAL_SIZE)
        self._embedded = False
        self._sight: Sight | None = None
        self._screen.root.change_attributes(event_mask=X.StructureNotifyMask)
        listen = errors.guard(root, self._listen)
        self._root.tk.createfilehandler(self._display, tk.READABLE, lambda *_: listen())
        self._look_for_tray()

    @property
    def problem(self) -> str:
        """Why nobody can see an icon."""
        return "" if self._embedded else NO_TRAY

    def show(self, sight: Sight) -> None:
        """Show the icon so."""
        before, self._sight = self._sight, sight
        if self._window is None:
            self._dock()
        elif before is None or (before.unread, before.dimmed, before.tip) != (
            sight.unread,
            sight.dimmed,
            sight.tip,
        ):
            self._say(sight.tip)
            self._draw()
        self._listen()

    def close(self) -> None:
        """Take it away for good."""
        self._root.tk.deletefilehandler(self._display)
        self._display.close()

    # --- the tray -----------------------------------------------------------------------------------------

    def _atom(self, name: str) -> int:
        return int(self._display.intern_atom(name))

    def _look_for_tray(self) -> None:
        owner: object = self._display.get_selection_owner(self._selection)
        if not isinstance(owner, Window):
            return
        failed = CatchError(BadWindow)
        owner.change_attributes(event_mask=X.StructureNotifyMask, onerror=failed)
        self._display.sync()
        if not failed.get_error():
            self._manager = owner
            self._dock()

    def _dock(self) -> None:
        """Ask the tray to take the icon in."""
        if self._manager is None or self._sight is None:
            return
        self._window = self._make_window(self._manager)
        self._say(self._sight.tip)
        self._window.set_wm_class("twocans-tray", "Twocans")
        self._window.set_wm_normal_hints(flags=Xutil.PMinSize, min_width=_USUAL_SIZE, min_height=_USUAL_SIZE)
        info = self._atom("_XEMBED_INFO")
        self._window.change_property(info, info, 32, [0, _XEMBED_MAPPED])
        request = ClientMessage(
            window=self._manager,
            client_type=self._atom("_NET_SYSTEM_TRAY_OPCODE"),
            data=(32, [X.CurrentTime, _REQUEST_DOCK, self._window.id, 0, 0]),
        )
        self._manager.send_event(request, event_mask=X.NoEventMask)
        self._display.flush()

    def _say(self, tip: str) -> None:
        if self._window is not None:
            utf8 = self._atom("UTF8_STRING")
            self._window.change_property(
                self._atom("_NET_WM_NAME"),
                utf8,
                8,
                tip.encode(errors="replace"),
                onerror=CatchError(BadWindow),
            )

    def _make_window(self, manager: Window) -> Window:
        visual, self._depth = X.CopyFromParent, self._screen.root_depth
        told = manager.get_full_property(self._atom("_NET_SYSTEM_TRAY_VISUAL"), Xatom.VISUALID)
        if told is not None and len(told.value):
            for depth in self._screen.allowed_depths:
                if depth.depth == _DEPTH_WITH_ALPHA and any(
                    one.visual_id == told.value[0] for one in depth.visuals
                ):
                    visual, self._depth = told.value[0], _DEPTH_WITH_ALPHA
        colormap = self._screen.default_colormap
        if self._depth == _DEPTH_WITH_ALPHA:
            colormap = self._screen.root.create_colormap(visual, X.AllocNone)
        window: Window = self._screen.root.create_window(
            0,
            0,
            *self._size,
            0,
            self._depth,
            X.InputOutput,
            visual,
            colormap=colormap,
            background_pixel=0,
            border_pixel=0,
            event_mask=X.ExposureMask | X.StructureNotifyMask | X.ButtonPressMask | X.ButtonReleaseMask,
        )
        return window

    def _lost(self) -> None:
        """The tray is gone, or has thrown the icon out."""
        if self._window is not None:
            self._window.destroy()
        self._window = self._manager = None
        self._set_embedded(False)
        self._look_for_tray()

    def _set_embedded(self, embedded: bool) -> None:
        if embedded != self._embedded:
            self._embedded = embedded
            self._root.after_idle(self._answers.moved)

    # --- what the display says ----------------------------------------------------------------------------

    def _listen(self) -> None:
        try:
            while self._display.pending_events():
                self._take(self._display.next_event())
        except XError as error:
            log.warning("tray_failed", reason=str(error))
            self._lost()
        except ConnectionClosedError:
            self._root.tk.deletefilehandler(self._display)
            self._set_embedded(False)

    def _take(self, event: Event) -> None:
        window = getattr(event, "window", None)  # some are about none
        mine = window is not None and window == self._window
        match event.type:
            case X.ClientMessage if event.client_type == self._atom("MANAGER"):
                if event.data[1][1] == self._selection and self._manager is None:
                    self._look_for_tray()
            case X.DestroyNotify if mine or (window is not None and window == self._manager):
                self._lost()
            case X.ReparentNotify if mine:
                if event.parent == self._screen.root:
                    self._lost()
            case X.MapNotify if mine:
                self._set_embedded(True)
                self._draw()
            case X.UnmapNotify if mine:
                self._set_embedded(False)
            case X.ConfigureNotify if mine:
                self._size = (event.width, event.height)
                self._draw()
            case X.Expose if mine:
                self._draw()
            # At the release, as the display keeps the pointer for this window until then.
            case X.ButtonRelease if mine and event.detail == X.Button1:
                self._answers.open()
            case X.ButtonRelease if mine and event.detail == X.Button3:
                self._answers.popup(event.root_x, event.root_y)

    def _draw(self) -> None:
        if self._window is None or self._sight is None:
            return
        width, height = (min(_LARGEST, side) for side in self._size)
        side = min(width, height)
        sign = picture(side, self._sight.unread, dimmed=self._sight.dimmed)
        ground = (0, 0, 0, 0) if self._depth == _DEPTH_WITH_ALPHA else (*_GROUND, 255)
        image = Image.new("RGBA", (width, height), ground)
        image.alpha_composite(sign, ((width - side) // 2, (height - side) // 2))
        # The display has colours that are multiplied with their opacity, the lowest byte first.
        data = image.convert("RGBa").tobytes("raw", "BGRa")
        gc = self._window.create_gc()
        self._window.put_image(gc.id, 0, 0, width, height, X.ZPixmap, self._depth, 0, data)
        gc.free()
        self._display.flush()
