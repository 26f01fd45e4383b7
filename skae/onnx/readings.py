"""What an ONNX model of an estimator computes: its readings as modules of torch."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from skae.autoencoders.base import BaseAutoencoder
from skae.autoencoders.conditional import ConditionalVAE
from skae.gans.sampler import GANSampler
from skae.nn.chain import Autoencoder
from skae.nn.variational_chain import VariationalAutoencoder
from skae.onnx.detector import of_detector
from skae.onnx.inputs import Input
from skae.onnx.reading import Output, Reading
from skae.onnx.rows import Rows, make_rows
from skae.outliers.detector import AEOutlierDetector
from skae.predictors.base import EncoderPredictor
from skae.predictors.classifier import EncoderClassifier
from skae.predictors.regressor import EncoderRegressor
from skae.tables.matrix import MatrixColumns

_NONE = "it has no reading of that name, or none that a model could compute"
Compute = Callable[[Autoencoder, Tensor, Tensor], Tensor]


class OfRows(Reading):
    """A reading of encoded rows.

    Parameters
    ----------
    rows : Rows
        The encoding of rows.
    chain : Autoencoder
        The chain.
    compute : callable
        From the chain, encoded rows, and what is added to their log-likelihood, to the output.
    output : Output
        What comes out.
    after : nn.Module, default=nn.Identity()
        What is applied to the output.
    """

    def __init__(
        self,
        rows: Rows,
        chain: Autoencoder,
        compute: Compute,
        output: Output,
        after: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.rows, self.chain, self.compute = rows, chain, compute
        self.after = nn.Identity() if after is None else after
        self.inputs, self.output = rows.inputs, output

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the output, given a tensor for every column; two for one of texts."""
        return self.after(self.compute(self.chain, *self.rows(*inputs)))


