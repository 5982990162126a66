"""`replay review`: cause by cause, from a surprise to a golden, a rule or a waiver."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replay.cli import options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from replay.cli.reviewing import Action, Proposal, Review
    from replay.curation.remedies import Said

_ACTIONS = "What is done about it"
_SAID = "What goes with it"


def _action(name: str, meaning: str) -> typer.models.OptionInfo:
    # By its name: typer would add a flag for the contrary.
    return typer.Option(name, help=meaning, rich_help_panel=_ACTIONS)  # type: ignore[no-any-return]


def _said(metavar: str, meaning: str) -> typer.models.OptionInfo:
    return typer.Option(metavar=metavar, help=meaning, rich_help_panel=_SAID)  # type: ignore[no-any-return]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("review", epilog="Example: replay review --cause 3 --tolerate --why 'old cuts cents off' --yes")(review)


def review(
    run: options.RunId = None,
    cause: Annotated[
        str | None, typer.Option(metavar="CAUSE", help="Take one cause, by its number or a part of its title.")
    ] = None,
    promote: Annotated[bool, _action("--promote", "Keep a captured case of it as a golden.")] = False,
    ignore: Annotated[bool, _action("--ignore", "Do not compare what differs, on the routes of the cause.")] = False,
    tolerate: Annotated[bool, _action("--tolerate", "Let it differ by as much as was seen, or by --within.")] = False,
    unordered: Annotated[bool, _action("--unordered", "Compare the array as a bag.")] = False,
    map_: Annotated[bool, _action("--map", "Accept the changes that were seen as intended.")] = False,
    waive: Annotated[bool, _action("--waive", "Accept it until a day; with --until, --owner and --why.")] = False,
    within: Annotated[str | None, _said("V", "A number, a share (0.1%) or a duration (2s).")] = None,
    until: Annotated[str | None, _said("DAY", "The last day (UTC) of a waiver.")] = None,
    owner: Annotated[str | None, _said("NAME", "Who answers for a waiver.")] = None,
    why: Annotated[str | None, _said("TEXT", "The reason, for the reader of the file.")] = None,
    expect: Annotated[str | None, _said("SIDE", "Have the golden expect what old or new answered.")] = None,
    name: Annotated[str | None, _said("NAME", "Call the golden NAME, as in checkout/leap-day.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write it; without, only show what would be written.")] = False,
    wide: Annotated[bool, typer.Option("--wide", help="Write a rule that hides or accepts more than this.")] = False,
    goldens: Annotated[
        Path | None, typer.Option(metavar="DIR", envvar="REPLAY_GOLDENS", help="Write goldens below DIR.")
    ] = None,
    store: options.Store = None,
    env: options.Env = None,
) -> None:
    """Go through a run cause by cause: promote, ignore, tolerate, map or waive it, by single keys.

    What would be written is shown before, and what it would settle and hide. With --cause and an action, for scripts.
    """
    from replay.cli.flags import expected_side
    from replay.cli.inputs import goldens_folder
    from replay.cli.reviewing import Review
    from replay.cli.stored import closed_run, opened_store
    from replay.curation.remedies import Said

    flags: Mapping[Action, bool] = {
        "promote": promote, "ignore": ignore, "tolerate": tolerate, "unordered": unordered, "map": map_, "waive": waive,
    }  # fmt: skip
    action = _only([each for each, given in flags.items() if given])
    said = Said(why=why or "", within=within, until=until or "", owner=owner or "")
    with opened_store(store) as kept:
        reviewed = Review(kept, closed_run(kept, run), env, lambda: goldens_folder(goldens))
        if cause is None:
            _at_terminal(reviewed, action)
            return
        place = _place(reviewed, cause)
        if action is None:
            _show(reviewed, place)
        elif action == "promote":
            _carry_out(
                reviewed,
                place,
                reviewed.propose_golden(place, why=said.why, name=name, expect=expected_side(expect)),
                yes=yes,
                wide=wide,
            )
        else:
            proposal = reviewed.propose_rule(place, action, _reasoned(reviewed, place, said))
            _carry_out(reviewed, place, proposal, yes=yes, wide=wide)


def _only(actions: list[Action]) -> Action | None:
    from replay.errors import SettingsError

    if len(actions) > 1:
        raise SettingsError(f"--{actions[0]} and --{actions[1]} are two actions", hint="give one of them")
    return actions[0] if actions else None


def _place(review: Review, name: str) -> int:
    from replay.cli.reviewing import cause_called

    return cause_called(review.clusters, name)


def _at_terminal(review: Review, action: Action | None) -> None:
    """Hold a review by keys. Raise InputError where nobody could type any."""
    from replay.cli.review_session import Session
    from replay.errors import SettingsError

    if action is not None:
        raise SettingsError(f"--{action} of which cause?", hint=f"--cause 1 --{action}; `replay report` numbers them")
    if not review.clusters:
        typer.echo(f"run {review.record.id}: nothing deviates and nothing failed; there is nothing to review")
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        hint = (
            "for scripts: --cause CAUSE with --promote, --ignore, --tolerate, --unordered, --map or --waive, and --yes"
        )
        raise SettingsError("a review by keys needs a terminal", hint=hint)
    try:
        Session(review).hold()
    finally:
        _sum_up(review)


def _sum_up(review: Review) -> None:
    files = list(dict.fromkeys(change.name for change in review.desk.made))
    if files:
        typer.echo(f"\nwritten: {', '.join(files)}")
        typer.echo("`replay judge` judges the run again by the rules of now; goldens take another `replay run`.")


def _show(review: Review, place: int) -> None:
    """Print a cause, and the actions that make sense."""
    from replay.cli.output import printing
    from replay.cli.review_pages import cause_page
    from replay.reports.page import columns, write_lines

    offers = review.offers(place)
    told = f"makes sense: {', '.join(f'--{each}' for each in offers)}" if offers else "no rule or golden settles this"
    with printing() as out:
        lines = cause_page(review, place, review.example(place), whole=True)
        write_lines(out, [*lines, ("", ""), (told, "")], columns(None))


def _reasoned(review: Review, place: int, said: Said) -> Said:
    """Return what was said, with a reason for the rule where a rule does without the curator's own."""
    from dataclasses import replace

    from replay.cli.review_session import default_why

    waiver = bool(said.until or said.owner)
    return said if said.why or waiver else replace(said, why=default_why(review, place))


def _carry_out(review: Review, place: int, proposal: Proposal, *, yes: bool, wide: bool) -> None:
    """Print what would be written, and write it if that was asked for."""
    from replay.cli.output import printing
    from replay.cli.review_pages import proposal_page
    from replay.errors import InputError
    from replay.reports.page import columns, write_lines

    with printing() as out:
        write_lines(out, proposal_page(review, place, proposal), columns(None))
    if yes and not wide and (fact := _too_wide(proposal)):
        hint = "write a narrower one by hand, or give --wide if that is what you mean"
        raise InputError(f"nothing is written: {fact}", hint=hint)
    if yes:
        review.write(proposal)
    typer.echo(f"{proposal.change.name} is written." if yes else "Nothing is written; --yes writes it.")


def _too_wide(proposal: Proposal) -> str:
    """Return why a script has to say that it means so wide a rule; empty where it need not."""
    if proposal.accepts_anything:
        return "the rule accepts nearly anything"
    if not proposal.hides_others:
        return ""
    known = proposal.effect is None or bool(proposal.effect.hidden)
    return "the rule hides cases of other causes too" if known else "it is not known what else the rule hides"
