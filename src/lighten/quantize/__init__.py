"""One file = one way to store and compute with fewer bits."""
