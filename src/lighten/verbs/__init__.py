"""Every verb of the command line as one Python function with the same words; one file per verb."""
