"""`esr install` and `esr uninstall`: esr as a service of this machine."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from esr_tui.cli.options import Failure, config_option, settings_of
from esr_tui.install import plan
from esr_tui.install.steps import InstallError, Step
from esr_tui.kernel.requirements import capture_running
from esr_tui.model.text import printable


def _target_options(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")(command)
    return click.option(
        "--root",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("/"),
        help="Another directory than /, for making a package: only files are written.",
    )(command)


@click.command()
@config_option
@_target_options
@click.option("--program", help="The path of esr that the service runs.  [default: this one]")
@click.option("--no-start", is_flag=True, help="Do not start the service.")
@click.option("--anyway", is_flag=True, help="Also with a program that others than root could change.")
def install(
    *, config: Path | None, root: Path, dry_run: bool, program: str | None, no_start: bool, anyway: bool
) -> None:
    """Install esr as a service: units, group, directories, manual page, completion.

    Each step is said, and done only where it is needed. Where systemd runs, the service is started; a recorder that
    runs already hands over to it.
    """
    target = _target(root, config, program)
    if not target.packaging:
        _must_be_root(dry_run)
        if not anyway and (who := plan.changeable_by_others(Path(target.program))):
            raise Failure(
                f"the service would run {target.program} as root, but {who}; install the Debian package (make deb), "
                "put esr where only root can write, or say --anyway"
            )
    from esr_tui.cli.main import esr  # noqa: PLC0415  (this command is one of its own)

    _do(plan.install(target, esr, start=not no_start), dry_run)
    if target.packaging:
        return
    click.echo(f"To let somebody read recordings: usermod -aG {target.group} USER")
    if not target.systemd:
        log = "/var/log/esr.log"
        click.echo(
            "systemd does not run here. Start the recorder in your own way, for example:\n"
            f"  setsid {target.program} capture --takeover >>{log} 2>&1 </dev/null &"
        )


@click.command()
@config_option
@_target_options
@click.option("--purge", is_flag=True, help="Remove all recordings and the configuration, too.")
def uninstall(*, config: Path | None, root: Path, dry_run: bool, purge: bool) -> None:
    """Undo `esr install`. Recordings stay, unless --purge says otherwise."""
    target = _target(root, config, None)
    if not target.packaging:
        _must_be_root(dry_run)
        if not target.systemd and capture_running(target.data_dir).ok:
            said = f"a recorder runs on {target.data_dir}; stop it first (esr status says its pid)"
            raise Failure(said)
    _do(plan.uninstall(target, purge=purge), dry_run)
    if not purge and target.at(target.data_dir).is_dir():
        click.echo(f"kept: {target.at(target.data_dir)}, with its recordings, and the group {target.group}")


def _target(root: Path, config: Path | None, program: str | None) -> plan.Target:
    settings = settings_of(None, config)
    found = program or shutil.which(sys.argv[0]) or str(Path(sys.executable).with_name("esr"))
    return plan.Target(
        root=root.absolute(),
        program=os.path.abspath(found),  # noqa: PTH100  (a link stays: it is what an upgrade changes)
        data_dir=settings.data_dir,
        config=config.absolute() if config else None,
        group=settings.group,
        systemd=plan.runs_systemd(),
    )


def _must_be_root(dry_run: bool) -> None:
    if os.geteuid() != 0 and not dry_run:
        raise Failure("only root can do that: use sudo (or --dry-run, to see what would be done)")


def _do(steps: Iterable[Step], dry_run: bool) -> None:
    """Each step, said before it is done. Raises Failure."""
    count = 0
    try:
        for step in steps:
            if step.needed():
                count += 1
                click.echo(printable(f"{'would ' if dry_run else ''}{step.say()}", 1000))
                if not dry_run:
                    step.do()
    except InstallError as error:
        raise Failure(str(error)) from error
    if not count:
        click.echo("nothing to do: everything is as it should be")
