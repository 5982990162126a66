"""Whether a value stands in an answer as a word of its own, and not as a part of another one."""

from __future__ import annotations

import re

from replay.models import Json, Observation


def holds(answer: Observation, value: Json) -> bool:
    """Tell whether a text or number turns up anywhere in an answer's headers or body, as a word of its own."""
    word = str(value)
    if word.encode("utf-8", "surrogatepass") in answer.body:
        return re.search(_alone(word).encode("utf-8", "surrogatepass"), answer.body) is not None
    return any(word in text and re.search(_alone(word), text) is not None for _, text in answer.headers)


def _alone(word: str) -> str:
    return rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])"
