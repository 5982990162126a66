"""What takes secrets and personal data out of results, cases and lines: a key, rules, and what is known."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from replay.models import Case, Result
from replay.privacy.forms import text_replacer
from replay.privacy.keys import MaskKey
from replay.privacy.lines import line_redactor
from replay.privacy.rules import NO_RULES, MaskRules
from replay.privacy.secrets import mask_for, redact, redact_all, redact_case
from replay.privacy.tokens import Tokeniser


class Redactor:
    """Makes tokens of what is secret or personal, before anything is written."""

    def __init__(
        self, key: MaskKey, rules: MaskRules = NO_RULES, known: Collection[str] = (), tokeniser: Tokeniser | None = None
    ) -> None:
        """Take the key, the rules, the secrets that are `known` without any case showing them, and who makes tokens."""
        self.key = key
        self.rules = rules
        self.known = frozenset(known)
        self.tokeniser = tokeniser or Tokeniser(key.key)
        self.mask = mask_for(self.tokeniser, rules, rules.holding(()))

    def result(self, result: Result, more: Collection[str] = ()) -> Result:
        """Return a result as it may be kept; `more` are secrets that came up since."""
        known = self.known | frozenset(more) if more else self.known
        return redact(result, self.tokeniser, known=known, rules=self.rules)

    def results(self, results: Sequence[Result], more: Collection[str] = ()) -> list[Result]:
        """Return several results as `result` returns each, and mostly sooner."""
        known = self.known | frozenset(more) if more else self.known
        return redact_all(results, self.tokeniser, known=known, rules=self.rules)

    def case(self, case: Case) -> Case:
        """Return a case as it may be kept, with what was answered to it: what a capture is written of."""
        return redact_case(case, self.tokeniser, known=self.known, rules=self.rules)

    def text(self, text: str) -> str:
        """Return a text by itself as it may be kept."""
        return self.mask.text(text_replacer(self.tokeniser, self.known)(text))

    @property
    def line(self) -> Callable[[str], str]:
        """Return what takes secrets out of a line that some program prints."""
        return line_redactor(self.tokeniser, self.known)
