"""What a criterion about a KPI asks: `kpi.auth_rate >= old - 0.5pp`, `kpi.fee_total <= old + 1%`, `kpi.ctr >= 0.12`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from replay.models import KpiKind
from replay.verdict.batches import Interval, Question
from replay.verdict.clauses import Amount, Clause
from replay.verdict.paired_shares import Bad

_HUNDRED: Final = 100


@dataclass(frozen=True, slots=True)
class FigureLimit:
    """What is asked, at which end it is worse, and what it has to reach; `strict` for `<` and `>`.

    `text` is the limit as the user wrote it.
    """

    question: Question
    bad: Bad
    value: float
    strict: bool
    text: str

    def met_by(self, bound: float) -> bool:
        """Tell whether a figure is on the right side; a figure that is none is on no side."""
        if bound == self.value:
            return not self.strict
        return bound > self.value if self.bad == "low" else bound < self.value

    def missed_by(self, found: Interval) -> bool:
        """Tell whether all of an interval is on the wrong side."""
        best = found.high if self.bad == "low" else found.low
        return best == best and not self.met_by(best)  # noqa: PLR0124 - NaN is no evidence


def limit_of(clause: Clause, kind: KpiKind) -> FigureLimit:
    """Read the limit of a clause about a KPI of some kind. Raises CriterionError, pointing at the word."""
    whose = clause.subject.text
    if clause.operator in (None, "="):
        fact = "no sample can prove that it is equal" if clause.operator else "a KPI is compared with a limit"
        raise clause.fault(clause.operator_token or clause.last, fact, f"write {whose} >= old - {_example(kind)}")
    bad: Bad = "low" if clause.operator in (">", ">=") else "high"
    question, value = _beside_old(clause, kind, bad) if clause.against_old else _alone(clause, kind)
    if clause.amount is not None and _always_holds(clause, kind, bad, float(value)):
        hint = f"write {whose} {clause.operator} old {'-' if bad == 'low' else '+'} {_example(kind)}"
        raise clause.fault(clause.amount.token, "this holds whatever new does", hint)
    return FigureLimit(question, bad, float(value), clause.operator in ("<", ">"), _text(clause))


def _always_holds(clause: Clause, kind: KpiKind, bad: Bad, value: float) -> bool:
    """Tell whether every figure meets it: what is counted is never below nothing, and a share never above one."""
    if kind not in ("share", "count"):
        return False
    if not clause.against_old:
        return kind == "count" and bad == "low" and value <= 0
    unit = clause.amount.unit if clause.amount is not None else ""
    return (unit in ("%", "pp") and value <= -1) if bad == "low" else (unit == "pp" and value >= 1)


def _text(clause: Clause) -> str:
    if not clause.against_old:
        return clause.amount.text if clause.amount else ""
    if clause.amount is None:
        return "old"
    sign = "-" if clause.amount.number < 0 else "+"
    return f"old {sign} {abs(clause.amount.number)}{clause.amount.unit}"


def _beside_old(clause: Clause, kind: KpiKind, bad: Bad) -> tuple[Question, Decimal]:
    amount = clause.amount
    if amount is None:
        if clause.operator in (">=", "<="):
            sign = "-" if bad == "low" else "+"
            hint = f"leave a margin: old {sign} {_example(kind)}; or write '{clause.operator[0]} old': better than old"
            raise clause.fault(clause.bound, "no sample can prove that it is not worse at all", hint)
        return "difference", Decimal(0)
    if amount.unit == "%":
        return "ratio", amount.number / _HUNDRED
    if amount.unit == "pp" and kind in ("share", "mean"):
        return "difference", amount.number / _HUNDRED
    if amount.unit or kind == "share":
        raise _odd(clause, amount, kind)
    return "difference", amount.number


def _alone(clause: Clause, kind: KpiKind) -> tuple[Question, Decimal]:
    amount = clause.amount
    if amount is None:
        raise clause.fault(clause.bound, "a limit is missing", f"write {clause.subject.text} >= old - {_example(kind)}")
    number = amount.number / _HUNDRED if amount.unit == "%" else amount.number
    if amount.unit not in ("", "%") or (amount.unit == "%" and kind not in ("share", "mean")):
        raise _odd(clause, amount, kind)
    if kind == "share" and not 0 < number < 1:
        raise clause.fault(amount.token, "no sample can prove this", "write a limit above 0% and below 100%")
    return "new", number


def _odd(clause: Clause, amount: Amount, kind: KpiKind) -> Exception:
    number = abs(amount.number)
    better = f"{number}pp or {number}% of old's" if kind == "share" else f"{number}, or {number}% of old's"
    if not clause.against_old:
        better = f"{number}%" if kind == "share" else f"{number}"
    return clause.fault(amount.token, f"'{number}{amount.unit}' says nothing of a {kind}", f"write {better}")


def _example(kind: KpiKind) -> str:
    return "0.5pp" if kind == "share" else "1%"
