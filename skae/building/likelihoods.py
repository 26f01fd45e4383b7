"""The likelihood of encoded rows, and what makes numbers of them."""

import torch
from torch import nn

from skae.nn.likelihoods import Bernoulli, ContinuousBernoulli, Gaussian
from skae.nn.one_hot import Widen
from skae.nn.table_likelihoods import NumbersAndStates
from skae.tables.columns import Columns
from skae.tables.mixed import MixedColumns

UNIT_INTERVAL = {"bernoulli": Bernoulli, "continuous_bernoulli": ContinuousBernoulli}


def make_likelihood(columns: Columns | MixedColumns, kind: str, *, variance: float) -> nn.Module:
    """Return the likelihood of encoded rows.

    Parameters
    ----------
    columns : Columns or MixedColumns
        The columns.
    kind : {"gaussian", "bernoulli", "continuous_bernoulli"}
        The likelihood of a number.
    variance : float
        The variance of a Gaussian, of encoded numbers.
    """
    if isinstance(columns, MixedColumns):
        return NumbersAndStates(
            columns.n_states, columns.column_of_number, columns.point_masses, variance
        )
    if kind != "gaussian":
        return UNIT_INTERVAL[kind]()
    low, high = map(torch.from_numpy, columns.encoded_range)
    return Gaussian(low, high, variance)


def make_widening(columns: Columns | MixedColumns) -> nn.Module:
    """Return the module that makes numbers alone of encoded rows."""
    if isinstance(columns, MixedColumns):
        return Widen(columns.n_numbers, columns.n_states)
    return nn.Identity()
