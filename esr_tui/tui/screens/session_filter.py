"""The session screen's filter bar."""

from __future__ import annotations

from collections.abc import Iterable

from esr_tui.filtering import EVENTS, NOTHING, Filter, FilterError, parse
from esr_tui.filtering.completion import Completion, complete
from esr_tui.tui.screens.session_export import SessionExport
from esr_tui.tui.widgets.inputs import Prompt


class SessionFilter(SessionExport):
    """The session screen that can narrow its events."""

    def action_filter(self) -> None:
        """Opens the filter bar."""
        self.query_one("#filter", Prompt).open()

    def _filter(self, text: str) -> None:
        """What is typed works at once; what cannot be understood (yet) changes nothing."""
        prompt = self.query_one("#filter", Prompt)
        try:
            narrowed = parse(text, EVENTS, self._sources.filters)
        except FilterError as error:
            prompt.correct(error)
            return
        self._narrow(narrowed)
        prompt.tell("no event matches" if narrowed and not self.model.log.visible else "")

    def _narrow(self, narrowed: Filter) -> None:
        index = self.table.index
        self.model.log.narrow(narrowed)
        self._rows_selected(index)

    def _unfilter(self) -> None:
        self._narrow(NOTHING)

    def _complete(self, text: str) -> Completion:
        """What may stand at the end of a filter."""
        return complete(text, EVENTS, self._sources.filters, self._seen)

    def _seen(self, field: str) -> Iterable[str]:
        """Values that a field has in this recording."""
        if field == "program":
            return sorted(self.model.log.programs)
        if field == "user" and self.model.start is not None:
            return ["root", self.model.start.login]
        return ()
