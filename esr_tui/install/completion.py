"""Completion of the command line, as click makes it for each shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_BASH, _FISH = "bash-completion/completions/esr", "fish/vendor_completions.d/esr.fish"

SHELLS = {
    "bash": (_BASH, _BASH),
    "zsh": ("zsh/vendor-completions/_esr", "zsh/site-functions/_esr"),
    "fish": (_FISH, _FISH),
}
"""Where each shell looks below share/: for a package's file in /usr, and for an administrator's in /usr/local."""


def script(program: click.Command, shell: str) -> str:
    """What a shell reads to complete `esr`."""
    kind = get_completion_class(shell)
    assert kind is not None
    made = kind(program, {}, "esr", "_ESR_COMPLETE")
    # Not made.source(): for bash that runs the shell to learn its version, and there need not be one.
    return str(made.source_template % made.source_vars()).strip() + "\n"
