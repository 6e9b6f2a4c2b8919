"""Readers: from items to the arrays that a network takes."""
