"""Every decoder as a function of bytes: it may refuse them in a sentence, and nothing else may come out of it.

The functions are driven by atheris (`make fuzz`) and by damaged seeds (`make test`).
"""

from __future__ import annotations

import gzip
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from esr_tui.capture import conduct, convert
from esr_tui.config import ConfigError
from esr_tui.config.loading import from_text
from esr_tui.config.schema import Masking
from esr_tui.divergence.decode import layers
from esr_tui.divergence.matching.errors import RuleError
from esr_tui.divergence.naming import names
from esr_tui.divergence.rules.loading import Loaded, load_text
from esr_tui.exchange import detect
from esr_tui.exchange.bundle import verify_bundle
from esr_tui.exchange.errors import Damage, ForeignError
from esr_tui.exchange.source import Source
from esr_tui.filtering import EVENTS, SESSIONS, FilterError, parse
from esr_tui.kernel import records
from esr_tui.kernel.decoding import decode as decode_record
from esr_tui.kernel.errors import KernelError
from esr_tui.masking import Masker, masker_of
from esr_tui.masking.lens import Lens
from esr_tui.matching.regex import compile_regex
from esr_tui.model.clock import Clock
from esr_tui.model.codec import decode, encode
from esr_tui.model.events import Command, Conduct, Disk, Input, Network, SessionEnd, SessionStart
from esr_tui.model.summary import summary
from esr_tui.model.text import UNSAFE, inert_json, printable
from esr_tui.recording import RecordingError, RecordingReader, RecordingWriter, Store
from esr_tui.recording.completed import read_completed
from esr_tui.recording.fields import encodable
from esr_tui.recording.verdicts import read_verdicts, verdicts_path
from esr_tui.recording.verifystore import verify_index
from esr_tui.redacting.finding import Eraser, Finder
from esr_tui.replay.bookmarks import MARKS_SUFFIX, read_bookmarks
from esr_tui.replay.opening import terminal_at
from esr_tui.replay.places import writable as replay_place
from esr_tui.replay.segment import TimelineError
from esr_tui.replay.timeline import Timeline
from esr_tui.search.collecting import collect
from esr_tui.search.places import writable as text_place
from esr_tui.search.textfile import TextError, TextReader, entries
from esr_tui.terminal import Terminal
from esr_tui.terminal.veil import logical, veil, width

Target = Callable[[bytes], None]
SID = "00000000-0000-4000-8000-000000000001"
OUTPUT = (
    b"$ mysql -phunter2 db\r\n\x1b[31mred\x1b[m \xe6\x97\xa5\r\n\x1b]0;title\x07\x1b[?1049hfull\x1b[?1049l$ "
)
_ENVELOPE: dict[str, Any] = {"code": "", "time": "2026-11-22T00:00:00.000Z", "uid": "u", "ei": 1, "sid": SID}
_CLEAN = {
    records.Exec: (Command, convert.command),
    records.Disk: (Disk, convert.disk),
    records.Socket: (Network, convert.network),
    records.Conduct: (Conduct, conduct.conduct),
}


