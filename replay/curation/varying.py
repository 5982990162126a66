"""Hostile variants sent to both sides: those on which they disagree or crash, where the real case does not."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice, zip_longest
from typing import Final

from replay.causes import FAILED, telling
from replay.curation.dependence import Departure, absent, departures
from replay.curation.variants import VARIATIONS
from replay.errors import RunError
from replay.models import Case, Disagreement, Request, Result, Shown, Variant, Varied
from replay.placeholders import names_of

TIMES: Final = 2
"""How often the real case is sent, to know what it shows by itself."""
_TRIES: Final = 3
"""Of the variants that disagree in one way, so many are sent again until one shows it again."""
_BATCH: Final = 64
_ROOM: Final = 32 * 2**20
"""Bytes that the variants of one kind may take together before it is drawn which are sent."""
_SOME: Final = 8
"""Variants of a kind that are made of however large a request."""

Send = Callable[[Sequence[Case]], list[Result]]
"""Sends cases and returns the results of those that were answered. Where not all were, somebody has interrupted it, or
a side is gone."""


def variants_of(
    case: Case, kinds: Collection[str], fits: Callable[[Case, Request], bool]
) -> Iterator[tuple[Variant, Case]]:
    """Yield each variant of a case, of these kinds, once; only those that fit, such as can be sent.

    Of a scenario each step is varied; of a captured case with its session the last one, which it is about. Of a large
    request, only the first `most_made` of each kind are looked at.
    """
    if not case.steps:
        yield from _variants(case.request, kinds, lambda request: replace(case, request=request, expect=None), fits)
    whole = range(len(case.steps))
    for place in whole if case.kind == "golden" else whole[-1:]:
        at = f"steps.{case.steps[place].name}."
        for variant, made in _variants(case.steps[place].request, kinds, partial(_at_step, case, place), fits):
            yield replace(variant, at=at + variant.at), made


def _variants(
    request: Request,
    kinds: Collection[str],
    with_request: Callable[[Request], Case],
    fits: Callable[[Case, Request], bool],
) -> Iterator[tuple[Variant, Case]]:
    seen: set[Request] = {request}
    # A name that nothing stands for would be sent as it is written, and is no variant of anything real.
    names = set(names_of(request))
    for kind in kinds:
        for variant in islice(VARIATIONS[kind](request), most_made(request)):
            made = with_request(variant.request)
            known = not made.steps or names.issuperset(names_of(variant.request))
            if variant.request not in seen and known and fits(made, variant.request):
                seen.add(variant.request)
                yield variant, made


def _at_step(case: Case, place: int, request: Request) -> Case:
    steps = list(case.bare.steps)
    steps[place] = replace(steps[place], request=request)
    return replace(case, request=steps[0].request, expect=None, steps=tuple(steps))


def most_made(request: Request) -> int:
    """Return how many variants of each kind are made: of a large request fewer, since each is as large as it is."""
    return max(_SOME, _ROOM // (len(request.path) + len(request.body or b"") + 1))


def picked(variants: Iterable[tuple[Variant, Case]], most: int, seed: int) -> tuple[list[tuple[Variant, Case]], int]:
    """Return at most so many variants, as many of each kind as can be, drawn by the seed; and how many are left."""
    by_kind: dict[str, list[tuple[Variant, Case]]] = {}
    for each in variants:
        by_kind.setdefault(each[0].kind, []).append(each)
    draw = random.Random(seed)  # noqa: S311 - a fair choice, no secret
    for some in by_kind.values():
        draw.shuffle(some)
    every = [each for each in chain.from_iterable(zip_longest(*by_kind.values())) if each is not None]
    return every[:most], len(every[most:])


def varied(
    case: Case,
    chosen: Sequence[tuple[Variant, Case]],
    left_out: int,
    send: Send,
    ended: Callable[[], str] = str,
) -> Varied:
    """Send a case and its variants, and return what only the variants show.

    It is cut short where a side is gone, or somebody has `ended` it and why: what was answered until then counts.
    """
    found = _Found(send, ended)
    known = found.known(case)
    cut = found.look(chosen, known) if not found.why else len(chosen)
    return Varied(
        case=case,
        sent=found.sent,
        left_out=left_out + cut,
        most=min(map(most_made, case.requests)),
        known=tuple(sorted({each.way for each in known}, key=telling)),
        disagreements=tuple(sorted(found.confirmed(), key=_rank)),
        why=found.why,
    )


class _Found:
    """What the variants of one case show. `why` says why it ends early, once it does."""

    def __init__(self, send: Send, ended: Callable[[], str]) -> None:
        self._send = send
        self._ended = ended
        self._ways: dict[Departure, list[Shown]] = {}
        self.sent: Counter[str] = Counter()
        self.why = ""

    def known(self, case: Case) -> set[Departure]:
        """Return the ways in which the case departs as it is."""
        results = self._asked([case] * TIMES)
        return {each for result in results if result is not None for each in departures(result)}

    def look(self, chosen: Sequence[tuple[Variant, Case]], known: Collection[Departure]) -> int:
        """Send variants, and keep those that depart otherwise; return how many are left where it ends early."""
        for begin in range(0, len(chosen), _BATCH):
            some = chosen[begin : begin + _BATCH]
            for (variant, _), result in zip(some, self._asked([made for _, made in some]), strict=True):
                if result is None:
                    continue
                self.sent[variant.kind] += 1
                if new := [each for each in departures(result) if each not in known]:
                    self._ways.setdefault(new[0], []).append(Shown(variant, result))
            if self.why:
                break
        return len(chosen) - self.sent.total()

    def confirmed(self) -> Iterator[Disagreement]:
        """Yield each disagreement, the smallest variant that shows it again first."""
        for departure, shown in self._ways.items():
            yield self._confirmed(departure, shown)

    def _confirmed(self, departure: Departure, shown: list[Shown]) -> Disagreement:
        """Return the variants with the smallest first that shows it again; one that nothing shows again is flaky."""
        shown.sort(key=_size)
        for place, each in enumerate(shown[:_TRIES]):
            again = self._asked([each.result.case]) if not self.why else []
            if any(result is not None and departure in departures(result) for result in again):
                rest = (it for number, it in enumerate(shown) if number != place)
                return Disagreement(departure.way, (each, *rest), confirmed=True)
        return Disagreement(departure.way, tuple(shown), confirmed=False)

    def _asked(self, cases: Sequence[Case]) -> list[Result | None]:
        """Return the result of each case; None where it came to none, and from then on `why` says why."""
        several = [replace(case, identity=f"{case.identity}\x1f{number}") for number, case in enumerate(cases)]
        try:
            results = self._send(several)
        except RunError as error:
            results, self.why = [], error.fact
        self.why = self._ended() or self.why or next(filter(None, map(absent, results)), "")
        came = {result.case.identity: result for result in results if not absent(result)}
        return [came.get(case.identity) for case in several]


def _rank(found: Disagreement) -> tuple[bool, bool, object]:
    """Return what to sort by: what is sure first, and what fails on both sides alike behind where they part."""
    return not found.confirmed, found.way.at == FAILED["both"], telling(found.way)


def _size(shown: Shown) -> tuple[int, str]:
    request = shown.variant.request
    return len(request.path) + len(request.body or b"") + sum(map(len, chain(*request.headers))), shown.variant.at
