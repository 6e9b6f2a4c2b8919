"""Fitting: from a model and data to a trained model with its curve, its cost and an honest score."""
