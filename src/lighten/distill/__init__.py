"""Distilling: one file is one step."""
