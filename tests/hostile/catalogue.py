"""All ways to be hostile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.hostile import attacks, logins, requests
from tests.hostile.attacks import Attack

ATTACKS: Final[Mapping[str, Attack]] = {**attacks.ATTACKS, **logins.BY_LOGIN, **requests.BY_HTTP}
