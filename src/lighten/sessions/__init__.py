"""A built artifact, open and answering, in a process of its own."""
