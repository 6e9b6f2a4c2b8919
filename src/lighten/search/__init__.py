"""Budget to trials to frontier to winner."""
