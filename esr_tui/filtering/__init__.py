"""The filter language of the event table, the sessions list and the command line.

    sshd                     the row's text holds "sshd"; case never matters
    "two words"              … holds exactly that
    ~"-o .*sh"               … matches a regular expression
    kind:network port:443    fields; words beside each other must all hold
    port:1..1024 pid>=500    numbers: exactly, ranges, lists (80,443), comparisons
    time:10s..1m             when, since the session's start
    addr:10.0.0.0/8          addresses: one, a network, or part of the text
    path:/etc/*              text: part of it, or a pattern for the whole with * and ?
    argv~"-o .*"             … or a regular expression; program=sh is exactly that
    severity>=high           how bad a command is; verdict:piped what the terminal showed of it
    -program:git             not; also `not`
    (a or b) and c           `and` may be left out
    @mine                    a filter that the configuration saves under that name

A filter is parsed by hand: its words mean different things before and behind an operator, an error must
point at its place with a sentence of its own, and a half-typed filter must still be completed. What a
parser generator would save is the forty lines of `parsing.Parser`.
"""

from esr_tui.filtering.errors import FilterError
from esr_tui.filtering.fields import EVENTS, SESSIONS, Schema
from esr_tui.filtering.nodes import Table
from esr_tui.filtering.parsing import NOTHING, Filter, parse

__all__ = ["EVENTS", "NOTHING", "SESSIONS", "Filter", "FilterError", "Schema", "Table", "parse"]
