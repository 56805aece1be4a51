"""The unit under a systemd that runs a machine: run as root inside the guest by run.sh, once a boot.

inside.py first|second|third      a line for each check; at last "passed" or "NOT passed"
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from ailing import AILMENTS
from guest import (
    PATIENCE,
    PROMPT,
    READER,
    STORE,
    USER,
    Loop,
    Recording,
    active,
    checks,
    journal,
    log_in,
    log_in_with_pam,
    log_in_without_pam,
    objects,
    recorder,
    run,
    session,
    unit,
    until,
)  # fmt: skip

_KEPT = "00000080000800c4"
"""CAP_BPF, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_SETUID, CAP_SETGID."""
_UNITS = ("esr.service", "esr-handover.service")


def installed() -> str:
    """The package brings the service up by itself."""
    said = run("apt-get", "install", "-y", "/proof/esr.deb")
    assert active(), said + journal()
    assert unit("esr", "UnitFileState") == "enabled"
    assert re.search(r"session", unit("esr", "StatusText")), "STATUS= came, and READY=1 before it"
    about = STORE.stat()
    assert (about.st_mode & 0o7777, about.st_uid) == (0o2750, 0)
    run("usermod", "-aG", "esr", READER)
    log = journal()
    assert "capturing, store /var/lib/esr" in log
    assert "cgroup" not in log, log
    return f"active by READY=1, {log.count('esr: ')} line of its own in the journal"


def sound_unit() -> str:
    """What systemd itself thinks of the units."""
    said = run("systemd-analyze", "verify", "--man=no", *_UNITS)
    assert not said, said
    score = run("systemd-analyze", "security", "--no-pager", "esr.service").strip().splitlines()[-1]
    return score.lstrip("→ ")


def confined() -> str:
    """The directives that narrow rights are in force for the process that records."""
    status = dict(re.findall(r"^(\w+):\t(.*)$", Path(f"/proc/{recorder()}/status").read_text(), re.MULTILINE))
    assert {status[name] for name in ("CapPrm", "CapEff", "CapBnd")} == {_KEPT}, status
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    limits = Path(f"/proc/{recorder()}/limits").read_text()
    assert re.search(r"Max locked memory\s+unlimited", limits)
    outside, inside = (Path(f"/proc/{pid}/ns/mnt").readlink() for pid in (1, recorder()))
    assert outside != inside, "a view of the file system of its own"
    mounts = Path(f"/proc/{recorder()}/mounts").read_text()
    assert re.search(r"^\S+ / \S+ ro,", mounts, re.MULTILINE), "nothing may be written but the store"
    return (
        f"five capabilities, {status['Seccomp_filters']} filters of system calls, read-only but for the store"
    )


def recorded_whole() -> str:
    """A login over ssh: its bytes, commands, files, connections, and a script that only its user may read."""
    private = Path(f"/home/{USER}/private.sh")
    private.write_text("/bin/true from-script\n")
    private.chmod(0o600)
    run("chown", USER, str(private))
    client = log_in()
    recording = Recording(session())
    client.run("/bin/true typed; sh private.sh; cat /etc/hostname; echo /bin/true piped | sh", PATIENCE)
    client.run("exec 3<>/dev/tcp/127.0.0.1/22; exec 3<&-; seq 1 5000", PATIENCE)
    client.type("exit 5\n")
    assert client.ended(PATIENCE) == 5
    recording.ended()
    assert recording.stream == client.received, (len(recording.stream), len(client.received))
    assert recording.marks() == ["typed", "from-script", "piped"], recording.marks()
    assert "/bin/true from-script\n" in [event["text"] for event in recording.of("session.input")]
    assert any(event["path"] == "/etc/hostname" for event in recording.of("session.disk"))
    assert any(event["dst_port"] == 22 for event in recording.of("session.network"))
    assert recording.gaps() == []
    start = recording.of("session.start")[0]
    assert start["user"] == USER
    assert recording.of("session.end")[0]["return_code"] == 5
    run("esr", "verify", recording.sid)
    return f"{len(recording.stream)} bytes of terminal identical, {len(recording.events)} events, no gap"


def own_cgroup() -> str:
    """A login without PAM has no scope and no audit session: esr gives it a control group, and doctor says so."""
    log_in_without_pam()
    try:
        client = log_in()
        recording = Recording(session())
        leader = recording.of("session.start")[0]["leader"]
        place = Path(f"/proc/{leader}/cgroup")
        until(lambda: f"/esr/{recording.sid}" in place.read_text(), "a control group of its own")
        client.run("/bin/true inside", PATIENCE)
        until(lambda: not checks()["audit"]["ok"], "doctor's word about audit session ids")
        said = checks()["audit"]["detail"]
        client.type("exit\n")
        client.ended(PATIENCE)
        assert recording.ended().marks() == ["inside"]
        until(lambda: not Path(f"/sys/fs/cgroup/esr/{recording.sid}").exists(), "its end")
    finally:
        log_in_with_pam()
    return f"/esr/<sid>; doctor: {said}"


def read_without_root() -> str:
    """A member of group esr looks; a user who is not cannot."""
    status = run("runuser", "-u", READER, "--", "esr", "status")
    assert "running, pid" in status
    found = objects("runuser", "-u", READER, "--", "esr", "doctor")
    assert all(each["ok"] for each in found), [each for each in found if not each["ok"]]
    assert USER in run("runuser", "-u", READER, "--", "esr", "sessions")
    refused = subprocess.run(
        ["runuser", "-u", USER, "--", "esr", "sessions"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "Traceback" not in refused.stderr
    assert USER not in refused.stdout, refused.stdout
    return f"{len(found)} checks, all well, without root; nothing for others"


def started_before_logins() -> str:
    """At boot nobody can log in before the recorder is ready."""
    until(active, "the service after the boot")
    ready, ssh = (int(unit(name, "ActiveEnterTimestampMonotonic")) for name in ("esr", "ssh"))
    began = int(unit("ssh", "ExecMainStartTimestampMonotonic"))
    assert 0 < ready < began <= ssh, (ready, began, ssh)
    live = [each["sid"] for each in objects("esr", "sessions") if each["state"] == "live"]
    assert not live, "what was recorded when the machine went down has ended"
    run("esr", "verify", "--all", status=None)
    return f"ready {(began - ready) / 1e6:.1f} s before sshd was started"


def reloaded() -> str:
    """Configurations come and go, a bad one among them, while somebody works."""
    config = Path("/etc/esr/esr.yaml")
    loop, pid = Loop(), recorder()
    said = []
    for text in ("interpreter_input: 4096\n", '"interpr\\e[31met\\u009b": 1\n', "interpreter_input: 8192\n"):
        config.write_text(text)
        before = journal().count("esr[")
        run("systemctl", "reload", "esr")
        until(lambda before=before: journal().count("esr[") != before or None, "a line about the reload", 60)
        loop.goes_on()
    config.unlink()
    said = re.findall(r"esr: (.*)", journal())
    recording = loop.end()
    assert recording.marks() == [f"loop-{n + 1}" for n in range(loop.count)]
    assert recording.gaps() == []
    assert recorder() == pid
    assert unit("esr", "NRestarts") == "0"
    return f"{loop.count} commands, no gap; journal: {said[-2][:120]}"


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


def plain_journal() -> str:
    """Nothing in the journal acts on a terminal: every message is text, without escape bytes."""
    lines = [json.loads(each) for each in run("journalctl", "-u", "esr", "-o", "json").splitlines()]
    messages = [each["MESSAGE"] for each in lines]
    assert all(isinstance(each, str) and each.isprintable() for each in messages), messages
    assert any("interpr" in each and "31m" in each for each in messages), "the bad configuration was named"
    return f"{len(messages)} messages of two boots"


def purged() -> str:
    """The package goes; recordings, their group, and the login stay."""
    client = log_in()
    session()
    run("apt-get", "purge", "-y", "esr")
    assert unit("esr", "LoadState") in ("not-found", "masked")
    assert not list(Path("/etc/systemd/system").rglob("esr*")), "no link to it is left"
    assert (STORE / "node").is_file()
    run("getent", "group", "esr")
    assert not Path("/usr/bin/esr").exists() and not Path("/usr/lib/esr").exists()
    client.run("/bin/true still-here", PATIENCE)
    client.type("exit\n")
    client.ended(PATIENCE)
    return "recordings and group are kept, the login goes on"


def installed_by_hand() -> str:
    """`esr install` from a place of one's own, and `esr uninstall`."""
    run("dpkg", "-x", "/proof/esr.deb", "/opt/esr")
    program = Path("/opt/esr/usr/bin/esr")
    program.write_text(program.read_text().replace("/usr/lib/esr", "/opt/esr/usr/lib/esr", 1))
    own = str(program)
    run(own, "install")
    assert active(), journal()
    assert unit("esr", "FragmentPath") == "/etc/systemd/system/esr.service"
    assert "nothing to do" not in run(own, "install"), "it hands over to itself"
    assert active(), journal()
    run("systemd-analyze", "verify", "--man=no", *_UNITS)
    said = run(own, "uninstall")
    assert "kept: /var/lib/esr" in said, said
    assert unit("esr", "LoadState") == "not-found"
    assert (STORE / "node").is_file()
    run(own, "uninstall", "--purge")
    assert not STORE.exists() and not Path("/etc/esr").exists()
    run("getent", "group", "esr", status=2)
    return "started, handed over to itself, removed; --purge leaves nothing"


