"""Every setting of the server: its name, what it means, its default, its unit and what it may be."""

from __future__ import annotations

from typing import Annotated, Final, get_origin

from pydantic import Field, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from twocans.hub.limits import Limits
from twocans.server.operator.log import LogFormat
from twocans.server.settings import kinds
from twocans.server.settings.config import (
    ANY_ADDRESS,
    DEFAULT_PORT,
    NO_DATA_FOLDER,
    Concurrency,
    Config,
    HistoryMode,
    TlsMode,
    default_data_folder,
)
from twocans.server.settings.kinds import Says, Seconds, Whole
from twocans.storage.sqlite import Durability

PREFIX: Final = "TWOCANS_"
FRAME_BYTES: Final = 512
"""How much of a line may be taken by what stands around a text: the verb, a name and a cid."""
_LIMITS: Final = Limits()
_MIB: Final = 1024 * 1024


class Settings(BaseSettings):
    """What can be set. A name is the key in twocans.toml, with TWOCANS_ the variable, with -- the option."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        case_sensitive=True,
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        validate_default=False,
    )

    host: Annotated[kinds.Host, Field(description="the IPv4 address of this computer to listen on")] = (
        ANY_ADDRESS
    )
    port: Annotated[kinds.Port, Field(description="the TCP port; 0 for any")] = DEFAULT_PORT
    data: Annotated[
        kinds.Folder,
        Field(
            default_factory=default_data_folder,
            description="the folder where the server stores everything: messages, its log, the console's history",
        ),
    ]
    concurrency: Annotated[
        kinds.ConcurrencyChoice,
        Field(description="serve all clients from one event loop, or each from a thread of its own"),
    ] = Concurrency.ASYNC
    durability: Annotated[
        kinds.DurabilityChoice,
        Field(
            description="what an acknowledged message survives: the end of this process, or a power cut too"
        ),
    ] = Durability.PROCESS
    history: Annotated[
        kinds.HistoryChoice,
        Field(description="store messages for people who are away and for the history, or store none"),
    ] = HistoryMode.ON
    keep_days: Annotated[kinds.Days, Field(description="how many days a message is kept")] = None
    log_format: Annotated[
        kinds.LogFormatChoice,
        Field(description="sentences for people, or one JSON object a line for machines"),
    ] = LogFormat.TEXT

    background: Annotated[
        kinds.Switch,
        Field(
            description="show nothing: what the server tells goes to console.log in the folder for data, "
            "as when a window has started it"
        ),
    ] = False

    open: Annotated[
        kinds.Switch, Field(description="let everybody in without a code, whatever `invite` is set elsewhere")
    ] = False
    invite: Annotated[
        kinds.Code,
        Field(description="the code that whoever takes a new name has to know, of 4 to 64 characters"),
    ] = None
    tls: Annotated[
        kinds.TlsChoice, Field(description="make encryption optional, or refuse clients without it")
    ] = TlsMode.OFFERED
    cert: Annotated[
        kinds.File, Field(description="the server's certificate as a PEM file; goes with `key`")
    ] = None
    key: Annotated[kinds.File, Field(description="the private key of `cert` as a PEM file")] = None
    allow: Annotated[
        kinds.Networks,
        Says(value="NETWORK", empty="everywhere"),
        Field(description="IPv4 networks or addresses from where people may connect"),
    ] = ()
    deny: Annotated[
        kinds.Networks,
        Says(value="NETWORK", empty="nowhere"),
        Field(description="those from where nobody may connect, even if `allow` has them"),
    ] = ()

    max_file: Annotated[
        kinds.Bytes,
        Field(description="the largest file that people may send, such as 500MB or 2GB; 0 for none"),
    ] = _LIMITS.max_file_bytes
    max_storage: Annotated[
        kinds.Bytes,
        Field(description="how much all files together may take on the disk, half of it those of one person"),
    ] = _LIMITS.max_storage_bytes

    announce: Annotated[
        kinds.Switch,
        Field(description="announce the server to the network, so that windows list it"),
    ] = True

    max_connections: Annotated[
        Whole,
        Says(unit="connections"),
        Field(ge=1, le=1_000_000, description="how many connections may be open at once"),
    ] = _LIMITS.max_connections
    max_connections_per_address: Annotated[
        Whole,
        Says(unit="connections"),
        Field(ge=0, le=1_000_000, description="how many of them from one address; 0 for no limit"),
    ] = _LIMITS.max_connections_per_address
    connection_rate: Annotated[
        kinds.Rate,
        Says(unit="connections per second"),
        Field(
            description="how many new connections per second from one address; ten seconds' worth at once; 0 for no limit"
        ),
    ] = _LIMITS.connection_rate
    registration_s: Annotated[
        Seconds,
        Field(ge=1, le=3600, description="how long a connection may stay without a user name"),
    ] = _LIMITS.registration_s
    max_line_bytes: Annotated[
        Whole,
        Says(unit="bytes"),
        Field(ge=1024, le=16 * _MIB, description="the longest line that a client may send"),
    ] = _LIMITS.max_line_bytes
    max_text_bytes: Annotated[
        Whole,
        Says(unit="bytes"),
        Field(
            ge=100,
            le=16 * _MIB - FRAME_BYTES,
            description=f"the longest text of one message; at most {FRAME_BYTES} bytes less than a line",
        ),
    ] = _LIMITS.max_text_bytes
    rate_limit: Annotated[
        kinds.Rate,
        Field(
            description="messages per second of one name; after a pause `burst_s` worth at once; 0 for no limit"
        ),
    ] = _LIMITS.rate_per_s
    burst_s: Annotated[
        Seconds,
        Field(
            ge=0.1, le=3600, description="how many seconds' worth of messages may come at once after a pause"
        ),
    ] = _LIMITS.burst_s
    send_queue_bytes: Annotated[
        Whole,
        Says(unit="bytes"),
        Field(
            ge=_MIB // 2,
            le=1024 * _MIB,
            description="how much data may wait for a slow client; at least a line",
        ),
    ] = _LIMITS.send_queue_bytes
    failed_logins_per_address: Annotated[
        Whole,
        Says(unit="logins"),
        Field(
            ge=1,
            le=1_000_000,
            description="how many logins of one address may fail within `failed_logins_window_s`",
        ),
    ] = _LIMITS.failed_logins_per_address
    failed_logins_window_s: Annotated[
        Seconds, Field(ge=1, le=86_400, description="for how long a failed login counts")
    ] = _LIMITS.failed_logins_window_s
    new_names_per_address: Annotated[
        Whole,
        Says(unit="names per hour"),
        Field(
            ge=0,
            le=1_000_000,
            description="how many names that nobody had before one address may take within an hour; 0 for no limit",
        ),
    ] = _LIMITS.new_names_per_address
    stored_messages_per_sender: Annotated[
        Whole,
        Says(unit="messages"),
        Field(ge=0, le=1_000_000_000, description="how many messages of one person are kept; 0 for no limit"),
    ] = _LIMITS.stored_messages_per_sender
    stored_bytes_per_sender: Annotated[
        Whole,
        Says(unit="bytes"),
        Field(ge=0, le=10**15, description="how much room the messages of one person take; 0 for no limit"),
    ] = _LIMITS.stored_bytes_per_sender
    stored_bytes_per_address: Annotated[
        Whole,
        Says(unit="bytes"),
        Field(
            ge=0,
            le=10**15,
            description="how much room the messages from one address take that are stored within an hour; 0 for no limit",
        ),
    ] = _LIMITS.stored_bytes_per_address
    max_accounts: Annotated[
        Whole,
        Says(unit="people"),
        Field(ge=1, le=10_000_000, description="how many people the server knows"),
    ] = _LIMITS.max_accounts

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what it is given: `sources` asks each source by itself, to know what comes from where."""
        return (init_settings,)

    def config(self) -> Config:
        """What a server is started with."""
        limits = {name: getattr(self, name) for name in Limits.__struct_fields__ if name in fields()}
        return Config(
            host=self.host,
            port=self.port,
            data=self.data,
            durability=self.durability,
            keep_days=self.keep_days,
            concurrency=self.concurrency,
            history=self.history,
            tls=self.tls,
            cert=self.cert,
            key=self.key,
            invite=None if self.invite is None else self.invite.get_secret_value(),
            allow=self.allow,
            deny=self.deny,
            background=self.background,
            announce=self.announce,
            limits=Limits(
                rate_per_s=self.rate_limit,
                max_file_bytes=self.max_file,
                max_storage_bytes=self.max_storage,
                **limits,
            ),
        )


