"""The unit under a systemd that runs a machine: run as root inside the guest by run.sh, once a boot.

inside.py first|second      a line for each check; at last "passed" or "NOT passed"
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from ailing import AILMENTS, AS_READER
from guest import (
    PATIENCE,
    PROMPT,
    READER,
    STORE,
    USER,
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
from lasting import LASTING

_KEPT = "00000080000800c4"
"""CAP_BPF, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_SETUID, CAP_SETGID."""
_UNITS = ("esr.service", "esr-handover.service")


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
    status = run(*AS_READER, "esr", "status")
    assert "running, pid" in status
    found = objects(*AS_READER, "esr", "doctor")
    assert all(each["ok"] for each in found), [each for each in found if not each["ok"]]
    assert USER in run(*AS_READER, "esr", "sessions")
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


def started_at_boot() -> str:
    """By what the package enabled when it was installed; nobody can log in before the recorder is ready."""
    until(active, "the service after the boot")
    assert unit("esr", "UnitFileState") == "enabled"
    assert "session" in unit("esr", "StatusText"), "told by STATUS="
    ready = int(unit("esr", "ActiveEnterTimestampMonotonic"))
    began = int(unit("ssh", "ExecMainStartTimestampMonotonic"))
    assert 0 < ready < began, (ready, began)
    about = STORE.stat()
    assert (about.st_mode & 0o7777, about.st_uid) == (0o2750, 0)
    log = journal()
    assert "capturing, store /var/lib/esr" in log
    assert "cgroup" not in log, log
    return f"active by READY=1, {(began - ready) / 1e6:.1f} s before sshd was started"


def plain_journal() -> str:
    """Nothing in the journal acts on a terminal: every message is text, without escape bytes."""
    lines = [json.loads(each) for each in run("journalctl", "-u", "esr", "-o", "json").splitlines()]
    messages = [each["MESSAGE"] for each in lines]
    assert all(isinstance(each, str) and each.isprintable() for each in messages), messages
    assert any("interpr" in each and "31m" in each for each in messages), "the bad configuration was named"
    return f"{len(messages)} messages "


def purged() -> str:
    """The package goes; recordings, their group, and the login stay."""
    client = log_in()
    session()
    run("apt-get", "purge", "-y", "esr")
    assert unit("esr", "LoadState") in ("not-found", "masked")
    links = Path("/etc/systemd/system").rglob("esr*.service")
    assert not list(links), "no link to it is left"
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
    run(own, "install", "--no-start")
    run("systemctl", "start", "esr")
    assert active(), journal()
    assert unit("esr", "FragmentPath") == "/etc/systemd/system/esr.service"
    run("systemd-analyze", "verify", "--man=no", *_UNITS)
    said = run(own, "uninstall")
    assert "kept: /var/lib/esr" in said, said
    assert unit("esr", "LoadState") == "not-found"
    assert (STORE / "node").is_file()
    run(own, "uninstall", "--purge")
    assert not STORE.exists() and not Path("/etc/esr").exists()
    run("getent", "group", "esr", status=2)
    return "started, removed; --purge leaves nothing"


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


FIRST = (
    started_at_boot, sound_unit, confined, recorded_whole, read_without_root, *LASTING, plain_journal, own_cgroup,
    *AILMENTS, purged, installed_by_hand,
)  # fmt: skip
SECOND = (refused,)
PHASES = {"first": FIRST, "second": SECOND}


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
    run("usermod", "-p", "*", USER)  # no password, but not locked: sshd without PAM asks for that
    run("usermod", "-aG", "esr", READER)


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
