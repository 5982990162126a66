"""In which forms a secret may stand in texts and bodies, and how it is replaced there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from html import escape
from typing import AnyStr, Generic
from urllib.parse import quote, quote_plus

from replay.privacy.tokens import Tokeniser


class Replacer(Generic[AnyStr]):
    """Replaces secrets by their tokens, in whatever form they stand, in texts or in bodies."""

    def __init__(
        self,
        originals: Mapping[AnyStr, str],
        token: Callable[[str], AnyStr],
        pattern: Callable[[Collection[AnyStr]], AnyStr],
    ) -> None:
        """Take the secrets by their forms, what makes a token of one, and a pattern of forms."""
        self._originals: Mapping[AnyStr, str] = originals
        self._token: Callable[[str], AnyStr] = token
        self._pattern: Callable[[Collection[AnyStr]], AnyStr] = pattern
        # A form may hold another: the longer one is looked for first.
        self._forms: list[AnyStr] = sorted(originals, key=len, reverse=True)

    def __bool__(self) -> bool:
        """Tell whether there is anything to replace."""
        return bool(self._forms)

    def finds(self, content: AnyStr) -> bool:
        """Tell whether any of the forms stands in it."""
        return any(form in content for form in self._forms)

    def __call__(self, content: AnyStr) -> AnyStr:
        """Return it with tokens for secrets; the same object where there is none."""
        found = [form for form in self._forms if form in content]
        if not found:
            return content
        return re.sub(self._pattern(found), lambda match: self._token(self._originals[match[0]]), content)


def text_replacer(tokeniser: Tokeniser, secrets: Collection[str]) -> Replacer[str]:
    """Return what replaces these secrets in texts."""
    originals = {form: secret for secret in secrets for form in _forms(secret)}
    return Replacer(originals, tokeniser.token, lambda forms: "|".join(map(_alone, forms)))


def body_replacer(tokeniser: Tokeniser, secrets: Collection[str]) -> Replacer[bytes]:
    """Return what replaces these secrets in bodies, in UTF-8 and Latin-1."""
    originals = {form: secret for secret in secrets for text in _forms(secret) for form in _encoded(text)}
    return Replacer(originals, lambda secret: tokeniser.token(secret).encode("ascii"), _bytes_pattern)


def _bytes_pattern(forms: Collection[bytes]) -> bytes:
    return b"|".join(_alone(form.decode("latin-1")).encode("latin-1") for form in forms)


def _alone(form: str) -> str:
    """Return the pattern of a form; one of digits must not be the inside of a longer number."""
    return rf"(?<!\d){form}(?!\d)" if form.isascii() and form.isdigit() else re.escape(form)


@lru_cache(maxsize=1024)
def _forms(secret: str) -> frozenset[str]:
    """Return how the secret may be written in JSON, URLs and HTML, beside itself."""
    escaped = json.dumps(secret)[1:-1]
    legible = json.dumps(secret, ensure_ascii=False)[1:-1]
    forms = {secret, escaped, legible, escaped.replace("/", "\\/"), escape(secret), escape(secret, quote=False)}
    try:
        forms |= {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    except UnicodeEncodeError:  # a lone surrogate has no percent-encoding
        return frozenset(forms)
    return frozenset(forms)


def _encoded(text: str) -> Iterator[bytes]:
    yield text.encode("utf-8", "surrogatepass")
    if not text.isascii():
        try:
            yield text.encode("latin-1")
        except UnicodeEncodeError:
            return
