"""The linear conditional expectation of the hidden numbers of a table."""

from dataclasses import dataclass

import torch
from torch import Tensor

from skae.nn.table_likelihoods import NumbersAndStates

# The largest number of one-hot columns; the expectation of a row takes the cube of it.
_MOST_COLUMNS = 256
# What is added to the variances, as a share of their mean.
_RIDGE = 0.01
_ROWS_AT_A_TIME = 512


@dataclass(frozen=True)
class LinearExpert:
    r"""The expectation of numbers given the cells of a row that are there, were all normal.

    With the mean $m$ and the covariance $S$ of rows, labels one-hot, and the cells $o$ that are
    there, it is $m + S_{\cdot o} S_{oo}^{-1} (x_o - m_o)$.

    Attributes
    ----------
    mean : Tensor of shape (D,)
        The mean.
    covariance : Tensor of shape (D, D)
        The covariance.
    labels : tuple of (int, int)
        For each column of labels its place among the states, and its number of states.
    """

    mean: Tensor
    covariance: Tensor
    labels: tuple[tuple[int, int], ...]

    @classmethod
    def learn(cls, x: Tensor, expected: Tensor, likelihood: NumbersAndStates) -> "LinearExpert":
        """Return the expert of rows whose holes are filled.

        Parameters
        ----------
        x : Tensor of shape (B, n + f)
            Encoded rows.
        expected : Tensor of shape (B, n + f)
            The same rows without holes.
        likelihood : NumbersAndStates
            The likelihood of the table.
        """
        of_numbers = set(likelihood.column_of_number.tolist())
        sizes = enumerate(likelihood.sizes)
        labels = tuple((j, size) for j, size in sizes if j not in of_numbers)
        if likelihood.n_numbers + sum(size for _, size in labels) > _MOST_COLUMNS:
            labels = ()
        made = cls(x.new_zeros(0), x.new_zeros(0, 0), labels)
        if likelihood.n_numbers == 0:
            return made
        rows, _ = made._wide(expected, likelihood.n_numbers)
        _, there = made._wide(x, likelihood.n_numbers)
        rows = rows.double()
        covariance = torch.cov(rows.T, correction=0).reshape(rows.shape[1], -1)
        # Filled cells vary too little.
        lacking = (~there).double().mean(0) * covariance.diagonal()
        ridge = _RIDGE * covariance.diagonal().mean() + 1e-6
        covariance = covariance + torch.diag(lacking + ridge)
        return cls(rows.mean(0).to(x), covariance.to(x), labels)

    def expected(self, x: Tensor, n_numbers: int) -> Tensor:
        """Return the expected numbers of encoded rows, $(B, n)$."""
        if n_numbers == 0:
            return x[:, :0]
        parts = x.split(_ROWS_AT_A_TIME)
        return torch.cat([self._expected(part, n_numbers) for part in parts])

    def _expected(self, x: Tensor, n_numbers: int) -> Tensor:
        rows, there = self._wide(x, n_numbers)
        mean, covariance = self.mean.to(x), self.covariance.to(x)
        both = there[:, :, None] & there[:, None, :]
        own = covariance * both + torch.diag_embed((~there).to(x))
        apart = torch.where(there, rows - mean, 0.0)
        solved = torch.linalg.solve(own, apart) * there
        return (mean + solved @ covariance)[:, :n_numbers]

    def _wide(self, x: Tensor, n_numbers: int) -> tuple[Tensor, Tensor]:
        """Return numbers and one-hot labels side by side, and which of them are there."""
        numbers, states = x[:, :n_numbers], x[:, n_numbers:].long()
        parts, there = [torch.nan_to_num(numbers)], [~torch.isnan(numbers)]
        for place, size in self.labels:
            state = states[:, place]
            parts.append(torch.nn.functional.one_hot(state.clamp_min(0), size).to(x))
            there.append((state >= 0)[:, None].expand(-1, size))
        return torch.cat(parts, dim=1), torch.cat(there, dim=1)
