"""The words of lighten as types: artifact, step, recipe, task, engine, meter, result, budget, space, catalog, errors."""
