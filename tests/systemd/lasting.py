"""A login that lasts while the recorder is reloaded, killed, hung, stopped and upgraded."""

from __future__ import annotations

import os
import re
import signal
import time
from functools import partial
from pathlib import Path

from guest import Loop, Recording, active, checks, journal, recorder, run, unit, until

_SAID = re.compile(r"esr\[\d+\]: esr: (.*)")


def _said_more(count: int) -> bool:
    return len(_SAID.findall(journal())) > count


def reloaded() -> str:
    """Configurations come and go, a bad one among them, while somebody works."""
    config = Path("/etc/esr/esr.yaml")
    loop, pid = Loop(), recorder()
    for text in ("interpreter_input: 4096\n", '"interpr\\e[31met\\u009b": 1\n', "interpreter_input: 8192\n"):
        config.write_text(text)
        before = len(_SAID.findall(journal()))
        run("systemctl", "reload", "esr")
        until(partial(_said_more, before), "a line about the reload")
        loop.goes_on()
    config.unlink()
    said = _SAID.findall(journal())
    recording = loop.end()
    assert recording.marks() == [f"loop-{n + 1}" for n in range(loop.count)]
    assert recording.gaps() == []
    assert recorder() == pid
    assert unit("esr", "NRestarts") == "0"
    return f"{loop.count} commands, no gap; journal: {said[-2][:160]}"


def killed() -> str:
    """kill -9: systemd starts it again, the session goes on in the same recording, with a gap that says why."""
    loop, pid = Loop(), recorder()
    os.kill(pid, signal.SIGKILL)
    until(lambda: active() and recorder() != pid, "the service after the kill")
    restarts = unit("esr", "NRestarts")
    loop.goes_on()
    recording = loop.end()
    gap = only_gap(recording)
    assert "had ended without a word" in gap, gap
    assert restarts == "1"
    assert recording.marks()[-1] == f"loop-{loop.count}"
    return gap


def hung() -> str:
    """A recorder that stands still: the watchdog ends it."""
    loop, pid = Loop(), recorder()
    began = time.monotonic()
    os.kill(pid, signal.SIGSTOP)
    until(lambda: active() and recorder() != pid, "the service after the watchdog")
    took = time.monotonic() - began
    loop.goes_on()
    gap = only_gap(loop.end())
    log = journal()
    assert "Watchdog timeout" in log, log
    assert re.search(r"watchdog", log.rpartition("Watchdog timeout")[2]), log
    return f"recording again after {took:.0f} s; {gap}"


def stopped() -> str:
    """`systemctl stop`: the gap says that it was stopped, and the journal that it was in order."""
    loop = Loop()
    run("systemctl", "stop", "esr")
    assert unit("esr", "Result") == "success"
    assert not unit("esr", "MainPID").strip("0")
    assert loop.client.process.poll() is None, "the login goes on"
    check = checks()["capture"]
    assert not check["ok"]
    run("systemctl", "start", "esr")
    loop.goes_on()
    gap = only_gap(loop.end())
    assert "had been stopped" in gap, gap
    return f"{gap}; doctor: {check['detail']}, mend: {check['mend']}"


def upgraded() -> str:
    """A newer package: the new recorder takes over, nothing is lost, nothing is recorded twice."""
    loop, pid = Loop(), recorder()
    run("apt-get", "install", "-y", "/proof/newer.deb")
    assert active(), journal()
    assert recorder() != pid
    assert unit("esr-handover", "ActiveState") == "inactive"
    loop.goes_on()
    recording = loop.end()
    assert recording.marks() == [f"loop-{n + 1}" for n in range(loop.count)]
    assert [gap for gap in recording.gaps() if not gap.startswith("takeover:")] == []
    return f"{loop.count} commands, each once; {re.findall(r'took over.*', journal())[-1][:120]}"


def only_gap(recording: Recording) -> str:
    """The one gap of a recording."""
    gaps = recording.gaps()
    assert len(gaps) == 1, gaps
    return gaps[0]


LASTING = (reloaded, killed, hung, stopped, upgraded)
