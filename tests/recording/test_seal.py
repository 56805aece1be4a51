"""A sealed recording: whatever is done to it is found, and said where."""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from esr_tui.model.clock import Clock
from esr_tui.model.events import Command, Disk, Exit, Network, SessionEnd, SessionStart
from esr_tui.recording import RecordingReader, RecordingWriter, Store, StoreError, seal, verified
from esr_tui.recording.chain import NAME, REMOVED, NodeChain, note_removal
from esr_tui.recording.keys import Signer, key_id, pem, read_public, signer_of
from esr_tui.recording.layout import seal_name
from esr_tui.recording.sealline import CLOSED, SEALED, hash_of, made, parsed
from esr_tui.recording.verified import Verified
from esr_tui.recording.verifystore import node_of, verify_index, verify_store

BASE = 5_000_000_000
Begin = Callable[..., RecordingWriter]
Kill = Callable[[RecordingWriter], None]


class Time:
    """The boot clock, in the test's hands."""

    def __init__(self) -> None:
        self.ns = 100 * 10**9

    def later(self, seconds: float = 11) -> None:
        self.ns += int(seconds * 1e9)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Time]:
    """Sealing goes by this clock."""
    time = Time()
    monkeypatch.setattr(seal.Clock, "now", staticmethod(lambda: time.ns))
    yield time


def some(writer: RecordingWriter, number: int) -> None:
    """A bit of everything."""
    at = BASE + number * 100_000_000
    writer.output(ktime=at, data=b"line %d\r\n" % number + random.Random(number).randbytes(300))
    writer.add(Command, ktime=at + 1_000_000, argv=["ls", str(number)])
    writer.add(Disk, ktime=at + 2_000_000, path=f"/tmp/{number}")
    writer.add(Network, ktime=at + 3_000_000, dst_addr="127.0.0.1", dst_port=number)
    writer.add(Exit, ktime=at + 4_000_000, pid=number)
    writer.flush()


def growing(store: Store, writer_of: Begin, clock: Time, pieces: int = 6) -> RecordingWriter:
    """A live recording with a seal for each of its pieces."""
    writer = writer_of(store)
    writer.add(SessionStart, ktime=BASE, size="80:24")
    for number in range(pieces):
        some(writer, number)
        clock.later()
        writer.flush()
    return writer


def ended(store: Store, writer_of: Begin, clock: Time, pieces: int = 6) -> Path:
    """An ended recording; its index."""
    writer = growing(store, writer_of, clock, pieces)
    writer.add(SessionEnd, ktime=BASE + pieces * 100_000_000)
    writer.close()
    return writer.index


def parts(index: Path) -> list[Path]:
    """All files of a recording, the seal among them."""
    return sorted(each for each in index.parent.iterdir() if each.name.startswith(index.stem))


def part(index: Path, ending: str) -> Path:
    """One of them."""
    return next(each for each in parts(index) if each.name.endswith(ending))


def verified_but_logs(data_dir: Path, *args: Any) -> list[Verified]:
    """What verifying a store tells of its chain and recordings; nobody seals the logs here."""
    return [each for each in verify_store(data_dir, *args) if each.kind != verified.LOG]


def sentences(came: Verified) -> str:
    return " | ".join(each.sentence for each in came.findings)


def test_untouched(store: Store, writer_of: Begin, clock: Time) -> None:
    index = ended(store, writer_of, clock)
    came = verify_index(index)
    assert (came.state, came.findings, came.notes, came.trust) == ("intact", (), (), "store")
    lines = index.with_suffix(".seal").read_bytes().splitlines()
    assert came.lines == len(lines) == 7
    read = [parsed(line) for line in lines]
    assert [each.line.kind for each in read if each] == ["begin", *[SEALED] * 5, CLOSED]
    last = read[-1]
    assert last is not None
    assert last.line.files[f"{index.stem}.completed"][0] == index.with_suffix(".completed").stat().st_size
    covered: dict[str, int] = {}
    for each in read:
        assert each is not None
        covered |= {name: length for name, (length, _) in each.line.files.items()}
    assert covered == {each.name: each.stat().st_size for each in parts(index) if each.suffix != ".seal"}
    assert [each.state for each in verified_but_logs(store.data_dir)] == ["intact", "intact"]


