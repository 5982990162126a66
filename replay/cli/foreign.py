"""What other tools call what this one does: whoever types it out of habit is told how it is typed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

_REPORT: Final = "--report KIND:FILE, such as --report junit:replay.xml"
_AT_ONCE: Final = "--concurrency N, and --workers N for several processes"
_SIDE: Final = "keys of a side in replay.yaml: headers, timeout, retry, tls (docs/settings.md)"
_ONLY: Final = "--only ID and --tag TAG"
_SETTINGS: Final = "replay.yaml, found from the current folder upwards; --env NAME lays replay.NAME.yaml over it"
_EXPECT: Final = "`replay approve`, which writes what was answered into goldens"

FLAGS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("--output", "-o", "--json", "--junit", "--markdown", "--report-junit", "--report-json"), _REPORT),
    **dict.fromkeys(("--html", "--report-html"), "--report markdown:replay.md; there is no report in HTML"),
    **dict.fromkeys(("--jobs", "-j", "-n", "--parallel", "--threads", "-c", "--numprocesses"), _AT_ONCE),
    **dict.fromkeys(("--header", "-H", "--timeout", "--max-time", "--retry", "--insecure"), _SIDE),
    **dict.fromkeys(("--filter", "-k", "--test", "--include", "--name"), _ONLY),
    **dict.fromkeys(("--config", "-f", "--settings"), _SETTINGS),
    **dict.fromkeys(("--update", "-u", "--accept", "--snapshot-update"), _EXPECT),
    **dict.fromkeys(("--verbose", "-v", "-vv"), "`replay show ID`, which prints one case in full"),
    **dict.fromkeys(("--candidate", "--secondary", "--right"), "--new"),
    **dict.fromkeys(("--primary", "--baseline", "--control", "--left"), "--old"),
}
"""Flags of other tools, and what there is here for them."""

COMMANDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("test", "check", "compare", "diff"), "`replay run`"),
    **dict.fromkeys(("accept", "update"), "`replay approve`"),
    **dict.fromkeys(("capture", "proxy", "serve", "mirror"), "`replay record`"),
    **dict.fromkeys(("convert", "load"), "`replay import`"),
    **dict.fromkeys(("validate", "lint"), "`replay run --dry-run`, or `replay rules check`"),
    **dict.fromkeys(("list", "ls"), "`replay goldens`, or `replay history` for runs"),
    **dict.fromkeys(("status", "view", "open"), "`replay report`, or `replay show ID`"),
}
"""Commands of other tools, and what there is here for them."""


def familiar(arguments: Sequence[str]) -> str | None:
    """Return what was meant by arguments that could not be understood; None where they are of no tool we know."""
    if not arguments:
        return None
    command, *others = arguments
    if command in COMMANDS:
        return f"try {COMMANDS[command]}"
    names = [it.partition("=")[0] for it in others]
    if known := next((name for name in names if name in FLAGS), None):
        return f"for {known} there is {FLAGS[known]}"
    if command == "run" and any(
        not one.startswith("-") and not other.startswith("-") for one, other in pairwise(arguments)
    ):
        return "--only ID picks goldens, --traffic FILE names traffic, once for each file; --old and --new name sides"
    return None
