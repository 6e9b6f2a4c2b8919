"""Encoders that classify: open, save, walk, couple, run."""
