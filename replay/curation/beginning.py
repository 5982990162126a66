"""What `replay init` writes: settings with a word on each, a first golden, and two functions to try them on."""

from __future__ import annotations

import re
from typing import Final

SETTINGS: Final = """\
# What is compared, how, and what must hold before the cut-over. Every key is explained in docs/settings.md.
decision: {decision}
owner: the team that says go

# A side is a URL, module:attribute of an app or a function, or `recorded`.
old: {old}
new: {new}

goldens: goldens
# traffic: [captures/*.jsonl.zst]       # recorded requests, HAR files too; then ask about them below

# Cases that bring no instant of their own see this one, on both sides.
freeze: 2024-02-29T23:59:59Z
seed: 42

compare:
  # The last rule that matches a place decides; without one, values have to be equal.
  # - {{at: body.generated_at, ignore: true, why: wall clock}}
  # - {{at: body.lines, match_by: sku, why: the order of lines was never promised}}
{rules}
cut_when:
  - goldens pass
  # - deviation < 0.5%                  # what asks about traffic; takes 598 clean cases (95% confidence)
  # - errors <= old
"""

FUNCTIONS_RULES: Final = """\
  - {at: body.fee, within: 0.01, why: new computes with decimals}
"""

FUNCTIONS: Final = '''\
"""Two versions of one function, to see a first run. Put your own services into replay.yaml and delete this file."""

from decimal import ROUND_HALF_UP, Decimal


def old_fee(amount, country):
    """Return the fee as it was always computed."""
    return {"fee": round(float(amount) * 0.029, 2), "country": country}


def new_fee(amount, country):
    """Return the fee, exactly rounded."""
    fee = (Decimal(str(amount)) * Decimal("0.029")).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return {"fee": fee, "country": country}
'''

FUNCTION_GOLDEN: Final = """\
title: A fee that ends on half a cent
why: Floats round some halves down, and customers noticed
tags: [money]
request:
  json: {amount: 77.50, country: TR}
"""

HTTP_GOLDEN: Final = """\
title: The front page
why: If this differs, everything does
request:
  path: /
"""


_PLAIN: Final = re.compile(r"[a-z](?:[\w ./~@-]|:(?=[^ ]))*[\w/]", re.ASCII | re.IGNORECASE)
"""Texts that mean themselves in YAML without quotes: a colon only where no space follows."""


def beginning(old: str | None, new: str | None) -> dict[str, str]:
    """Return the first files of a project, by path. Without sides they compare two functions that are written too."""
    if old is None or new is None:
        settings = SETTINGS.format(
            decision="Move fees from floats to decimals",
            old="first_fees:old_fee",
            new="first_fees:new_fee",
            rules=FUNCTIONS_RULES,
        )
        return {"replay.yaml": settings, "goldens/first/fee.yaml": FUNCTION_GOLDEN, "first_fees.py": FUNCTIONS}
    decision = _quoted(f"Move from {old} to {new}")
    settings = SETTINGS.format(decision=decision, old=_quoted(old), new=_quoted(new), rules="")
    golden = HTTP_GOLDEN if "://" in old else FUNCTION_GOLDEN
    return {"replay.yaml": settings.replace("\ncompare:\n", "\ncompare: []\n"), "goldens/first.yaml": golden}


def _quoted(text: str) -> str:
    """Return a text as settings hold it: nothing in it means anything to YAML, and no variable is expanded."""
    escaped = text.replace("$", "$$")
    if _PLAIN.fullmatch(escaped):
        return escaped
    return '"' + "".join(map(_character, escaped)) + '"'


def _character(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    return char if char.isascii() and char.isprintable() else f"\\U{ord(char):08X}"
