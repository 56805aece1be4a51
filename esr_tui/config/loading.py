"""Finds, reads and checks the configuration."""

from __future__ import annotations

import difflib
import errno
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from esr_tui.config.document import Document, parse
from esr_tui.config.schema import SECTIONS, Config, ConfigError, impossible
from esr_tui.model.text import printable

DEFAULT_PATH = Path("/etc/esr/esr.yaml")
LARGEST_FILE = 1 << 20
"""Bytes."""

_PLACE = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<path>.*)`)?", re.DOTALL)
_WORDS = {
    "yes": True,
    "on": True,
    "true": True,
    "1": True,
    "no": False,
    "off": False,
    "false": False,
    "0": False,
}
"""What Teleport takes for `enabled`, also as a string."""


def load(
    path: Path | None = None, *, data_dir: Path | None = None, environ: Mapping[str, str] | None = None
) -> Config:
    """The configuration in force.

    Args:
        path: the file; None for /etc/esr/esr.yaml, or the defaults where that is missing.
        data_dir: from the command line; wins over the environment and the file.
        environ: the environment, whose ESR_DATA_DIR wins over the file; the process's by default.

    Raises:
        ConfigError: the file cannot be read, or what it says cannot be.
    """
    config = _from_file(DEFAULT_PATH if path is None else path, path is not None)
    named = data_dir or (os.environ if environ is None else environ).get("ESR_DATA_DIR")
    if named:
        # Relative to where the command was typed, as for any command.
        config = msgspec.structs.replace(config, data_dir=Path(named).absolute())
    return config


def _from_file(path: Path, must_exist: bool) -> Config:
    shown = printable(str(path))
    try:
        data = _read(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        if must_exist:
            raise ConfigError(
                f"{shown} is missing; name a configuration that exists with --config"
            ) from error
        return Config()
    except OSError as error:
        why = printable(error.strerror or str(error))
        raise ConfigError(
            f"{shown} cannot be read: {why}; mend that or name another with --config"
        ) from error
    if len(data) > LARGEST_FILE:
        raise ConfigError(f"{shown} is larger than {LARGEST_FILE >> 20} MiB; that is no configuration of esr")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{shown}, line {line}: no UTF-8; save it as UTF-8 text") from error
    return from_text(str(path), text)


def _read(path: Path) -> bytes:
    """The file's first bytes, one more than is allowed.

    Raises:
        OSError: it cannot be read.
        ConfigError: this is root, and others can write the file: it says what is executed for an alert.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        about = os.fstat(fd)
        if not stat.S_ISREG(about.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        if os.geteuid() == 0 and (about.st_uid != 0 or about.st_mode & stat.S_IWOTH):
            shown = printable(str(path))
            raise ConfigError(
                f"{shown} can be changed by others than root, who is to follow it; run: chown root {shown}; chmod o-w"
                f" {shown}"
            )
        return os.pread(fd, LARGEST_FILE + 1, 0)
    finally:
        os.close(fd)


def from_text(name: str, text: str) -> Config:
    """The configuration that a text says; `name` is the file's for messages. Raises ConfigError."""
    document = _without_teleport(parse(name, text))
    root = document.root if document.root is not None else {}
    _check_keys(document, root, "")
    try:
        config = msgspec.convert(root, Config, dec_hook=_convert)
    except msgspec.ValidationError as error:
        match = _PLACE.fullmatch(str(error))
        assert match is not None
        what = printable(match["what"].replace("`", ""), 160)
        raise document.error(match["path"] or "", f"{what}; correct its value") from error
    for key, what in impossible(config):
        raise document.error(key, what)
    return config


def _convert(kind: type, value: object) -> object:
    """msgspec's way for the one type it does not know: paths. Raises ValueError."""
    if isinstance(value, str):
        return kind(value)
    raise ValueError("Expected a path")


def _check_keys(document: Document, values: Any, path: str) -> None:
    """Refuse unknown keys, with the line of the key and the one that was probably meant."""
    if not isinstance(values, dict):
        what = "is not a mapping" if path else "the file holds no mapping"
        raise document.error(path, f"{what}; write `key: value` lines")
    known = SECTIONS[path].__struct_fields__
    for key, value in values.items():
        inner = f"{path}.{key}" if path else key
        if key not in known:
            near = difflib.get_close_matches(key, known, 1) or [", ".join(known)]
            raise document.error(inner, f"unknown key; known here: {near[0]}")
        if inner in SECTIONS:
            _check_keys(document, value, inner)


def _without_teleport(document: Document) -> Document:
    """A Teleport file reduced to what esr takes of it; any other document as it is."""
    root = document.root
    if not isinstance(root, dict) or not root.keys() & {"teleport", "ssh_service"}:
        return document
    own = {key: value for key, value in root.items() if key in Config.__struct_fields__}
    lines = dict(document.lines)
    service = root.get("ssh_service")
    prefix = "ssh_service.enhanced_recording"
    if isinstance(service, dict) and service.get("enhanced_recording") is not None:
        if "enhanced_recording" in own:
            raise document.error("enhanced_recording", f"stands in {prefix} already; remove one")
        own["enhanced_recording"] = _teleport_section(service["enhanced_recording"])
        for path, line in document.lines.items():
            if path.startswith(prefix):
                lines[path.removeprefix("ssh_service.")] = line
    return Document(document.name, own, lines)


def _teleport_section(section: Any) -> Any:
    """Teleport's spelling of the section's values in esr's."""
    if not isinstance(section, dict):
        return section
    # root_path names Teleport's own cgroup below cgroup_path; esr has one of its own.
    values = {key: value for key, value in section.items() if key != "root_path"}
    enabled = values.get("enabled")
    if isinstance(enabled, str) and enabled.lower() in _WORDS:
        values["enabled"] = _WORDS[enabled.lower()]
    return values