def test_each_of_a_thousand_flipped_bits_is_found(store: Store, writer_of: Begin, clock: Time) -> None:
    index = ended(store, writer_of, clock, 3)
    files = parts(index)
    whole = {path: path.read_bytes() for path in files}
    ends = [sum(len(whole[each]) for each in files[: at + 1]) for at in range(len(files))]
    chance = random.Random(7)
    for _ in range(1000):
        place = chance.randrange(ends[-1])
        at = next(number for number, end in enumerate(ends) if place < end)
        path, offset = files[at], place - (ends[at - 1] if at else 0)
        data = bytearray(whole[path])
        data[offset] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        came = verify_index(index)
        assert came.state == "altered", (path.name, offset)
        near = [each for each in came.findings if each.file == path.name]
        assert near, (path.name, offset, came.findings)
        if path.suffix != ".seal":
            assert near[0].begin <= offset < near[0].end
        path.write_bytes(whole[path])
    assert verify_index(index).state == "intact"


def test_where_and_when(store: Store, writer_of: Begin, clock: Time) -> None:
    index = ended(store, writer_of, clock)
    lines = [parsed(line) for line in index.with_suffix(".seal").read_bytes().splitlines()]
    chunks = part(index, ".chunks.gz")
    marks = [each.line.files[chunks.name][0] for each in lines if each and chunks.name in each.line.files]
    data = bytearray(chunks.read_bytes())
    data[marks[3] - 1] ^= 1
    chunks.write_bytes(data)
    (finding,) = verify_index(index).findings
    assert (finding.file, finding.what) == (chunks.name, "changed")
    assert (finding.begin, finding.end) == (marks[2], marks[3])
    assert lines[2] and lines[3]
    assert (finding.after, finding.until) == (lines[2].line.time, lines[3].line.time)
    assert f"between its bytes {marks[2]} and {marks[3]}" in finding.sentence


def test_every_byte_taken_or_added_at_an_end_is_found(store: Store, writer_of: Begin, clock: Time) -> None:
    index = ended(store, writer_of, clock)
    for path in parts(index):
        whole = path.read_bytes()
        for other in (whole[:-1], whole[:-40], whole + b"\n", whole + b"x", whole + whole, b"", whole[1:]):
            path.write_bytes(other)
            came = verify_index(index)
            assert came.state == "altered", path.name
            assert path.name in sentences(came)
        path.unlink()
        came = verify_index(index)
        assert came.state == "altered"
        assert path.name in sentences(came)
        path.write_bytes(whole)
    assert verify_index(index).state == "intact"


def test_gzip_members_put_in_another_order(store: Store, writer_of: Begin, clock: Time) -> None:
    index = ended(store, writer_of, clock)
    events = part(index, "-0.events.gz")
    other = part(index, "disk-events.gz")
    first, second = events.read_bytes(), other.read_bytes()
    events.write_bytes(second)
    other.write_bytes(first)
    assert {each.file for each in verify_index(index).findings} == {events.name, other.name}
    events.write_bytes(first + second)
    other.write_bytes(second)
    assert "after byte" in sentences(verify_index(index))


def test_files_of_another_recording(store: Store, writer_of: Begin, clock: Time) -> None:
    one, two = ended(store, writer_of, clock), ended(store, writer_of, clock, 3)
    for path in parts(two):
        shutil.copy(path, path.with_name(path.name.replace(two.stem, one.stem)))
    came = verify_index(one)
    assert came.state == "altered"
    assert f"belongs to {two.stem}" in sentences(came)


@pytest.mark.parametrize("put", ["link", "pipe", "directory"])
def test_something_else_in_place_of_a_seal(
    store: Store, writer_of: Begin, clock: Time, put: str, tmp_path: Path
) -> None:
    first, second = ended(store, writer_of, clock, 1), ended(store, writer_of, clock, 2)
    path = first.with_suffix(".seal")
    path.rename(tmp_path / "elsewhere")
    if put == "link":
        path.symlink_to(tmp_path / "elsewhere")
    elif put == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    came = {each.sid: each for each in verify_store(store.data_dir)}
    assert came[first.stem].state == "altered"
    assert "is no file any more" in came[first.stem].headline()
    assert came[second.stem].state == "intact"


