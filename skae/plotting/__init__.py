"""Displays of fitted estimators, made as scikit-learn's displays are."""

from skae.plotting.displays import (
    ExplanationDisplay,
    LatentDisplay,
    LossCurveDisplay,
    ReconstructionDisplay,
)

__all__ = ["ExplanationDisplay", "LatentDisplay", "LossCurveDisplay", "ReconstructionDisplay"]
