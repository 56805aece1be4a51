"""`python -m esr_tui.cli`: the same as `esr`, wherever the interpreter's scripts are."""

from esr_tui.cli.main import main

main()
