"""Long argument vectors come in several records and are given out as one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from esr_tui.kernel import records
from esr_tui.kernel.argv import ArgvAssembler


def head(kind: int, pid: int, ktime: int, ppid: int = 1) -> records.Head:
    return records.Head(ktime, 1, 1, kind, pid, ppid, 1, 0, 1, 2, b"x")


def execution(pid: int, ktime: int, first: bytes, whole: int, sent: int | None = None) -> records.Exec:
    return records.Exec(
        head=head(records.EXEC, pid, ktime),
        outer=0,
        argv=[first],
        argv_bytes=whole,
        argv_sent=whole if sent is None else sent,
        euid=0,
        ruid=0,
        loginuid=0,
        pgid=pid,
        posix_sid=pid,
        error=0,
        tty=(0, 0),
        size=(0, 0),
        lflag=0,
        image_links=1,
        filename=b"/bin/x",
        interpreter=None,
        cwd=b"/",
        exe=b"/bin/x",
        fds=[],
        environment=b"",
    )


def part(pid: int, ktime: int, data: bytes) -> records.Argv:
    return records.Argv(head(records.ARGV, pid, ktime), ktime, data)


def ended(pid: int, ktime: int) -> records.Process:
    return records.Process(head(records.EXIT, pid, ktime), 0, 0, 0)


def argv_of(record: records.Record) -> bytes:
    assert isinstance(record, records.Exec)
    return b"".join(record.argv)


def test_a_short_one_passes_at_once() -> None:
    one = execution(5, 10, b"ls\0", 3)
    assert ArgvAssembler().joined([one]) == [one]


def test_parts_are_joined_within_and_across_polls() -> None:
    assembler = ArgvAssembler()
    assert assembler.joined([execution(5, 10, b"aaa", 9), part(5, 10, b"bbb")]) == []
    (done,) = assembler.joined([part(5, 10, b"ccc")])
    assert argv_of(done) == b"aaabbbccc"


def test_what_was_cut_by_the_kernel_does_not_wait_for_more() -> None:
    (done,) = ArgvAssembler().joined([execution(5, 10, b"aaa", 900, sent=6), part(5, 10, b"bbb")])
    assert argv_of(done) == b"aaabbb"
    assert isinstance(done, records.Exec)
    assert done.argv_bytes == 900


def test_a_lost_part_does_not_hold_the_execution_back_for_ever() -> None:
    assembler = ArgvAssembler()
    assert assembler.joined([execution(5, 10, b"aaa", 9)]) == []
    polls = [assembler.joined([]) for _ in range(5)]
    (done,) = [record for poll in polls for record in poll]
    assert argv_of(done) == b"aaa"


def test_nobody_hears_of_an_execution_after_the_exit() -> None:
    done = ArgvAssembler().joined([execution(5, 10, b"aaa", 9), ended(5, 20)])
    assert [type(record).__name__ for record in done] == ["Exec", "Process"]


def test_parts_of_others_are_not_mixed() -> None:
    done = ArgvAssembler().joined(
        [execution(5, 10, b"a", 2), execution(6, 10, b"c", 2), part(6, 10, b"d"), part(5, 10, b"b")]
    )
    assert {argv_of(record) for record in done} == {b"ab", b"cd"}


def test_a_part_without_its_execution_is_dropped() -> None:
    assert ArgvAssembler().joined([part(5, 10, b"lost")]) == []


@given(st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=6), st.data())
def test_however_it_is_cut_it_is_whole(parts: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(parts)
    stream: list[records.Record] = [execution(5, 10, parts[0], len(whole))]
    stream += [part(5, 10, more) for more in parts[1:]]
    assembler = ArgvAssembler()
    done: list[records.Record] = []
    while stream:
        take = data.draw(st.integers(max(1, len(stream) - 2), len(stream)))
        done += assembler.joined(stream[:take])
        stream = stream[take:]
    assert [argv_of(record) for record in done] == [whole]
