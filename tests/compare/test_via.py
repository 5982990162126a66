"""`via`: a team's own function reads bodies; only from the project, and never a silent pass."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from replay.compare import Compared, Comparison, Pair, rule_book
from replay.config import load_project
from replay.errors import InputError, SettingsError
from replay.models import Case, Observation, Request, RuleSpec

READERS = '''
"""How this shop's answers are read."""
import json
from decimal import Decimal

def upper(body):
    return body.decode().upper()

def total(body):
    return {"total": float(body), "cents": Decimal(body.decode()), "lines": (1, None, True)}

def broken(body):
    raise ValueError("no page " + body.decode())

def leaves(body):
    raise SystemExit(3)

def odd(body):
    return {1, 2}

def nan(body):
    return float("nan")

def keys(body):
    return {1: 2}

def deep(body):
    value = []
    for _ in range(5000):
        value = [value]
    return value

number = 5
'''

_NAMES = iter(f"shop_readers_{number}" for number in range(1000))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Yield a project's folder and the name of a module in it, which no other test has loaded."""
    name, path = next(_NAMES), list(sys.path)
    (tmp_path / f"{name}.py").write_text(READERS)
    yield tmp_path, name
    sys.path[:] = path


def compared(project: tuple[Path, str], function: str, old: bytes, new: bytes, *more: dict[str, object]) -> Compared:
    root, name = project
    rules = [RuleSpec.model_validate(it) for it in ({"at": "body", "via": f"{name}:{function}"}, *more)]
    answers = (Observation(200, (("content-type", "application/pdf"),), body) for body in (old, new))
    return Comparison(rule_book(rules, None, root), {"old": None, "new": None}).compare(
        Pair(Case("it", "traffic", "it", Request()), *answers)
    )


def test_what_the_function_gives_is_compared_as_text_or_value(project: tuple[Path, str]) -> None:
    assert compared(project, "upper", b"abc", b"ABC").differences == ()
    assert [it.kind for it in compared(project, "upper", b"a", b"b").differences] == ["text"]
    found = compared(project, "total", b"1.10", b"1.20")
    assert [(it.at, str(it.old), str(it.new)) for it in found.differences] == [
        ("body.total", "1.1", "1.2"),
        ("body.cents", "1.10", "1.20"),
    ]
    assert compared(project, "total", b"1.10", b"1.20", {"at": "body.*", "within": 0.1}).differences == ()


@pytest.mark.parametrize("function", ["broken", "leaves", "odd", "nan", "keys", "deep"])
def test_an_error_in_the_function_is_a_finding_on_each_side_and_never_a_pass(
    project: tuple[Path, str], function: str
) -> None:
    alike = compared(project, function, b"a", b"a")
    assert alike.flaws.keys() == {"old", "new"}
    assert alike.flaws["old"].startswith(f"{project[1]}:{function} raised ")
    assert compared(project, function, b"a", b"b").differences


def test_an_error_on_one_side_is_that_sides(project: tuple[Path, str]) -> None:
    found = compared(project, "total", b"1", b"x")
    assert found.flaws.keys() == {"new"}
    assert found.differences


@pytest.mark.parametrize(
    "name", ["os:system", "builtins:eval", "json:loads", "replay.models:Case", "shop_nowhere:x", "sys:exit"]
)
def test_nothing_is_loaded_from_outside_of_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    rule = RuleSpec.model_validate({"at": "body", "via": name})
    with pytest.raises(SettingsError, match="is not in the project's folder"):
        rule_book([rule], None, tmp_path)


@pytest.mark.parametrize(
    ("attribute", "fact"),
    [("nothing", "has no function"), ("number", "has no function"), ("a.b", "has no function"), ("", "no module")],
)
def test_a_function_that_is_not_there_is_told_before_anything_is_sent(
    project: tuple[Path, str], attribute: str, fact: str
) -> None:
    with pytest.raises(SettingsError, match=fact):
        compared(project, attribute, b"", b"")


def test_a_module_that_cannot_be_loaded_is_told_with_its_reason(tmp_path: Path) -> None:
    name = next(_NAMES)
    (tmp_path / f"{name}.py").write_text("raise SystemExit('not today')")
    with pytest.raises(SettingsError, match="SystemExit: not today"):
        rule_book([RuleSpec.model_validate({"at": "body", "via": f"{name}:x"})], None, tmp_path)


def test_a_golden_names_no_code(project: tuple[Path, str]) -> None:
    root, name = project
    book = rule_book([], None, root)
    with pytest.raises(SettingsError, match=r"only replay\.yaml may do that"):
        book.check([RuleSpec.model_validate({"at": "body", "via": f"{name}:upper"})])


def test_the_settings_load_it_from_beside_them_and_tell_the_line(project: tuple[Path, str]) -> None:
    root, name = project
    file = root / "replay.yaml"
    file.write_text(f"compare:\n  - {{at: body, via: '{name}:upper'}}\n")
    assert load_project(root, environment={}).rules is not None
    file.write_text(f"compare:\n  - {{at: status, ignore: true}}\n  - {{at: body, via: '{name}:lower'}}\n")
    with pytest.raises(InputError, match=r"replay\.yaml:3:5: .* has no function 'lower'"):
        load_project(root, environment={})
