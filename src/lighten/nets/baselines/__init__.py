"""Cheap baselines: what is learned from nothing on the user's rows."""
