"""What is typed, and what must be said of it: plain data, read from YAML."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import msgspec
import yaml

from esr_tui.model.verdict import Verdict

HERE = Path(__file__).resolve().parent


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is done at the keyboard where a plain line will not do.

    Attributes:
        keys: pressed as they are, without Enter.
        until: what must show before the next step, a regular expression; a prompt when empty.
        rest: seconds to sit and watch.
    """

    keys: str = ""
    until: str = ""
    rest: float = 0


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A piece of a session.

    Attributes:
        name: unique in its file.
        type: lines that are typed (each awaits the next prompt), and steps.
        expect: for a regular expression over the arguments joined by blanks, the verdict, or those that are fair;
            each must be met by a command, and every command that meets it must have such a verdict.
        kind: the group that it is counted in.
        files: made in the case's own folder beforehand; those with a shebang are executable.
        home: likewise, in the home folder: start-up files. Such a case has a login of its own.
        shell: the login shell: bash, dash or zsh.
        alone: whether it needs a login of its own.
        sudo: whether the user may run everything by sudo. Such a case has an account of its own.
        ssh: whether the user can log in again, at hosts named web1 and web2; likewise.
        exit: whether what runs at the shell's exit belongs to it.
        needs: programs without which it cannot be tried.
        gap: why it is known to be judged wrong.
    """

    name: str
    type: list[str | Step]
    expect: dict[str, str | list[str]] = {}
    kind: str = ""
    files: dict[str, str] = {}
    home: dict[str, str] = {}
    shell: str = "bash"
    alone: bool = False
    sudo: bool = False
    ssh: bool = False
    exit: bool = False
    needs: list[str] = []
    gap: str = ""

    @property
    def folder(self) -> str:
        """Its folder, below the home."""
        return re.sub(r"\W+", "-", self.name).strip("-").lower()

    @property
    def own_account(self) -> bool:
        """Whether it needs an account that nobody else has."""
        return bool(self.home) or self.sudo or self.ssh

    @property
    def missing(self) -> list[str]:
        """Programs that are not installed here."""
        return [name for name in self.needs if shutil.which(name) is None]

    def wrong(self, found: list[Verdict]) -> list[str]:
        """What is not as expected, one sentence each."""
        said = []
        for pattern, wanted in self.expect.items():
            allowed = [wanted] if isinstance(wanted, str) else wanted
            meant = [each for each in found if re.search(pattern, " ".join(each.argv))]
            if not meant:
                said.append(f"no command meets {pattern!r}")
            for each in meant:
                if each.verdict not in allowed:
                    what = f"{' '.join(each.argv)!r} is {each.verdict} ({each.severity})"
                    said.append(f"{what}, not {' or '.join(allowed)}: {each.reason}")
        return said


def load(name: str) -> list[Case]:
    """The cases of a file of this folder, by kind.

    Raises:
        msgspec.ValidationError: a case has an unknown key or a wrong type.
    """
    groups = yaml.safe_load((HERE / name).read_text("utf-8"))
    cases = [
        msgspec.structs.replace(case, kind=kind)
        for kind, entries in groups.items()
        for case in msgspec.convert(entries, list[Case])
    ]
    names = [case.folder for case in cases]
    assert len(set(names)) == len(names), sorted({each for each in names if names.count(each) > 1})
    return cases
