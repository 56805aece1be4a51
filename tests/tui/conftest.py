"""Scripted recordings for the app's tests: no store, no clock, no kernel."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from esr_tui.model.events import (
    AnyEvent,
    Command,
    Descriptor,
    Disk,
    Escape,
    Exit,
    Fork,
    Gap,
    Network,
    SessionEnd,
    SessionStart,
    TerminalMode,
)
from esr_tui.model.session import SessionSummary
from esr_tui.model.verdict import Evidence, Layer, Payload, RuleMatch, Verdict
from esr_tui.recording import Output, RecordingError, Slice
from esr_tui.tui.app import EsrApp
from esr_tui.tui.judging import Give, Judged, Reporter
from esr_tui.tui.sources import Sources
from esr_tui.tui.stopping import Stop

NOW = 1_795_363_200.0
"""2026-11-22T16:00:00Z, the moment at which every test happens."""
SID = "3f9c11aa-1111-4222-8333-444455556666"
PROMPT = b"\x1b[01;32meve@web-03\x1b[00m:\x1b[01;34m~\x1b[00m$ "


def event(kind: type[AnyEvent], ms: int, **fields: Any) -> AnyEvent:
    """An event of the scripted session at `ms`."""
    common = {"time": "2026-11-22T15:59:00.000Z", "uid": f"uid-{ms}", "ei": ms, "sid": SID, "user": "eve"}
    return kind(code=kind.CODE, login="eve", ms=ms, ktime=ms * 1_000_000, **{**common, **fields})


def command(ms: int, pid: int, ppid: int, *argv: str, **fields: Any) -> list[AnyEvent]:
    """A fork and the exec that follows it."""
    base: dict[str, Any] = {
        "program": argv[0].rpartition("/")[2][:15],
        "path": f"/usr/bin/{argv[0]}",
        "exe": f"/usr/bin/{argv[0]}",
        "filename": f"/usr/bin/{argv[0]}",
        "cwd": "/home/eve",
        "pgid": pid,
        "posix_sid": 4100,
        "tty": "pts/3",
        "audit_session_id": 17,
        "cgroup_id": 8812,
        "witness": ["lineage", "audit", "cgroup"],
        "fds": [Descriptor(fd=0, kind="tty", path="pts/3"), Descriptor(fd=1, kind="pipe", inode=99812)],
    }
    return [
        event(Fork, ms - 2, pid=pid, ppid=ppid, program="bash"),
        event(Command, ms, pid=pid, ppid=ppid, argv=list(argv), **{**base, **fields}),
    ]


def output(ms: int, data: bytes, offset: int = 0) -> Output:
    """Terminal bytes at `ms`."""
    return Output(ms=ms, ktime=ms * 1_000_000, offset=offset, data=data)


def story() -> Slice:
    """Half a minute of eve's session: a hidden curl, a silent prompt, a script, a loss."""
    events: list[AnyEvent] = [
        event(
            SessionStart,
            0,
            size="80:24",
            origin="192.0.2.7:50122",
            tty="pts/3",
            server_hostname="web-03",
            leader=4100,
        ),
        *command(3110, 4201, 4100, "ls", "-la", "/etc/ssh"),
        event(
            Disk,
            3115,
            pid=4201,
            program="ls",
            path="/etc/ssh",
            given="/etc/ssh",
            flags=0o200000,
            return_code=3,
        ),
        event(Exit, 3125, pid=4201, ppid=4100, program="ls", duration_ms=12),
        *command(9050, 4210, 4100, "base64", "--decode"),
        *command(9051, 4211, 4100, "sh"),
        *command(9060, 4212, 4211, "curl", "http://127.0.0.1:8080/"),
        event(
            Network,
            9067,
            pid=4212,
            program="curl",
            src_addr="127.0.0.1",
            src_port=44122,
            dst_addr="127.0.0.1",
            dst_port=8080,
            state="refused",
            return_code=-111,
        ),
        event(Exit, 9070, pid=4212, ppid=4211, program="curl", return_code=7, duration_ms=10),
        event(TerminalMode, 15010, pid=4100, program="bash", tty="pts/3", echo=False, canonical=True),
        event(TerminalMode, 19010, pid=4100, program="bash", tty="pts/3", echo=True, canonical=False),
        event(Gap, 22000, cause="ring_full", count=312, unit="records", what="disk", from_ms=20000),
        *command(
            25000, 4280, 4100, "python3", "-c", "print(1)\n", "é漢字", *(f"--option-{i}" for i in range(12))
        ),
        event(
            Escape,
            27000,
            pid=4290,
            program="sh",
            witness=["lineage"],
            missing=["cgroup"],
            reason="moved to /x",
        ),
        event(SessionEnd, 30000, return_code=0),
    ]
    outputs = (
        output(300, b"Last login: Sun Nov 22 09:12:44 2026 from 192.0.2.7\r\n" + PROMPT),
        output(3000, b"ls -la /etc/ssh\r\n"),
        output(
            3120, b"total 608\r\ndrwxr-xr-x 4 root root 4096 .\r\n-rw------- 1 root root 505 key\r\n" + PROMPT
        ),
        output(9000, b"echo Y3VybCBodHRwOi8vMTI3LjAuMC4xOjgwODAvCg== | base64 --decode | sh\r\n"),
        output(9068, b"curl: (7) Failed to connect to 127.0.0.1 port 8080\r\n" + PROMPT),
        output(15000, b"read -s TOKEN\r\n"),
        output(19012, b"\r\n" + PROMPT),
        output(
            25100, "\x1b[33m漢字 wide\x1b[0m \u202egnp.exe\u202c \x1b[7mreverse\x1b[0m\r\n".encode() + PROMPT
        ),
    )
    return Slice(tuple(events), outputs)


