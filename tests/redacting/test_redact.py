"""`esr redact`: what is to go is gone from every byte of the copy; everything else is as it was."""

from __future__ import annotations

import base64
import gzip
import json
import tarfile
import uuid
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest

from esr_tui.cli.main import run
from esr_tui.model.clock import Clock
from esr_tui.model.events import Command, Gap, Input, SessionEnd, SessionStart
from esr_tui.recording import RecordingReader, RecordingWriter, Store
from esr_tui.terminal import Terminal
from tests.commandline import Result

SECRET = "hunter2hunter2"
NODE_MS = 1_000_000


def recorded(data_dir: Path, pieces: Sequence[bytes], *, size: str = "40:6") -> tuple[str, Path]:
    """A session whose terminal shows these pieces, a second apart, and whose commands hold the secret."""
    store = Store(data_dir)
    store.create()
    start = Clock.now() - 3_600_000_000_000
    writer = RecordingWriter(
        store, sid=str(uuid.uuid4()), user="ada", login="ada", start_ktime=start, clock=Clock.measure()
    )
    writer.add(SessionStart, ktime=start, size=size, tty="pts/3", initial_command=["-bash"])
    writer.add(Command, ktime=start + 500 * NODE_MS, pid=7, path="/bin/id", argv=["id"])
    for number, piece in enumerate(pieces, 1):
        writer.output(ktime=start + number * 1000 * NODE_MS, data=piece)
    writer.add(
        Command,
        ktime=start + 60_000 * NODE_MS,
        pid=8,
        path="/usr/bin/mysql",
        argv=["mysql", f"-p{SECRET}", "-e", "select 1"],
    )
    writer.add(Input, ktime=start + 61_000 * NODE_MS, pid=9, source="pipe", text=f"TOKEN={SECRET}\nid\n")
    writer.add(SessionEnd, ktime=start + 62_000 * NODE_MS)
    writer.close()
    store.close()
    return writer.sid, writer.index