def test_one_that_cannot_be_read_keeps_nobody_from_the_others(
    store: Store, writer_of: Begin, clock: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = ended(store, writer_of, clock, 1), ended(store, writer_of, clock, 2)
    read = os.pread

    def failing(fd: int, count: int, offset: int) -> bytes:
        if first.stem in str(Path(f"/proc/self/fd/{fd}").readlink()):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(fd, count, offset)

    monkeypatch.setattr(os, "pread", failing)
    came = {each.sid: each for each in verify_store(store.data_dir)}
    assert came[first.stem].state == "unreadable"
    assert "Input/output error" in came[first.stem].headline()
    assert came[second.stem].state == "intact"


def test_a_file_that_was_added(store: Store, writer_of: Begin, clock: Time) -> None:
    index = ended(store, writer_of, clock)
    index.with_name(f"{index.stem}-99.chunks.gz").write_bytes(b"more")
    assert "was added: no seal names it" in sentences(verify_index(index))


def test_a_link_in_place_of_a_file(store: Store, writer_of: Begin, clock: Time, tmp_path: Path) -> None:
    index = ended(store, writer_of, clock)
    chunks = part(index, ".chunks.gz")
    chunks.rename(tmp_path / "elsewhere")
    chunks.symlink_to(tmp_path / "elsewhere")
    assert "is no file any more" in sentences(verify_index(index))


def test_lines_of_the_seal_removed_repeated_or_put_in_another_order(
    store: Store, writer_of: Begin, clock: Time
) -> None:
    index = ended(store, writer_of, clock)
    path = index.with_suffix(".seal")
    lines = path.read_bytes().splitlines(keepends=True)
    for kept, said in (
        (lines[1:], "lacks 1 line before line 1"),
        (lines[:2] + lines[4:], "lacks 2 lines before line 3"),
        (lines[:-1], "lacks its end"),
        (lines[:-1], "its end was removed, or an older state"),
        ([*lines[:3], lines[2], *lines[3:]], "again, or out of order"),
        ([*lines[:2], lines[3], lines[2], *lines[4:]], "lacks 1 line before line 3"),
        ([*lines, lines[-1]], "cannot stand there"),
    ):
        path.write_bytes(b"".join(kept))
        came = verify_index(index)
        assert came.state == "altered"
        assert said in sentences(came)


def test_an_older_state_put_back(store: Store, writer_of: Begin, clock: Time, tmp_path: Path) -> None:
    writer = growing(store, writer_of, clock)
    shutil.copytree(writer.index.parent, tmp_path / "older")
    writer.add(SessionEnd, ktime=BASE + 900_000_000)
    writer.close()
    assert verify_index(writer.index).state == "intact"
    for path in parts(writer.index):
        path.unlink()
    for path in (tmp_path / "older").iterdir():
        shutil.copy(path, writer.index.parent)
    came = verify_index(writer.index)
    assert came.state == "altered"
    assert "an older state of the recording was put back" in sentences(came)


def test_a_recording_that_vanished(store: Store, writer_of: Begin, clock: Time) -> None:
    gone, kept, removed = (ended(store, writer_of, clock, 1) for _ in range(3))
    note_removal(removed, store.data_dir, "retention: older than 90 days")
    for index in (gone, removed):
        for path in parts(index):
            path.unlink()
    came = {each.sid: each for each in verify_store(store.data_dir)}
    assert came[gone.stem].state == "altered"
    assert "knows of it, and of no reason" in came[gone.stem].headline()
    assert came[removed.stem].state == "removed"
    assert "older than 90 days" in came[removed.stem].headline()
    assert came[kept.stem].state == came[store.node].state == "intact"


def test_the_chain_of_the_node(store: Store, writer_of: Begin, clock: Time) -> None:
    index = ended(store, writer_of, clock, 1)
    ended(store, writer_of, clock, 1)
    path = store.own_dir / NAME
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == 4
    path.write_bytes(b"".join(lines[1:]))
    assert node_of(store.own_dir).chain is not None
    assert next(verify_store(store.data_dir)).state == "altered"
    path.write_bytes(b"".join(lines[:2] + lines[3:]))
    assert "lacks 1 line" in next(verify_store(store.data_dir)).headline()
    path.unlink()
    assert "node.seal is gone" in next(verify_store(store.data_dir)).headline()
    assert verify_index(index).trust == "itself"


def test_a_line_of_the_chain_that_was_kept(store: Store, writer_of: Begin, clock: Time) -> None:
    index = ended(store, writer_of, clock, 1)
    chain = next(verify_store(store.data_dir))
    kept = {store.node: (chain.lines, hash_of((store.own_dir / NAME).read_bytes().splitlines()[-1]))}
    assert f"{store.node}:{chain.lines}:{kept[store.node][1]}" in chain.notes[0]
    ended(store, writer_of, clock, 1)
    assert next(verify_store(store.data_dir, (), kept)).state == "intact"
    # Whoever has the key makes everything anew.
    (store.own_dir / NAME).unlink()
    for path in parts(index):
        path.unlink()
    another = Store(store.data_dir)
    ended(another, writer_of, clock, 1)
    ended(another, writer_of, clock, 1)
    assert next(verify_store(store.data_dir)).state == "intact"
    assert "is not the chain whose line 2 you kept" in next(verify_store(store.data_dir, (), kept)).headline()


def test_a_chain_with_a_changed_line_is_found_by_whoever_verifies_one_session(
    store: Store, writer_of: Begin, clock: Time
) -> None:
    index = ended(store, writer_of, clock, 1)
    ended(store, writer_of, clock, 1)
    path = store.own_dir / NAME
    whole = path.read_bytes()
    for at in range(5, len(whole), 97):
        data = bytearray(whole)
        data[at] ^= 1
        path.write_bytes(data)
        came = verify_index(index)
        assert came.state == "altered", at
        assert sentences(came).startswith("node.seal has ")
    path.write_bytes(whole)
    assert verify_index(index).notes == ()


def test_the_chain_is_told_how_far_live_recordings_are_sealed(
    store: Store, writer_of: Begin, clock: Time
) -> None:
    one, two = growing(store, writer_of, clock, 2), growing(store, writer_of, clock, 2)
    older = {path: path.read_bytes() for path in parts(one.index)}
    assert (store.own_dir / NAME).read_bytes().count(b"\n") == 2
    some(one, 7)
    clock.later()
    one.flush()
    clock.later(50)
    two.flush()  # whoever writes next in this process tells of all
    assert (store.own_dir / NAME).read_bytes().count(b"\n") == 3
    came = verify_index(one.index)
    assert (came.state, came.findings) == ("live", ()) and came.age is not None
    assert " seconds ago" in came.headline()
    for path, data in older.items():
        path.write_bytes(data)
    assert "an older state of the recording was put back" in sentences(verify_index(one.index))
    assert verify_index(two.index).state == "live"
    clock.later(70)
    two.flush()
    assert (store.own_dir / NAME).read_bytes().count(b"\n") == 3, "nothing was sealed since"
    one.close()
    two.close()


def test_a_recorder_killed_at_any_moment_is_no_alteration(tmp_path: Path) -> None:
    program = "import sys; from pathlib import Path; from tests.recording.endless import run; run(Path(sys.argv[1]))"
    chance = random.Random(1)
    for number in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        assert process.stdout is not None
        for _ in range(chance.randrange(1, 40)):
            process.stdout.readline()
        process.kill()
        process.wait()
        process.stdout.close()
        came = verified_but_logs(tmp_path)
        assert {each.state for each in came} <= {"intact", "cut"}, (number, came)
        assert all(each.sound for each in came)


def test_a_chain_that_is_removed_while_somebody_records(store: Store, writer_of: Begin, clock: Time) -> None:
    first = ended(store, writer_of, clock, 2)
    (store.own_dir / NAME).unlink()
    second = ended(store, writer_of, clock, 2)
    came = {each.sid: each for each in verify_store(store.data_dir)}
    assert "lacks 2 lines before line 1" in came[store.node].headline()
    assert "does not know of this recording" in came[first.stem].headline()
    # Also when the next recorder cannot know.
    (store.own_dir / NAME).unlink()
    again = Store(store.data_dir)
    again.create()
    third = ended(again, writer_of, clock, 2)
    came = {each.sid: each for each in verify_store(store.data_dir)}
    assert [came[each].state for each in (store.node, third.stem)] == ["intact", "intact"]
    assert [came[each.stem].state for each in (first, second)] == ["altered", "altered"]


def test_a_seal_that_is_removed_while_it_is_written(store: Store, writer_of: Begin, clock: Time) -> None:
    writer = growing(store, writer_of, clock, 2)
    writer.index.with_suffix(".seal").unlink()
    writer._appender.look_after()
    assert writer._appender.altered == [f"{writer.sid}.seal was removed"]
    some(writer, 8)
    writer.add(SessionEnd, ktime=BASE + 10**9)
    writer.close()
    came = verify_index(writer.index)
    assert came.state == "altered"
    assert "lacks 2 lines before line 1" in sentences(came)


def test_who_asks_while_it_is_sealed_is_heard_the_next_time(
    store: Store, writer_of: Begin, clock: Time
) -> None:
    writer = growing(store, writer_of, clock, 1)
    some(writer, 1)
    clock.later()
    appender = writer._appender
    assert appender.asks_for_seal()
    assert not appender.asks_for_seal()
    appender.write()
    assert not appender.asks_for_seal()
    assert appender._sealer is not None
    appender._sealer._asked = True  # asked for just before another batch brought the seal
    appender.write()
    some(writer, 2)
    clock.later()
    assert appender.asks_for_seal()
    writer.close()


def test_live(store: Store, writer_of: Begin, clock: Time) -> None:
    writer = growing(store, writer_of, clock)
    assert verify_index(writer.index).headline().startswith("live: intact as sealed up to")
    some(writer, 10)
    came = verify_index(writer.index)
    assert (came.state, came.findings) == ("live", ())
    assert came.unsealed > 300
    assert f"{came.unsealed} bytes since then" in came.headline()
    clock.later(3)
    writer.flush()
    assert verify_index(writer.index).unsealed == came.unsealed
    clock.later()
    writer.flush()
    assert verify_index(writer.index).unsealed == 0
    count = verify_index(writer.index).lines
    clock.later()
    writer.flush()
    assert verify_index(writer.index).lines == count, "nothing was written: no further line"
    path = part(writer.index, ".chunks.gz")
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    assert verify_index(writer.index).state == "altered"
    writer.close()


def test_a_live_one_that_was_cut_opens_up_to_the_cut_and_says_so(
    store: Store, writer_of: Begin, clock: Time, kill: Kill
) -> None:
    writer = growing(store, writer_of, clock)
    some(writer, 10)
    kill(writer)
    came = verify_index(writer.index)
    assert (came.state, came.findings) == ("cut", ())
    assert "bytes follow that no seal covers" in came.headline()
    chunks = part(writer.index, ".chunks.gz")
    whole, chance = chunks.read_bytes(), random.Random(3)
    sealed = len(whole) - 300
    for size in (*(chance.randrange(len(whole)) for _ in range(40)), 0):
        chunks.write_bytes(whole[:size])
        reader = RecordingReader(writer.index)
        output = b""
        while piece := reader.read():
            output += b"".join(each.data for each in piece.output)
        assert len(output) <= 7 * 320
        assert output.startswith(b"line 0\r\n" if size > 400 else b"")
        came = verify_index(writer.index)
        assert came.state == "cut"
        if size < sealed - 100:
            assert f"{chunks.name} ends at byte {size}, and the seal of" in came.headline()
            assert not came.sound


def test_one_recorder_takes_over_from_another(
    store: Store, writer_of: Begin, clock: Time, kill: Kill
) -> None:
    first = growing(store, writer_of, clock, 2)
    some(first, 5)
    kill(first)
    with first.index.with_suffix(".seal").open("ab") as file:
        file.write(b'{"seal":1,"n":')  # its death cut the line that it wrote
    assert verify_index(first.index).state == "cut"
    second = RecordingWriter.resume(store, first.sid, Clock.measure())
    some(second, 6)
    second.add(SessionEnd, ktime=BASE + 10**9)
    second.close()
    came = verify_index(first.index)
    assert (came.state, came.findings) == ("intact", ())
    assert "another one took over" in came.notes[0]
    assert "bytes that had not been sealed" in came.notes[0]
    chunks = part(first.index, "-0.chunks.gz")
    data = bytearray(chunks.read_bytes())
    data[-1] ^= 1
    chunks.write_bytes(data)
    assert verify_index(first.index).state == "altered"


def test_a_recorder_that_stops_in_order_is_gone_on_from(store: Store, writer_of: Begin, clock: Time) -> None:
    first = growing(store, writer_of, clock, 2)
    first.close()
    assert verify_index(first.index).state == "intact"
    second = RecordingWriter.resume(store, first.sid, Clock.measure())
    some(second, 6)
    assert verify_index(first.index).state == "live"
    second.close()
    came = verify_index(first.index)
    assert (came.state, came.findings, came.notes) == ("intact", (), ())


def test_unsealed(store: Store, writer_of: Begin, clock: Time, kill: Kill) -> None:
    writer = growing(store, writer_of, clock, 1)
    kill(writer)
    writer.index.with_suffix(".seal").unlink()
    assert "node's chain knows of it" in verify_index(writer.index).headline()
    (store.own_dir / NAME).unlink()
    assert verify_index(writer.index).state == "unsealed"
    second = RecordingWriter.resume(Store(store.data_dir), writer.sid, Clock.measure())
    second.close()
    came = verify_index(writer.index)
    assert came.state == "intact"
    assert "was recorded without a seal" in came.notes[0]


def test_keys(store: Store, writer_of: Begin, clock: Time, tmp_path: Path) -> None:
    index = ended(store, writer_of, clock, 1)
    first = read_public(store.data_dir / "node.pub")
    assert verify_index(index, first).trust == "pinned"
    other = Signer(signer_of(tmp_path)._key)
    came = verify_index(index, [other.public])
    assert came.state == "altered"
    assert "none of those that you gave" in came.headline()
    copied = tmp_path / "copy" / "here"
    shutil.copytree(index.parent, copied)
    assert verify_index(copied / index.name).trust == "itself"
    # The key is lost: a new one is made, and what the old one sealed can still be verified.
    (store.data_dir / "node.key").unlink()
    again = Store(store.data_dir)
    again.create()
    late = ended(again, writer_of, clock, 1)
    second = read_public(store.data_dir / "node.pub")
    assert first != second
    assert {each.state for each in verified_but_logs(store.data_dir)} == {"intact"}
    assert {each.state for each in verified_but_logs(store.data_dir, second)} == {"intact"}, (
        "its chain covers the old key"
    )
    assert verify_index(late, first).state == "altered"
    assert key_id(second[0]) == verify_index(late).key


def test_a_seal_by_another_key_is_no_seal(
    store: Store, writer_of: Begin, clock: Time, tmp_path: Path
) -> None:
    index = ended(store, writer_of, clock)
    forger = signer_of(tmp_path)
    seal.seal_copy(index, forger, node=store.node, of="another", by="mallory", what="nothing")
    came = verify_index(index)
    assert came.state == "altered"
    assert "which is none of the node's" in came.headline()


def test_a_redacted_copy(store: Store, writer_of: Begin, clock: Time, tmp_path: Path) -> None:
    index = ended(store, writer_of, clock)
    copy = ended(store, writer_of, clock, 3)
    head = seal.sealed_head(index)
    assert head == hash_of(index.with_suffix(".seal").read_bytes().splitlines()[-1])
    seal.seal_copy(
        copy, store.signer, node=store.node, of=index.stem, by="ada", what="3 passwords", head=head
    )
    shutil.copytree(index.parent, tmp_path / "copies")
    came = verify_index(tmp_path / "copies" / copy.name, [store.signer.public])
    assert (came.state, came.findings) == ("redacted", ())
    assert f"a copy of {index.stem}, made by ada at" in came.headline()
    data = bytearray((tmp_path / "copies" / copy.name).read_bytes())
    data[3] ^= 4
    (tmp_path / "copies" / copy.name).write_bytes(data)
    assert verify_index(tmp_path / "copies" / copy.name).state == "altered"


def test_the_key_is_the_recorders_alone(store: Store) -> None:
    path = store.data_dir / "node.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert pem(store.signer.public) == (store.data_dir / "node.pub").read_bytes()
    path.write_bytes(b"no key")
    with pytest.raises(StoreError, match="holds no Ed25519 key"):
        signer_of(store.data_dir)
    path.unlink()
    path.symlink_to("/etc/passwd")
    with pytest.raises(StoreError, match="symbolic link"):
        signer_of(store.data_dir)


def test_hostile_seals(store: Store, writer_of: Begin, clock: Time) -> None:
    index = ended(store, writer_of, clock, 1)
    path = index.with_suffix(".seal")
    good = path.read_bytes()
    signer, fixed = store.signer, {"subject": index.stem, "node": store.node, "prev": "0" * 64}
    for bad in (
        b"",
        b"\n" * 100_000,
        b"[" * 100_000 + b"\n",
        b"x" * (6 << 20),
        b'{"seal":1}\n',
        good.replace(b'"sig":"', b'"sig":"G'),
        made(signer, kind="begin", n=0, files={"../../etc/passwd": (1, "0" * 64)}, **fixed),
        made(signer, kind="begin", n=0, files={f"{index.stem}.seal": (1, "0" * 64)}, **fixed),
        made(signer, kind="begin", n=0, files={f"{index.stem}-0.chunks.gz": (1 << 62, "0" * 64)}, **fixed),
        made(signer, kind="\x1b[2J", n=1 << 60, **fixed),
        made(signer, kind="begin", n=0, files={}, **fixed) * 200,
    ):
        path.write_bytes(bad)
        came = verify_index(index)
        assert came.state == verified.ALTERED
        assert len(came.findings) <= verified.MOST
        assert "\x1b" not in sentences(came)
    os.truncate(path, 0)
    assert "lacks its end" in sentences(verify_index(index))


def test_a_copy_in_json(store: Store, writer_of: Begin, clock: Time) -> None:
    came = verify_index(ended(store, writer_of, clock, 1))
    assert msgspec.json.decode(msgspec.json.encode(came), type=Verified) == came
    assert seal_name("a") == "a.seal"


def test_somebody_without_the_key_who_goes_on_with_the_chain_is_told(
    store: Store, writer_of: Begin, clock: Time
) -> None:
    index = ended(store, writer_of, clock, 2)
    ended(store, writer_of, clock, 2)
    key = store.data_dir / "node.pub"
    ours = read_public(key)
    forger = Signer(Ed25519PrivateKey.generate())
    NodeChain(store.own_dir, store.node, forger).add(
        REMOVED, of=index.stem, what="retention: older than 90 days"
    )
    for path in parts(index):
        path.unlink()
    came = verified_but_logs(store.data_dir)
    assert f"brings another key, {forger.id}" in came[0].notes[0]
    assert [each.state for each in verified_but_logs(store.data_dir, ours)] == [
        "altered",
        "intact",
        "altered",
    ]


def test_a_node_whose_directory_or_chain_is_another_is_told(
    store: Store, writer_of: Begin, clock: Time, tmp_path: Path
) -> None:
    ended(store, writer_of, clock, 2)
    other = store.own_dir.with_name("00000000-0000-4000-8000-000000000007")
    store.own_dir.rename(other)
    first, second = [each.headline() for each in verify_store(store.data_dir) if each.kind == "chain"]
    assert "is gone: all that this node recorded was there" in first
    assert "is the chain of another node" in second
    other.rename(tmp_path / "elsewhere")
    store.own_dir.symlink_to(tmp_path / "elsewhere")
    assert [each.state for each in verify_store(store.data_dir)] == ["altered"]


def test_all_seals_and_the_chain_gone(store: Store, writer_of: Begin, clock: Time) -> None:
    ended(store, writer_of, clock, 2)
    for path in store.own_dir.rglob("*.seal"):
        path.unlink()
    assert [each.state for each in verified_but_logs(store.data_dir)] == ["altered", "unsealed"]
