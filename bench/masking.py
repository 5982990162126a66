"""What it costs to take personal data out of a body: bodies that hold one address, and bodies that hold nothing."""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Final

from bench.meter import Spread
from replay.privacy import Tokeniser
from replay.privacy.masking import Mask

BODIES: Final = 300
"""No two are alike: nothing that was found out about one body says anything of the next."""
_WORDS: Final = "lorem ipsum dolor sit amet"


class UnmaskedError(Exception):
    """Something was measured that does not mask."""


def measure(*, repeats: int) -> dict[str, Any]:
    """Return the CPU time for a body of each kind and size, with an address in it and without."""
    draw = random.Random(1)  # noqa: S311 - the same bodies each time
    rows = []
    for name, make in _KINDS.items():
        for what, held in (("one address", True), ("nothing personal", False)):
            spent = [_spent([make(draw, number if held else None) for number in range(BODIES)], held=held)
                     for _ in range(repeats)]  # fmt: skip
            rows.append({"bodies": name, "holds": what, "cpu_us": asdict(Spread.of(spent))})
    return {"rows": rows}


def _spent(bodies: Sequence[bytes], *, held: bool) -> float:
    """Return the microseconds that each body takes."""
    mask = Mask(Tokeniser(b"a key"))
    begun = time.process_time()
    kept = [mask.body(body) for body in bodies]
    spent = (time.process_time() - begun) / len(bodies) * 1e6
    if any((body == mine) == held or b"@shop.example" in mine for body, mine in zip(bodies, kept, strict=True)):
        raise UnmaskedError
    return spent


def _record(draw: random.Random, number: int) -> dict[str, Any]:
    ref = str(uuid.UUID(int=draw.getrandbits(128), version=4))
    return {"id": number, "name": _WORDS, "price": 12.5, "active": True, "ref": ref, "at": "2024-02-29T23:59:59Z"}


def _json(draw: random.Random, address: int | None, records: int) -> bytes:
    items: list[dict[str, Any]] = [_record(draw, number) for number in range(records)]
    if address is not None:
        items[-1]["mail"] = f"user{address}@shop.example"
    return json.dumps(items).encode()


def _html(draw: random.Random, address: int | None) -> bytes:
    rows = "".join(f"<p class='row'>Order <b>{draw.getrandbits(20)}</b> of <i>{_WORDS}</i></p>" for _ in range(150))
    mail = "" if address is None else f"<a href='mailto:user{address}@shop.example'>write</a>"
    return f"<!doctype html><html><body>{rows}{mail}</body></html>".encode()


_KINDS: Final[dict[str, Callable[[random.Random, int | None], bytes]]] = {
    "JSON, 10 KB": lambda draw, address: _json(draw, address, 66),
    "HTML, 10 KB": _html,
    "JSON, 1 KB": lambda draw, address: _json(draw, address, 6),
}
