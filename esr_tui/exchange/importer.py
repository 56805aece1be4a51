"""Imports a foreign file in a process of its own, so that the app can show what has come so far:

python -P -m esr_tui.exchange.importer FILE DATA_DIR
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from esr_tui.exchange.locate import resolve
from esr_tui.model.beside import work_beside
from esr_tui.model.text import printable
from esr_tui.recording import RecordingError

_NICE = 5


def importer(text: str, data_dir: Path) -> list[str]:
    """The command line of a process that does this module's work."""
    # -P: nothing is imported from where the user happens to be.
    return [sys.executable, "-P", "-m", "esr_tui.exchange.importer", text, str(data_dir)]


def main(arguments: list[str]) -> int:
    """Imports a file; a sentence on standard error when that fails."""
    work_beside(_NICE)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        print(resolve(arguments[0], Path(arguments[1])))
    except RecordingError as error:
        print(printable(str(error), 1000), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
