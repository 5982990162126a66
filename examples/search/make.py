"""Makes what the example needs from a seed: the catalogue that both engines read, and a day of searches.

python make.py      # the same catalogue.json and captures/searches.jsonl every time
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ITEMS: Final = 80
SESSIONS: Final = 800
WORDS: Final = {
    "tea": "green black herbal smoky mint lemon loose bags spring jasmine strong mild",
    "lamps": "desk floor brass paper shade bright dimmable tall small round cable battery",
    "books": "history garden cooking travel poems letters atlas island winter mountain trains birds",
}
FILLERS: Final = "the a with for and of in from by made new our best very"


def catalogue() -> list[dict[str, Any]]:
    """Return all items; `bought` is how many of a hundred people who saw an item bought it."""
    luck = random.Random(11)  # noqa: S311 - an example's data, no secret
    return [item for category in WORDS for item in _items(category, luck)]


def _items(category: str, luck: random.Random) -> Iterator[dict[str, Any]]:
    for number in range(ITEMS):
        words = WORDS[category].split()
        topics = luck.sample(words, 3)
        # Books have blurbs: a thorough one says more often what the book is about.
        length = luck.choice([10, 20, 40, 70]) if category == "books" else luck.randint(24, 26)
        text = luck.choices([*topics * 2, *words, *FILLERS.split()], k=length)
        yield {
            "sku": f"{category}-{number:02}",
            "category": category,
            "title": " ".join(topics[:2]),
            "text": " ".join(text),
            "bought": 2 + luck.randrange(12) + sum(word in topics for word in text[:20]),
        }


def searches() -> Iterator[dict[str, Any]]:
    """Yield the records of a capture: sessions of one to four searches in one category."""
    luck = random.Random(12)  # noqa: S311
    for session in range(SESSIONS):
        # Few come for books.
        category = luck.choices(list(WORDS), [4, 4, 1])[0]
        for nth in range(luck.randint(1, 4)):
            words = luck.sample(WORDS[category].split(), luck.choice([1, 2, 2, 3]))
            path = f"/search?q={'+'.join(words)}&category={category}"
            yield {"id": f"{category}-{session}-{nth}", "session": f"s{session}", "request": {"path": path}}


def write(folder: Path) -> None:
    """Write both files."""
    (folder / "captures").mkdir(parents=True, exist_ok=True)
    items = ",\n".join(json.dumps(item) for item in catalogue())
    (folder / "catalogue.json").write_text(f"[\n{items}\n]\n", "utf-8")
    lines = [json.dumps(line) for line in ({"replay_capture": 1}, *searches())]
    (folder / "captures" / "searches.jsonl").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    write(Path(__file__).parent)
