"""What is said of a recording as a whole."""

from __future__ import annotations

import pytest

from esr_tui.divergence.certificate import Witness
from esr_tui.model.events import Command, Event, Gap, SessionEnd, SessionStart
from esr_tui.model.verdict import Evidence, Verdict

CLEAN = "Nothing was lost, and nothing hidden was found."


def event(kind: type[Event], **fields: object) -> Event:
    """An event with what it must have."""
    return kind(code="", time="", uid="", ei=0, sid="s", **fields)  # type: ignore[arg-type]


def verdict(name: str) -> Verdict:
    """A verdict of that name."""
    return Verdict(
        ms=0, time="", pid=1, ppid=0, path="/bin/id", argv=("id",), verdict=name, severity="info", reason="",
        evidence=Evidence(),
    )  # fmt: skip


def sentences(*events: Event, verdicts: tuple[Verdict, ...] = ()) -> list[str]:
    """What the certificate of these events says."""
    witness = Witness()
    witness.feed(events)
    return witness.certificate(verdicts).sentences()


START, END = event(SessionStart), event(SessionEnd, enhanced_recording=True)


def test_a_whole_recording_without_hidden_commands_is_called_clean() -> None:
    assert sentences(START, event(Command), END, verdicts=(verdict("shown"), verdict("implied"))) == [CLEAN]


@pytest.mark.parametrize(
    "against",
    [
        (event(SessionStart, joined_late=True), END),
        (START, event(Gap, cause="ring_full", count=3), END),
        (START, event(Gap, cause="recorder_stopped", count=None), END),
        (START, event(Gap, cause="io_uring"), END),
        (START, event(Command, argv_unreadable=True), END),
        (START, event(SessionEnd, enhanced_recording=False)),
        (START,),
        (END,),
    ],
)
def test_what_was_lost_or_never_seen_is_never_called_clean(against: tuple[Event, ...]) -> None:
    assert CLEAN not in sentences(*against)
    assert not any("Nothing was lost" in sentence for sentence in sentences(*against))


def test_hidden_commands_are_counted() -> None:
    said = sentences(START, END, verdicts=(verdict("piped"), verdict("unseen"), verdict("shown")))
    assert said == ["The terminal did not show 2 commands.", "Nothing was lost."]
