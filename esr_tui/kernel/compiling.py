"""Compiles and loads the kernel programs, in a process of its own that ends when it has handed them over.

bcc brings a whole compiler with it, some 150 MB that nobody needs once the programs are loaded: so the recorder
never imports bcc. It starts this, and receives descriptors of programs and maps.

    python -m esr_tui.kernel.compiling SOCKET COMMAND_PAGES DISK_PAGES NETWORK_PAGES TERMINAL_PAGES

On the socket (SOCK_SEQPACKET) comes one message of JSON: `{"error": SENTENCE}`, or `{"programs": [NAME…], "maps":
[[NAME, KEY_SIZE, VALUE_SIZE]…]}` with a descriptor of each, in that order. What bcc complains of goes to standard
error.
"""

from __future__ import annotations

import ctypes
import json
import socket
import struct
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from esr_tui.kernel import headers, libbpf
from esr_tui.kernel.btf import Btf
from esr_tui.kernel.errors import KernelError
from esr_tui.kernel.hooks import DISPATCH, RAW, RINGS, SYSCALLS, numbers, watched
from esr_tui.kernel.offsets import defines

_U32 = struct.Struct("=I")
_CONCERNS = ("process", "command", "disk", "network", "input", "conduct", "terminal", "calls")


def program_directory() -> Path:
    """Where the C programs are: `bpf/` beside the package in a checkout, inside it when installed.

    Raises:
        KernelError: they are in neither place.
    """
    package = Path(__file__).resolve().parent.parent
    for place in (package / "bpf", package.parent / "bpf"):
        if (place / "esr.h").is_file():
            return place
    raise KernelError(f"the kernel programs are missing from {package}; reinstall esr")


def _source(btf: Btf, pages: Sequence[int]) -> str:
    text = [f"#define {name.upper()}_PAGES {count}\n" for name, count in zip(RINGS, pages, strict=True)]
    text.append(defines(btf.offset))
    place = program_directory()
    names = ("esr.h", *(f"{concern}.c" for concern in _CONCERNS))
    text += [f'#line 1 "{name}"\n{(place / name).read_text()}' for name in names]
    return "".join(text)


def _compile(source: str) -> Any:
    """bcc's BPF object of the programs."""
    try:
        from bcc import BPF  # noqa: PLC0415  (bcc is optional: recordings open without it)
    except ImportError:
        raise KernelError("bcc is missing; install it with: apt-get install python3-bpfcc") from None
    with tempfile.TemporaryDirectory(prefix="esr-headers-") as folder:
        try:
            headers.announce(headers.build(Path(folder)))
        except FileNotFoundError as error:
            raise KernelError(f"{error.filename} is missing; run: apt-get install linux-libc-dev") from None
        try:
            return BPF(text=source)
        except Exception as error:  # bcc raises nothing more precise
            raise KernelError(f"bcc could not compile the kernel programs: {error}") from error


def _maps(bpf: Any) -> dict[str, libbpf.Map]:
    """Every map of the programs."""
    from bcc.libbcc import lib  # noqa: PLC0415

    lib.bpf_num_tables.argtypes = [ctypes.c_void_p]
    lib.bpf_table_name.restype = ctypes.c_char_p  # bcc's own Python does not declare these
    for function in (
        lib.bpf_table_name,
        lib.bpf_table_fd_id,
        lib.bpf_table_key_size_id,
        lib.bpf_table_leaf_size_id,
    ):
        function.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    module, found = bpf.module, {}
    for at in range(lib.bpf_num_tables(module)):
        sizes = lib.bpf_table_key_size_id(module, at), lib.bpf_table_leaf_size_id(module, at)
        found[lib.bpf_table_name(module, at).decode()] = libbpf.Map(lib.bpf_table_fd_id(module, at), *sizes)
    return found


def _load(bpf: Any, maps: dict[str, libbpf.Map]) -> dict[str, int]:
    """Loads what is attached; what system calls lead to is in the map of calls."""
    programs = {name: libbpf.load(name, bpf.dump_func(name)) for name in (DISPATCH, *RAW.values())}
    bodies = {name: libbpf.load(name, bpf.dump_func(name)) for name in SYSCALLS}
    for call, name in watched().items():
        maps["calls"].set(_U32.pack(numbers()[call]), _U32.pack(bodies[name]))
    return programs


def main(arguments: Sequence[str]) -> int:
    """The process's own entry."""
    there = socket.socket(fileno=int(arguments[0]))
    try:
        btf = Btf()
        bpf = _compile(_source(btf, [int(each) for each in arguments[1:]]))
        maps = _maps(bpf)
        programs = _load(bpf, maps)
    except KernelError as error:
        there.send(json.dumps({"error": str(error)}).encode())
        return 1
    told = {"programs": [*programs], "maps": [[name, m.key_size, m.value_size] for name, m in maps.items()]}
    descriptors = [*programs.values(), *(each.fd for each in maps.values())]
    socket.send_fds(there, [json.dumps(told).encode()], descriptors)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
