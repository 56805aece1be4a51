"""The wall clock is set while a session is recorded: only ever inside a guest, whose clock is nobody else's."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from login import LoginServer, until
from recorder import Recorder, whole

from esr_tui.model.events import AnyEvent, Command, Gap

STEPS_S = (3600, -7200)
_SCRIPT = "/bin/true 0; for n in 1 2; do read x; /bin/true $n; done; echo over"


def stepped(server: LoginServer, recorder: Recorder, patience: float) -> list[str]:
    """Sets the clock ahead and back during a session; what does not hold of its recording, as sentences."""
    known = {each.sid for each in recorder.sessions()}
    with subprocess.Popen(
        server.ssh("-tt", command=_SCRIPT), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as client:
        assert client.stdin
        until(lambda: bool({each.sid for each in recorder.sessions()} - known), "a second session", patience)
        (session,) = (each for each in recorder.sessions() if each.sid not in known)
        for number, step in enumerate(STEPS_S, 1):
            until(
                lambda at=number: marks(events_of(session.recording))[at - 1 :] == [str(at - 1)],
                "a mark",
                patience,
            )
            time.clock_settime(time.CLOCK_REALTIME, time.time() + step)
            until(
                lambda at=number: len(told(events_of(session.recording))) == at,
                "the step to be told",
                patience,
            )
            client.stdin.write(b"\n")
            client.stdin.flush()
        shown = client.communicate(timeout=patience)[0]
    time.clock_settime(time.CLOCK_REALTIME, time.time() - sum(STEPS_S))
    summary = recorder.ended(session.sid)
    events, stream = whole(Path(summary.recording))
    facts = {
        f"commands {marks(events)}": marks(events) == ["0", "1", "2"],
        "events are out of order": [each.ktime for each in events] == sorted(each.ktime for each in events),
        "times are out of order": [each.time for each in events] == sorted(each.time for each in events),
        f"it lasted {summary.duration_ms} ms": 0 < summary.duration_ms < patience * 1000,
        f"{len(stream)} of {len(shown)} bytes": stream == shown,
        f"told: {told(events)}": [each.split(" was set ")[-1].split(".")[0] for each in told(events)]
        == [str(abs(step)) for step in STEPS_S],
        "other gaps": all(each.cause == "clock_stepped" for each in events if isinstance(each, Gap)),
    }
    return [f"a clock that is set: {what}" for what, holds in facts.items() if not holds]


def events_of(recording: str) -> list[AnyEvent]:
    """What is there now."""
    return whole(Path(recording))[0]


def marks(events: list[AnyEvent]) -> list[str]:
    """Arguments of /bin/true, by which the session marks places."""
    return [each.argv[1] for each in events if isinstance(each, Command) and each.argv[:1] == ["/bin/true"]]


def told(events: list[AnyEvent]) -> list[str]:
    """What is said of steps of the clock."""
    return [each.detail for each in events if isinstance(each, Gap) and each.cause == "clock_stepped"]
