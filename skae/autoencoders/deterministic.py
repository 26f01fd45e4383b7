"""DeterministicAutoencoder: autoencoders with a point as code, and their additional methods."""

from dataclasses import field
from math import ceil
from numbers import Integral
from typing import Annotated, Any, Literal, cast

import numpy as np
import torch
from sklearn.utils.metaestimators import available_if
from torch import nn

from skae.autoencoders.base import BaseAutoencoder
from skae.building.likelihoods import make_likelihood
from skae.building.networks import Architecture
from skae.building.pretraining import (
    check_machines,
    n_layers,
    pretrain_greedily,
    pretrain_machines,
)
from skae.building.recipe import Facts, Pretraining, Recipe
from skae.common.annotations import Auto, PositiveInt
from skae.common.parameters import estimator
from skae.common.sklearn_private import Interval
from skae.nn.bottlenecks import Bottleneck, Identity
from skae.nn.chain import Autoencoder
from skae.nn.corruptions import HideCells, Repeated
from skae.nn.quantization import Quantizer
from skae.tables.columns import Columns
from skae.tables.mixed import MixedColumns
from skae.training.mode import Mode
from skae.training.reading import encode
from skae.training.rows import Rows
from skae.training.schedule import unless_auto

# The mean share of masked cells of a table that "auto" stands for.
_MASK_FRACTION = 0.2


def _is_quantized(autoencoder: "DeterministicAutoencoder") -> bool:
    if autoencoder.quantize is None:
        raise AttributeError(
            f"This {type(autoencoder).__name__} has no compressed codes: its 'quantize' parameter "
            f"is None. Fit it with the number of bits of a unit."
        )
    return True


@estimator()
class DeterministicAutoencoder(BaseAutoencoder):
    """An autoencoder whose code is a point, which can be pre-trained by layers and quantised."""

    init: Literal["pca", "random", "greedy", "rbm"] = "pca"
    """The initial weights: the principal components ("pca"); without linear paths, random
    orthogonal weights ("random"); or those of a layer-wise pre-training, as autoencoders of the
    previous layer's output ("greedy") or as restricted Boltzmann machines ("rbm": for dense
    networks with ``activation="logistic"`` and likelihoods of values in [0, 1])."""

    tied_weights: bool = False
    """Whether the weights of the decoder are those of the encoder, transposed. Each keeps its own
    biases."""

    quantize: Annotated[int, Interval(Integral, 1, 16, closed="both")] | None = None
    """The number of bits per unit of the code, 1 to 16. After training, every unit is rounded to
    one of ``2 ** quantize`` evenly spaced values, whose indices `compress` returns. None for codes
    that are not rounded."""

    pretraining_epochs: Auto | PositiveInt = "auto"
    """The number of epochs for every layer of a pre-training; "auto" is `max_epochs` divided by the
    number of layers."""

    rate_: float = field(init=False)
    """The mean number of bits per code on the validation rows, with every unit coded separately at
    its entropy; `noise_variance_` is then the distortion. Only with `quantize`."""

    @available_if(_is_quantized)
    def compress(self, X: Any) -> np.ndarray:
        """Return the codes of rows as small integers; with `quantize`.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        levels : ndarray of shape (n_samples, n_components_), uint8 or uint16
            The indices of the units' values, of `quantize` bits each.
        """
        reader = self._reader()
        quantizer = cast(Quantizer, reader.chain.quantizer)
        levels = reader.read(lambda x: quantizer.levels(reader.chain.encode(x)), reader.check(X))
        return levels.astype(np.uint8 if quantizer.n_bits <= 8 else np.uint16)

    @available_if(_is_quantized)
    def decompress(self, levels: Any) -> Any:
        """Return the expected rows of compressed codes.

        Parameters
        ----------
        levels : array-like of int of shape (n_samples, n_components_)
            The indices of the units' values, as `compress` returns them.

        Returns
        -------
        X : ndarray or dataframe of shape (n_samples, n_features)
            The rows, a frame if `fit` was given one.
        """
        reader = self._reader()
        quantizer = cast(Quantizer, reader.chain.quantizer)
        levels = reader.check_codes(levels, self.n_components_, "levels")
        largest = 2**quantizer.n_bits - 1
        if not ((levels >= 0) & (levels <= largest) & (levels % 1 == 0)).all():
            raise ValueError(f"'levels' must hold ints in the range [0, {largest}].")
        rows = reader.decode(lambda x: reader.chain.decode(quantizer.values(x)), levels)
        return reader.wrap(rows)

    def _plain_recipe(
        self,
        facts: Facts,
        n_components: int,
        bottleneck: Bottleneck | None = None,
        *,
        hidden_masking: float = 0.0,
    ) -> Recipe:
        """Return the recipe of an autoencoder without corruption or penalty."""
        architecture = Architecture(
            self.hidden_layer_sizes,
            self.activation,
            self.dropout,
            self.image_shape,
            self.encoder,
            self.decoder,
            has_linear_paths=self.init == "pca",
            tied_weights=self.tied_weights,
        )
        pretrains = self.init in ("greedy", "rbm") and architecture.is_built
        return Recipe(
            n_components,
            architecture,
            Identity() if bottleneck is None else bottleneck,
            make_likelihood(facts.columns, facts.likelihood),
            hiding=self._make_hiding(facts.columns),
            n_bits=self.quantize,
            pretrain=self._pretraining(architecture, hidden_masking) if pretrains else None,
        )

    def _make_hiding(self, columns: Columns) -> nn.Module:
        """Return the masking of the cells of tables."""
        fraction = unless_auto(self.mask_fraction, _MASK_FRACTION)
        if not isinstance(columns, MixedColumns) or fraction == 0:
            return nn.Identity()
        return Repeated(HideCells(fraction, columns.column_of_number))

    def _pretraining(self, architecture: Architecture, hidden_masking: float) -> Pretraining:
        if self.init == "rbm":
            check_machines(architecture, self.likelihood_)

        def pretrain(chain: Autoencoder, data: Rows, device: torch.device) -> None:
            rule = ceil(self._plan(len(data), Mode.FIT).max_epochs / n_layers(chain))
            n_epochs = unless_auto(self.pretraining_epochs, rule)
            if self.init == "rbm":
                pretrain_machines(chain, data, n_epochs=n_epochs)
            else:
                pretrain_greedily(
                    chain, data, self, device, n_epochs=n_epochs, hidden_masking=hidden_masking
                )

        return pretrain

    def _calibrate(self, sample: Rows, validation_rows: Rows) -> None:
        quantizer, device = self._module.quantizer, self.net_.device
        if isinstance(quantizer, Quantizer):
            quantizer.calibrate(torch.from_numpy(encode(self.net_, sample)).to(device))
            codes = torch.from_numpy(encode(self.net_, validation_rows)).to(device)
            self.rate_ = quantizer.rate(codes)
        super()._calibrate(sample, validation_rows)
