"""An observation that was stored before it counted retries can be read."""

from __future__ import annotations

from replay.models import Case, Observation, Request, Result
from replay.store.codec import Beside, Collected, decode_result, encode_result


def test_an_observation_without_retries_had_none() -> None:
    result = Result(Case("a", "golden", "a", Request()), "match", Observation(200), Observation(200))
    collected = Collected()
    document = encode_result(result, collected)
    for side in (2, 3):
        assert document[side].pop() == 0
    beside = Beside(tuple(collected.headers), lambda _index: b"", collected.floats)
    assert decode_result(document, beside) == result
