"""Whole sessions that run one thing."""

from __future__ import annotations

import textwrap

from tests.e2e.capturing import Capture, Recording
from tests.e2e.server import Sshd

PYTHON = "/usr/bin/python3"


def run_command(recorder: Capture, sshd: Sshd, command: str, *flags: str) -> Recording:
    """The recording of `ssh host command`, whatever the command's exit status."""
    (recording,) = recorder.started(sshd.account.name, lambda: sshd.run(command, *flags, check=False))
    return recording.ended()


def run_python(recorder: Capture, sshd: Sshd, code: str, *args: str) -> Recording:
    """The recording of a session in which Python runs a program that comes over standard input."""
    text = textwrap.dedent(code).encode()
    command = " ".join(["exec", PYTHON, "-I", "-", *args])
    (recording,) = recorder.started(sshd.account.name, lambda: sshd.run(command, stdin=text))
    return recording.ended()
