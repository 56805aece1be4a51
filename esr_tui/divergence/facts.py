"""What is noteworthy of a command beside its arguments: sentences for the evidence of its verdict."""

from __future__ import annotations

from esr_tui.model.events import Command, Conduct

MOST = 16
"""Facts of one verdict."""

_USUAL = frozenset({"PATH", "PAGER", "EDITOR", "HISTFILE"})
"""Variables that are set in most sessions."""
_SCRATCH = ("/tmp", "/var/tmp", "/dev/shm", "/run/shm")
_VALUE = 200
_PLAIN = {
    "pidfd_getfd": "It took an open file of another process.",
    "fsmount": "It made a file system of its own, whose paths may look like others.",
    "socket": "It made a socket that is not looked into: what it sends and receives there is not seen.",
    "init_module": "It loaded a module into the kernel.",
    "finit_module": "It loaded a module into the kernel.",
    "delete_module": "It removed a module from the kernel.",
}
_SETS_USER = {"setuid": 0, "setreuid": 1, "setresuid": 1}


def of_command(command: Command) -> tuple[str, ...]:
    """Facts that the exec itself tells."""
    found = [
        f"{name}={value[:_VALUE]} was set."
        for name, value in command.environment.items()
        if name not in _USUAL or (name == "PATH" and _is_odd(value))
    ]
    if command.image == "memfd":
        found.append("Its image was in memory, not in a file.")
    elif command.image == "deleted":
        found.append("Its image was a file that had been deleted.")
    if command.ruid and not command.euid:
        found.append(f"It was executed with root's rights by user {command.ruid}.")
    if len(command.fds) and command.fds[0].kind == "socket":
        found.append("Its standard input was a socket.")
    return tuple(found[:MOST])


def of_conduct(event: Conduct, child: bool) -> str:
    """What a successful call means; empty when that is nothing to be told.

    Args:
        child: whether the process that was reached into had been started by this one.
    """
    if event.return_code < 0:
        return ""
    if event.operation == "io_uring_setup":
        return "It made an io_uring: files that it opened through it were not seen."
    if event.operation == "ioctl":
        return "It typed into a terminal (TIOCSTI)."
    if event.target is not None:
        whom = f"{'its child ' if child else ''}process {event.target}"
        if event.operation == "process_vm_readv":
            return f"It read the memory of {whom}."
        return f"It took hold of {whom} ({event.request or event.operation})."
    if event.operation in ("unshare", "clone") and event.namespaces:
        return f"It made namespaces: {', '.join(event.namespaces)}."
    if event.operation == "setns":
        return f"It entered other namespaces{': ' * bool(event.namespaces)}{', '.join(event.namespaces)}."
    if event.operation in _PLAIN:
        return _PLAIN[event.operation]
    if event.operation in _SETS_USER:
        asked = event.arguments[_SETS_USER[event.operation] :][:1]
        return f"It became user {asked[0]}." if asked and asked[0] >= 0 else ""
    return ""


def _is_odd(path: str) -> bool:
    """Whether programs are looked for where anybody can put them."""
    return any(not each.startswith("/") or each.startswith(_SCRATCH) for each in path.split(":"))
