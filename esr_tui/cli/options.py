"""Options that every command has, and what they mean together."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from esr_tui.model.text import printable

if TYPE_CHECKING:
    from esr_tui.config import Config
    from esr_tui.masking.lens import Lens

Command = TypeVar("Command", bound=Callable[..., Any])


class Failure(click.ClickException):
    """An error said in one line, with its mend; exit code 1.

    Attributes:
        picture: inert lines that stand below it and point at the place.
    """

    picture: tuple[str, ...] = ()


def config_option(command: Command) -> Command:
    """Adds `--config`."""
    return click.option(
        "--config",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Configuration file.  [default: /etc/esr/esr.yaml, where there is one]",
    )(command)


def store_options(command: Command) -> Command:
    """Adds `--data-dir` and `--config`, the arguments of `data_dir_of`."""
    command = config_option(command)
    return click.option(
        "--data-dir",
        type=click.Path(file_okay=False, path_type=Path),
        help="The store.  [env: ESR_DATA_DIR; default: data_dir of the configuration]",
    )(command)


def json_option(command: Command) -> Command:
    """Adds `--json`: one object a line."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")(command)


def unmasked_option(command: Command) -> Command:
    """Adds `--unmasked`."""
    return click.option(
        "--unmasked",
        is_flag=True,
        help="Show passwords, tokens and keys, which are else hidden by marks (•).",
    )(command)


def lens_of(config: Path | None, unmasked: bool) -> Lens:
    """What the output is seen through: it hides secrets as the configuration says, or with --unmasked nothing.

    Raises:
        ConfigError: the configuration cannot be used.
    """
    from esr_tui.masking.lens import Lens  # noqa: PLC0415  (YAML and patterns take time to load)

    if unmasked:
        return Lens()
    from esr_tui.masking.rules import masker_of  # noqa: PLC0415

    return Lens(masker_of(settings_of(None, config).masking))


def inherited(name: str, value: Path | None) -> Path | None:
    """A command's own option, else the one given before the command: `esr --data-dir DIR sessions`."""
    context = click.get_current_context(silent=True)
    if value is not None or context is None:
        return value
    given: Path | None = context.find_root().params.get(name)
    return given


def data_dir_of(data_dir: Path | None, config: Path | None) -> Path:
    """Which store is meant: `--data-dir`, else ESR_DATA_DIR, else the configuration's.

    Raises:
        ConfigError: the configuration cannot be used.
    """
    data_dir = inherited("data_dir", data_dir)
    if data_dir is not None:
        return data_dir
    if os.environ.get("ESR_DATA_DIR"):
        return Path(os.environ["ESR_DATA_DIR"])
    from esr_tui.config import load  # noqa: PLC0415  (YAML costs time that most calls need not pay)

    return Path(load(inherited("config", config)).data_dir)


def settings_of(data_dir: Path | None, config: Path | None) -> Config:
    """The whole configuration, with the store that is meant.

    Raises:
        ConfigError: the configuration cannot be used.
    """

    from esr_tui.config import load  # noqa: PLC0415

    return load(inherited("config", config), data_dir=inherited("data_dir", data_dir))


def seconds(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """`83.5` or `1:23.5` as milliseconds since the session's start."""
    if value is None:
        return None
    total = 0.0
    try:
        for part in value.split(":"):
            total = total * 60 + float(part)
    except ValueError:
        total = math.nan
    if not 0 <= total < 1e9:
        raise click.BadParameter(f"{printable(value, 60)!r} is no time: write 83.5 or 1:23.5", ctx, param)
    return round(total * 1000)
