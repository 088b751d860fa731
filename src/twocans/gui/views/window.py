"""The window: holds the views, carries intents to the view-model, and shows and does what comes of them."""

from __future__ import annotations

import copy
import tkinter as tk
from collections.abc import Callable, Sequence
from tkinter import ttk
from typing import Final, ParamSpec

import platformdirs

from twocans.gui import errors
from twocans.gui.backend.settings import Look, Settings, SettingsFile, changed_fields
from twocans.gui.platform.file_dialogs import FileChooser
from twocans.gui.theme.theme import Theme
from twocans.gui.transcript.destination import Destination
from twocans.gui.transcript.model import FileAction
from twocans.gui.viewmodel import ViewModel
from twocans.gui.viewmodel.effects import (
    AnswerStart,
    AskFiles,
    AskLink,
    AskLook,
    AskWhereToSave,
    Effect,
    Focus,
    ForBackend,
    Picture,
    Place,
    Quit,
    RaiseWindow,
    RememberLogin,
    RememberMuted,
    RememberQuiet,
    RememberServers,
    ShowPictures,
)
from twocans.gui.viewmodel.inputs import (
    FilesChosen,
    Input,
    RingBell,
    StartedAgain,
    SystemLook,
)
from twocans.gui.viewmodel.people import one_line
from twocans.gui.viewmodel.second_start import use_start_options
from twocans.gui.viewmodel.state import Part, Screen
from twocans.gui.viewmodel.transcript_changes import TranscriptChange
from twocans.gui.views import keys, tab_order
from twocans.gui.views.banner import BannerView, NoticeView
from twocans.gui.views.chat import ChatView
from twocans.gui.views.dialog_host import DialogHost
from twocans.gui.views.dialogs import KeysDialog, LinkDialog
from twocans.gui.views.do_not_disturb import add_mute
from twocans.gui.views.focus import has_focus_within
from twocans.gui.views.login import LoginView
from twocans.gui.views.menus import Menu, MenuActions, chat_menu, main_menu
from twocans.gui.views.placement import Placement
from twocans.gui.views.saving import KINDS, SavingView, chat_file_name, form_of
from twocans.gui.views.security import FirstUseView
from twocans.gui.views.settings import SettingsActions, SettingsDialog
from twocans.gui.views.sidebar import Sidebar
from twocans.gui.views.split import Split
from twocans.gui.views.text_editing import TextEditing
from twocans.gui.views.tray_controller import TrayController
from twocans.gui.views.viewer import ViewerWindow

P = ParamSpec("P")
_MAX_ROUNDS: Final = 20


