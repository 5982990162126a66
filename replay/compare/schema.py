"""`schema:` holds both values against a JSON Schema, beside whatever compares their values."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from jsonschema.validators import extend, validator_for
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # it ships no types
from referencing.exceptions import Unresolvable

from replay.compare.base import Rule
from replay.compare.values import exact
from replay.compare.walk import Walk
from replay.documents import shown
from replay.errors import SettingsError
from replay.locations import ROOT, Path, limited, print_location
from replay.models import MISSING, RuleSpec


class SchemaCheck:
    """One schema, compiled. A schema that is none raises SettingsError."""

    def __init__(self, spec: RuleSpec) -> None:
        schema = _plain(spec.schema_)
        if not isinstance(schema, dict | bool):
            raise SettingsError(f"rule at '{spec.at}': schema is no JSON Schema", hint="write it as a mapping")
        base = validator_for(schema, default=Draft202012Validator)
        try:
            base.check_schema(schema)  # type: ignore[arg-type]  # true and false are schemas too
        except SchemaError as error:
            raise SettingsError(f"rule at '{spec.at}': schema is no JSON Schema: {error.message}") from None
        checker = base.TYPE_CHECKER.redefine("number", _is_number).redefine("integer", _is_integer)
        # A registry of its own: the library would fetch a `$ref` from the network, or from a file.
        validator = extend(base, type_checker=checker)  # type: ignore[no-untyped-call]  # as typeshed has it
        self._validator = validator(exact(spec.schema_), registry=REGISTRY)

    def check(self, walk: Walk, old: Any, new: Any, at: Path, rule: Rule) -> None:
        """Tell a value that does not meet the schema; what only old meets is a schema difference."""
        ours, theirs = self._wrong(old), self._wrong(new)
        if theirs:
            note = f"new: {theirs}" + (f"; old: {ours}" if ours else "")
            walk.differ(at, "schema", old, new, rule=rule.name, note=note)
        elif ours:
            walk.differ(at, "validation", old, new, rule=rule.name, note=f"old: {ours}")

    def _wrong(self, value: Any) -> str:
        if value is MISSING:
            return "there is nothing"
        try:
            with limited():
                error = best_match(self._validator.iter_errors(value))
        except Unresolvable as missing:
            return f"the schema refers to what is not there: {missing}"
        except RecursionError:
            return "the schema or the value has no end"
        except TimeoutError:
            return "the schema takes too long"
        except ArithmeticError:
            return "a number is beyond all computing"
        return "" if error is None else _told(error)


def _told(error: ValidationError) -> str:
    """Tell what is not met, and where below. The value itself stays out of it: it may be a secret."""
    path: Path = ROOT
    for segment in error.absolute_path:
        path = (path, segment)
    wanted = f"{error.validator}: {shown(str(_plain(error.validator_value)))}"
    return f"{print_location(path) or 'it'} does not meet {wanted}"


def _plain(value: Any) -> Any:
    """Make a schema plain, with numbers as doubles, as the schema of schemas wants them."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


def _is_number(_checker: Any, value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_integer(_checker: Any, value: Any) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite() and value == value.to_integral_value()
    return isinstance(value, int) and not isinstance(value, bool)
