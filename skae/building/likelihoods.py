"""The likelihood of encoded rows, and the one-hot encoding of their states."""

import torch
from torch import nn

from skae.nn.likelihoods import Gaussian, Likelihood
from skae.nn.one_hot import OneHot
from skae.nn.table_likelihoods import NumbersAndStates
from skae.nn.unit_interval import Bernoulli, ContinuousBernoulli
from skae.tables.columns import Columns
from skae.tables.matrix import MatrixColumns
from skae.tables.mixed import MixedColumns

UNIT_INTERVAL = {"bernoulli": Bernoulli, "continuous_bernoulli": ContinuousBernoulli}


def make_likelihood(columns: Columns, kind: str, variance: float = 1.0) -> Likelihood:
    """Return the likelihood of encoded rows.

    Parameters
    ----------
    columns : Columns
        The columns.
    kind : {"gaussian", "bernoulli", "continuous_bernoulli"}
        The likelihood of a number.
    variance : float, default=1.0
        The variance of a Gaussian, of encoded numbers.
    """
    if isinstance(columns, MixedColumns):
        states = columns.n_states, columns.column_of_number, columns.point_masses
        return NumbersAndStates(*states, variance, columns.log_largest)
    if kind != "gaussian":
        return UNIT_INTERVAL[kind]()
    assert isinstance(columns, MatrixColumns)
    low, high = map(torch.from_numpy, columns.encoded_range)
    return Gaussian(low, high, variance)


def make_one_hot(columns: Columns) -> nn.Module:
    """Return the one-hot encoding of encoded rows; the identity where they have no states."""
    if isinstance(columns, MixedColumns):
        return OneHot(columns.n_numbers, columns.n_states)
    return nn.Identity()
