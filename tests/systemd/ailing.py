"""What `esr doctor` is to find, each caused for real and mended as it says."""

from __future__ import annotations

import os
import re
import shutil
import signal
from pathlib import Path
from typing import Any

from debugger import close_in
from guest import PATIENCE, READER, Recording, active, checks, journal, log_in, recorder, run, session, until

_CONFIG = Path("/etc/esr/esr.yaml")
_STRANGE = "/usr/local/sbin/strange"
AS_READER = ("runuser", "-u", READER, "--")
_BCC = Path("/usr/lib/python3/dist-packages/bcc")


def found(name: str, *argv: str) -> dict[str, Any]:
    """A check of doctor that is to fail, waited for; `argv` goes before it on the command line."""

    def look() -> dict[str, Any] | None:
        check = checks(*argv)[name]
        return None if check["ok"] else check

    return until(look, f"doctor's word about {name}")


def told(check: dict[str, Any]) -> str:
    """What it said, in one line."""
    return f"{check['detail']} | mend: {check['mend']}"


def started_again() -> None:
    """The service, with whatever the configuration is now."""
    run("systemctl", "restart", "esr")
    assert active(), journal()


def tracefs_unmounted() -> str:
    """Capture does without: the next check starts it anew. Doctor tells."""
    for place in ("/sys/kernel/tracing", "/sys/kernel/debug/tracing", "/sys/kernel/debug"):
        run("umount", place, status=None)
    return told(found("tracefs"))


def btf_missing() -> str:
    """Hidden in a view of the file system of doctor's own."""
    hide = 'mount -t tmpfs none /sys/kernel/btf && exec "$@"'
    return told(found("btf", "unshare", "--mount", "sh", "-c", hide, "sh"))


def bcc_missing() -> str:
    """Taken away; the recorder that runs has loaded what it needs, the next one says what is missing."""
    shutil.move(_BCC, "/root/bcc")
    try:
        check = found("bcc")
        refused = run("esr", "capture", "--data-dir", "/tmp/none", status=1)
    finally:
        shutil.move("/root/bcc", _BCC)
    assert not refused
    return told(check)


def disk_low() -> str:
    """A store on a file system with little room."""
    Path("/run/small").mkdir(exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", "size=50M", "none", "/run/small")
    try:
        said = checks(options=("--data-dir", "/run/small/esr"))["store"]
    finally:
        run("umount", "/run/small")
    assert not said["ok"]
    return told(said)


def sshd_not_matched() -> str:
    """And, mended as doctor says, its logins are recorded."""
    run("systemctl", "stop", "ssh")
    shutil.copy("/usr/sbin/sshd", _STRANGE)
    Path("/run/sshd").mkdir(exist_ok=True)
    run("systemd-run", "--unit", "strange", _STRANGE, "-D")
    check = found("logins")
    names = re.match(r"(login_daemons: \[[^]]*strange\]) in /etc/esr/esr.yaml", check["mend"])
    assert names, check
    _CONFIG.write_text(f"{names[1]}\nenhanced_recording: {{disk_buffer_size: 16}}\n")
    Path("/sys/kernel/security/lockdown").write_text("integrity")
    started_again()
    assert checks(*AS_READER)["logins"]["ok"]
    client = log_in()
    recording = Recording(session())
    client.run("/bin/true by-another-door", PATIENCE)
    client.type("exit\n")
    client.ended(PATIENCE)
    assert recording.ended().marks() == ["by-another-door"]
    assert recording.stream == client.received
    return told(check)


def locked_down() -> str:
    """lockdown=integrity, since the last check: everything goes on. It cannot be taken back before the next boot."""
    check = checks(*AS_READER)["lockdown"]
    assert (check["ok"], check["detail"]) == (True, "integrity"), check
    return f"{check['detail']}: the last login was recorded whole"


def rings_too_small() -> str:
    """A small ring, a recorder that stands still, and thousands of opens."""
    client = log_in()
    recording = Recording(session())
    os.kill(recorder(), signal.SIGSTOP)
    client.run("for i in $(seq 2000); do : </etc/hostname; : </tmp/none-$i; done 2>/dev/null", PATIENCE)
    os.kill(recorder(), signal.SIGCONT)
    check = found("rings")
    client.type("exit\n")
    client.ended(PATIENCE)
    assert any(gap.startswith("ring_full") for gap in recording.ended().gaps())
    assert "disk_buffer_size: 32" in check["mend"], check
    return told(check)


def hooks_detached() -> str:
    """Somebody closes the descriptors of programs in the recorder, with a debugger. All is mended by a restart."""
    run("systemctl", "stop", "strange")
    run("systemctl", "start", "ssh")
    client = log_in()
    recording = Recording(session())
    pid = recorder()
    links = {
        int(path.name): text
        for path in Path(f"/proc/{pid}/fdinfo").iterdir()
        if "link_type" in (text := path.read_text())
    }
    execs = [
        fd for fd, text in links.items() if re.search(r"tp_name:\s*sched_process_exec$", text, re.MULTILINE)
    ]
    calls = [fd for fd, text in links.items() if re.search(r"link_type:\s*tracing$", text, re.MULTILINE)]
    assert len(execs) == 1, links
    close_in(pid, [*execs, *calls[:3]])
    check = found("hooks")
    if calls:
        check = until(
            lambda: each if "fexit" in (each := found("hooks"))["detail"] else None, "the calls' names"
        )
    member = checks(*AS_READER)["hooks"]
    assert not member["ok"], "a member of the group learns of it from the recorder itself"
    _CONFIG.unlink()
    started_again()
    client.run("/bin/true seen-again", PATIENCE)
    client.type("exit\n")
    client.ended(PATIENCE)
    assert recording.ended().marks() == ["seen-again"]
    assert any(gap.startswith("programs_detached") for gap in recording.gaps()), recording.gaps()
    return told(check)


def no_loginuid() -> str:
    """PAM without pam_loginuid."""
    pam = Path("/etc/pam.d/sshd")
    text = pam.read_text()
    pam.write_text(re.sub(r"^(.*pam_loginuid)", r"#\1", text, flags=re.MULTILINE))
    try:
        return told(found("audit"))
    finally:
        pam.write_text(text)


AILMENTS = (
    btf_missing, bcc_missing, disk_low, no_loginuid, tracefs_unmounted, sshd_not_matched, locked_down, rings_too_small,
    hooks_detached,
)  # fmt: skip
