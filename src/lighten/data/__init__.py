"""Users' data: files in, columns found, parts made, batches by length, and samples to try with."""
