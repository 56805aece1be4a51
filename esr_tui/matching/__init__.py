"""Regular expressions for hostile text, for rules, filters and searches alike."""
