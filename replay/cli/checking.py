"""What is wrong with a case is found before anything is sent, and told with its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from replay.cases import rule_place
from replay.cli.confiding import Uses
from replay.compare import require_evidence
from replay.config import Project
from replay.errors import InputError, Place, SettingsError
from replay.models import Case, Failure, Request, RuleSpec, Side
from replay.placeholders import filled, may_name_secrets, names_of
from replay.targets.reshaping import Shape
from replay.wire import check_request


def check_case(project: Project, shapes: Mapping[Side, Shape], uses: Uses, case: Case) -> None:
    """Hold a case to what would only be found when it is sent. Raise InputError for the first thing that is wrong."""
    uses.look(case)
    for request in case.requests:
        # What stands for a value of a later time is held to the check with a value that can stand anywhere.
        sent = filled(request, dict.fromkeys(names_of(request), "/value")) if case.steps else request
        _placed(case.place, partial(check_request, sent))
        for side, shape in shapes.items():
            _placed(case.place, partial(_check_shape, side, shape, sent))
    check_rules(project, case, case.rules, "compare")
    for number, step in enumerate(case.steps):
        check_rules(project, case, step.rules, "steps", number, "compare")


def is_spared(shapes: Mapping[Side, Shape], request: Request) -> bool:
    """Tell whether `check_case` would find nothing in traffic whose request can be sent, so that it can be left out."""
    return not shapes and not may_name_secrets(request)


def _check_shape(side: Side, shape: Shape, request: Request) -> None:
    made = shape.request(request)
    if isinstance(made, Failure):
        raise SettingsError(f"{side}: {made.message}", hint="it has to return a Request for every case")


def check_rules(project: Project, case: Case, rules: Sequence[RuleSpec], *path: str | int) -> None:
    """Hold the rules of a golden, which stand at this path of it, to what makes sense. Raise InputError."""
    for index, rule in enumerate(rules):
        place = partial(rule_place, case, *path, index)
        _placed(place, partial(project.rules.check, [rule]))
        _placed(place, partial(require_evidence, rules, index, of_golden=True))


def _placed(place: str | Callable[[], Place], check: Callable[[], object]) -> None:
    """Run a check; what it finds is told with its place."""
    try:
        check()
    except InputError as error:
        told = place if isinstance(place, str) else place()
        raise type(error)(error.fact, place=told, hint=error.hint) from None
