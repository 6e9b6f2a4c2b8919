"""One file = one measured quantity or family: what a session costs, and how good its answers are."""
