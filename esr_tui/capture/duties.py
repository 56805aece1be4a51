"""What the recorder does between two looks at the rings: reload, the analyst, the service manager."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from esr_tui.capture.companion import Companion
from esr_tui.capture.engine import Engine
from esr_tui.capture.notify import Notifier
from esr_tui.capture.reload import reload
from esr_tui.capture.reporting import Reporter
from esr_tui.capture.signals import Signals
from esr_tui.config.keeping import STOP
from esr_tui.config.schema import Config
from esr_tui.model.status import Status

_EVERY_S = 0.2

Apply = Callable[[Config, Config], None]
"""Makes a part of the recorder follow a new configuration: called with the old one and the new one."""


class Duties:
    """Looked after once for each step of the engine, so that the watchdog is fed only while steps are completed.

    Args:
        apply: what follows a new configuration, beside the analyst.
        report: takes what `esr status` tells.
    """

    def __init__(
        self,
        engine: Engine,
        analyst: Companion,
        manager: Notifier,
        *,
        config: Config,
        config_path: Path | None,
        apply: Apply,
        report: Callable[[Status], None],
    ) -> None:
        self.config = config
        self._roster = engine.roster
        self._analyst = analyst
        self._manager = manager
        self._path = config_path
        self._apply = apply
        self._due = 0.0
        self._reporter = Reporter(engine, analyst, report)

    @property
    def full(self) -> bool:
        """Whether neither the disk nor the memory takes more, and the configuration says to stop then."""
        writing = self._roster.writing
        return self.config.when_full == STOP and bool(writing.dropped)

    def look(self, signals: Signals) -> None:
        """Does what is due."""
        if signals.reload:
            signals.reload = False
            self._reload()
        now = time.monotonic()
        if now >= self._due:
            self._due = now + _EVERY_S
            self._analyst.look()
            self._reporter.look()
            signals.stop |= self.full or self._roster.store.gone
            self._manager.alive(self.status())

    def status(self) -> str:
        """One line for `systemctl status`."""
        count = len(self._roster.sessions)
        said = f"{count} session{'' if count == 1 else 's'} recorded now"
        if deaths := self._analyst.deaths:
            said += f"; the analyst was started again {deaths} time{'' if deaths == 1 else 's'}"
        return said

    def _reload(self) -> None:
        """Reads the configuration and the rules again. What the rings take meanwhile waits there."""
        self._manager.reloading()
        done = reload(self.config, self._path, self._roster.store.data_dir)
        if not done.refused:
            self._apply(self.config, done.config)
            self.config = done.config
            self._analyst.begin(done.config)
        self._roster.complain(done.sentence)
        self._manager.ready(self.status())
