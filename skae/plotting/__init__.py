"""Displays of fitted estimators, made as scikit-learn's displays are."""

from skae.plotting.explanations import ExplanationDisplay
from skae.plotting.latent import LatentDisplay
from skae.plotting.losses import LossCurveDisplay
from skae.plotting.reconstructions import ReconstructionDisplay

__all__ = ["ExplanationDisplay", "LatentDisplay", "LossCurveDisplay", "ReconstructionDisplay"]
