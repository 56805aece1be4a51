"""The footer: the keys that can be pressed now, as many as fit whole."""

from __future__ import annotations

from textual import events
from textual.widgets import Footer


class KeyBar(Footer):
    """A footer on which no key is cut off: the first that does not fit, and what follows it, are not shown."""

    DEFAULT_CSS = """
    KeyBar.-compact FooterKey.-command-palette { margin-right: 0; }
    """

    def __init__(self) -> None:
        super().__init__(compact=True)
        self._shown: list[tuple[str, str, bool]] | None = None

    async def recompose(self) -> None:
        """Other keys; the same ones stay as they are, since to make them anew costs several frames."""
        active = self.screen.active_bindings
        shown = [
            (key, each.binding.description, each.enabled) for key, each in active.items() if each.binding.show
        ]
        if shown == self._shown and self._bindings_ready:
            return
        self._shown = shown
        await super().recompose()
        self.call_after_refresh(self._fit)

    def on_resize(self, event: events.Resize) -> None:
        """Another width."""
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        docked = [each for each in self.children if each.has_class("-command-palette")]
        room = self.size.width - sum(each.outer_size.width for each in docked)
        for each in self.children:
            each.visible = each in docked or each.virtual_region.right <= room
