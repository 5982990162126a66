"""`schema:` holds both values against a JSON Schema, beside whatever compares their values."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match
from jsonschema.validators import extend, validator_for
from referencing.exceptions import Unresolvable

from replay.errors import SettingsError
from replay.locations import Path
from replay.models import RuleSpec

if TYPE_CHECKING:
    from replay.compare.walk import Walk


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
        self._validator = extend(base, type_checker=checker)(schema)  # type: ignore[no-untyped-call]  # as typeshed has it

    def check(self, walk: Walk, old: Any, new: Any, at: Path, rule: str) -> None:
        """Tell a value that does not meet the schema; what only old meets is a schema difference."""
        ours, theirs = self._wrong(old), self._wrong(new)
        if theirs:
            note = f"new: {theirs}" + (f"; old: {ours}" if ours else "")
            walk.differ(at, "schema", old, new, rule=rule, note=note)
        elif ours:
            walk.differ(at, "validation", old, new, rule=rule, note=f"old: {ours}")

    def _wrong(self, value: Any) -> str:
        try:
            error = best_match(self._validator.iter_errors(value))
        except Unresolvable as missing:
            return f"the schema refers to what is not there: {missing}"
        return "" if error is None else f"{error.message[:200]} at {error.json_path}"


def _plain(value: Any) -> Any:
    """Numbers of a schema were read as they were written; the validator wants Python's own."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


def _is_number(_checker: Any, value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_integer(_checker: Any, value: Any) -> bool:
    return _is_number(_checker, value) and value == value // 1
