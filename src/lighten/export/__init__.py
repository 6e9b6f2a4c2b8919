"""One file = one way to write a float network in another format; answers stay the same."""
