"""The secrets that the bodies of a case's requests hold by their names: a service may repeat them."""

from __future__ import annotations

from replay.models import Result
from replay.privacy.masking import Mask
from replay.privacy.places import Places
from replay.privacy.rules import MaskRules
from replay.privacy.suspicion import names_any


def sent_secrets(result: Result, mask: Mask, rules: MaskRules, holding: frozenset[int]) -> frozenset[str]:
    """Return what is secret by its name in the bodies of requests: a service may repeat it."""
    telling = [request.body for request in result.case.requests if request.body and names_any(request.body)]
    if not telling:
        return frozenset()
    listening = mask.listening()
    places = Places(rules, holding, listening, in_request=True)
    for body in telling:
        (places or listening).body(body)
    return listening.heard
