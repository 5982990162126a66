"""Calls reach every sink, and nothing of what goes wrong there reaches the caller, or another sink."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from replay.errors import SettingsError
from replay.experiment.bareness import size_of
from replay.experiment.calls import Call, Loss, Outcome, Setup
from replay.experiment.examining import Examiner
from replay.experiment.logs import Log
from replay.experiment.reporting import ENDED, FULL, MOST_BYTES, MOST_CALLS, UNEXAMINED, Reporter, report_to
from replay.experiment.storing import Stored
from replay.privacy import MaskKey
from replay.store.experiments import experiment_of
from replay.store.sqlite import SqliteStore
from tests.experiment.kept import Kept, agreeing, call, differing, gave, raised

DRAFT = Setup("needs-draft")
RULED = Setup("needs-draft", rules=({"at": "body", "within": 1},))
KEY = MaskKey(b"a key of these tests", made=False)
SECONDS = 20.0
ROOT = Path(__file__).parents[2]


def examiner() -> Any:
    return Examiner(KEY).examined


@pytest.fixture
def reporter() -> Iterator[Reporter]:
    made = Reporter(examiner)
    yield made
    assert made.close(SECONDS)


@dataclass
class Raising(Kept):
    """A sink that raises at everything."""

    error: BaseException = field(default_factory=OSError)

    def take(self, outcome: Outcome) -> None:
        """Raise."""
        super().take(outcome)
        raise self.error

    def flush(self) -> None:
        """Raise."""
        raise self.error


@dataclass
class Held(Kept):
    """A sink that takes nothing until it is let go on."""

    go_on: threading.Event = field(default_factory=threading.Event)

    def take(self, outcome: Outcome) -> None:
        """Wait, and keep an outcome."""
        assert self.go_on.wait(SECONDS)
        super().take(outcome)


def test_what_agrees_and_what_differs_reaches_the_sink(reporter: Reporter) -> None:
    sink = Kept()
    for handed in (agreeing(DRAFT), differing(DRAFT)):
        reporter.hand_over(handed, [sink])
    assert reporter.flush(SECONDS)
    assert sink.names == ["match", "deviation"]
    assert threading.current_thread().name not in sink.threads


def test_calls_without_sinks_of_their_own_go_to_those_of_report_to(reporter: Reporter) -> None:
    before, after = Kept(), Kept()
    reporter.report_to(before)
    reporter.hand_over(differing(DRAFT), None)
    assert reporter.flush(SECONDS)
    reporter.report_to(after)
    reporter.hand_over(agreeing(DRAFT), None)
    assert reporter.flush(SECONDS)
    assert (before.names, after.names) == (["deviation"], ["match"])


def test_a_sink_that_is_replaced_gets_what_came_before_and_is_closed(reporter: Reporter) -> None:
    before = Kept()
    reporter.report_to(before)
    for _ in range(100):
        reporter.hand_over(agreeing(DRAFT), None)
    reporter.report_to(Kept())
    assert reporter.flush(SECONDS)
    closing = [it for it in threading.enumerate() if it.name == "replay-Kept"]
    for thread in closing:
        thread.join(SECONDS)
    assert (len(before.outcomes), before.said[-1]) == (100, "close")


@pytest.mark.parametrize("sink", [object(), Log, None], ids=["an object", "a class", "none"])
def test_what_is_no_sink_is_refused_when_it_is_named(sink: Any) -> None:
    with pytest.raises(SettingsError, match="is no sink"):
        report_to(sink)


def test_without_any_sink_nothing_is_examined() -> None:
    before = set(threading.enumerate())
    reporter = Reporter(examiner)
    reporter.hand_over(differing(DRAFT), None)
    assert (reporter.flush(SECONDS), reporter.lost) == (True, {})
    assert set(threading.enumerate()) <= before


class Quiet(Kept):
    """A sink that has no use for what agrees."""

    agreeing = False


def test_a_call_that_agrees_is_not_examined_where_no_sink_has_a_use_for_it() -> None:
    examined: list[str] = []
    examined_by = Examiner(KEY)

    def examine(handed: Call) -> Outcome:
        examined.append(handed.relation)
        return examined_by.examined(handed)

    reporter, quiet, kept = Reporter(lambda: examine), Quiet(), Kept()
    reporter.hand_over(agreeing(DRAFT), [quiet])
    reporter.hand_over(differing(DRAFT), [quiet])
    reporter.hand_over(agreeing(DRAFT), [quiet, kept])
    assert reporter.close(SECONDS)
    assert examined == ["differ", "agreed"]
    assert (quiet.names, kept.names) == (["deviation"], ["match"])


def test_a_call_that_agrees_is_examined_where_rules_ask_something_of_equal_values() -> None:
    reporter, quiet = Reporter(examiner), Quiet()
    reporter.hand_over(agreeing(Setup("needs-draft", equal_too=True)), [quiet])
    assert reporter.close(SECONDS)
    assert len(quiet.names) == 1


# ------------------------------------------------------------------------------------------------------------ faults


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), SystemExit(3), KeyboardInterrupt(), MemoryError()]
)
def test_a_sink_that_raises_hurts_no_other_and_is_told_what_it_missed(reporter: Reporter, error: BaseException) -> None:
    broken, sound = Raising(error=error), Kept()
    for _ in range(5):
        reporter.hand_over(agreeing(DRAFT), [broken, sound])
    assert reporter.flush(SECONDS)
    assert (sound.names, sound.lost) == (["match"] * 5, 0)
    assert (broken.lost, {each.reason for each in broken.losses}) == (5, {f"Raising raised {type(error).__name__}"})


def test_what_a_sink_raises_is_said_once_a_minute(reporter: Reporter, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(50):
        reporter.hand_over(agreeing(DRAFT), [Raising(error=OSError(28, "No space left on device"))])
    assert reporter.flush(SECONDS)
    said = [record.getMessage() for record in caplog.records if record.name == "replay.experiment"]
    assert said == ["Raising raised OSError: [Errno 28] No space left on device"]


def test_what_a_sink_raises_is_said_without_secrets(reporter: Reporter, caplog: pytest.LogCaptureFixture) -> None:
    error = ConnectionError("postgres://shop:w0nderland@db refused ada@example.org, password=rabbit-hole")
    reporter.hand_over(agreeing(DRAFT), [Raising(error=error)])
    assert reporter.flush(SECONDS)
    (said,) = [record.getMessage() for record in caplog.records if record.name == "replay.experiment"]
    assert said.startswith("Raising raised ConnectionError: postgres://shop:tok_")
    assert not [secret for secret in ("w0nderland", "ada@", "rabbit-hole") if secret in said]


def test_a_sink_that_hangs_holds_up_no_other(reporter: Reporter) -> None:
    hanging, sound = Held(), Kept()
    for _ in range(20):
        reporter.hand_over(agreeing(DRAFT), [hanging, sound])
    assert not reporter.flush(0.2)
    assert (len(hanging.outcomes), len(sound.outcomes)) == (0, 20)
    hanging.go_on.set()
    assert reporter.flush(SECONDS)
    assert len(hanging.outcomes) == 20


def test_a_call_that_cannot_be_examined_is_lost_and_the_next_is_told() -> None:
    examined = examiner()

    def examine(handed: Call) -> Outcome:
        if handed.relation == "differ":
            raise SystemExit("whatever a value's own methods raise")
        found: Outcome = examined(handed)
        return found

    reporter, sink = Reporter(lambda: examine), Kept()
    reporter.hand_over(differing(DRAFT), [sink])
    reporter.hand_over(agreeing(DRAFT), [sink])
    assert reporter.close(SECONDS)
    assert (sink.names, [(each.reason, each.calls) for each in sink.losses]) == (["match"], [(UNEXAMINED, 1)])


def test_where_no_call_can_be_examined_sinks_are_told_all_the_same() -> None:
    def never() -> Any:
        raise RuntimeError("no key")

    reporter, sink = Reporter(never), Kept()
    for _ in range(3):
        reporter.hand_over(agreeing(DRAFT), [sink])
    assert reporter.close(SECONDS)
    assert (sink.names, sink.lost) == ([], 3)


def test_a_masking_that_fails_drops_the_call_and_tells_nothing_of_it(caplog: pytest.LogCaptureFixture) -> None:
    def masked(handed: Call) -> Outcome:
        raise RecursionError(handed)

    reporter, sink = Reporter(lambda: masked), Kept()
    reporter.hand_over(differing(DRAFT, "alice@example.com", 1), [sink])
    assert reporter.close(SECONDS)
    assert (sink.outcomes, sink.lost) == ([], 1)
    assert "could not be examined: RecursionError" in caplog.text
    assert "alice" not in caplog.text


def test_a_loss_is_told_again_until_the_sink_takes_note(reporter: Reporter) -> None:
    class Forgetful(Kept):
        """A sink whose disk is full at first."""

        asked = 0

        def lose(self, loss: Loss) -> None:
            """Take note the second time."""
            self.asked += 1
            if self.asked == 1:
                raise OSError(28, "No space left on device")
            super().lose(loss)

    sink = Forgetful()
    reporter.hand_over(call(Setup("broken", rules=({"at": "["},)), gave(1), gave(2)), [sink])
    assert reporter.flush(SECONDS)
    assert reporter.flush(SECONDS)
    assert (sink.lost, sink.asked) == (1, 2)


def test_a_handler_whose_stream_is_closed_or_full_harms_nobody(
    reporter: Reporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logger, sound = logging.getLogger("replay.experiment"), Kept()
    with Path("/dev/full").open("w") as full, Path(os.devnull).open("w") as closed:
        handlers = [logging.StreamHandler(full), logging.StreamHandler(closed)]
        for handler in handlers:
            logger.addHandler(handler)
        closed.close()
        reporter.hand_over(differing(DRAFT), [Log(), sound])
        assert reporter.flush(SECONDS)
        for handler in handlers:
            logger.removeHandler(handler)
        handlers.clear()
        with pytest.raises(OSError, match="No space left"):
            full.close()
    assert sound.names == ["deviation"]


def test_no_thread_that_can_be_had_loses_nothing_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    reporter, sink = Reporter(examiner), Kept()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        for _ in range(300):
            reporter.hand_over(agreeing(DRAFT), [sink])
    for _ in range(300):
        reporter.hand_over(agreeing(DRAFT), [sink])
    assert reporter.close(SECONDS)
    assert (len(sink.outcomes), reporter.lost) == (600, {})


# ------------------------------------------------------------------------------------------------------------- flood


def test_of_a_flood_ten_a_second_are_told_in_detail_and_all_are_counted(reporter: Reporter) -> None:
    sink = Kept()
    for _ in range(500):
        reporter.hand_over(differing(DRAFT), [sink])
    assert reporter.flush(SECONDS)
    detailed = [each for each in sink.outcomes if not each.bare]
    assert sink.names == ["deviation"] * 500
    assert 10 <= len(detailed) <= 30  # of as many seconds as it took
    assert all(each.result.differences for each in detailed)
    assert not any(each.result.differences or each.result.case.request.body for each in sink.outcomes if each.bare)


def test_of_a_flood_of_large_values_few_are_looked_at_and_all_are_counted() -> None:
    looked_at: list[Call] = []
    examined_by = Examiner(KEY)

    def examine(handed: Call) -> Outcome:
        looked_at.extend([handed] if handed.old.value is not None else [])
        return examined_by.examined(handed)

    reporter, sink = Reporter(lambda: examine), Kept()
    for _ in range(40):
        reporter.hand_over(call(DRAFT, gave(1, 300_000), gave(2, 300_000)), [sink])
    assert reporter.close(SECONDS)
    assert sink.names == ["deviation"] * 40
    assert 1 <= len(looked_at) <= 5  # one in each second that it took
    assert len(looked_at) == sum(not each.bare for each in sink.outcomes)


def test_bare_disagreements_are_counted_with_the_next_detailed_one(reporter: Reporter) -> None:
    listing, sink = reporter._listing, Kept()
    for _ in range(3):
        listing.pass_over("needs-draft")
    reporter.hand_over(differing(DRAFT), [sink])
    assert reporter.flush(SECONDS)
    assert [each.unlisted for each in sink.outcomes] == [3]


def test_rules_are_asked_of_every_call_of_a_flood(reporter: Reporter) -> None:
    sink = Kept()
    for number in range(200):
        reporter.hand_over(call(RULED, gave(1), gave(2 if number % 2 else 9)), [sink])
    assert reporter.flush(SECONDS)
    assert sorted(sink.names) == ["deviation"] * 100 + ["match"] * 100


def test_a_side_that_failed_is_still_called_so_where_it_is_told_bare(reporter: Reporter) -> None:
    sink = Kept()
    for _ in range(40):
        reporter.hand_over(call(DRAFT, gave(1), raised("builtins.ValueError", "no")), [sink])
    assert reporter.flush(SECONDS)
    assert sink.names == ["new_error"] * 40


def stuck() -> tuple[Reporter, threading.Event]:
    """Return a reporter that examines nothing until it is let."""
    go_on, examined = threading.Event(), examiner()

    def examine(handed: Call) -> Outcome:
        assert go_on.wait(SECONDS)
        found: Outcome = examined(handed)
        return found

    return Reporter(lambda: examine), go_on


def test_calls_beyond_the_queue_are_counted_and_told_as_lost() -> None:
    reporter, go_on = stuck()
    sink = Kept()
    for _ in range(MOST_CALLS + 501):
        reporter.hand_over(agreeing(DRAFT), [sink])
    go_on.set()
    assert reporter.close(SECONDS)
    assert len(sink.outcomes) + sink.lost == MOST_CALLS + 501
    assert 500 <= sink.lost <= 501  # one may have been taken out before the others came
    assert {each.reason for each in sink.losses} == {FULL}


def test_what_is_not_examined_when_the_process_ends_is_told_as_lost_to_every_sink(tmp_path: Path) -> None:
    reporter, go_on = stuck()
    kept, stored = Kept(), Stored(tmp_path / "s.sqlite")
    for _ in range(30):
        reporter.hand_over(agreeing(DRAFT), [kept, stored])
    assert not reporter.close(0.1)
    go_on.set()
    assert (kept.outcomes, kept.lost, {each.reason for each in kept.losses}) == ([], 30, {ENDED})
    assert kept.said[-1] == "close"
    with SqliteStore.open(tmp_path / "s.sqlite", create=False) as store:
        lost = [run.lost for record in store.runs() if (run := experiment_of(record)) is not None]
    assert lost == [{ENDED: 30}]


def test_what_a_sink_was_not_handed_when_the_process_ends_is_told_to_it_as_lost(reporter: Reporter) -> None:
    class Slow(Held):
        """Begins to take something before it is let go on."""

        begun: threading.Event = threading.Event()

        def take(self, outcome: Outcome) -> None:
            """Say that it has begun."""
            self.begun.set()
            super().take(outcome)

    slow, sound = Slow(), Kept()
    for _ in range(20):
        reporter.hand_over(agreeing(DRAFT), [slow, sound])
    assert not reporter.flush(0.2)
    assert slow.begun.wait(SECONDS)
    (thread,) = [it for it in threading.enumerate() if it.name == "replay-Slow"]
    assert not reporter.close(0.1)
    slow.go_on.set()
    thread.join(SECONDS)
    assert (len(slow.outcomes), slow.lost, slow.said[-1]) == (1, 19, "close")
    assert (len(sound.outcomes), sound.lost) == (20, 0)


def test_a_sink_that_could_not_write_is_asked_again_though_nothing_else_comes(
    reporter: Reporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("replay.experiment.lanes.SETTLE_SECONDS", 0.01)

    class Locked(Kept):
        """Cannot write at first."""

        unwritten = False
        written = threading.Event()

        def flush(self) -> None:
            """Fail twice, once by raising."""
            super().flush()
            self.unwritten = self.said.count("flush") == 1
            if self.said.count("flush") == 2:
                raise OSError(5, "Input/output error")
            if self.said.count("flush") == 3:
                self.written.set()

    sink = Locked()
    reporter.hand_over(agreeing(DRAFT), [sink])
    assert sink.written.wait(SECONDS)


def test_values_beyond_the_bytes_of_the_queue_are_left_out_and_where_rules_need_them_the_call_is_lost() -> None:
    reporter, go_on = stuck()
    plain, ruled = Kept(), Kept()
    third = MOST_BYTES // 6
    for _ in range(5):
        reporter.hand_over(call(DRAFT, gave(1, third), gave(2, third)), [plain])
        reporter.hand_over(call(RULED, gave(1, third), gave(9, third)), [ruled])
    go_on.set()
    assert reporter.close(SECONDS)
    assert plain.names == ["deviation"] * 5
    assert ("deviation" in ruled.names, len(ruled.names) + ruled.lost) == (True, 5)
    assert ruled.lost > 0


def test_a_flood_that_nobody_examines_is_bounded_in_memory() -> None:
    reporter, go_on = stuck()
    value, sink = "x" * 1_000, Kept()
    tracemalloc.start()
    for _ in range(MOST_CALLS * 2):
        reporter.hand_over(differing(DRAFT, value, value + "y"), [sink])
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    go_on.set()
    assert reporter.close(SECONDS)
    assert held < 40 * 2**20
    assert len(sink.outcomes) + sink.lost == MOST_CALLS * 2


# ------------------------------------------------------------------------------------------------------ forks and ends


def run(program: str, *arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.splitlines()


KEEPING = """
import atexit, os, sys, threading
from replay.experiment.calls import Setup
from replay.experiment.reporting import REPORTER, flush, hand_over, report_to
from tests.experiment.kept import Kept, agreeing, differing
draft = Setup("needs-draft")

