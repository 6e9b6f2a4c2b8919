"""A built artifact behind HTTP: admission, batching, replicas that are restarted, and the protocols people speak."""
