"""`replay mask`: files that are there already lose what is secret or personal; or it is only told where it stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replay.cli import options

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator, Sequence
    from typing import TextIO

    from replay.cleaning import Eye, Finding
    from replay.config import Project
    from replay.privacy import MaskKey

    EyeFor = Callable[[Callable[[Finding], None]], Eye]

_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("mask", epilog="Example: replay mask --check")(mask)


def mask(
    file: Annotated[list[str] | None, typer.Argument(metavar="[FILE]...", help="Files, folders and patterns.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Write to PATH, a folder for several, and not in place.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 where something is not masked.")
    ] = False,
    env: options.Env = None,
) -> None:
    """Put tokens in place of what is secret or personal in captures, goldens, recordings and text.

    With --check and no FILE, goldens and traffic of the settings are looked at. What is found is told by file, place
    and kind, and never itself.
    """
    from functools import partial

    from replay.cleaning import Eye
    from replay.cli.masking import key_for, masking_project
    from replay.cli.output import printing
    from replay.errors import InputError

    project = masking_project(env)
    if check and out is not None:
        raise InputError("--check writes nothing, so that there is no --out", hint="leave one of them out")
    if not file and not check:
        raise InputError("no file is named", hint="replay mask FILE..., or replay mask --check for all of the settings")
    files, key = _files(project, file or []), key_for(project)
    eye = partial(Eye, key, project.masks)
    with printing() as page:
        each = partial(_check, eye, page) if check else partial(_clean, eye, page, _placing(out, file or []))
        masked = sum(map(each, files))
        page.write(_sum(len(files), masked, key, check=check))
    raise typer.Exit(1 if check and masked else 0)


def _files(project: Project, named: Sequence[str]) -> list[Path]:
    """Return the files that were named, else those of the settings, each once. Raise InputError where there is none."""
    from replay.errors import InputError

    typed = bool(named)
    names = named if typed else _own(project)
    found = list(dict.fromkeys(path for name in names for path in _expanded(project.root, name, typed=typed)))
    if not found:
        raise InputError("there is no file to look at", hint="name one, or `goldens` and `traffic` in replay.yaml")
    return found


def _own(project: Project) -> Iterator[str]:
    """Yield what the settings name, as far as it is there."""
    goldens = project.settings.goldens or "goldens"
    if (project.root / goldens).is_dir():
        yield goldens
    yield from project.settings.traffic


def _expanded(root: Path, name: str, *, typed: bool) -> Iterator[Path]:
    """Yield the files that a path or a pattern names. Raise InputError where somebody typed it and there is none."""
    from glob import glob

    from replay.cli.inputs import from_here
    from replay.errors import InputError

    path = Path(name) if typed else from_here(root / name)
    if path.is_dir():
        yield from sorted(each for each in path.rglob("*") if each.is_file() and not _is_hidden(each, path))
    elif path.exists():
        yield path
    else:
        found = [each for each in sorted(map(Path, glob(str(path), recursive=True))) if each.is_file()]  # noqa: PTH207 - absolute patterns too
        if typed and not found:
            raise InputError("there is no such file", place=name, hint="name a file, a folder, or a pattern")
        yield from found


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


# ---------------------------------------------------------------------------------------------------------------- check


def _check(eye: EyeFor, page: TextIO, path: Path) -> int:
    """Print where a file holds something that is not masked; return how much that is."""
    from replay.cleaning.files import check_file
    from replay.inert import printable

    shown, total = 0, 0

    def found(finding: Finding) -> None:
        nonlocal shown, total
        shown, total = shown + 1, total + finding.kinds.total()
        if shown <= _SHOWN:
            parts = f" in {', '.join(finding.parts)}" if finding.parts else ""
            page.write(printable(f"{path}:{finding.place}: {_kinds(finding.kinds)}{parts}") + "\n")

    check_file(path, eye(found))
    if shown > _SHOWN:
        page.write(printable(f"{path}: and {shown - _SHOWN:,} further places") + "\n")
    return total


def _placing(out: Path | None, named: Sequence[str]) -> Callable[[Path], Path]:
    """Return what tells where what is kept of a file goes."""
    if out is None:
        return lambda path: path
    if len(named) == 1 and Path(named[0]).is_file() and not out.is_dir():
        return lambda _: out
    return lambda path: out / path.name


def _clean(eye: EyeFor, page: TextIO, placed: Callable[[Path], Path], path: Path) -> int:
    """Clean a file, and print how much was masked of which kinds."""
    from collections import Counter

    from replay.cleaning.files import clean_file
    from replay.inert import printable

    kinds, target = Counter[str](), placed(path)
    clean_file(path, target, eye(lambda finding: kinds.update(finding.kinds)), lambda: bool(kinds))
    into = f" -> {target}" if target != path else ""
    page.write(printable(f"{path}{into}: {_kinds(kinds) if kinds else 'nothing to mask'}") + "\n")
    return kinds.total()


def _kinds(kinds: Counter[str]) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items(), key=lambda each: (-each[1], each[0])))


def _sum(files: int, masked: int, key: MaskKey, *, check: bool) -> str:
    from replay.counting import counted

    looked = counted(files, "file")
    if check:
        said = "; `replay mask FILE...` masks it, and `keep` in replay.yaml names what may stay" if masked else ""
        return f"{looked} checked: {f'{masked:,} not masked' if masked else 'all is masked'}{said}\n"
    if masked and key.made:
        key_hint = "under a key that is forgotten now: set REPLAY_MASK_KEY for the same tokens"
        return f"{looked}, {masked:,} masked {key_hint}\n"
    return f"{looked}, {masked:,} masked\n"