class Telling(Kept):
    def close(self):
        super().close()
        print(os.getpid() == parent, sorted(self.names), self.said.count("forked"), flush=True)

parent = os.getpid()
sink = Telling()
report_to(sink)
"""


LOADED = "import replay.experiment.examining\n"
"""Two seconds at the end of a program are for telling: on a busy machine the imports alone may take as long."""

PATIENT = """
REPORTER._await_exit()
atexit.unregister(REPORTER.close)
atexit.register(REPORTER.close, 50)
hand_over(agreeing(draft), None)
"""


def test_the_very_first_call_may_come_when_the_program_ends() -> None:
    assert run(KEEPING + PATIENT) == ["True ['match'] 0"]


def test_what_waits_is_told_when_the_program_ends() -> None:
    assert run(LOADED + KEEPING + "for _ in range(3): hand_over(agreeing(draft), None)") == [
        "True ['match', 'match', 'match'] 0"
    ]


FORKING = """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads, which is what this is about
stop = threading.Event()
def flood():
    while not stop.is_set():
        hand_over(agreeing(draft), [sink])
busy = [threading.Thread(target=flood) for _ in range(2)]
for each in busy: each.start()
children = []
for _ in range(int(sys.argv[1])):
    child = os.fork()
    if child == 0:
        own = Telling()
        hand_over(differing(draft), [own])
        ok = flush(50)
        os._exit(0 if ok and own.names == ["deviation"] else 1)
    children.append(child)
