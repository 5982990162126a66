"""The old search: reads every article for every query."""

from __future__ import annotations

import unicodedata

from examples.shop.catalogue import PRODUCTS, Product


def fold(text: str, locale: str) -> str:
    """Return the text without its case, as readers of the locale see it."""
    text = unicodedata.normalize("NFC", text)
    if locale == "tr":
        text = text.replace("İ", "i").replace("I", "ı")  # noqa: RUF001 -- Turkish
    return text.lower().replace("ß", "ss")


def words(text: str, locale: str) -> list[str]:
    """Return the words of a text, folded, without the punctuation around them."""
    return [word.strip(".,;:!?") for word in fold(text, locale).split()]


def find(query: str, locale: str) -> list[tuple[int, Product]]:
    """Return (score, article) for those that hold all words, the best first, equal ones by sku."""
    wanted = words(query, locale)
    hits = []
    for product in PRODUCTS:
        score = _score(product, wanted, locale)
        if score:
            hits.append((score, product))
    return sorted(hits, key=lambda hit: (-hit[0], hit[1].sku))


def _score(product: Product, wanted: list[str], locale: str) -> int:
    name, text = words(product.name, locale), words(product.text, locale)
    points = [2 * name.count(word) + text.count(word) for word in wanted]
    return sum(points) if points and all(points) else 0
