"""Names that each side gave a thing itself (ids, tokens, versions): which of old's and which of new's mean the same.

What is known to be such a pair is put into old's words before anything is compared, so that arrays are paired, links
followed and texts read as if both sides had chosen the same name. It is a correspondence one to one: new's name
of one thing in the place of another is a difference, and so is old's own name on new's side.

Decisions:

- A name that looks minted on both sides (see `identifiers.looks_minted`), or is long, means the same wherever it stands
  as a word of its own: in bodies, keys, links and headers, also percent-encoded or with JSON's escapes.
- Any other, as 17 or `A1`, may mean anything. It counts only as a whole JSON value under the member name under which it
  was handed out (`id`), or as a segment of the path in `Location` and `Content-Location`. Elsewhere a rule says so:
  `minted: true`.
- A name that has become another type of value is a difference.
- The first pair that is told holds: a later one that contradicts it is none, so that what contradicts is a difference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, Self
from urllib.parse import quote

from replay.documents import dump_json
from replay.identifiers import is_telling
from replay.models import Acceptance, Binding, Headers, Json, Observation

MINTED: Final = "default: what each side named itself corresponds one to one"
_PLACED: Final = frozenset({"location", "content-location"})

Key = tuple[type, Json]
"""A scalar with its type: 1 is not true."""


class Names:
    """A correspondence between old's names and new's, one to one."""

    def __init__(self, bindings: Iterable[Binding] = ()) -> None:
        self._new_of: dict[Key, Json] = {}
        self._old_of: dict[Key, Json] = {}
        self._member_of: dict[Key, str] = {}
        """The member name under which a name of old counts; none for one that counts everywhere."""
        self.found: list[tuple[Json, Json]] = []
        """Pairs that a rule came upon, in order."""
        self._words: _Words | None = None
        for binding in bindings:
            self.bind(binding)

    def bind(self, binding: Binding) -> bool:
        """Take a pair in, and tell whether it holds: one that contradicts what is known does not."""
        old, new = binding.old, binding.new
        if type(old) is not type(new) or not self._pair(old, new):
            return False
        if not (is_telling(old) and is_telling(new)):
            self._member_of.setdefault(_key(old), binding.member)
        self._words = None
        return True

    def _pair(self, old: Json, new: Json) -> bool:
        mine, theirs = _key(old), _key(new)
        if mine in self._new_of or theirs in self._old_of:
            known = _key(self._new_of.get(mine)), _key(self._old_of.get(theirs))
            return known == (theirs, mine)
        self._new_of[mine], self._old_of[theirs] = new, old
        return True

    def same(self, old: Json, new: Json, member: str) -> bool:
        """Tell whether a rule's two values, new's in old's words, name one thing; a pair of unknown ones does now."""
        known = _key(old) in self._new_of
        if known:
            # Where it counts, it was put into old's words already.
            said = old if self._counts(old, member) else self._new_of[_key(old)]
            return _key(new) == _key(said)
        taken = _key(new) in self._new_of and self._counts(new, member)
        if taken or not self._pair(old, new):
            return False
        self._member_of[_key(old)] = ""
        self.found.append((old, new))
        return True

    def _counts(self, old: Json, member: str) -> bool:
        return self._member_of.get(_key(old), member) == member and bool(member or _key(old) not in self._member_of)

    def apart(self) -> Self:
        """Return names that start from these, and keep to themselves what they come upon."""
        twin = type(self)()
        twin._new_of, twin._old_of = dict(self._new_of), dict(self._old_of)  # noqa: SLF001 - its own twin
        twin._member_of, twin.found = dict(self._member_of), list(self.found)  # noqa: SLF001 - likewise
        return twin

    def in_words_of_old(self, observation: Observation) -> tuple[Observation, tuple[Acceptance, ...]]:
        """Return new's answer with old's names for new's, and in which parts of it there were any."""
        if self._words is None:
            self._words = _Words(self._old_of, self._new_of, self._member_of)
        return self._words.of(observation)


def _key(value: Json) -> Key:
    return type(value), value


# --------------------------------------------------------------------------------------------------------------- words


