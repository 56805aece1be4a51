"""Undoing encodings inside payloads and command lines. The public face is esr_tui.divergence.decode."""
