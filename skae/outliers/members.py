"""The ensemble of autoencoders of an outlier detector: what it says of rows."""

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor

from skae.nn.ensemble import Ensemble
from skae.outliers.coordinates import VIEWS, Points
from skae.outliers.whitening import Whitening, measures
from skae.training.net import AutoencoderNet

# How many members of every view read a new row at most; the others have a part in the calibration.
_N_READING = 2


@dataclass(frozen=True)
class Reading:
    """What is known of some rows before it is compared with other rows.

    Attributes
    ----------
    points : dict of str to ndarray of shape (n_rows, n_coordinates)
        The points, by view.
    codes : ndarray of shape (n_views, n_reading, n_rows, n_units)
        The units of the last hidden layers, for each member that reads.
    residuals : Tensor of shape (n_views, n_reading, n_rows, n_coordinates)
        The errors of the reconstructions.
    """

    points: Points
    codes: np.ndarray
    residuals: Tensor

    def measured(self, whitenings: list[Whitening]) -> tuple[np.ndarray, np.ndarray]:
        """Return the typical and the largest conditional residual, (n_views, n_reading, n_rows)."""
        pairs = zip(whitenings, self.residuals, strict=True)
        by_view = [measures(whitening(residuals)) for whitening, residuals in pairs]
        typical, largest = (
            torch.stack(each).cpu().double().numpy() for each in zip(*by_view, strict=True)
        )
        return typical, largest


class Members:
    """Inference with a trained ensemble.

    New rows are read by two members of every view, in the precision of the points; every
    training row by those that have not learned from it.

    Parameters
    ----------
    net : AutoencoderNet
        The net of the ensemble.
    """

    def __init__(self, net: AutoencoderNet) -> None:
        self.net = net
        self._copies: dict[tuple, Ensemble] = {}

    @property
    def n_folds(self) -> int:
        """The number of members for each view."""
        return self._ensemble.n_folds

    @property
    def n_reading(self) -> int:
        """The number of members of every view that read new rows."""
        return min(_N_READING, self.n_folds)

    def read(self, points: Points) -> Reading:
        """Return what the members say of new rows."""
        return self._read(points, tuple(range(self.n_reading)))

    @torch.inference_mode()
    def read_held_out(self, points: Points, folds: np.ndarray) -> Reading:
        """Return what is said of training rows by the members that have not learned from them."""
        n, ensemble = len(folds), self._ensemble
        shape = (len(VIEWS), 1, n)
        codes = np.empty((*shape, ensemble.output.weight.shape[1]))
        errors = torch.empty(*shape, ensemble.n_wide, dtype=torch.float64)
        for fold in range(self.n_folds):
            own = folds == fold
            if own.any():
                found = self._read({view: x[own] for view, x in points.items()}, (fold,))
                codes[:, :, own] = found.codes
                errors[:, :, torch.from_numpy(own)] = found.residuals.cpu().double()
        return Reading(points, codes, errors)

    @torch.inference_mode()
    def codes(self, points: Points, folds: tuple[int, ...] | None = None) -> np.ndarray:
        """Return the codes of the members of some folds, (n_views, n_folds, n_rows, n_units)."""
        folds = tuple(range(self.n_folds)) if folds is None else folds
        module, x = self._inputs(points, folds)
        codes = module.encode(x).cpu().double().numpy()
        return codes.reshape(len(VIEWS), len(folds), *codes.shape[1:])

    @torch.inference_mode()
    def expected(self, points: Points, hidden: np.ndarray | None = None) -> np.ndarray:
        """Return expected points in the view "standard", shape (n_rows, n_coordinates).

        Parameters
        ----------
        points : dict of str to ndarray of shape (n_rows, n_coordinates)
            The points, by view.
        hidden : ndarray of bool of shape (n_rows, n_columns) or None, default=None
            The columns that are hidden from the members; None hides none.
        """
        module, x = self._inputs(points, tuple(range(self.n_reading)))
        mask = x.new_zeros(*x.shape[:2], module.n_columns)
        if hidden is not None:
            mask = mask + torch.from_numpy(hidden).to(mask)
        return module.reconstruct(x, mask)[: module.n_folds].mean(0).cpu().double().numpy()

    def _read(self, points: Points, folds: tuple[int, ...]) -> Reading:
        with torch.inference_mode():
            module, x = self._inputs(points, folds)
            hidden, output = module.encode_and_reconstruct(x)
            residuals = (output - x).reshape(len(VIEWS), len(folds), *output.shape[1:])
        codes = hidden.reshape(len(VIEWS), len(folds), *hidden.shape[1:]).cpu().numpy()
        return Reading(points, codes, residuals)

    def _inputs(self, points: Points, folds: tuple[int, ...]) -> tuple[Ensemble, Tensor]:
        """Return the members of some folds, and the points that each of them sees."""
        x = torch.from_numpy(np.hstack([points[view] for view in VIEWS]))
        if torch.device(self.net.device).type == "mps":
            x = x.float()
        module = self._copy(folds, x.dtype)
        return module, module.points(x.to(self.net.device))

    def _copy(self, folds: tuple[int, ...], dtype: torch.dtype) -> Ensemble:
        if (folds, dtype) not in self._copies:
            module = self._ensemble.of_folds(folds)
            self._copies[folds, dtype] = module.to(self.net.device, dtype).eval()
        return self._copies[folds, dtype]

    @property
    def _ensemble(self) -> Ensemble:
        return cast(Ensemble, self.net.chain)

    def __getstate__(self) -> dict:
        return {**vars(self), "_copies": {}}
