"""The window about one's own server: how others join, who is connected, what can be done about them, the log, stopping."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk
from typing import Final

from twocans.gui.theme.theme import Theme
from twocans.gui.transcript.dates import local_moment
from twocans.gui.viewmodel import ViewModel
from twocans.gui.viewmodel.hosting import Stage
from twocans.gui.viewmodel.operating import HostPage
from twocans.gui.views import keys
from twocans.gui.views.common import Act, Field
from twocans.gui.views.dialogs import Dialog, text_width
from twocans.gui.views.host_pages import (
    BanPage,
    BansPage,
    CodePage,
    FreePage,
    KickPage,
    NamePage,
    OperatingPage,
    SayPage,
    flow,
)
from twocans.gui.views.host_people import PeopleRows
from twocans.gui.views.host_sections import CODE_EM, JoinSection, LogSection
from twocans.protocol.plurals import counted

_SIDE_EM: Final = 19
_WIDTH_EM: Final = CODE_EM + 1.6 + _SIDE_EM
_FRAME_EM: Final = 5
_EARLIER: Final = (
    "This server was started by an earlier version of Twocans, which cannot be operated from here. "
    "Stop it and start it again."
)
_PAGES: Final[dict[HostPage, type[OperatingPage]]] = {
    HostPage.KICK: KickPage,
    HostPage.BAN: BanPage,
    HostPage.CODE: CodePage,
    HostPage.FREE: FreePage,
    HostPage.SAY: SayPage,
    HostPage.BANS: BansPage,
    HostPage.NAME: NamePage,
}


class HostDialog(Dialog):
    """Shows one page at a time; Esc goes back to the first, and from there away.

    Args:
        parent: the main window.
        theme: the look.
        vm: what is shown.
        act: carries intents.
    """

    def __init__(self, parent: tk.Tk, theme: Theme, vm: ViewModel, act: Act) -> None:
        super().__init__(parent, theme, "Your server – Twocans")
        self._vm, self._act = vm, act
        em = theme.em
        self._wide = self.area.width >= em(_WIDTH_EM + _FRAME_EM)
        self._width = em(_WIDTH_EM) if self._wide else text_width(self)
        self.body.columnconfigure(0, weight=1, minsize=self._width)
        # In the footer, as they are to be seen however far the page is scrolled.
        self._problem, self._told = (
            ttk.Label(self.footer, style=style, wraplength=self._width, justify="left")
            for style in ("Error.Base.TLabel", "Strong.Base.TLabel")
        )
        self.footer.columnconfigure(0, weight=1)
        self._pages: dict[HostPage, OperatingPage] = {}
        self._shown: OperatingPage | None = None
        self.bind("<Escape>", lambda _: act(vm.hosting.back))
        self.protocol("WM_DELETE_WINDOW", lambda: act(vm.hosting.close))
        self.show()
        self.present(self._pages[vm.operating.page].first)

    def show(self) -> None:
        """Show the page as it is now."""
        operating = self._vm.operating
        page = self._pages.get(operating.page)
        if page is None:
            page = self._pages[operating.page] = self._make(operating.page)
        if page is not self._shown:
            page.enter()
        page.show()
        for label, said in ((self._problem, operating.problem), (self._told, operating.told)):
            label.configure(text=self.theme.drawn(said))
            if said:
                label.grid(row=0, column=0, sticky="w", pady=(0, self.theme.em(0.8)))
            else:
                label.grid_remove()
        if page is not self._shown:
            if self._shown is not None:
                self._shown.grid_remove()
                self._shown.row.grid_remove()
            self._shown = page
            page.grid(row=0, column=0, sticky="nsew")
            page.row.grid(row=1, column=0, sticky="ew")
            self.update_idletasks()
            self._scrolled.show_top()
            page.first.focus_set()
        self._fit_screen()

    def _make(self, page: HostPage) -> OperatingPage:
        if page is HostPage.SERVER:
            return _ServerPage(
                self.body, self.footer, self.theme, self._vm, self._act, self._width, wide=self._wide
            )
        return _PAGES[page](self.body, self.footer, self.theme, self._vm, self._act, self._width)


class _ServerPage(OperatingPage):
    """The first page."""

    def __init__(
        self,
        parent: tk.Misc,
        footer: tk.Misc,
        theme: Theme,
        vm: ViewModel,
        act: Act,
        width: int,
        *,
        wide: bool,
    ) -> None:
        super().__init__(parent, footer, theme, vm, act, width)
        em, hosting, operating = theme.em, vm.hosting, vm.operating
        server = hosting.server
        self._heading = self.text(style="Title.Base.TLabel", below=0.1)
        self._online = self.text(style="Muted.Base.TLabel", below=0.9)
        self._join = JoinSection(self, theme, vm, act, width=width, wide=wide)
        self._join.pack(fill="x", pady=(0, em(1.1)))
        self._takes_commands = server is not None and server.commands
        if self._takes_commands:
            self.text("Who is connected", style="Strong.Base.TLabel", below=0.2)
            self._nobody = self.text(style="Muted.Base.TLabel", below=0.2)
            self._find = Field(self, theme, icon="search")
            self._find.set_placeholder("Search people")
            keys.last(self._find.entry)
            self._find.text.trace_add("write", lambda *_: act(operating.search, self._find.text.get()))
            self._people = PeopleRows(self, theme, vm, act, width)
            self._people.pack(fill="x")
            self._more = self.text(style="Small.Base.TLabel", below=0.0)
            row = ttk.Frame(self, style="Base.TFrame")
            row.pack(fill="x", pady=(em(0.5), em(1.1)))
            buttons = [
                ttk.Button(row, text=text, style="Soft.TButton", cursor="hand2", command=command)
                for text, command in (
                    ("Message to everybody …", lambda: act(operating.write)),
                    ("Bans …", lambda: act(operating.show_bans)),
                    ("Offline names …", lambda: act(operating.show_name)),
                )
            ]
            flow(buttons, width, theme)
            self._bans = buttons[1]
        elif server is not None:
            self.text(_EARLIER, style="Muted.Base.TLabel", below=1.1)
        self._log: LogSection | None = None
        if server is not None and server.background:
            self._log = LogSection(self, theme, vm, act)
            self._log.pack(fill="x")
        else:
            self.text(
                "It was started in a terminal, which shows its log.", style="Small.Base.TLabel", below=0.0
            )
        self._stop = ttk.Button(
            self.row,
            text="Stop server",
            style="Soft.TButton",
            cursor="hand2",
            command=lambda: act(hosting.ask_stop),
        )
        done = ttk.Button(
            self.row, text="Done", style="Primary.TButton", cursor="hand2", command=lambda: act(hosting.close)
        )
        self._stop.pack(side="left")
        done.pack(side="right")
        self.first = done

    def show(self) -> None:
        hosting = self.vm.hosting
        server = hosting.server
        if server is None:
            return
        stopping = hosting.stage is Stage.STOPPING
        since = local_moment(server.started_at)
        self._heading.configure(text="Your server is stopping …" if stopping else "Your server is running")
        people = counted(server.online, "person", "people") if server.online else "Nobody"
        self._online.configure(text=f"{people} online · running since {since:%H:%M}, {since:%d %B}")
        self._stop.state(["disabled" if stopping else "!disabled"])
        self._join.show()
        if self._takes_commands:
            self._show_people()
        if self._log is not None:
            self._log.show()

    def _show_people(self) -> None:
        operating, em = self.operating, self.theme.em
        people, hidden = operating.people, operating.hidden_people
        nobody = ""
        if not operating.loaded:
            nobody = "Loading …"
        elif not people:
            nobody = "Nobody with that in their name." if operating.find.strip() else "Nobody."
        self.put(self._nobody, nobody, before=self._people, below=0.2)
        if hidden or operating.find:
            self._find.pack(fill="x", pady=(0, em(0.4)), before=self._people)
        else:
            self._find.pack_forget()
        self._people.show(people)
        more = f"{hidden:,} more are not shown. Search for them." if hidden else ""
        self.put(self._more, more, after=self._people, below=0.0)
        bans = operating.ban_count
        self._bans.configure(text=f"Bans ({bans:,}) …" if bans else "Bans …")
