"""Rules into settings that somebody wrote by hand: a few lines more, and everything else as it was."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from replay.curation.remarks import kept_remarks


def with_rules(text: str, rules: Sequence[str]) -> str:
    """Return settings with further rules, each in one line, behind those under `compare`; comments and layout stay.

    The settings are known to be good. Raise LookupError where they are nested too deeply for that.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        raise LookupError("compare") from None
    nodes = {key.value: (key, value) for key, value in root.value} if isinstance(root, yaml.MappingNode) else {}
    line = "\r\n" if "\r\n" in text else "\n"
    if "compare" not in nodes:
        end = "" if text.endswith("\n") or not text else line
        return f"{text}{end}{line}compare:{line}{_items(rules, '  ', line)}"
    key, value = nodes["compare"]
    if not isinstance(value, yaml.SequenceNode) or not value.value:
        # Nothing but `compare:`, or an empty list behind it.
        rest = _rest_of_line(text, value.end_mark.index)
        within = kept_remarks(text, key.end_mark.index, value.end_mark.index, "  ").replace("\n", line)
        return f"{text[: key.end_mark.index]}:{line}{within}{_items(rules, '  ', line)}{rest}"
    if value.flow_style:
        return _into_flow(text, value.value[-1].end_mark.index, rules)
    return _behind(text, value, rules, line)


def _behind(text: str, written: yaml.SequenceNode, rules: Sequence[str], line: str) -> str:
    """Return the text with rules behind a list that is written an item a line."""
    lines = text.splitlines(keepends=True)
    last = len(lines) if written.end_mark.index >= len(text) else written.end_mark.line
    # Comments before the next key are about that, and empty lines belong to nobody.
    while last > 0 and lines[last - 1].strip()[:1] in ("", "#"):
        last -= 1
    before = "".join(lines[:last])
    end = "" if before.endswith("\n") else line
    return f"{before}{end}{_items(rules, ' ' * written.start_mark.column, line)}{''.join(lines[last:])}"


def _items(rules: Sequence[str], indent: str, line: str) -> str:
    return "".join(f"{indent}- {rule}{line}" for rule in rules)


def _rest_of_line(text: str, index: int) -> str:
    """Return what comes after a value, without the rest of its line if that is empty."""
    line, newline, rest = text[index:].partition("\n")
    return f"{line.lstrip()}{newline}{rest}" if line.strip() else rest


def _into_flow(text: str, end: int, rules: Sequence[str]) -> str:
    """Return the text with rules behind the last item, which ends there; a comma and a comment may follow it."""
    return f"{text[:end]}, {', '.join(rules)}{text[end:]}"
