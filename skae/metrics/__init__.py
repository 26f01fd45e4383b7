"""Metrics of synthetic rows, compared with real rows of the same columns.

Rows are arrays or frames of numbers, labels, booleans, times and missing cells. The types of the
columns are learned from the real rows, as in the autoencoders.
"""

from skae.metrics.copies import NearestCopies, nearest_copies
from skae.metrics.discrepancy import MeanDiscrepancy, maximum_mean_discrepancy
from skae.metrics.evaluation import evaluate_samples, independent_columns
from skae.metrics.frechet import frechet_distance
from skae.metrics.global_utility import global_utility
from skae.metrics.neighbors import DensityCoverage, density_coverage
from skae.metrics.shapes import column_shapes
from skae.metrics.trends import pair_trends
from skae.metrics.two_sample import two_sample_auc
from skae.metrics.utility import train_on_synthetic

__all__ = [
    "DensityCoverage",
    "MeanDiscrepancy",
    "NearestCopies",
    "column_shapes",
    "density_coverage",
    "evaluate_samples",
    "frechet_distance",
    "global_utility",
    "independent_columns",
    "maximum_mean_discrepancy",
    "nearest_copies",
    "pair_trends",
    "train_on_synthetic",
    "two_sample_auc",
]
