"""Corruptions of the encoder's input in training; inference does not pass through them."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from skae.nn.seeding import seeded

# The state of a missing cell.
_MISSING = 1


class GaussianNoise(nn.Module):
    r"""Add normal noise of one standard deviation: $\tilde x = x + \sigma \epsilon$.

    Parameters
    ----------
    scale : float
        The standard deviation $\sigma$, in the units of the encoded rows.
    """

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """Corrupt $(B, n)$ in training; pass it through in evaluation."""
        if not self.training or self.scale == 0:
            return x
        return torch.add(x, torch.randn_like(x), alpha=self.scale)

    def extra_repr(self) -> str:
        """Show the scale."""
        return f"scale={self.scale:.3g}"


class Repeated(nn.Module):
    """A corruption that is also applied in evaluation, there with the same noise every time.

    The loss of validation rows then measures how well the corruption is undone.

    Parameters
    ----------
    corruption : nn.Module
        The corruption.
    """

    def __init__(self, corruption: nn.Module) -> None:
        super().__init__()
        self.corruption = corruption

    def forward(self, x: Tensor) -> Tensor:
        """Corrupt $(B, n)$."""
        if self.training:
            return self.corruption(x)
        with seeded(0, x.device):
            corrupted = self.corruption.train()(x)
        self.corruption.eval()
        return corrupted


class MaskCells(nn.Module):
    r"""Set a random share of the cells to one value of their column.

    Parameters
    ----------
    fraction : float
        The share of the cells.
    values : Tensor of shape (n,)
        The values of masked cells, one for each column.
    """

    values: Tensor

    def __init__(self, fraction: float, values: Tensor) -> None:
        super().__init__()
        self.fraction = fraction
        self.register_buffer("values", values)

    def forward(self, x: Tensor) -> Tensor:
        """Mask cells of $(B, n)$ in training."""
        if not self.training:
            return x
        return torch.where(torch.rand_like(x) < self.fraction, self.values, x)

    def extra_repr(self) -> str:
        """Show the share."""
        return f"fraction={self.fraction:.3g}"


class SaltAndPepper(nn.Module):
    r"""Set a random share of the cells to the smallest or largest value, equally likely.

    Parameters
    ----------
    fraction : float
        The share of the cells.
    low, high : Tensor of shape (n,)
        The smallest and the largest value of every column.
    """

    low: Tensor
    high: Tensor

    def __init__(self, fraction: float, low: Tensor, high: Tensor) -> None:
        super().__init__()
        self.fraction = fraction
        self.register_buffer("low", low)
        self.register_buffer("high", high)

    def forward(self, x: Tensor) -> Tensor:
        """Corrupt cells of $(B, n)$ in training."""
        if not self.training:
            return x
        draw = torch.rand_like(x)
        extremes = torch.where(draw < self.fraction / 2, self.low, self.high)
        return torch.where(draw < self.fraction, extremes, x)

    def extra_repr(self) -> str:
        """Show the share."""
        return f"fraction={self.fraction:.3g}"


class SwapCells(nn.Module):
    r"""Replace a random share of the cells by those of other rows of the batch.

    Parameters
    ----------
    fraction : float
        The share of the cells.
    cells : sequence of int
        The cell that every column belongs to; columns of one cell are swapped together.
    """

    cells: Tensor

    def __init__(self, fraction: float, cells: Sequence[int]) -> None:
        super().__init__()
        self.fraction = fraction
        self.n_cells = max(cells) + 1
        self.register_buffer("cells", torch.tensor(tuple(cells), dtype=torch.long))

    def forward(self, x: Tensor) -> Tensor:
        """Swap cells of $(B, n)$ in training."""
        if not self.training:
            return x
        shape = len(x), self.n_cells
        swapped = torch.rand(shape, device=x.device) < self.fraction
        others = torch.randint(len(x), shape, device=x.device)
        return torch.where(swapped[:, self.cells], x.gather(0, others[:, self.cells]), x)

    def extra_repr(self) -> str:
        """Show the share."""
        return f"fraction={self.fraction:.3g}"


class OfNumbers(nn.Module):
    """Corrupt the numbers of rows of numbers and states.

    Parameters
    ----------
    corruption : nn.Module
        The corruption.
    n_numbers : int
        The number of columns of numbers, which come first.
    """

    def __init__(self, corruption: nn.Module, n_numbers: int) -> None:
        super().__init__()
        self.corruption = corruption
        self.n_numbers = n_numbers

    def forward(self, x: Tensor) -> Tensor:
        """Corrupt $(B, n + f)$."""
        numbers, states = x[:, : self.n_numbers], x[:, self.n_numbers :]
        return torch.cat([self.corruption(numbers), states], dim=1)


class Applied(nn.Module):
    """Apply a function in training.

    Parameters
    ----------
    function : callable
        A map from rows $(B, n)$ to rows $(B, n)$.
    """

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """Corrupt $(B, n)$ in training."""
        return self.function(x) if self.training else x


class HideCells(nn.Module):
    r"""Mask cells of rows of numbers and states, so that the encoder learns to impute them.

    The share of masked cells is drawn for each row, between zero and twice the mean share; in half
    of the rows all missing cells are masked as well. A masked cell has the state -1, and its
    number is NaN.

    Parameters
    ----------
    fraction : float
        The mean share of the cells, at most a half.
    column_of_number : sequence of int
        For every number, the position of its state among the states.
    share : float, default=1.0
        The share of the rows in which cells are masked.
    """

    column_of_number: Tensor

    def __init__(
        self, fraction: float, column_of_number: Sequence[int], share: float = 1.0
    ) -> None:
        super().__init__()
        self.fraction = fraction
        self.share = share
        self.register_buffer(
            "column_of_number", torch.tensor(tuple(column_of_number), dtype=torch.long)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Mask cells of $(B, n + f)$ in training."""
        if not self.training:
            return x
        return _hide(x, self._choose(x[:, len(self.column_of_number) :]), self.column_of_number)

    def _choose(self, states: Tensor) -> Tensor:
        def draw(n_columns: int) -> Tensor:
            return torch.rand(len(states), n_columns, device=states.device)

        by_share = draw(states.shape[1]) < 2 * self.fraction * draw(1)
        hidden = by_share | ((states == _MISSING) & (draw(1) < 0.5))
        return hidden if self.share == 1 else hidden & (draw(1) < self.share)

    def extra_repr(self) -> str:
        """Show the share."""
        return f"fraction={self.fraction:.3g}, share={self.share:.3g}"


def hide_missing(x: Tensor, column_of_number: Sequence[int]) -> Tensor:
    """Mask the missing cells of rows of numbers and states, $(B, n + f)$."""
    return _hide(x, x[:, len(column_of_number) :] == _MISSING, column_of_number)


def _hide(x: Tensor, hidden: Tensor, column_of_number: Sequence[int] | Tensor) -> Tensor:
    n_numbers = len(column_of_number)
    numbers = torch.where(hidden[:, column_of_number], torch.nan, x[:, :n_numbers])
    return torch.cat([numbers, torch.where(hidden, -1.0, x[:, n_numbers:])], dim=1)
