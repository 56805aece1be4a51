"""System calls by name and number, as the C library's headers of each machine have them."""

from __future__ import annotations

from pathlib import Path

from esr_tui.kernel.hooks import SYSCALLS, functions, numbers, numbers_in, watched


def test_one_header_is_read_and_not_two(tmp_path: Path) -> None:
    (tmp_path / "machine.h").write_text("#define __NR_setresuid 117\n#define __NR_ptrace 101\n")
    (tmp_path / "generic.h").write_text("#define __NR_setresuid 147\n#define __NR_ptrace 117\n")
    found = numbers_in(tmp_path / "machine.h", tmp_path / "generic.h")
    assert found["setresuid"] == 117 and found["ptrace"] == 101
    assert numbers_in(tmp_path / "absent.h", tmp_path / "generic.h")["ptrace"] == 117


def test_calls_with_a_name_between_are_found(tmp_path: Path) -> None:
    (tmp_path / "generic.h").write_text(
        "#define __NR3264_truncate 45\n#define __NR_truncate __NR3264_truncate\n#define __NR_read 63\n"
    )
    assert numbers_in(tmp_path / "generic.h") | {"fchmodat2": 452} == {
        "truncate": 45, "read": 63, "fchmodat2": 452,
    }  # fmt: skip


def test_this_machine_has_what_is_watched() -> None:
    assert {"read", "openat", "openat2", "execve", "sendto", "ftruncate", "fchmodat2"} <= watched().keys()
    assert set(watched().values()) == set(SYSCALLS)
    assert len({numbers()[call] for call in watched()}) == len(watched())


def test_the_functions_of_a_system_call_are_known_by_machine() -> None:
    assert functions("openat", "x86_64")[0] == "__x64_sys_openat"
    assert functions("openat", "aarch64") == ("__arm64_sys_openat", "__arm64_compat_sys_openat")
    assert functions("openat", "riscv64") == ()
