"""Values that every event of a recording needs: ids, and text that JSON can hold."""

from __future__ import annotations

import os
from typing import Any

import msgspec

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
