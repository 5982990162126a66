"""A week of pull requests past the rule and its rewrite, in fast forward: `python -m examples.drafts.week`.

Every call goes through the experiment, which asks both rules and uses old's answer; NEEDS_DRAFT_V2=true uses new's.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Final

from freezegun import freeze_time

from examples.drafts.rules import PullRequest, needs_draft, needs_draft_v2
from examples.drafts.traffic import BEGINNING, week
from replay import Experiment
from replay.experiment import Captured, Log, Stored, flush, report_to
from replay.experiment.flags import environment

HERE: Final = Path(__file__).parent

draft = Experiment(
    "needs-draft",
    old=needs_draft,
    new=needs_draft_v2,
    use_new=environment("NEEDS_DRAFT_V2"),
    context=lambda pr: {"pr": pr.number, "user": pr.author},
)


def place_of(pr: PullRequest) -> str:
    """Return where a pull request is computed: what the product does with the rule."""
    return "draft" if draft(pr) else "in place"


def main(number: int, folder: Path = HERE) -> None:
    """Let a week pass, counted from 1, and keep in a folder what comes of it."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    report_to(Log(), Stored(folder / ".replay/runs.sqlite"), Captured(folder / "captures/needs-draft.jsonl"))
    places = {"draft": 0, "in place": 0}
    with freeze_time(BEGINNING) as clock:
        for moment, pr in week(number):
            clock.move_to(moment)
            places[place_of(pr)] += 1
        flush()
    sys.stdout.write("computed " + ", ".join(f"{place}: {count:,}" for place, count in places.items()) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 1)