TYPED = "echo Y3VybCBodHRwOi8vMTI3LjAuMC4xOjgwODAvCg== | base64 --decode | sh"


def verdict(ms: int, pid: int, said: str, severity: str, *argv: str, **fields: Any) -> Verdict:
    """What is said of the command at `ms` of the scripted session."""
    base: dict[str, Any] = {
        "time": "2026-11-22T15:59:00.000Z",
        "ppid": 4100,
        "path": f"/usr/bin/{argv[0]}",
        "reason": "The typed line names it.",
        "evidence": Evidence(typed=" ".join(argv), frame_ms=ms - 50, rows=(1, 1), chain=(pid, 4100)),
        "ei": ms,
    }
    return Verdict(ms=ms, pid=pid, argv=argv, verdict=said, severity=severity, **{**base, **fields})


def verdicts() -> list[Verdict]:
    """The judgement on the story's commands."""
    piped = Evidence(typed=TYPED, frame_ms=9000, rows=(5, 6), chain=(4212, 4211, 4100))
    rule = RuleMatch(
        id="r1",
        title="Decoded text run by a shell",
        severity="high",
        side="typed",
        author="esr",
        technique="T1140",
    )
    payload = Payload(
        source="pipe",
        text="echo 63 | xxd -r -p | sh\ncurl http://127.0.0.1:8080/\n",
        bytes=52,
        sha256="ab" * 32,
        decoded=(Layer(codec="hex", text="c"),),
        producer=4210,
    )
    return [
        verdict(3110, 4201, "shown", "info", "ls", "-la", "/etc/ssh"),
        verdict(9050, 4210, "shown", "medium", "base64", "--decode", evidence=piped, rules=(rule,)),
        verdict(9051, 4211, "shown", "medium", "sh", evidence=piped, payload=payload, rules=(rule,)),
        verdict(
            9060,
            4212,
            "piped",
            "high",
            "curl",
            "http://127.0.0.1:8080/",
            ppid=4211,
            reason="dash ran it from a program that came over a pipe.",
            evidence=piped,
            payload=payload,
            rules=(rule,),
        ),
        verdict(
            25000,
            4280,
            "unseen",
            "critical",
            "python3",
            "-c",
            "print(1)\n",
            reason="It was typed while the terminal's echo was off.",
            evidence=Evidence(typed="", frame_ms=19012, rows=(11, 11), chain=(4280, 4100)),
        ),
    ]


class ScriptedReader:
    """Plays slices; a live one goes on when the test gives it more."""

    def __init__(self, slices: list[Slice], state: str = "ended", problems: tuple[str, ...] = ()) -> None:
        self.slices = slices
        self.state = state
        self.problems = problems
        self.closed = False
        self.failure = ""

    def read(self, limit: int = 0) -> Slice:
        """The next slice."""
        if self.failure:
            raise RecordingError(self.failure)
        return self.slices.pop(0) if self.slices else Slice((), ())

    def close(self) -> None:
        """Notes that the app let go."""
        self.closed = True


