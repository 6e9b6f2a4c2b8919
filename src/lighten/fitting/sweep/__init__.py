"""Sweep: a search for hyperparameters: many trainings, hopeless ones stopped, then one with the best settings."""
