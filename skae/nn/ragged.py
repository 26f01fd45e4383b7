"""Series of unequal lengths: stretched to one length for the networks, judged at their own points.

An encoded row holds the points of a series, channel by channel, padded with zeros to as many
timepoints as the longest has, and its length. Networks see the series stretched to the full number
of timepoints, and the length as one channel more.
"""

import math

import torch
from torch import Tensor, nn

from skae.nn.likelihoods import Gaussian

# The smallest standard deviation of a length, in timepoints: densities of a normal at the integers
# then add up to one within two per cent, so that they are probabilities.
_SMALLEST_DEVIATION = 0.5
# The weight of a new batch in the moving average of the variance of lengths.
_MOMENTUM = 0.05


def resample(series: Tensor, lengths: Tensor, *, to_points: bool) -> Tensor:
    """Resample series linearly between their points and a grid; both ends stay.

    Parameters
    ----------
    series : Tensor of shape (B, C, T)
        The series: points padded to T, or values on the grid of T.
    lengths : Tensor of int of shape (B,)
        The number of points of every series, from 1 to T.
    to_points : bool
        Whether values on the grid become points, or points values on the grid.
    """
    n = series.shape[2]
    last = (lengths - 1)[:, None].to(series.dtype)
    steps = torch.arange(n, device=series.device, dtype=series.dtype)[None]
    if to_points:
        # The one point of a series of length one is the middle of the grid.
        places = torch.where(last > 0, steps * (n - 1) / last.clamp_min(1), (n - 1) / 2)
        end = torch.full_like(last, n - 1)
    else:
        places, end = steps * last / max(n - 1, 1), last
    places = torch.minimum(places, end)
    low = places.floor().long()
    high = torch.minimum(low + 1, end.long())
    share = (places - low)[:, None]
    before, after = (series.gather(2, each[:, None].expand_as(series)) for each in (low, high))
    return before + share * (after - before)


class Lengths(nn.Module):
    """The lengths of encoded rows.

    Parameters
    ----------
    center, scale : float
        What encoding subtracts from a length, and what it then divides by.
    bounds : tuple of two int
        The smallest and the largest length.
    """

    def __init__(self, center: float, scale: float, bounds: tuple[int, int]) -> None:
        super().__init__()
        self.center = center
        self.scale = scale
        self.bounds = bounds

    def forward(self, encoded: Tensor) -> Tensor:
        """Return the lengths (B,) of encoded ones, as integers within the bounds."""
        return (encoded * self.scale + self.center).round().clamp(*self.bounds).long()

    def encode(self, lengths: Tensor) -> Tensor:
        """Return lengths (B,) encoded."""
        return (lengths - self.center) / self.scale


class Stretch(nn.Module):
    """The map from encoded rows to what networks see: stretched channels, and that of the length.

    Parameters
    ----------
    n_channels : int
        The number of channels.
    lengths : Lengths
        The lengths.
    """

    def __init__(self, n_channels: int, lengths: Lengths) -> None:
        super().__init__()
        self.n_channels = n_channels
        self.lengths = lengths

    def forward(self, x: Tensor) -> Tensor:
        """Map $(B, CT + 1)$ to $(B, (C + 1) T)$."""
        series = x[:, :-1].unflatten(1, (self.n_channels, -1))
        grid = resample(series, self.lengths(x[:, -1]), to_points=False).flatten(1)
        return torch.cat([grid, x[:, -1:].expand(len(x), series.shape[2])], dim=1)


