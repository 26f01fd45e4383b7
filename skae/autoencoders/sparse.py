"""SparseAE: an autoencoder of many units, few of which are active."""

import math
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, RealNotInt, StrOptions
from torch import nn

from skae.autoencoders.base import BaseAutoencoder
from skae.autoencoders.plain import AutoencoderTransformer
from skae.common.documentation import documented_like
from skae.nn.bottlenecks import Activated, Lifetime, TopK
from skae.nn.penalties import L1, ActivityDivergence

_UNITS_PER_COLUMN = 2
_SHARES = {"topk": 0.05, "kl": 0.05, "lifetime": 0.05}
_L1_PER_ROOT_COLUMN = 1 / 32


@documented_like(AutoencoderTransformer)
class SparseAE(BaseAutoencoder):
    r"""Sparse autoencoder: a code of many units, few of which are active.

    The code has more units than a row has columns, and a penalty, or a rule, that leaves few of
    them above zero,

    .. math:: z = \mathrm{sparse}(e(x)), \qquad x' = d(z),

    so that every unit stands for something that some rows have and most have not. By default the
    encoder is one layer and the decoder another, whose weights are then a dictionary of parts.

    Parameters
    ----------
    n_components : "auto" or int, default="auto"
        The number of units of the code; "auto" is twice the number of columns.

    penalty : {"l1", "topk", "lifetime", "kl"}, default="l1"
        What makes the code sparse.

        - "l1": the sum of the units, each times the norm of its weights in the decoder.
        - "topk": the largest units of a row are kept. Training comes down to them from all.
        - "lifetime": every unit keeps the rows of a batch that it likes best; afterwards, what
          is above the threshold that this made.
        - "kl": the divergence of the mean activity of units in (0, 1) from `activity`.

    activity : "auto", float or int, default="auto"
        How much is active: of "topk" the share of a row's units, or their number as an int; of
        "lifetime" the share of the rows that a unit fires for; of "kl" the mean of a unit. "auto"
        is 0.05. Not for "l1".

    strength : "auto" or float, default="auto"
        What the penalty is multiplied by, where half the squared error of a row, in units of the
        mean variance of a column, is the rest of the loss: of "l1", "auto" is 1/32 of the
        root of the number of columns, of "kl" it is 1. Not for "topk" and "lifetime".

    hidden_layer_sizes : "auto" or array-like of int, default=()
        The number of units of every hidden layer of the encoder; the decoder mirrors them. None by
        default; "auto" is (128, 128), or, with `image_shape`, (16, 32) channels.

    tied_weights : bool, default=True
        Whether the weights of the decoder are those of the encoder, transposed. Each keeps its
        own biases.

    init : {"random", "greedy", "rbm"}, default="random"
        Where training starts: at random orthogonal weights, or at those of a pre-training, layer by
        layer, as autoencoders or as restricted Boltzmann machines.

    {parameters}

    Attributes
    ----------
    activity_ : ndarray of shape (n_components_,)
        How often every unit fires: the share of (a sample of) the training rows for which it is
        above zero; for "kl" its mean.

    dead_units_ : ndarray of int
        The units that fire for none of them.

    {attributes}

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

    _parameter_constraints: ClassVar[dict] = {
        **BaseAutoencoder._parameter_constraints,
        "n_components": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "penalty": [StrOptions({"topk", "lifetime", "l1", "kl"})],
        "activity": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="neither"),
        ],
        "strength": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "init": [StrOptions({"random", "greedy", "rbm"})],
    }
    del _parameter_constraints["noise"]

    def __init__(
        self,
        n_components="auto",
        *,
        penalty="l1",
        activity="auto",
        strength="auto",
        hidden_layer_sizes=(),
        activation="gelu",
        tied_weights=True,
        quantize=None,
        dropout=0.0,
        image_shape=None,
        encoder=None,
        decoder=None,
        likelihood="auto",
        bounds="auto",
        init="random",
        pretraining_epochs="auto",
        categorical_features="from_dtype",
        max_categories=256,
        min_frequency=0.001,
        handle_unknown="other",
        mask_fraction="auto",
        prior="gmm",
        learning_rate=3e-3,
        learning_rate_schedule="one_cycle",
        weight_decay=0.0,
        batch_size="auto",
        max_epochs="auto",
        early_stopping=True,
        validation_fraction="auto",
        n_iter_no_change="auto",
        tol=1e-4,
        warm_start=False,
        device="auto",
        net_params=None,
        random_state=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.penalty = penalty
        self.activity = activity
        self.strength = strength
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.tied_weights = tied_weights
        self.quantize = quantize
        self.dropout = dropout
        self.image_shape = image_shape
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood
        self.bounds = bounds
        self.init = init
        self.pretraining_epochs = pretraining_epochs
        self.categorical_features = categorical_features
        self.max_categories = max_categories
        self.min_frequency = min_frequency
        self.handle_unknown = handle_unknown
        self.mask_fraction = mask_fraction
        self.prior = prior
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.device = device
        self.net_params = net_params
        self.random_state = random_state
        self.verbose = verbose

    def _number_of_components(self, pca):
        if self.n_components == "auto":
            return _UNITS_PER_COLUMN * len(pca.mean)
        return self.n_components

    def _make_noise(self, noise_unit, n_rows):
        return nn.Identity()

    def _training_variance(self, residual):
        return 1.0

    def _make_bottleneck(self):
        share = self._checked_activity()
        if self.penalty == "topk":
            n_active = share if isinstance(share, Integral) else round(share * self.n_components_)
            return TopK(min(max(1, n_active), self.n_components_), self.n_components_)
        if self.penalty == "lifetime":
            return Lifetime(share, self.n_components_)
        if self.penalty == "kl":
            return Activated("logistic", shift=math.log(share / (1 - share)))
        return Activated("relu")

    def _make_penalty(self):
        strength = self._checked_strength()
        if self.penalty == "l1":
            return L1(strength)
        if self.penalty == "kl":
            return ActivityDivergence(strength, self._checked_activity())
        return None

    def _look_at(self, codes):
        self.activity_ = codes.mean(0) if self.penalty == "kl" else (codes > 0).mean(0)
        self.dead_units_ = np.flatnonzero(self.activity_ == 0)

    def _checked_activity(self):
        """Return the activity, by rule where it is "auto", or say what is wrong with it."""
        if isinstance(self.activity, str):
            return _SHARES.get(self.penalty)
        if self.penalty == "l1" or (isinstance(self.activity, Integral) and self.penalty != "topk"):
            allowed = "'auto'" if self.penalty == "l1" else "'auto' or a float in the range (0, 1)"
            raise ValueError(
                f"The 'activity' parameter must be {allowed} for penalty={self.penalty!r}. "
                f"Got {self.activity!r}."
            )
        if isinstance(self.activity, Integral) and self.activity > self.n_components_:
            raise ValueError(
                f"The 'activity' parameter must be at most the {self.n_components_} units of the "
                f"code. Got {self.activity!r}."
            )
        return self.activity

    def _checked_strength(self):
        """Return the strength, by rule where it is "auto", or say what is wrong with it."""
        if isinstance(self.strength, str):
            root = math.sqrt(self.columns_.n_encoded)
            return root * _L1_PER_ROOT_COLUMN if self.penalty == "l1" else 1.0
        if self.penalty not in ("l1", "kl"):
            raise ValueError(
                f"The 'strength' parameter must be 'auto' for penalty={self.penalty!r}, which has "
                f"none; set 'activity'. Got {self.strength!r}."
            )
        return self.strength
