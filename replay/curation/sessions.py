"""What led to a case in its captured session becomes the steps of a scenario, which go on with each side's own values.

Decisions:

- Kept are the case itself, whatever may have changed something before it, and what hands out a value that these use.
  What only reads and hands out nothing is left out: the scenario tells of one surprise.
- A value that was bound becomes a `capture` where it was handed out, and its name wherever it was used.
- What no capture can take (a part of a link that is not followed as it is, a field of a page) ends in an error, and not
  in a scenario that fails for another reason than its session did.
- Cookies of which only tokens are kept open no door and are left out, save those that are captured.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from replay.curation.naming import mark, named_answer, put_for, unmarked
from replay.errors import InputError
from replay.models import MISSING, Binding, Case, Observation, Request, Result, RuleSpec, Side, Step
from replay.privacy import TOKEN
from replay.selection import SAFE_METHODS
from replay.targets.scenes import answer_document, found_at

ALONE: Final = "--alone writes the case without its session"
_LINKS: Final = ("headers.location", "headers.link")
_COOKIES: Final = "headers.set-cookie"
_NO_WORD: Final = re.compile(r"\W+", re.ASCII)
_LONGEST: Final = 40
_MEMBER: Final = re.compile(rb'("|(?<![^&]))([A-Za-z_]\w{0,40})("\s*:\s*"|=)(tok_[a-z0-9]+)(?=["&]|\Z)')
"""A member of an object or a form whose value is a token."""


def needs_session(case: Case) -> bool:
    """Tell whether a case by itself would be another one than in its session."""
    return any(_uses(case, it) for it in case.bound)


class Session:
    """Some results of one session, in its order, up to the case that is promoted.

    Raises InputError where that needs a value which no step can capture.
    """

    def __init__(self, results: Sequence[Result]) -> None:
        self._kept = _kept(results)
        self._givers = {it.case.id: it.case for it in self._kept}
        self._named = self._names()

    def case(self) -> Case:
        """Return the scenario: the last case, with a step for all that it goes on from, each at its own instant."""
        steps, at = list(self._steps()), self._kept[0].case.freeze
        last = self._kept[-1].case
        return replace(last, request=steps[0].request, steps=tuple(steps), freeze=at, bound=(), recorded=None)

    def _steps(self) -> Iterator[Step]:
        taken: set[str] = set()
        at = self._kept[0].case.freeze
        for case in (it.case for it in self._kept):
            advance = 0.0
            if at is not None and case.freeze is not None and case.freeze > at:
                advance = (case.freeze - at) // timedelta(milliseconds=1) / 1_000
                at = case.freeze
            yield Step(
                name=_fresh(_slug(f"{case.request.method}_{_noun(case.request)}".lower()), taken),
                request=self._request(case),
                capture={name: self._place(binding) for name, binding in self._named.items() if binding.by == case.id},
                advance=advance,
                rules=tuple(RuleSpec(at=at, minted=True) for at in self._minted(case)),
            )

    def expected(self, answer: Observation, side: Side) -> Observation:
        """Return what a side answered last, with names for what earlier steps hand out there."""
        own = ((name, it, it.old if side == "old" else it.new) for name, it in self._named.items())
        return named_answer(answer, [(name, replace(it, recorded=value)) for name, it, value in own if _is_told(value)])

    def _names(self) -> dict[str, Binding]:
        """Return what is to be captured, by name: whatever some step uses of an earlier one."""
        pairs = ((it.case, binding) for it in self._kept for binding in it.case.bound)
        used = {(it.by, it.at, str(it.recorded)): it for case, it in pairs if _uses(case, it)}
        taken: set[str] = set()
        return {_fresh(_slug(self._cookie(it) or it.member), taken): it for it in used.values()}

    def _place(self, binding: Binding) -> str:
        """Return from where in the answer a value is captured."""
        cookie = self._cookie(binding)
        if cookie is not None:
            return f"{_COOKIES}['{cookie}']"
        if self._said(binding) == binding.recorded or self._is_followed(binding):
            return binding.at
        fact = f"no step can capture what {binding.by} hands out at {binding.at}: it is a part of what stands there"
        raise InputError(fact, hint=ALONE)

    def _minted(self, case: Case) -> tuple[str, ...]:
        """Return where both sides named one thing, save where a capture tells that by itself."""
        told = {it.at for it in self._named.values() if it.by == case.id and self._said(it) == it.recorded}
        named = (it.at for it in case.bound if it.by == case.id and it.same and it.at not in told)
        # A rule for a header that is not compared would have it compared.
        return tuple(dict.fromkeys(at for at in named if at.startswith("body.") or at in _LINKS))

    def _said(self, binding: Binding) -> object:
        """Return all that stands where a value was handed out."""
        giver = self._givers.get(binding.by)
        if giver is None or giver.recorded is None:
            raise InputError(f"{binding.by} hands out what is used, and its answer is not kept", hint=ALONE)
        return found_at(answer_document(giver.recorded), binding.at)

    def _is_followed(self, binding: Binding) -> bool:
        """Tell whether every use of a value follows the link that it is a part of, as it is."""
        using = [it.case.request for it in self._kept if _uses(it.case, binding)]
        return all(self._follows(request, binding) for request in using)

    def _follows(self, request: Request, binding: Binding) -> bool:
        said = self._said(binding)
        if not isinstance(said, str) or said == binding.recorded:
            return False
        link = urlsplit(said)
        return request.path == link.path + (f"?{link.query}" if link.query else "")

    def _cookie(self, binding: Binding) -> str | None:
        """Return the name of the cookie that a value was handed out in; None where it was none."""
        giver = self._givers.get(binding.by)
        if binding.at != _COOKIES or giver is None or giver.recorded is None:
            return None
        set_ones = [value for name, value in giver.recorded.headers if name.lower() == "set-cookie"]
        pairs = (value.partition(";")[0].partition("=") for value in set_ones)
        return next((name.strip() for name, _, value in pairs if value.strip() == binding.recorded), None)

    def _request(self, case: Case) -> Request:
        """Return a request with names in the place of what was handed out."""
        request = case.request
        for number, binding in enumerate(self._named.values()):
            if not _uses(case, binding):
                continue
            if binding.at != _COOKIES and self._follows(case.request, binding):
                request = replace(request, path=mark(number))
            else:
                request = put_for(request, binding, mark(number))[0]
        return unmarked(request, self._named)


def _is_told(value: object) -> bool:
    return value is not None and value is not MISSING


def _kept(results: Sequence[Result]) -> list[Result]:
    kept: list[Result] = []
    wanted: set[str] = set()
    for result in reversed(results):
        case = result.case
        if not kept or case.request.method.upper() not in SAFE_METHODS or case.id in wanted:
            kept.insert(0, result)
            wanted |= {it.by for it in case.bound if _uses(case, it)}
    return kept


def _uses(case: Case, binding: Binding) -> bool:
    """Tell whether the request of a case says what an earlier answer of its session handed out."""
    # Of names that a rule came upon, the recording says nothing.
    handed = binding.recorded is not None and binding.by != case.id
    return handed and put_for(case.request, binding, binding.recorded)[1]


def without_tokens(request: Request) -> Request:
    """Return a request without cookies of which only tokens are kept; members of its body get the names of secrets."""
    fields = [(name, _known_cookies(text) if name.lower() == "cookie" else text) for name, text in request.headers]
    headers = tuple((name, text) for name, text in fields if text or name.lower() != "cookie")
    body = request.body and _MEMBER.sub(_secret, request.body)
    return replace(request, headers=headers, body=body)


def _secret(found: re.Match[bytes]) -> bytes:
    before, name, between, value = found.groups()
    if not TOKEN.fullmatch(value.decode()):
        return found[0]
    return b"%b%b%b{{secret.%b}}" % (before, name, between, name)


def _known_cookies(text: str) -> str:
    return "; ".join(it.strip() for it in text.split(";") if not TOKEN.search(it))


# ---------------------------------------------------------------------------------------------------------------- names


def _noun(request: Request) -> str:
    """Return the last word of a path that is no name of one thing."""
    words = [it for it in request.path.partition("?")[0].split("/") if re.fullmatch(r"[A-Za-z][A-Za-z_-]*", it)]
    return words[-1] if words else "root"


def _slug(text: str) -> str:
    slug = _NO_WORD.sub("_", text)[:_LONGEST].strip("_")
    return slug if slug[:1].isalpha() or slug[:1] == "_" else f"value_{slug}".strip("_")


def _fresh(name: str, taken: set[str]) -> str:
    """Return a name that nothing has yet, and take it."""
    fresh = next(it for it in _numbered(name) if it not in taken)
    taken.add(fresh)
    return fresh


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}_{number}"
        number += 1
