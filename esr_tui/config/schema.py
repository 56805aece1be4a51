"""What can be configured, and what is impossible."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from esr_tui.config.keeping import POLICIES, Keep, Metrics, impossible_keeping
from esr_tui.matching.regex import compile_regex
from esr_tui.model.verdict import SEVERITIES

LARGEST_BUFFER = 65536
"""Pages: 256 MiB for each ring."""

LARGEST_INPUT = 1 << 20
"""Bytes."""

SHORTEST_IDLE, LONGEST_IDLE = 0.1, 3600.0
"""Seconds."""

MOST_PATTERNS = 64
"""Patterns of one's own that hide secrets."""

MASKS = tuple(
    "url aws github service jwt header bearer cookie assignment quoted quoted-mysql connection"
    " option mysql sshpass user login redis ldap smb openssl piped hash private-key secret-file".split()
)
"""The built-in rules for secrets: those of esr_tui/masking/builtin.yaml, and keys that go over several lines."""

SHORTEST_SEAL, LONGEST_SEAL = 1.0, 3600.0
"""Seconds."""

LONGEST_NAME = 15
"""Bytes of a task's name (comm) that the kernel keeps."""


INTERPRETERS = (
    *("bash", "dash", "sh", "ash", "zsh*", "ksh*", "mksh", "fish", "csh", "tcsh", "rbash", "busybox"),
    *(
        "python*",
        "pypy*",
        "perl*",
        "ruby*",
        "node*",
        "deno",
        "bun",
        "php*",
        "lua*",
        "tclsh*",
        "wish*",
        "expect",
    ),
    *(
        "awk",
        "gawk",
        "mawk",
        "nawk",
        "original-awk",
        "sed",
        "ed",
        "make",
        "gdb",
        "xargs",
        "parallel",
        "guile*",
    ),
    *(
        "Rscript",
        "R",
        "julia",
        "osascript",
        "pwsh",
        "erl",
        "elixir",
        "groovy",
        "jshell",
        "at",
        "batch",
        "crontab",
    ),
)
"""What may be given its program as text."""


class ConfigError(Exception):
    """A configuration that cannot be used: one sentence with file, line, key and mend."""


class EnhancedRecording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section that Teleport calls `ssh_service.enhanced_recording`.

    Sizes are ring buffers in pages of 4 KiB, powers of two. They are far above Teleport's (8 pages),
    with which events are lost on ordinary machines.

    Attributes:
        enabled: whether kernel events are recorded at all.
        cgroup_path: where the cgroup v2 hierarchy is mounted, or is to be.
    """

    enabled: bool = True
    command_buffer_size: int = 1024
    disk_buffer_size: int = 4096
    network_buffer_size: int = 4096
    terminal_buffer_size: int = 4096
    cgroup_path: str = "/cgroup2"


class Alerts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where divergences are told as they happen, beside the audit log.

    Attributes:
        severity: the least that is told.
        rate: alerts a minute at most; what exceeds it is counted.
        syslog: path of a datagram socket that takes RFC 5424, such as /dev/log; empty for none.
        webhook: http(s) address that gets the event as JSON; empty for none.
        command: a program with its arguments that gets the event on its standard input; empty for none.
        user: as whom the command runs, when the recorder is root.
    """

    severity: str = "high"
    rate: int = 60
    syslog: str = ""
    webhook: str = ""
    command: tuple[str, ...] = ()
    user: str = "nobody"


class Masking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of a recording is hidden from whoever looks at it.

    Attributes:
        enabled: whether secrets are hidden at all.
        at: view: when they are shown or written out, the recording keeps them; capture: before they are recorded, too.
        without: built-in rules that are not used.
        patterns: regular expressions of one's own by name; what the group `secret` matches, or all, is hidden.
    """

    enabled: bool = True
    at: str = "view"
    without: tuple[str, ...] = ()
    patterns: dict[str, str] = {}


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be configured.

    Attributes:
        data_dir: the store's root.
        group: whose members may read the store, when there is such a group and the recorder is root.
        login_daemons: names of the programs whose children are logins.
        interpreters: names of images (patterns with * ?) whose input may be their program.
        alerts: who is told of divergences.
        rules: files and folders of rules, esr's own or Sigma, beside the built-in ones and /etc/esr/rules.d.
        masking: which secrets are hidden, and when.
        keep: how much of the past the store keeps.
        when_full: what the recorder does when neither the disk nor its memory takes more.
        metrics: where a monitoring system finds the recorder's figures.
        filters: saved filters of events and sessions by the names that `@name` finds.
        idle: seconds of idle time that playing a recording shows when it skips the rest.
        seal: seconds after which what was written of a recording is sealed.
        chain: seconds after which the node's chain is told how far live recordings are sealed.
        interpreter_input: bytes of it to keep of each process; 0 keeps none.
    """

    data_dir: Path = Path("/var/lib/esr")
    enhanced_recording: EnhancedRecording = EnhancedRecording()
    group: str = "esr"
    login_daemons: tuple[str, ...] = ("sshd", "sshd-session", "login")
    interpreters: tuple[str, ...] = INTERPRETERS
    interpreter_input: int = 65536
    alerts: Alerts = Alerts()
    masking: Masking = Masking()
    keep: Keep = Keep()
    when_full: str = POLICIES[0]
    metrics: Metrics = Metrics()
    rules: tuple[Path, ...] = ()
    filters: dict[str, str] = {}
    idle: float = 2.0
    seal: float = 10.0
    chain: float = 60.0


