"""Causal language models: open, save, train, narrow."""
