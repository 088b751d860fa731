"""Reads the settings: from options, the environment and a file, in this order of strength, and remembers which it was."""

from __future__ import annotations

import difflib
import os
import stat
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource, InitSettingsSource

from twocans.protocol.text import spelled_out_line
from twocans.protocol.text_files import decode_text_file
from twocans.server.identity.permissions import SETTINGS_FILE
from twocans.server.operator.log import LogFormat
from twocans.server.settings.config import HOME_MISSING, NO_DATA_FOLDER, SettingsInvalid, default_data_folder
from twocans.server.settings.kinds import shortened
from twocans.server.settings.model import (
    FRAME_BYTES,
    PREFIX,
    Settings,
    allowed,
    fields,
    option,
    shown,
    variable,
)

GOOD_INVITE_CHARS: Final = 8
"""Shorter invites are warned of."""
_LIKENESS: Final = 0.75


class InForce(Struct, frozen=True, kw_only=True):
    """The settings in force.

    Args:
        settings: their values.
        origins: from where each is that is not a default.
        file: the file that was read, or would have been.
        warnings: a sentence for each variable that looks misspelt, and for an invite that is easy to guess.
    """

    settings: Settings
    origins: Mapping[str, str]
    file: Path
    warnings: list[str]


class _Layer:
    """What one source says, and the problems that it has by itself.

    Args:
        given: the values as they were given, by name.
        origin: from where a setting in it is, for people.
        where: the same for a sentence about it.
    """

    def __init__(
        self, given: Mapping[str, Any], origin: Callable[[str], str], where: Callable[[str], str]
    ) -> None:
        self.origin = origin
        self._where = where
        self.problems: list[str] = []
        try:
            settings = Settings(**given)
        except ValidationError as invalid:
            wrong = list(_first_of_each(invalid.errors(include_url=False)))
            self.problems = [self._problem(error) for error in wrong]
            # The rest counts: where the file is may be among it, and that may have problems, too.
            names = {error["loc"][0] for error in wrong}
            settings = Settings(**{name: value for name, value in given.items() if name not in names})
        self.values = {name: getattr(settings, name) for name in settings.model_fields_set}
        if self.values.get("open") and "invite" in self.values:
            self.problems.append(
                f"{where('open')} and {where('invite')} exclude each other: nobody needs a code, or everybody does."
            )

    def _problem(self, error: ErrorDetails) -> str:
        name = str(error["loc"][0])
        where = self._where(name)
        match error["type"]:
            case "extra_forbidden":
                return f"{where} is not a setting.{_hint(name)}"
            case "value_error":
                sentence = str(error["ctx"]["error"])
                return f"{where}: {sentence}{'' if sentence.endswith('?') else '.'}"
            case _:
                return f"{where} is {shortened(error['input'])}, but has to be {allowed(name)}."


def read(options: Mapping[str, Any], *, only: Iterable[str] = ()) -> InForce:
    """The settings in force.

    Args:
        options: what the command line gives, by name; `config` is the file that it names.
        only: the settings that are wanted, if not all; what else is given is not looked at then.

    Raises:
        SettingsInvalid: something that is given cannot be.
    """
    wanted = frozenset(only) or frozenset(fields())

    def typed(name: str) -> str:
        return option(name, off=options[name] is False)

    layers = [
        _Layer(_only(wanted, EnvSettingsSource(Settings, case_sensitive=False)()), variable, variable),
        _Layer(_only(wanted, options), typed, typed),
    ]
    problems = [problem for layer in layers for problem in layer.problems]
    named = options.get("config")
    file = Path(named) if named is not None else _folder(layers) / SETTINGS_FILE
    try:
        # What is found in the folder for data says nothing of what may be wanted alone: which folder that is.
        given = {} if only and named is None else _from_file(file, must_exist=named is not None)
    except SettingsInvalid as invalid:
        problems = invalid.problems + problems
    else:
        if named is None and given.pop("data", None) is not None:
            problems.append(
                f"{file}: data is the folder where this file is found, so it cannot stand in it. "
                "It can in a file that is given by --config."
            )
        given = _only(wanted, given) if only else given
        layers.insert(0, _Layer(_beside(file, given), lambda _: str(file), lambda name: _in_file(file, name)))
        problems = layers[0].problems + problems
    if not any("data" in layer.values for layer in layers) and default_data_folder() == NO_DATA_FOLDER:
        problems.append(HOME_MISSING)
    if problems:
        raise SettingsInvalid(problems, json_log=_log_format(layers) is LogFormat.JSON)
    return _in_force(layers, file)


def _only(wanted: frozenset[str], given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name in wanted}


def _in_file(file: Path, name: str) -> str:
    return f"{file}: {shortened(name)}"


def _folder(layers: Iterable[_Layer]) -> Path:
    """The folder for data as far as it is known without a file."""
    folder = default_data_folder()
    for layer in layers:
        folder = layer.values.get("data", folder)
    return folder


