"""Which sessions exist on this node: discovery, identity, origin, cgroups, pseudo-terminals."""