stop.set()
for each in busy: each.join()
print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children].count(0))
sink.outcomes.clear()
"""


def test_children_that_are_forked_in_the_middle_report_for_themselves() -> None:
    assert run(LOADED + KEEPING + FORKING, "20")[0] == "20"


def test_children_that_are_forked_while_modules_are_imported_do_not_wait_for_them() -> None:
    assert run(KEEPING + FORKING, "3")[0] == "3"


def test_a_sink_that_cannot_begin_anew_after_a_fork_is_told_what_it_missed() -> None:
    class Lasting(Kept):
        """A sink that does not get over a fork."""

        def forked(self) -> None:
            """Raise."""
            raise OSError(5, "Input/output error")

    reporter, sink = Reporter(examiner), Lasting()
    reporter.hand_over(agreeing(DRAFT), [sink])
    assert reporter.flush(SECONDS)
    reporter.forked()
    reporter.hand_over(agreeing(DRAFT), [sink])
    reporter.flush(SECONDS)
    assert reporter._deliveries[id(sink)]._lost == {("needs-draft", "Lasting raised OSError"): 1}
    assert len(sink.outcomes) == 1
    assert reporter.close(SECONDS)


INHERITING = """
hand_over(agreeing(draft), None)
flush()
child = os.fork()
if child == 0:
    sink.outcomes.clear()
    hand_over(differing(draft), None)
    sys.exit(0)
