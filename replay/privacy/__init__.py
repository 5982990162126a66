"""Secrets out of results before anything is written: each value becomes a token, and equal values equal tokens."""

from __future__ import annotations

from replay.privacy.headers import is_secret, is_secret_parameter
from replay.privacy.keys import MaskKey, key_from_environment
from replay.privacy.redacting import Redactor
from replay.privacy.rules import MaskRules, mask_rules
from replay.privacy.secrets import DROPPED, redact, redact_case
from replay.privacy.shown import secret_values
from replay.privacy.tokens import TOKEN, Tokeniser
from replay.privacy.wrapped import stands_for

__all__ = [
    "DROPPED",
    "TOKEN",
    "MaskKey",
    "MaskRules",
    "Redactor",
    "Tokeniser",
    "is_secret",
    "is_secret_parameter",
    "key_from_environment",
    "mask_rules",
    "redact",
    "redact_case",
    "secret_values",
    "stands_for",
]
