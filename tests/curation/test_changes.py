"""Files are changed all together or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from replay.curation.changes import Change, Desk, write_whole
from replay.errors import InputError


def test_where_the_second_file_cannot_be_written_the_first_one_holds_what_it_held(tmp_path: Path) -> None:
    # There is room for its name, and none for that of the file that is to become it.
    first, new, longest = tmp_path / "a.yaml", tmp_path / "more" / "b.yaml", tmp_path / f"{'c' * 245}.yaml"
    first.write_bytes(b"one")
    desk = Desk()
    with pytest.raises(InputError, match="cannot be written"):
        desk.make(Change(first, b"one", b"two"), Change(new, None, b"new"), Change(longest, None, b""))
    assert (first.read_bytes(), new.parent.exists(), desk.made) == (b"one", False, [])


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everything")
def test_a_file_that_is_read_only_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"one")
    path.chmod(0o444)
    with pytest.raises(InputError, match="it is read-only"):
        write_whole(path, b"two")
    assert path.read_bytes() == b"one"
