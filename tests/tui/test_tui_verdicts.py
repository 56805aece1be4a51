"""Verdicts in the session screen: marks, keys, filters, the evidence line, details, reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from esr_tui.divergence.running import Source
from esr_tui.divergence.version import VERSION
from esr_tui.filtering import FilterError, parse
from esr_tui.model.events import Disk, Exit, Fork
from esr_tui.model.verdict import SEVERITIES, VERDICTS, Evidence, Layer, Payload, RuleMatch
from esr_tui.recording import Slice
from esr_tui.recording.verdicts import VerdictSummary, keep_verdicts, read_verdicts, verdicts_path
from esr_tui.terminal import Terminal
from esr_tui.tui.density import Peaks
from esr_tui.tui.evidence import rows_of
from esr_tui.tui.judging import Judged, Reporter, judge
from esr_tui.tui.marks import HIDDEN, LETTERS, NOTABLE, Marks, code_of, severity_of, verdict_of
from esr_tui.tui.model import SessionModel
from esr_tui.tui.rows import row
from esr_tui.tui.screens.certificate import CertificateScreen
from esr_tui.tui.screens.session import SessionScreen
from esr_tui.tui.screens.session_bars import verdict_parts
from esr_tui.tui.sealing import Seal
from esr_tui.tui.stopping import Stop
from esr_tui.tui.verdicts import Verdicts
from esr_tui.tui.widgets.bars import Bar
from esr_tui.tui.widgets.event_table import mark_text
from esr_tui.tui.widgets.inputs import Prompt
from esr_tui.tui.widgets.session_table import worst

PATH = Path("/r/eve.index")


async def opened(tools: Any, pilot: Pilot[None]) -> SessionScreen:
    await tools.until(pilot, lambda: isinstance(pilot.app.screen, SessionScreen))
    screen = pilot.app.screen
    assert isinstance(screen, SessionScreen)
    await tools.until(pilot, lambda: screen.model.loaded and not screen.model.analysing)
    return screen


def lines(screen: SessionScreen) -> list[str]:
    return [screen.table.render_line(y).text for y in range(screen.table.size.height)]


def panel(screen: SessionScreen) -> str:
    return "\n".join(screen.panel.render_line(y).text for y in range(screen.panel.size.height))


def summary(screen: SessionScreen) -> str:
    return screen.model.log.rows[screen.table.index].summary


# Marks.


def test_a_code_holds_verdict_and_severity() -> None:
    codes = {code_of(verdict, severity) for verdict in VERDICTS for severity in SEVERITIES}
    assert len(codes) == len(VERDICTS) * len(SEVERITIES) and 0 not in codes and max(codes) < 256
    code = code_of("piped", "high")
    assert (verdict_of(code), severity_of(code), verdict_of(0), severity_of(0)) == ("piped", "high", "", "")
    assert code in HIDDEN and code_of("shown", "high") not in HIDDEN
    assert code in NOTABLE and code_of("shown", "info") not in NOTABLE and code_of("shown", "low") in NOTABLE


def test_every_mark_can_be_read_without_colour() -> None:
    marks = [mark_text(code_of(verdict, severity), 4) for verdict in VERDICTS for severity in SEVERITIES]
    assert len(set(marks)) == len(marks) and max(map(len, marks)) <= 4
    assert set(LETTERS) == set(VERDICTS)
    assert mark_text(code_of("scripted", "critical"), 12) == "scripted !!!"


@pytest.mark.parametrize("late", [False, True])
def test_rows_take_the_verdict_of_their_process(tools: Any, late: bool) -> None:
    marks = Marks()
    rows = [
        *tools.command(100, 7, 1, "curl"),
        tools.event(Disk, 99, pid=7, path="/redirected"),  # after the fork, before the exec
        tools.event(Disk, 110, pid=7, path="/own"),
        tools.event(Disk, 110, pid=8, path="/other"),
        tools.event(Exit, 120, pid=7),
        tools.event(Fork, 200, pid=7, ppid=1),
        tools.event(Disk, 210, pid=7, path="/another life"),
    ]
    verdict = tools.verdict(100, 7, "piped", "high", "curl")
    early = [] if late else marks.judge(verdict)
    for index, each in enumerate(rows):
        marks.add(index, row(each))
    changed = marks.judge(verdict) if late else early
    code = code_of("piped", "high")
    assert [each == code for each in marks.codes] == [False, True, True, True, False, False, False, False]
    assert sorted(changed) == ([1, 2, 3] if late else [])


def test_many_execs_of_one_process_stay_cheap(tools: Any) -> None:
    marks, index = Marks(), 0
    for ms in range(0, 20_000, 2):
        for each in (tools.command(ms, 7, 1, "x")[1], tools.event(Disk, ms + 1, pid=7, path="/f")):
            marks.add(index, row(each))
            index += 1
    touched = sum(
        len(marks.judge(tools.verdict(ms, 7, "scripted", "low", "x"))) for ms in range(0, 20_000, 2)
    )
    assert touched == index


def test_verdicts_live_outside_memory_and_share_payloads(tools: Any) -> None:
    reports: list[Judged] = []
    reporter = Reporter(reports.append)
    for each in tools.verdicts():
        reporter.add(each)
    reporter.flush(level=True)
    assert [len(report.payloads) for report in reports] == [1]
    kept = Verdicts()
    for report in reports:
        kept.take(msgspec.json.decode(msgspec.json.encode(report), type=Judged))
    assert [kept.of(each.ei) for each in tools.verdicts()] == tools.verdicts()
    assert kept.of(1) is None and kept.of(None) is None
    assert (kept.divergences, SEVERITIES[kept.worst], len(kept)) == (2, "critical", 5)
    assert [each.ei for each in kept.reported()] == [9060, 25000]
    kept.close()


def test_a_verdict_that_comes_again_takes_the_place_of_the_first(tools: Any) -> None:
    kept = Verdicts()
    for said, severity in (("unseen", "high"), ("unseen", "high"), ("piped", "medium")):
        reporter = Reporter(kept.take)
        reporter.add(tools.verdict(500, 7, said, severity, "id"))
        reporter.flush(level=True)
    assert (kept.divergences, SEVERITIES[kept.worst]) == (1, "medium")
    assert max(kept.peaks.columns(10, 1000)) == SEVERITIES.index("medium") + 1
    again = Reporter(kept.take)
    again.add(tools.verdict(500, 7, "shown", "info", "id"))
    again.flush(level=True)
    assert (kept.divergences, kept.worst, kept.reported()) == (0, -1, [])
    kept.close()


def test_peaks_keep_the_worst_however_long_the_session(tools: Any) -> None:
    peaks = Peaks()
    for ms in range(0, 3_600_000, 1000):
        peaks.add(ms, 2)
    peaks.add(1_800_000, 5)
    columns = peaks.columns(100, 3_600_000)
    assert len(columns) == 100 and max(columns) == 5 and columns.index(5) in {49, 50}
    assert set(columns) == {2, 5}


# The loop.


class Analyst:
    """Answers like an Analysis: each event is judged two ticks later."""

    def __init__(self, tools: Any) -> None:
        self.tools = tools
        self.clock = 0
        self.ticks: list[int] = []

    def feed(self, events: Any, output: Any) -> list[Any]:
        return []

    def tick(self, ms: int) -> list[Any]:
        self.clock = ms
        self.ticks.append(ms)
        return [self.tools.verdict(ms, 7, "piped", "high", "x")] if ms >= 300 else []

    def finish(self) -> list[Any]:
        return [self.tools.verdict(999, 8, "unseen", "high", "y")]


def test_a_live_session_is_judged_by_the_clock_and_finished(tools: Any) -> None:
    reader = tools.reader([tools.story()], state="live")
    now = [0.0]
    reports: list[Judged] = []

    def give(news: Judged) -> None:
        reports.append(news)
        if any(held.verdict.pid == 7 for held in news.held):
            reader.state = "ended"

    def clock() -> float:
        now[0] += 0.05
        return now[0]

    judge(Source(reader.read, lambda: reader.state), Analyst(tools), give, Stop(), clock)  # type: ignore[arg-type]
    pids = [held.verdict.pid for report in reports for held in report.held]
    assert set(pids) == {7, 8} and pids[-1] == 8
    assert reports[-1].level and reports[-1].work > 0


# Filters.


def test_filters_know_verdicts_and_severities() -> None:
    piped, shown = code_of("piped", "high"), code_of("shown", "info")
    cases = {
        "verdict:piped": (True, False, False),
        "-verdict:shown": (True, False, True),
        "severity>=high": (True, False, False),
        "severity:high": (True, False, False),
        "severity<high": (False, True, False),
        "-severity>info": (False, True, True),
        "SEVERITY>=MEDIUM verdict:piped": (True, False, False),
        '"severity>=high"': (False, False, False),
    }
    for text, expected in cases.items():
        narrowed = parse(text)
        assert tuple(narrowed.matches("hay", code) for code in (piped, shown, 0)) == expected, text
    for bad in ("verdict:hidden", "severity>=awful", "severity:"):
        with pytest.raises(FilterError, match=r"is called|needs a value"):
            parse(bad)


# Evidence.


def test_the_evidence_line_is_found_where_it_stands_now() -> None:
    terminal = Terminal(20, 6)
    terminal.feed(b"$ true\r\n$ echo hello | base64 -d | sh\r\n")
    evidence = Evidence(typed="echo hello | base64 -d | sh", frame_ms=5, rows=(1, 2))
    assert rows_of(terminal, evidence, at_frame=False) == range(1, 3)
    terminal.feed(b"1\r\n2\r\n3\r\n4")  # it scrolls by one
    assert rows_of(terminal, evidence, at_frame=False) == range(2)
    terminal.feed(b"\x1b[2J")
    assert not rows_of(terminal, evidence, at_frame=False)
    assert rows_of(terminal, evidence, at_frame=True) == range(1, 3)
    assert not rows_of(terminal, Evidence(typed="x"), at_frame=True)
    assert not rows_of(terminal, Evidence(typed="x", frame_ms=1, rows=(5, 2)), at_frame=True)
    assert not rows_of(terminal, Evidence(typed="x", frame_ms=1, rows=(900, 901)), at_frame=True)
    many = Evidence(typed="for x in 1\ndo true\ndone", frame_ms=1, rows=(0, 2))
    terminal.feed(b"\x1b[H$ for x in 1\r\n> do true\r\n> done")
    assert rows_of(terminal, many, at_frame=False) == range(3)


# The screen.


async def test_marks_keys_and_details(tools: Any, world: Any) -> None:
    app = tools.app(world, recording=PATH)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        assert "2 divergences, worst critical" in screen.query_one("#header", Bar).plain
        await pilot.press("n")
        assert summary(screen).startswith("curl")
        await tools.until(pilot, lambda: screen.player.caught_up)
        assert any("P!!" in line and "curl" in line for line in lines(screen))
        assert any("P " in line and "tcp" in line for line in lines(screen))
        text = panel(screen)
        for part in ("piped · high", "typed", "read from a pipe", "→ hex", "→ executed", "dash ran it"):
            assert part in text
        assert screen.terminal.evidence == range(5, 7)
        await pilot.press("n")
        assert summary(screen).startswith("python3")
        await pilot.press("n")
        assert summary(screen).startswith("curl"), "it goes round, and stops at nothing that was shown"
        await pilot.press("N")
        assert summary(screen).startswith("python3")


async def test_the_evidence_is_one_key_away(tools: Any, world: Any) -> None:
    app = tools.app(world, recording=PATH)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        await pilot.press("N")
        await tools.until(pilot, lambda: screen.player.caught_up)
        assert screen.player.position == 25000
        await pilot.press("e")
        await tools.until(pilot, lambda: screen.player.caught_up)
        assert screen.player.position == 19012
        assert screen.terminal.evidence == range(11, 12)
        assert summary(screen).startswith("python3")
        await pilot.press("e")
        assert screen.player.position == 25000
        await pilot.press("home", "e")
        assert screen.player.position == 0


async def test_divergences_only(tools: Any, world: Any) -> None:
    app = tools.app(world, recording=PATH)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        await pilot.press("v")
        kinds = [screen.model.log.rows[index].kind for index in screen.model.log.visible]
        assert kinds == ["command", "network", "gap", "command", "escape"]
        assert "divergences only" in screen.query_one("#events-title", Bar).plain
        await pilot.press("v")
        assert "divergences only" not in screen.query_one("#events-title", Bar).plain
        assert len(screen.model.log.visible) > len(kinds)


async def test_filters_follow_verdicts_as_they_come(tools: Any, world: Any) -> None:
    world.verdicts = []
    app = tools.app(world, recording=PATH)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        await pilot.press("slash", *"severity>=high", "enter")
        assert len(screen.model.log.visible) == 0
        found = tools.verdicts()
        screen.model.judge(Judged(held=()))
        assert screen.model.log.judge(found) == 0
        shown = [screen.model.log.rows[index].summary[:5] for index in screen.model.log.visible]
        assert shown == ["curl ", "tcp 1", "pytho"]
        screen.model.log.judge([msgspec.structs.replace(found[3], severity="low", verdict="implied")])
        assert len(screen.model.log.visible) == 1


async def test_without_an_analysis_the_keys_say_so(tools: Any, world: Any) -> None:
    world.verdicts, world.judgement = [], "the analysis ended: it said nothing"
    app = tools.app(world, recording=PATH)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        screen = await opened(tools, pilot)
        assert "the analysis ended" in screen.query_one("#problem", Bar).plain
        await pilot.press("n", "N", "e", "v")
        await pilot.pause()
        assert not app._exception
        assert "no divergence in what is left" in screen.query_one("#header", Bar).plain


async def test_a_report_is_written_where_it_was_asked_for(tools: Any, world: Any, tmp_path: Path) -> None:
    app = tools.app(world, recording=PATH)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        screen = await opened(tools, pilot)
        await pilot.press("x")
        prompt = screen.query_one("#export", Prompt)
        assert prompt.value == "./esr-3f9c11aa"
        prompt.open(str(tmp_path / "missing" / "r"))
        await pilot.press("enter")
        assert "folder that exists" in prompt.note
        prompt.open(str(tmp_path / "r"))
        await pilot.press("enter")
        await tools.until(pilot, lambda: not screen.model.exporting)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["r.html", "r.md"]
        html = (tmp_path / "r.html").read_text()
        assert "<svg" in html and "Decoded text run by a shell" in html and "lost" in html.lower()


HOSTILE = "<script>x</script>[/b]\x1b[31m`|\u202e&\"'\n```\n# [x](http://e.example) www.e.example ]]>"


async def test_hostile_verdicts_stay_inert(tools: Any, world: Any, tmp_path: Path) -> None:
    base = tools.verdicts()[3]
    rule = RuleMatch(
        id=HOSTILE, title=HOSTILE, severity="high", side=HOSTILE, author=HOSTILE, technique=HOSTILE
    )
    payload = Payload(
        source=HOSTILE, path=HOSTILE, text=HOSTILE, bytes=1, decoded=(Layer(codec=HOSTILE, text=HOSTILE),)
    )
    evidence = Evidence(typed=HOSTILE, frame_ms=9000, rows=(5, 5), chain=(4212, 999_999, -1))
    bad = msgspec.structs.replace(
        base,
        argv=(HOSTILE,),
        path=HOSTILE,
        reason=HOSTILE,
        payload=payload,
        rules=(rule,),
        evidence=evidence,
        time=HOSTILE,
    )
    world.verdicts = [bad]
    for width in (80, 120, 200):
        app = tools.app(world, recording=PATH)
        async with app.run_test(size=(width, 40), notifications=True) as pilot:
            screen = await opened(tools, pilot)
            await pilot.press("n", *(["enter"] if width == 80 else []))
            await pilot.pause()
            drawn = "".join(strip.text for strip in screen._compositor.render_strips())
            assert not any(character in drawn for character in "\x1b\x07\u202e\r")
            assert "<script>" in drawn
    await _report(tools, world, tmp_path)
    html = (tmp_path / "h.html").read_text()
    assert "<script" not in html and "\x1b" not in html and "\u202e" not in html and 'src="' not in html
    markdown = (tmp_path / "h.md").read_text()
    outside = [part for part in markdown.split("````text") if part]
    assert "\x1b" not in markdown and "\u202e" not in markdown
    assert "<script>" not in outside[0] and "\\<script\\>" in markdown


async def _report(tools: Any, world: Any, folder: Path) -> None:
    app = tools.app(world, recording=PATH)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        await pilot.press("x")
        screen.query_one("#export", Prompt).open(str(folder / "h"))
        await pilot.press("enter")
        await tools.until(pilot, lambda: not screen.model.exporting)


async def test_a_live_verdict_shows_without_waiting(tools: Any, world: Any) -> None:
    reader = tools.reader([tools.story()], state="live")
    world.listed, world.verdicts = [], []
    world.readers[str(PATH)] = lambda: reader
    app = tools.app(world, recording=PATH)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        reader.slices.append(Slice(tuple(tools.command(70000, 5000, 1, "whoami")), ()))
        await tools.until(pilot, lambda: summary(screen) == "whoami")
        assert not any("U!!" in line for line in lines(screen))
        found = tools.verdict(70000, 5000, "unseen", "high", "whoami")
        Reporter(lambda news: screen.post_message(SessionScreen.Found(news, _Slots()))).add(found)
        reporter = Reporter(lambda news: screen.post_message(SessionScreen.Found(news, _Slots())))
        reporter.add(found)
        reporter.flush(level=True)
        await tools.until(pilot, lambda: any("U!!" in line for line in lines(screen)))


class _Slots:
    def release(self) -> None:
        """Nobody waits."""


# What is kept, and what the recording can be trusted to hold.


async def test_the_certificate_opens_and_closes(tools: Any, world: Any) -> None:
    hooks = ", ".join(f"sys_exit_{n:03}" for n in range(60))
    world.certificate = (hooks, "Lost: 312 (ring full).", "The terminal did not show 2 commands.")
    app = tools.app(
        world, recording=PATH, seal=lambda path: Seal("intact", "Seal: intact.", "The seal is signed.")
    )
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(tools, pilot)
        await pilot.press("c")
        assert isinstance(app.screen, CertificateScreen)
        text = str(app.screen.query_one("#certificate-text", Static).content)
        assert "Lost: 312 (ring full)." in text and "did not show 2" in text and hooks in text
        assert "so far" not in text
        shown = app.screen.query_one("#certificate-text", Static)
        await tools.until(pilot, lambda: "Seal: intact." in str(shown.content))
        assert "The seal is signed." in str(shown.content)
        await pilot.press("escape")
        assert app.screen is screen


async def test_older_verdicts_are_said_to_be_judged_anew(tools: Any, world: Any) -> None:
    old = msgspec.structs.replace(tools.summaries()[2], divergences=3, worst="high", judged_by=VERSION - 1)
    assert worst(old, 11)[0] == "↻high 3"
    assert worst(msgspec.structs.replace(old, judged_by=VERSION), 11)[0] == "high 3"
    model = SessionModel()
    model.analysing = True
    assert "older verdicts, judging anew" in verdict_parts(model, anew=True)[0][0]
    assert "analysing" in verdict_parts(model)[0][0]


def test_the_analysis_certifies_and_sums_up(tools: Any) -> None:
    pieces = [tools.story()]
    reports: list[Judged] = []

    class Scripted:
        clock = 0

        def feed(self, events: Any, output: Any) -> list[Any]:
            return list(tools.verdicts())

        def finish(self) -> list[Any]:
            return []

    source = Source(lambda _: pieces.pop(0) if pieces else Slice((), ()), lambda: "ended")
    reporter = judge(source, cast("Any", Scripted()), reports.append, Stop(), lambda: 0.0)
    said = next(each.certificate for each in reports if each.certificate)
    assert "Lost: 312 (ring full)." in said and "The terminal did not show 2 commands." in said
    assert reporter.summary(7, complete=True) == VerdictSummary(7, "critical", 2, complete=True)


def test_a_summary_is_kept_in_a_store_only(tmp_path: Path) -> None:
    inside, outside = tmp_path / "log/node/sessions/default/a.index", tmp_path / "x/y/z/a.index"
    for index in (inside, outside):
        verdicts_path(index).parent.mkdir(parents=True)
        keep_verdicts(index, VerdictSummary(1, "low", 1, complete=True))
    assert read_verdicts(verdicts_path(inside)) == VerdictSummary(1, "low", 1, complete=True)
    assert not verdicts_path(outside).exists()
