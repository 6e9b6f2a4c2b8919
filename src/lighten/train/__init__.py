"""Training: one file is one step."""
