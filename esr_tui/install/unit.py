"""The systemd units."""

from __future__ import annotations

from pathlib import Path

NAME = "esr.service"
HANDOVER = "esr-handover.service"
"""A second unit of the same kind: `esr.service` is restarted without a gap by way of it."""

CAPABILITIES = (
    "CAP_BPF",
    "CAP_PERFMON",
    "CAP_SYS_PTRACE",
    "CAP_DAC_READ_SEARCH",
    "CAP_SETUID",
    "CAP_SETGID",
    "CAP_SETPCAP",
)

_TEXT = """\
# Written by `esr install`. Change it with: systemctl edit {name}

[Unit]
Description={description}
Documentation=man:esr(1)
After=local-fs.target systemd-tmpfiles-setup.service
# Not before consoles: these are the last door when something hangs. Who is quicker there is joined late, which is said.
Before=ssh.service sshd.service
# A recorder that cannot start at all is not tried for ever.
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
Type=notify
NotifyAccess=main
# --takeover: what another recorder (esr-handover.service, or one that the app started) records now goes on here
# without a gap. Where none runs it just starts.
# systemd keeps the root of the control groups closed even to root without further rights: outside of the sandbox.
ExecStartPre=-+/bin/mkdir -p /sys/fs/cgroup/esr
ExecStart={program} capture --takeover{options}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=1
# The disk is full and when_full says to stop then: starting again would not help.
RestartPreventExitStatus=4
# It answers from the loop that empties the rings, only while that loop goes round.
WatchdogSec=60
# At once: one that hangs, or was stopped by a signal, would not answer to SIGABRT either.
WatchdogSignal=SIGKILL
TimeoutStartSec=180
TimeoutStopSec=30
# SIGTERM goes to the recorder alone: it ends the analyst, which first sends the alerts that wait. Sessions are
# sshd's children, not this unit's: logins go on, and their recordings are taken up again by the next recorder.
KillMode=mixed
# Memory is short because of others; what they do is to stay on record.
OOMScoreAdjust=-900
# A flood of events must not keep the recorder from emptying its rings.
Nice=-10
# Linux 5.15 and newer charge BPF maps to the control group; some vendors' kernels still count them here.
LimitMEMLOCK=infinity
# A recording has a handful of files, and a busy bastion has thousands of sessions.
LimitNOFILE=65536

# The store is root's, readable for the group.
User=root
Group={group}
UMask=0027

# What it may do. After loading it gives up PERFMON and SETPCAP itself, see docs/threat-model.md.
#   BPF, PERFMON          load and attach the programs, read what they see
#   SYS_PTRACE            /proc/PID/fd, cwd and root of other users' processes
#   DAC_READ_SEARCH       modes of terminals
#   SETUID, SETGID        read a script as the user who runs it; alerts' commands run as another user
#   SETPCAP               give up the others for good
CapabilityBoundingSet={capabilities}
AmbientCapabilities=
NoNewPrivileges=yes

# What it may write: the store, and nothing else.
ProtectSystem=strict
ReadWritePaths={data_dir}
PrivateTmp=yes
# Scripts in home directories are read by way of /proc/PID/root, which this does not concern.
ProtectHome={protect_home}
# The terminals of /dev/pts and /dev/log stay, all other devices go.
PrivateDevices=yes
# /sys and /proc/sys are read (BTF, tracing ids), never written.
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectClock=yes
ProtectHostname=yes
# Not ProtectControlGroups: a session without a scope of its own is given a control group.
# Not ProtectProc, PrivatePIDs, PrivateUsers: it is about everybody's processes.
# Not PrivateNetwork, IPAddressDeny: alerts go to webhooks. Unix sockets are for the manager and syslog.
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
# Not RestrictSUIDSGID: the store's directories hand their group on, which is the same bit.
LockPersonality=yes
KeyringMode=private
# bcc compiles for the BPF machine, not for this one: no memory becomes executable.
{memory}
SystemCallArchitectures=native
# @system-service is all that a service usually needs, and lacks what this one is about: bpf.
SystemCallFilter=@system-service bpf
SystemCallErrorNumber=EPERM
{install}"""


def text(
    program: str, *, data_dir: Path = Path("/var/lib/esr"), config: Path | None = None, group: str = "esr",
    handover: bool = False,
) -> str:  # fmt: skip
    """A unit file.

    Args:
        program: the absolute path of esr.
        data_dir: the store.
        config: of a configuration that is not the usual one.
        handover: the unit that runs only while the other one is restarted.
    """
    description = "Records what shell sessions really do"
    at_home = any(str(Path(place)).startswith(("/home/", "/root/")) for place in (program, str(data_dir)))
    return _TEXT.format(
        name=HANDOVER if handover else NAME,
        description=f"{description}, while esr.service is restarted" if handover else description,
        program=_word(program),
        options=f" --config {_word(str(config))}" if config else "",
        data_dir=_word(str(data_dir)),
        group=group,
        capabilities=" ".join(CAPABILITIES),
        protect_home="read-only" if at_home else "yes",
        memory="MemoryDenyWriteExecute=yes",
        install="" if handover else "\n[Install]\nWantedBy=multi-user.target\n",
    )


def _word(value: str) -> str:
    """A path as systemd takes it for one word: % begins a specifier, $ a variable."""
    value = value.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{value}"' if any(sign in value for sign in " \t'\"\\;") else value
