"""The command palette: every action that is possible now, taken from the bindings."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from functools import partial
from typing import Any

from textual.binding import ActiveBinding
from textual.command import DiscoveryHit, Hit, Hits, Provider


class Actions(Provider):
    """Offers the enabled bindings of the screen below the palette, each action once."""

    def _possible(self) -> Iterator[tuple[str, ActiveBinding]]:
        seen: set[str] = set()
        # What the footer shows comes first; moving by a row comes last.
        everything = sorted(self.screen.active_bindings.values(), key=lambda each: not each.binding.show)
        for active in everything:
            binding = active.binding
            name = binding.id or binding.action
            if not active.enabled or not binding.description or name in seen or binding.system:
                continue
            seen.add(name)
            key = self.app.get_key_display(binding)
            yield f"{binding.description}  ({key})", active

    async def discover(self) -> Hits:
        """All of them."""
        for name, active in self._possible():
            yield DiscoveryHit(name, self._run(active), help=active.binding.tooltip or None)

    async def search(self, query: str) -> Hits:
        """Those that match what was typed."""
        matcher = self.matcher(query)
        for name, active in self._possible():
            if (score := matcher.match(name)) > 0:
                shown = matcher.highlight(name)
                yield Hit(score, shown, self._run(active), help=active.binding.tooltip or None)

    def _run(self, active: ActiveBinding) -> partial[Coroutine[Any, Any, bool]]:
        return partial(self.app.run_action, active.binding.action, active.node)
