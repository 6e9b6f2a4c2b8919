"""Artifacts by content key, the study in SQLite, the run folder and its lock."""
