"""Networks, one room per kind, and what they share."""
