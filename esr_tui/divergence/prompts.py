"""What prompts look like, and where they end: learned from those that were seen waiting."""

from __future__ import annotations

import re
from collections.abc import Iterable

_KEPT = 16
_LIKE = re.compile(r"(?:[❯➜»›⟩▶]|(?:^|(?<=[\w\])}~/:.@ -]))[$#%>λ]+) ?$")
_LIKE_INSIDE = re.compile(r"^.*?[$#%>❯➜»λ›⟩▶] ")
_CONTINUATION = re.compile(r"[a-z ()|&!{}-]*> ?|\.{3}:? ")
_SEARCH = re.compile(r"^\((?:failed )?(?:reverse-|fwd-|i-|reverse )?(?:i-)?search\)`.*?': ?")


def promptlike(text: str) -> bool:
    """Whether text looks like a prompt that waits: it ends with one of the usual signs."""
    return bool(_LIKE.search(text))


def without_search(text: str) -> str:
    """A line without the prompt of an incremental history search."""
    return _SEARCH.sub("", text, count=1)


def continues(prompt: str, first: str) -> bool:
    """Whether a prompt asks for more of a line that is not finished, and was begun at the prompt `first`."""
    if prompt == first and not re.fullmatch(r"> ?", prompt):
        return False
    if _CONTINUATION.fullmatch(prompt):
        return True
    return prompt.strip()[-1:] != first.strip()[-1:]


class Prompts:
    """The prompts seen so far, the newest last; bounded."""

    def __init__(self) -> None:
        self._known: dict[str, None] = {}

    def learn(self, prompt: str) -> None:
        """A prompt was seen waiting."""
        if prompt.strip():
            self._known.pop(prompt, None)
            self._known[prompt] = None
            if len(self._known) > _KEPT:
                self._known.pop(next(iter(self._known)))

    def __contains__(self, prompt: str) -> bool:
        return prompt in self._known

    def possible(self, text: str | None) -> bool:
        """Whether a row that ends with `text` may end with a prompt; None for a text that is not known."""
        if text is None or promptlike(text):
            return True
        return bool(text) and any(text.endswith(prompt) or prompt.endswith(text) for prompt in self._known)

    def newest(self) -> Iterable[str]:
        """The prompts known, newest first."""
        return reversed(self._known)

    def length(self, text: str, waited: bool) -> int:
        """How much of the beginning of `text` is the prompt; the rest was typed.

        Args:
            text: what stood before the cursor.
            waited: whether the cursor rested there, so that `text` may well be the prompt and nothing else.
        """
        if text in self._known:
            return len(text)
        known = self.known_length(text)
        if known:
            return known
        if waited and promptlike(text):
            return len(text)
        alike = max((self._alike(text, prompt) for prompt in self._known), default=0)
        if alike:
            return alike
        inside = _LIKE_INSIDE.match(text)
        if inside:
            return inside.end()
        return len(text) if waited else 0

    def known_length(self, text: str) -> int:
        """The length of the known prompt that `text` begins with; without echo several stand one after another."""
        at = 0
        while longest := max(
            (len(prompt) for prompt in self._known if text.startswith(prompt, at)), default=0
        ):
            at += longest
        return at

    @staticmethod
    def _alike(text: str, prompt: str) -> int:
        """The length of a prompt that begins as `prompt` does, and ends with its sign, with other text between."""
        sign = re.search(r"\S\s*$", prompt)
        begin = re.match(r"[\[(]?\w+", prompt)
        if not sign or not begin or len(sign[0]) < 2 or not text.startswith(begin[0]):
            return 0
        at = text.find(sign[0], begin.end())
        return at + len(sign[0]) if at >= 0 else 0
