"""Pruning: one file is one step."""
