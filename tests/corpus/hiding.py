"""Harmless commands of the Atomic Red Team collection, typed as they are and hidden in fourteen ways."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import yaml

from esr_tui.model.verdict import DIVERGENT, IMPLIED, INLINE, PIPED, SCRIPTED, SHOWN, UNSEEN, Verdict
from tests.corpus.cases import HERE, Case, Step

COLLECTION = HERE.parents[2] / "shared" / "data" / "atomic" / "linux-local.json"
PLAIN = "plain"
_INTERPRETERS = re.compile(r"(^|/)(sh|bash|perl|python3?|init  )$")
_MEMFD = """\
import base64, os
fd = os.memfd_create("x", 0)
os.write(fd, base64.b64decode("{}"))
os.execv("/bin/bash", ["bash", f"/proc/self/fd/{{fd}}"])
"""


class Atomic(msgspec.Struct, frozen=True):
    """A command of the collection."""

    technique: str
    name: str
    guid: str
    needs_root: bool
    command: str


class Way(msgspec.Struct, frozen=True):
    """A way to run a text.

    Attributes:
        make: the lines to type and the files to make, for the text.
        own: what the way itself executes, over the arguments joined by blanks; the line shows it.
        fair: verdicts that are right for what the text executes.
    """

    make: Callable[[str], tuple[list[str], dict[str, str]]]
    own: str
    fair: frozenset[str]


def allowed(collection: Path = COLLECTION) -> list[Atomic]:
    """The commands that may be run: those of the list beside this file, and none else."""
    listed = yaml.safe_load((HERE / "atomic.yaml").read_text("utf-8"))
    found = msgspec.convert(json.loads(collection.read_text("utf-8")), list[Atomic])
    return [each for each in found if each.guid in listed and not each.needs_root]


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decode(text: str) -> str:
    return f"echo {_coded(text)} | base64 -d"


def _octal(text: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in text.encode())


def _python(text: str) -> str:
    return (
        "/usr/bin/python3 -c \"import base64,subprocess;subprocess.run(['bash','-c',"
        f"base64.b64decode('{_coded(text)}').decode()])\""
    )


def _way(
    make: Callable[[str], list[str]],
    own: str,
    *fair: str,
    files: Callable[[str], dict[str, str]] = lambda text: {},
) -> Way:
    return Way(lambda text: (make(text), files(text)), own, frozenset(fair))


def _script(text: str) -> dict[str, str]:
    return {"job.sh": text}


WAYS: dict[str, Way] = {
    PLAIN: _way(lambda t: t.strip().split("\n"), "^$", SHOWN, IMPLIED),
    "base64": _way(lambda t: [f"{_decode(t)} | bash"], r"^(base64 -d|bash)$", PIPED),
    "script": _way(lambda t: ["bash job.sh"], r"^bash job\.sh$", SCRIPTED, files=_script),
    # The text stands on the screen, and yet it came as a pipe.
    "here-document": _way(lambda t: ["bash <<'ZZ'", *t.strip().split("\n"), "ZZ"], r"^bash$", PIPED, SHOWN),
    "python -c": _way(lambda t: [_python(t)], r"^/usr/bin/python3 -c import base64,sub", INLINE),
    "xargs": _way(
        lambda t: [f"{_decode(t)} | xargs -0 bash -c"], r"^(base64 -d|xargs -0 bash -c)$", PIPED, INLINE
    ),
    "printf": _way(lambda t: [f"printf '{_octal(t)}' | bash"], r"^bash$", PIPED),
    "eval": _way(lambda t: [f"x=$({_decode(t)})", 'eval "$x"'], r"^base64 -d$", INLINE),
    "substitution": _way(lambda t: [f'bash -c "$({_decode(t)})"'], r"^(base64 -d$|bash -c )", INLINE),
    # A script runs it, from a file that is no file.
    "memfd": _way(
        lambda t: ["/usr/bin/python3 mem.py"],
        r"^/usr/bin/python3 mem\.py$",
        PIPED,
        SCRIPTED,
        files=lambda t: {"mem.py": _MEMFD.format(_coded(t))},
    ),
    "process substitution": _way(
        lambda t: [f"bash <({_decode(t)})"], r"^(base64 -d|bash /dev/fd/\d+)$", PIPED
    ),
    "dot": _way(lambda t: [". ./job.sh"], "^$", SCRIPTED, files=_script),
    "trap": _way(lambda t: [f'trap "$({_decode(t)})" USR1', "kill -USR1 $$"], r"^base64 -d$", UNSEEN, INLINE),
    "alias": _way(lambda t: [f'alias zz="$({_decode(t)})"', "zz"], r"^base64 -d$", INLINE, UNSEEN),
    "function": _way(
        lambda t: [f'eval "zz() {{ $({_decode(t)})', '}"', "zz"], r"^base64 -d$", INLINE, UNSEEN
    ),
    "background": _way(
        lambda t: ["(sleep 0.5; . ./job.sh) &", "echo meanwhile", "wait"],
        r"^sleep 0\.5$",
        SCRIPTED,
        UNSEEN,
        files=_script,
    ),
}
"""The first types it as it is."""


def case(atomic: Atomic, way: str, home: str) -> Case:
    """An atomic command, run in a way, with the case's own folder for /tmp."""
    name = f"{atomic.guid[:8]} {way}"
    folder = f"{home}/{Case(name=name, type=[]).folder}"
    text = re.sub(r"/(?:var/)?tmp(?=/)", folder, atomic.command)
    lines, files = WAYS[way].make(text)
    typed: list[str | Step] = ["export HISTFILE", *lines]  # some read it, and would wait for input without
    return Case(name=name, type=typed, files=files, alone=True, kind=way)


def judged(way: str, verdicts: list[Verdict]) -> tuple[int, list[Verdict]]:
    """How many commands of the text were executed, and those that were judged wrong.

    What the text gives to an interpreter of its own may be called by that one's way, too.
    """
    own, fair = re.compile(WAYS[way].own), WAYS[way].fair
    meant = [
        each
        for each in verdicts
        if not (each.verdict in (SHOWN, IMPLIED) and own.search(" ".join(each.argv)))
    ]
    inner = {each.pid for each in meant if _INTERPRETERS.search(each.argv[0])}

    def right(each: Verdict) -> bool:
        within = way != PLAIN and each.verdict in DIVERGENT and not inner.isdisjoint(each.evidence.chain)
        return each.verdict in fair or within

    return len(meant), [each for each in meant if not right(each)]
