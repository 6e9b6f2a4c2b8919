"""lighten."""