def _log_format(layers: Iterable[_Layer]) -> object:
    """The form of the log as far as it is known; the weakest layer comes first."""
    form: object = None
    for layer in layers:
        form = layer.values.get("log_format", form)
    return form


def _is_there(file: Path) -> bool:
    try:
        return file.exists()
    except OSError:
        return False  # a folder for data that cannot be looked into is told when it is used


def _from_file(file: Path, *, must_exist: bool) -> dict[str, Any]:
    if not must_exist and not _is_there(file):
        return {}
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise SettingsInvalid([f"{file} cannot be read: it is not a file."])
        text = decode_text_file(file.read_bytes())
        return InitSettingsSource(Settings, tomllib.loads(text))()
    except OSError as error:
        raise SettingsInvalid([f"{file} cannot be read ({os.strerror(error.errno or 0)})."]) from None
    except UnicodeDecodeError:
        raise SettingsInvalid([f"{file} cannot be read: it is not UTF-8. Save it as UTF-8."]) from None
    except RecursionError:
        raise SettingsInvalid([f"{file} is not written as TOML is: something is nested too deep."]) from None
    except ValueError as error:
        last = f"at line {len(text.splitlines())}, the last"
        why = str(error).replace("at end of document", last)
        raise SettingsInvalid([f"{file} is not written as TOML is: {why}."]) from None


def _beside(file: Path, given: dict[str, Any]) -> dict[str, Any]:
    """The paths in a file are meant from the folder where it is."""
    return given | {
        name: str(file.parent / value)
        for name in ("data", "cert", "key")
        if isinstance(value := given.get(name), str)
    }


def _first_of_each(errors: Iterable[ErrorDetails]) -> Iterator[ErrorDetails]:
    seen = set()
    for error in errors:
        if error["loc"][0] not in seen:
            seen.add(error["loc"][0])
            yield error


def _hint(name: str) -> str:
    alike = difflib.get_close_matches(name.lower(), fields(), 1, _LIKENESS)
    return f" Did you mean {alike[0]}?" if alike else ""


def _in_force(layers: Iterable[_Layer], file: Path) -> InForce:
    """The stronger of what the layers say, the weakest first.

    Raises:
        SettingsInvalid: they do not go together.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for layer in layers:
        values |= layer.values
        origins |= {name: layer.origin(name) for name in layer.values}
        # The stronger of the two ends the other, wherever that is set.
        for stronger, other in (("invite", "open"), ("open", "invite")):
            if layer.values.get(stronger) and other in values:
                del values[other], origins[other]
    settings = Settings.model_construct(**values)
    problems = list(_contradictions(settings, origins))
    if problems:
        raise SettingsInvalid(problems, json_log=settings.log_format is LogFormat.JSON)
    return InForce(
        settings=settings, origins=origins, file=file, warnings=[*_misspelt(), *_weak(settings, origins)]
    )


def _weak(settings: Settings, origins: Mapping[str, str]) -> Iterator[str]:
    if settings.invite is not None and len(settings.invite.get_secret_value()) < GOOD_INVITE_CHARS:
        yield (
            f"The invite ({origins.get('invite', 'default')}) is short, so somebody may find it by trying. Choose one"
            f" of at least {GOOD_INVITE_CHARS} letters or digits."
        )


def _contradictions(settings: Settings, origins: Mapping[str, str]) -> Iterator[str]:
    def told(name: str) -> str:
        return f"{shortened(shown(name, getattr(settings, name)))} ({origins.get(name, 'default')})"

    if (settings.cert is None) != (settings.key is None):
        there, missing = ("cert", "key") if settings.key is None else ("key", "cert")
        yield f"cert and key belong together: {there} is {told(there)}, but {missing} is not given."
    if "max_file" in origins and settings.max_file > settings.max_storage:
        yield (
            f"max_file is {told('max_file')}, but has to be at most max_storage, which is {told('max_storage')}."
        )
    most = settings.max_line_bytes - FRAME_BYTES
    if settings.max_text_bytes > most:
        yield (
            f"max_text_bytes is {told('max_text_bytes')}, but has to be at most {most}, "
            f"because max_line_bytes is {told('max_line_bytes')}."
        )
    if settings.max_line_bytes > settings.send_queue_bytes:
        yield (
            f"max_line_bytes is {told('max_line_bytes')}, but has to be at most send_queue_bytes, "
            f"which is {told('send_queue_bytes')}."
        )


def _misspelt() -> Iterator[str]:
    known = {name.upper(): name for name in fields()}
    for name in os.environ:
        prefix, rest = name[: len(PREFIX)].upper(), name[len(PREFIX) :].upper()
        if prefix == PREFIX and rest not in known:
            alike = difflib.get_close_matches(rest, known, 1, _LIKENESS)
            if alike:
                yield f"{spelled_out_line(name)} is not a known setting. Did you mean {variable(alike[0])}?"
