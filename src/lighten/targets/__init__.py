"""One file = one thing that other people's loaders and servers open as it is; no number of a model changes."""
