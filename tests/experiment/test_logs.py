"""Disagreements on the log: one event each, with fields, inert, and a count of what had none."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from replay.experiment.bareness import stripped
from replay.experiment.calls import Call, Loss, Setup
from replay.experiment.examining import Examiner
from replay.experiment.logs import Log
from replay.privacy import MaskKey
from tests.experiment.kept import AT, call, differing, gave, raised

DRAFT = Setup("needs-draft")
EXAMINER = Examiner(MaskKey(b"a key of these tests", made=False))


class Events(logging.Handler):
    """Keeps the events that it is handed."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep an event."""
        self.records.append(record)

    @property
    def messages(self) -> list[str]:
        """Return the sentences."""
        return [record.getMessage() for record in self.records]

    def field(self, name: str) -> Any:
        """Return a field of the only event."""
        (record,) = self.records
        return getattr(record, name)


@pytest.fixture
def events() -> Iterator[Events]:
    handler = Events()
    logger = logging.getLogger("replay.experiment")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


def logged(handed: Call) -> None:
    log = Log()
    log.take(EXAMINER.examined(handed))
    log.close()


def test_a_disagreement_is_one_warning_that_reads_as_a_sentence(events: Events) -> None:
    logged(call(DRAFT, gave({"mode": "draft"}), gave({"mode": "place"})))
    assert events.messages == ['needs-draft: body.mode is "draft" in old and "place" in new; old was used']
    assert [record.levelname for record in events.records] == ["WARNING"]


def test_an_event_has_a_field_for_all_that_is_known(events: Events) -> None:
    handed = call(DRAFT, gave({"fee": 1, "n": 2}), gave({"fee": 3, "n": 2}), context={"pr": 7}, trace="cafe" * 8)
    logged(handed)
    record = events.records[0]
    told = {name: getattr(record, name) for name in ("experiment", "outcome", "call", "correlation_id", "chosen")}
    assert told == {
        "experiment": "needs-draft",
        "outcome": "deviation",
        "call": f"needs-draft-{handed.id}",
        "correlation_id": "cafe" * 8,
        "chosen": "old",
    }
    assert (record.__dict__["old"], record.__dict__["new"]) == ('{"fee":1,"n":2}', '{"fee":3,"n":2}')
    assert (record.__dict__["old_ms"], record.__dict__["new_ms"]) == (2.0, 2.0)
    difference = {
        "at": "body.fee",
        "kind": "value",
        "old": "1",
        "new": "3",
        "rule": "default: values are equal",
        "note": "",
    }
    assert record.__dict__["differences"] == [difference]
    assert record.__dict__["context"] == {"pr": 7}


def test_a_side_that_failed_is_told_by_its_exception(events: Events) -> None:
    logged(call(DRAFT, gave(1), raised("shop.rules.BrokenError", "no user")))
    assert events.messages == ["needs-draft: new failed: BrokenError: no user; old was used"]
    assert events.field("new") == "BrokenError: no user"


@pytest.mark.parametrize("hostile", ["a\nb", "\x1b[31mred", "\u202egnp", "\r", "\x00", "%s %d", "{0.__class__}"])
def test_what_is_hostile_stays_inert_in_message_and_fields(events: Events, hostile: str) -> None:
    name = f"draft {hostile}"
    logged(call(Setup(name), gave({hostile: "a"}), gave({hostile: "b" + hostile}), context={hostile: hostile}))
    record = events.records[0]
    told = [
        record.getMessage(),
        *map(str, (record.__dict__[name] for name in ("old", "new", "differences", "context"))),
    ]
    assert all(text.isprintable() for text in told)


def test_a_long_value_is_cut_around_where_it_differs(events: Events) -> None:
    logged(call(DRAFT, gave("x" * 100_000 + "old"), gave("x" * 100_000 + "new")))
    assert len(events.field("old")) <= 500
    assert "old" in events.field("old")
    assert len(events.messages[0]) < 500


def test_a_side_that_changed_its_arguments_is_told_as_that(events: Events) -> None:
    logged(call(DRAFT, relation="unequal", reason="new changed the arguments, and old did not"))
    assert events.messages == ["needs-draft: new changed the arguments, and old did not; old was used"]
    assert (events.field("old"), events.field("new")) == ("", "")


def test_agreeing_calls_and_known_differences_are_no_events(events: Events) -> None:
    logged(call(DRAFT, relation="agreed", arguments=None))
    logged(call(DRAFT, gave(1), gave(2), "known", reason="ticket 12"))
    assert events.messages == []


def test_bare_disagreements_are_one_line_with_their_number(events: Events) -> None:
    log = Log()
    for _ in range(1_234):
        log.take(stripped(EXAMINER.examined(differing(DRAFT))))
    log.flush()
    log.flush()
    assert events.messages == ["needs-draft: old and new disagreed 1,234 more times, too often to list each"]
    assert (events.field("experiment"), events.field("unlisted")) == ("needs-draft", 1_234)


def test_what_cannot_be_compared_is_said_once_a_minute_and_reason(events: Events) -> None:
    log = Log()
    for _ in range(50):
        log.take(EXAMINER.examined(call(DRAFT, relation="unfit", reason="it is an iterator")))
    assert events.messages == ["needs-draft: it is an iterator (counted as skipped)"]
    log.close()
    assert events.messages[1:] == ["needs-draft: it is an iterator (counted as skipped) (49 times)"]


def test_lost_calls_are_said(events: Events) -> None:
    outcome = EXAMINER.examined(differing(DRAFT))
    log = Log()
    log.lose(Loss("needs-draft", outcome.at, "more calls came than could be examined", 3))
    said = "needs-draft: compared calls were lost: more calls came than could be examined (3 times)"
    assert events.messages == [said]


def test_a_personal_value_is_no_more_in_the_event(events: Events) -> None:
    handed = call(
        DRAFT, gave({"to": "alice@example.com"}), gave({"to": "bob@example.com"}), context={"user": "alice@example.com"}
    )
    logged(handed)
    everything = str(events.records[0].__dict__)
    assert "alice@" not in everything
    assert "bob@" not in everything
    assert events.field("context")["user"] == json.loads(events.field("old"))["to"]


STRUCTLOG = """
import logging, sys, structlog
shown = structlog.stdlib.ProcessorFormatter(
    foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.stdlib.ExtraAdder()],
    processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()],
)
handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(shown)
logging.getLogger().addHandler(handler)
from replay.experiment.examining import Examiner
from replay.experiment.logs import Log
from replay.experiment.calls import Setup
from tests.experiment.kept import differing
Log().take(Examiner().examined(differing(Setup("needs-draft"))))
"""


def test_structlog_shows_the_fields_of_an_event() -> None:
    pytest.importorskip("structlog")
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", STRUCTLOG], cwd=root, capture_output=True, text=True, check=True)
    event = json.loads(done.stdout)
    assert (event["experiment"], event["old"], event["new"], event["level"]) == (
        "needs-draft", '"draft"', '"place"', "warning",
    )  # fmt: skip
    assert event["event"] == 'needs-draft: body is "draft" in old and "place" in new; old was used'


def test_the_instant_of_an_outcome_is_that_of_the_call() -> None:
    assert EXAMINER.examined(differing(DRAFT)).at.timestamp() == AT
