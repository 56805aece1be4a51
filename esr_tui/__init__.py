"""esr: what a shell session really did, beside what its terminal showed."""

__version__ = "0.1.0"