class OfCodes(Reading):
    """The expected rows of codes.

    Parameters
    ----------
    chain : Autoencoder
        The chain.
    n_components : int
        The number of units of the code.
    after : nn.Module
        What is applied to the decoded rows.
    """

    def __init__(self, chain: Autoencoder, n_components: int, after: nn.Module) -> None:
        super().__init__()
        self.chain, self.after = chain, after
        self.inputs = [Input("Z", "float", n_components, missing="")]
        self.output = Output("X_original")

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return expected rows, given codes $(B, k)$."""
        return self.after(self.chain.decode(inputs[0]))


class DecodedMatrix(nn.Module):
    """The way from encoded rows of numbers back to their units.

    Parameters
    ----------
    columns : MatrixColumns
        The columns.
    """

    center: Tensor
    low: Tensor
    high: Tensor

    def __init__(self, columns: MatrixColumns) -> None:
        super().__init__()
        for name in ("center", "low", "high"):
            values = getattr(columns, name).astype(columns.dtype)
            self.register_buffer(name, torch.from_numpy(values))
        self.scale = float(columns.scale)

    def forward(self, encoded: Tensor) -> Tensor:
        """Return rows in the type that `fit` saw."""
        rows = encoded.to(self.center) * self.scale + self.center
        return rows.maximum(self.low).minimum(self.high)


class Targets(nn.Module):
    """The way from standardised targets to their units.

    Parameters
    ----------
    regressor : EncoderRegressor
        The regressor.
    """

    center: Tensor
    scale: Tensor

    def __init__(self, regressor: EncoderRegressor) -> None:
        super().__init__()
        self.register_buffer("center", torch.from_numpy(np.array(regressor._center_)))
        self.register_buffer("scale", torch.from_numpy(np.array(regressor._scale_)))
        self.is_one = regressor._is_one_target_

    def forward(self, standardised: Tensor) -> Tensor:
        """Return targets, $(B,)$ or $(B, m)$."""
        targets = standardised.double() * self.scale + self.center
        return targets[:, 0] if self.is_one else targets


def _codes(chain: Autoencoder, x: Tensor, added: Tensor) -> Tensor:
    return chain.encode(x)


def _rows(chain: Autoencoder, x: Tensor, added: Tensor) -> Tensor:
    return chain.reconstruct(x)


def _scores(chain: Autoencoder, x: Tensor, added: Tensor) -> Tensor:
    return chain.log_prob(x).sum(1) + added


def _outputs(chain: Autoencoder, x: Tensor, added: Tensor) -> Tensor:
    return chain.decoder(chain.encode(x))


def _best(chain: Autoencoder, x: Tensor, added: Tensor) -> Tensor:
    return _outputs(chain, x, added).argmax(1)


def _probabilities(chain: Autoencoder, x: Tensor, added: Tensor) -> Tensor:
    return torch.softmax(_outputs(chain, x, added).double(), dim=1)


def autoencoder_of(estimator: Any) -> BaseAutoencoder:
    """Return the autoencoder that reads the rows of an estimator.

    Raises
    ------
    TypeError
        If there is none.
    """
    if isinstance(estimator, (GANSampler, EncoderPredictor)):
        return estimator.autoencoder_
    if isinstance(estimator, BaseAutoencoder):
        return estimator
    raise TypeError(f"No rows of a {type(estimator).__name__} can be the inputs of an ONNX model.")


def make_reading(estimator: Any, name: str) -> Reading:
    """Return the reading of an estimator.

    Raises
    ------
    ValueError
        If it has none of that name that a model could compute.
    """
    if isinstance(estimator, GANSampler) and name in ("transform", "inverse_transform"):
        return _of_autoencoder(estimator.autoencoder_, name)
    if isinstance(estimator, EncoderPredictor):
        return _of_predictor(estimator, name)
    if isinstance(estimator, BaseAutoencoder) and not isinstance(estimator, ConditionalVAE):
        return _of_autoencoder(estimator, name)
    if isinstance(estimator, AEOutlierDetector):
        reading = of_detector(estimator, name)
        if reading is None:
            raise _refusal(estimator, name, _NONE)
        return reading
    raise _refusal(estimator, name, "of this class nothing can be exported")


def _of_autoencoder(autoencoder: BaseAutoencoder, name: str) -> Reading:
    chain, columns = _copied(autoencoder._module), autoencoder.columns_
    rows = make_rows(columns, is_array=autoencoder.frame_ is None)
    if name == "transform":
        return OfRows(rows, chain, _codes, Output("Z"))
    if name == "score_samples":
        if isinstance(chain, VariationalAutoencoder):
            raise _refusal(autoencoder, name, "its draws depend on the bits of a row")
        return OfRows(rows, chain, _scores, Output("log_likelihood"))
    if name not in ("reconstruct", "inverse_transform"):
        raise _refusal(autoencoder, name, _NONE)
    if not isinstance(columns, MatrixColumns):
        raise _refusal(autoencoder, name, "its rows are those of a table")
    after = DecodedMatrix(columns)
    if name == "reconstruct":
        return OfRows(rows, chain, _rows, Output("X_reconstructed"), after)
    return OfCodes(chain, autoencoder.n_components_, after)


def _of_predictor(predictor: EncoderPredictor, name: str) -> Reading:
    autoencoder, chain = predictor.autoencoder_, _copied(predictor._module)
    rows = make_rows(autoencoder.columns_, is_array=autoencoder.frame_ is None)
    if isinstance(predictor, EncoderRegressor) and name == "predict":
        return OfRows(rows, chain, _outputs, Output("y"), Targets(predictor))
    if isinstance(predictor, EncoderClassifier) and name == "predict":
        return OfRows(rows, chain, _best, Output("y", predictor.classes_))
    if isinstance(predictor, EncoderClassifier) and name == "predict_proba":
        return OfRows(rows, chain, _probabilities, Output("probabilities"))
    raise _refusal(predictor, name, _NONE)


def _copied(chain: Autoencoder) -> Autoencoder:
    return copy.deepcopy(chain).cpu().eval()


def _refusal(estimator: Any, name: str, reason: str) -> ValueError:
    return ValueError(
        f"reading={name!r} of {type(estimator).__name__} cannot be exported: {reason}. "
        f"There are 'transform' of autoencoders, 'score_samples' of those without draws, "
        f"'reconstruct' and 'inverse_transform' of those of numbers alone, 'predict' of "
        f"EncoderRegressor and EncoderClassifier, 'predict_proba' of the latter, and "
        f"'score_samples', 'decision_function', 'predict' and 'p_values' of AEOutlierDetector."
    )
