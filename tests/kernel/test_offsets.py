"""Offsets come from the kernel's type information; what a kernel lacks is said."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from esr_tui.kernel.errors import KernelError
from esr_tui.kernel.offsets import MEMBERS, OPTIONAL, defines

BPF = Path(__file__).resolve().parents[2] / "bpf"


def everything(struct: str, member: str) -> int | None:
    return 8 * (len(struct) + len(member))


def without(*missing: str) -> Callable[[str, str], int | None]:
    def find(struct: str, member: str) -> int | None:
        return None if f"{struct}.{member}" in missing else 16

    return find


def test_each_member_becomes_a_define() -> None:
    text = defines(everything, "x86_64")
    assert "#define OFF_task_struct_mm 104\n" in text
    assert "#define HAVE_task_struct_sessionid 1\n" in text
    assert all(f"#define OFF_{name.replace('.', '_')} " in text for line in MEMBERS for name in line.split())


def test_every_offset_that_the_programs_use_is_asked_for() -> None:
    text = "".join(path.read_text() for path in (*BPF.glob("*.c"), *BPF.glob("*.h")))
    used = set(re.findall(r"\b(?:OFF|HAVE)_[a-z]\w*", text))
    for machine in ("x86_64", "aarch64"):
        defined = set(re.findall(r"#define ((?:OFF|HAVE)_\w+)", defines(everything, machine)))
        assert used <= defined


def test_a_kernel_without_audit_has_no_audit_sessions() -> None:
    text = defines(without(*OPTIONAL), "x86_64")
    assert "#define HAVE_task_struct_sessionid 0\n" in text
    assert "#define OFF_task_struct_sessionid 16\n" in text


def test_a_missing_member_is_named() -> None:
    with pytest.raises(KernelError, match=r"task_struct has no member mm\b"):
        defines(without("task_struct.mm"), "x86_64")


def test_an_unknown_machine_is_named() -> None:
    with pytest.raises(KernelError, match="riscv64"):
        defines(everything, "riscv64")


def test_arguments_of_arm_are_counted_from_the_registers() -> None:
    text = defines(lambda struct, member: 100, "aarch64")
    assert "#define OFF_ARG0 100\n" in text
    assert "#define OFF_ARG3 124\n" in text
