"""An over-wide rule, planted into a copy of the bundled example, is what the audit names first."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from replay.cli import main

ROOT = Path(__file__).parents[2]
AT = "  # A header that is not compared"


def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["replay", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code, capsys.readouterr().out


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the example, with the working directory in it."""
    for folder in ("examples", "goldens"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "planted",
    [
        "{on: orders, at: body..*, ignore: true, why: orders are noisy}",
        "{on: orders, at: body, same_type: true}",
    ],
)
def test_the_audit_finds_an_over_wide_rule(
    planted: str,
    shop: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = (ROOT / "replay.yaml").read_text("utf-8")
    assert AT in settings
    (shop / "replay.yaml").write_text(settings.replace(AT, f"  - {planted}\n{AT}"), "utf-8")
    assert cli(capsys, monkeypatch, "run", "--goldens", "goldens", "--gate", "pr", "--concurrency", "2")[0] == 0
    code, out = cli(capsys, monkeypatch, "rules", "audit", "--json")
    holes: list[dict[str, Any]] = json.loads(out)["holes"]
    assert code == 0
    words = planted.strip("{}").partition(", why")[0].replace("on: ", "on ").replace(", at: ", " at ")
    assert holes[0]["rule"].startswith(words)
    spot = next(it for it in holes[0]["locations"] if it["at"] == "body.total")
    assert (spot["needless"], spot["let_through"]["off by one"] > 0) == (True, True)