def fields() -> dict[str, FieldInfo]:
    """All settings by name, in the order in which people are shown them."""
    return Settings.model_fields


def is_switch(name: str) -> bool:
    """Whether an option is enough to turn a setting on, without a value."""
    return fields()[name].annotation is bool


def is_list(name: str) -> bool:
    """Whether a setting may have several values."""
    return get_origin(fields()[name].annotation) is tuple


def says(name: str) -> Says:
    """What people are told of a setting; the last that is said counts."""
    said = [item for item in fields()[name].metadata if isinstance(item, Says)]
    return said[-1] if said else Says()


def allowed(name: str) -> str:
    """What the value of a setting may be, after "has to be"."""
    bounds = {
        bound: getattr(item, bound)
        for item in fields()[name].metadata
        for bound in ("ge", "le")
        if hasattr(item, bound)
    }
    return f"a number from {bounds['ge']} to {bounds['le']}" if bounds else says(name).allowed


def option(name: str, *, off: bool = False) -> str:
    """How a setting is called on the command line; a switch can be turned off there, too."""
    return ("--no-" if off else "--") + name.replace("_", "-")


def variable(name: str) -> str:
    """How a setting is called in the environment."""
    return PREFIX + name.upper()


def shown(name: str, value: object) -> str:
    """A value of a setting, for people; of a code only that there is one."""
    match value:
        case None | ():
            return says(name).empty
        case SecretStr():
            return "(set)"
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.10g}"
        case tuple():
            return ", ".join(str(network) for network in value)
        case _:
            return str(value)


def default(name: str) -> str:
    """The default of a setting, for people."""
    value = fields()[name].get_default(call_default_factory=True)
    return "none, as this user has no home folder" if value == NO_DATA_FOLDER else shown(name, value)
