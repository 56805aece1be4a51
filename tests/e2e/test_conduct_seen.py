"""What processes do to their rights, their namespaces and each other: recorded, known by rules, told in verdicts."""

from __future__ import annotations

import os

import pytest

from esr_tui.divergence.analysis import Analysis
from esr_tui.divergence.rules import RuleSet
from esr_tui.model.events import Command, Conduct
from esr_tui.model.verdict import Verdict
from tests.e2e.account import Account
from tests.e2e.capturing import Capture, Recording
from tests.e2e.running import run_command, run_python
from tests.e2e.server import Sshd


def judged(recording: Recording, **fields: object) -> Verdict:
    """The verdict on the one command that has these values."""
    analysis = Analysis(RuleSet.load(builtin=True, folders=()))
    found = [*analysis.feed(recording.events, recording.pieces), *analysis.finish()]
    command = recording.only(Command, return_code=0, **fields)
    return next(verdict for verdict in reversed(found) if verdict.ei == command.ei)


def rules(verdict: Verdict) -> set[str]:
    """The rules that know a command."""
    return {rule.id for rule in verdict.rules}


def python(recording: Recording) -> Verdict:
    """The verdict on the session's Python."""
    return judged(recording, argv=["/usr/bin/python3", "-I", "-"])


@pytest.fixture(scope="module")
def tracing(recorder: Capture, sshd: Sshd) -> Recording:
    """A session in which Python traces a stranger's process, and one of its own."""
    return run_python(
        recorder,
        sshd,
        """
        import ctypes, os, subprocess, time
        ptrace = ctypes.CDLL(None, use_errno=True).ptrace
        ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        stranger = int(subprocess.check_output(["sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $!"]))
        own = subprocess.Popen(["sleep", "61"])
        for pid in (stranger, own.pid):
            ptrace(16, pid, None, None)
            os.waitpid(pid, 0)
            for _ in range(50):
                ptrace(7 if _ < 49 else 17, pid, None, None)  # goes on, which is not kept
        os.kill(stranger, 9)
        own.kill()
        print(own.wait())
        """,
    )


def test_tracing_another_process_is_recorded_and_told(tracing: Recording) -> None:
    calls = tracing.all(Conduct, operation="ptrace")
    stranger = tracing.only(Command, argv=["sleep", "60"], return_code=0).pid
    own = tracing.only(Command, argv=["sleep", "61"], return_code=0).pid
    allowed = [call for call in calls if call.return_code == 0]
    # Where the kernel lets a process trace only its children (Yama), the stranger is refused.
    assert [(call.request, call.target) for call in calls] == [("attach", stranger), ("attach", own)]
    verdict = python(tracing)
    strange = any(call.target == stranger for call in allowed)
    assert ("process-taken-hold-of" in rules(verdict)) == strange
    assert (f"It took hold of process {stranger} (attach)." in verdict.evidence.facts) == strange
    assert f"It took hold of its child process {own} (attach)." in verdict.evidence.facts


def test_namespaces_that_are_made_are_recorded_and_told(
    recorder: Capture, sshd: Sshd, sudoer: Account
) -> None:
    recording = run_command(recorder, sshd, "sudo -n unshare --net --uts /bin/true inside")
    made = recording.only(Conduct, operation="unshare")
    assert set(made.namespaces) >= {"net", "uts"}
    verdict = judged(recording, exe="/usr/bin/unshare")
    assert "namespaces-changed" in rules(verdict)
    assert any(fact.startswith("It made namespaces: ") for fact in verdict.evidence.facts)


def test_a_child_in_namespaces_of_its_own_is_recorded(recorder: Capture, sshd: Sshd, sudoer: Account) -> None:
    recording = run_command(
        recorder,
        sshd,
        "sudo -n /usr/bin/python3 -I -c 'import ctypes, os\n"
        "pid = ctypes.CDLL(None).syscall(56, 0x44000000 | 17, 0, 0, 0, 0)\n"
        "os._exit(0) if pid == 0 else os.wait()'",
    )
    made = recording.all(Conduct, operation="clone")
    assert [call.namespaces for call in made] == [["uts", "net"]]