SECTIONS: dict[str, type[msgspec.Struct]] = {
    "": Config,
    "enhanced_recording": EnhancedRecording,
    "alerts": Alerts,
    "masking": Masking,
    "keep": Keep,
    "metrics": Metrics,
}
"""Which struct says the keys of which mapping."""


def impossible(config: Config) -> Iterator[tuple[str, str]]:
    """Each value that has the right type and yet cannot be: its key and what is wrong."""
    section = config.enhanced_recording
    for name in EnhancedRecording.__struct_fields__:
        value = getattr(section, name)
        if name.endswith("_buffer_size") and not _is_size(value):
            yield (
                f"enhanced_recording.{name}",
                f"{value} is no power of two from 1 to {LARGEST_BUFFER} pages; {_near(value)}",
            )
    if not section.cgroup_path.startswith("/") or "\0" in section.cgroup_path:
        yield "enhanced_recording.cgroup_path", "is no absolute path; begin it with /"
    if not config.data_dir.is_absolute() or "\0" in str(config.data_dir):
        yield "data_dir", "is no absolute path; begin it with /"
    if not 0 <= config.interpreter_input <= LARGEST_INPUT:
        yield "interpreter_input", f"is not from 0 to {LARGEST_INPUT} bytes; 65536 is usual, 0 keeps none"
    yield from _impossible_times(config)
    yield from impossible_keeping(config.keep, config.when_full, config.metrics)
    yield from _impossible_alerts(config.alerts)
    yield from _impossible_filters(config.filters)
    yield from _impossible_masking(config.masking)
    for number, path in enumerate(config.rules):
        if not path.is_absolute() or "\0" in str(path):
            yield f"rules[{number}]", "is no absolute path of a rule file or folder; begin it with /"
    if not config.group or "\0" in config.group:
        yield "group", "is no group's name; leave it out for esr"
    if not config.login_daemons:
        yield "login_daemons", "is empty, so no login would ever be seen; leave it out for the usual ones"
    for number, name in enumerate(config.login_daemons):
        if not name or "/" in name or len(name.encode("utf-8", "replace")) > LONGEST_NAME:
            yield (
                f"login_daemons[{number}]",
                f"is no program's name of 1 to {LONGEST_NAME} bytes; write the name that `ps -o comm` shows",
            )


def _impossible_times(config: Config) -> Iterator[tuple[str, str]]:
    for name, seconds, least, most, usual in (
        ("idle", config.idle, SHORTEST_IDLE, LONGEST_IDLE, 2),
        ("seal", config.seal, SHORTEST_SEAL, LONGEST_SEAL, 10),
        ("chain", config.chain, SHORTEST_SEAL, LONGEST_SEAL, 60),
    ):
        if not least <= seconds <= most:
            yield name, f"is not from {least} to {most} seconds; {usual} is usual"


def _impossible_alerts(alerts: Alerts) -> Iterator[tuple[str, str]]:
    if alerts.severity not in SEVERITIES:
        yield "alerts.severity", f"is no severity; write one of: {', '.join(SEVERITIES)}"
    if alerts.rate < 1:
        yield "alerts.rate", "lets no alert through; write 1 or more a minute"
    if alerts.webhook and not alerts.webhook.startswith(("http://", "https://")):
        yield "alerts.webhook", "is no address; begin it with https:// or http://"
    if alerts.syslog and not alerts.syslog.startswith("/"):
        yield "alerts.syslog", "is no path of a socket; write /dev/log"
    if alerts.command and not alerts.command[0].startswith("/"):
        yield "alerts.command", "names no program by its absolute path; begin it with /"
    if not alerts.user or "\0" in alerts.user:
        yield "alerts.user", "is no user's name; leave it out for nobody"


def _impossible_filters(filters: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in filters.items():
        if not _NAME.fullmatch(name):
            yield f"filters.{name}", "cannot be written as @name; use letters, digits, - and _"
        elif not text.strip():
            yield f"filters.{name}", "is empty; write a filter or remove it"


def _impossible_masking(masking: Masking) -> Iterator[tuple[str, str]]:
    if masking.at not in {"view", "capture"}:
        yield "masking.at", "is neither view nor capture; write one of them"
    for number, name in enumerate(masking.without):
        if name not in MASKS:
            near = difflib.get_close_matches(name, MASKS, 1) or [", ".join(MASKS)]
            yield f"masking.without[{number}]", f"names no built-in rule; known here: {near[0]}"
    if len(masking.patterns) > MOST_PATTERNS:
        yield "masking.patterns", f"are more than {MOST_PATTERNS}; make alternatives of some: a|b"
    for name, pattern in masking.patterns.items():
        if not _NAME.fullmatch(name):
            yield f"masking.patterns.{name}", "is no name; use letters, digits, - and _"
        try:
            compile_regex(pattern)
        except ValueError as error:
            yield f"masking.patterns.{name}", str(error)
        else:
            if re.search(pattern, ""):
                yield f"masking.patterns.{name}", "matches the empty text, so it says nothing; make it longer"


_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _is_size(pages: int) -> bool:
    return 0 < pages <= LARGEST_BUFFER and pages & (pages - 1) == 0


def _near(pages: int) -> str:
    """The sizes that may have been meant."""
    if pages < 1:
        return "write 8 or more"
    if pages > LARGEST_BUFFER:
        return f"write {LARGEST_BUFFER} or less"
    below = 1 << (pages.bit_length() - 1)
    return f"write {below} or {below * 2}"
