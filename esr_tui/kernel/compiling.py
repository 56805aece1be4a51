"""Compiles and loads the kernel programs, in a process of its own that ends when it has handed them over.

bcc brings a whole compiler with it, some 150 MB that nobody needs once the programs are loaded: so the recorder
never imports bcc. It starts this, and receives descriptors of programs and maps.

    python -m esr_tui.kernel.compiling SOCKET best|plain COMMAND_PAGES DISK_PAGES NETWORK_PAGES TERMINAL_PAGES

On the socket (SOCK_SEQPACKET) comes one message of JSON: `{"error": SENTENCE}`, or `{"programs": [NAME…], "calls":
[HOOK…], "maps": [[NAME, KEY_SIZE, VALUE_SIZE]…], "why": SENTENCE}` with a descriptor of each, in that order. What bcc
complains of goes to standard error.
"""

from __future__ import annotations

import ctypes
import json
import os
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
from esr_tui.kernel.hooks import (
    COMPAT,
    DISPATCH,
    RAW,
    RINGS,
    SYSCALLS,
    TRACEPOINT,
    functions,
    numbers,
    watched,
)
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


def _refused(bpf: Any, btf: Btf) -> str:
    """Why nothing can be attached where functions of the kernel end (fexit); empty when it can."""
    names = functions("read")
    function = btf.function(names[0]) if names else None
    if function is None:
        return "the functions of its system calls are not known"
    try:
        program = libbpf.load(COMPAT, bpf.dump_func(COMPAT), leaves=function)
        os.close(libbpf.raw_tracepoint(None, program))
    except KernelError as error:
        return str(error)
    return ""


def _whole(bpf: Any, maps: dict[str, libbpf.Map]) -> dict[str, int]:
    """The dispatching program, for the raw tracepoint of all system calls."""
    _put_bodies(bpf, maps, None)
    return {TRACEPOINT: libbpf.load(DISPATCH, bpf.dump_func(DISPATCH))}


def _put_bodies(bpf: Any, maps: dict[str, libbpf.Map], leaves: int | None) -> None:
    """Loads what the dispatching program hands calls to, in the way that it is loaded itself."""
    bodies = {name: libbpf.load(name, bpf.dump_func(name), leaves=leaves) for name in SYSCALLS}
    for call, name in watched().items():
        maps["calls"].set(_U32.pack(numbers()[call]), _U32.pack(bodies[name]))


def _functions(bpf: Any, maps: dict[str, libbpf.Map], btf: Btf) -> dict[str, int]:
    """Programs for the end of each system call's own function: then no other call costs anything.

    The dispatching program is tiny and goes to all of them, and what it leads to is checked by the kernel only once.
    The kernel lets it lead only to programs of functions that it takes for one type; the others get theirs directly.

    Raises:
        KernelError: the kernel refuses one.
    """
    found: dict[str, int] = {}
    _put_bodies(bpf, maps, btf.function(functions("read")[0]))
    for call, name in watched().items():
        ordinary, *others = (btf.function(each) for each in functions(call))
        if ordinary is not None:
            found[f"fexit_{call}"] = _either(bpf, name, ordinary)
        compat = next((each for each in others if each is not None), None)
        if compat is not None:
            found[f"fexit_compat_{call}"] = libbpf.load(COMPAT, bpf.dump_func(COMPAT), leaves=compat)
    return found


def _either(bpf: Any, name: str, function: int) -> int:
    try:
        return libbpf.load(DISPATCH, bpf.dump_func(DISPATCH), leaves=function)
    except KernelError:
        return libbpf.load(name, bpf.dump_func(name), leaves=function)


def _load(
    source: str, btf: Btf, plain: bool
) -> tuple[dict[str, int], dict[str, int], dict[str, libbpf.Map], str]:
    """The raw tracepoints' programs; what watches system calls, by hook; maps; why that is not the better way."""
    bpf = _compile(source)
    maps = _maps(bpf)
    why = "it was asked for" if plain else _refused(bpf, btf)
    calls: dict[str, int] = {}
    if not why:
        try:
            calls = _functions(bpf, maps, btf)
        except KernelError as error:
            why = str(error)
            bpf = _compile(source)  # the map of calls takes no programs of another kind any more
            maps = _maps(bpf)
    calls = calls or _whole(bpf, maps)
    programs = {name: libbpf.load(name, bpf.dump_func(name)) for names in RAW.values() for name in names}
    return programs, calls, maps, why


def main(arguments: Sequence[str]) -> int:
    """The process's own entry."""
    there = socket.socket(fileno=int(arguments[0]))
    try:
        btf = Btf()
        source = _source(btf, [int(each) for each in arguments[2:]])
        programs, calls, maps, why = _load(source, btf, arguments[1] == "plain")
    except KernelError as error:
        there.send(json.dumps({"error": str(error)}).encode())
        return 1
    told = {
        "programs": [*programs],
        "calls": [*calls],
        "maps": [[name, m.key_size, m.value_size] for name, m in maps.items()],
        "why": why,
    }
    descriptors = [*programs.values(), *calls.values(), *(each.fd for each in maps.values())]
    socket.send_fds(there, [json.dumps(told).encode()], descriptors)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
