"""What processes do to their rights, their view of the system and other processes: kernel records as event fields."""

from __future__ import annotations

from functools import cache
from typing import Any

from esr_tui.capture.convert import common
from esr_tui.kernel import records
from esr_tui.kernel.hooks import numbers

_CALLS = frozenset(
    "setuid setreuid setresuid setgid setregid setresgid ptrace process_vm_readv process_vm_writev pidfd_getfd "
    "unshare setns fsmount socket init_module finit_module delete_module ioctl".split()
)
_REQUESTS = {
    0: "traceme",
    4: "poke",
    5: "poke",
    6: "registers",
    13: "registers",
    15: "registers",
    16: "attach",
    0x4205: "registers",
    0x4206: "seize",
}
_NAMESPACES = {
    0x80: "time",
    0x20000: "mount",
    0x2000000: "cgroup",
    0x4000000: "uts",
    0x8000000: "ipc",
    0x10000000: "user",
    0x20000000: "pid",
    0x40000000: "net",
}


def conduct(record: records.Conduct) -> dict[str, Any]:
    """Fields of a Conduct event."""
    operation = _calls().get(record.call, str(record.call))
    arguments = [_signed(value) for value in record.arguments]
    fields: dict[str, Any] = {"operation": operation, "arguments": arguments, "return_code": record.result}
    if operation == "ptrace":
        fields["request"] = _REQUESTS.get(arguments[0], "")
        fields["target"] = arguments[1] if arguments[0] else None
    elif operation == "ioctl":
        fields["request"] = "tiocsti"  # the one that is kept
    elif operation in ("process_vm_readv", "process_vm_writev"):
        fields["target"] = arguments[0]
    elif operation in ("unshare", "setns"):
        fields["namespaces"] = namespaces(record.arguments[operation == "setns"])
    return common(record.head) | fields


def namespaces(flags: int) -> list[str]:
    """The kinds of namespaces that flags of clone(2) stand for."""
    return [name for flag, name in _NAMESPACES.items() if flags & flag]


def _signed(value: int) -> int:
    """An id or a number as C's int has it, an address as it is."""
    return value - (1 << 32) if 1 << 31 <= value < 1 << 32 else value


@cache
def _calls() -> dict[int, str]:
    """The names of those calls by number."""
    return {number: name for name, number in numbers().items() if name in _CALLS}
