"""From parameters to modules: networks, likelihoods, corruptions, and their initialisation."""
