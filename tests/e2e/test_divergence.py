"""The three cases of the mission, typed over ssh: judged while the session lives, and the same afterwards."""

from __future__ import annotations

import base64
import json
import threading
from pathlib import Path

import pytest

from esr_tui.cli.divergence import verdicts
from esr_tui.divergence.analysis import Analysis
from esr_tui.divergence.rules import RuleSet
from esr_tui.exchange.exporting import Export, write
from esr_tui.exchange.locate import resolve
from esr_tui.model.verdict import Verdict
from tests.e2e.capturing import Capture, Recording
from tests.e2e.listening import Listener
from tests.e2e.server import Sshd
from tests.e2e.waiting import until

_PACE_S = 0.4
"""A person's pause between two lines."""


def logged(recorder: Capture, sid: str) -> dict[tuple[str, ...], dict[str, object]]:
    """What the audit log says of a session's divergences, by argv."""
    text = (recorder.data_dir / "log" / "events.log").read_text()
    lines = (json.loads(line) for line in text.splitlines())
    return {tuple(e["argv"]): e for e in lines if e["event"] == "session.divergence" and e["sid"] == sid}


def analysed(recording: Recording, piece: int) -> dict[int, Verdict]:
    """The verdicts of a recording that is fed to the analysis in pieces of so many events and outputs."""
    analysis = Analysis(RuleSet.load(builtin=True, folders=()))
    items = sorted([*recording.events, *recording.pieces], key=lambda item: item.ms)
    found: list[Verdict] = []
    for at in range(0, len(items), piece):
        part = items[at : at + piece]
        found += analysis.feed(
            [i for i in part if hasattr(i, "ei")], [i for i in part if not hasattr(i, "ei")]
        )
    return {verdict.ei: verdict for verdict in (*found, *analysis.finish())}


@pytest.fixture(scope="module")
def judged(recorder: Capture, sshd: Sshd) -> tuple[Recording, dict[tuple[str, ...], dict[str, object]], str]:
    """A session with the three cases, and what the audit log said of it while it lived."""
    before = [each.sid for each in recorder.sessions(sshd.account.name)]
    sshd.account.write("upload.sh", "#!/bin/sh\nuname -m\n", 0o755)
    with Listener() as listener, sshd.login() as client:
        (recording,) = recorder.new(sshd.account.name, before)
        address = f"http://127.0.0.1:{listener.port}/"
        hidden = base64.b64encode(f"curl -s {address}\n".encode()).decode()
        client.run(f"echo {hidden} | base64 --decode | sh")
        client.run("./upload.sh")
        for line in ("stty -echo", "id -un > unseen.txt", "stty echo"):
            threading.Event().wait(_PACE_S)
            client.type(f"{line}\n")
            client.expect(rb"esr-test\$ ")
        until(lambda: ("id", "-un") in logged(recorder, recording.sid), "the verdict on the unseen command")
        found = logged(recorder, recording.sid)
        until(lambda: recorder.summary(recording.sid).worst == "high", "the worst verdict in the list")
        client.type("exit\n")
        client.ended()
    return recording.ended(), found, address


def test_obfuscation_is_piped_and_its_payload_told(judged: tuple) -> None:
    recording, found, address = judged
    event = found["curl", "-s", address]
    assert (event["verdict"], event["severity"]) == ("piped", "high")
    assert address not in str(event["typed"])
    verdict = next(v for v in analysed(recording, 1000).values() if v.argv[0] == "curl")
    assert verdict.payload is not None
    assert verdict.payload.text == f"curl -s {address}\n"
    assert verdict.evidence.typed == event["typed"]


def test_a_script_is_scripted_with_its_text(judged: tuple) -> None:
    recording, _, _ = judged
    verdict = next(v for v in analysed(recording, 1000).values() if v.argv == ("uname", "-m"))
    assert verdict.verdict == "scripted"
    assert verdict.payload is not None
    assert verdict.payload.text == "#!/bin/sh\nuname -m\n"
    assert verdict.evidence.typed == "./upload.sh"


def test_a_command_typed_without_echo_is_unseen(judged: tuple) -> None:
    _, found, _ = judged
    assert (found["id", "-un"]["verdict"], found["id", "-un"]["severity"]) == ("unseen", "high")


def test_the_verdicts_do_not_depend_on_how_the_recording_comes(judged: tuple) -> None:
    recording, _, _ = judged
    whole = analysed(recording, 10**9)
    assert whole
    for piece in (1, 7, 100):
        assert analysed(recording, piece) == whole


def test_the_verdicts_are_the_same_live_afterwards_and_after_export_and_import(
    judged: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording, live, _ = judged
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out = tmp_path / "session.jsonl"
    write(Export(index=recording.index, format="jsonl"), out, force=False)
    copied = resolve(str(out), tmp_path / "no-store")
    afterwards, certificate = verdicts(recording.index, ())
    assert verdicts(copied, ()) == (afterwards, certificate)
    for argv, event in live.items():
        found = next(each for each in afterwards if each.argv == argv and each.pid == event["pid"])
        assert (found.verdict, found.severity, found.evidence.typed) == (
            event["verdict"],
            event["severity"],
            event["typed"],
        )


def test_what_was_typed_openly_is_shown(judged: tuple) -> None:
    recording, _, _ = judged
    verdict = next(v for v in analysed(recording, 1000).values() if v.argv == ("base64", "--decode"))
    assert (verdict.verdict, Path(verdict.path).name) == ("shown", "base64")
