"""How many tokens are made, of which kinds: what is told of a file that is cleaned, and never of what."""

from __future__ import annotations

from collections import Counter

from replay.privacy.tokens import Tokeniser


class NotingTokeniser(Tokeniser):
    """Takes note of each token that it makes of what was none."""

    def __init__(self, key: bytes) -> None:
        super().__init__(key)
        self.plain = Tokeniser(key)
        self.ledger: Counter[str] = Counter()
        self.token = self._noted

    def note(self, kind: str) -> None:
        """Count one of a kind."""
        self.ledger[kind] += 1

    def taken(self) -> Counter[str]:
        """Return what was counted since this was asked last."""
        taken, self.ledger = self.ledger, Counter()
        return taken

    def _noted(self, text: str) -> str:
        token = self.plain.token(text)
        if token != text:
            self.note("secret")
        return token
