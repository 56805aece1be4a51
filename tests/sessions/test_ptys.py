"""Terminal output finds its session, also when it comes before the session is known."""

from __future__ import annotations

from esr_tui.kernel import records
from esr_tui.sessions.ptys import Ptys

SECOND = 1_000_000_000


def output(reader: int, index: int, data: bytes, ktime: int = 1) -> records.Output:
    head = records.Head(ktime, 0, 0, records.OUTPUT, reader, 1, 0, 0, 0, 1, b"sshd")
    return records.Output(head, index, data)


def size(reader: int, index: int) -> records.Mode:
    head = records.Head(1, 0, 0, records.WINSIZE, reader, 1, 0, 0, 0, 1, b"sshd")
    return records.Mode(head, index, 0, (80, 24))


def test_a_claimed_terminal_has_an_owner() -> None:
    ptys: Ptys[str] = Ptys()
    ptys.claim(10, 3, "session")
    assert ptys.owner(output(10, 3, b"x")) == "session"
    assert ptys.owner(size(10, 3)) == "session"
    assert ptys.owner(output(10, 4, b"x")) is None
    assert ptys.owner(output(11, 3, b"x")) is None
    assert ptys.owner_by_reader(10) == "session"
    assert ptys.owner_by_reader(12) is None


def test_a_loss_is_of_the_readers_only_session_or_of_nobody_known() -> None:
    ptys: Ptys[str] = Ptys()
    ptys.claim(10, 3, "one")
    ptys.claim(10, 4, "other")
    assert ptys.owner_by_reader(10) is None
    ptys.session_gone("other")
    assert ptys.owner_by_reader(10) == "one"


def test_what_came_before_is_kept_and_given_once() -> None:
    ptys: Ptys[str] = Ptys()
    ptys.owner(output(10, 3, b"one"))
    ptys.owner(output(10, 3, b"two"))
    ptys.owner(size(10, 3))
    assert [record.data for record in ptys.take(10, 3).output] == [b"one", b"two"]
    assert ptys.take(10, 3).output == []
    assert ptys.take(None, 3).output == []


def test_too_much_is_counted_not_kept() -> None:
    ptys: Ptys[str] = Ptys()
    for _ in range(20):
        ptys.owner(output(10, 3, b"x" * 100_000))
    kept = ptys.take(10, 3)
    assert kept.kept == sum(len(record.data) for record in kept.output) <= 1 << 20
    assert kept.dropped == 2_000_000 - kept.kept


def test_many_terminals_do_not_fill_the_memory() -> None:
    ptys: Ptys[str] = Ptys()
    for reader in range(1000):
        ptys.owner(output(reader, 0, b"x"))
    taken = [ptys.take(reader, 0) for reader in range(1000)]
    assert sum(bool(each.output) for each in taken) == 256
    assert sum(each.kept + each.dropped for each in taken) == 1000, "what is not kept is counted"


def test_nobody_claims_it_and_it_is_forgotten() -> None:
    ptys: Ptys[str] = Ptys()
    ptys.owner(output(10, 3, b"old", SECOND))
    ptys.owner(output(11, 3, b"new", 40 * SECOND))
    ptys.expire(41 * SECOND)
    forgotten = ptys.take(10, 3)
    assert (forgotten.output, forgotten.dropped) == ([], 3)
    assert ptys.take(10, 3).dropped == 0
    assert ptys.take(11, 3).output != []


def test_an_end_frees_the_terminal_for_the_next_session() -> None:
    ptys: Ptys[str] = Ptys()
    ptys.claim(10, 3, "first")
    ptys.session_gone("first")
    assert ptys.owner(output(10, 3, b"x")) is None
    ptys.claim(10, 3, "second")
    ptys.claim(11, 3, "third")
    ptys.reader_gone(10)
    assert ptys.owner(output(10, 3, b"y")) is None
    assert ptys.owner(output(11, 3, b"y")) == "third"
