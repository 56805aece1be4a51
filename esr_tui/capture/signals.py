"""What the recorder was asked to do by a signal."""

from __future__ import annotations

import os
import signal


class Signals:
    """Notes signals; the recorder's loop looks here.

    Attributes:
        stop: SIGTERM, SIGINT, or the terminal of a recorder in the foreground went away.
        reload: SIGHUP.
        hand_over: SIGUSR2: another recorder is ready to go on.
    """

    def __init__(self) -> None:
        self.stop = self.reload = self.hand_over = False
        self._on_terminal = os.isatty(2)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._hung_up)
        signal.signal(signal.SIGUSR2, self._hand_over)

    @property
    def end(self) -> bool:
        """Whether the recorder is to end, in whichever way."""
        return self.stop or self.hand_over

    def _stop(self, _number: int, _frame: object) -> None:
        self.stop = True

    def _hung_up(self, _number: int, _frame: object) -> None:
        if self._on_terminal and not os.isatty(2):
            self.stop = True
        else:
            self.reload = True

    def _hand_over(self, _number: int, _frame: object) -> None:
        self.hand_over = True
