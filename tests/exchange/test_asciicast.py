"""asciicasts in and out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esr_tui.exchange.inert import Inert
from esr_tui.exchange.locate import resolve
from esr_tui.model.events import Marker
from esr_tui.recording import Store

from .conftest import DATA, Read, needs_data, read_index

Opened = Callable[[Path], Read]
Written = Callable[..., Path]


def lines(*parts: Any) -> str:
    return "".join(json.dumps(part) + "\n" for part in parts)


@needs_data
@pytest.mark.parametrize("path", sorted(DATA.glob("casts/*.cast")), ids=lambda path: path.stem)
def test_every_public_cast_opens_with_all_of_its_output(path: Path, opened: Opened) -> None:
    header, *records = [json.loads(line) for line in path.read_text().splitlines() if line[:1] in "[{"]
    found = opened(path)
    assert found.stream.decode() == "".join(record[2] for record in records if record[1] == "o")
    assert [event.label for event in found.events if isinstance(event, Marker)] == [
        record[2] for record in records if record[1] == "m"
    ]
    at, expected = 0.0, []
    for record in records:
        at = at + record[0] if header["version"] == 3 else record[0]
        if record[1] == "o" and record[2]:
            expected.append(int(round(at * 1e6) // 1000))
    assert [piece.ms for piece in found.output] == expected
    assert not found.problems
    assert found.start.recorder == f"asciicast v{header['version']}, {path.name}"


def test_the_first_version_is_one_document(opened: Opened, written: Written) -> None:
    document = {
        "version": 1,
        "width": 20,
        "height": 3,
        "duration": 2.5,
        "command": "/bin/sh",
        "stdout": [[0.5, "one\r\n"], [1.25, "two"]],
    }
    found = opened(written(json.dumps(document, indent=2)))
    assert [(piece.ms, piece.data) for piece in found.output] == [(500, b"one\r\n"), (1750, b"two")]
    assert (found.start.size, found.start.initial_command) == ("20:3", ["/bin/sh"])
    assert found.kinds("end")[0].ms == 2500


def test_times_of_the_third_version_are_intervals_and_its_exit_status_is_kept(
    opened: Opened, written: Written
) -> None:
    cast = "# a comment\n".join(
        [
            lines({"version": 3, "term": {"cols": 9, "rows": 2}, "timestamp": 1_700_000_000}),
            lines([0.1, "o", "a"], [0.2, "r", "11x4"], [0.3, "o", "b"], [0.4, "x", "7"]),
        ]
    )
    found = opened(written(cast))
    assert [(piece.ms, piece.data) for piece in found.output] == [(100, b"a"), (600, b"b")]
    assert [(event.ms, event.size) for event in found.kinds("resize")] == [(300, "11:4")]  # type: ignore[union-attr]
    end = found.kinds("end")[0]
    assert (end.ms, end.return_code) == (1000, 7)  # type: ignore[union-attr]
    assert end.time == "2023-11-14T22:13:21.000Z"


@pytest.mark.parametrize("version", [2, 3])
def test_a_recording_comes_back_from_a_cast_with_stream_times_and_markers(
    version: int, session: Path, esr: Callable[..., Any], opened: Opened, tmp_path: Path
) -> None:
    out = tmp_path / "out.cast"
    assert esr("convert", session, out, "--to", f"asciicast-v{version}", "--raw").code == 0
    before, after = read_index(session), opened(out)
    assert after.stream.decode() == before.stream.decode("utf-8", "replace")
    assert [piece.ms for piece in after.output] == [piece.ms for piece in before.output]
    assert [(event.ms, event.label) for event in after.events if isinstance(event, Marker)] == [
        (10, "exec base64 -d"),
        (11, "exec sh"),
        (12, "exec id"),
        (31, "connect 127.0.0.1:80 tcp refused"),
        (1100, "gap: two␛]0;x␇ lost"),
    ]
    assert [event.size for event in after.kinds("resize")] == ["30:5"]  # type: ignore[union-attr]
    again = tmp_path / "again.cast"
    assert esr("convert", out, again, "--to", f"asciicast-v{version}", "--raw").code == 0
    assert again.read_text().splitlines()[1:] == out.read_text().splitlines()[1:]


@pytest.mark.parametrize("version", [2, 3])
def test_without_raw_nothing_is_missing_but_what_acts(
    version: int, session: Path, esr: Callable[..., Any], opened: Opened, tmp_path: Path
) -> None:
    out = tmp_path / "out.cast"
    assert esr("convert", session, out, "--to", f"asciicast-v{version}").code == 0
    before, after = read_index(session), opened(out)
    assert after.stream.decode() == Inert().feed(before.stream.decode("utf-8", "replace"))
    acted = {piece.ms for piece in before.output} - {piece.ms for piece in after.output}
    assert [piece.ms for piece in after.output] == [
        piece.ms for piece in before.output if piece.ms not in acted
    ]
    assert all(b"\x1b" in piece.data for piece in before.output if piece.ms in acted)
    assert after.screen() == before.screen()
    again = tmp_path / "again.cast"
    assert esr("convert", out, again, "--to", f"asciicast-v{version}").code == 0
    assert again.read_text().splitlines()[1:] == out.read_text().splitlines()[1:]


def test_a_cast_does_nothing_to_the_viewers_terminal(
    session: Path, esr: Callable[..., Any], opened: Opened, tmp_path: Path
) -> None:
    out = tmp_path / "out.cast"
    done = esr("convert", session, out)
    assert done.code == 0
    assert "3 sequences that act on the viewer's own terminal" in done.err
    assert "no UTF-8" in done.err
    stream = opened(out).stream
    assert b"\x1b]" not in stream
    assert b"\x1b[6n" not in stream
    assert b"\x1b[31mred\x1b[0m \r\n" in stream
    assert out.read_bytes().isascii() or b"\x1b" not in out.read_bytes()


def test_a_selection_begins_with_the_screen_as_it_was(
    session: Path, esr: Callable[..., Any], opened: Opened, tmp_path: Path
) -> None:
    out = tmp_path / "out.cast"
    assert esr("convert", session, out, "--from", "1", "--until", "1.06").code == 0
    found = opened(out)
    assert found.start.size == "30:5"
    assert [piece.ms for piece in found.output] == [0, 50]
    assert found.screen() == read_index(session).screen()
    assert found.kinds("marker") == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"version": 2, "width": 80}\n', "line 1: no asciicast header"),
        ('{"version": 3, "term": 5}\n', "line 1: no asciicast header"),
        ('{"version": 2, "width": 80, "height": 24, "x": ' + "[" * 60_000, "line 1: no asciicast header"),
        ('{"version": 1, "width": 80, "height": 24, "stdout": [[0.1, "a"]', "no asciicast v1"),
        ("", "is empty"),
        ("hello\n", "no recording that esr knows"),
    ],
)
def test_what_is_no_cast_is_refused_in_a_sentence(
    content: str, sentence: str, written: Written, esr: Callable[..., Any]
) -> None:
    done = esr("events", written(content))
    assert done.code == 1
    assert sentence in done.err
    assert done.err.startswith("esr: foreign")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("record", "detail"),
    [
        ("[1.0, 5]", "foreign, line 3: no asciicast event"),
        ('[1.0, "o", "ab', "foreign, line 3: no asciicast event"),
        ('[1.0, "q", ""]', "foreign, line 3: nothing that is known of an event 'q'"),
        ('[-5, "o", "x"]', "foreign gives 1 records impossible times"),
        ('[1e300, "o", "x"]', "foreign gives 1 records impossible times"),
        ('[NaN, "o", "x"]', "foreign, line 3: no asciicast event"),
        ("[" * 100_000, "foreign, line 3: no asciicast event"),
        ('[1.0, "o", "\\ud800"]', "foreign, line 3: no asciicast event"),
    ],
)
def test_damage_is_told_and_what_surrounds_it_is_read(
    record: str, detail: str, opened: Opened, written: Written
) -> None:
    header = lines({"version": 2, "width": 80, "height": 24}, [0.5, "o", "before "])
    found = opened(written(header + record + "\n" + lines([2.0, "o", "after"])))
    assert found.stream.startswith(b"before ")
    assert found.stream.endswith(b"after")
    assert any(gap.startswith(detail) for gap in found.gaps), found.gaps


def test_a_line_without_end_stops_the_import_within_bounds(opened: Opened, written: Written) -> None:
    content = lines({"version": 2, "width": 80, "height": 24}, [0.5, "o", "before"]) + '[1, "o", "'
    found = opened(written(content.encode() + b"x" * (9 << 20)))
    assert found.stream == b"before"
    assert found.gaps == [
        "foreign, line 3 is longer than 8 MiB; no recorder writes such lines; what precedes is shown"
    ]
    assert not found.kinds("end")


def test_impossible_sizes_become_possible_ones(opened: Opened, written: Written) -> None:
    cast = lines({"version": 2, "width": 65535, "height": -3}, [0.1, "r", "99999x0"], [0.2, "o", "x"])
    found = opened(written(cast))
    assert (found.start.size, found.kinds("resize")[0].size) == ("9999:1", "9999:1")  # type: ignore[union-attr]
    assert found.screen().strip() == "x"


def test_a_file_is_imported_once_and_anew_when_it_changes(store: Store, written: Written) -> None:
    cast = lines({"version": 2, "width": 80, "height": 24}, [0.5, "o", "one"])
    path = written(cast)
    first = resolve(str(path), store.data_dir)
    stamp = first.stat().st_mtime_ns
    assert resolve(str(path), store.data_dir) == first
    assert first.stat().st_mtime_ns == stamp
    written(cast + lines([0.6, "o", "two"]))
    second = resolve(str(path), store.data_dir)
    assert read_index(second).stream == b"onetwo"
    assert first.is_relative_to(store.own_dir / "playbacks" / "imports")


@pytest.mark.parametrize(
    "acting",
    [
        "\x1b]0;title\x07",
        "\x1b]52;c;aGk=\x1b\\",
        "\x1b]8;;http://x\x07",
        "\x1bP+q544e\x1b\\",
        "\x1b_Gi=1;AAAA\x1b\\",
        "\x1b[c",
        "\x1b[>0q",
        "\x1b[6n",
        "\x1b[?2026$p",
        "\x1b[8;50;200t",
        "\x1b[5i",
        "\x1b[?1003h",
        "\x1b[?25;1006h",
        "\x1b[>4;2m",
        "\x1b[?u",
        "\x1bZ",
        "\x05",
        "\x9b6n",
        "\x9d0;x\x9c",
    ],
)
def test_what_acts_on_a_terminal_goes(acting: str) -> None:
    inert = Inert()
    assert inert.feed(f"a{acting}b") + inert.feed("c") in {"abc", "a6nbc"}
    assert inert.removed == 1


@pytest.mark.parametrize(
    "drawing",
    [
        "\x1b[31;1m",
        "\x1b[2J",
        "\x1b[?1049h",
        "\x1b[5;5H",
        "\x1b[2 q",
        "\x1b[?25l",
        "\x1b(0",
        "\x1b[!p",
        "\x1b[1;2;3;4$x",
        "\x1b7",
    ],
)
def test_what_draws_stays(drawing: str) -> None:
    inert = Inert()
    assert inert.feed(f"a{drawing}b") == f"a{drawing}b"
    assert inert.removed == 0


_PIECES = st.lists(
    st.one_of(
        st.text(alphabet="ab\x1b[]0;?c52\x05\x07\x18\\nhPZ\x9d\x9c\xe9\r\n", max_size=8),
        st.sampled_from(
            ["\x1b]52;c;eA==\x07", "\x1b[c", "\x1b[31m", "\x1bP1$r\x1b\\", "\x1b[?1000h", "\x9b6n"]
        ),
    ),
    max_size=12,
)


@pytest.mark.parametrize(
    "acting",
    [
        "\x1b\x9c]52;c;eA==\x07",
        "\x1b\x05[6n",
        "\x1b[\x056n",
        "\x1b\x1b]52;c;eA==\x07",
        "\x1b\n]52;c;eA==\x07",
        "\x1b[\n6n",
        "\x1b[6\x1bZn",
        "\x1b[" + "0" * 500 + "6n",
        "\x1b[?0000001000h",
        "\x1b" + "\0" * 30 + "]52;c;eA==\x07",
        "\x1b\xdd52;c;eA==\x07",
    ],
)
def test_what_is_left_makes_no_sequence_of_its_own(acting: str) -> None:
    """A beginning goes with what interrupted it, and controls in the middle do not hide a sequence."""
    whole = Inert().feed(acting)
    assert "\x1b" not in whole
    cut = Inert()
    assert "".join(map(cut.feed, acting)) == whole


@given(_PIECES)
def test_inert_text_is_the_same_however_it_is_cut(pieces: list[str]) -> None:
    whole, text = Inert(), "".join(pieces)
    expected = whole.feed(text) + whole.finish()
    assert "\x1b]" not in expected
    assert not any("\x80" <= character <= "\x9f" for character in expected)
    again = Inert()
    assert again.feed(expected) + again.finish() == expected
    assert again.removed == 0
    cut = Inert()
    assert "".join([cut.feed(piece) for piece in pieces]) + cut.finish() == expected
    single = Inert()
    assert "".join([single.feed(character) for character in text]) + single.finish() == expected