os.waitpid(child, 0)
"""


def test_a_sink_that_was_open_is_told_of_the_fork_and_of_nothing_of_the_parents() -> None:
    assert run(LOADED + "import warnings; warnings.simplefilter('ignore')\n" + KEEPING + INHERITING) == [
        "False ['deviation'] 1",
        "True ['match'] 0",
    ]


POOLED = """
import multiprocessing
def work(_):
    hand_over(agreeing(draft), None)
    return 0
if __name__ == "__main__":
    process = multiprocessing.get_context("fork").Process(target=work, args=(0,))
    process.start()
    process.join()
"""


def test_a_child_of_multiprocessing_tells_what_waits_before_it_ends() -> None:
    assert "False ['match'] 0" in run(LOADED + KEEPING + POOLED)


def test_the_texts_of_a_context_take_room_in_the_queue_as_well() -> None:
    """A queue of calls of which nobody can judge any, each with a long context, would not be bounded."""
    told = size_of(call(Setup("rule"), context={"page": "x" * 1000, "user": ("y" * 500, 7)}))
    assert told - size_of(call(Setup("rule"), context={"page": "", "user": ("", 7)})) == 1500


CLOSING = """
from replay.experiment import Experiment, close
rule = Experiment("needs-draft", lambda: 1, lambda: 1, mode="after")
for _ in range(2):
    rule()
    print(close(20), flush=True)
os._exit(0)
"""


def test_a_program_that_a_signal_will_end_tells_all_before_and_may_go_on() -> None:
    told = ["True ['match'] 0", "True", "True ['match', 'match'] 0", "True"]
    assert run(LOADED + KEEPING + CLOSING) == told


HANGING = """
class Hanging(Kept):
    def take(self, outcome):
        threading.Event().wait()
import logging
logging.disable(logging.CRITICAL)
hand_over(agreeing(draft), [Hanging()])
"""


def test_a_sink_that_hangs_does_not_keep_the_program() -> None:
    assert run(KEEPING + HANGING) == []
