"""The message log and its indexes."""
