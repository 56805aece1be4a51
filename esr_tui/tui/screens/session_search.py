"""The session screen's search: through all that the terminal showed, and all events, on one clock."""

from __future__ import annotations

from bisect import bisect_left, insort
from functools import partial

from msgspec import structs
from textual.message import Message

from esr_tui.search.query import Hit, Query, QueryError, Scope
from esr_tui.tui.rows import row as table_row
from esr_tui.tui.screens.session_filter import SessionFilter
from esr_tui.tui.searching import News
from esr_tui.tui.stopping import Stop
from esr_tui.tui.timefmt import stamp
from esr_tui.tui.widgets.inputs import SearchPrompt
from esr_tui.tui.widgets.line_table import fit

HITS_MOST = 100_000
"""Hits that are kept; what is beyond is counted."""
SCOPES = (
    ("search", Scope()),
    ("search screen", Scope(events=False)),
    ("search events", Scope(screen=False)),
)


class SessionSearch(SessionFilter):
    """The session screen that can search its recording."""

    class Searched(Message):
        """News of a search."""

        def __init__(self, number: int, news: News) -> None:
            super().__init__()
            self.number = number
            self.news = news

    def on_mount(self) -> None:
        """Nothing is searched yet."""
        self._query: Query | None = None
        self._search_number = self._scope = 0
        self._search_stop = Stop()
        self._hits: list[Hit] = []
        self._hit = -1
        self._beyond = 0
        self._news = News([])
        self._collecting = False
        self._searcher = self._sources.searcher(self._path)

    def on_unmount(self) -> None:
        """Ends the search."""
        self._search_stop.set()

    def action_search(self) -> None:
        """Opens the search, and starts reading the recording for it."""
        prompt = self.query_one("#search", SearchPrompt)
        prompt.open()
        if not self._collecting:
            self._collecting = True
            work = partial(self._searcher.collect, self._stop)
            self.run_worker(work, thread=True, group="collecting", exit_on_error=False)
        if prompt.value and self._query is None:
            self._search(prompt.value)

    def _search(self, text: str) -> None:
        """Begins anew with another expression."""
        self._search_stop.set()
        prompt = self.query_one("#search", SearchPrompt)
        self._hits, self._hit, self._beyond, self._news = [], -1, 0, News([])
        self._query, problem = None, ""
        if text:
            try:
                self._query = Query(text, SCOPES[self._scope][1])
            except QueryError as error:
                problem = str(error)
        self.terminal.find(self._query.spans if self._query else None)
        if self._query is None:
            prompt.tell(problem)
            return
        self._search_number += 1
        self._search_stop = Stop()
        give = partial(self._give_news, self._search_number)
        work = partial(self._searcher.search, self._query, give, self._search_stop)
        self.run_worker(work, thread=True, group="search", exit_on_error=False)
        self._tell_hits()

    def _give_news(self, number: int, news: News) -> None:
        self._post(self.Searched(number, news))

    def on_session_search_searched(self, message: Searched) -> None:
        """Takes hits in, wherever they belong by time."""
        if message.number != self._search_number or self._query is None:
            return
        here = self._hits[self._hit] if self._hit >= 0 else None
        for hit in message.news.hits:
            if len(self._hits) < HITS_MOST:
                insort(self._hits, hit, key=_time)
            else:
                self._beyond += 1
        if here is not None:
            self._hit = self._hits.index(here, bisect_left(self._hits, here.ms, key=_time))
        self._news = message.news
        self._tell_hits()

    def on_search_prompt_stepped(self, message: SearchPrompt.Stepped) -> None:
        """To the next hit or the one before; the first one is that at the present moment."""
        if not self._hits:
            return
        if self._hit < 0:
            at = bisect_left(self._hits, int(self.player.position), key=_time)
            self._hit = at if message.direction > 0 else at - 1
        else:
            self._hit += message.direction
        self._hit %= len(self._hits)
        hit = self._hits[self._hit]
        self._seek(hit.ms)
        if hit.source == "screen":
            # Its own place within the moment: what follows in the same millisecond may have scrolled it away.
            self.player.seek_to(hit.ms, hit.offset)
            self._moved()
        else:
            self._select_hit(hit)
        self.terminal.find(self._query.spans if self._query else None, hit.row)
        self._tell_hits()

    def _select_hit(self, hit: Hit) -> None:
        """Highlights the event of a hit, where the table shows it."""
        log = self.model.log
        row = log.at(hit.ms)
        while row >= 0 and (index := log.visible[row]) >= 0 and log.ms(index) == hit.ms:
            shown = table_row(log.event(index))  # as it is, whatever is hidden
            if shown.kind == hit.source and shown.summary[:80] in hit.text:
                self._select(row)
                return
            row -= 1

    def on_search_prompt_rescoped(self, message: SearchPrompt.Rescoped) -> None:
        """Screen and events, the screen alone, the events alone."""
        self._scope = (self._scope + 1) % len(SCOPES)
        self.query_one("#search", SearchPrompt).entitle(SCOPES[self._scope][0])
        self._search(message.text)

    @property
    def searching(self) -> bool:
        """Whether the search is open."""
        return self.query_one("#search", SearchPrompt).is_open

    def _leave_search(self) -> None:
        """Marks and hits go; the position stays."""
        self._search("")

    def _tell_hits(self) -> None:
        """How many hits there are, how far the search is, and the hits around the present one."""
        prompt, news = self.query_one("#search", SearchPrompt), self._news
        count = len(self._hits) + self._beyond
        said = [f"{self._hit + 1}/{count}" if self._hit >= 0 else f"{count} hits" if count != 1 else "1 hit"]
        if news.problem:
            said = [news.problem]
        elif not news.level:
            part = news.reached / self.model.tape.size if self.model.tape.size else 0.0
            said.append(f"searching {min(part, 0.99):.0%}")
        if news.missed:
            said.append(f"{news.missed} lines not kept")
        prompt.tell(", ".join(said))
        prompt.list(self._around())

    def _around(self) -> list[str]:
        """The hit before, the present one, and the next; the first ones while none is present."""
        start = max(0, min(self._hit - 1, len(self._hits) - 3))
        width = max(20, self.size.width - 2)
        lines = []
        for number in range(start, min(start + 3, len(self._hits))):
            hit = self._hits[number]
            shown = self._sources.lens.text(hit.text, aligned=True)
            hit = hit if shown == hit.text else structs.replace(hit, text=shown)
            sign = "▶" if number == self._hit else " "
            head = f"{sign} {stamp(hit.ms):>9}  {hit.source:<8}  "
            lines.append(head + fit(_near(hit, width - len(head)), max(8, width - len(head))))
        return lines


def _time(hit: Hit) -> int:
    return hit.ms


def _near(hit: Hit, width: int) -> str:
    """The hit's line from a little before its first match on, where it is long."""
    if len(hit.text) <= width or not hit.spans:
        return hit.text
    start = max(0, hit.spans[0][0] - width // 3)
    return f"…{hit.text[start:]}" if start else hit.text
