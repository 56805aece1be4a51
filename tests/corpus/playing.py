"""Cases typed into real shells over ssh, and the verdicts on the recordings."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from esr_tui.divergence.analysis import Analysis
from esr_tui.divergence.rules import RuleSet
from esr_tui.model.events import SessionStart
from esr_tui.model.session import SessionSummary
from esr_tui.model.verdict import Verdict
from esr_tui.recording import Catalog, RecordingReader
from tests.corpus.accounts import Shelled
from tests.corpus.cases import Case, Step
from tests.corpus.typist import Typist
from tests.e2e.server import Sshd
from tests.e2e.waiting import until

AT_ONCE = 32
_IN_ONE_LOGIN, _STEPS = 5, 45
"""Cases that share a login at most, and the steps of all of them: the longest login is what a corpus waits for."""


@dataclass
class Played:
    """A case that was typed.

    Attributes:
        began, ended: on the kernel's boot clock, in nanoseconds.
        verdicts: on the commands that ran between the two.
    """

    case: Case
    began: int
    ended: int
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        """What is not as expected."""
        return self.case.wrong(self.verdicts)


@dataclass
class Login:
    """One login: who, and what was typed when."""

    user: str
    played: list[Played]
    failure: str = ""
    verdicts: list[Verdict] = field(default_factory=list)
    index: Path | None = None


def _now() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def groups(cases: Iterable[Case]) -> list[list[Case]]:
    """Cases that share a login: some at a time, of one shell."""
    found: list[list[Case]] = []
    open_groups: dict[str, list[Case]] = {}
    for case in cases:
        if case.alone or case.own_account:
            found.append([case])
            continue
        group = open_groups.setdefault(case.shell, [])
        if group and _length([*group, case]) > _STEPS:
            found.append(group)
            group = open_groups[case.shell] = []
        group.append(case)
        if len(group) == _IN_ONE_LOGIN:
            found.append(open_groups.pop(case.shell))
    return found + list(open_groups.values())


def prepare(account: Shelled, case: Case) -> None:
    """Makes the files of a case."""
    folder = account.folder(case.folder)
    for name, text in case.files.items():
        _write(account, f"{folder}/{name}", text)


def _write(account: Shelled, name: str, text: str) -> None:
    """A file of the home, with its folders; executable when it is a script."""
    for parent in reversed(Path(name).parents[:-1]):
        account.folder(str(parent))
    account.write(name, text, 0o755 if text.startswith("#!") else 0o644)


def play(sshd: Sshd, account: Shelled, cases: Sequence[Case]) -> Login:
    """Logs in, types the cases, logs out."""
    for case in cases:
        prepare(account, case)
    for name, text in cases[0].home.items():
        _write(account, name, text)
    argv = ["ssh", "-tt", *sshd.options(), f"{account.name}@127.0.0.1"]
    login = Login(account.name, [])
    with Typist(argv, (100, 30)) as client:
        try:
            client.prompt(0)
            for case in cases:
                _type(client, case, login)
            client.watch(client.think)
            client.type("exit\r")
            client.ended(20)
        except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
            last = login.played[-1].case.name if login.played else "the login"
            login.failure = f"{last}: {error}: {client.enough()}"
    return login


def _type(client: Typist, case: Case, login: Login) -> None:
    played = Played(case, _now(), 1 << 62)
    login.played.append(played)
    client.line(f"cd ~/{case.folder}")
    for each in case.type:
        if isinstance(each, Step):
            client.step(each)
        else:
            client.line(each)
    client.watch(client.think)
    if not case.exit:
        played.ended = _now()


def _length(group: list[Case]) -> int:
    """How long a login lasts, about, in steps: the longest are begun first."""
    return sum(len(case.type) + 2 for case in group)


def play_all(sshd: Sshd, accounts: dict[str, Shelled], cases: Iterable[Case], store: Path) -> list[Login]:
    """Types all cases, several logins at a time, and judges the recordings."""

    def work(group: list[Case]) -> Login:
        account = accounts[group[0].shell]
        if not group[0].own_account:
            return play(sshd, account, group)
        own = account.another()  # start-up files are of a whole account
        try:
            if group[0].sudo:
                own.may_sudo()
            if group[0].ssh:
                own.has_neighbours(sshd)
            return play(sshd, own, group)
        finally:
            own.remove()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        logins = list(pool.map(work, sorted(groups(cases), key=_length, reverse=True)))
    for account in accounts.values():
        account.kill()
    judge(store, logins)
    return logins


def judge(store: Path, logins: Sequence[Login]) -> None:
    """Analyses the recordings that belong to the logins."""
    catalog = Catalog(store)
    users = {login.user for login in logins}

    def mine() -> list[SessionSummary]:  # the recorder may see logins of other runs
        return [each for each in catalog.sessions() if each.login in users]

    until(lambda: all(each.state == "ended" for each in mine()), "the sessions to end", 20)
    rules = RuleSet.load(builtin=True)
    recordings = {}
    for summary in mine():
        start, output, verdicts = read(Path(summary.recording), rules)
        recordings[start.login, _first_folder(output)] = start, verdicts, Path(summary.recording)
    for login in logins:
        key = login.user, login.played[0].case.folder if login.played else ""
        if key not in recordings:
            login.failure = login.failure or f"{key} is not recorded"
            continue
        start, login.verdicts, login.index = recordings[key]
        for played in login.played:
            first, last = (((each - start.ktime) // 1_000_000) for each in (played.began, played.ended))
            played.verdicts = [each for each in login.verdicts if first <= each.ms < last]


def _first_folder(output: bytes) -> str:
    """The folder of the first case that was typed."""
    found = re.search(rb"cd ~/([\w-]+)", output)
    return found[1].decode() if found else ""


def read(index: Path, rules: RuleSet | None) -> tuple[SessionStart, bytes, list[Verdict]]:
    """A recording's beginning, its terminal stream and its verdicts."""
    analysis, reader = Analysis(rules), RecordingReader(index)
    start: SessionStart | None = None
    output, verdicts = b"", []
    while piece := reader.read():
        start = start or next((each for each in piece.events if isinstance(each, SessionStart)), None)
        output += b"".join(each.data for each in piece.output)
        verdicts += analysis.feed(piece.events, piece.output)
    verdicts += analysis.finish()
    reader.close()
    assert start is not None
    latest = {
        each.ei: each for each in verdicts
    }  # one comes again when a rule knows what its process did later
    return start, output, list(latest.values())
