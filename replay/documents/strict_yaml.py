"""YAML read strictly: JSON's numbers, `true`, `false` and `null`; all else is the text as written. Nothing is executed.

The tree is built from the parser's events, in a loop, so that depth and the growth by aliases are bounded. Places are
found by reading once more, only when an error has to be told: the way without errors pays nothing for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NoReturn

import yaml

from replay.documents.numbers import Numeral, overflows
from replay.documents.scalars import is_plain, key_text, scalar_value
from replay.documents.text import decode, shown
from replay.errors import DocumentError, Place

Path = tuple[str | int, ...]

_LOADER: Final[Any] = getattr(yaml, "CLoader", yaml.Loader)
"""libyaml where PyYAML was built with it; both only ever produce events here, and construct nothing."""

_MAX_DEPTH: Final = 200
_MAX_ALIASED: Final = 1_000_000
"""How many characters and nodes aliases may add to what is written out."""

_NOT_FINITE = re.compile(r"NaN|-?Infinity|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


@dataclass(frozen=True)
class Document:
    """One YAML document: its value, and where each part of it stands."""

    file: str
    value: Any
    _text: str

    def place(self, path: Sequence[str | int] = (), *, key: bool = False) -> Place:
        """Return where the node at this path stands, or its nearest ancestor; with `key`, where its key does.

        Steps that the document does not have are passed over, so that pydantic's locations fit, which name the
        members of unions too.
        """
        known = self._index.nodes
        step: Path = ()
        for part in path:
            longer = (*step, part)
            step = longer if longer in known else step
        places = self._index.keys if key and step and step[-1] == path[-1] else known
        return places.get(step, known[step])

    def is_plain(self, path: Path) -> bool:
        """Return whether the text at this path is not quoted; true too where an alias hides how it was written."""
        return path not in self._index.nodes or path in self._index.plain

    def mapping(self) -> dict[str, Any]:
        """Return the value of a document that has to be a mapping; raise DocumentError for any other."""
        if not isinstance(self.value, dict):
            kind = "a list" if isinstance(self.value, list) else "a single value"
            raise DocumentError(f"the document is {kind}, not a mapping", place=self.place(), hint="write `key: value`")
        return self.value

    @cached_property
    def _index(self) -> _Index:
        index = _Index()
        _Builder(self.file, index).build(self._text)
        return index


@dataclass
class _Index:
    """Where nodes and their keys stand, and which scalars are unquoted."""

    nodes: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    plain: set[Path] = field(default_factory=set)


def read_yaml(text: str | bytes, file: str) -> Document:
    """Read one YAML document. `file` is how errors name it.

    The value is made of dict, list, str, int, Numeral, bool, None, and bytes for `!!binary`. Raise DocumentError, with
    line and column, for whatever is not exactly one document that says one thing: no or several documents, duplicate
    or composite keys, merge keys, tags that are not YAML's own, more than 200 levels, aliases that blow up, other
    encodings than UTF-8.
    """
    clean = decode(text, file)
    return Document(file, _Builder(file).build(clean), clean)


def check_json(document: Document, path: Path) -> None:
    """Raise DocumentError where the value at this path holds something that a JSON body cannot: NaN, 1e400, binary."""
    value = document.value
    for part in path:
        try:
            value = value[part]
        except (LookupError, TypeError):
            return  # nothing stands there; whether it had to is the model's business
    for below, item in _walk(value, path):
        if problem := _not_json(document, below, item):
            fact, hint = problem
            raise DocumentError(fact, place=document.place(below), hint=hint)


def _not_json(document: Document, path: Path, item: Any) -> tuple[str, str] | None:
    if isinstance(item, bytes):
        return "binary has no place in JSON", "send it as `base64`, or as text"
    if isinstance(item, str) and _NOT_FINITE.fullmatch(item) and document.is_plain(path):
        return f"{item} is no JSON", f'as text, write "{item}" in quotes'
    if isinstance(item, Numeral) and overflows(item):
        return f"{shown(item.spelling)} overflows", "no service could read this number; as text, put it in quotes"
    return None


def _walk(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield every scalar below a value, with its path."""
    pending = [(path, value)]
    while pending:
        where, item = pending.pop()
        if isinstance(item, dict):
            pending.extend(((*where, key), member) for key, member in item.items())
        elif isinstance(item, list):
            pending.extend(((*where, index), member) for index, member in enumerate(item))
        else:
            yield where, item


@dataclass(slots=True)
class _Frame:
    """A container that is still open."""

    node: dict[str, Any] | list[Any]
    anchor: str | None = None
    key: str | None = None
    keys: dict[str, Any] = field(default_factory=dict)
    """Where each key of this mapping stands, for the message about its twin."""
    weight: int = 1
    height: int = 1


@dataclass(frozen=True, slots=True)
class _Anchored:
    """A finished node that aliases may name: how much it adds, and how deep it is."""

    value: Any
    weight: int
    height: int
    plain: bool


