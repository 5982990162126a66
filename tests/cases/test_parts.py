"""Parts of what there is: each case is in one, and each record is accounted for by one."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from replay.cases import CaptureFile, HarFile, load_goldens
from replay.cases.base import Source
from replay.cases.chosen import Choice, Chosen
from replay.models import Intake
from replay.sampling import Portion

COUNT = 3


def capture(folder: Path, *, cut: bool = False) -> Source:
    """Return a capture in which bad records name sessions, or are spelled with escapes, or are plainly bad."""
    lines = [b'{"replay_capture": 1}']
    for number in range(40):
        lines.append(json.dumps({"id": f"c-{number}", "request": {}, "session": f"s-{number % 7}"}).encode())
        lines.append(json.dumps({"id": f"d-{number}", "request": {}}).encode())
        lines += [b'{"session": "s-1", "request": {"pth": "/"}}', b'{"request": {"text": "\\ud800"}}', b"no json"]
    data = b"\n".join(lines) + b"\n"
    path = folder / "c.jsonl"
    path.write_bytes(gzip.compress(data)[:-200] if cut else data)
    return CaptureFile(path, skip_bad=True)


def cut_capture(folder: Path) -> Source:
    return capture(folder, cut=True)


def har(folder: Path) -> Source:
    def entry(number: int) -> dict[str, Any]:
        url = "ws://shop.test/" if number % 5 == 0 else "https://shop.test/"
        return {"request": {"method": "GET", "url": url}, "response": {"status": 200, "content": {}}}

    path = folder / "t.har"
    path.write_text(json.dumps({"log": {"entries": [entry(number) for number in range(20)]}}))
    return HarFile(path)


def goldens(folder: Path) -> Source:
    for number in range(10):
        folder.joinpath(f"{number}.yaml").write_text("request: {path: /}\n")
    return load_goldens(folder)


def summed(intakes: list[Intake]) -> tuple[int, Counter[str]]:
    skipped = sum((Counter(intake.skipped) for intake in intakes), Counter[str]())
    return sum(intake.loaded for intake in intakes), skipped


@pytest.mark.parametrize("source_in", [capture, cut_capture, har, goldens])
@pytest.mark.parametrize("choice", [Choice(), Choice(only=("*",))], ids=["all", "chosen"])
def test_parts_hold_each_case_once_and_their_accounts_add_up(
    tmp_path: Path, source_in: Callable[[Path], Source], choice: Choice
) -> None:
    whole = Chosen([source_in(tmp_path)], choice)
    expected = [case.id for case in whole]
    found: list[str] = []
    intakes: list[Intake] = []
    for index in range(COUNT):
        # As each process has it, which was forked before anything was read.
        chosen = Chosen([source_in(tmp_path)], choice)
        found += [case.id for case in chosen.part(Portion(index, COUNT))]
        intakes += chosen.intakes
    assert Counter(found) == Counter(expected)
    assert summed(intakes) == summed(list(whole.intakes))
