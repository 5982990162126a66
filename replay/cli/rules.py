"""`replay rules`: what the rules do, which of them judged what, and what they would let through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from replay.cli import options

if TYPE_CHECKING:
    from replay.cli.present import Present
    from replay.cli.rule_pages import Named
    from replay.engine.advice import Advice
    from replay.engine.audit import Audit
    from replay.engine.usage import Usage
    from replay.models import Result
    from replay.store.base import RunRecord
    from replay.store.sqlite import SqliteStore

Cases = Annotated[int, typer.Option(metavar="N", min=1, help="Plant regressions into at most N cases.")]
Seed = Annotated[int, typer.Option(metavar="N", min=0, help="Draw the cases by N.")]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        name="rules",
        help="See what rules do: which are too wide, which judged what, what they would let through.",
        epilog="Example: replay rules check",
        no_args_is_help=True,
    )
    group.command("check", epilog="Example: replay rules check")(check)
    group.command("explain", epilog="Example: replay rules explain checkout/leap-day")(explain)
    group.command("audit", epilog="Example: replay rules audit --cases 500")(audit)
    app.add_typer(group)


# --------------------------------------------------------------------------------------------------------------- check


def check(
    run: options.RunId = None, store: options.Store = None, env: options.Env = None, as_json: options.AsJson = False
) -> None:
    """Find rules that hide whole bodies, allow anything, matched nothing or never have a say.

    Exit code 1 where one hides whole bodies without saying of which cases and why, else 0.
    """
    from datetime import UTC, datetime

    from replay.cli.output import printing
    from replay.cli.present import present_rules
    from replay.cli.rule_pages import write_check, write_check_json
    from replay.cli.stored import opened_store
    from replay.engine.usage import Usage
    from replay.store.place import default_store

    today = datetime.now(UTC).date()
    if run is None and not (store or default_store()).exists():
        present, record, used = present_rules(env, None, today), None, Usage()
    else:
        with opened_store(store) as kept:
            record = kept.run(run)
            present = present_rules(env, record, today)
            used = _used(present, kept, record)
    found = _findings(present, used)
    with printing() as out:
        (write_check_json if as_json else write_check)(out, present, record, used, found)
    raise typer.Exit(int(any(each.finding.grave for each in found)))


def _used(present: Present, kept: SqliteStore, record: RunRecord) -> Usage:
    from replay.engine.usage import usage

    return usage(present.rules, present.book, present.referee.comparison, kept.results(record.id))


def _findings(present: Present, used: Usage) -> list[Named]:
    """Return what is found, in the order of the rules: by reading them, by the run, and of the goldens' own."""
    from replay.cases import load_goldens
    from replay.cli.rule_pages import Named
    from replay.compare.scrutiny import scrutinise
    from replay.engine.usage import findings

    rules = present.rules
    found_by = {(it.index, it.problem): it for it in findings(rules, used)}
    for it in scrutinise(rules, present.today):
        # What a run shows says how many cases there are, and may be graver than what reading shows.
        key = it.index, it.problem
        found_by[key] = it if it.grave else found_by.get(key, it)
    found = [Named(rules[it.index], it) for it in sorted(found_by.values(), key=lambda it: it.index)]
    folder = present.project.root / (present.project.settings.goldens or "goldens")
    for case in load_goldens(folder) if folder.is_dir() else ():
        own = scrutinise(case.rules, present.today, of_golden=True) if case.rules else []
        found += [Named(case.rules[it.index], it, golden=case.id) for it in own]
    return found


# ------------------------------------------------------------------------------------------------------------- explain


def explain(
    id: options.CaseId,  # noqa: A002 - the glossary's word
    run: options.FromRun = None,
    store: options.Store = None,
    env: options.Env = None,
    as_json: options.AsJson = False,
) -> None:
    """Tell which rule judged which node of a stored case, by the rules as they are now."""
    from replay.cli.output import printing
    from replay.cli.present import present_rules
    from replay.cli.rule_pages import explained, write_explanation, write_explanation_json
    from replay.cli.stored import cases_called, opened_store
    from replay.errors import InputError

    with opened_store(store) as kept:
        record, found = cases_called(kept, id, run)
    stored = found[0]
    if stored.new is None:
        raise InputError(f"'{id}' was not sent, so nothing was judged: {stored.skipped or stored.outcome}")
    present = present_rules(env, record, record.started.date())
    with printing() as out:
        write = write_explanation_json if as_json else write_explanation
        write(out, present, record, explained(present, stored, stored.new))


# --------------------------------------------------------------------------------------------------------------- audit


def audit(
    run: options.RunId = None,
    cases: Cases = 200,
    seed: Seed = 0,
    store: options.Store = None,
    env: options.Env = None,
    as_json: options.AsJson = False,
) -> None:
    """Plant small regressions into what new answered in a run, and tell which of them the present rules let through.

    Nothing is sent, and nothing is stored. The same N cases and the same seed give the same answer.
    """
    from replay.cli.output import printing
    from replay.cli.present import present_rules
    from replay.cli.rule_pages import write_audit, write_audit_json
    from replay.cli.stored import opened_store

    with opened_store(store) as kept:
        record = kept.run(run)
        present = present_rules(env, record, record.started.date())
        audited, advice = _audited(present, kept, record, cases, seed)
    with printing() as out:
        (write_audit_json if as_json else write_audit)(out, present, record, audited, advice)


def _audited(
    present: Present, kept: SqliteStore, record: RunRecord, cases: int, seed: int
) -> tuple[Audit, list[Advice]]:
    from replay.engine.advice import advise, without
    from replay.engine.audit import Auditor, chosen
    from replay.errors import RunError

    drawn = chosen(kept.results(record.id, bodies=False), cases, seed)
    if not drawn:
        raise RunError(f"run {record.id} compared no case, so there is nothing to audit")

    def stored(identities: frozenset[str]) -> Iterable[Result]:
        return (result for result in kept.results(record.id) if result.case.identity in identities)

    auditor = Auditor(present.referee, lambda: present.book.trace, present.rules)
    for result in stored(drawn):
        auditor.add(result)
    compare = without(present.rules, present.project.settings.groups, present.bases, present.today)
    return auditor.audit, advise(auditor.audit, stored, compare)