def refused() -> str:
    """A kernel that grants nothing (lockdown=confidentiality): the package installs, logins work, the mend is said."""
    run("apt-get", "install", "-y", "/proof/esr.deb")
    assert unit("esr", "ActiveState") != "active"
    check = checks()["lockdown"]
    assert not check["ok"], check
    assert check["mend"] in journal(), journal()
    client = log_in()
    client.type("exit\n")
    assert client.ended(PATIENCE) == 0
    return f"{check['detail']} | mend: {check['mend']}"


def only_gap(recording: Recording) -> str:
    """The one gap of a recording."""
    gaps = recording.gaps()
    assert len(gaps) == 1, gaps
    return gaps[0]


FIRST = (installed, sound_unit, confined, recorded_whole, own_cgroup, read_without_root)
SECOND = (
    started_before_logins, recorded_whole, reloaded, killed, hung, stopped, upgraded, plain_journal,
    *AILMENTS, purged, installed_by_hand,
)  # fmt: skip


THIRD = (refused,)
PHASES = {"first": FIRST, "second": SECOND, "third": THIRD}


def prepare() -> None:
    """Users, and a key that opens their accounts."""
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/key")
    for user in (USER, READER):
        run("useradd", "--create-home", "--shell", "/bin/bash", user)
        home = Path("/home") / user
        (home / ".ssh").mkdir()
        (home / ".ssh/authorized_keys").write_text(Path("/root/key.pub").read_text())
        (home / ".bashrc").write_text(f"PS1='{PROMPT.decode().replace(chr(92), '')}'\n")
        (home / ".hushlogin").touch()
        run("chown", "-R", f"{user}:", str(home))


def attempt(check: Callable[[], str]) -> bool:
    """Whether a check holds; what it found is printed."""
    began = time.monotonic()
    name = check.__name__.replace("_", " ")
    try:
        found = check()
    except (
        AssertionError,
        OSError,
        LookupError,
        ValueError,
        subprocess.SubprocessError,
    ):  # the others are made, too
        print(
            f"FAILED: {name} ({time.monotonic() - began:.0f} s): {traceback.format_exc(limit=-3)}", flush=True
        )
        print(journal(), flush=True)
        return False
    print(f"ok: {name} ({time.monotonic() - began:.0f} s): {found}", flush=True)
    return True


def main(phase: str, *names: str) -> int:
    """All checks of a boot, or those that are named."""
    if phase == "first" and not Path("/root/key").exists():
        prepare()
    wanted = [each for each in PHASES[phase] if not names or each.__name__ in names]
    results = [attempt(check) for check in wanted]
    print(
        f"{'passed' if all(results) else 'NOT passed'}: {phase} boot, {sum(results)} of {len(results)} checks",
        flush=True,
    )
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
