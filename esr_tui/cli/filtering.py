"""`--filter` of the listing commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import click

from esr_tui.cli.options import Failure, settings_of
from esr_tui.filtering import NOTHING, Filter, FilterError, Schema, parse
from esr_tui.model.text import printable

Command = TypeVar("Command", bound=Callable[..., object])


class BadFilter(Failure):
    """A filter that cannot be understood: a sentence, and below it the filter with a caret under the place."""

    exit_code = 2

    def __init__(self, text: str, error: FilterError) -> None:
        super().__init__(f"--filter: {error}")
        self.picture = (printable(text), error.caret)


def filter_option(command: Command) -> Command:
    """Adds `--filter`."""
    return click.option(
        "--filter",
        "wanted",
        metavar="EXPR",
        default="",
        help="Only what passes, such as 'kind:network port:1..1024 -program:git'; @name for a saved one.",
    )(command)


def filter_of(text: str, schema: Schema, config: Path | None) -> Filter:
    """The filter that an option's text says.

    Raises:
        BadFilter: it cannot be understood. ConfigError: it names a saved one, and the configuration is none.
    """
    if not text.strip():
        return NOTHING
    # The configuration is read only for filters that may be saved in it.
    saved: Mapping[str, str] = settings_of(None, config).filters if "@" in text else {}
    try:
        return parse(text, schema, saved)
    except FilterError as error:
        raise BadFilter(text, error) from error
