"""esr's configuration: YAML in, one frozen object out, errors with file, line and key."""

from esr_tui.config.loading import DEFAULT_PATH, load
from esr_tui.config.schema import Config, ConfigError, EnhancedRecording

__all__ = ["DEFAULT_PATH", "Config", "ConfigError", "EnhancedRecording", "load"]
