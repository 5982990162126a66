"""Flags, commands and arguments that people bring along from other tools."""

from __future__ import annotations

import pytest
from typer.main import get_command

from replay.cli import app
from replay.cli.foreign import COMMANDS, FLAGS, familiar

from .conftest import Desk


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("run --html out.html", "there is no report in HTML"),
        ("run --output=out.xml", "--report KIND:FILE"),
        ("run --jobs 4", "--concurrency N"),
        ("run goldens/first.yaml", "--only ID"),
        ("run --traffic a.har b.har", "once for each file"),
        ("run --config other.yaml", "replay.yaml, found from"),
        ("test", "replay run"),
        ("accept", "replay approve"),
    ],
)
def test_whoever_types_what_another_tool_takes_is_told_what_there_is_here(desk: Desk, typed: str, told: str) -> None:
    ended = desk.cli(*typed.split())
    assert (ended.code, ended.err.splitlines()[-1].startswith("  hint: ")) == (2, True)
    assert told in ended.err


@pytest.mark.parametrize("typed", ["run --concurrency many", "run --nothing-known", "nothing-known", ""])
def test_what_no_tool_takes_gets_no_hint(typed: str) -> None:
    assert familiar(typed.split()) is None


def test_nothing_that_is_told_of_other_tools_is_a_command_or_a_flag_of_every_command_here() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    assert not COMMANDS.keys() & commands.keys()
    ours = {flag for parameter in commands["run"].params for flag in parameter.opts}
    assert not FLAGS.keys() & ours
