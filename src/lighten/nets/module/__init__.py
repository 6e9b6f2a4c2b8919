"""Networks that a user's own code makes."""
