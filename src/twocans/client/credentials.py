"""What one client shows to servers, and to which: a server's key is checked first, and only then is anything looked up."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from msgspec import structs

from twocans.client import sentences
from twocans.client.address import Address
from twocans.client.codes import ErrorCode
from twocans.client.daemon_executor import DaemonExecutor
from twocans.client.errors import TokenLost, TokensUnusable, TrustUnusable
from twocans.client.events import Loss
from twocans.client.link import AttemptFailed
from twocans.client.timing import Ending, Introduction
from twocans.client.tokens import MAX_TOKEN_CHARS, Tokens
from twocans.client.trust import Trust
from twocans.protocol.keys import ServerKey
from twocans.protocol.names import key_of

TOKEN_BYTES: Final = 32
MAX_DEVICE_CHARS: Final = 64

_T = TypeVar("_T")


class Credentials:
    """Keys, tokens, and what is needed only once. All that may block is done in threads.

    Args:
        server: where the server is.
        user: the name to register under.
        trust: the keys of known servers.
        tokens: where tokens are kept.
        secret: a device code or the password.
        invite: what a server asks newcomers for.
        device: what the owner sees this device as.
        expected_key: the key that was announced for the server, if it was; one that is known counts more.
    """

    def __init__(
        self,
        server: Address,
        user: str,
        *,
        trust: Trust,
        tokens: Tokens,
        secret: str | None,
        invite: str | None,
        device: str,
        expected_key: ServerKey | None,
    ) -> None:
        self.problem = ""
        """A sentence for the user if a key or a token cannot be kept; "" if all can."""
        self._server = server
        self._user = key_of(user)
        self._trust = trust
        self._tokens = tokens
        self._secret = secret
        self._invite = invite
        self._device = "".join(char for char in device if char.isprintable())[:MAX_DEVICE_CHARS] or None
        self._expected_key = expected_key
        self._held: dict[ServerKey, str] = {}
        self._unkept = ""
        # Not asyncio's own pool: a keyring may hang, and whoever gives up waiting starts another try.
        self._threads = DaemonExecutor()

    @property
    def are_text(self) -> bool:
        """Whether the secret and the invite can be said at all."""
        try:
            f"{self._secret}{self._invite}".encode()
        except UnicodeEncodeError:
            return False
        return True

    async def introduction(self, key: ServerKey) -> Introduction:
        """What to say to the server that has proved to have a key.

        Raises:
            AttemptFailed: it is not the server that is known, or that or the token cannot be told.
        """
        try:
            if self._expected_key is not None and self._expected_key != key:
                await self._refuse_unless_known(key, self._expected_key)
            met = await asyncio.to_thread(self._trust.meet, self._server, key)
        except TrustUnusable as error:
            raise AttemptFailed(Ending(Loss.UNVERIFIED, error.text, again=False)) from None
        if met.known != key:
            text = sentences.key_changed(str(self._server), key, met.known)
            raise AttemptFailed(Ending(Loss.KEY_CHANGED, text, again=False, key=key, known_key=met.known))
        self.problem = met.problem
        if key not in self._held:
            self._held[key] = await self._token(key)
        return Introduction(
            key=key,
            first_use=met.first_use,
            token=self._held[key],
            secret=self._secret,
            invite=self._invite,
            device=self._device,
        )

    async def _refuse_unless_known(self, key: ServerKey, announced: ServerKey) -> None:
        """Somebody answers where a server with another key was announced; that is not to be kept as its key.

        Raises:
            AttemptFailed: nothing is known of this address.
            TrustUnusable: what is known cannot be read.
        """
        if await asyncio.to_thread(self._trust.key, self._server) is None:
            text = sentences.not_announced(str(self._server), key, announced)
            raise AttemptFailed(Ending(Loss.KEY_CHANGED, text, again=False, key=key))

    async def not_encrypted(self, failed: AttemptFailed) -> AttemptFailed:
        """What answers does not encrypt; that is worse where a server is known."""
        try:
            known = await asyncio.to_thread(self._trust.key, self._server)
        except TrustUnusable as error:
            return AttemptFailed(Ending(Loss.UNVERIFIED, error.text, again=False))
        if known is None:
            return failed
        return AttemptFailed(Ending(failed.ending.loss, sentences.stripped(str(self._server))))

    async def welcomed(self, key: ServerKey, token: str) -> None:
        """The server has let the user in, and this is the token that counts from now on."""
        self._secret = self._invite = None
        if token != self._held.get(key):
            self._held[key] = token
            await self._in_thread(partial(self._put, key, token))

    def explained(self, ending: Ending) -> Ending:
        """Say why a name may be refused that is this user's: the proof of it may be where nothing can be read."""
        if ending.code != ErrorCode.NAME_TAKEN or not self._unkept:
            return ending
        return structs.replace(ending, text=sentences.taken_without_proof(self._unkept, ending.text))

    async def revoked(self) -> None:
        """The tokens that were shown are worth nothing any more."""
        held, self._held = self._held, {}
        await self._in_thread(partial(self._forget, tuple(held)))

    async def _token(self, key: ServerKey) -> str:
        """The token for a server, a new one if there is none.

        Raises:
            AttemptFailed: there may be one, and it cannot be read. A new one would be no proof of an old name.
        """
        try:
            return await self._in_thread(partial(self._find_or_make, key))
        except TokensUnusable as error:
            needs = "secret" if isinstance(error, TokenLost) else None
            ending = Ending(Loss.UNVERIFIED, error.text, ErrorCode.TOKEN_UNREADABLE, again=False, needs=needs)
            raise AttemptFailed(ending) from None

    async def _in_thread(self, call: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _find_or_make(self, key: ServerKey) -> str:
        token = self._tokens.get(key, self._user)
        if token is None or not (
            0 < len(token) <= MAX_TOKEN_CHARS and token.isascii() and token.isprintable()
        ):
            token = secrets.token_hex(TOKEN_BYTES)
            # It is kept before the server knows it: a crash in between loses no name.
            self._put(key, token)
        return token

    def _put(self, key: ServerKey, token: str) -> None:
        try:
            self._tokens.put(key, self._user, token)
        except TokensUnusable as error:
            self.problem = self._unkept = error.text

    def _forget(self, keys: tuple[ServerKey, ...]) -> None:
        for key in keys:
            try:
                self._tokens.forget(key, self._user)
            except TokensUnusable as error:
                self.problem = error.text
