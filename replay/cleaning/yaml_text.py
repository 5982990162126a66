"""YAML as it is written: what needs a token is replaced where it stands, and all comments and layout stay."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from operator import itemgetter
from typing import Any, Final

import yaml

from replay.cleaning.says import Says
from replay.locations import State
from replay.privacy.names import SECRET, names_secrets
from replay.privacy.placed_json import UNSAID, Decision

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN: Final = re.compile(
    r"(?!(?:true|false|null|yes|no|on|off|y|n|[\d.-]+)\Z)[\w+/](?:[\w@.+/=?%&:~-]*[\w@.+/=?%&~-])?", re.IGNORECASE
)
_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_PROPERTIES: Final = re.compile(r"(?:[!&]\S*\s+)*")
_BLOCK: Final = re.compile(r"\|[^\n]*\n")
_COMMENT: Final = re.compile(r"#[^\n]*")
_BINARY: Final = "tag:yaml.org,2002:binary"


class YamlWalk:
    """One walk along the nodes of a document."""

    def __init__(self, text: str, says: Says, watch: Callable[[int], None]) -> None:
        """Take the text, who decides, and what is told where something was replaced."""
        self._source = text
        self._says = says
        self._watch = watch
        self._spans: list[tuple[int, int, str | None]] = []
        self._seen: set[int] = set()

    def masked(self) -> str:
        """Return the text with its scalars replaced."""
        root = yaml.compose(self._source, _LOADER)
        if root is not None:
            self._node(root, self._says.start, UNSAID, "")
        pieces, last = [], 0
        for start, end, fresh in sorted(self._spans, key=itemgetter(0)):
            pieces += [self._between(last, start), self._source[start:end] if fresh is None else fresh]
            last = end
        return "".join([*pieces, self._between(last, len(self._source))])

    def _between(self, start: int, end: int) -> str:
        """Return what stands between two scalars, with its comments masked as text."""

        def comment(found: re.Match[str]) -> str:
            masked = self._says.text(UNSAID, "", found[0])
            self._watch(start + found.start())
            return masked

        text = self._source[start:end]
        return _COMMENT.sub(comment, text) if "#" in text else text

    def _node(self, node: Any, state: State, decision: Decision, name: str) -> None:
        if id(node) in self._seen:  # an alias of what was seen to where it is anchored
            return
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            self._mapping(node, state, decision, name)
        elif isinstance(node, yaml.SequenceNode):
            self._sequence(node, state, decision, name)
        else:
            self._scalar(node, state, decision, name)

    def _mapping(self, node: Any, state: State, decision: Decision, name: str) -> None:
        said = ""
        for key, value in node.value:
            text = key.value if isinstance(key, yaml.ScalarNode) else ""
            if isinstance(key, yaml.ScalarNode):
                self._scalar(key, self._says.start, UNSAID, "")
            tells = SECRET if name is SECRET or names_secrets(text) else said if text == "value" and said else text
            below = self._says.below(state, text)
            self._node(value, below, self._says.decided(decision, below), tells)
            if text in {"name", "key"} and isinstance(value, yaml.ScalarNode):
                said = value.value

    def _sequence(self, node: Any, state: State, decision: Decision, name: str) -> None:
        items = node.value
        is_pair = name == "headers" and len(items) == 2 and all(isinstance(it, yaml.ScalarNode) for it in items)  # noqa: PLR2004 - name and value
        for index, item in enumerate(items):
            tells = items[0].value if is_pair and index else name
            below = self._says.below(state, tells) if is_pair else state.index(index)
            below = state if state is self._says.start else below
            self._node(item, below, self._says.decided(decision, below), tells)

    def _scalar(self, node: Any, state: State, decision: Decision, name: str) -> None:
        start, end = node.start_mark.index, node.end_mark.index
        properties = _PROPERTIES.match(self._source, start, end)
        start = start if properties is None else properties.end()
        raw = self._source[start:end]
        fresh = self._fresh(node, raw, state, decision, name)
        self._spans.append((start, end, fresh))
        self._watch(start)

    def _fresh(self, node: Any, raw: str, state: State, decision: Decision, name: str) -> str | None:
        """Return how a scalar is written now; None where it stays."""
        value = node.value
        if node.tag == _BINARY:
            return self._binary(value)
        if not node.style and (_NUMBER.fullmatch(value) or value in {"true", "false"}):
            kept = self._says.plain(decision, name, value)
            return None if kept is None else kept.strip('"')
        if node.style == "|" and (block := self._block(raw, decision, name, state)) is not None:
            return block
        masked = self._says.text(decision, name, value, state)
        return None if masked == value else _written(masked, node.style)

    def _binary(self, value: str) -> str | None:
        try:
            content = base64.b64decode(value)
        except (binascii.Error, ValueError):
            return None
        masked = self._says.binary(content)
        return None if masked == content else json.dumps(base64.b64encode(masked).decode("ascii"))

    def _block(self, raw: str, decision: Decision, name: str, state: State) -> str | None:
        """Return a block with its lines masked as they stand; None where what it holds is more than its lines."""
        head = _BLOCK.match(raw)
        lines = raw[head.end() :].split("\n") if head else []
        indent = min((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), default=0)
        if head is None or not indent:
            return None
        masked = self._says.text(decision, name, "\n".join(line[indent:] for line in lines), state)
        return head[0] + "\n".join(" " * indent + line if line.strip() else line for line in masked.split("\n"))


def _written(text: str, style: str | None) -> str:
    if not style and _PLAIN.fullmatch(text):
        return text
    if style == "'" and "\n" not in text:
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text, ensure_ascii=False)
