"""By what the calls of an experiment are judged, and what of them nobody may see: its rules and masks, made ready."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from pydantic import ValidationError

from replay.compare import Comparison, RuleBook, require_evidence, rule_book
from replay.documents.validation import explain
from replay.engine.outcome import Referee
from replay.errors import InputError, SettingsError
from replay.experiment.calls import Setup
from replay.models import MaskSpec, RuleSpec, Spec
from replay.privacy import MaskKey, Redactor, mask_rules
from replay.privacy.rules import masking_checks

_Spec = TypeVar("_Spec", bound=Spec)


@dataclass(frozen=True, slots=True)
class Terms:
    """An experiment's rules and masks, ready."""

    referee: Referee
    redactor: Redactor


def rules_of(setup: Setup) -> RuleBook:
    """Read an experiment's rules. Raise SettingsError or LocationError, with the place, for what makes no sense."""
    specs = _read(setup, "compare", setup.rules, RuleSpec)
    for index, spec in enumerate(specs):
        _placed(setup, "compare", index, partial(_require_no_code, spec))
        _placed(setup, "compare", index, partial(rule_book, (spec,)))
        _placed(setup, "compare", index, partial(require_evidence, specs, index))
    return rule_book(specs)


def masks_of(setup: Setup) -> Sequence[MaskSpec]:
    """Read an experiment's masks. Raise SettingsError or LocationError, with the place, for what makes no sense."""
    specs = _read(setup, "mask", setup.masks, MaskSpec)
    for (_, index), check in masking_checks(specs, ()):
        _placed(setup, "mask", index, check)
    return specs


def terms_of(setup: Setup, key: MaskKey) -> Terms:
    """Make ready what an experiment says. Raise InputError for what makes no sense."""
    comparison = Comparison(rules_of(setup), {"old": None, "new": None})
    return Terms(Referee(comparison), Redactor(key, mask_rules(masks_of(setup), ())))


def asks_of_equals(setup: Setup) -> bool:
    """Tell whether some rule asks something of equal values; raise InputError where rules or masks make no sense."""
    masks_of(setup)
    return not rules_of(setup).lets_equals_pass


def _read(setup: Setup, name: str, given: Sequence[Mapping[str, Any]], model: type[_Spec]) -> tuple[_Spec, ...]:
    return tuple(_placed(setup, name, index, partial(_spec, model, each)) for index, each in enumerate(given))


def _spec(model: type[_Spec], given: object) -> _Spec:
    try:
        return model.model_validate(_exact(given))
    except ValidationError as error:
        fact, hint = explain(error, model)
        raise SettingsError(fact, hint=hint) from None


def _exact(value: Any) -> Any:
    """Return what a program says as a document would: numbers keep the digits that were written."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {name: _exact(item) for name, item in value.items()}
    return [_exact(item) for item in value] if isinstance(value, list | tuple) else value


def _require_no_code(spec: RuleSpec) -> None:
    if spec.via is not None:
        hint = "Experiment(clean=...) takes your own function"
        raise SettingsError(f"rule at '{spec.at}': via is for bytes that a service answered", hint=hint)


_Made = TypeVar("_Made")


def _placed(setup: Setup, name: str, index: object, make: Callable[[], _Made]) -> _Made:
    try:
        return make()
    except InputError as error:
        place = f"experiment {setup.name}: {name}[{index}]"
        raise type(error)(error.fact, place=place, hint=error.hint) from None
