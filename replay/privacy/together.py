"""What several results say, each thing once: most of it they have in common, and all of it is looked at together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from replay.models import Headers, Result
from replay.privacy.forms import Replacer
from replay.privacy.headers import KnownHeads, show_secrets
from replay.privacy.packed import UnpackingError, coding_of, decoded
from replay.privacy.shown import PRIVATE_KEY, Part, parts_of, texts_of, words_of
from replay.privacy.suspicion import innocent, innocent_fields, innocent_texts, innocent_word


class Together:
    """Gathers results that show no name of a side's own and no steps; those are looked at by themselves."""

    def __init__(self, results: Sequence[Result]) -> None:
        self._results = results
        self._texts: list[str] = []
        self._words: set[str] = set()
        self._bodies: set[bytes] = set()
        self._heads: dict[int, Headers] = {}
        """By identity: like heads are mostly one object, and the results keep them all alive."""
        for result in results:
            self._gather(result)

    def _gather(self, result: Result) -> None:
        case = result.case
        if _is_bare(result):
            self._texts += (case.id, case.correlation_id, case.request.path)
        else:
            self._texts += texts_of(result)
        if result.accepted or result.measures:
            self._words.update(words_of(result))
        for part in (case.request, case.expect, case.recorded, result.old, result.new):
            if part is not None:
                self._heads[id(part.headers)] = part.headers
                if part.body:
                    self._bodies.add(part.body)

    def show_nothing(self) -> bool:
        """Tell whether nothing outside the differences of any result is secret or personal; True is certain."""
        heads = self._heads.values()
        return (
            not any(map(show_secrets, heads))
            and all(map(innocent_fields, heads))
            and innocent_texts(self._texts)
            and all(map(innocent_word, self._words))
            and all(map(innocent, self._bodies))
            and not any(PRIVATE_KEY in body for body in self._bodies)
            and not (any(map(coded_head, heads)) and any(map(is_coded, self._parts())))
        )

    def repeat(self, texts: Replacer[str], bodies: Replacer[bytes]) -> bool:
        """Tell whether a known secret stands anywhere outside the differences."""
        return bool(texts) and (any(map(texts.finds, self._told())) or any(map(bodies.finds, self._bodies)))

    def _told(self) -> Iterator[str]:
        yield "\n".join(self._texts)
        yield from self._words
        yield from (value for head in self._heads.values() for _, value in head)

    def _parts(self) -> Iterator[Part]:
        return (part for result in self._results for part in parts_of(result))


def _is_bare(result: Result) -> bool:
    """Tell whether a case's own texts are its ids and its path."""
    case, old, new = result.case, result.old, result.new
    return not (
        case.session
        or case.recorded
        or result.error
        or result.skipped
        or result.groups
        or result.figures
        or (old is not None and old.error)
        or (new is not None and new.error)
    )


coded_head: Final = KnownHeads(lambda headers: bool(coding_of(headers)))
"""Tells whether fields say that their body is compressed."""


def is_coded(part: Part) -> bool:
    """Tell whether a body is compressed in a way that only its header shows."""
    if not part.body or not coded_head(part.headers):
        return False
    try:
        return decoded(part.body, coding_of(part.headers)) is not None
    except UnpackingError:
        return True
