"""DenoisingAE: an autoencoder that undoes a corruption."""

from numbers import Real
from typing import ClassVar

import numpy as np
import torch
from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn

from skae.autoencoders.base import BaseAutoencoder
from skae.autoencoders.plain import AutoencoderTransformer
from skae.building.corruptions import CORRUPTIONS, make_corruption, make_hidden_corruption
from skae.common.documentation import documented_like

_ROWS_TO_LOOK_AT = 4096


@documented_like(AutoencoderTransformer)
class DenoisingAE(BaseAutoencoder):
    r"""Denoising autoencoder: it learns to undo a corruption of the rows.

    The encoder sees rows that are corrupted anew in every step, and the decoder is to give them
    as they were,

    .. math:: \tilde x \sim q(\tilde x \mid x), \qquad z = e(\tilde x), \qquad x' = d(z),

    so the code holds what cells say of each other, and not what each says of itself. `transform`
    encodes rows as they are; `reconstruct` cleans them. The weights that are kept are the best on
    held-out rows with a corruption that is the same in every epoch.

    Parameters
    ----------
    n_components : int or float, default=32
        The number of units of the code. A float in (0, 1) takes as many as there are principal
        components that together explain more than this share of the variance.

    corruption : str, module or callable, or list of them, default="swap"
        What is done to the rows that the encoder sees, one after the other.

        - "swap": a share of the cells takes the value of another row.
        - "masking": a share of the cells is set to the mean of its column (to zero under a
          Bernoulli likelihood), or, in a table, hidden.
        - "gaussian": normal noise is added, to the numbers of a table.
        - "salt_and_pepper": a share of the cells is set to the smallest or the largest value of X.
        - "blur": blocks of an image's pixels are set to their mean: super-resolution.
        - "grey": the channels of an image are set to their mean: colourisation.
        - "patch": a square of an image is set to zero: inpainting.

        The last three need `image_shape`, and the last four are for numbers alone, as is a module
        or callable of your own, from (n, n_features) to the same shape, in the units of X.

    corruption_level : "auto", float or list of them, default="auto"
        How much: of "swap", "masking" and "salt_and_pepper" the share of the cells, by default
        0.15, 0.25 and 0.3; of "gaussian" the standard deviation, in units of X or, in a table, of
        the column, by default a half of the root of the mean variance; of "blur" the height of a
        block, by default 2 pixels; of "patch" the height of the square, by default a third of the
        image's. A list has a level for each of a list of corruptions.

    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    AutoencoderTransformer : The plain autoencoder.

    References
    ----------
    Vincent, P., Larochelle, H., Lajoie, I., Bengio, Y. and Manzagol, P.-A. (2010). Stacked
    denoising autoencoders: learning useful representations in a deep network with a local
    denoising criterion. Journal of Machine Learning Research 11.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skae import DenoisingAE
    >>> X = load_digits().data / 16
    >>> noisy = X + 0.5 * np.random.default_rng(0).normal(size=X.shape)
    >>> autoencoder = DenoisingAE(
    ...     corruption="gaussian", corruption_level=0.5, max_epochs=20, random_state=0
    ... ).fit(X[:1500])
    >>> cleaned = autoencoder.reconstruct(noisy[1500:])
    >>> bool(((cleaned - X[1500:]) ** 2).mean() < 0.4 * ((noisy - X) ** 2).mean())
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        **BaseAutoencoder._parameter_constraints,
        "corruption": [StrOptions(set(CORRUPTIONS)), list, tuple, nn.Module, callable],
        "corruption_level": [
            StrOptions({"auto"}),
            Interval(Real, 0, None, closed="left"),
            list,
            tuple,
        ],
    }
    del _parameter_constraints["noise"]

    def __init__(
        self,
        n_components=32,
        *,
        corruption="swap",
        corruption_level="auto",
        hidden_layer_sizes="auto",
        activation="gelu",
        tied_weights=False,
        quantize=None,
        dropout=0.0,
        image_shape=None,
        encoder=None,
        decoder=None,
        likelihood="auto",
        bounds="auto",
        init="pca",
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
        self.corruption = corruption
        self.corruption_level = corruption_level
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

    def fit(self, X, y=None, sample_weight=None):
        """Fit the autoencoder to rows, or to pairs of a corrupted row and a clean one.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows to learn from.
        y : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features) or None
            What the rows should be: the decoder then learns to give y for X, which `corruption`
            corrupts further. None, or anything of another shape, such as labels, is ignored: the
            rows of X are then clean.
        sample_weight : array-like of shape (n_samples,), default=None
            How much every row counts; None counts each as one.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return super().fit(X, y, sample_weight)

    def partial_fit(self, X, y=None, sample_weight=None):
        """Pass once over some rows or pairs, at a constant learning rate.

        The first call learns the centre, scale and range of the columns, and the principal
        components to start from: give it a good sample. Nothing is held out, and the weights of
        the last step are kept. `noise_variance_` and `prior_` follow the rows of the last call.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The next rows to learn from.
        y : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features) or None
            What they should be, as in `fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            How much every row counts; None counts each as one.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return super().partial_fit(X, y, sample_weight)

    def _make_noise(self, noise_unit, n_rows):
        return nn.Identity()

    def _make_corruption(self, data):
        return make_corruption(self, self.columns_, data)

    def _find_residual(self, pca, data, widen, corruption):
        x, _ = data.sample(_ROWS_TO_LOOK_AT).take(torch.arange(min(len(data), _ROWS_TO_LOOK_AT)))
        n_columns = self.columns_.n_encoded
        corrupted = corruption.train()(x[:, :n_columns].cpu())
        error = pca.error(widen(corrupted), widen(x[:, -n_columns:].cpu()))
        return torch.maximum(error, pca.residual)

    def _make_hidden_corruption(self, n_units):
        return make_hidden_corruption(self, n_units)

    def _clean_view(self, X, y):
        if y is None:
            return None
        shape = _shape(y)
        return y if len(shape) == 2 and shape == _shape(X) else None


def _shape(rows):
    return rows.shape if hasattr(rows, "shape") else np.asarray(rows).shape