class Window:
    """The main window.

    Args:
        root: from `theme.make_root`.
        theme: the look.
        vm: what is shown.
        do: carries out the effects that are not the window's own.
        settings, file: what is kept.
        system_dark: whether the desktop is dark, None if unknown.
    """

    def __init__(
        self,
        root: tk.Tk,
        theme: Theme,
        vm: ViewModel,
        do: Callable[[ForBackend], None],
        settings: Settings,
        file: SettingsFile,
        *,
        system_dark: bool | None,
        on_quit: Callable[[], None],
    ) -> None:
        self._root, self._theme, self._vm, self._do = root, theme, vm, do
        self._settings, self._file, self._system_dark = settings, file, system_dark
        self._on_quit = on_quit
        self._refreshing = True  # until everything is there to be shown
        self._tick: str | None = None
        self._quitting = False
        self._link_dialog: LinkDialog | None = None
        self._viewer: ViewerWindow | None = None
        self._settings_dialog: SettingsDialog | None = None
        self._placement = Placement(root, theme, settings)
        root.configure(background=theme.colours.base)
        self._login = LoginView(root, theme, vm, self.act)
        self._main = ttk.Frame(root, style="Chat.TFrame")
        self._banner = BannerView(self._main, theme, vm, self.act)
        self._split = Split(self._main, theme, self._narrow)
        self._sidebar = Sidebar(self._split, theme, vm, self.act, self._menu)
        self.chat = ChatView(self._split, theme, vm, self.act, self._chat_menu)
        self._notice = NoticeView(root, theme, vm, self.act)
        self._split.set_panes(self._sidebar, self.chat)
        self._saving = SavingView(self._main, theme, vm, self.act)
        self._first_use = FirstUseView(self._main, theme, vm, self.act)
        self._over = DialogHost(root, theme, vm, self.act)
        self._chooser = FileChooser(root, do, settings, self._save)
        self.reach = TrayController(
            root,
            theme,
            vm,
            self.act,
            settings,
            save=self._save,
            come=self._raise,
            leave=self.close,
            on_change=self._show_settings,
        )
        self._banner_shown = False
        self._screen: Screen | None = None
        theme.on_change(self._restyle)
        self._bind()
        self._split.pack(fill="both", expand=True)
        self._refreshing = False
        self.refresh(Part.ALL)

    # --- intents and inputs -------------------------------------------------------------------------------

    def act(self, intent: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Carry an intent to the view-model and show what comes of it."""
        if self._quitting:
            return
        self._sync()
        try:
            intent(*args, **kwargs)
        finally:
            self.refresh()

    def take(self, inputs: Sequence[Input]) -> None:
        """What the asyncio thread reports."""
        self._sync()
        for what in inputs:
            errors.guard(self._root, self._take)(what)
        self.refresh()

    def _take(self, what: Input) -> None:
        if isinstance(what, SystemLook):
            self._system_dark = what.dark
            self._apply_look()
        elif isinstance(what, RingBell):
            self._root.bell()
        elif isinstance(what, StartedAgain):
            self._start_again(what)
        elif isinstance(what, FilesChosen):
            self._chooser.answered(what)
        self._vm.handle(what)

    def _sync(self) -> None:
        if not self._refreshing:
            self.chat.composer.sync()

    def refresh(self, parts: Part = Part.NONE) -> None:
        """Show what has changed and carry out what is to be done.

        Showing may itself change something, e.g. the transcript tells that its end is in view; that is
        shown in a further round. A part that fails keeps no other from being shown, and no effect from being
        carried out.
        """
        if self._refreshing:
            return
        self._refreshing = True
        try:
            for _ in range(_MAX_ROUNDS):
                update = self._vm.take()
                parts |= update.parts
                if not parts and not update.transcript and not update.effects:
                    break
                if parts or update.transcript:
                    errors.guard(self._root, self._show_transcript)(update.transcript)
                    self._show(parts)
                parts = Part.NONE
                for effect in update.effects:
                    errors.guard(self._root, self._carry_out)(effect)
        finally:
            self._refreshing = False
        self._plan_tick()

    def _show_transcript(self, changes: tuple[TranscriptChange, ...]) -> None:
        self.chat.leave()
        self.chat.change(changes)

    def _show(self, parts: Part) -> None:
        vm = self._vm
        if Part.SCREEN in parts and vm.screen is not self._screen:
            self._screen = vm.screen
            shown, hidden = (
                (self._login, self._main) if vm.screen is Screen.LOGIN else (self._main, self._login)
            )
            hidden.pack_forget()
            shown.pack(fill="both", expand=True)
            self._over.show_screen()
        for part, show in (
            (Part.LOGIN, self._login.show),
            (Part.CHAT, self._show_chat),
            (Part.ME, self._sidebar.show_me),
            (Part.PEOPLE, self._sidebar.show_people),
            (Part.PEOPLE, self.chat.show_invitation),
            (Part.HEADER, self.chat.show_header),
            (Part.COMPOSER, self.chat.composer.show),
            (Part.BANNER, self._show_banner),
            (Part.NOTICE, self._notice.show),
            (Part.SEARCH, self._show_finder),
            (Part.EXPORT, self._show_saving),
            (Part.FIRST_USE, self._show_first_use),
            (Part.KEY_CHANGE, self._over.show_key_change),
            (Part.DEVICES, self._over.show_devices),
            (Part.HOSTING, self._login.show_host),
            (Part.HOSTING, self._over.show_hosting),
            (Part.QUIET, self._show_settings),
        ):
            if part in parts:
                errors.guard(self._root, show)()
        if parts & (Part.TITLE | Part.SCREEN) and self._root.title() != vm.title:
            self._root.title(vm.title)
        if parts & (Part.TITLE | Part.SCREEN | Part.QUIET):
            self.reach.show()

    def _show_chat(self) -> None:
        self.chat.show()
        self._show_pane()

    def _show_settings(self) -> None:
        if self._settings_dialog is not None and self._settings_dialog.winfo_exists():
            self._settings_dialog.show()

    def _show_finder(self) -> None:
        self._sidebar.show_finder()
        self._show_pane()

    def _show_pane(self) -> None:
        finder = self._vm.finder
        self._split.show_second(self._vm.chats.open is not None and (finder.covered or not finder.active))
        if self._split.narrow and finder.active and finder.covered:
            self.chat.transcript.focus_set()  # the results, which had the keyboard, are out of sight

    def _show_saving(self) -> None:
        self._show_line(self._saving, shown=self._saving.show())

    def _show_first_use(self) -> None:
        self._show_line(self._first_use, shown=self._first_use.show())

    def _show_line(self, line: ttk.Frame, *, shown: bool) -> None:
        """A line across the window, above the list and the chat, or nothing of it."""
        if shown:
            line.pack(fill="x", before=self._split)
        else:
            line.pack_forget()

    def _show_banner(self) -> None:
        shown = self._banner.show()
        if shown != self._banner_shown:
            self._banner_shown = shown
            if shown:
                self._banner.pack(fill="x", before=self._split)
            else:
                self._banner.pack_forget()

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Focus(place):
                self._focus(place)
            case AskLink(where):
                self._ask_link(where)
            case RaiseWindow():
                self._raise()
            case RememberLogin(server, user):
                self._settings.server, self._settings.user = server, user
                self._save()
            case ShowPictures(pictures, index):
                self._show_pictures(pictures, index)
            case AskWhereToSave(key, name):
                self._save_file(key, name)
            case AskFiles(key, name):
                self._choose_files(key, name)
            case RememberServers(recent):
                self._settings.recent = list(recent)
                self._save()
            case Quit():
                # Not when idle, which may be in the middle of what else there is to do.
                self._root.after(0, self.quit)
            case RememberQuiet(until_ms):
                self._settings.quiet_until_ms = until_ms
                self._save()
            case RememberMuted(muted):
                self._settings.muted = list(muted)
                self._save()
            case _:
                self._do(effect)

    def _ask_link(self, where: Destination) -> None:
        if self._link_dialog is not None:
            self._link_dialog.destroy()
        self._link_dialog = LinkDialog(
            self._root, self._theme, where, lambda: self.act(self._vm.open_asked_link, where)
        )

    def _plan_tick(self) -> None:
        if self._tick is not None:
            self._root.after_cancel(self._tick)
        self._tick = self._root.after(max(1, round(self._vm.next_tick_s * 1000)), self._on_tick)

    def _on_tick(self) -> None:
        self._tick = None
        self.act(self._vm.tick)

    # --- the window itself --------------------------------------------------------------------------------

    def present(self, *, in_tray: bool = False) -> None:
        """Show the window where it was last time; with `in_tray` only its icon, if the user has chosen that."""
        self._placement.restore()
        if not in_tray or not self.reach.start_hidden():
            self._placement.show_maximised()
            self._root.deiconify()
        self._vm.form.focus()
        self.refresh()

    def close(self) -> None:
        """Close the window, once the user has said what becomes of their own server, if one runs."""
        if self._vm.hosting.asks_before_quitting:
            if self._root.state() != "normal":
                self._raise()
            self.act(self._vm.hosting.ask_quit)
        else:
            self.quit()

    def quit(self) -> None:
        """Close the window; the server is told."""
        if self._quitting:
            return
        self.act(self._vm.keep_drafts)
        self._quitting = True
        self._placement.keep()
        self._placement.close()
        self._save()
        if self._tick is not None:
            self._root.after_cancel(self._tick)
        self._root.withdraw()
        self.reach.close()
        self._on_quit()
        self._root.destroy()

    def _close(self) -> None:
        self._placement.keep()
        self.reach.window_closed()

    def _bind(self) -> None:
        root, vm = self._root, self._vm
        keys.install(root)
        TextEditing(root, self._theme)
        tab_order.install(root)
        for event, action in (
            (keys.SEARCH, self._search),
            (keys.FIND, self._find),
            (keys.FIND_EVERYWHERE, lambda: self.act(vm.find, everywhere=True)),
            (keys.SAVE, self._save_chat),
            (keys.ATTACH, self.chat.composer.choose_files),
            (keys.BACK, self._back),
            (keys.QUIT, self.close),
            (keys.SETTINGS, self._open_settings),
            (keys.LARGER, lambda: self._resize_text(1)),
            (keys.SMALLER, lambda: self._resize_text(-1)),
            (keys.USUAL_SIZE, lambda: self._set_text_size(1.0)),
            (keys.KEYS, lambda: KeysDialog(root, self._theme)),
            (keys.NEXT_CHAT, lambda: self._step(1)),
            (keys.PREVIOUS_CHAT, lambda: self._step(-1)),
            (keys.MENU, lambda: self._menu(self._sidebar.menu_button)),
            (keys.RETRY, lambda: self.act(vm.retry_now)),
            (keys.DEVICES, self._over.open_devices),
            (keys.SECURITY, self._over.open_security),
            (keys.HOSTING, lambda: self.act(vm.hosting.open)),
            (keys.LEAVE, self._leave),
        ):
            keys.bind(root, event, action)
        root.protocol("WM_DELETE_WINDOW", self._close)
        for sequence in ("<Key>", "<Button>", "<Motion>"):
            root.bind_all(sequence, lambda _: self._touched(), add="+")
        for sequence in ("<FocusIn>", "<FocusOut>"):
            root.bind(sequence, lambda _: root.after_idle(self._check_in_front), add="+")
        root.bind("<Unmap>", lambda _: self._check_in_front(), add="+")

    def _touched(self) -> None:
        if self._vm.absence.active():
            self.refresh()

    def _check_in_front(self) -> None:
        """In front is a window that has the keyboard focus."""
        if self._quitting:
            return
        try:
            focused = self._root.tk.call("focus", "-displayof", self._root)
        except tk.TclError:
            focused = ""
        in_front = bool(focused) and self._root.state() not in {"iconic", "withdrawn"}
        if in_front != self._vm.chats.in_front:
            self.act(self._vm.set_in_front, in_front)
            self._sidebar.people.show()
            if in_front:
                self._follow()
            if in_front and self._settings.look is Look.SYSTEM:
                self._do(AskLook())

    def _start_again(self, start: StartedAgain) -> None:
        if not start.in_tray:
            self._raise()
            use_start_options(self._vm, server=start.server, user=start.user, connect=start.connect)
        self._do(AnswerStart(start.number))

    def _raise(self) -> None:
        hidden = self._root.state() == "withdrawn"
        self._root.deiconify()
        if hidden:
            self._placement.show_maximised()
        self._root.lift()
        # A window manager may ignore a mere request for the focus; a short stay on top is always obeyed.
        self._root.attributes("-topmost", True)
        self._root.after_idle(self._root.attributes, "-topmost", False)
        # By name: in a dialog of Tk's own the widget has no object here.
        last = self._root.tk.call("focus", "-lastfor", self._root)
        self._root.tk.call("focus", "-force", last)

    def _focus(self, place: Place) -> None:
        # Tk puts off the focus on what is not on screen yet; keys that are pressed meanwhile would go astray.
        self._root.update_idletasks()
        match place:
            case Place.SERVER | Place.USER | Place.SECRET | Place.CONNECT:
                self._login.focus_on(place)
            case Place.PEOPLE:
                self._sidebar.people.focus_list()
            case Place.SEARCH:
                self._sidebar.focus_search()
            case Place.FINDER:
                self._sidebar.finder.focus_field()
            case Place.COMPOSER:
                self.chat.composer.focus_text()

    # --- actions of the keys and the menu -----------------------------------------------------------------

    def _search(self) -> None:
        if self._vm.screen is Screen.MAIN:
            if self._vm.finder.active:
                self.act(self._vm.end_search)
            if self._split.narrow and self._vm.chats.open is not None:
                self.act(self._vm.close_chat)
            self._sidebar.focus_search()

    def _back(self) -> None:
        vm = self._vm
        if vm.screen is Screen.LOGIN:
            self.act(vm.form.cancel)
        elif vm.finder.active:
            covered = self._split.narrow and vm.finder.covered
            self.act(vm.uncover_found if covered else vm.end_search)
        elif self._sidebar.searching or vm.query:
            self.act(vm.search, "")
            self._sidebar.people.focus_list()
        else:
            self.act(vm.close_chat)

    def _step(self, by: int) -> None:
        if self._vm.screen is Screen.MAIN and not self._vm.finder.active:
            self.act(self._vm.move, by)
            self.act(self._vm.open_selected)

    def _leave(self) -> None:
        if self._vm.screen is Screen.MAIN:
            self.act(self._vm.back_to_login)

    def _open_settings(self) -> None:
        if self._settings_dialog is not None:
            self._settings_dialog.destroy()
        self._settings_dialog = SettingsDialog(
            self._root,
            self._theme,
            self._settings,
            self._vm,
            self.act,
            SettingsActions(
                self._set_look,
                self._set_text_size,
                self._set_sound,
                self._set_notifications,
                self._set_away_after,
            ),
            self.reach,
        )

    def _menu(self, under: tk.Widget) -> None:
        if self._vm.screen is not Screen.MAIN:
            self._open_settings()
            return
        main_menu(
            self._root,
            self._theme,
            self._settings,
            MenuActions(
                set_look=self._set_look,
                set_sound=self._set_sound,
                find=lambda: self.act(self._vm.find, everywhere=True),
                devices=self._over.open_devices,
                security=self._over.open_security,
                hosting=lambda: self.act(self._vm.hosting.open),
                settings=self._open_settings,
                keys=lambda: KeysDialog(self._root, self._theme),
                leave=self._leave,
                quit=self.close,
            ),
            under,
            connected=self._vm.connected,
            hosts=self._vm.hosting.server is not None,
        )

    def _chat_menu(self, under: tk.Widget) -> None:
        chat_menu(
            self._root,
            self._theme,
            find=lambda: self.act(self._vm.find, everywhere=False),
            save=self._save_chat,
            mute=self._add_mute,
            under=under,
        )

    def _add_mute(self, menu: Menu) -> None:
        if self._vm.chats.open is not None:
            add_mute(menu, self._vm, self.act, self._vm.chats.open.name)

    def _find(self) -> None:
        """In the chat if that is where the user is, else everywhere."""
        self.act(self._vm.find, everywhere=has_focus_within(self._sidebar))

    def _show_pictures(self, pictures: Sequence[Picture], index: int) -> None:
        if self._viewer is not None:
            self._viewer.destroy()
        self._viewer = ViewerWindow(
            self._root,
            self._theme,
            [(one.path, one.name) for one in pictures],
            index,
            lambda place: self.act(self._vm.act_on_file, pictures[place].key, FileAction.SAVE_AS),
        )

    def _choose_files(self, key: str, name: str) -> None:
        self._chooser.open_files(
            f"Send files to {one_line(name)}", lambda paths: self.act(self._vm.attach_chosen, key, paths)
        )

    def _save_file(self, key: str, name: str) -> None:
        self._chooser.save_file(
            f"Save {one_line(name)}",
            name,
            lambda path: self.act(self._vm.save_file, key, str(path), replace=path.exists()),
            folder=platformdirs.user_downloads_path(),
        )

    def _save_chat(self) -> None:
        opened = self._vm.chats.open
        if opened is None or self._vm.screen is not Screen.MAIN:
            return
        self._chooser.save_file(
            f"Save the chat with {one_line(opened.name)}",
            chat_file_name(opened.name),
            lambda path: self.act(self._vm.save_chat, str(path), form_of(path), opened.name),
            kinds=KINDS,
        )

    # --- settings -----------------------------------------------------------------------------------------

    def _set_look(self, look: Look) -> None:
        self._settings.look = look
        self._save()
        self._apply_look()

    def _apply_look(self) -> None:
        self._theme.set_dark(is_dark(self._settings.look, self._system_dark))

    def _resize_text(self, by: int) -> None:
        self._set_text_size(self._theme.larger(by))

    def _set_text_size(self, size: float) -> None:
        self._settings.text_size = size
        self._save()
        self._theme.set_text_size(size)

    def _set_sound(self, on: bool) -> None:
        self._settings.sound = self._vm.preferences.sound = on
        self._save()

    def _set_notifications(self, on: bool) -> None:
        self._settings.notifications = self._vm.preferences.notifications = on
        self._save()

    def _set_away_after(self, minutes: int) -> None:
        self._settings.away_after_min = minutes
        self._vm.preferences.away_after_s = minutes * 60
        self._save()
        self.act(self._vm.absence.asked)

    def _save(self) -> None:
        mine = copy.copy(self._settings)
        problem = self._file.save(self._settings)
        self._use_changes(mine)
        if problem:
            self._vm.tell(problem)

    def _follow(self) -> None:
        """Use what another window has changed."""
        mine = copy.copy(self._settings)
        self._file.follow(self._settings)
        self._use_changes(mine)

    def _use_changes(self, mine: Settings) -> None:
        settings, vm = self._settings, self._vm
        changed = changed_fields(mine, settings)
        if not changed or self._quitting:
            return
        vm.preferences.sound, vm.preferences.notifications = settings.sound, settings.notifications
        self._apply_look()
        self._theme.set_text_size(settings.text_size)
        if "away_after_min" in changed:
            vm.preferences.away_after_s = settings.away_after_min * 60
            self.act(vm.absence.asked)
        if "recent" in changed:
            self.act(vm.nearby.follow, settings.recent)
        if changed & {"quiet_until_ms", "muted"}:
            self.act(vm.quiet.follow, settings.quiet_until_ms, settings.muted)
        self._show_settings()

    def _narrow(self, narrow: bool) -> None:
        self.chat.set_narrow(narrow)

    def _restyle(self) -> None:
        self._root.configure(background=self._theme.colours.base)
        self._placement.fit()
        for view in (self._login, self._banner, self._saving, self._first_use, self._sidebar, self.chat):
            view.restyle()
        self._notice.restyle()
        self._split.arrange()
        self._over.restyle()
        self.refresh(Part.ALL)


def is_dark(look: Look, system_dark: bool | None) -> bool:
    """Whether the window is to be dark."""
    return look is Look.DARK or (look is Look.SYSTEM and bool(system_dark))
