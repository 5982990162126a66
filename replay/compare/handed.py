"""Whether what two answers hold at one place is a name that each side has just given a thing, or a plain difference.

Nothing worse could happen here than to take a difference for two names of one thing. So all of these have to hold:

- Both are texts, or both are whole numbers; a price, a share and a flag are no names, and neither is an empty text.
- Neither turns up in the other side's answer: what the other side knows as well was not made up by this one.
- It is no item of a list in the answer to a GET: what is listed was there before, and which item comes first matters.
- Of two texts, both look minted or neither does: a token that became `error` is none.
- It looks minted on both sides (see `identifiers.is_telling`), and is not of digits alone, as times and amounts are; or
  the member that holds it says that it is a name:
  `id`, `order_id`, `userId`, `token`, `cursor`, `etag`, `ref`, `key`, `number`.
"""

from __future__ import annotations

import re
from typing import Final

from replay.identifiers import is_telling
from replay.locations import parse_location
from replay.models import Binding, Json, Observation
from replay.selection import SAFE_METHODS
from replay.words import holds

_NAMING: Final = re.compile(
    r"(?:.*[_-])?(?:id|uuid|guid|uid|key|token|ref|cursor|etag|number)|(?:ID|Id)|.*[a-z](?:I[dD]|Key|Token|Ref|Cursor|Number)"
)


def handed_out(binding: Binding, method: str, old: Observation, new: Observation) -> bool:
    """Tell whether both sides, asked by this method, gave a thing a name of their own at this place of the answer."""
    if not _may_name(binding.old) or type(binding.old) is not type(binding.new):
        return False
    if method.upper() in SAFE_METHODS and in_list(binding.at):
        return False
    named = _NAMING.fullmatch(binding.member) is not None
    if not named and (_counts(binding.old) or _counts(binding.new)):
        return False
    told = is_telling(binding.old), is_telling(binding.new)
    # A token that became a word, or nothing, is no other name: something went wrong.
    if told != (True, True) and (not named or (isinstance(binding.old, str) and any(told))):
        return False
    return binding.old == binding.new or not (holds(new, binding.old) or holds(old, binding.new))


def _may_name(value: Json) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


def _counts(value: Json) -> bool:
    """Tell whether a value is made of digits alone: an amount or a time has as many of them as an id."""
    return str(value).lstrip("-").isdecimal()


def in_list(location: str) -> bool:
    """Tell whether a location leads to one of many."""
    return any(
        it.indices or it.tests or it.everything or it.descends or len(it.names) != 1
        for it in parse_location(location).steps
    )
