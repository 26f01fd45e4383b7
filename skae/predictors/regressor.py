"""EncoderRegressor: an encoder that is learned from all rows, and a regression on its codes."""

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import check_array

from skae.common.parameters import estimator
from skae.nn.predictions import Targets
from skae.predictors.base import EncoderPredictor
from skae.tables.streams import by_batch


@estimator()
class EncoderRegressor(RegressorMixin, EncoderPredictor):
    r"""Regressor on top of an encoder that is learned from all rows, labelled or not.

    An autoencoder is fitted to all rows. A head then turns codes into numbers,

    .. math:: y' = h(e(x)),

    and is trained on the rows that have a label to minimise the squared error, at first by itself,
    then, unless `freeze` is True, together with the encoder. The noise or corruption of the
    autoencoder is also applied in this training.

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

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the autoencoder to all rows, and the regression to those that have a label.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            The targets of the rows; NaN for rows without one.
        sample_weight : array-like of shape (n_samples,), default=None
            The weight of every row; None for weights of one.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return super().fit(X, y, sample_weight)

    @by_batch
    def predict(self, X: Any) -> np.ndarray:
        """Return the expected targets.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_targets)
            The expected targets, with as many axes as the y of `fit`.
        """
        targets = self._predict(X).astype(np.float64) * self._scale_ + self._center_
        return targets[:, 0] if self._is_one_target_ else targets

    def _read_labels(self, y: Any, sample_weight: Any) -> tuple[np.ndarray, np.ndarray]:
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
        # In units of the largest, squares of large numbers are finite.
        unit = np.abs(labels).max(0)
        unit[unit == 0] = 1
        self._center_ = unit * (labels / unit).mean(0)
        self._scale_ = unit * (labels / unit).std(0)
        self._scale_[self._scale_ == 0] = 1
        return has_label, ((labels - self._center_) / self._scale_).astype(np.float32)

    def _make_prediction(self) -> Targets:
        return Targets(len(self._center_))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
