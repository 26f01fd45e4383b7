"""The likelihood of encoded rows, and the one-hot encoding of their states."""

import torch
from torch import nn

from skae.nn.likelihoods import Gaussian, Likelihood
from skae.nn.one_hot import OneHot
from skae.nn.ragged import Lengths, RaggedGaussian, Stretch
from skae.nn.table_likelihoods import NumbersAndStates
from skae.nn.unit_interval import Bernoulli, ContinuousBernoulli
from skae.tables.columns import Columns
from skae.tables.matrix import MatrixColumns
from skae.tables.mixed import MixedColumns
from skae.tables.ragged import RaggedColumns

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
    if isinstance(columns, RaggedColumns):
        return make_ragged_likelihood(columns, variance)
    if kind != "gaussian":
        return UNIT_INTERVAL[kind]()
    assert isinstance(columns, MatrixColumns)
    low, high = map(torch.from_numpy, columns.encoded_range)
    return Gaussian(low, high, variance)


def make_one_hot(columns: Columns) -> nn.Module:
    """Return the map from encoded rows to what networks see.

    That is the one-hot encoding of states, the stretching of series of unequal lengths, or the
    identity.
    """
    if isinstance(columns, MixedColumns):
        return OneHot(columns.n_numbers, columns.n_states)
    if isinstance(columns, RaggedColumns):
        return Stretch(columns.n_channels, _lengths_of(columns))
    return nn.Identity()


def make_ragged_likelihood(
    columns: RaggedColumns, variance: float, *, learns_variance: bool = False
) -> RaggedGaussian:
    """Return the likelihood of series of unequal lengths; see `make_likelihood`."""
    return RaggedGaussian(
        columns.n_channels,
        columns.n_timepoints,
        _lengths_of(columns),
        torch.from_numpy(columns.presence),
        variance,
        learns_variance=learns_variance,
    )


def _lengths_of(columns: RaggedColumns) -> Lengths:
    return Lengths(columns.length_center, columns.length_scale, columns.bounds)
