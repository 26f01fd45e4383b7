"""Outliers: ranking, explanations, cost."""
