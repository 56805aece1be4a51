"""What can go wrong between esr and the kernel."""

from __future__ import annotations


class KernelError(Exception):
    """One sentence that says what is missing or refused, and the mend."""
