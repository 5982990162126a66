"""What a ref of the local repository is, and its files. Nothing is fetched, and nothing in the repository changes."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from replay.errors import SettingsError

_SECONDS: Final = 600.0
_SHORT: Final = 10
_MARK: Final = 6
_HEADS: Final = ("diff --git ", "index ", "old mode ", "new mode ", "deleted ", "new file ")
"""What begins the lines that tell which files changed, into what: never one of a file itself."""
_LINK: Final = "160000"
"""The mode of a submodule in a tree."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of a repository, and where in it the settings stand."""

    repository: Path
    ref: str
    id: str
    below: str = ""
    """The folder of the settings, relative to the top of the repository."""
    unsaved: bool = False
    """It is what is checked out, and there are changes that it does not have."""

    @property
    def name(self) -> str:
        """Return the ref and its commit, for people."""
        return self.short if self.id.startswith(self.ref) else f"{self.ref} ({self.short})"

    @property
    def short(self) -> str:
        """Return as much of the commit's name as people look at."""
        return self.id[:_SHORT]


def resolve(folder: Path, ref: str) -> Commit:
    """Return the commit that a ref names in the repository around a folder. Raise SettingsError where there is none."""
    place = f"git:{ref}"
    if not ref.strip() or ref.startswith("-"):
        raise SettingsError("this is no name of a commit", place=place, hint="write git:main, git:HEAD~1 or git:v1.2")
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top.returncode:
        told = top.stderr.strip().splitlines()
        why = f": {told[0]}" if told and "not a git repository" not in told[0] else ""
        raise SettingsError(f"this folder is in no git repository{why}", place=place, hint="use at: path:DIR")
    found = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    commit = found.stdout.strip()
    if found.returncode or commit.startswith("^"):  # All commits that are not in it, in the language of git.
        hint = "fetch it first (in CI: the whole history, fetch-depth: 0); this tool fetches nothing"
        raise SettingsError("the repository knows no such commit", place=place, hint=hint)
    head = _git(folder, "rev-parse", "HEAD").stdout.strip()
    unsaved = commit == head and bool(_git(folder, "status", "--porcelain", "--untracked-files=no").stdout)
    below = _git(folder, "rev-parse", "--show-prefix").stdout.strip()
    _require_whole(folder, commit, place)
    return Commit(Path(top.stdout.rstrip("\n")), ref, commit, below, unsaved)


def _require_whole(folder: Path, commit: str, place: str) -> None:
    """Refuse what would be checked out with holes in it."""
    tree = _git(folder, "ls-tree", "-r", "--full-tree", commit).stdout
    links = [line.partition("\t")[2] for line in tree.splitlines() if line.startswith(_LINK)]
    if links:
        hint = "check it out yourself, with its submodules, and write at: path:DIR"
        raise SettingsError(f"this commit has a submodule ({links[0]}), which is not fetched", place=place, hint=hint)


def is_tracked(repository: Path, path: Path) -> bool:
    """Tell whether a path is a file of a repository that git knows, or a folder with some."""
    real = path.resolve()
    return real.is_relative_to(repository) and bool(
        _git(repository, "--literal-pathspecs", "ls-files", "--", str(real)).stdout
    )


def files_of(commit: Commit) -> list[str]:
    """Return the files of a commit, named from the top of its repository."""
    listed = _git(commit.repository, "ls-tree", "-r", "-z", "--full-tree", "--name-only", commit.id).stdout
    return listed.split("\0")[:-1]


def has_folder(commit: Commit, below: str) -> bool:
    """Tell whether a commit has a folder, named from the top of its repository."""
    path = "" if below == "." else below
    return _git(commit.repository, "cat-file", "-t", f"{commit.id}:{path}").stdout.strip() == "tree"


def label_of(folder: Path) -> str:
    """Return what a folder's working tree is a version of: its commit, and with which changes; empty if unknown."""
    head = _git(folder, "rev-parse", "HEAD")
    if head.returncode:
        return ""
    changes = _changes(folder)
    return head.stdout.strip()[:_SHORT] + (f" with changes {changes}" if changes else "")


def _changes(folder: Path) -> str:
    """Return a digest of how tracked files differ from the commit, so that two drafts are two versions; empty if none.

    Files that git does not know say nothing: this tool's own store may be one.
    """
    plain = ("--full-index", "--no-renames", "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/")
    told = _git(folder, "diff", "HEAD", "--unified=0", *plain).stdout.splitlines()
    heads = [line for line in told if line.startswith(_HEADS)]
    return hashlib.sha256("\n".join(heads).encode("utf-8", "replace")).hexdigest()[:_MARK] if heads else ""


def check_out(commit: Commit, folder: Path) -> None:
    """Put the files of a commit into a folder that is not there yet. Raise SettingsError where that fails.

    It is a repository of its own that borrows the other's objects: no branch, hook or setting of that one has a part.
    """
    source = commit.repository
    objects = source / _git(source, "rev-parse", "--git-path", "objects").stdout.strip()
    form = _git(source, "rev-parse", "--show-object-format").stdout.strip() or "sha1"
    _must(_git(source, "init", "--quiet", "--template=", f"--object-format={form}", str(folder)), commit)
    (folder / ".git/objects/info").mkdir(parents=True, exist_ok=True)
    (folder / ".git/objects/info/alternates").write_text(f"{objects.resolve()}\n", "utf-8")
    shallow = source / _git(source, "rev-parse", "--git-path", "shallow").stdout.strip()
    if shallow.is_file():
        (folder / ".git/shallow").write_bytes(shallow.read_bytes())
    _must(_inside(folder, "-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", commit.id), commit)


def put_back(commit: Commit, folder: Path) -> bool:
    """Give the files of a commit in its folder their content back; others stay. Tell whether that could be done."""
    head = _inside(folder, "rev-parse", "--verify", "--quiet", "HEAD").stdout.strip()
    changed = _inside(folder, "status", "--porcelain", "--untracked-files=no")
    if head == commit.id and not changed.returncode and not changed.stdout:
        return True
    return not _inside(folder, "reset", "--quiet", "--hard", commit.id).returncode


def _inside(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git for the repository in a folder and for no other: in a damaged one, it would take the one around it."""
    return _git(folder, "--git-dir=.git", "--work-tree=.", *arguments)


def _must(done: subprocess.CompletedProcess[str], commit: Commit) -> None:
    if done.returncode:
        told = "; ".join(done.stderr.strip().splitlines()[:3])
        raise SettingsError(f"it cannot be checked out: {told}", place=f"git:{commit.ref}", hint="see git's own words")


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git in a folder. A hook that runs this tool has set variables that speak of its own repository."""
    given = {name: value for name, value in os.environ.items() if not _is_of_a_repository(name)}
    # Nothing is asked of anybody, and objects that are not here are not fetched.
    env = {**given, "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_LFS_SKIP_SMUDGE": "1"}
    env |= {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", *arguments]
    try:
        return subprocess.run(  # noqa: S603 - git, with refs as words of their own
            command,
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise SettingsError("git is not installed, and git: needs it", hint="use at: path:DIR") from None
    except subprocess.TimeoutExpired:
        raise SettingsError(f"git took longer than {_SECONDS:g} s: git {arguments[0]}") from None


def _is_of_a_repository(variable: str) -> bool:
    return variable.startswith("GIT_") and not variable.startswith("GIT_CONFIG")
