"""The words of lighten as types."""
