"""A review at the terminal: single keys, questions, and nothing written that was not shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from replay.causes import worded
from replay.cli.keys import GaveUpError, Terminal
from replay.cli.review_pages import KEYS, cause_page, help_page, menu, proposal_page
from replay.cli.reviewing import Action, Proposal, Review
from replay.curation.remedies import Said
from replay.errors import InputError, ReplayError
from replay.inert import printable
from replay.models import parse_day
from replay.privacy import TOKEN

_DAYS: Final = 30
_QUIT: Final = frozenset({"q", "\x04"})
_PROMOTED: Final = {"o": "old", "n": "new"}


@dataclass(slots=True)
class Session:
    """One curator at one run."""

    review: Review
    terminal: Terminal = field(default_factory=Terminal)
    _steps: list[tuple[int, bool]] = field(default_factory=list)
    """Each cause that was left behind, and whether something was written for it."""

    def hold(self) -> None:
        """Go through the causes until the last one is seen, or the curator quits."""
        place: int | None = 0
        with self.terminal:
            while place is not None:
                place = self._at(place) if place < len(self.review.clusters) else self._at_end()

    def _at(self, place: int) -> int | None:
        """Show a cause, and return the place of the next one; None is the end."""
        try:
            example, offers = self.review.example(place), self.review.offers(place)
        except InputError as error:
            self._say(error)
            return self._left(place)
        self.terminal.show([("", ""), *cause_page(self.review, place, example)])
        while True:
            self.terminal.show(menu(offers))
            key = self._key()
            if key in _QUIT:
                return None
            if key == "s":
                return self._left(place)
            if key == "z":
                back = self._undone()
                if back is not None:
                    return back
            elif key == "d":
                self.terminal.show(cause_page(self.review, place, example, whole=True))
            elif KEYS.get(key) in offers:
                if self._acted(place, KEYS[key]):
                    return self._left(place, written=True)
            else:
                self.terminal.show(help_page(offers))

    def _at_end(self) -> int | None:
        """Wait at the end, where the last step can still be taken back."""
        self.terminal.show([("", ""), ("That was the last cause.  z undo  q quit", "cyan")])
        while (key := self._key()) not in {*_QUIT, "\r", "\n"}:
            back = self._undone() if key == "z" else None
            if back is not None:
                return back
        return None

    def _say(self, error: ReplayError) -> None:
        self.terminal.show([(printable(line), "red") for line in str(error).splitlines()])

    def _key(self) -> str:
        try:
            key = self.terminal.key()
        except GaveUpError:
            return "q"
        return key.lower()

    def _left(self, place: int, *, written: bool = False) -> int:
        self._steps.append((place, written))
        return place + 1

    def _undone(self) -> int | None:
        """Take the last step back, and return the place of its cause; None where there is none, or it cannot be."""
        if not self._steps:
            self.terminal.show([("there is nothing to take back", "yellow")])
            return None
        place, written = self._steps[-1]
        if written:
            try:
                change = self.review.undo()
            except InputError as error:
                self._say(error)
                return None
            was = "is gone again" if change.before is None else "holds what it held before"
            self.terminal.show([(f"{change.name} {was}", "green")])
        self._steps.pop()
        return place

    # --------------------------------------------------------------------------------------------------------- acting

    def _acted(self, place: int, action: Action) -> bool:
        """Propose, show, ask and write; tell whether something was written."""
        try:
            proposal = self._proposal(place, action)
            self.terminal.show(proposal_page(self.review, place, proposal))
            if not self._agreed(proposal):
                self.terminal.show([("nothing is written", "yellow")])
                return False
            self.review.write(proposal)
        except GaveUpError:
            self.terminal.show([("nothing is written", "yellow")])
            return False
        except ReplayError as error:
            self._say(error)
            return False
        self.terminal.show([(f"{proposal.change.name} is written", "green")])
        return True

    def _proposal(self, place: int, action: Action) -> Proposal:
        if action == "promote":
            return self._promotion(place)
        self.terminal.show([("comparing the stored answers anew ...", "dim")])
        return self.review.propose_rule(place, action, self._said(place, action))

    def _promotion(self, place: int) -> Proposal:
        why = self.terminal.ask("why is it worth keeping? Enter names its cause and run")
        side = self.terminal.ask("what is right: o old's answer, n new's, Enter leaves it open").lower()[:1]
        expect = _PROMOTED.get(side)
        return self.review.propose_golden(place, why=why, expect=expect)  # type: ignore[arg-type]

    def _said(self, place: int, action: Action) -> Said:
        if action == "waive":
            owner = self._needed("owner", self.review.project.settings.owner or "")
            until = self._day()
            return Said(why=self._needed("reason"), until=until, owner=owner)
        within = None
        if action == "tolerate":
            within = self._tolerance(place)
        why = self.terminal.ask("why? Enter names its cause and run") or default_why(self.review, place)
        return Said(why=why, within=within)

    def _needed(self, question: str, default: str = "") -> str:
        """Return what is typed, asking until it is something."""
        while not (typed := self.terminal.ask(question, default)):
            self.terminal.show([(f"a waiver needs its {question}; Ctrl-D gives up", "yellow")])
        return typed

    def _tolerance(self, place: int) -> str | None:
        spreads = [each.spread.tolerance() for each in self.review.sightings(place).places.values()]
        if len(spreads) != 1 or spreads[0] is None:
            return None
        observed = f"{spreads[0]}"
        typed = self.terminal.ask("within", observed)
        return None if typed == observed else typed

    def _day(self) -> str:
        proposed = self.review.today + timedelta(days=_DAYS)
        while True:
            typed = self.terminal.ask("until", f"{proposed}")
            try:
                if date.fromisoformat(parse_day(typed)) >= self.review.today:
                    return typed
                self.terminal.show([("that day is over", "yellow")])
            except ValueError as error:
                self.terminal.show([(printable(str(error)), "yellow")])

    def _agreed(self, proposal: Proposal) -> bool:
        question = "Write it although it may hide more than this cause?" if proposal.hides_others else "Write it?"
        self.terminal.write(f"{question} y yes, any other key no ")
        agreed = self.terminal.key().lower() == "y"
        self.terminal.write("\n")
        if agreed and proposal.accepts_anything:
            self.terminal.write("It accepts nearly anything. Write it all the same? w yes, any other key no ")
            agreed = self.terminal.key().lower() == "w"
            self.terminal.write("\n")
        return agreed


def default_why(review: Review, place: int) -> str:
    """Return the reason that a rule gets where nobody gives another: what was seen, and where."""
    cluster = review.clusters[place]
    # What a token stood for is nobody's business, and the token is nobody's reason.
    told = worded(cluster.ways[0]) if TOKEN.search(cluster.title) else cluster.title
    return f"{told}; accepted in review of run {review.record.id}"[:300]
