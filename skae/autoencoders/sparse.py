"""SparseAE: an autoencoder with a code of many units, few of which are active."""

import math
from dataclasses import field, replace
from numbers import Integral
from typing import Any, Literal

import numpy as np
import torch

from skae.autoencoders.deterministic import DeterministicAutoencoder
from skae.building.recipe import Facts, Recipe
from skae.common.annotations import (
    Auto,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Share,
    Sizes,
)
from skae.common.parameters import estimator
from skae.nn.bottlenecks import Activated, Bottleneck, Lifetime, TopK
from skae.nn.penalties import L1, ActivityDivergence, Penalty
from skae.sampling.prior import N_CODES
from skae.training.mode import Mode
from skae.training.rows import Rows
from skae.training.schedule import Plan, unless_auto
from skae.training.sklearn_bridge import FitTask

# The number of units per column, and the activity, that "auto" stands for.
_UNITS_PER_COLUMN = 2
_AUTO_ACTIVITY = 0.05
# Found on 10,000 images of MNIST: see "Sparse" in docs/design.md.
_L1_PER_ROOT_COLUMN = 1 / 32


@estimator()
class SparseAE(DeterministicAutoencoder):
    r"""Sparse autoencoder: a code of many units, few of which are active.

    The code has more units than a row has columns, and a penalty or a constraint leaves few of
    them above zero,

    .. math:: z = \mathrm{sparse}(e(x)), \qquad x' = d(z),

    so that every unit stands for a feature that some rows have and most do not. By default encoder
    and decoder are one layer each, and the decoder's weights are a dictionary of parts.

    See Also
    --------
    AutoencoderTransformer : The plain autoencoder.
    sklearn.decomposition.MiniBatchDictionaryLearning : Sparse codes by optimisation.

    References
    ----------
    Makhzani, A. and Frey, B. (2014). k-sparse autoencoders. International Conference on Learning
    Representations.

    Makhzani, A. and Frey, B. (2015). Winner-take-all autoencoders. Advances in Neural Information
    Processing Systems 28.

    Lee, H., Ekanadham, C. and Ng, A. Y. (2008). Sparse deep belief net model for visual area V2.
    Advances in Neural Information Processing Systems 20.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import SparseAE
    >>> X = load_digits().data
    >>> autoencoder = SparseAE(penalty="topk", activity=8, max_epochs=20, random_state=0).fit(X)
    >>> codes = autoencoder.transform(X)
    >>> codes.shape
    (1797, 128)
    >>> int((codes > 0).sum(axis=1).max())
    8
    """

    n_components: Auto | PositiveInt = field(default="auto", kw_only=False)
    """The number of units of the code; "auto" is twice the number of columns."""

    penalty: Literal["l1", "topk", "lifetime", "kl"] = "l1"
    """The penalty or constraint that makes the code sparse.

    - "l1": the penalty is the sum of the units, each times the norm of its weights in the decoder.
    - "topk": only the largest units of a row are kept. Training starts with all units and
      decreases their number.
    - "lifetime": in training, every unit keeps only its largest values in a batch; afterwards, only
      values above the threshold that it learned from them.
    - "kl": the penalty is the divergence of the mean activity of units in (0, 1) from `activity`.
    """

    activity: Auto | PositiveInt | Share = "auto"
    """The sparsity: for "topk" the share of a row's units, or their number as an int; for
    "lifetime" the share of the rows for which a unit is active; for "kl" the mean of a unit. "auto"
    is 0.05. Not for "l1"."""

    strength: Auto | NonNegativeFloat = "auto"
    """The factor of the penalty; the other term of the loss is half the squared error of a row, in
    units of the mean variance of a column. For "l1", "auto" is 1/32 of the root of the number of
    columns, for "kl" it is 1. Not for "topk" and "lifetime"."""

    hidden_layer_sizes: Auto | Sizes = ()
    """The number of units of every hidden layer of the encoder, which the decoder mirrors. By
    default there is no hidden layer; "auto" is (128, 128), or, with `image_shape`, (16, 32)
    channels."""

    tied_weights: bool = True

    learning_rate: PositiveFloat = 0.01

    init: Literal["random", "greedy", "rbm"] = "random"
    """The initial weights: random orthogonal ones ("random"), or those of a layer-wise pre-training
    as autoencoders ("greedy") or as restricted Boltzmann machines ("rbm")."""

    activity_: np.ndarray = field(init=False)
    """The activity of every unit: the share of (a sample of) the training rows for which it is
    above zero; for "kl" its mean."""

    dead_units_: np.ndarray = field(init=False)
    """The indices of the units whose activity is zero."""

    def _recipe(self, facts: Facts) -> Recipe:
        n_components = unless_auto(self.n_components, _UNITS_PER_COLUMN * facts.n_columns)
        bottleneck = self._make_bottleneck(n_components)
        penalty = self._make_penalty(n_components, facts.columns.n_encoded)
        recipe = self._plain_recipe(facts, n_components, bottleneck)
        # The residual of an overcomplete PCA is zero, so it cannot be the variance.
        return replace(recipe, penalty=penalty, has_variance=True)

    def _train(self, data: Rows, plan: Plan, task: FitTask, mode: Mode) -> Rows:
        # Losses of epochs can be compared only if the start is as sparse as what follows.
        if mode.is_new:
            self._set_thresholds(data)
        validation_rows = super()._train(data, plan, task, mode)
        if not mode.is_pass:
            self._set_thresholds(data)
        return validation_rows

    @torch.no_grad()
    def _set_thresholds(self, data: Rows) -> None:
        """Set the thresholds of lifetime sparsity to those of a sample of the rows."""
        chain = self._module
        if isinstance(chain.bottleneck, Lifetime):
            chain.eval()
            sources = (
                chain.input_and_target(x)[0] for x, _ in self.net_.batches(data.sample(N_CODES))
            )
            chain.bottleneck.calibrate(torch.cat([chain.encoder(x) for x in sources]))

    def _diagnose(self, latent: torch.Tensor, sample: Rows) -> dict[str, Any]:
        codes = latent.numpy()
        activity = codes.mean(0) if self.penalty == "kl" else (codes > 0).mean(0)
        return {"activity_": activity, "dead_units_": np.flatnonzero(activity == 0)}

    def _make_bottleneck(self, n_components: int) -> Bottleneck:
        share = self._checked_activity(n_components)
        if self.penalty == "topk":
            n_active = share if isinstance(share, Integral) else round(share * n_components)
            return TopK(min(max(1, n_active), n_components), n_components)
        if self.penalty == "lifetime":
            return Lifetime(share, n_components)
        if self.penalty == "kl":
            return Activated("logistic", shift=math.log(share / (1 - share)))
        return Activated("relu")

    def _make_penalty(self, n_components: int, n_columns: int) -> Penalty | None:
        strength = self._checked_strength(n_columns)
        if self.penalty == "l1":
            return L1(strength)
        if self.penalty == "kl":
            return ActivityDivergence(strength, self._checked_activity(n_components))
        return None

    def _checked_activity(self, n_components: int) -> float:
        """Return the activity, by rule where it is "auto"; raise ValueError if it does not fit."""
        if isinstance(self.activity, str):
            return _AUTO_ACTIVITY
        if self.penalty == "l1" or (isinstance(self.activity, Integral) and self.penalty != "topk"):
            allowed = "'auto'" if self.penalty == "l1" else "'auto' or a float in the range (0, 1)"
            raise ValueError(
                f"The 'activity' parameter must be {allowed} for penalty={self.penalty!r}. "
                f"Got {self.activity!r}."
            )
        if isinstance(self.activity, Integral) and self.activity > n_components:
            raise ValueError(
                f"The 'activity' parameter must be at most the {n_components} units of the "
                f"code. Got {self.activity!r}."
            )
        return self.activity

    def _checked_strength(self, n_columns: int) -> float:
        """Return the strength, by rule where it is "auto"; raise ValueError if it does not fit."""
        if isinstance(self.strength, str):
            return math.sqrt(n_columns) * _L1_PER_ROOT_COLUMN if self.penalty == "l1" else 1.0
        if self.penalty not in ("l1", "kl"):
            raise ValueError(
                f"The 'strength' parameter must be 'auto' for penalty={self.penalty!r}, which has "
                f"none; set 'activity'. Got {self.strength!r}."
            )
        return self.strength
