"""The recorder: from kernel records to recordings in the store."""
