"""Displays of fitted estimators, with the interface of scikit-learn's displays."""

from skae.plotting.attention import AttentionDisplay
from skae.plotting.explanations import ExplanationDisplay
from skae.plotting.exporting import export_projector
from skae.plotting.latent import LatentDisplay
from skae.plotting.losses import LossCurveDisplay
from skae.plotting.page import ProjectorPage, projector
from skae.plotting.reconstructions import ReconstructionDisplay
from skae.plotting.series import SeriesScoreDisplay
from skae.plotting.sketches import SketchDisplay

__all__ = [
    "AttentionDisplay",
    "ExplanationDisplay",
    "LatentDisplay",
    "LossCurveDisplay",
    "ProjectorPage",
    "ReconstructionDisplay",
    "SeriesScoreDisplay",
    "SketchDisplay",
    "export_projector",
    "projector",
]
