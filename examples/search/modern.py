"""The search that is to replace it: BM25 over an inverted index.

A word that stands twice is not worth twice as much, and a long text has to say a word more often than a short one. For
tea and lamps, whose texts are of one length, that hardly matters. Books have blurbs.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

TOP: Final = 10
SATURATION: Final = 8.0
LENGTHS: Final = 0.75
TITLE: Final = 3
Start = Callable[[str, list[tuple[str, str]]], object]


class Index:
    """Which items hold a word, and how often."""

    def __init__(self, items: list[dict[str, Any]]) -> None:
        self._items = {item["sku"]: item for item in items}
        self._holding: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._lengths: dict[str, int] = {}
        for sku, item in self._items.items():
            words = item["title"].split() * TITLE + item["text"].split()
            self._lengths[sku] = len(words)
            for word, count in Counter(words).items():
                self._holding[word][sku] = count
        self._mean = sum(self._lengths.values()) / len(items)

    def search(self, query: str, category: str) -> list[dict[str, Any]]:
        """Return the ten best items of a category, the best first."""
        scores: Counter[str] = Counter()
        for word in query.split():
            holding = self._holding.get(word, {})
            rarity = math.log(1 + (len(self._items) - len(holding) + 0.5) / (len(holding) + 0.5))
            for sku, count in holding.items():
                if self._items[sku]["category"] == category:
                    scores[sku] += rarity * self._weight(count, self._lengths[sku])  # type: ignore[assignment]
        best = sorted(scores, key=lambda sku: (-scores[sku], sku))[:TOP]
        return [{name: self._items[sku][name] for name in ("sku", "title", "bought")} for sku in best]

    def _weight(self, count: int, length: int) -> float:
        return count * (SATURATION + 1) / (count + SATURATION * (1 - LENGTHS + LENGTHS * length / self._mean))


INDEX: Final = Index(json.loads(Path(__file__).with_name("catalogue.json").read_text("utf-8")))


def app(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    """Answer GET /search?q=WORDS&category=NAME."""
    asked = parse_qs(environ.get("QUERY_STRING", ""))
    hits = INDEX.search(asked.get("q", [""])[0], asked.get("category", [""])[0])
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"hits": hits}).encode()]
