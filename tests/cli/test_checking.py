"""Cases that are spared the check before anything is sent are those that would pass it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.cases import CaptureFile
from replay.cases.chosen import Choice, Chosen
from replay.cli.checking import check_case, is_spared
from replay.cli.confiding import Uses
from replay.config import Project, load_project
from replay.errors import InputError
from replay.models import Case, Request, Side
from replay.targets.reshaping import Shape

HEADER = '{"replay_capture": 1}\n'
TEXTS = st.sampled_from(["", "a", "{{secret.api}}", "{{ secret.else }}", "%7B%7Bsecret.api%7D%7D", "secret.", "{{a}}"])
REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "method": st.sampled_from(["GET", "post"]),
        "path": st.sampled_from(["/", "/a?b={{secret.api}}", "/%7B%7Bsecret.text%7D%7D", "//host/", "/secret.{{b}}"]),
        "headers": st.dictionaries(st.sampled_from(["Authorization", ":path", "X"]), TEXTS, max_size=2),
        "text": TEXTS,
        "json": st.lists(TEXTS, max_size=2),
    },
)
RECORDS = st.fixed_dictionaries(
    {"request": REQUESTS}, optional={"id": TEXTS, "session": st.sampled_from(["s", "t"]), "at": st.just("2024-02-29")}
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = tmp_path_factory.mktemp("project")
    secrets = "secrets: {api: {env: A, traffic: true}, text: {env: B, traffic: false}, else: {env: C}}\n"
    (root / "replay.yaml").write_text(secrets)
    return load_project(root, environment={})


def looked_through(
    project: Project, path: Path, choice: Choice, *, spared: bool, shapes: Mapping[Side, Shape]
) -> tuple[Any, ...]:
    """Return what a look through a capture comes to: a count or an error, what was noted, and the reader's account."""
    uses, source = Uses(project), CaptureFile(path, skip_bad=True)
    found: int | str
    try:
        chosen = Chosen([source], choice)

        def check(case: Case) -> None:
            check_case(project, shapes, uses, case)

        found = chosen.count(check, lambda it: is_spared(shapes, it)) if spared else chosen.count(check)
    except InputError as error:
        found = str(error)
    noted = {key: (case if isinstance(case, str) else case.place) for key, case in uses.filled.items()}
    return found, noted, uses.left, source.intake


CHOICES = st.sampled_from([Choice(), Choice(limit=2), Choice(only=("a",)), Choice(shard=(1, 2)), Choice(tags=("t",))])


@settings(max_examples=200, deadline=None)
@given(records=st.lists(RECORDS, max_size=4), choice=CHOICES)
def test_sparing_plain_cases_a_look_changes_nothing(
    project: Project, tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, Any]], choice: Choice
) -> None:
    path = tmp_path_factory.mktemp("c") / "c.jsonl"
    path.write_text(HEADER + "".join(json.dumps(record) + "\n" for record in records))
    expected = looked_through(project, path, choice, spared=False, shapes={})
    assert looked_through(project, path, choice, spared=True, shapes={}) == expected


def test_no_request_is_spared_that_names_a_secret_or_is_reshaped() -> None:
    plain = Request("GET", "/", (("A", "b"),), b"c")
    assert is_spared({}, plain)
    shapes: dict[Side, Shape] = {"new": Shape("operator:itemgetter")}
    assert not is_spared(shapes, plain)
    for request in (
        Request("GET", "/{{secret.a}}"), Request("GET", "/", (("A", "{{secret.a}}"),)), Request(body=b"{{secret.a}}"),
    ):  # fmt: skip
        assert not is_spared({}, request)


def test_of_what_is_spared_no_case_is_made(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(HEADER + '{"request": {}}\n' * 3 + '{"request": {"form": {"a": "b"}}}\n')
    looked_at: list[Case] = []
    assert Chosen([CaptureFile(path)], Choice()).count(looked_at.append, lambda _it: True) == 4
    assert [case.place for case in looked_at] == [f"{path}:5"]
