"""Like heads of a capture are one object, and no capture fills the memory with its heads."""

from __future__ import annotations

from replay.cases.alike import Alike
from replay.cases.plain import plain_record, plain_request
from replay.models import Headers


def head(value: str) -> Headers:
    """Return a head that no other one is, though it may be equal to one."""
    return (("X-Id", "".join(list(value))),)


def test_records_with_like_headers_share_one_head() -> None:
    lines = [b'{"request": {"path": "/%d", "headers": {"Accept": "text/html"}}}' % number for number in range(2)]
    first, second = [plain_request(record).headers for line in lines if (record := plain_record(line)) is not None]
    assert first is second
    assert first == (("Accept", "text/html"),)


def test_heads_that_differ_in_anything_are_not_taken_for_each_other() -> None:
    alike = Alike()
    several: list[Headers] = [(("a", "b"),), (("A", "b"),), (("a", "B"),), (("a", "b"), ("a", "b")), ()]
    assert [alike.one(each) for each in several * 2] == several * 2


def test_a_large_head_is_not_held() -> None:
    alike = Alike()
    alike.one(head("x" * 5_000))
    again = head("x" * 5_000)
    assert alike.one(again) is again


def test_old_heads_stay_while_few_are_new_and_make_room_where_thousands_are() -> None:
    alike = Alike()
    kept = [alike.one(head(str(number))) for number in range(256)]
    alike.one(head("new"))
    assert alike.one(head("7")) is kept[7]
    late = head("new")
    assert alike.one(late) is late
    for number in range(1_000, 5_150):
        alike.one(head(str(number)))
    first = alike.one(head("last"))
    assert alike.one(head("last")) is first
    again = head("7")
    assert alike.one(again) is again
