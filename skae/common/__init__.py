"""Helpers of all estimators: parameters, docstrings, fitted state, seeds, devices, Ctrl-C."""
