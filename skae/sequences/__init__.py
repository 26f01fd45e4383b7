"""Sequences: variational autoencoders of drawings and texts of unequal lengths."""
