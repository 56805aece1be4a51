"""Finds rule files, reads them and tells the kinds of rules apart."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from esr_tui.config import ConfigError
from esr_tui.config.document import Document, parse
from esr_tui.divergence.matching.errors import RuleError
from esr_tui.divergence.rules.rule import Rule, own_rule
from esr_tui.divergence.sigma import SigmaRule, not_ours, sigma_rule
from esr_tui.model.text import printable

LARGEST_FILE = 1 << 20
"""Bytes."""
MOST_FILES = 10_000
"""In one folder with all below it: the whole of a large collection fits."""
DEEPEST = 12
SUFFIXES = (".yaml", ".yml")
BUILTIN_AUTHOR = "esr"


@dataclass
class Loaded:
    """What files hold.

    Attributes:
        rules: esr's own, in order of files.
        sigma: Sigma rules.
        skipped: rules that are right but for something that esr does not see, with the reason.
        errors: one sentence for each file that cannot be used.
        texts: a digest of all that was read.
    """

    rules: list[Rule] = field(default_factory=list)
    sigma: list[SigmaRule] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    texts: hashlib._Hash = field(default_factory=hashlib.sha256)


def load_builtin(loaded: Loaded) -> None:
    """The rules of the package. Raises RuleError."""
    folder = files("esr_tui.divergence.rules").joinpath("builtin")
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(SUFFIXES):
            load_text(loaded, entry.name, entry.read_text("utf-8"), BUILTIN_AUTHOR)


def load_path(loaded: Loaded, path: Path) -> None:
    """The rules of a file, or of all files below a folder; errors are gathered, file by file."""
    try:
        names = list(rule_files(path)) if path.is_dir() else [path]
    except RuleError as error:
        loaded.errors.append(str(error))
        return
    for name in names:
        try:
            load_text(loaded, str(name), read(name))
        except RuleError as error:
            loaded.errors.append(str(error))


def load_text(loaded: Loaded, name: str, text: str, author: str = "") -> None:
    """The rules that one file's text holds. Raises RuleError; then none of them is taken."""
    loaded.texts.update(f"{name}\0{author}\0{len(text)}\0{text}".encode("utf-8", "surrogatepass"))
    found = Loaded()
    try:
        document = parse(name, text)
        for path, value in _rules_of(document):
            if isinstance(value, dict) and ("logsource" in value or "detection" in value):
                why = not_ours(value)
                if why:
                    found.skipped.append(f"{printable(name)}: {why}")
                else:
                    found.sigma.append(sigma_rule(document, path, value))
            else:
                found.rules.append(own_rule(document, path, value, author))
    except ConfigError as error:
        raise RuleError(str(error)) from error
    loaded.rules += found.rules
    loaded.sigma += found.sigma
    loaded.skipped += found.skipped


def _rules_of(document: Document) -> Iterator[tuple[str, Any]]:
    """The file's rules: it holds a list of them, or just one."""
    if isinstance(document.root, list):
        for number, value in enumerate(document.root):
            yield f"[{number}]", value
    elif document.root:
        yield "", document.root


def rule_files(folder: Path) -> Iterator[Path]:
    """The YAML files of a folder and those below it, by name; links to folders are not followed.

    Raises:
        RuleError: there are too many, or the folder cannot be read.
    """
    count = 0

    def failed(error: OSError) -> None:
        shown = printable(str(error.filename))
        raise RuleError(
            f"{shown} cannot be read: {printable(error.strerror or '')}; mend that or leave it out"
        )

    for place, folders, names in os.walk(folder, onerror=failed):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if len(Path(place).relative_to(folder).parts) >= DEEPEST:
            folders.clear()
        for name in sorted(names):
            if name.endswith(SUFFIXES) and not name.startswith("."):
                count += 1
                if count > MOST_FILES:
                    shown = printable(str(folder))
                    raise RuleError(
                        f"{shown} holds more than {MOST_FILES} rule files; name a folder of fewer"
                    )
                yield Path(place, name)


def read(path: Path) -> str:
    """A rule file's text. Raises RuleError."""
    shown = printable(str(path))
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise OSError(errno.EINVAL, "not a regular file")
            data = os.pread(fd, LARGEST_FILE + 1, 0)
        finally:
            os.close(fd)
    except OSError as error:
        why = printable(error.strerror or str(error))
        if error.errno == errno.ELOOP:
            why = "it is a symbolic link, name the file itself"
        raise RuleError(f"{shown} cannot be read: {why}; mend that or leave it out") from error
    if len(data) > LARGEST_FILE:
        raise RuleError(f"{shown} is larger than {LARGEST_FILE >> 20} MiB; no rule file is")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RuleError(f"{shown}, line {line}: no UTF-8; save it as UTF-8 text") from error
