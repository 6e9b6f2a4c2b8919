"""One file = one runtime: build its files and run them."""
