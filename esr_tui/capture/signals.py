"""What the recorder was asked to do by a signal."""

from __future__ import annotations

import os
import signal

from esr_tui.model.clock import Clock

_WAIT_NS = 3_000_000_000
"""For logins that are just beginning when another recorder wants to go on."""


class Signals:
    """Notes signals; the recorder's loop looks here.

    Attributes:
        stop: SIGTERM, SIGINT, or the terminal of a recorder in the foreground went away.
        reload: SIGHUP.
        hand_over: SIGUSR2: another recorder is ready to go on.
    """

    def __init__(self) -> None:
        self.stop = self.reload = self.hand_over = False
        self._asked = 0
        self._on_terminal = os.isatty(2)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._hung_up)
        signal.signal(signal.SIGUSR2, self._hand_over)

    def end(self, expecting: bool) -> bool:
        """Whether the recorder is to end, in whichever way.

        Args:
            expecting: something is kept in memory that a successor could not know; it is waited for a little.
        """
        return self.stop or (self.hand_over and (not expecting or Clock.now() - self._asked > _WAIT_NS))

    def _stop(self, _number: int, _frame: object) -> None:
        self.stop = True

    def _hung_up(self, _number: int, _frame: object) -> None:
        if self._on_terminal and not os.isatty(2):
            self.stop = True
        else:
            self.reload = True

    def _hand_over(self, _number: int, _frame: object) -> None:
        self._asked = self._asked or Clock.now()
        self.hand_over = True