def test_namespaces_that_are_entered_are_recorded_and_told(
    recorder: Capture, sshd: Sshd, sudoer: Account
) -> None:
    recording = run_command(
        recorder, sshd, "sudo -n unshare --net sh -c 'nsenter --net=/proc/$$/ns/net /bin/true inside'"
    )
    assert recording.all(Conduct, operation="setns", return_code=0)
    verdict = judged(recording, exe="/usr/bin/nsenter")
    assert "It entered other namespaces: net." in verdict.evidence.facts
    assert {"namespaces-changed", "namespace-entered"} <= rules(verdict)


def test_ordinary_programs_with_rights_of_their_own_are_left_alone(
    recorder: Capture, sshd: Sshd, sudoer: Account
) -> None:
    recording = run_command(recorder, sshd, "sudo -n true; sudo -n su -c true root; man -w ls; id")
    assert recording.all(Conduct, program="sudo"), "changes of the user are recorded"
    analysis = Analysis(RuleSet.load(builtin=True, folders=()))
    found = [*analysis.feed(recording.events, recording.pieces), *analysis.finish()]
    loud = {"root-by-call", "root-by-setuid-bit", "namespaces-changed", "process-taken-hold-of"}
    assert {rule.id for verdict in found for rule in verdict.rules} & loud == set()


def test_a_shell_with_the_setuid_bit_is_known(recorder: Capture, sshd: Sshd, account: Account) -> None:
    shell = account.home / "rootbash"
    run_command(recorder, sshd, "cp /usr/bin/id rootbash")
    try:
        os.chown(shell, 0, 0)
        shell.chmod(0o4755)
        recording = run_command(recorder, sshd, "./rootbash")
    finally:
        shell.unlink()
    verdict = judged(recording, path=str(shell))
    assert "root-by-setuid-bit" in rules(verdict)
    assert f"It was executed with root's rights by user {account.uid}." in verdict.evidence.facts


def test_variables_and_images_are_told(recorder: Capture, sshd: Sshd) -> None:
    recording = run_python(
        recorder,
        sshd,
        """
        import os, shutil, subprocess
        os.environ |= {"PYTHONSTARTUP": "/nowhere.py", "PATH": ".:/usr/bin:/bin"}
        subprocess.run(["true", "variables"])
        fd = os.memfd_create("hidden")
        os.write(fd, open("/bin/true", "rb").read())
        if not os.fork():
            os.execv(f"/proc/self/fd/{fd}", ["true", "memory"])
        os.wait()
        shutil.copy("/bin/true", "gone")
        fd = os.open("gone", os.O_RDONLY)
        os.unlink("gone")
        os.execv(f"/proc/self/fd/{fd}", ["true", "deleted"])
        """,
    )
    told = {name: judged(recording, argv=["true", name]) for name in ("variables", "memory", "deleted")}
    assert {"PYTHONSTARTUP=/nowhere.py was set.", "PATH=.:/usr/bin:/bin was set."} <= set(
        told["variables"].evidence.facts
    )
    assert "Its image was in memory, not in a file." in told["memory"].evidence.facts
    assert "memfd-executed" in rules(told["memory"])
    assert "Its image was a file that had been deleted." in told["deleted"].evidence.facts
    assert "deleted-image" in rules(told["deleted"])


def test_a_ring_is_told(recorder: Capture, sshd: Sshd) -> None:
    recording = run_python(
        recorder,
        sshd,
        """
        import ctypes
        for _ in range(3):
            print(ctypes.CDLL(None).syscall(425, 8, ctypes.create_string_buffer(256)))
        """,
    )
    rings = recording.all(Conduct, operation="io_uring_setup")
    verdict = python(recording)
    assert len(rings) in (0, 3)  # none where the kernel refuses them
    assert ("io-uring-used" in rules(verdict)) == bool(rings)
    assert any("io_uring" in fact for fact in verdict.evidence.facts) == bool(rings)
