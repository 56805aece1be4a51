"""esr as a service of this machine: what is put where, by `esr install` and by the Debian package."""