def summaries() -> list[SessionSummary]:
    """Four sessions, one in each state."""
    base = {"lost": {}, "size": "80:24"}
    return [
        SessionSummary(
            sid=SID,
            user="eve",
            origin="192.0.2.7:50122",
            tty="pts/3",
            started="2026-11-22T15:58:10.000Z",
            commands=6,
            disk=41,
            network=1,
            last_command="python3 -c 'print(1)'",
            last_activity="2026-11-22T15:59:48.000Z",
            recording="/r/eve.index",
            **{**base, "lost": {"ring_full": 312}},
        ),
        SessionSummary(
            sid="b1",
            user="backup",
            origin="10.0.0.9:40112",
            tty=None,
            size=None,
            started="2026-11-22T14:01:00.000Z",
            state="lingering",
            worst="critical",
            divergences=12,
            commands=2,
            last_command="rsync --server",
            last_activity="2026-11-22T15:20:00.000Z",
            recording="/r/b1.index",
        ),
        SessionSummary(
            sid="a1",
            user="alice",
            origin="192.0.2.44:51002",
            tty="pts/7",
            started="2026-11-21T08:00:00.000Z",
            ended="2026-11-21T09:00:00.000Z",
            state="ended",
            commands=1210,
            divergences=0,
            network=7,
            last_command="exit",
            recording="/r/a1.index",
            size="120:36",
        ),
        SessionSummary(
            sid="c1",
            user="root",
            origin="local",
            tty="tty1",
            started="2026-10-02T08:00:00.000Z",
            state="cut",
            recording="/r/c1.index",
            size="80:24",
        ),
    ]


class World:
    """What the app reads: change it, and the app sees it."""

    def __init__(self) -> None:
        self.listed: list[SessionSummary] = summaries()
        self.readers: dict[str, Callable[[], ScriptedReader]] = {}
        self.opened: list[ScriptedReader] = []
        self.problem = ""
        self.verdicts: list[Verdict] = verdicts()
        self.judgement = ""
        self.certificate: tuple[str, ...] = ()

    def judge(self, path: Path, give: Give, stop: Stop) -> str:
        """An analysis that finds `verdicts` at once, and ends with the sentence `judgement`."""
        reporter = Reporter(give, lambda: 0.0)
        for each in self.verdicts:
            reporter.add(each)
        reporter.flush(level=True)
        if self.certificate:
            give(Judged(level=True, certificate=self.certificate))
        return self.judgement

    def sessions(self) -> list[SessionSummary]:
        """The catalogue."""
        if self.problem:
            raise RecordingError(self.problem)
        return list(self.listed)

    def open(self, path: Path) -> ScriptedReader:
        """A recording."""
        make = self.readers.get(str(path), lambda: ScriptedReader([story()]))
        self.opened.append(make())
        return self.opened[-1]


@pytest.fixture
def world() -> World:
    """A world with four sessions, all telling the same story."""
    return World()


class Tools:
    """What test modules need of this file; they cannot import it."""

    event = staticmethod(event)
    command = staticmethod(command)
    output = staticmethod(output)
    story = staticmethod(story)
    verdict = staticmethod(verdict)
    verdicts = staticmethod(verdicts)
    summaries = staticmethod(summaries)
    reader = ScriptedReader
    now = NOW
    sid = SID

    @staticmethod
    def app(world: World, filters: dict[str, str] | None = None, **options: Any) -> EsrApp:
        """The app over a scripted world, at a fixed time."""
        clock = options.pop("clock", lambda: 0.0)
        kept = {name: options.pop(name) for name in ("timeline", "forget", "seal", "pin") if name in options}
        sources = Sources(
            sessions=world.sessions,
            open=world.open,
            judge=world.judge,
            filters=filters or {},
            events=world.open,
            **kept,
        )
        return EsrApp(Path("/var/lib/esr"), sources=sources, clock=clock, wall=lambda: NOW, **options)

    @staticmethod
    async def until(pilot: Pilot[None], test: Callable[[], bool]) -> None:
        """Lets the app run until `test` holds; fails after ten seconds."""
        end = time.monotonic() + 10
        while not test():
            assert time.monotonic() < end, "it never happened"
            await pilot.pause(0.01)
        await pilot.pause()


@pytest.fixture
def tools() -> type[Tools]:
    """Builders of events, readers and apps."""
    return Tools


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times on screen are local: here that is UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    os.environ.pop("TZ", None)
    time.tzset()


Run = Callable[[Pilot[None]], Awaitable[None]]
