"""Sigma rules for Linux: process_creation, network_connection and file_event.

pySigma reads such rules too, but evaluates none: it turns them into queries of search engines. Of what is
needed here it would give the reading alone, for a dozen more packages (requests, jinja2, diskcache, …) and 110 ms
of import, so the rules are read and evaluated here.

What is known differs by view. Of an exec everything is; of a typed line or a payload only the text, and of each
command in it the name. So conditions have three values (true, false, and None for "cannot be known"), and a rule
matches where it is true whatever the unknown may be.
"""

from esr_tui.divergence.sigma.engine import SigmaEngine
from esr_tui.divergence.sigma.rule import SigmaRule, not_ours, sigma_rule

__all__ = ["SigmaEngine", "SigmaRule", "not_ours", "sigma_rule"]
