"""What a description of an interface allows: a JSON Schema of bodies, or the operations of an OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, UnknownType
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from replay.documents import parse_json
from replay.errors import InputError
from replay.locations import limited
from replay.models import Request

_HERE: Final = "urn:described"
_PATIENCE: Final = 5.0
"""Seconds that one request may take to be held against it: with that, a pattern has run away."""
_PARAMETER: Final = re.compile(r"\\\{[^{}]*\\\}")


def allowing(description: Any, place: str) -> Callable[[Request], bool]:
    """Return what tells whether a request is within a description. Raise InputError where it describes nothing.

    Of an OpenAPI document, the operation counts that a request's method and path belong to: the schema of its JSON
    body, and the parameters of its query by name. What it says nothing of is within it.
    """
    if not isinstance(description, Mapping):
        raise InputError("this is no JSON Schema and no OpenAPI document", place=place)
    if "openapi" in description:
        if not isinstance(description.get("paths") or {}, Mapping):
            raise InputError("`paths` of this OpenAPI document are no object", place=place)
        return _told(_Operations(description).allow, place)
    try:
        Draft202012Validator.check_schema(dict(description))
    except SchemaError as error:
        raise InputError(f"this is no JSON Schema: {error.message}", place=place) from None
    return _told(_bodies(description, ""), place)


def _told(allow: Callable[[Request], bool], place: str) -> Callable[[Request], bool]:
    """Raise InputError where a schema turns out to lead nowhere, or in a circle, or not to be one."""

    def told(request: Request) -> bool:
        try:
            with limited(_PATIENCE):
                return allow(request)
        except Unresolvable as error:
            raise InputError(f"the reference {error.ref} leads nowhere", place=place) from None
        except RecursionError:
            raise InputError("its schemas refer to each other in a circle", place=place) from None
        except TimeoutError:
            raise InputError("a pattern in it takes too long", place=place, hint="make it simpler") from None
        except (SchemaError, UnknownType, TypeError, re.error) as error:
            fact = str(error).partition("\n")[0]
            raise InputError(f"what it says of a request is no JSON Schema: {fact}", place=place) from None

    return told


def _bodies(root: Mapping[str, Any], pointer: str) -> Callable[[Request], bool]:
    """Return what tells whether a JSON body is valid by the schema at a place of a document."""
    resource: Resource[Any] = DRAFT202012.create_resource(dict(root))
    registry: Registry[Any] = Registry().with_resource(_HERE, resource)
    validator = Draft202012Validator({"$ref": f"{_HERE}#{pointer}"}, registry=registry)

    def allow(request: Request) -> bool:
        parsed = parse_json(request.body or b"")
        return parsed.ok and not parsed.findings and validator.is_valid(parsed.value)

    return allow


class _Operations:
    """The operations of an OpenAPI document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        paths = document.get("paths") or {}
        self._paths = [(_pattern(str(path)), path, item) for path, item in paths.items() if isinstance(item, Mapping)]

    def allow(self, request: Request) -> bool:
        head, _, query = request.path.partition("?")
        for pattern, path, item in self._paths:
            operation = item.get(request.method.lower())
            if pattern.fullmatch(head) and isinstance(operation, Mapping):
                return self._query(item, operation, query) and self._body(path, request, operation)
        return False

    def _query(self, item: Mapping[str, Any], operation: Mapping[str, Any], query: str) -> bool:
        parameters = [each for part in (item, operation) for each in _list(part.get("parameters"))]
        plain = [self._resolved(each) for each in parameters]
        names = {each.get("name") for each in plain if each.get("in") == "query"}
        needed = {each.get("name") for each in plain if each.get("in") == "query" and each.get("required")}
        given = {field.partition("=")[0] for field in query.split("&") if field}
        return needed <= given <= names

    def _body(self, path: str, request: Request, operation: Mapping[str, Any]) -> bool:
        body = operation.get("requestBody")
        if request.body is None or not isinstance(body, Mapping):
            return request.body is None
        if "application/json" not in (self._resolved(body).get("content") or {}):
            return True
        place = f"/paths/{_escaped(path)}/{request.method.lower()}/requestBody"
        pointer = str(body["$ref"]).removeprefix("#") if "$ref" in body else place
        return _bodies(self._document, f"{pointer}/content/application~1json/schema")(request)

    def _resolved(self, node: Any) -> Mapping[str, Any]:
        """Follow a reference within the document; what leads nowhere is empty."""
        for _ in range(20):
            if not isinstance(node, Mapping) or "$ref" not in node:
                break
            found: Any = self._document
            for part in str(node["$ref"]).removeprefix("#/").split("/"):
                found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
            node = found
        return node if isinstance(node, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(_PARAMETER.sub("[^/]+", re.escape(path)))


def _escaped(path: str) -> str:
    return path.replace("~", "~0").replace("/", "~1")