class Workshop:
    """A recording of its own whose files are damaged and made whole again."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="esr-fuzz-"))
        store = Store(self.root / "store")
        store.create()
        start = Clock.now()
        writer = RecordingWriter(
            store, sid=SID, user="ada", login="ada", start_ktime=start, clock=Clock.measure()
        )
        writer.add(SessionStart, ktime=start, size="40:6", tty="pts/3")
        writer.output(ktime=start + 1_000_000, data=OUTPUT)
        writer.add(Command, ktime=start + 2_000_000, pid=7, argv=["mysql", "-phunter2"], path="/bin/mysql")
        writer.add(Input, ktime=start + 3_000_000, pid=7, source="pipe", text="id\n", bytes=3)
        writer.add(SessionEnd, ktime=start + 4_000_000)
        writer.close()
        store.close()
        self.index = writer.index
        collect(self.index)
        self.files = sorted(path for path in self.index.parent.iterdir() if path.is_file())
        self.whole = {path: path.read_bytes() for path in self.files}

    def with_file(self, path: Path, data: bytes, use: Callable[[], None]) -> None:
        """Calls `use` while a file holds other bytes."""
        path.write_bytes(data)
        path.chmod(0o600)
        try:
            use()
        finally:
            if path in self.whole:
                path.write_bytes(self.whole[path])
            else:
                path.unlink()

    def close(self) -> None:
        """Removes it."""
        shutil.rmtree(self.root, ignore_errors=True)


@cache
def workshop() -> Workshop:
    """The one of this process."""
    return Workshop()


@cache
def masker() -> Masker:
    """With the built-in rules."""
    found = masker_of(Masking())
    assert found is not None
    return found


def one_line(error: Exception) -> None:
    """A refusal is one inert line."""
    said = str(error)
    assert said and not UNSAFE.search(said), repr(said)


def text_of(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def ring_records(data: bytes) -> None:
    try:
        record = decode_record(data)
    except KernelError:
        return
    if type(record) in _CLEAN:
        kind, fields = _CLEAN[type(record)]
        event = kind(**_ENVELOPE, **encodable(fields(record)))  # type: ignore[operator]
        assert not UNSAFE.search(summary(event)), summary(event)
        encode(Lens(masker()).event(event))


def events(data: bytes) -> None:
    try:
        event = decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return
    seen = Lens(masker()).any(event)
    assert not UNSAFE.search(summary(event)) and not UNSAFE.search(summary(seen))
    assert len(summary(event)) < 2000
    line = encode(event)
    assert decode(line) == event
    assert b"\x7f" not in line and b"\xc2\x9b" not in line


def store(data: bytes) -> None:
    """The first byte says which file of a recording holds the rest, packed or as it is."""
    if len(data) < 2:
        return
    shop = workshop()
    path = shop.files[data[0] % len(shop.files)]
    content = gzip.compress(data[2:], 1) if path.suffix == ".gz" and data[1] & 1 else data[2:]

    def read() -> None:
        try:
            reader = RecordingReader(shop.index)
            count = 0
            while piece := reader.read():
                count += len(piece.events) + len(piece.output)
            assert count < 100_000
            assert all(not UNSAFE.search(each) for each in reader.problems)
            read_completed(shop.index)
            for finding in verify_index(shop.index, []).findings:
                assert not UNSAFE.search(printable(finding.sentence))
        except RecordingError as error:
            one_line(error)

    shop.with_file(path, content, read)


def bundle(data: bytes) -> None:
    path = workshop().root / "fuzz.esr"
    path.write_bytes(data)
    try:
        verify_bundle(path)
    except RecordingError as error:
        one_line(error)


def timeline(data: bytes) -> None:
    shop = workshop()
    path = replay_place(shop.index, ".fuzz")

    def read() -> None:
        found = Timeline.open(path)
        if found is None:
            return
        try:
            terminal_at(found, found.end_ms)
        except TimelineError as error:
            one_line(error)
        finally:
            found.close()

    shop.with_file(path, data, read)


def keyframe(data: bytes) -> None:
    try:
        terminal = Terminal.from_state(data)
    except ValueError:
        return
    terminal.feed(OUTPUT)
    terminal.text()


def marks(data: bytes) -> None:
    shop = workshop()
    shop.with_file(
        replay_place(shop.index, MARKS_SUFFIX), data, lambda: (read_bookmarks(shop.index), None)[1]
    )


def verdict_summary(data: bytes) -> None:
    shop = workshop()
    path = verdicts_path(shop.index)
    shop.with_file(path, data, lambda: (read_verdicts(path), None)[1])


def text_file(data: bytes) -> None:
    shop = workshop()
    path = text_place(shop.index)

    def read() -> None:
        try:
            reader = TextReader(path)
        except (TextError, OSError):
            return
        try:
            for place in reader.blocks:
                entries(reader.raw(place), place.block)
        except TextError:
            pass
        finally:
            reader.close()

    before = path.read_bytes()
    try:
        shop.with_file(path, data, read)
    finally:
        path.write_bytes(before)


def configuration(data: bytes) -> None:
    try:
        masker_of(from_text("esr.yaml", text_of(data)).masking)
    except ConfigError as error:
        one_line(error)


def rules(data: bytes) -> None:
    try:
        load_text(Loaded(), "rules.yaml", text_of(data))
    except RuleError as error:
        one_line(error)


def filters(data: bytes) -> None:
    for schema in (EVENTS, SESSIONS):
        try:
            parse(text_of(data), schema, {}).matches("a b c")
        except FilterError as error:
            one_line(error)


def regex(data: bytes) -> None:
    """An expression, and, after a NUL, what it is searched in: never for long."""
    source, _, text = text_of(data).partition("\0")
    try:
        found = compile_regex(source)
    except ValueError:
        return
    begun = time.process_time()
    found.search((text or "ab") * 500)
    assert time.process_time() - begun < 5, source


def masking(data: bytes) -> None:
    text = text_of(data)
    begun = time.process_time()
    spans = masker().text(text)
    argv = text.split("\0")
    arguments = masker().arguments(argv)
    assert time.process_time() - begun < 5
    at = 0
    for start, end in spans:
        assert at <= start < end <= len(text)
        at = end
    for argument, found in zip(argv, arguments, strict=True):
        assert all(0 <= start < end <= len(argument) for start, end in found)
    terminal = Terminal(20, 5)
    terminal.feed(data[:4096])
    for y, cells in veil(terminal, masker()).items():
        assert 0 <= y < 5 and all(0 <= start < end <= 20 for start, end in cells)


def redacting(data: bytes) -> None:
    """What a copy shows is as wide as the original, the cursor stands where it stood, and no secret is left on it."""
    half = len(data) // 2
    finder = Finder(masker())
    for part in (data[:half], data[half:]):
        finder.output(0, part)
    eraser = Eraser(finder.marks)
    old, new = Terminal(), Terminal()
    old.feed(data)
    for part in (data[:half], data[half:]):
        new.feed(eraser.erase(part))
    for rows in logical(old):
        start = 0
        spans = masker().lines(["".join(text for _, text in rows).rstrip()])[0]
        for y, text in rows:
            for begin, end in spans:
                first, last = max(0, begin - start), min(len(text), end - start)
                cells = range(width(text[:first]), width(text[:last])) if first < last else ()
                assert all(
                    "".join(new.screen.buffer[y].text[x : x + 1])[:1] in ("•", "＊", "", " ") for x in cells
                ), (y, text)
            start += len(text)
    assert (old.cursor.x, old.cursor.y) == (new.cursor.x, new.cursor.y), finder.marks
    assert eraser.count <= len(finder.marks)


def inert(data: bytes) -> None:
    for shown in (
        printable(data),
        printable(text_of(data)),
        printable(data.decode("utf-16", "surrogatepass"))
        if len(data) % 2 == 0 and b"\xd8" not in data and b"\xdc" not in data
        else "",
    ):
        assert not UNSAFE.search(shown) and len(shown.encode()) >= 0
        assert printable(shown, 1 << 30) == shown
    line = json.dumps(text_of(data), ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert json.loads(inert_json(line)) == json.loads(line)
    assert not UNSAFE.search(inert_json(line).decode().replace("\n", ""))


def foreign(data: bytes) -> None:
    path = workshop().root / "foreign"
    path.write_bytes(data)
    try:
        found = detect.recognised(path)
        for number, _ in enumerate(found.read(Source(path))):
            assert number < 200_000
    except (ForeignError, Damage) as error:
        one_line(error)


def commands(data: bytes) -> None:
    """What people type, and encoded payloads."""
    begun = time.process_time()
    names(text_of(data)[:4096], ["curl", "-s", "x"], "/usr/bin/curl")
    layers(data[:65536])
    assert time.process_time() - begun < 10


TARGETS: dict[str, Target] = {
    each.__name__: each
    for each in (
        *(
            ring_records,
            events,
            store,
            bundle,
            timeline,
            keyframe,
            marks,
            verdict_summary,
            text_file,
            configuration,
        ),
        *(rules, filters, regex, masking, redacting, inert, foreign, commands),
    )
}
