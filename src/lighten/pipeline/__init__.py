"""Run a recipe: cache, resume, isolate. No science here."""
