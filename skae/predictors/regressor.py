"""EncoderRegressor: an encoder learned from all rows, and a regression on its codes."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import check_array

from skae.common.documentation import documented_like
from skae.nn.likelihoods import Targets
from skae.predictors.base import EncoderPredictor
from skae.predictors.classifier import EncoderClassifier


@documented_like(EncoderClassifier, without=["classes_"])
class EncoderRegressor(RegressorMixin, EncoderPredictor):
    r"""Regression on top of an encoder that was learned from all rows, labelled or not.

    An autoencoder is fitted to all rows. A head then turns codes into numbers,

    .. math:: y' = h(e(x)),

    and is trained on the rows that have a label, by itself or, after a while, with the encoder, to
    make the squared error small. The noise or corruption of the autoencoder's training goes on
    meanwhile.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    EncoderClassifier : The same for classes.

    References
    ----------
    Erhan, D., Bengio, Y., Courville, A., Manzagol, P.-A., Vincent, P. and Bengio, S. (2010). Why
    does unsupervised pre-training help deep learning? Journal of Machine Learning Research 11.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skae import AutoencoderTransformer, EncoderRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> regressor = EncoderRegressor(AutoencoderTransformer(8), freeze=True, random_state=0)
    >>> regressor.fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.4
    True
    """

    def __init__(
        self,
        autoencoder=None,
        *,
        freeze=20,
        hidden_layer_sizes=(),
        activation="gelu",
        dropout=0.3,
        learning_rate=3e-3,
        learning_rate_schedule="one_cycle",
        weight_decay=0.01,
        batch_size="auto",
        max_epochs="auto",
        early_stopping=True,
        validation_fraction="auto",
        n_iter_no_change="auto",
        tol=1e-4,
        net_params=None,
        random_state=None,
        verbose=0,
    ):
        self.autoencoder = autoencoder
        self.freeze = freeze
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.net_params = net_params
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y, sample_weight=None):
        """Fit the autoencoder to all rows, and the regression to those that have a label.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their numbers; NaN where a row has none.
        sample_weight : array-like of shape (n_samples,), default=None
            How much every row counts; None counts each as one.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return super().fit(X, y, sample_weight)

    def predict(self, X):
        """Return the expected numbers.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_targets)
            The numbers, in the shape of those that `fit` was given.
        """
        targets = self._predict(X) * self._scale_ + self._center_
        return targets[:, 0] if self._is_one_target_ else targets

    def _read_labels(self, y, sample_weight):
        y = check_array(
            y, dtype=np.float64, ensure_2d=False, ensure_all_finite="allow-nan", input_name="y"
        )
        self._is_one_target_ = y.ndim == 1
        y = y.reshape(len(y), -1)
        has_label = ~np.isnan(y).any(1)
        if sample_weight is not None:
            has_label &= sample_weight > 0
        if not has_label.any():
            raise ValueError("y holds no numbers: all are NaN, or have no weight.")
        labels = y[has_label]
        self._center_, self._scale_ = labels.mean(0), labels.std(0)
        self._scale_[self._scale_ == 0] = 1
        return has_label, ((labels - self._center_) / self._scale_).astype(np.float32)

    def _make_likelihood(self):
        return Targets(len(self._center_))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
