"""`esr record`: a recorded shell or command in this terminal."""

from __future__ import annotations

from pathlib import Path

import click

from esr_tui.cli.options import settings_of, store_options


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@store_options
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def record(data_dir: Path | None, config: Path | None, command: tuple[str, ...]) -> int:
    """Record COMMAND, or a shell, in this terminal; end with its exit status.

    Where the kernel's events cannot be had, the terminal alone is recorded, and that is said.
    """
    from esr_tui.capture import record as recorder  # noqa: PLC0415  (bcc only when it is needed)
    from esr_tui.capture import service  # noqa: PLC0415

    settings = settings_of(data_dir, config)
    kernel, lacking = recorder.load(settings)
    if kernel is None:
        service.complain(f"recording the terminal alone: {lacking}")
    done = recorder.record(settings, command or recorder.default_shell(), kernel=kernel)
    service.complain(f"recorded as {done.sid} in {settings.data_dir}")
    if kernel is not None:
        service.leave()
    return done.status