def content(folder: Path) -> bytes:
    """Everything in a directory, unpacked; events' strings as they are meant."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return b"".join(gzip.decompress(p.read_bytes()) if p.suffix == ".gz" else p.read_bytes() for p in files)


def screens(index: Path, columns: int = 40, rows: int = 6) -> list[tuple[tuple[int, int], list[str]]]:
    """Cursor and rows after each piece of output."""
    terminal, found = Terminal(columns, rows), []
    reader = RecordingReader(index)
    while piece := reader.read():
        for output in piece.output:
            terminal.feed(output.data)
            cursor = (terminal.cursor.x, terminal.cursor.y)
            found.append((cursor, [terminal.plain(y) for y in range(rows)]))
    return found


def on_store(store: Path, *args: str) -> Result:
    """A command on a store."""
    out, err = TextIOWrapper(BytesIO(), "utf-8", write_through=True), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run([*args, "--data-dir", str(store)])
    return Result(code, out.buffer.getvalue().decode(), err.getvalue())


def redact(store: Path, sid: str, *options: str) -> Result:
    """The command."""
    return on_store(store, "redact", sid, str(store.parent / "copy"), *options)


def copied(tmp_path: Path, pieces: Sequence[bytes], *options: str) -> tuple[Path, Path]:
    """The indexes of a recording and of its copy."""
    sid, index = recorded(tmp_path / "store", pieces)
    result = redact(tmp_path / "store", sid, *options)
    assert result.code == 0, result.err
    (copy,) = (tmp_path / "copy").rglob("*.index")
    return index, copy


DRAWN = {
    "plain": [b"$ mysql -p" + SECRET.encode() + b" db\r\nok\r\n"],
    "byte by byte": [bytes([byte]) for byte in b"$ mysql -p" + SECRET.encode() + b"\r\n"],
    "wrapped": [b"$ mysql -u somebody -h somewhere -p" + SECRET.encode() + b"\r\nok\r\n"],
    "coloured": [b"password=\x1b[31mhunt\x1b[1mer2\x1b[mhunter2\r\n"],
    "corrected": [b"$ mysql -phuntx\b \b", b"er2hunter2\r\n"],
    "overwritten at once": [b"password=" + SECRET.encode() + b"\r\x1b[Kdone\r\n"],
    "placed": [b"\x1b[3;5Hpassword=\x1b[3;14H" + SECRET.encode() + b"\x1b[1;1H"],
    "drawn again": [b"$ mysql -p" + SECRET.encode() + b"\r\x1b[10C" + SECRET.encode() + b"\r\n"],
    "title": [b"\x1b]0;mysql -p" + SECRET.encode() + b"\x07$ \r\n"],
    "title cut": [b"\x1b]0;mysql -phunter2", b"hunter2\x07$ \r\n"],
    "scrolled": [b"password=" + SECRET.encode() + b"\r\n" + b"line\r\n" * 30],
    "alternate": [b"\x1b[?1049hpassword=" + SECRET.encode() + b"\x1b[?1049l$ "],
    "beside invisible characters": ["$ x\u202e\u200b mysql -p".encode() + SECRET.encode() + b" db\r\n"],
    "repeated": [b"password=h\x1b[9bunter2\r\n", SECRET.encode()[:0] + b"password=" + SECRET.encode()],
}


@pytest.mark.parametrize("name", DRAWN)
def test_no_byte_of_the_copy_holds_the_secret(tmp_path: Path, name: str) -> None:
    index, copy = copied(tmp_path, DRAWN[name], "--masking")
    assert SECRET.encode() not in content(tmp_path / "copy")
    before, after = screens(index), screens(copy)
    assert [cursor for cursor, _ in after] == [cursor for cursor, _ in before]
    for (_, old), (_, new) in zip(before, after, strict=True):
        assert [len(row) for row in new] == [len(row) for row in old]
        assert all(b in {a, "•"} for a, b in zip("".join(old), "".join(new), strict=True))
        assert SECRET not in "".join(new)


def test_clipboards_are_looked_into(tmp_path: Path) -> None:
    hidden = base64.b64encode(f"password={SECRET}".encode())
    copied(tmp_path, [b"\x1b]52;c;" + hidden + b"\x07ok"], "--masking")
    assert hidden not in content(tmp_path / "copy")


def test_wide_characters_stay_aligned(tmp_path: Path) -> None:
    index, copy = copied(tmp_path, ["日本 geheim日本geheim x\r\n".encode()], "--pattern", "geheim.*m")
    assert screens(index)[0][0] == screens(copy)[0][0]
    assert screens(copy)[0][1][0] == "日本 ••••••＊＊•••••• x"


def test_a_character_cut_between_two_outputs(tmp_path: Path) -> None:
    data = "pw 日本 x".encode()
    index, copy = copied(tmp_path, [data[:4], data[4:]], "--pattern", "日本")
    assert screens(copy)[-1][1][0] == "pw ＊＊ x"
    assert screens(copy)[-1][0] == screens(index)[-1][0]


def test_a_private_key_longer_than_the_screen(tmp_path: Path) -> None:
    lines = [f"b3BlbnNzaC1rZXktdjEAAAAABG5vbm{number:04d}" for number in range(40)]
    key = ["-----BEGIN RSA PRIVATE KEY-----", *lines, "-----END RSA PRIVATE KEY-----", "$ id", "aGVsbG8="]
    _, copy = copied(tmp_path, ["".join(f"{line}\r\n" for line in key).encode()], "--masking")
    held = content(tmp_path / "copy")
    assert b"b3Blbn" not in held
    assert screens(copy)[-1][1][3:5] == ["$ id", "aGVsbG8="]


def test_events_agree_with_the_screen_and_say_what_was_removed(tmp_path: Path) -> None:
    index, copy = copied(tmp_path, DRAWN["plain"], "--masking")
    old, new = RecordingReader(index).read(), RecordingReader(copy).read()
    command = next(each for each in new.events if isinstance(each, Command) and each.pid == 8)
    assert command.argv == ["mysql", "-p" + "•" * len(SECRET), "-e", "select 1"]
    assert command.masked == 1
    kept = [each for each in new.events if not isinstance(each, Gap)]
    assert [(each.ei, each.ms, each.ktime, each.time) for each in kept] == [
        (each.ei, each.ms, each.ktime, each.time) for each in old.events
    ]
    gaps = [(each.cause, each.count, each.unit) for each in new.events if isinstance(each, Gap)]
    assert gaps == [("redacted", len(SECRET), "characters"), ("redacted", 2, "texts")]
    start = next(each for each in new.events if isinstance(each, SessionStart))
    assert start.server_labels == {"redacted_copy_of": old.events[0].sid}
    assert len({each.sid for each in new.events}) == 1 and start.sid != old.events[0].sid


def test_the_copy_opens_everywhere_and_is_never_called_clean(tmp_path: Path) -> None:
    sid, _ = recorded(tmp_path / "store", DRAWN["plain"])
    assert redact(tmp_path / "store", sid, "--masking").code == 0
    copy = str(tmp_path / "copy")
    listed = json.loads(on_store(tmp_path / "copy", "sessions", "--json").out)
    assert listed["lost"] == {"redacted": len(SECRET) + 2} and listed["state"] == "ended"
    told = on_store(tmp_path / "store", "divergence", copy, "--unmasked")
    assert "redacted copy" in told.out and SECRET not in told.out
    assert "Nothing was lost" not in told.out
    shown = on_store(tmp_path / "store", "screen", copy, "--unmasked", "--at", "2")
    assert shown.out.splitlines()[0] == "$ mysql -p" + "•" * len(SECRET) + " db"
    found = on_store(tmp_path / "copy", "search", "mysql", "--unmasked")
    assert found.code == 0 and SECRET not in found.out
    assert on_store(tmp_path / "store", "convert", copy, str(tmp_path / "x.cast")).code == 0


def test_the_copy_is_sealed_as_one(tmp_path: Path) -> None:
    sid, _ = recorded(tmp_path / "store", DRAWN["plain"])
    assert redact(tmp_path / "store", sid, "--masking").code == 0
    told = on_store(tmp_path / "store", "verify", f"{tmp_path}/copy")
    assert told.code == 0 and "redacted" in told.out and sid in told.out
    (part,) = (tmp_path / "copy").rglob("*.chunks.gz")
    part.write_bytes(part.read_bytes()[:-1])
    assert on_store(tmp_path / "store", "verify", f"{tmp_path}/copy").code == 1


def test_a_secret_that_goes_on_in_the_next_event_of_an_input(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.create()
    writer = RecordingWriter(
        store, sid=str(uuid.uuid4()), user="ada", login="ada", start_ktime=1, clock=Clock.measure()
    )
    script, offset = "id\naws AKIAHUNTER2HUNTER2AA\nTOKEN=hunter2 id\n", 0
    for piece in (script[:12], script[12:20], script[20:40], script[40:]):
        writer.add(Input, ktime=2, pid=9, source="pipe", text=piece, bytes=len(piece), offset=offset)
        offset += len(piece)
    writer.close()
    store.close()
    assert redact(tmp_path / "store", writer.sid, "--masking").code == 0
    (copy,) = (tmp_path / "copy").rglob("*.index")
    texts = [each.text for each in RecordingReader(copy).read().events if isinstance(each, Input)]
    assert "".join(texts) == f"id\naws {'•' * 20}\nTOKEN={'•' * 7} id\n"


def test_a_range_takes_everything_that_happened_then(tmp_path: Path) -> None:
    pieces = [b"one\r\n", b"two\r\n", b"three\r\n"]
    index, copy = copied(tmp_path, pieces, "--range", "1.5..2.5", "--range", "59..61")
    assert screens(copy)[-1][1][:3] == ["one", "•••", "three"]
    assert [row for row, _ in screens(copy)] == [row for row, _ in screens(index)]
    new = RecordingReader(copy).read()
    assert [each.pid for each in new.events if isinstance(each, Command)] == [7]
    gaps = [(each.count, each.unit, each.ms) for each in new.events if isinstance(each, Gap)]
    assert gaps == [(3, "characters", 3000), (2, "events", 62000)]
    assert SECRET.encode() not in content(tmp_path / "copy")


def test_the_original_stays_and_a_copy_is_whole_or_not_there(tmp_path: Path) -> None:
    sid, _ = recorded(tmp_path / "store", DRAWN["plain"])
    before = content(tmp_path / "store")
    assert redact(tmp_path / "store", sid, "--pattern", "hunter").code == 0
    assert content(tmp_path / "store") == before
    again = redact(tmp_path / "store", sid, "--pattern", "hunter")
    assert again.code == 1 and "exists already" in again.err
    nothing = on_store(tmp_path / "store", "redact", sid, str(tmp_path / "other"), "--pattern", "not there")
    assert nothing.code == 3 and not (tmp_path / "other").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "store"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "say what is to go"),
        (["--pattern", "(a+)+"], "could take for ever"),
        (["--range", "5..1"], "is no range of times"),
        (["--range", "now"], "is no time"),
    ],
)
def test_wrong_usage_is_said_in_a_sentence(tmp_path: Path, options: list[str], said: str) -> None:
    sid, _ = recorded(tmp_path / "store", [b"x"])
    result = redact(tmp_path / "store", sid, *options)
    assert result.code == 2 and said in result.err


@pytest.mark.parametrize("ending", ["cast", "jsonl", "tar", "txt"])
def test_what_is_written_for_others_is_masked(tmp_path: Path, ending: str) -> None:
    sid, index = recorded(tmp_path / "store", DRAWN["plain"])
    out = tmp_path / f"x.{ending}"
    told = on_store(tmp_path / "store", "convert", sid, str(out))
    assert told.code == 0 and "masked: 14 characters of the terminal's output, 2 pieces" in told.err
    assert SECRET.encode() not in held(out)
    assert on_store(tmp_path / "store", "convert", sid, str(out), "--force", "--unmasked").code == 0
    assert SECRET.encode() in held(out)
    assert RecordingReader(index).read()


def held(path: Path) -> bytes:
    """A file's bytes, and what is packed in them."""
    data = path.read_bytes()
    if path.suffix == ".jsonl":
        lines = [json.loads(line) for line in data.splitlines()]
        return data + b"".join(base64.b64decode(line.get("data") or "") for line in lines)
    if path.suffix == ".tar":
        with tarfile.open(path) as tar:
            files = [file.read() for each in tar if (file := tar.extractfile(each))]
        return b"".join(gzip.decompress(each) if each[:2] == b"\x1f\x8b" else each for each in files)
    return data
