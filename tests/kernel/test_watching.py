"""Hooks on system calls come and go together, and are told to who looks after them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from esr_tui.kernel import libbpf
from esr_tui.kernel.fixtures import Fixtures
from esr_tui.kernel.hooks import TRACEPOINT, watched
from esr_tui.kernel.watching import Calls


@pytest.fixture
def attached(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str | None]]:
    """What the kernel was asked to attach to."""
    names: list[str | None] = []

    def attach(name: str | None, _program: int) -> int:
        names.append(name)
        return os.open(os.devnull, os.O_RDONLY)

    monkeypatch.setattr(libbpf, "raw_tracepoint", attach)
    yield names


def program() -> int:
    return os.open(os.devnull, os.O_RDONLY)


def test_one_hook_stands_for_every_system_call(attached: list[str | None]) -> None:
    calls = Calls({TRACEPOINT: program()}, Fixtures())
    assert calls.hooks() == []
    calls.attach()
    calls.attach()
    assert attached == [TRACEPOINT]
    assert calls.hooks() == [f"sys_exit_{call}" for call in watched()]
    calls.close()


def test_functions_are_hooked_each(attached: list[str | None]) -> None:
    calls = Calls({"fexit_read": program(), "fexit_compat_read": program()}, Fixtures())
    calls.attach()
    assert attached == [None, None]
    assert calls.hooks() == ["fexit_read", "fexit_compat_read"]
    calls.detach()
    assert not calls.attached and calls.hooks() == []
    calls.attach()
    assert calls.attached and calls.hooks() == ["fexit_read", "fexit_compat_read"]
    calls.close()
