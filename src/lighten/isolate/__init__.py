"""Child processes: what runs in one can crash, hang or leak without harm to the run."""
