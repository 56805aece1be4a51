"""The name that a DNS query asks for (RFC 1035, section 4.1)."""

from __future__ import annotations

from esr_tui.model.text import decoded

_HEADER = 12
_RESPONSE = 0x80


def question(payload: bytes) -> list[str]:
    """The names in a query's question section (normally one); empty when it is no query, or is cut.

    Questions hold no compression pointers; anything that looks like one ends the reading.
    """
    if len(payload) < _HEADER or payload[2] & _RESPONSE:
        return []
    names: list[str] = []
    at = _HEADER
    for _ in range(min(int.from_bytes(payload[4:6], "big"), 4)):
        labels = []
        while at < len(payload) and payload[at]:
            length = payload[at]
            if length > 63 or at + 1 + length > len(payload):
                return names
            labels.append(decoded(payload[at + 1 : at + 1 + length]))
            at += 1 + length
        if at >= len(payload):
            return names
        names.append(".".join(labels) or ".")
        at += 5
    return names
