"""Which members of JSON, fields of forms and elements of markup hold secrets or telephone numbers, by their names."""

from __future__ import annotations

import re
from typing import Final

from replay.privacy.headers import Known, is_secret

_MEMBER: Final = re.compile(r"\.([^.\[\]]+)|\['((?:[^'\\]|\\.)*)'\]|\[\?[^\]]*\]")
SECRET: Final = "secret"  # noqa: S105 - a name
"""The name under which everything is secret."""
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SECRET: Final = re.compile(
    r"(?:.*-)?(?:pwd|pass|pin|cvv2?|cvc2?|otp|ssn|private-key|sig|api-?key|connection-string|(?:php|j)?sess(?:ion)?-?id)"
)
_HOLDER: Final = re.compile(r"(?:.*-)?(?:cookies|credentials|secrets|passwords|tokens|api-keys)")
_PHONE: Final = re.compile(
    r"(?:.*-)?(?:tele)?(?:phone|mobile|fax|msisdn|tel|cell|telefon|handy)(?:-?(?:number|no|nr))?s?"
)


def _hyphened(name: str) -> str:
    """Return a name as headers are written: `accessToken` and `ACCESS_TOKEN` are `access-token`."""
    return re.sub(r"[\s_.-]+", "-", _HUMP.sub("-", name)).strip("-").lower()


def _holds_secret(name: str) -> bool:
    hyphened = _hyphened(name)
    return is_secret(hyphened) or _SECRET.fullmatch(hyphened) is not None


_SECRETS: Final = Known(_holds_secret)
_HOLDERS: Final = Known(lambda name: _HOLDER.fullmatch(_hyphened(name)) is not None)
_PHONES: Final = Known(lambda name: _PHONE.fullmatch(_hyphened(name)) is not None)


def names_secret(name: str) -> bool:
    """Tell whether what is called so is a secret."""
    return _SECRETS[name]


def names_secrets(name: str) -> bool:
    """Tell whether all that lies below a member of this name is secret."""
    return _HOLDERS[name]


def names_phone(name: str) -> bool:
    """Tell whether what is called so is a telephone number."""
    return _PHONES[name]


def telling_name(at: str) -> str:
    """Return the name of the nearest member at a location, or `secret` where all below one above it is."""
    names = [found[1] or found[2] for found in _MEMBER.finditer(at) if found[1] or found[2]]
    return SECRET if any(map(names_secrets, names)) else names[-1] if names else ""