class _Builder:
    """Builds one document out of events; with an index, it also notes where things stand."""

    def __init__(self, file: str, index: _Index | None = None) -> None:
        self.file = file
        self.index = index
        self.stack: list[_Frame] = []
        self.path: list[str | int] = []
        self.anchors: dict[str, _Anchored | None] = {}
        self.aliased = 0
        self.root: Any = None
        self.empty = False

    def build(self, text: str) -> Any:
        documents = 0
        try:
            for event in yaml.parse(text, Loader=_LOADER):
                documents += isinstance(event, yaml.DocumentStartEvent)
                if documents > 1:
                    self.fail(event, "a second document begins here", "keep one document in a file")
                self.take(event)
        except yaml.YAMLError as error:
            raise self.broken(error) from None
        if not documents or self.empty:
            raise DocumentError("the document is empty", place=Place(self.file, 1, 1))
        return self.root

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self.scalar(event)
        elif isinstance(event, yaml.MappingStartEvent):
            self.open(event, {})
        elif isinstance(event, yaml.SequenceStartEvent):
            self.open(event, [])
        elif isinstance(event, yaml.CollectionEndEvent):
            self.close()
        elif isinstance(event, yaml.AliasEvent):
            self.alias(event)

    def scalar(self, event: yaml.ScalarEvent) -> None:
        if self.wants_key():
            self.key(event)
            return
        self.empty = not self.stack and not event.value and is_plain(event)
        try:
            value = scalar_value(event)
        except ValueError as error:
            fact, hint = error.args
            self.fail(event, fact, hint)
        self.note(event)
        if self.index is not None and is_plain(event):
            self.index.plain.add(self.where())
        weight = 1 + len(event.value)
        if event.anchor:
            self.anchors[event.anchor] = _Anchored(value, weight, 0, is_plain(event))
        self.add(value, weight, 0)

    def wants_key(self) -> bool:
        return bool(self.stack) and self.stack[-1].key is None and isinstance(self.stack[-1].node, dict)

    def key(self, event: yaml.ScalarEvent) -> None:
        frame = self.stack[-1]
        try:
            key = key_text(event)
        except ValueError as error:
            fact, hint = error.args
            self.fail(event, fact, hint)
        if key in frame.keys:
            first = _place(self.file, frame.keys[key])
            self.fail(event, f"key '{shown(key)}' stands here again; first at {first}", "remove one of them")
        frame.key = key
        frame.keys[key] = event.start_mark
        if event.anchor:
            self.anchors[event.anchor] = _Anchored(key, 1 + len(key), 0, plain=False)
        if self.index is not None:
            self.index.keys[self.where()] = _place(self.file, event.start_mark)

    def open(self, event: yaml.CollectionStartEvent, node: dict[str, Any] | list[Any]) -> None:
        if self.wants_key():
            self.fail(event, "a key must be text", "write the key in one line, without brackets")
        if event.tag not in (None, "!", f"tag:yaml.org,2002:{'map' if isinstance(node, dict) else 'seq'}"):
            self.fail(event, f"unknown tag '{shown(event.tag)}'", "remove the tag")
        if len(self.stack) >= _MAX_DEPTH:
            self.fail(event, f"more than {_MAX_DEPTH} levels of nesting")
        self.note(event)
        if event.anchor:
            self.anchors[event.anchor] = None
        if self.index is not None and self.stack:
            self.path.append(self.step())
        self.stack.append(_Frame(node, event.anchor))

    def close(self) -> None:
        frame = self.stack.pop()
        if self.index is not None and self.stack:
            self.path.pop()
        if frame.anchor:
            self.anchors[frame.anchor] = _Anchored(frame.node, frame.weight, frame.height, plain=False)
        self.add(frame.node, frame.weight, frame.height)

    def alias(self, event: yaml.AliasEvent) -> None:
        name = str(event.anchor)
        if self.wants_key():
            self.fail(event, "an alias cannot be a key", "write the key out")
        if name not in self.anchors:
            self.fail(event, f"alias '*{shown(name)}' has no anchor", f"mark a node above with &{shown(name)}")
        node = self.anchors[name]
        if node is None:
            self.fail(event, f"alias '*{shown(name)}' stands within what it names")
        self.aliased += node.weight
        if self.aliased > _MAX_ALIASED or len(self.stack) + node.height > _MAX_DEPTH:
            self.fail(event, "aliases make this document too large", "write out what is meant")
        self.note(event)
        if self.index is not None and node.plain:
            self.index.plain.add(self.where())
        self.add(node.value, node.weight, node.height)

    def add(self, value: Any, weight: int, height: int) -> None:
        if not self.stack:
            self.root = value
            return
        frame = self.stack[-1]
        frame.weight += weight
        frame.height = max(frame.height, height + 1)
        if isinstance(frame.node, list):
            frame.node.append(value)
        else:
            frame.node[str(frame.key)] = value
            frame.key = None

    def step(self) -> str | int:
        frame = self.stack[-1]
        return len(frame.node) if isinstance(frame.node, list) else str(frame.key)

    def where(self) -> Path:
        return (*self.path, self.step()) if self.stack else ()

    def note(self, event: yaml.NodeEvent) -> None:
        if self.index is not None:
            self.index.nodes[self.where()] = _place(self.file, event.start_mark)

    def fail(self, event: yaml.Event, fact: str, hint: str | None = None) -> NoReturn:
        raise DocumentError(fact, place=_place(self.file, event.start_mark), hint=hint)

    def broken(self, error: yaml.YAMLError) -> DocumentError:
        mark = getattr(error, "problem_mark", None)
        fact = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "this is no YAML")
        if "nesting depth" in fact:  # libyaml has a limit of its own, which its reading ahead may meet before ours
            fact = f"more than {_MAX_DEPTH} levels of nesting"
        hint = "indent with spaces" if "\\t" in fact or "cannot start any token" in fact else None
        return DocumentError(shown(fact), place=_place(self.file, mark) if mark else self.file, hint=hint)


def _place(file: str, mark: Any) -> Place:
    return Place(file, mark.line + 1, mark.column + 1)
