"""The rows of one of several processes that train together."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from skae.common.processes import add_up, flat, from_first, gather, n_processes, own_rank
from skae.tables.streams import BUFFER_ROWS
from skae.training.rows import HeldOut, Rows


class Shard(Rows):
    """The encoded rows that one process trains on, and a sample of those of all.

    Every process makes the same number of steps. Validation rows and samples are those of all
    processes, so that each decides the same.

    Parameters
    ----------
    source : Tensor of shape (n_rows, n_columns)
        The encoded rows of this process.
    weights : Tensor of shape (n_rows,) or None
        The weights of the rows; None for weights of one.
    """

    def __init__(self, source: Tensor, weights: Tensor | None = None) -> None:
        super().__init__(source, weights=weights)
        self.sizes: list[int] = gather(source.shape[0])

    @property
    def n_in_all(self) -> int:
        """The number of rows of all processes."""
        return sum(self.sizes)

    def parts(self, held_out: HeldOut) -> tuple["Shard", Rows]:
        """Return the training rows of this process, and the validation rows of all."""
        train, rest = held_out.split(Rows(self.source, weights=self.weights))
        return Shard(*train.take(torch.arange(len(train)))), joined(rest)

    def sample(self, n_rows: int) -> Rows:
        """Return a random sample of the rows of all processes."""
        own = Rows(self.source, weights=self.weights)
        # Processes draw differently many numbers, and must not be parted by that.
        with torch.random.fork_rng(devices=[]):
            return joined(own.sample(-(-n_rows * len(self) // self.n_in_all)))

    def resample(self, n_rows: int) -> Rows:
        """Return rows of all processes without weights, drawn in proportion to theirs."""
        own = Rows(self.source, weights=self.weights)
        total = torch.tensor([len(self) if self.weights is None else float(self.weights.sum())])
        share = float(total / add_up(total.clone()))
        with torch.random.fork_rng(devices=[]):
            return joined(own.resample(max(1, round(n_rows * share))))

    def in_memory(self) -> Rows:
        """Return a sample of the rows of all processes."""
        return self.of_all()

    def n_batches(self, batch_size: int) -> int:
        """Return the number of batches of a pass, of which each process has a part."""
        return -(-self.n_in_all // batch_size)

    def of_all(self) -> Rows:
        """Return a sample of the rows of all processes."""
        return self.sample(BUFFER_ROWS)

    def batches(
        self, batch_size: int, *, shuffle: bool, n_done: int = 0
    ) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Draw the order of a pass, and return this process's part of its batches."""
        n_batches = self.n_batches(batch_size)
        order = torch.randperm(len(self)) if shuffle else torch.arange(len(self))
        # A process with too few rows for all steps takes some twice.
        order = order.repeat(-(-n_batches // len(order)))[: max(len(order), n_batches)]
        return map(self.take, order.tensor_split(n_batches)[n_done:])


@contextmanager
def as_one_of_several(module: nn.Module, seed: int) -> Iterator[None]:
    """Begin a training with the same weights in all processes, but noise of their own.

    Parameters
    ----------
    module : nn.Module
        The module, which takes the weights and buffers of the first process.
    seed : int
        The seed of the fit, which torch's generator has again at the end.
    """
    if n_processes() == 1:
        yield
        return
    from_first([each.data for each in (*module.parameters(), *module.buffers()) if each.numel()])
    torch.manual_seed(seed + own_rank())
    yield
    torch.manual_seed(seed)


def joined(rows: Rows) -> Rows:
    """Return the rows of all processes, in the order of their ranks, in each of them."""
    x, weights = rows.take(torch.arange(len(rows)))
    parts = gather((x.cpu(), None if weights is None else weights.cpu()))
    source = torch.cat([part for part, _ in parts]).to(x.device)
    if weights is None:
        return Rows(source)
    return Rows(source, weights=torch.cat([part for _, part in parts]).to(x.device))


def average_gradients(parameters: list[nn.Parameter], weight: float) -> None:
    """Replace gradients by their mean over all processes, weighted by those of their batches."""
    found = [each for each in parameters if each.grad is not None]
    gradients = [each.grad for each in found if each.grad is not None]
    total = gradients[0].new_tensor([weight])
    summed = add_up(flat([*(each * weight for each in gradients), total]))
    mean = summed[:-1] / summed[-1]
    for each, part in zip(gradients, mean.split([g.numel() for g in gradients]), strict=True):
        each.copy_(part.view_as(each))


def mean_over_processes(mean: float, weight: float) -> float:
    """Return the weighted mean of a number over all processes."""
    sums = add_up(torch.tensor([mean * weight, weight], dtype=torch.float64))
    return float(sums[0] / sums[1])


def take_buffers_of_first(module: nn.Module) -> None:
    """Give a module the buffers of the first process; each has updated its own by its rows."""
    from_first([each for each in module.buffers() if each.numel()])
