"""The pages about comparison say what is true: every example is a rule that the tool takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from replay.compare import COMPARATORS, rule_book
from replay.compare.headers import MEANINGS
from replay.documents import read_yaml
from replay.models import GroupSpec, RuleSpec

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {page.name: page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("*.md"))}
EXAMPLES = [
    pytest.param(block, id=f"{name}-{number}")
    for name, text in PAGES.items()
    for number, block in enumerate(re.findall(r"```yaml\n(compare:.*?)```", text, re.DOTALL), 1)
]
GROUPS = {"money": GroupSpec(tag="money")}


@pytest.mark.parametrize("block", EXAMPLES)
def test_an_example_is_made_of_rules_that_make_sense(block: str) -> None:
    rules = read_yaml(block.encode(), "docs").value["compare"]
    rule_book([RuleSpec.model_validate(rule) for rule in rules], GROUPS)


@pytest.mark.parametrize("verb", [*COMPARATORS, "renamed", "must", "schema", "waive"])
def test_every_verb_has_its_own_heading_and_example(verb: str) -> None:
    _, heading, rest = PAGES["rules.md"].partition(f"\n## {verb}\n")
    assert heading
    assert re.search(rf"[{{ ,]{verb}:", rest.partition("\n## ")[0])


def test_every_header_that_is_compared_by_default_is_listed() -> None:
    listed = {name.lower() for name in re.findall(r"^\| `([A-Z][\w-]+)` \|", PAGES["comparison.md"], re.MULTILINE)}
    assert listed == set(MEANINGS)
