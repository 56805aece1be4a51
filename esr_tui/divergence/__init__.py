"""What the terminal did not show: typed lines, decoders, rules and verdicts over a recording."""
