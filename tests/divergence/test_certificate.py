"""What is said of a recording as a whole: each sentence, and that "nothing hidden" is said only when it holds."""

from __future__ import annotations

import msgspec
import pytest

from esr_tui.divergence.certificate import NEEDED, Witness, unseen
from esr_tui.model.events import Command, Disk, Escape, Event, Gap, SessionEnd, SessionStart
from esr_tui.model.verdict import Evidence, Payload, Verdict

CLEAN = "Nothing was lost, and nothing hidden was found."
HOOKS = [*NEEDED, "sys_exit_chmod"]
WATCHED = f"{len(HOOKS)} kernel hooks attached, every one that is needed among them."


def event(kind: type[Event], **fields: object) -> Event:
    """An event with what it must have."""
    return kind(code="", time="", uid="", ei=0, sid="s", **fields)  # type: ignore[arg-type]


def verdict(name: str, payload: Payload | None = None) -> Verdict:
    """A verdict of that name."""
    return Verdict(
        ms=0, time="", pid=1, ppid=0, path="/bin/id", argv=("id",), verdict=name, severity="info", reason="",
        evidence=Evidence(), payload=payload,
    )  # fmt: skip


def sentences(*events: Event, verdicts: tuple[Verdict, ...] = ()) -> list[str]:
    """What the certificate of these events says."""
    witness = Witness()
    witness.feed(events)
    numbered = [msgspec.structs.replace(each, ei=ei) for ei, each in enumerate(verdicts)]
    return witness.certificate(numbered).sentences()


START, END = event(SessionStart, hooks=HOOKS), event(SessionEnd)


def test_a_whole_recording_without_hidden_commands_is_called_clean() -> None:
    said = sentences(START, event(Command), END, verdicts=(verdict("shown"), verdict("implied")))
    assert said == [CLEAN, WATCHED]


@pytest.mark.parametrize(
    ("against", "said"),
    [
        (
            (event(SessionStart, hooks=HOOKS, joined_late=True), END),
            "The session was running before its recording began; what came before was not seen.",
        ),
        ((START, event(Gap, cause="ring_full", count=3), END), "Lost: 3 (ring full)."),
        ((START, event(Gap, cause="queue_full", count=None), END), "Lost: 1 (queue full)."),
        (
            (START, event(Gap, cause="recorder_stopped"), END),
            "The recorder was stopped once while the session lived.",
        ),
        (
            (START, *[event(Gap, cause="recorder_stopped")] * 2, END),
            "The recorder was stopped 2 times while the session lived.",
        ),
        (
            (START, event(Gap, cause="io_uring"), END),
            "1 process used io_uring: files opened through it were not seen.",
        ),
        (
            (START, *[event(Gap, cause="io_uring")] * 2, END),
            "2 processes used io_uring: files opened through it were not seen.",
        ),
        (
            (START, event(Command, argv_unreadable=True), END),
            "The arguments of 1 command could not be read.",
        ),
        (
            (START, event(Command, argv_truncated=True), event(Disk, truncated=True), END),
            "2 command lines or paths too long to be kept whole.",
        ),
        (
            (START, event(SessionEnd, enhanced_recording=False)),
            "Only the terminal was recorded: what the kernel executed is not known.",
        ),
        (
            (event(SessionStart, enhanced_recording=False, recorder="asciicast"), END),
            "Only the terminal was recorded (asciicast): what the kernel executed is not known.",
        ),
        ((START,), "The recording does not hold the session's end."),
        ((END,), "The recording does not say which hooks were attached."),
        ((event(SessionStart), END), "The recording does not say which hooks were attached."),
        (
            (event(SessionStart, hooks=[each for each in HOOKS if each != "sys_exit_ptrace"]), END),
            "Not watched: processes that were traced.",
        ),
    ],
)
def test_what_was_lost_or_never_seen_is_said_and_never_called_clean(
    against: tuple[Event, ...], said: str
) -> None:
    found = sentences(*against)
    assert said in found
    assert not any("Nothing was lost" in sentence for sentence in found)
    assert not any("nothing hidden" in sentence for sentence in found)


def test_hidden_commands_are_counted() -> None:
    said = sentences(START, END, verdicts=(verdict("piped"), verdict("unseen"), verdict("shown")))
    assert said == ["Nothing was lost.", "The terminal did not show 2 commands.", WATCHED]
    assert "The terminal did not show 1 command." in sentences(START, END, verdicts=(verdict("piped"),))


def test_hidden_commands_are_said_where_something_was_lost_too() -> None:
    said = sentences(START, event(Gap, cause="map_full", count=1), END, verdicts=(verdict("piped"),))
    first = ["Something is missing, or was not watched:", "The terminal did not show 1 command."]
    assert said == [*first, "Lost: 1 (map full).", WATCHED]


def test_marks_that_were_left_are_counted_and_nothing_is_lost_by_it() -> None:
    said = sentences(START, event(Escape), event(Escape), END)
    left = "Processes left the session's marks 2 times; they were recorded all the same."
    assert said == [CLEAN, left, WATCHED]


def test_a_session_that_goes_on_is_said_to_be_whole_so_far() -> None:
    assert sentences(START)[:2] == [
        "So far nothing is missing.",
        "The recording does not hold the session's end.",
    ]
    assert sentences(START, event(Gap, cause="io_uring"))[0] == "Something is missing, or was not watched:"


def test_the_hooks_names_are_listed_apart() -> None:
    witness = Witness()
    witness.feed([START, END])
    certificate = witness.certificate()
    assert certificate.listing() == [f"The hooks: {', '.join(HOOKS)}."]
    assert not any(HOOKS[0] in sentence for sentence in certificate.sentences())


def test_how_full_the_rings_were_is_said() -> None:
    said = sentences(START, event(SessionEnd, rings={"command": 1, "disk": 37}))
    assert said[-1] == "Ring buffers at their fullest: command 1 %, disk 37 %."


def test_programs_whose_text_is_missing_or_was_only_found_are_counted() -> None:
    said = sentences(
        START,
        END,
        verdicts=(
            verdict("scripted", Payload(source="file", path="/x")),
            verdict("piped", Payload(source="pipe")),
            verdict("scripted", Payload(source="file", text="id", via="snapshot")),
            verdict("inline", Payload(source="argument")),
            verdict("implied", Payload(source="file")),
        ),
    )
    assert "The program text that led to 2 commands is not on record." in said
    assert (
        "The program text that led to 1 command was found in its file; that it was read was not seen." in said
    )


def test_every_hook_that_is_needed_is_missed() -> None:
    assert unseen(HOOKS) == []
    assert unseen([]) == list(NEEDED.values())


def test_names_in_a_recording_cannot_write_to_the_terminal() -> None:
    said = sentences(
        event(SessionStart, hooks=["\x1b[2J"]),
        event(Gap, cause="\x1b]0;x\x07", count=1),
        event(SessionEnd, rings={"\x1b[1m": 3}),
    )
    assert not any("\x1b" in sentence or "\x07" in sentence for sentence in said)


def test_hooks_at_the_functions_ends_are_as_good() -> None:
    """Where the kernel grants it, each system call is watched where its own function ends."""
    there = [each.replace("sys_exit_", "fexit_") for each in HOOKS]
    assert unseen(there) == []
    assert unseen([each for each in there if each != "fexit_read"]) == [NEEDED["sys_exit_read"]]
