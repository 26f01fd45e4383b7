"""Generative models: classifiers by densities."""
