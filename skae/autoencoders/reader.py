"""Reader: checks rows, applies a fitted chain to them, and wraps the results."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import narwhals as nw
import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, gen_batches
from torch import Tensor

from skae.nn.chain import Autoencoder
from skae.tables.checking import check_rows
from skae.tables.columns import Columns
from skae.tables.containers import fill_column, holds_labels, with_index, wrap_table
from skae.tables.field import EXPECTED, Decoding
from skae.tables.unwrapping import unwrap
from skae.training.rows import rows_at_a_time

_copy = partial(np.array, order="C")


@dataclass(frozen=True)
class Reader:
    """The application of a fitted chain to rows or codes, a batch at a time.

    Attributes
    ----------
    estimator : estimator
        The estimator that rows are checked for.
    columns : Columns
        The columns of the estimator.
    chain : Autoencoder
        The chain of the estimator, in evaluation mode.
    device : torch.device
        The device of the chain.
    frame : narwhals.DataFrame or None
        The template of dataframes: the one passed to `fit`, without its rows.
    """

    estimator: BaseEstimator
    columns: Columns
    chain: Autoencoder
    device: torch.device
    frame: nw.DataFrame | None

    @classmethod
    def of(cls, autoencoder: BaseEstimator) -> "Reader":
        """Return the reader of a fitted autoencoder."""
        net = autoencoder.net_
        device = torch.device(net.device)
        return cls(autoencoder, autoencoder.columns_, net.chain, device, autoencoder.frame_)

    def check(self, X: Any, *, allow_holes: bool = False) -> Any:
        """Return rows as a matrix or a narwhals frame; raise ValueError if they are not valid."""
        is_table = self.columns.is_table
        needs_frame = is_table and holds_labels(self.frame)
        return check_rows(
            self.estimator,
            X,
            as_table=is_table,
            reset=False,
            needs_frame=needs_frame,
            allow_holes=allow_holes,
        )

    def check_range(self, rows: Any, likelihood: str) -> None:
        """Raise ValueError if rows are outside the support of a likelihood."""
        if likelihood != "gaussian":
            self.columns.check(rows)

    def check_codes(self, codes: Any, n_components: int, name: str = "X") -> np.ndarray:
        """Return codes as an array of float32; raise ValueError if they are not valid."""
        array = check_array(unwrap(codes), dtype=np.float32, input_name=name)
        if array.shape[1] != n_components:
            raise ValueError(
                f"{name} has {array.shape[1]} components, but {type(self.estimator).__name__} has "
                f"{n_components}."
            )
        return array

    def read(
        self,
        function: Callable[[Tensor], Tensor],
        rows: Any,
        finish: Callable[[np.ndarray], np.ndarray] = np.asarray,
    ) -> np.ndarray:
        """Apply a function of encoded rows to checked rows, and return an array."""
        return self._map(function, rows, self.columns.encode, finish)

    def decode(self, function: Callable[[Tensor], Tensor], codes: np.ndarray) -> np.ndarray:
        """Apply a function from codes to encoded rows, and return decoded rows."""
        return self._map(function, codes, _copy, self.columns.decode)

    def apply(self, function: Callable[[Tensor], Tensor], encoded: np.ndarray) -> np.ndarray:
        """Apply a function of encoded rows to encoded rows, and return an array."""
        return self._map(function, encoded, _copy, np.asarray)

    def wrap(self, decoded: np.ndarray, like: Any = None, decoding: Decoding = EXPECTED) -> Any:
        """Return decoded rows in the kind of container that `like` is."""
        return self.columns.wrap(decoded, self.frame, like, decoding)

    def wrap_filled(self, filled: Any, like: Any) -> Any:
        """Return rows without holes in the kind of container that `like` is, which has some."""
        if isinstance(filled, nw.DataFrame):
            return wrap_table(filled, self.frame, like)
        rows = self.columns.wrap(filled, self.frame, like)
        frame = nw.from_native(rows, eager_only=True, pass_through=True)
        before = nw.from_native(like, eager_only=True, pass_through=True)
        if not (isinstance(frame, nw.DataFrame) and isinstance(before, nw.DataFrame)):
            return rows
        # Cells that were there come back to the bit, whatever type they were computed in.
        pairs = zip(before.iter_columns(), frame.iter_columns(), strict=True)
        joined = {column.name: fill_column(column, other) for column, other in pairs}
        return with_index(nw.DataFrame.from_dict(joined).to_native(), like)

    def in_units(self, scores: np.ndarray, rows: Any) -> np.ndarray:
        """Return the log-likelihoods of encoded rows as those of the rows themselves."""
        scores = scores - np.float32(self.columns.log_volume)
        log_shares = self.columns.log_shares(rows)
        return scores if log_shares is None else scores + log_shares.sum(1)

    def beside(self, batch: slice) -> AbstractContextManager:
        """Return the context in which the rows of a batch are read."""
        return nullcontext()

    @torch.inference_mode()
    def _map(
        self,
        function: Callable[[Tensor], Tensor],
        rows: Any,
        prepare: Callable[[Any], np.ndarray],
        finish: Callable[[np.ndarray], np.ndarray],
    ) -> np.ndarray:
        results = np.empty(0)
        for batch in gen_batches(rows.shape[0], rows_at_a_time(self.columns.n_encoded)):
            x = torch.from_numpy(prepare(rows[batch])).to(self.device)
            with self.beside(batch):
                result = finish(function(x).cpu().numpy())
            if batch.start == 0:  # the first result has the shape and the type of all
                results = np.empty((rows.shape[0], *result.shape[1:]), result.dtype)
            results[batch] = result
        return results
