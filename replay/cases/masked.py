"""What the header of a capture tells of the key by which its secrets became tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_MEMBER: Final = "mask"
SEVERAL: Final = "several"
"""What stands in place of a fingerprint where tokens are of several keys: it is that of none."""


def masked_by(fingerprint: str) -> Mapping[str, Any]:
    """Return what the header of a capture says that is masked by this key."""
    return {_MEMBER: {"key": fingerprint}}


def key_of(facts: Mapping[str, Any]) -> str | None:
    """Return the fingerprint of the key by which a capture was masked; None where its header does not say."""
    told = facts.get(_MEMBER)
    key = told.get("key") if isinstance(told, Mapping) else None
    return key if isinstance(key, str) else None
