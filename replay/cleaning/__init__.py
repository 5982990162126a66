"""Files that are there already, without what is secret or personal: recordings, captures, goldens, documents, text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from replay.cleaning import captures, documents, flows, gor, texts
from replay.cleaning.base import Cleaner, Eye, Finding

__all__ = ["CLEANERS", "Cleaner", "Eye", "Finding", "Form", "form_of"]


@dataclass(frozen=True, slots=True)
class Form:
    """A format of files: how it is told by how a file begins, and what cleans it."""

    recognises: Callable[[bytes], bool]
    clean: Cleaner


CLEANERS: Final[Mapping[str, Form]] = {
    "capture": Form(captures.recognises, captures.clean),
    "gor": Form(gor.recognises, gor.clean),
    "mitmproxy": Form(flows.recognises, flows.clean),
    "json": Form(documents.is_json, documents.clean_json),
    "yaml": Form(documents.is_yaml, documents.clean_yaml),
    "text": Form(texts.recognises, texts.clean),
}
"""Formats by name. A file is held against them in this order: the first that recognises its beginning cleans it."""


def form_of(path: Path, head: bytes) -> str:
    """Return in which format a file is that begins like this."""
    if path.suffix in {".yaml", ".yml"}:
        return "yaml"
    return next(name for name, form in CLEANERS.items() if form.recognises(head))
