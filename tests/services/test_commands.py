"""Commands become words without a shell, and get the variables that keep them determinate."""

from __future__ import annotations

from pathlib import Path

import pytest

from replay.errors import SettingsError
from replay.models import TargetSpec
from replay.services.commands import environment, filled, from_elsewhere, require_place, shown_command, words_of


@pytest.mark.parametrize(("command", "words"), [
    ("shop --port {port}", ("shop", "--port", "{port}")),
    ("shop 'a b' \"c d\" e\\ f", ("shop", "a b", "c d", "e f")),
    ("sh -c 'a && b > $HOME/c'", ("sh", "-c", "a && b > $HOME/c")),
    ("grep a|b '{}' {0.__class__} %s #", ("grep", "a|b", "{}", "{0.__class__}", "%s", "#")),
    (("shop", "a && b", "$X", ""), ("shop", "a && b", "$X", "")),
])  # fmt: skip
def test_a_command_is_its_words(command: str | tuple[str, ...], words: tuple[str, ...]) -> None:
    assert words_of(command) == words


@pytest.mark.parametrize("command", [
    "", "   ", (), ("",), "shop 'a", "shop && shop", "shop | tee log", "shop > log", "shop 2>&1", "shop &", "A=1 shop",
    "shop $HOME", "shop `id`", "shop $(id)", "shop a\0b", ("shop", "\0"),
])  # fmt: skip
def test_what_only_a_shell_could_carry_out_is_refused(command: str | tuple[str, ...]) -> None:
    with pytest.raises(SettingsError):
        words_of(command)


def test_only_the_port_is_replaced() -> None:
    assert filled(("a{port}b", "{other}", "{port}"), 8001) == ("a8001b", "{other}", "8001")


def test_a_command_is_shown_as_one_would_type_it() -> None:
    assert shown_command(("shop", "--port", "{port}", "a b")) == "shop --port {port} 'a b'"


def test_its_own_variables_beat_all_others_and_know_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLAY_MASK_KEY", "secret")
    monkeypatch.setenv("VIRTUAL_ENV", "/of/this/tool")
    variables = environment(TargetSpec(run="shop", env={"URL": "http://x:{port}", "TZ": "Asia/Tokyo"}), 8001, "mark")
    assert variables["URL"] == "http://x:8001"
    assert variables["TZ"] == "Asia/Tokyo"
    assert variables["PORT"] == "8001"
    assert variables["PYTHONHASHSEED"] == "0"
    assert not {"REPLAY_MASK_KEY", "VIRTUAL_ENV"} & set(variables)


def _environment(folder: Path, *programs: str) -> None:
    (folder / "bin").mkdir()
    for name in ("python", *programs):
        (folder / "bin" / name).write_text("#!/bin/sh\n")
        (folder / "bin" / name).chmod(0o755)


def test_a_virtual_environment_without_an_interpreter_is_refused_for_the_one_of_the_system_would_be_started(
    tmp_path: Path,
) -> None:
    _environment(tmp_path)
    python = tmp_path / "bin" / "python"
    for mode in (0o644, None):
        python.unlink() if mode is None else python.chmod(mode)
        with pytest.raises(SettingsError, match="has no Python that can be started"):
            require_place(TargetSpec(run="python server.py", at=f"venv:{tmp_path}"))
    python.symlink_to(tmp_path / "gone")
    with pytest.raises(SettingsError, match="has no Python that can be started"):
        require_place(TargetSpec(run="python server.py", at=f"venv:{tmp_path}"))


@pytest.mark.parametrize(("run", "program"), [
    ("python x.py", ""), ("ls", "ls"), ("/bin/ls", ""), ("sh -c ls", ""), ("there", ""), ("nowhere-at-all", ""),
])  # fmt: skip
def test_a_program_that_its_virtual_environment_lacks_is_known_to_come_from_elsewhere(
    tmp_path: Path, run: str, program: str
) -> None:
    _environment(tmp_path, "there")
    found = from_elsewhere(TargetSpec(run=run, at=f"venv:{tmp_path}"))
    assert Path(found).name == program
    assert from_elsewhere(TargetSpec(run=run, at=f"path:{tmp_path}")) == ""


def test_a_virtual_environment_is_activated(tmp_path: Path) -> None:
    _environment(tmp_path)
    variables = environment(TargetSpec(run="shop", at=f"venv:{tmp_path}"), 8001, "mark")
    assert variables["VIRTUAL_ENV"] == str(tmp_path)
    assert variables["PATH"].startswith(f"{tmp_path}/bin:")
