"""A new configuration for a recorder that runs (SIGHUP)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from esr_tui.config import Config, ConfigError, load

LIVE = frozenset(
    {
        "alerts",
        "rules",
        "filters",
        "idle",
        "masking",
        "keep",
        "when_full",
        "metrics",
        "interpreters",
        "interpreter_input",
    }
)
"""Keys that take effect at once; `filters` and `idle` are read by the app alone. The others need another process."""


class Reloaded(msgspec.Struct, frozen=True):
    """What became of a reload.

    Attributes:
        config: in force from now on.
        sentence: for the log: what took effect, what did not and why.
        refused: whether the file could not be used, so that nothing changed.
    """

    config: Config
    sentence: str
    refused: bool = False


def reload(old: Config, path: Path | None, data_dir: Path) -> Reloaded:
    """Reads the configuration again.

    Args:
        old: what is in force.
        path: of the file, as the recorder was given it; None for the usual one.
        data_dir: the recorder's store, which stays.
    """
    try:
        new = load(path, data_dir=data_dir, environ={})
    except ConfigError as error:
        return Reloaded(old, f"the configuration in force is kept: {error}", refused=True)
    return merged(old, new)


def merged(old: Config, new: Config) -> Reloaded:
    """The new configuration as far as it can be had without another process."""
    changed = list(_changed(old, new))
    live = [key for key in changed if key.partition(".")[0] in LIVE]
    later = [key for key in changed if key not in live]
    config = msgspec.structs.replace(old, **{key: getattr(new, key) for key in LIVE})
    said = f"configuration read again; {_listed(live)} changed" if live else "configuration read again"
    if later:
        need = "needs" if len(later) == 1 else "need"
        said += f"; {_listed(later)} {need} a new recorder: esr capture --takeover, which loses nothing"
    return Reloaded(config, said)


def _changed(old: msgspec.Struct, new: msgspec.Struct, above: str = "") -> Iterator[str]:
    for key in old.__struct_fields__:
        one, other = getattr(old, key), getattr(new, key)
        if one == other:
            continue
        if isinstance(one, msgspec.Struct):
            yield from _changed(one, other, f"{above}{key}.")
        else:
            yield f"{above}{key}"


def _listed(keys: list[str]) -> str:
    return ", ".join(keys)
