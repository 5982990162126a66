"""Rules with locations, asked of one case: what they mask or keep in its paths, headers, bodies and differences."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, unquote_plus

from replay.errors import LocationError
from replay.locations import Pattern, State, parse_location
from replay.locations.parsing import Step
from replay.models import Expectation, Headers, Observation, Request
from replay.privacy.headers import KnownHeads, mask_field
from replay.privacy.json_text import is_json_text
from replay.privacy.masking import SHORTEST, Mask, name_below
from replay.privacy.names import names_secret
from replay.privacy.placed_json import UNSAID, Decision, PlacedJson
from replay.privacy.rules import ALWAYS, MaskRules
from replay.privacy.spellings import NAMED
from replay.privacy.tokens import TOKEN

_MOST_BITS: Final = 4_000
_FIELD: Final = "&"
_ANY_ITEM: Final = 1 << 60
_MOST_BODIES: Final = 32
_REMEMBERED: Final = 16_384
"""Larger bodies are looked through each time: what is remembered stays small."""


class Places:
    """What holds for a case; `mask` sees to all that no location speaks of."""

    def __init__(
        self,
        rules: MaskRules,
        holding: frozenset[int],
        mask: Mask,
        *,
        in_request: bool,
        seen: Callable[[str], None] | None = None,
    ) -> None:
        """Take the rules and the numbers of those that hold; `seen` is told each text that a location masks."""
        self.mask = mask
        self._rules = rules
        self._holding = holding
        self._in_request = in_request
        self._seen = seen
        self._keeping: dict[frozenset[int], Mask] = {}
        self._known = lru_cache(maxsize=_MOST_BODIES)(self._looked_through)
        self.speaks_of = KnownHeads(self._speaks_of)
        """Tells whether any location speaks of one of these header fields."""

    def __bool__(self) -> bool:
        """Tell whether any location is to be asked."""
        return self._rules.has_places(self._holding)

    # -------------------------------------------------------------------------------------------------------- decisions

    def decided(self, above: Decision, state: State) -> Decision:
        """Return what holds at a state below a node of which this was decided."""
        if not state.accepts:
            return above
        becomes, keeps = above.becomes, set(above.keeps)
        for number in self._rules.at(state):
            rule = self._rules.rules[number]
            if number in self._holding and (self._in_request or not rule.in_requests_only):
                if rule.keep is None:
                    becomes = rule.becomes
                else:
                    keeps.add(number)
        return Decision(becomes, frozenset(keeps))

    def below(self, state: State, name: str) -> State:
        """Return where a member of an object stands that stands at a state."""
        return state.key(name)

    def text(self, decision: Decision, name: str, text: str, state: State | None = None) -> str:
        """Return what is kept of a text in a member of this name; JSON in it is walked on from its state."""
        if not decision and state is not None and is_json_text(text) and not names_secret(name):
            return PlacedJson(self, state, decision).masked(text)
        if not decision:
            return self.mask.member(name, text)
        if self._stays(decision):
            return text
        mask = self._mask(decision.keeps)
        return self._token(mask, decision.becomes, text) if decision.becomes else mask.member(name, text)

    def plain(self, decision: Decision, name: str, spelled: str) -> str | None:
        """Return what is kept of a number, true or false, as JSON; None where it stays."""
        if self._stays(decision):
            return None
        mask = self._mask(decision.keeps)
        if decision.becomes:
            token = self._token(mask, decision.becomes, spelled)
            return None if token == spelled else token if token.isdigit() else json.dumps(token)
        return None if spelled in {"true", "false"} else mask.number(name, spelled)

    def _token(self, mask: Mask, kind: str, text: str) -> str:
        token = mask.token(kind, text)
        if self._seen is not None and token != text:
            self._seen(text)
        return token

    def _stays(self, decision: Decision) -> bool:
        return any(keep.whole for keep in map(self._keep, decision.keeps))

    def _keep(self, number: int) -> Any:
        return self._rules.rules[number].keep

    def _mask(self, keeps: frozenset[int]) -> Mask:
        if not keeps:
            return self.mask
        if keeps not in self._keeping:
            self._keeping[keeps] = self.mask.keeping([self._keep(number) for number in sorted(keeps)])
        return self._keeping[keeps]

    def _at(self, *path: str) -> tuple[State, Decision]:
        state, decision = self._rules.start, UNSAID
        for name in path:
            state = state.key(name)
            decision = self.decided(decision, state)
        return state, decision

    # ------------------------------------------------------------------------------------------------------------ parts

    def header(self, name: str, value: str) -> str | None:
        """Return what rules make of a field; None where they say nothing of it."""
        if name.lower() in ALWAYS:
            return None
        _, decision = self._at("headers", name.lower())
        return self.text(decision, "", value) if decision else None

    def _speaks_of(self, headers: Headers) -> bool:
        names = {name.lower() for name, _ in headers} - ALWAYS
        return any(self._at("headers", name)[1] for name in names)

    def keeps_header(self, name: str) -> bool:
        """Tell whether a field is kept whatever it holds."""
        return name.lower() not in ALWAYS and self._stays(self._at("headers", name.lower())[1])

    def masks_name(self, name: str) -> bool:
        """Tell whether a rule masks what is called so, somewhere."""
        return self._rules.masks_name(name, self._holding)

    def path(self, path: str) -> str:
        """Return a request's path with what rules mask in its query."""
        before, mark, query = path.partition("?")
        return before + mark + self._pairs(query, "query") if mark else path

    def _pairs(self, form: str, root: str) -> str:
        """Return a form's fields, each as rules and names have it."""
        return _FIELD.join(self._pair(field, root) for field in form.split(_FIELD))

    def _pair(self, field: str, root: str) -> str:
        name, equals, value = field.partition("=")
        _, decision = self._at(root, unquote_plus(name))
        if not decision or not equals:
            return self.mask.text(mask_field(field, self.mask.secret))
        meant = unquote_plus(value)
        kept = self.text(decision, "", meant)
        return field if kept == meant else f"{name}={quote(kept, safe='')}"

    def body(self, body: bytes) -> bytes:
        """Return a body without what rules mask, and without what is found by itself."""
        if self._seen is not None:
            return self.mask.unpacked(body, self.document)
        return self._seen_to(body)[0]

    def _seen_to(self, body: bytes) -> tuple[bytes, frozenset[str]]:
        """Return what is kept of a body, and each text in it that a location masks: mostly both sides say the same."""
        is_known = len(body) <= _REMEMBERED and not self.mask.notes
        return self._known(body) if is_known else self._looked_through(body)

    def _looked_through(self, body: bytes) -> tuple[bytes, frozenset[str]]:
        found: set[str] = set()
        return self._telling(found).body(body), frozenset(found)

    def _telling(self, found: set[str]) -> Places:
        return Places(self._rules, self._holding, self.mask, in_request=self._in_request, seen=found.add)

    def masked(self, part: Request | Expectation | Observation) -> set[str]:
        """Return each text in a part that a location masks."""
        found: set[str] = set()
        if isinstance(part, Request) and "?" in part.path:
            self._telling(found).path(part.path)
        if self.speaks_of(part.headers):
            looking = self._telling(found)
            for name, value in part.headers:
                looking.header(name, value)
        return found | self._seen_to(part.body)[1] if part.body else found

    def document(self, text: str, depth: int) -> str:
        """Return a document without what rules mask, and without what is found by itself."""
        state, decision = self._at("body")
        if is_json_text(text):
            if decision.becomes and not self._stays(decision):
                return json.dumps(self._token(self._mask(decision.keeps), decision.becomes, text))
            return PlacedJson(self, state, decision).masked(text)
        if decision:
            return self.text(decision, "", text)
        return self._fields(text, depth)

    def _fields(self, text: str, depth: int) -> str:
        """Return a form, or markup, with what rules say of its fields and elements by name."""
        if "=" in text and "<" not in text and "\n" not in text.strip():
            return self._pairs(text, "body")
        found = sorted((start, end, kept) for start, end, kept in self._named(text))
        pieces, last = [], 0
        for start, end, kept in found:
            if start >= last:
                pieces += [self.mask.document(text[last:start], depth), kept]
                last = end
        return "".join([*pieces, self.mask.document(text[last:], depth)])

    def _named(self, text: str) -> Iterable[tuple[int, int, str]]:
        for pattern in NAMED:
            for found in pattern.finditer(text):
                _, decision = self._at("body", found[2])
                if decision:
                    yield *found.span(3), self.text(decision, "", found[3])

    # ----------------------------------------------------------------------------------------------------------- values

    def value(self, at: str, value: Any, name: str) -> Any:
        """Return a value that stands at a location; `name` is the member that holds it."""
        state, decision = self._rules.start, UNSAID
        for segment in _segments(at):
            state = state.key(segment) if isinstance(segment, str) else state.index(segment)
            decision = self.decided(decision, state)
        return self._value(value, name, state, decision)

    def _value(self, value: Any, name: str, state: State, decision: Decision) -> Any:
        if isinstance(value, dict):
            below = {key: (name_below(name, key, item), state.key(key)) for key, item in value.items()}
            return {self.mask.text(key): self._below(value[key], *below[key], decision) for key in value}
        if isinstance(value, list | tuple):
            return [self._below(item, name, state.index(index), decision) for index, item in enumerate(value)]
        return self._leaf(value, name, decision) if decision else self.mask.value(value, name)

    def _leaf(self, value: Any, name: str, decision: Decision) -> Any:
        if isinstance(value, str):
            return self.text(decision, name, value)
        if isinstance(value, bytes):
            return self.mask.body(value)
        if value is None or (isinstance(value, int) and value.bit_length() > _MOST_BITS):
            return value
        kept = self.plain(decision, name, json.dumps(value) if isinstance(value, bool) else str(value))
        return value if kept is None else json.loads(kept)

    def _below(self, value: Any, name: str, state: State, decision: Decision) -> Any:
        return self._value(value, name, state, self.decided(decision, state))


@lru_cache(maxsize=16)
def places_of(rules: MaskRules, holding: frozenset[int], mask: Mask) -> tuple[Places, Places]:
    """Return what holds for the requests and for the answers of a case: the same objects for cases like it."""
    asked, answered = (Places(rules, holding, mask, in_request=in_request) for in_request in (True, False))
    return asked, answered


def masked_values(places: tuple[Places, Places], parts: Iterable[Request | Expectation | Observation]) -> set[str]:
    """Return what rules with locations mask in these parts, if it is long enough to be searched for elsewhere."""
    asked, answered = places
    found = {text for part in parts for text in (asked if isinstance(part, Request) else answered).masked(part)}
    return {text for text in found if len(text) >= SHORTEST and TOKEN.fullmatch(text) is None}


@lru_cache(maxsize=1024)
def _segments(at: str) -> tuple[str | int, ...]:
    """Return where a location leads; what an item was found by is any item."""
    try:
        pattern: Pattern = parse_location(at)
    except LocationError:
        return ()
    return tuple(_segment(step) for step in pattern.steps)


def _segment(step: Step) -> str | int:
    return next(iter(step.names), "") or next(iter(step.indices), _ANY_ITEM)
