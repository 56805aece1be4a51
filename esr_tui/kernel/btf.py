"""Byte offsets of kernel structs, from the running kernel's BTF.

libbpf reads it (a dependency of bcc, so always there when bcc is); nothing is compiled from kernel headers.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator

from esr_tui.kernel.errors import KernelError
from esr_tui.kernel.libbpf import library

_STRUCT, _UNION, _TYPEDEF, _VOLATILE, _CONST, _RESTRICT, _FUNCTION, _TAG = 4, 5, 8, 9, 10, 11, 12, 18
_MODIFIERS = {_TYPEDEF, _VOLATILE, _CONST, _RESTRICT, _TAG}


class Btf:
    """The type information of the running kernel.

    Raises:
        KernelError: the kernel has none (CONFIG_DEBUG_INFO_BTF) or libbpf is missing.
    """

    def __init__(self) -> None:
        self._lib = lib = library()
        self._btf = lib.btf__load_vmlinux_btf()
        if not self._btf:
            raise KernelError(
                "the kernel has no type information (/sys/kernel/btf/vmlinux); "
                "boot a kernel built with CONFIG_DEBUG_INFO_BTF"
            )

    def close(self) -> None:
        """Frees the type information (about 10 MB)."""
        if self._btf:
            self._lib.btf__free(self._btf)
            self._btf = None

    def offset(self, name: str, member: str) -> int | None:
        """Bytes from the start of struct `name` to `member`, inside anonymous members too; None if absent."""
        type_id = self._lib.btf__find_by_name_kind(self._btf, name.encode(), _STRUCT)
        return None if type_id < 0 else self._find(type_id, member.encode())

    def function(self, name: str) -> int | None:
        """The id of a kernel function; None when the kernel has none of that name."""
        type_id = int(self._lib.btf__find_by_name_kind(self._btf, name.encode(), _FUNCTION))
        return None if type_id < 0 else type_id

    def _find(self, type_id: int, member: bytes) -> int | None:
        for name, member_type, bits in self._members(type_id):
            if name == member:
                return bits // 8
            if not name:
                inner = self._find(self._resolve(member_type), member)
                if inner is not None:
                    return bits // 8 + inner
        return None

    def _header(self, type_id: int) -> tuple[int, int, int, int]:
        """Kind, number of members, kind flag, and size or type of one type."""
        raw = ctypes.string_at(self._lib.btf__type_by_id(self._btf, type_id), 12)
        _, info, size_or_type = struct.unpack("III", raw)
        return (info >> 24) & 0x1F, info & 0xFFFF, info >> 31, size_or_type

    def _resolve(self, type_id: int) -> int:
        kind, _, _, target = self._header(type_id)
        while kind in _MODIFIERS:
            type_id = target
            kind, _, _, target = self._header(type_id)
        return type_id

    def _members(self, type_id: int) -> Iterator[tuple[bytes, int, int]]:
        """Name, type and offset in bits of each member of a struct or union."""
        kind, count, flagged, _ = self._header(type_id)
        if kind not in (_STRUCT, _UNION):
            return
        raw = ctypes.string_at(self._lib.btf__type_by_id(self._btf, type_id) + 12, 12 * count)
        for name, member_type, bits in struct.iter_unpack("III", raw):
            yield (
                self._lib.btf__name_by_offset(self._btf, name),
                member_type,
                bits & 0xFFFFFF if flagged else bits,
            )