class RaggedGaussian(Gaussian):
    r"""Independent Gaussians around the points of a stretched series, and one around its length.

    .. math:: x_{ct} \sim N(W_l\, d_c(z), \sigma^2), \quad t \le l, \qquad l \sim N(d_l(z), s^2),

    with :math:`W_l` the linear interpolation from the grid to :math:`l` points. Padding is in no
    sum.

    Parameters
    ----------
    n_channels, n_timepoints : int
        The shape of a padded series.
    lengths : Lengths
        The lengths of `fit`.
    presence : Tensor of shape (n_timepoints,)
        The share of the rows of `fit` that have each point.
    variance : float or Tensor
        The variance of a point at the start.
    learns_variance : bool, default=False
        Whether training is to call `update_variance`.
    """

    presence: Tensor
    length_variance: Tensor

    def __init__(
        self,
        n_channels: int,
        n_timepoints: int,
        lengths: Lengths,
        presence: Tensor,
        variance: float | Tensor = 1.0,
        *,
        learns_variance: bool = False,
    ) -> None:
        self.shape = (n_channels, n_timepoints)
        self.smallest_length_variance = (_SMALLEST_DEVIATION / lengths.scale) ** 2
        none = torch.full((n_channels * n_timepoints,), math.inf)
        super().__init__(-none, none, variance, learns_variance=learns_variance)
        self.lengths = lengths
        self.register_buffer("presence", presence.float().repeat(n_channels))

    def calibrate(self, variance: float | Tensor) -> None:
        """Set the variances: of points and of the length, or one, which the length is to weigh by.

        Parameters
        ----------
        variance : float or Tensor of shape () or (n_points + 1,)
            One for all points; or the squared error of every point, and last that of the length.
        """
        variance = torch.as_tensor(variance).float()
        if variance.dim():
            points, length = variance[:-1].to(self.presence), variance[-1]
            super().calibrate(self.presence @ points / self.presence.sum())
        else:
            # On the grid the length is a channel, whose squared errors add up.
            super().calibrate(variance)
            length = variance / self.shape[1]
        self.length_variance = length.clamp_min(self.smallest_length_variance).to(self.variance)

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the log density of every point, 0 of padding, and of the length, last."""
        points, length = self._squared(output, x)
        logs = (torch.log(2 * math.pi * each) for each in (self.variance, self.length_variance))
        of_points, of_length = logs
        cells = -0.5 * (of_points + points / self.variance)
        cells = torch.where(self._is_there(x), cells, 0.0)
        last = -0.5 * (of_length + length / self.length_variance)
        return torch.cat([cells, last[:, None]], dim=1)

    def negative_log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the negative log density of every row, shape $(B,)$."""
        return -self.log_prob(output, x).sum(1)

    def squared_error(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the squared error of every point, NaN of padding, and of the length, last."""
        points, length = self._squared(output, x)
        points = torch.where(self._is_there(x), points.nan_to_num(nan=math.inf), math.nan)
        return torch.cat([points, length[:, None]], dim=1)

    @torch.no_grad()
    def update_variance(self, output: Tensor, x: Tensor, shares: Tensor | None = None) -> None:
        """Move the variances towards the squared errors of a batch."""
        shares = x.new_ones(len(x)) if shares is None else shares
        points, length = self._squared(output, x)
        there = shares[:, None] * self._is_there(x)
        of_points = (there * points).sum() / there.sum().clamp_min(1e-12)
        of_length = shares @ length / shares.sum()
        before = self.length_variance
        Gaussian.calibrate(self, self.variance.lerp(of_points, _MOMENTUM))
        moved = before.lerp(of_length, _MOMENTUM)
        self.length_variance = moved.clamp_min(self.smallest_length_variance)

    def mean(self, output: Tensor) -> Tensor:
        """Return the expected rows, of the lengths that are expected, $(B, CT + 1)$."""
        return self.expected_at(output, self.lengths.encode(self.lengths(self._length(output))))

    def expected_at(self, output: Tensor, length: Tensor) -> Tensor:
        """Return the expected rows of given lengths, encoded, (B,)."""
        x = torch.cat([output.new_zeros(len(output), math.prod(self.shape)), length[:, None]], 1)
        points = torch.where(self._is_there(x), self._points(output, x), 0.0)
        return torch.cat([points, length[:, None]], dim=1)

    def sample(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """Draw lengths, and points of so many timepoints."""
        noise = torch.randn(len(output), math.prod(self.shape) + 1, generator=generator).to(output)
        drawn = self._length(output) + self.length_variance.sqrt() * noise[:, -1]
        rows = self.expected_at(output, self.lengths.encode(self.lengths(drawn)))
        noise[:, :-1] *= self.variance.sqrt() * self._is_there(rows)
        noise[:, -1] = 0.0
        return rows + noise

    def _length(self, output: Tensor) -> Tensor:
        return output[:, math.prod(self.shape) :].mean(1)

    def _points(self, output: Tensor, x: Tensor) -> Tensor:
        grid = output[:, : math.prod(self.shape)].unflatten(1, self.shape)
        return resample(grid, self.lengths(x[:, -1]), to_points=True).flatten(1)

    def _is_there(self, x: Tensor) -> Tensor:
        n_channels, n_timepoints = self.shape
        steps = torch.arange(n_timepoints, device=x.device)
        return (steps < self.lengths(x[:, -1])[:, None]).repeat(1, n_channels)

    def _squared(self, output: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the squared errors of points and of lengths."""
        points = (self._points(output, x) - x[:, :-1]).square()
        return points, (self._length(output) - x[:, -1]).square()
