"""The command line: `esr` and its commands, each a module of its own that is imported when it is called."""
