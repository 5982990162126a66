"""docs/commands.md is what `--help` prints, at 80 columns; `nox -s docs` writes it anew."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import typer

from replay import __version__
from replay.cli import app

if TYPE_CHECKING:
    from tests.cli.conftest import Desk

PAGE: Final = Path(__file__).parents[2] / "docs" / "commands.md"
GROUPS: Final = tuple(group.typer_instance for group in app.registered_groups if group.typer_instance)
REGISTERED: Final = {
    **{command.name or "": command for command in app.registered_commands},
    **{f"{group.info.name} {it.name}": it for group in GROUPS for it in group.registered_commands},
}
COMMANDS: Final = (*REGISTERED, *(str(group.info.name) for group in GROUPS))


def sections() -> dict[str, str]:
    """Return the help on the page by command."""
    found = re.findall(r"^## replay ?([\w ]*)\n\n```text\n(.*?)```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return dict(found)


WRITTEN_BY: Final = re.search(r"typer ([\d.]+\d)", PAGE.read_text("utf-8"))


@pytest.mark.skipif(
    WRITTEN_BY is None or WRITTEN_BY[1] != typer.__version__, reason="this typer lays help out in another way"
)
@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_the_page_of_commands_is_current(desk: Desk, command: str) -> None:
    ended = desk.cli(*command.split(), "--help")
    assert (ended.code, ended.err) == (0, "")
    printed = "\n".join(line.rstrip() for line in ended.out.strip("\n").splitlines()) + "\n"
    assert printed == sections()[command], "run `nox -s docs`"


def test_the_page_of_commands_leaves_no_command_out() -> None:
    assert set(sections()) == {"", *COMMANDS}


@pytest.mark.parametrize("command", REGISTERED)
def test_every_command_has_an_example_that_names_it(command: str) -> None:
    assert (REGISTERED[command].epilog or "").startswith(f"Example: replay {command}")


@pytest.mark.parametrize("group", [app, *GROUPS], ids=lambda group: str(group.info.name))
def test_every_option_is_explained_and_nothing_else_is_offered(group: typer.Typer) -> None:
    for name, command in typer.main.get_group(group).commands.items():
        for parameter in command.params:
            assert getattr(parameter, "help", None), (name, parameter.name)


def test_the_version_is_printed(desk: Desk) -> None:
    ended = desk.cli("--version")
    assert (ended.code, ended.out) == (0, f"replay {__version__}\n")
