"""Events to JSON lines and back."""

from __future__ import annotations

import msgspec

from esr_tui.model.events import AnyEvent, Event
from esr_tui.model.text import inert_json

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def encode(event: Event | msgspec.Struct) -> bytes:
    """One JSON object without a newline; inert when shown by a terminal."""
    return inert_json(_encoder.encode(event))


def decode(line: bytes) -> AnyEvent:
    """The event of one JSON line.

    Raises:
        msgspec.MsgspecError: the line is no JSON, or no event that esr knows.
    """
    return _decoder.decode(line)
