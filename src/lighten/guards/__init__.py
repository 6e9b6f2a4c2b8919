"""Guards: one file each. See ``core.guard``."""
