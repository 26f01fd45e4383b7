"""From parameters to modules: networks, likelihoods, corruptions, and where they start."""
