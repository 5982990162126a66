"""The output of commands is kept: bounded, for its owner alone, and never more than so many."""

from __future__ import annotations

from pathlib import Path

from replay.services.log import (
    LARGEST,
    LOGS_KEPT,
    LONGEST_LINE,
    Log,
    last_lines,
    log_path,
    logs,
    make_room,
    remove_logs,
)


def as_it_is(line: str) -> str:
    return line


def test_lines_are_kept_as_they_come_in_pieces(tmp_path: Path) -> None:
    log = Log(tmp_path / "a.log", as_it_is)
    assert log.add(b"one\ntw") == ["one"]
    assert log.add(b"o\r\nthr\xffee") == ["two"]
    log.close()
    assert last_lines(tmp_path / "a.log") == ["one", "two", "thr\ufffdee"]
    assert (tmp_path / "a.log").stat().st_mode & 0o777 == 0o600


def test_what_is_written_has_passed_the_redaction(tmp_path: Path) -> None:
    log = Log(tmp_path / "a.log", lambda line: line.replace("secret", "tok"))
    log.add(b"sec")
    log.add(b"ret\n")
    log.note("secret")
    log.close()
    assert (tmp_path / "a.log").read_text() == "tok\n[replay] tok\n"


def test_a_line_without_end_lets_no_piece_of_a_secret_through(tmp_path: Path) -> None:
    log = Log(tmp_path / "a.log", lambda line: line.replace("SUPERSECRETVALUE", "tok"))
    log.add(b"x " * LONGEST_LINE + b"SUPERSECRET")
    assert log.add(b"VALUE more\nSUPERSECRETVALUE\n") == ["SUPERSECRETVALUE"]
    log.add(b"y" * (LONGEST_LINE - 8) + b" SUPERSECRETVALUE\n")
    log.close()
    text = (tmp_path / "a.log").read_text()
    assert "SECRET" not in text
    assert "VALUE" not in text
    assert max(map(len, text.splitlines())) <= LONGEST_LINE


def test_a_log_that_another_run_writes_makes_no_room(tmp_path: Path) -> None:
    store = tmp_path / "runs.sqlite"
    written = Log(log_path(store, "20260101-000000-abcd", "old"), as_it_is)
    for number in range(1, 30):
        log_path(store, f"20260101-{number:06d}-abcd", "old").write_text("x")
    make_room(store)
    assert written.path.exists()
    written.close()


def test_a_log_never_grows_beyond_its_limit_and_keeps_its_end(tmp_path: Path) -> None:
    log = Log(tmp_path / "a.log", as_it_is)
    for number in range(40):
        log.add(f"{number} {'x' * 100} ".encode() * 1000 + b"\n" + b"y" * 70_000)
        assert (tmp_path / "a.log").stat().st_size <= LARGEST + 20_000
    for number in range(400):
        log.add(f"line {number} {'z' * 8000}\n".encode())
        assert (tmp_path / "a.log").stat().st_size <= LARGEST + 20_000
    log.close()
    assert (tmp_path / "a.log").read_text().startswith("... the lines before this one were dropped\n")
    assert last_lines(tmp_path / "a.log")[-1].startswith("line 399 ")


def test_the_oldest_logs_make_room(tmp_path: Path) -> None:
    store = tmp_path / "runs.sqlite"
    for number in range(30):
        log_path(store, f"20260101-{number:06d}-abcd", "old").write_text("x")
    (tmp_path / "other.log").write_text("x")
    make_room(store)
    kept = list(logs(store))
    assert len(kept) == LOGS_KEPT - 2
    assert kept[-1].name == "runs.sqlite-20260101-000029-abcd.old.log"
    assert (tmp_path / "other.log").exists()


def test_a_log_that_is_written_is_not_removed(tmp_path: Path) -> None:
    store = tmp_path / "runs.sqlite"
    log_path(store, "20260101-000001-abcd", "old").write_text("x" * 100)
    log = Log(log_path(store, "20260101-000002-abcd", "old"), as_it_is)
    removed = remove_logs(store)
    assert (removed.count, removed.size, removed.held) == (1, 100, 1)
    log.close()
    assert remove_logs(store).count == 1


def test_the_last_lines_may_be_those_since_a_start(tmp_path: Path) -> None:
    log = Log(tmp_path / "a.log", as_it_is)
    log.add(b"earlier\n" * 100_000)
    log.close()
    assert (tmp_path / "a.log").stat().st_size < LARGEST // 2 + 100
    again = Log(tmp_path / "a.log", as_it_is)
    since = again.size
    assert last_lines(again.path, since) == []
    again.add(b"its own")
    again.note("over")
    assert last_lines(again.path, since) == ["its own", "[replay] over"]
    again.add(b"later\n" * 300_000)
    assert set(last_lines(again.path, since)) == {"later"}
    again.close()


def test_a_long_log_of_earlier_starts_is_halved_before_another_one(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("earlier\n" * (LARGEST // 8))
    log = Log(tmp_path / "a.log", as_it_is)
    assert log.size <= LARGEST // 2 + 100
    log.close()
