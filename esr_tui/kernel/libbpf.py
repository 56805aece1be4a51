"""The few functions of libbpf that the recorder needs, through ctypes: maps, loading and attaching.

libbpf is a dependency of bcc, so it is there whenever bcc is; unlike bcc it brings no compiler into the process.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator
from functools import cache

from esr_tui.kernel.errors import KernelError

_SIGNATURES = {
    "bpf_map_lookup_elem": "i ipp",
    "bpf_map_update_elem": "i ippQ",
    "bpf_map_delete_elem": "i ip",
    "bpf_map_get_next_key": "i ipp",
    "bpf_raw_tracepoint_open": "i pi",
    "bpf_prog_load": "i ipppNp",
    "bpf_prog_get_fd_by_id": "i u",
    "bpf_obj_get_info_by_fd": "i ipp",
    "btf__load_vmlinux_btf": "p ",
    "btf__free": "- p",
    "btf__type_by_id": "p pu",
    "btf__find_by_name_kind": "i ppu",
    "btf__name_by_offset": "s pu",
}
_TYPES = {
    "i": ctypes.c_int,
    "u": ctypes.c_uint32,
    "Q": ctypes.c_uint64,
    "N": ctypes.c_size_t,
    "p": ctypes.c_void_p,
    "s": ctypes.c_char_p,
    "-": None,
}


@cache
def library() -> ctypes.CDLL:
    """libbpf, its functions' types declared.

    Raises:
        KernelError: it is not installed.
    """
    try:
        lib = ctypes.CDLL("libbpf.so.1", use_errno=True)
    except OSError:
        raise KernelError("libbpf is missing; install it with: apt-get install python3-bpfcc") from None
    for name, signature in _SIGNATURES.items():
        function = getattr(lib, name)
        function.restype = _TYPES[signature[0]]
        function.argtypes = [_TYPES[each] for each in signature[2:]]
    return lib


def raw_tracepoint(name: str | None, program: int) -> int:
    """Attaches a program to a raw tracepoint, or, without a name, to what it was loaded for; a descriptor.

    Raises:
        KernelError: the kernel refuses it.
    """
    fd = int(library().bpf_raw_tracepoint_open(None if name is None else name.encode(), program))
    if fd < 0:
        why = os.strerror(ctypes.get_errno())
        raise KernelError(f"the kernel refuses a program on {name or 'one of its functions'}: {why}")
    return fd


class _ProgramInfo(ctypes.Structure):
    """struct bpf_prog_info, as far as its count of what was passed over (Linux 5.12)."""

    _fields_ = [("before", ctypes.c_uint8 * 208), ("recursion_misses", ctypes.c_uint64)]


def passed_over(program: int) -> int:
    """How often the kernel did not run a program, because the processor was in the midst of running it already.

    An interrupt can do that, and on a kernel with full preemption another process. An older kernel says 0.

    Args:
        program: its descriptor.
    """
    info, size = _ProgramInfo(), ctypes.c_uint32(ctypes.sizeof(_ProgramInfo))
    if library().bpf_obj_get_info_by_fd(program, ctypes.byref(info), ctypes.byref(size)):
        return 0
    return int(info.recursion_misses)


class Map:
    """A map in the kernel, by its descriptor; keys and values are bytes.

    Args:
        fd: belongs to the map from now on.
        key_size, value_size: bytes of each.
    """

    def __init__(self, fd: int, key_size: int, value_size: int) -> None:
        self.fd, self.key_size, self.value_size = fd, key_size, value_size
        self._lib = library()

    def get(self, key: bytes) -> bytes | None:
        """The value of a key; None when it is not in."""
        value = ctypes.create_string_buffer(self.value_size)
        return None if self._lib.bpf_map_lookup_elem(self.fd, self._key(key), value) else value.raw

    def set(self, key: bytes, value: bytes) -> None:
        """Puts a value in.

        Raises:
            KernelError: the map is full.
        """
        if len(value) != self.value_size:
            raise ValueError(f"a value of {len(value)} bytes for a map of {self.value_size}")
        if self._lib.bpf_map_update_elem(self.fd, self._key(key), ctypes.create_string_buffer(value), 0):
            raise KernelError(
                f"a map of the kernel programs takes no more: {os.strerror(ctypes.get_errno())}"
            )

    def delete(self, key: bytes) -> None:
        """Takes a key out; nothing happens when it is not in."""
        self._lib.bpf_map_delete_elem(self.fd, self._key(key))

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values, as long as they are in while it looks."""
        key, following = None, ctypes.create_string_buffer(self.key_size)
        while not self._lib.bpf_map_get_next_key(self.fd, key, following):
            key = ctypes.create_string_buffer(following.raw, self.key_size)
            if (value := self.get(key.raw)) is not None:
                yield key.raw, value

    def close(self) -> None:
        """Lets go of the map; it lives on while a program uses it."""
        os.close(self.fd)

    def _key(self, key: bytes) -> ctypes.Array[ctypes.c_char]:
        if len(key) != self.key_size:
            raise ValueError(f"a key of {len(key)} bytes for a map of {self.key_size}")
        return ctypes.create_string_buffer(key, self.key_size)


