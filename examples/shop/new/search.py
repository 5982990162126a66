"""The new search: an inverted index, folded once per locale."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal

from examples.shop.catalogue import PRODUCTS
from examples.shop.new.policies import Scored

WORD = re.compile(r"[^\s.,;:!?]+")
NAME_WEIGHT = Decimal(2)
FIRST_WORD_BONUS = Decimal("1.5")  # who asks for tea wants a tea pot rather than a text about tea

Postings = dict[str, dict[str, Decimal]]
"""For each word the articles that hold it, with what it is worth there."""


class Index:
    """Finds articles by all of their words. Built once; finding changes nothing."""

    def __init__(self, fold: Callable[[str, str], str], best_first: Callable[[Iterable[Scored]], list[str]]) -> None:
        self._fold = fold
        self._best_first = best_first
        self._postings = {locale: self._build(locale) for locale in ("", "tr")}

    def find(self, query: str, locale: str) -> list[tuple[str, Decimal]]:
        """Return (sku, score) of the articles that hold all words, the best first."""
        postings = self._postings["tr" if locale == "tr" else ""]
        found = [postings.get(word, {}) for word in WORD.findall(self._fold(query, locale))]
        first = found[0] if found else {}
        scores = {sku: sum((each.get(sku, Decimal()) for each in found), Decimal()) for sku in first}
        complete = [(score, sku) for sku, score in scores.items() if all(sku in each for each in found)]
        return [(sku, scores[sku]) for sku in self._best_first(complete)]

    def _build(self, locale: str) -> Postings:
        postings: Postings = {}
        for product in PRODUCTS:
            for word, worth in self._worths(product.name, product.text, locale).items():
                postings.setdefault(word, {})[product.sku] = worth
        return postings

    def _worths(self, name: str, text: str, locale: str) -> dict[str, Decimal]:
        in_name, in_text = (WORD.findall(self._fold(each, locale)) for each in (name, text))
        worths = {word: NAME_WEIGHT * in_name.count(word) + in_text.count(word) for word in [*in_name, *in_text]}
        worths[in_name[0]] += FIRST_WORD_BONUS
        return worths
