"""Tasks: one file is one kind of job."""
