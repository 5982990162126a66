"""What the servers of the bench answer, and the captures that ask for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

SIDES: Final = ("old", "new")
KINDS: Final = ("equal", "ignored", "deviating")
SIZES_KB: Final = (1, 20)

SETTINGS: Final = """
compare:
  - {at: body.generated_at, ignore: true, why: wall clock}
"""


def prepare(folder: Path) -> None:
    """Write the answers of both sides, readable for nginx's worker."""
    folder.chmod(0o755)
    for side in SIDES:
        for kind in (*KINDS, "distinct"):
            for size in SIZES_KB:
                file = folder / side / kind / f"{size}.json"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(json.dumps(answer(side, kind, size)), encoding="utf-8")


def answer(side: str, kind: str, size_kb: int) -> dict[str, Any]:
    """Return a document of about so many kilobytes: sides differ in a field that is ignored, or in one that counts."""
    late = side == "new"
    rows = 10 * size_kb
    return {
        "id": 7,
        "generated_at": "2024-02-29T12:00:01Z" if late and kind == "ignored" else "2024-02-29T12:00:00Z",
        "total": 19.99 if late and kind == "deviating" else 20.0,
        "lines": [
            {"sku": f"A-{row:05}", "name": "one of the things that are sold", "price": row * 1.25, "stock": row}
            for row in range(rows)
        ],
    }


def unlike(side: str, kind: str, number: str) -> str:
    """Return a document of a kilobyte that a side answers, with a number that no other case has."""
    return json.dumps(answer(side, kind, 1) | {"order": number})


def write_capture(file: Path, path: str, cases: int) -> Path:
    """Write a capture of so many GET requests, each with a query of its own."""
    with file.open("w", encoding="utf-8") as lines:
        lines.write('{"replay_capture": 1}\n')
        for number in range(cases):
            request = {"method": "GET", "path": f"{path}?n={number}", "headers": {"Accept": "application/json"}}
            lines.write(json.dumps({"id": f"c{number}", "request": request, "at": "2024-02-29T12:00:00Z"}) + "\n")
    return file
