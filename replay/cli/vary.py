"""`replay vary`: hostile variants of a real case, sent to both sides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replay.cli import options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from replay.config import Project
    from replay.curation.promote import Promotion
    from replay.engine import Plan
    from replay.models import Case, Disagreement, Request, Result, Varied

Sends = Annotated[
    int, typer.Option("--sends", metavar="N", min=1, help="Send at most N variants, as many of each kind.")
]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", metavar="KIND", help="Make variants of KIND alone, such as unicode; repeatable."),
]
Cases = Annotated[int, typer.Option("--cases", metavar="N", min=1, help="Of a route, vary the first N cases.")]
Within = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Stay within a JSON Schema of the body, or an OpenAPI description."),
]
Write = Annotated[bool, typer.Option("--write", help="Write one golden for each disagreement into goldens/.")]
Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Write all variants that disagree to a capture.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("vary", epilog="Example: replay vary 'GET /search' --kind unicode --kind paging")(vary)


def vary(
    what: Annotated[str, typer.Argument(metavar="ID|ROUTE", help="A case's id, or a route such as 'GET /search'.")],
    sends: Sends = 500,
    kind: Kinds = None,
    cases: Cases = 3,
    within: Within = None,
    write: Write = False,
    out: Out = None,
    session: options.WithSession = None,
    old: options.Old = None,
    new: options.New = None,
    traffic: options.Traffic = None,
    goldens: options.Goldens = None,
    writable: options.Writable = None,
    concurrency: options.Concurrency = None,
    seed: options.Seed = None,
    freeze: options.Freeze = None,
    store: options.Store = None,
    env: options.Env = None,
) -> None:
    """Make hostile variants of real cases, send them to both sides, and tell on which the sides disagree.

    Kinds are unicode, numbers, dates, sizes, fields, encodings, headers, paging and injection. What the real case shows
    by itself is no news. Interrupted, or with a side that gives no answer any more, it prints what it has and ends with
    130 (terminated: 143) or 3.
    """
    from replay.cli.flags import instant_of, writable_side
    from replay.cli.output import printing
    from replay.cli.pacing import Pacing
    from replay.cli.planning import Flags, make_plan, project_for
    from replay.reports.varied import write_varied
    from replay.store.place import default_store

    flags = Flags(
        old=old,
        new=new,
        traffic=tuple(traffic or ()),
        goldens=goldens,
        pacing=Pacing(concurrency=concurrency),
        noise=0,
        writable=writable_side(writable),
        seed=seed,
        freeze=instant_of(freeze),
        env=env,
        sends=True,
    )
    kinds = _kinds(kind)
    project = project_for(flags)
    plan, file = make_plan(project, flags), store or default_store()
    chosen, fits = _chosen(plan, what, cases), _fits(project, plan, within)
    bases = [_base(plan, case, file, session) for case in chosen]
    found, signalled = _varied(plan, bases, kinds, sends, fits, file)
    with printing() as page:
        write_varied(page, found)
    if out is not None:
        _keep(project, out, found)
    if write and not _write(plan, found, Path(goldens) if goldens is not None else None):
        raise typer.Exit(2)
    if any(each.why for each in found):
        raise typer.Exit(3 if signalled is None else 128 + signalled)


def _kinds(given: Sequence[str] | None) -> list[str]:
    from replay.curation.variants import VARIATIONS
    from replay.errors import SettingsError

    if unknown := [kind for kind in given or () if kind not in VARIATIONS]:
        raise SettingsError(f"--kind {unknown[0]}: there is no such kind", hint=f"write {', '.join(VARIATIONS)}")
    return list(dict.fromkeys(given or VARIATIONS))


def _chosen(plan: Plan, what: str, most: int) -> list[Case]:
    """Return the case of this id, else the first ones of this route that are unlike."""
    from replay.errors import NothingSelectedError
    from replay.selection import is_route, parse_route

    route = parse_route(what) if is_route(what) else None
    found: dict[object, Case] = {}
    for case in plan.cases:
        if case.id == what or (route is not None and any(map(route.matches, case.requests[: len(case.steps) or 1]))):
            found.setdefault(case.requests, case)
        if len(found) >= (most if route is not None else 1):
            break
    if not found:
        raise NothingSelectedError(f"no case is called '{what}' or goes there", hint="routes are such as 'GET /search'")
    return list(found.values())


def _base(plan: Plan, case: Case, store: Path, session: bool | None) -> Case:
    """Return a case as it is varied: with what led to it in its session, and fixed."""
    from replay.cli.probes import fixed, one_at_a_time
    from replay.cli.session_steps import with_session

    return fixed(plan, with_session(one_at_a_time(plan), lambda: plan.cases, case, store, wanted=session))


def _fits(project: Project, plan: Plan, within: Path | None) -> Callable[[Case, Request], bool]:
    """Return what tells whether a variant can be sent, and is within the description."""
    from replay.cli.checking import check_case
    from replay.cli.confiding import Uses
    from replay.cli.sides import shapes_of
    from replay.curation.within import allowing
    from replay.errors import InputError

    allowed = None if within is None else allowing(_description(within), str(within))
    shapes, uses = shapes_of(plan.sides), Uses(project)

    def fits(case: Case, request: Request) -> bool:
        try:
            check_case(project, shapes, uses, case)
        except InputError:
            return False
        return allowed is None or allowed(request)

    return fits


def _description(path: Path) -> object:
    from replay.documents import read_yaml
    from replay.errors import InputError

    try:
        text = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", place=str(path)) from None
    return read_yaml(text, str(path)).value


def _varied(
    plan: Plan,
    bases: Sequence[Case],
    kinds: Sequence[str],
    sends: int,
    fits: Callable[[Case, Request], bool],
    store: Path,
) -> tuple[list[Varied], int | None]:
    """Return what came of the variants of each case, and the signal that cut it short if one did."""
    from replay.cli.output import remark
    from replay.cli.progress import Progress
    from replay.curation.varying import picked, variants_of, varied
    from replay.engine.probing import probing
    from replay.errors import NothingSelectedError

    chosen = [picked(variants_of(base, kinds, fits), sends // len(bases) or 1, plan.sending.seed) for base in bases]
    total = sum(len(some) for some, _ in chosen)
    if not total:
        raise NothingSelectedError(f"there is no variant to send: {', '.join(kinds)}", hint="name other kinds or cases")
    with probing(plan, store, tell=remark) as probe, Progress(total, "varying") as progress:
        for base in bases:
            probe.require(base)
        probe.heed_signals()

        def send(cases: Sequence[Case]) -> list[Result]:
            results = probe.results(cases)
            for result in results:
                progress.watch(result.outcome)
            return results

        def ended() -> str:
            return "it was interrupted" if probe.signalled is not None else ""

        found: list[Varied] = []
        for base, (some, left) in zip(bases, chosen, strict=True):
            found.append(varied(base, some, left, send, ended))
            if found[-1].why:
                break
        return found, probe.signalled


def _keep(project: Project, path: Path, found: Sequence[Varied]) -> None:
    """Write the variants that disagree, without their secrets."""
    from dataclasses import replace

    from replay.cases import write_capture
    from replay.cases.masked import masked_by
    from replay.cli.masking import redactor_for
    from replay.cli.output import say

    # A capture holds single requests.
    plain = [each for each in found if not each.case.steps]
    shown = [(each, one) for each in plain for disagreement in each.disagreements for one in disagreement.shown]
    cases = (
        replace(one.result.case, id=f"{each.case.id}#{number}", kind="traffic", rules=())
        for number, (each, one) in enumerate(shown, 1)
    )
    redactor = redactor_for(project)
    account = write_capture(path, cases, redactor.case, facts=masked_by(redactor.key.fingerprint))
    say(f"{account.kept:,} variants are in {path}")
    if len(plain) < len(found):
        say("those of scenarios are not: a capture holds single requests, and --write makes goldens of them")


def _write(plan: Plan, found: Sequence[Varied], folder: Path | None) -> bool:
    """Write a golden of each disagreement that was confirmed; tell whether each of them could be written."""
    from replay.cli.output import complain
    from replay.cli.promoting import write_golden
    from replay.errors import InputError

    all_of_them = True
    for each in found:
        for number, disagreement in enumerate((it for it in each.disagreements if it.confirmed), 1):
            try:
                write_golden(_promotion(plan, each.case, disagreement, number), folder)
            except InputError as error:
                complain(error)
                all_of_them = False
    return all_of_them


def _promotion(plan: Plan, base: Case, found: Disagreement, number: int) -> Promotion:
    """Return the golden that the smallest variant is, without its secrets."""
    from dataclasses import replace

    from replay.causes import worded
    from replay.cli.probes import promotion_of
    from replay.curation.golden_text import says_something

    shown = found.shown[0]
    case = replace(shown.result.case, id=f"{base.id}-{shown.variant.kind}-{number}")
    why = f"a variant of {base.id} ({shown.variant.at}, {shown.variant.what}): {worded(found.way)}"
    before = {pair for request in base.requests for pair in request.headers}

    def telling(name: str, value: str) -> bool:
        # What the variant put there is what it is about.
        return says_something(name, value) or not any((it.lower(), said) == (name, value) for it, said in before)

    return promotion_of(plan, replace(shown.result, case=case), why=why, telling=telling)