class _Words:
    """The names of new, and what old calls the same; each is looked for in one pass, so that none is put twice."""

    def __init__(self, old_of: Mapping[Key, Json], new_of: Mapping[Key, Json], member_of: Mapping[Key, str]) -> None:
        everywhere: dict[bytes, bytes] = {}
        under: dict[tuple[bytes, bytes], bytes] = {}
        segments: dict[bytes, bytes] = {}
        for said, meant in _permuted(old_of, new_of).items():
            new, old = said[1], meant
            # A name of old that new says itself is told as what it is not: by the rules of the pair it belongs to.
            owner = _key(old_of.get(said, new))
            member = member_of.get(owner)
            if member is None:
                everywhere.update(_spellings(new, old))
            elif member:
                under[_json(member), _json(new)] = _json(old)
                segments[_segment(new)] = _segment(old)
        self._everywhere = _Sought(everywhere)
        self._segments = _Sought(segments, before=rb"(?<=/)", after=rb"(?=[/?#]|\Z)")
        self._under = under
        self._member = re.compile(_members(under)) if under else None

    def of(self, observation: Observation) -> tuple[Observation, tuple[Acceptance, ...]]:
        headers = tuple((name, self._header(name, value)) for name, value in observation.headers)
        body = self._body(observation.body)
        changed = _changed(observation.headers, headers)
        if body != observation.body:
            changed.append("body")
        if not changed:
            return observation, ()
        translated = replace(observation, headers=headers, body=body)
        return translated, tuple(Acceptance(at, MINTED) for at in changed)

    def _header(self, name: str, value: str) -> str:
        raw = value.encode("utf-8", "surrogatepass")
        said = self._everywhere.put(raw)
        if name.lower() in _PLACED:
            said = self._segments.put(said)
        return value if said == raw else said.decode("utf-8", "surrogatepass")

    def _body(self, body: bytes) -> bytes:
        said = self._everywhere.put(body)
        return said if self._member is None else self._member.sub(self._under_member, said)

    def _under_member(self, found: re.Match[bytes]) -> bytes:
        return found[1] + found[2] + self._under.get((found[1], found[3]), found[3])


class _Sought:
    """Byte strings to look for as words of their own, and what to put for each."""

    def __init__(
        self, words: Mapping[bytes, bytes], before: bytes = rb"(?<![A-Za-z0-9])", after: bytes = rb"(?![A-Za-z0-9])"
    ) -> None:
        self._words = {word: put for word, put in words.items() if word != put}
        self._pattern = re.compile(before + b"(?:" + _any_of(self._words) + b")" + after) if self._words else None

    def put(self, text: bytes) -> bytes:
        return text if self._pattern is None else self._pattern.sub(lambda found: self._words[found[0]], text)


def _permuted(old_of: Mapping[Key, Json], new_of: Mapping[Key, Json]) -> dict[Key, Json]:
    """Return what to say for each of new's names, and for those of old that new has no business to say.

    No two of them come to the same: a name of old that is none of new's becomes one that nothing else becomes.
    """
    said = dict(old_of)
    for mine in new_of:
        if mine not in old_of:
            end = new_of[mine]
            while _key(end) in new_of:
                end = new_of[_key(end)]
            said[mine] = end
    return said


def _spellings(new: Json, old: Json) -> dict[bytes, bytes]:
    """Return a name as it may be written, and old's in the same writing."""
    if not isinstance(new, str) or not isinstance(old, str):
        return {_json(new): _json(old)}
    writings = (
        (lambda it: it),
        (lambda it: json.dumps(it)[1:-1]),
        (lambda it: json.dumps(it, ensure_ascii=False)[1:-1].replace("/", "\\/")),
        (lambda it: quote(it, safe="")),
    )
    return {write(new).encode(): write(old).encode() for write in reversed(writings)}


def _members(under: Mapping[tuple[bytes, bytes], bytes]) -> bytes:
    names, values = _any_of({name for name, _ in under}), _any_of({value for _, value in under})
    return rb"(?<!\\)(" + names + rb")(\s*:\s*)(" + values + rb")(?=\s*[,}\]])"


def _any_of(words: Iterable[bytes]) -> bytes:
    """Return a pattern of any of these words, the longest first."""
    return b"|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))


def _json(value: Json) -> bytes:
    return dump_json(value).encode("utf-8", "surrogatepass")


def _segment(value: Json) -> bytes:
    return quote(value, safe="", errors="surrogatepass").encode() if isinstance(value, str) else _json(value)


def _changed(before: Headers, after: Headers) -> list[str]:
    pairs = zip(before, after, strict=True)
    return list(dict.fromkeys(f"headers.{name.lower()}" for (name, value), (_, said) in pairs if value != said))
