"""Values that every event needs: ids, and text that JSON can hold; events that belong to no session."""

from __future__ import annotations

import os
from typing import Any, TypeVar

import msgspec

from esr_tui.model.clock import Clock
from esr_tui.model.envelope import Event

E = TypeVar("E", bound=Event)

_POOL = 4096
_pool: list[str] = []


def new_uid() -> str:
    """A random UUID (version 4); drawn from the kernel some hundreds at a time."""
    if not _pool:
        digits = os.urandom(_POOL).hex()
        _pool.extend(digits[at : at + 32] for at in range(0, len(digits), 32))
    d = _pool.pop()
    return f"{d[:8]}-{d[8:12]}-4{d[13:16]}-{'89ab'[int(d[16], 16) & 3]}{d[17:20]}-{d[20:]}"


def encodable(value: Any) -> Any:
    """`value` with lone surrogates, which UTF-8 has no place for, written as `\\udcXX`."""
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case list() | tuple():
            return [encodable(item) for item in value]
        case dict():
            return {encodable(key): encodable(item) for key, item in value.items()}
        case msgspec.Struct():
            parts = {name: encodable(getattr(value, name)) for name in value.__struct_fields__}
            return msgspec.structs.replace(value, **parts)
        case _:
            return value


def of_no_session(kind: type[E], node: str, ktime: int, *, sid: str = "", **fields: Any) -> E:
    """An event for the audit log alone, about the recorder or its store.

    Args:
        node: the node's UUID.
        ktime: boot-clock nanoseconds.
        sid: of the recording that it is about, if of one.
        fields: what the kind has beside what all events carry.
    """
    return kind(
        code=kind.CODE,
        time=Clock.measure().wall(ktime),
        uid=new_uid(),
        ei=0,
        sid=sid,
        server_id=node,
        ktime=ktime,
        **fields,
    )
