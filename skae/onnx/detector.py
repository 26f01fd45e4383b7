"""The readings of an outlier detector as modules of torch."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from skae.nn.ensemble import Ensemble
from skae.onnx.interpolation import Interpolations, Search
from skae.onnx.parts import make_quantities
from skae.onnx.points import Points
from skae.onnx.reading import Output, Reading
from skae.onnx.tables import TableCells
from skae.outliers.coordinates import VIEWS
from skae.outliers.detector import AEOutlierDetector
from skae.outliers.joining import CONSENSUS
from skae.outliers.model import Model
from skae.outliers.surprisal import TRUSTED, Surprisal


class Surprisals(nn.Module):
    """The surprisals of quantities.

    Parameters
    ----------
    learned : sequence of Surprisal
        The surprisal of every quantity.
    """

    high: Tensor
    spread: Tensor
    which: Tensor
    trusted: Tensor

    def __init__(self, learned: Sequence[Surprisal]) -> None:
        super().__init__()
        self.bulk = Interpolations([each.bulk for each in learned])
        ends = [each.bulk.ends[1] for each in learned]
        spreads = [each.spread for each in learned]
        self.register_buffer("high", torch.tensor(ends, dtype=torch.float64)[:, None, None])
        self.register_buffer("spread", torch.tensor(spreads, dtype=torch.float64)[:, None, None])
        self.register_buffer("which", torch.arange(len(learned))[:, None, None])
        self.register_buffer("trusted", torch.tensor(TRUSTED, dtype=torch.float64))

    def forward(self, quantities: Tensor) -> Tensor:
        """Return them of quantities $(Q, M, B)$."""
        beyond = (quantities - self.high).clamp_min(0) / self.spread
        surprisals = self.bulk(quantities, self.which) + beyond
        excess = (surprisals - TRUSTED).clamp_min(0)
        # Not `clamp_max`: skl2onnx takes no operator of which an input is left out.
        return surprisals.minimum(self.trusted) + excess.log1p()


class Joint(nn.Module):
    """The scores of rows.

    Parameters
    ----------
    model : Model
        What a detector has learned.
    """

    alone: Tensor

    def __init__(self, model: Model) -> None:
        super().__init__()
        members, parts = model.members, model.parts
        self.n_reading = members.n_reading
        chain = members.net.chain
        assert isinstance(chain, Ensemble)
        self.ensemble = chain.of_folds(range(self.n_reading)).cpu().double().eval()
        self.points = Points(model.columns)
        self.quantities = nn.ModuleList(
            make_quantities(part, self.n_reading) for part in parts.values()
        )
        self.surprisals = Surprisals([f for part in parts.values() for f in part.surprisals])
        self.sizes = [len(part.surprisals) for part in parts.values()]
        alone = [part.alone for part in parts.values()]
        self.register_buffer("alone", torch.tensor(alone, dtype=torch.float64))

    def forward(self, cells: list) -> Tensor:
        """Return scores $(B,)$, given encoded cells."""
        points = self.points(cells)
        shape = len(VIEWS), self.n_reading, -1, points.shape[2]
        seen = points[:, None].expand(shape).reshape(-1, *points.shape[1:])
        codes, output = self.ensemble.encode_and_reconstruct(seen)
        by_view = (len(VIEWS), self.n_reading, points.shape[1], -1)
        known = points, codes.reshape(by_view), (output - seen).reshape(by_view)
        quantities = [
            each.expand(self.n_reading, -1) for part in self.quantities for each in part(*known)
        ]
        return -self._joined(self.surprisals(torch.stack(quantities))).mean(0)

    def _joined(self, surprisals: Tensor) -> Tensor:
        """Return joint surprisals by member, $(M, B)$; see `skae.outliers.joining.join`."""
        by_part = surprisals.split(self.sizes)
        joint = torch.stack([part.mean(0) for part in by_part]).mean(0)
        joint = joint * (CONSENSUS if len(by_part) > 1 else 1)
        for i, part in enumerate(by_part):
            # Surprisals are at least zero: a part that does not count alone changes nothing.
            joint = joint.maximum(self.alone[i] * part.amax(0))
        return joint


class PValues(nn.Module):
    """The p-values of scores; see `skae.outliers.conformal.p_values`.

    Parameters
    ----------
    held_out : ndarray of shape (n_rows,)
        The joint surprisals of the training rows.
    weights : ndarray of shape (n_rows,)
        Their weights.
    """

    values: Tensor

    def __init__(self, held_out: np.ndarray, weights: np.ndarray) -> None:
        super().__init__()
        order = np.argsort(held_out, kind="stable")
        self.search = Search([held_out[order]], is_at_most=False)
        below = np.append(0.0, np.cumsum(weights[order]))
        values = (1 + np.maximum(below[-1] - below, 0)) / (1 + below[-1])
        self.register_buffer("values", torch.from_numpy(values))
        self.register_buffer("row", torch.zeros((), dtype=torch.int64))

    def forward(self, scores: Tensor) -> Tensor:
        """Return the p-values."""
        return self.values[self.search(-scores, self.row)]


class Shifted(nn.Module):
    """Scores relative to the threshold.

    Parameters
    ----------
    offset : float
        The score below which a row is an outlier.
    """

    offset: Tensor

    def __init__(self, offset: float) -> None:
        super().__init__()
        # The exporter makes numbers that are no tensors ones of single precision.
        self.register_buffer("offset", torch.tensor(offset, dtype=torch.float64))

    def forward(self, scores: Tensor) -> Tensor:
        """Return shifted scores."""
        return scores - self.offset


class Labels(Shifted):
    """The labels of scores."""

    def forward(self, scores: Tensor) -> Tensor:
        """Return -1 for outliers and 1 for inliers."""
        is_outlier = super().forward(scores) < 0
        return 1 - 2 * is_outlier.long()


class OfDetector(Reading):
    """A reading of an outlier detector, to which all rows are new.

    Parameters
    ----------
    detector : AEOutlierDetector
        The detector.
    output : str
        The name of what comes out.
    after : nn.Module
        What is applied to the scores.
    """

    def __init__(self, detector: AEOutlierDetector, output: str, after: nn.Module) -> None:
        super().__init__()
        self.cells = TableCells(detector.schema_, is_array=detector.frame_ is None)
        self.joint, self.after = Joint(detector._model_), after
        self.inputs, self.output = self.cells.inputs, Output(output)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the output, given a tensor for every column; two for one of texts."""
        return self.after(self.joint(self.cells(*inputs)))


def of_detector(detector: AEOutlierDetector, name: str) -> OfDetector | None:
    """Return a reading of a detector, None if there is none of that name."""
    if name == "score_samples":
        return OfDetector(detector, "scores", nn.Identity())
    if name == "decision_function":
        return OfDetector(detector, "decision", Shifted(detector.offset_))
    if name == "predict":
        return OfDetector(detector, "y", Labels(detector.offset_))
    if name == "p_values":
        model, weights = detector._model_, detector._memory_.weights
        return OfDetector(detector, "p_values", PValues(model.held_out, weights))
    return None
