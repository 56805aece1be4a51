"""Rows: one line for every kind of event, always inert."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from esr_tui.model.events import (
    EVENT_TYPES,
    Command,
    Disk,
    Exit,
    Gap,
    Network,
    SessionEnd,
    SessionStart,
    TerminalMode,
)
from esr_tui.model.text import UNSAFE
from esr_tui.tui import rows

CASES = [
    (Command, {"argv": ["echo", "a b", ""]}, "echo 'a b' ''"),
    (Command, {"argv": ["x"], "return_code": -2}, "x  ‹ENOENT›"),
    (Command, {"argv": ["x"], "image": "memfd"}, "x  ‹memfd image›"),
    (Command, {"argv": [], "filename": "/bin/x", "argv_unreadable": True}, "/bin/x  ‹arguments unreadable›"),
    (Command, {"argv": ["x"], "argv_truncated": True}, "x  ‹arguments cut›"),
    (Disk, {"path": "/etc/passwd", "flags": 0}, "read /etc/passwd"),
    (Disk, {"path": "/tmp/a", "flags": 0o1}, "write /tmp/a"),
    (Disk, {"path": "/tmp/a", "flags": 0o2002, "count": 3}, "append /tmp/a  ×3"),
    (Disk, {"path": "/root/a", "flags": 0, "return_code": -13}, "read /root/a  ‹EACCES›"),
    (Disk, {"operation": "rename", "path": "/a", "target": "/b"}, "rename /a → /b"),
    (Disk, {"operation": "chmod", "path": "/a", "mode": 0o4755}, "chmod /a 4755"),
    (
        Network,
        {"dst_addr": "127.0.0.1", "dst_port": 8080, "state": "refused", "return_code": -111},
        "tcp 127.0.0.1:8080 refused",
    ),
    (Network, {"dst_addr": "::1", "dst_port": 22, "state": "established"}, "tcp [::1]:22 established"),
    (
        Network,
        {
            "protocol": "udp",
            "dst_addr": "1.1.1.1",
            "dst_port": 53,
            "state": "sent",
            "dns": ["a.example"],
            "count": 2,
        },
        "udp 1.1.1.1:53 sent asks a.example  ×2",
    ),
    (Network, {"operation": "listen", "src_addr": "0.0.0.0", "src_port": 80}, "tcp listen 0.0.0.0:80"),
    (
        Network,
        {"dst_addr": "10.0.0.1", "dst_port": 80, "state": "closed", "rx": 2048, "tx": 10},
        "tcp 10.0.0.1:80 closed  ↓2.0 KiB ↑10 B",
    ),
    (Exit, {"return_code": 3, "duration_ms": 12}, "exit 3 after 12 ms"),
    (Exit, {"return_code": 137, "signal": 9, "duration_ms": 2500}, "killed by SIGKILL after 2.5 s"),
    (TerminalMode, {"echo": False, "canonical": True}, "echo off: typed text is hidden"),
    (Gap, {"cause": "ring_full", "count": 3, "what": "disk"}, "lost 3 records of disk: ring_full"),
    (
        Gap,
        {"cause": "recorder_stopped", "unit": "bytes"},
        "lost an unknown number of bytes: recorder_stopped",
    ),
    (Gap, {"detail": "The recorder was restarted."}, "The recorder was restarted."),
    (
        SessionStart,
        {"origin": "192.0.2.7:1", "tty": "pts/3", "size": "80:24", "joined_late": True},
        "session of eve from 192.0.2.7:1 on pts/3 80×24 (joined late)",
    ),
    (SessionEnd, {"return_code": 0, "lingering": 2}, "session ended, exit 0, 2 processes still running"),
]


@pytest.mark.parametrize(("kind", "fields", "expected"), CASES)
def test_every_kind_says_what_happened(tools: Any, kind: Any, fields: dict[str, Any], expected: str) -> None:
    assert rows.summary(tools.event(kind, 5, **fields)) == expected


def test_default_events_of_every_type_have_a_row(tools: Any) -> None:
    for kind in EVENT_TYPES:
        shown = rows.row(tools.event(kind, 7))
        assert (shown.ms, shown.kind, shown.ei) == (7, kind.KIND, 7 if kind is Command else -1)


def test_a_long_vector_is_cut_and_stays_cheap(tools: Any) -> None:
    text = rows.summary(tools.event(Command, 1, argv=["x" * 50_000, *["y"] * 50_000]))
    assert len(text) <= rows.SUMMARY_LIMIT
    assert text.endswith("…")


def test_hostile_fields_come_out_inert(tools: Any) -> None:
    nasty = "\x1b]0;x\x07\u202e\u200b\n[/foo]"
    events = [
        tools.event(Command, 1, argv=[nasty], program=nasty),
        tools.event(Disk, 1, path=nasty, target=nasty, operation=nasty),
        tools.event(Network, 1, dst_addr=nasty, state=nasty, protocol=nasty, dns=[nasty]),
        tools.event(Gap, 1, cause=nasty, what=nasty, unit=nasty),
        tools.event(Gap, 1, detail=nasty),
        tools.event(
            SessionStart, 1, user=nasty, origin=nasty, tty=nasty, size=nasty, initial_command=[nasty]
        ),
    ]
    for each in events:
        shown = rows.row(each)
        assert not UNSAFE.search(shown.summary + shown.program)


def test_failures_and_losses_stand_out(tools: Any) -> None:
    assert rows.row(tools.event(Disk, 1, return_code=-13)).bad
    assert rows.row(tools.event(Gap, 1)).bad
    assert not rows.row(tools.event(Disk, 1, return_code=3)).bad


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"path": "/usr/lib/x86_64-linux-gnu/libc.so.6"}, True),
        ({"path": "/etc/ld.so.cache"}, True),
        ({"path": "/usr/lib/locale/C.utf8/LC_TIME", "return_code": -2}, True),
        ({"path": "/usr/lib/x86_64-linux-gnu/libc.so.6", "flags": 0o1}, False),
        ({"path": "/usr/lib/x86_64-linux-gnu/libc.so.6", "flags": 0o100}, False),
        ({"path": "/usr/lib/x86_64-linux-gnu/libc.so.6", "operation": "unlink"}, False),
        ({"path": "/usr/lib/x86_64-linux-gnu/libc.so.6", "return_code": -13}, False),
        ({"path": "/tmp/usr/lib/libc.so.6"}, False),
        ({"path": "/usr/lib/python3/x.py"}, False),
        ({"path": "/etc/passwd"}, False),
    ],
)
def test_only_mere_looks_at_libraries_are_routine(tools: Any, fields: dict[str, Any], expected: bool) -> None:
    assert rows.row(tools.event(Disk, 1, **fields)).routine is expected


def test_a_line_editors_modes_are_routine_and_hidden_typing_is_not(tools: Any) -> None:
    for echo, canonical, expected in ((True, True, True), (False, False, True), (False, True, False)):
        shown = rows.row(tools.event(TerminalMode, 1, echo=echo, canonical=canonical))
        assert shown.routine is expected


def test_a_file_that_is_not_there_is_no_failure_worth_red(tools: Any) -> None:
    assert not rows.row(tools.event(Disk, 1, path="/root/.curlrc", return_code=-2)).bad


def test_rows_and_filters_do_not_need_textual() -> None:
    code = "import sys, esr_tui.tui.rows, esr_tui.filtering; sys.exit('textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
