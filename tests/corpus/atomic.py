"""Tries atomic commands in all ways, or in some: a login each, in accounts of their own.

`python -m tests.corpus.atomic` tries the whole product (some minutes) and prints what was judged wrong.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from esr_tui.model.verdict import Verdict
from tests.corpus.accounts import Shelled
from tests.corpus.cases import Case
from tests.corpus.hiding import COLLECTION, WAYS, Atomic, allowed, case, judged
from tests.corpus.playing import Login, judge, play
from tests.e2e.capturing import Capture
from tests.e2e.server import OWN, Sshd, watching

_AT_ONCE = 24


class Result:
    """What came of it.

    Attributes:
        commands, right: counted by way.
        wrong: those judged wrong, by way and atomic command.
        failures: logins that did not go as they should.
    """

    def __init__(self) -> None:
        self.commands: Counter[str] = Counter()
        self.right: Counter[str] = Counter()
        self.wrong: dict[str, list[Verdict]] = defaultdict(list)
        self.failures: list[str] = []

    def add(self, login: Login) -> None:
        """Counts the commands of a login."""
        if login.failure:
            self.failures.append(login.failure)
        for played in login.played:
            way = played.case.kind
            count, wrong = judged(way, played.verdicts)
            self.commands[way] += count
            self.right[way] += count - len(wrong)
            self.wrong[played.case.name] += wrong

    @property
    def percent(self) -> float:
        """Of all commands, those judged right."""
        return 100 * self.right.total() / max(1, self.commands.total())

    def summary(self) -> str:
        """One line."""
        return f"atomic: {self.right.total()}/{self.commands.total()} commands right ({self.percent:.2f} %)"

    def lines(self) -> list[str]:
        """What was judged wrong, a line each."""
        return [
            f"{name}: {each.verdict} {' '.join(each.argv)[:100]!r}: {each.reason}"
            for name, wrong in self.wrong.items()
            for each in wrong
        ]


def run(
    sshd: Sshd, recorder: Capture, base: Shelled, chosen: Iterable[tuple[Atomic, Sequence[str]]]
) -> Result:
    """Types each command in the ways chosen for it."""

    accounts = []

    def work(item: tuple[Atomic, Sequence[str]]) -> list[Login]:
        atomic, ways = item
        account = base.another()
        accounts.append(account)
        return [_play(sshd, account, case(atomic, way, str(account.home))) for way in ways]

    try:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            logins = [login for found in pool.map(work, chosen) for login in found]
    finally:
        for account in accounts:
            account.remove()
    judge(recorder.data_dir, logins)
    result = Result()
    for login in logins:
        result.add(login)
    return result


def _play(sshd: Sshd, account: Shelled, one: Case) -> Login:
    account.clean()
    return play(sshd, account, [one])


def main() -> None:
    """The whole product, or the ways that the command line names."""
    if not COLLECTION.exists():
        sys.exit(f"the collection is missing: put it at {COLLECTION}")
    ways = sys.argv[1:] or list(WAYS)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended before its time"))
    with tempfile.TemporaryDirectory(prefix="esr-corpus-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        base = Shelled(f"esr-atomic-{os.getpid()}", "bash")
        (place / "sshd").mkdir()
        sshd = Sshd(place / "sshd", base, name=OWN)
        recorder = Capture(place / "store", watching(OWN))
        try:
            result = run(sshd, recorder, base, [(each, ways) for each in allowed()])
        finally:
            base.remove()
            sshd.stop()
            recorder.stop()
    print("\n".join([*result.failures, *result.lines()]))
    for way in ways:
        print(f"{way:<22}{result.right[way]:>5} of {result.commands[way]}")
    print(result.summary())


if __name__ == "__main__":
    main()
