"""The data set of a net: rows that are fetched in whole batches."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor
from torch.utils.data import Dataset, Subset

from skae.common.devices import has_room
from skae.tables.columns import Columns
from skae.tables.containers import is_memory_map
from skae.tables.training_rows import TrainingRows

# The smallest number of validation rows by rule, unless it is more than a quarter of all rows;
# chosen on the development sets (docs/design.md, "What keeps small sets safe").
_FEWEST_HELD_OUT = 20
# The size of a batch in inference, in cells and in rows.
_CELLS_AT_A_TIME = 2**20
_MOST_ROWS_AT_A_TIME = 8192


def rows_at_a_time(n_columns: int) -> int:
    """Return the number of rows of a batch in inference: as many as fit a cache, at least one."""
    return min(max(1, _CELLS_AT_A_TIME // n_columns), _MOST_ROWS_AT_A_TIME)


class Rows(Dataset):
    """A data set of rows and their weights, encoded beforehand or a batch at a time.

    Parameters
    ----------
    source : Tensor, ndarray or sparse array of shape (n_rows, n_columns)
        The rows. A tensor holds encoded rows and stays on its device; anything else is encoded a
        batch at a time.
    encode : callable or None, default=None
        A map from rows of the source to a float32 array; None where the source is a tensor.
    weights : Tensor of shape (n_rows,) or None, default=None
        The weight of every row; None for weights of one.
    index : Tensor of int or None, default=None
        The rows of the source that are in the set; None for all.
    """

    def __init__(
        self,
        source: Any,
        encode: Callable[[Any], np.ndarray] | None = None,
        weights: Tensor | None = None,
        index: Tensor | None = None,
    ) -> None:
        self.source = source
        self.encode = encode
        self.weights = weights
        self.index = index

    def __len__(self) -> int:
        return self.source.shape[0] if self.index is None else len(self.index)

    @property
    def n_in_all(self) -> int:
        """The number of rows of the fit, of which this set may be a part."""
        return len(self)

    @property
    def n_columns(self) -> int:
        """The number of columns of the source."""
        return self.source.shape[1]

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        """Return one row and its weight, for a plain `DataLoader`."""
        x, weight = self.take(torch.tensor([i]))
        return x[0], torch.ones(()) if weight is None else weight[0]

    def take(self, positions: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the rows at positions of the set, shape (B, n_columns), and their weights."""
        index = positions if self.index is None else self.index[positions]
        weight = None if self.weights is None else self.weights[index.to(self.weights.device)]
        if self.encode is None:
            return self.source.index_select(0, index.to(self.source.device)), weight
        return torch.from_numpy(self.encode(self.source[index.numpy()])), weight

    def subset(self, positions: Tensor) -> "Rows":
        """Return the data set of the rows at positions of this one, without a copy."""
        index = positions if self.index is None else self.index[positions]
        return Rows(self.source, self.encode, self.weights, index)

    def sample(self, n_rows: int) -> "Rows":
        """Return a random subset of at most `n_rows` rows."""
        return self.subset(torch.randperm(len(self))[:n_rows].sort()[0])

    def parts(self, held_out: "HeldOut") -> tuple["Rows", "Rows"]:
        """Return training rows and validation rows, as many as `held_out` says."""
        return held_out.split(self)

    def of_all(self) -> "Rows":
        """Return the rows that are described, where these are only a part: a sample of them."""
        return self

    def in_memory(self) -> "Rows":
        """Return the rows, or a random sample of them where they do not fit into memory."""
        return self

    def n_batches(self, batch_size: int) -> int:
        """Return the largest number of batches of a pass."""
        return -(-len(self) // batch_size)

    def batches(
        self, batch_size: int, *, shuffle: bool, n_done: int = 0
    ) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Draw the order of a pass, and return its batches, of nearly equal size.

        Nothing is drawn between the batches; the first `n_done` of them are left out.
        """
        order = torch.randperm(len(self)) if shuffle else torch.arange(len(self))
        return map(self.take, order.tensor_split(self.n_batches(batch_size))[n_done:])

    def resample(self, n_rows: int) -> "Rows":
        """Return a data set without weights whose rows are drawn in proportion to theirs."""
        if self.weights is None:
            return self.sample(n_rows)
        weights = self.weights.cpu()
        weights = weights if self.index is None else weights[self.index]
        drawn = torch.multinomial(weights.double(), min(n_rows, len(self)), replacement=True)
        return Rows(self.source, self.encode, index=self.subset(drawn.sort()[0]).index)


def encode_rows(rows: TrainingRows, columns: Columns, device: torch.device) -> Rows:
    """Return a data set of encoded rows on a device, or of rows to be encoded by batch.

    Sparse rows and memory maps are encoded a batch at a time. Targets that differ from the inputs
    are placed beside them.
    """
    weights = None if rows.weights is None else torch.from_numpy(rows.weights).to(device)
    if rows.targets is not rows.inputs:
        both = [torch.from_numpy(columns.encode(each)) for each in (rows.inputs, rows.targets)]
        return on_device(torch.cat(both, dim=1), device, weights)
    if sparse.issparse(rows.inputs) or is_memory_map(rows.inputs):
        return Rows(rows.inputs, columns.encode, weights)
    return on_device(torch.from_numpy(columns.encode(rows.inputs)), device, weights)


def encode_beside(
    beside: np.ndarray, rows: TrainingRows, columns: Columns, device: torch.device
) -> Rows:
    """Return a data set of encoded rows behind what stands beside them, (n_rows, e)."""
    weights = None if rows.weights is None else torch.from_numpy(rows.weights).to(device)
    both = np.hstack([beside, columns.encode(rows.inputs)])
    return on_device(torch.from_numpy(both), device, weights)


def on_device(x: Tensor, device: torch.device, weights: Tensor | None = None) -> Rows:
    """Return encoded rows as a data set, on a device if its memory suffices."""
    return Rows(x.to(device) if has_room(device, x) else x, weights=weights)


class HeldOut:
    """Split rows at random into training rows and validation rows.

    Parameters
    ----------
    fraction : "auto" or float
        The share of validation rows; both parts have at least one row. "auto" is a tenth, or 20
        rows where these are more, but at most a quarter.
    strata : Tensor of int of shape (n_rows,) or None, default=None
        The class of every row: both parts then hold the classes in proportion.
    """

    def __init__(self, fraction: str | float, strata: Tensor | None = None) -> None:
        self.fraction = fraction
        self.strata = strata

    def __call__(self, rows: Rows, y: None = None) -> tuple[Rows, Rows]:
        """Return the training rows and the validation rows; a single row is in both."""
        return rows.parts(self)

    def split(self, rows: Rows) -> tuple[Rows, Rows]:
        """Return the same for rows in the memory of one process."""
        if len(rows) == 1:
            return rows, rows
        order = torch.randperm(len(rows))
        n_held_out = self.number_of(len(rows))
        chosen = torch.arange(n_held_out)
        if self.strata is not None:
            # In random order within each class, one class after another: rows at even steps then
            # hold the classes in proportion.
            order = order[self.strata[order].argsort(stable=True)]
            chosen = -(-chosen * len(rows) // n_held_out)
        is_held_out = torch.zeros(len(rows), dtype=torch.bool)
        is_held_out[order[chosen]] = True
        return rows.subset((~is_held_out).nonzero()[:, 0]), rows.subset(is_held_out.nonzero()[:, 0])

    def number_of(self, n_rows: int) -> int:
        """Return how many of a number of rows are validation rows."""
        if isinstance(self.fraction, str):
            wanted = max(n_rows // 10, min(_FEWEST_HELD_OUT, n_rows // 4))
        else:
            wanted = round(self.fraction * n_rows)
        return min(max(1, wanted), n_rows - 1)


class Batches:
    """Iterate over `Rows` by batches of nearly equal size, shuffled in training.

    Parameters
    ----------
    rows : Rows or torch.utils.data.Subset of them
        The data set.
    batch_size : int
        The largest size of a batch.
    shuffle : bool, default=False
        Whether every pass takes the rows in a new order.
    """

    def __init__(self, rows: Rows | Subset, batch_size: int, shuffle: bool = False) -> None:
        self.rows = as_rows(rows)
        self.batch_size = batch_size
        self.shuffle = shuffle

    def __len__(self) -> int:
        return self.rows.n_batches(self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor | None]]:
        return self.after(0)

    def after(self, n_done: int) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Draw the order of a pass, and return its batches without the first ones."""
        return self.rows.batches(self.batch_size, shuffle=self.shuffle, n_done=n_done)


def as_rows(rows: Rows | Subset) -> Rows:
    """Return a subset of rows as rows."""
    if not isinstance(rows, Subset):
        return rows
    assert isinstance(rows.dataset, Rows)
    return rows.dataset.subset(torch.tensor(rows.indices))


def kept_rows(part: Rows | Subset, rows: Rows) -> dict[str, Any]:
    """Return what a checkpoint holds of a part of rows: their places, or, of others, the rows.

    Raises
    ------
    ValueError
        If it would have to hold rows that are no tensor.
    """
    part = as_rows(part)
    if part.source is rows.source:
        return {"index": part.index}
    if isinstance(part.source, Tensor):
        return {"source": part.source, "weights": part.weights, "index": part.index}
    raise ValueError(
        "A checkpoint cannot hold validation rows that are not among those of X: leave "
        "net_params['train_split'] out, or set checkpoint=None."
    )


def rows_again(kept: dict[str, Any], rows: Rows) -> Rows:
    """Return the part of rows that `kept_rows` was given."""
    if "source" in kept:
        return Rows(kept["source"], weights=kept["weights"], index=kept["index"])
    return Rows(rows.source, rows.encode, rows.weights, kept["index"])
