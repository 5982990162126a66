"""What a refusal complains of is a category of its own: the same 4xx for another reason is seen at a glance."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from replay.compare.reading import media_type
from replay.models import Difference, DifferenceKind, Observation

_VALUES: Final[frozenset[DifferenceKind]] = frozenset({"value", "type", "missing", "extra", "order"})


def _member(names: str) -> re.Pattern[str]:
    return re.compile(rf"body(?:\.(?:{names})(?![\w-])|\['(?:{names})'\])")


_NAMES: Final = "errors?|details?|violations|messages?|invalid_params|invalid-params"
_ANYWHERE: Final = _member(_NAMES)
_IN_PROBLEM: Final = _member(f"{_NAMES}|type|title|instance")
"""Members of RFC 9457 too, whose names other documents use for other things."""


def categorised(differences: Iterable[Difference], old: Observation, new: Observation) -> list[Difference]:
    """Return the differences; where both sides refuse (4xx), those in what they complain of become `validation`.

    That is anything at or below a member of the body that customarily names problems: error(s), detail(s), violations,
    message(s), invalid-params, and in a problem document (RFC 9457) its type, title and instance too.
    """
    if not (_refuses(old) and _refuses(new)):
        return list(differences)
    complaint = _IN_PROBLEM if _problem(old, new) else _ANYWHERE
    return [_as_validation(it) if complaint.match(it.at) else it for it in differences]


def _as_validation(difference: Difference) -> Difference:
    return replace(difference, kind="validation") if difference.kind in _VALUES else difference


def _refuses(answer: Observation) -> bool:
    return answer.status is not None and 400 <= answer.status < 500  # noqa: PLR2004


def _problem(old: Observation, new: Observation) -> bool:
    return any(media_type(it.header("content-type"))[0] == "application/problem+json" for it in (old, new))
