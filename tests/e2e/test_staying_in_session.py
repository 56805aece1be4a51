"""Nothing that a session's processes do takes them out of its recording, and nothing else gets in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from esr_tui.model.events import Command, Escape, Exit, Gap, Resize, SessionEnd, TerminalMode
from tests.e2e.account import Account
from tests.e2e.capturing import Capture, Recording
from tests.e2e.running import run_command, run_python
from tests.e2e.server import Sshd
from tests.e2e.waiting import until


def said(recording: Recording) -> list[str]:
    """Second arguments of /bin/true, by which the tests mark places."""
    return [c.argv[1] for c in recording.all(Command, return_code=0) if c.argv[0] == "/bin/true"]


def test_double_forks_and_new_sessions_stay(recorder: Capture, sshd: Sshd) -> None:
    recording = run_python(
        recorder,
        sshd,
        """
        import os, subprocess
        ready, tell = os.pipe()
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.close(0), os.close(1), os.close(2)
                os.setpgid(0, 0)
                subprocess.run(["/bin/true", "orphan"], stdin=ready, stdout=tell, stderr=tell)
                os.write(tell, b"x")
            os._exit(0)
        os.wait()
        os.read(ready, 1)
        """,
    )
    assert said(recording) == ["orphan"]
    true = recording.command("true")
    assert "lineage" in true.witness
    assert "audit" in true.witness
    assert true.posix_sid != recording.start.leader
    assert recording.all(Escape) == []


def test_what_outlives_the_login_is_recorded_until_it_ends(
    recorder: Capture, sshd: Sshd, account: Account
) -> None:
    fifo = account.home / "go"
    before = [each.sid for each in recorder.sessions(account.name)]
    with sshd.login() as client:
        (recording,) = recorder.new(account.name, before)
        client.run("mkfifo go; nohup sh -c 'read x <go; /bin/true after-logout; exit 5' >/dev/null 2>&1 &")
        client.type("exit\n")
        client.ended()
    (end,) = recording.wait(SessionEnd)
    assert end.lingering == 1
    assert recording.state == "lingering"
    assert recorder.summary(recording.sid).state == "lingering"
    fifo.write_text("now\n")
    recording.ended()
    after = recording.command("true")
    assert (after.argv, after.ktime > end.ktime) == (["/bin/true", "after-logout"], True)
    assert recording.all(Exit, return_code=5)
    assert recorder.summary(recording.sid).state == "ended"


def test_sudo_su_and_nested_shells_stay(recorder: Capture, sshd: Sshd, sudoer: Account) -> None:
    recording = run_command(
        recorder,
        sshd,
        "sudo -n /bin/true as-root; sudo -n su nobody -s /bin/sh -c '/bin/true as-nobody';"
        " bash -c 'bash -c \"/bin/true nested; exit\"; exit'; sudo -n setsid sh -c '/bin/true detached'",
        "-tt",
    )
    assert said(recording) == ["as-root", "as-nobody", "nested", "detached"]
    by_name = {c.argv[1]: c for c in recording.all(Command) if c.argv[0] == "/bin/true"}
    assert (by_name["as-root"].euid, by_name["as-root"].loginuid) == (0, sudoer.uid)
    assert by_name["as-nobody"].euid == 65534
    assert by_name["nested"].euid == sudoer.uid
    assert recording.start.login == sudoer.name


def test_what_runs_in_tmux_stays(recorder: Capture, sshd: Sshd, account: Account) -> None:
    before = [each.sid for each in recorder.sessions(account.name)]
    with sshd.login() as client:
        (recording,) = recorder.new(account.name, before)
        client.type(
            "tmux -L esr-e2e -f /dev/null new 'sh -c \"/bin/true in-tmux; read x; /bin/true still\"'\n"
        )
        recording.wait(Command, argv=["/bin/true", "in-tmux"])
        client.type("\n")
        client.expect(rb"exited")
        client.run("/bin/true out-again")
        client.type("exit\n")
        client.ended()
    recording.ended()
    assert said(recording) == ["in-tmux", "still", "out-again"]
    inside = recording.wait(Command, argv=["/bin/true", "in-tmux"])[0]
    assert inside.tty != recording.start.tty
    assert recording.output == client.received


def test_a_user_who_moves_to_another_cgroup_is_recorded_and_reported(
    recorder: Capture, sshd: Sshd, sudoer: Account
) -> None:
    elsewhere = Path("/cgroup2", f"esr-e2e-{os.getpid()}")
    elsewhere.mkdir()
    os.chown(elsewhere, sudoer.uid, sudoer.gid)
    try:
        before = [each.sid for each in recorder.sessions(sudoer.name)]
        with sshd.login() as client:
            (recording,) = recorder.new(sudoer.name, before)
            until(
                lambda: "cgroup" in _witness(recording, client.run("/bin/true here")), "the session's cgroup"
            )
            client.run(f"echo $$ | sudo -n tee {elsewhere}/cgroup.procs; /bin/true gone")
            client.type("exit\n")
            client.ended()
        recording.ended()
    finally:
        elsewhere.rmdir()
    assert said(recording)[-1] == "gone"
    escape = recording.only(Escape)
    assert (escape.pid, escape.missing) == (recording.start.leader, ["cgroup"])
    assert "lineage" in escape.witness
    gone = recording.only(Command, argv=["/bin/true", "gone"])
    assert "cgroup" not in gone.witness
    assert {"lineage", "audit", "tty"} <= set(gone.witness)
    assert gone.cgroup_id == elsewhere_id(escape, gone)


def cgroup_of(recording: Recording) -> str:
    """The cgroup of the session's first process, as the kernel tells it."""
    lines = Path("/proc", str(recording.start.leader), "cgroup").read_text().splitlines()
    return next(line[3:] for line in lines if line.startswith("0::"))