class _LoadOptions(ctypes.Structure):
    """struct bpf_prog_load_opts of libbpf 1."""

    _fields_ = [
        ("sz", ctypes.c_size_t), ("attempts", ctypes.c_int), ("expected_attach_type", ctypes.c_int),
        ("prog_btf_fd", ctypes.c_uint32), ("prog_flags", ctypes.c_uint32), ("prog_ifindex", ctypes.c_uint32),
        ("kern_version", ctypes.c_uint32), ("attach_btf_id", ctypes.c_uint32), ("attach_prog_fd", ctypes.c_uint32),
        ("attach_btf_obj_fd", ctypes.c_uint32), ("fd_array", ctypes.c_void_p), ("func_info", ctypes.c_void_p),
        ("func_info_cnt", ctypes.c_uint32), ("func_info_rec_size", ctypes.c_uint32), ("line_info", ctypes.c_void_p),
        ("line_info_cnt", ctypes.c_uint32), ("line_info_rec_size", ctypes.c_uint32), ("log_level", ctypes.c_uint32),
        ("log_size", ctypes.c_uint32), ("log_buf", ctypes.c_char_p),
    ]  # fmt: skip


_RAW_TRACEPOINT, _TRACING = 17, 26
"""enum bpf_prog_type"""
_FEXIT = 25
"""enum bpf_attach_type: BPF_TRACE_FEXIT"""
_LOG = 1 << 16
_INSTRUCTION = 8


def load(name: str, code: bytes, *, leaves: int | None = None) -> int:
    """Loads a program: one for a raw tracepoint, or, with `leaves`, one for the end of a kernel function.

    Args:
        code: its instructions.
        leaves: the function's id in the kernel's BTF.

    Raises:
        KernelError: the kernel refuses it; what its verifier says last stands in the sentence.
    """
    lib = library()
    options = _LoadOptions(sz=ctypes.sizeof(_LoadOptions))
    if leaves is not None:
        options.expected_attach_type, options.attach_btf_id = _FEXIT, leaves
    kind = _RAW_TRACEPOINT if leaves is None else _TRACING

    def attempt() -> int:
        count = len(code) // _INSTRUCTION
        return int(lib.bpf_prog_load(kind, name[:15].encode(), b"GPL", code, count, ctypes.byref(options)))

    fd = attempt()
    if fd >= 0:
        return fd
    why = errno.errorcode.get(ctypes.get_errno(), "an unknown error")
    log = ctypes.create_string_buffer(_LOG)
    options.log_level, options.log_size, options.log_buf = 1, _LOG, ctypes.cast(log, ctypes.c_char_p)
    if (fd := attempt()) >= 0:
        return fd
    said = " ".join(log.value.decode("utf-8", "replace").split())[-500:]
    raise KernelError(f"the kernel refuses the program {name} ({why}){': ' + said if said else ''}")