def _witness(recording: Recording, _shown: bytes) -> list[str]:
    recording.refresh()
    found = recording.all(Command, argv=["/bin/true", "here"])
    return found[-1].witness if found else []


def elsewhere_id(escape: Escape, gone: Command) -> int:
    """The commands that follow are in the cgroup to which the shell moved."""
    assert gone.cgroup_id != escape.cgroup_id
    return gone.cgroup_id


def test_a_cgroup_below_the_sessions_own_is_no_escape(recorder: Capture, sshd: Sshd, sudoer: Account) -> None:
    before = [each.sid for each in recorder.sessions(sudoer.name)]
    with sshd.login() as client:
        (recording,) = recorder.new(sudoer.name, before)
        until(lambda: "cgroup" in _witness(recording, client.run("/bin/true here")), "the session's cgroup")
        own = f"/cgroup2{cgroup_of(recording)}"
        client.run(f"sudo -n mkdir {own}/below; echo $$ | sudo -n tee {own}/below/cgroup.procs")
        client.run("/bin/true below")
        client.type("exit\n")
        client.ended()
    recording.ended()
    assert recording.all(Escape) == []
    assert "cgroup" in recording.only(Command, argv=["/bin/true", "below"]).witness
    until(lambda: not Path(own).exists(), "the session's cgroup to be removed")


def test_the_sessions_cgroup_is_made_and_removed(recorder: Capture, sshd: Sshd, account: Account) -> None:
    before = [each.sid for each in recorder.sessions(account.name)]
    with sshd.login() as client:
        (recording,) = recorder.new(account.name, before)
        until(lambda: cgroup_of(recording) != "/", "the move")
        own = Path(f"/cgroup2{cgroup_of(recording)}")
        assert own.parent == Path("/cgroup2/esr")
        client.type("exit\n")
        client.ended()
    recording.ended()
    until(lambda: not own.exists(), "the cgroup to be removed")
    assert recording.all(Escape) == []


def test_a_process_outside_every_session_causes_no_event(
    recorder: Capture, sshd: Sshd, account: Account
) -> None:
    before = [each.sid for each in recorder.sessions(account.name)]
    with sshd.login() as client:
        (recording,) = recorder.new(account.name, before)
        subprocess.run(["/bin/true", "outsider"], check=True)
        client.run("/bin/true insider")
        client.type("exit\n")
        client.ended()
    recording.ended()
    assert said(recording) == ["insider"]


def test_the_window_follows_the_clients(recorder: Capture, sshd: Sshd, account: Account) -> None:
    before = [each.sid for each in recorder.sessions(account.name)]
    with sshd.login(size=(90, 30)) as client:
        (recording,) = recorder.new(account.name, before)
        client.resize(132, 43)
        recording.wait(Resize, size="132:43")
        client.resize(70, 20)
        recording.wait(Resize, size="70:20")
        client.type("exit\n")
        client.ended()
    recording.ended()
    assert recording.start.size == "90:30"
    assert [event.size for event in recording.all(Resize)] == ["132:43", "70:20"]
    assert recorder.summary(recording.sid).size == "70:20"


def test_echo_switched_off_is_an_event(recorder: Capture, sshd: Sshd, account: Account) -> None:
    before = [each.sid for each in recorder.sessions(account.name)]
    with sshd.login() as client:
        (recording,) = recorder.new(account.name, before)
        client.type("sh -c 'stty -echo; echo hidden-now; read x; stty echo; /bin/true $x'\n")
        client.expect(rb"hidden-now\r\n")
        client.type("secret\n")
        recording.wait(Command, argv=["/bin/true", "secret"])
        client.type("exit\n")
        client.ended()
    recording.ended()
    modes = recording.all(TerminalMode)
    stty = [e for e in modes if e.program == "stty"]
    assert [(e.echo, e.canonical, e.tty) for e in stty] == [
        (False, True, recording.start.tty),
        (True, True, recording.start.tty),
    ]
    assert b"secret" not in recording.output
    assert any(not e.canonical and e.program == "bash" for e in modes), "readline's own mode"
    assert recording.all(Gap) == []
