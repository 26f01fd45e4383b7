"""EncoderClassifier: an encoder that is learned from all rows, and a classifier of its codes."""

from dataclasses import field
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
import torch
from scipy.special import log_softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite, column_or_1d

from skae.common.parameters import estimator
from skae.common.weights import check_class_weight
from skae.nn.predictions import Labels
from skae.predictors.base import EncoderPredictor
from skae.tables.labels import check_kinds_of_labels
from skae.tables.streams import by_batch
from skae.training.rows import Rows


@estimator()
class EncoderClassifier(ClassifierMixin, EncoderPredictor):
    r"""Classifier on top of an encoder that is learned from all rows, labelled or not.

    An autoencoder is fitted to all rows. A head then turns codes into probabilities of classes,

    .. math:: p(y \mid x) = \mathrm{softmax}(h(e(x))),

    and is trained on the rows that have a label, at first by itself, then, unless `freeze` is True,
    together with the encoder. The noise or corruption of the autoencoder is also applied in this
    training.

    See Also
    --------
    EncoderRegressor : The same for numbers.
    sklearn.semi_supervised.SelfTrainingClassifier : Any classifier, trained on labels and its own
        predictions.

    References
    ----------
    Hinton, G. E. and Salakhutdinov, R. R. (2006). Reducing the dimensionality of data with neural
    networks. Science 313.

    Erhan, D., Bengio, Y., Courville, A., Manzagol, P.-A., Vincent, P. and Bengio, S. (2010). Why
    does unsupervised pre-training help deep learning? Journal of Machine Learning Research 11.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skae import EncoderClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> y_partial = np.where(np.arange(len(y)) < 100, y, -1)
    >>> classifier = EncoderClassifier(random_state=0).fit(X, y_partial)
    >>> classifier.score(X[100:], y[100:]) > 0.8
    True
    """

    class_weight: dict | Literal["balanced"] | None = None
    """The weights of the classes, by class; "balanced" gives all classes the same total weight;
    None gives every row a weight of one."""

    classes_: np.ndarray = field(init=False)
    """The classes."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the autoencoder to all rows, and the classifier to those that have a label.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,)
            The classes of the rows; -1, None or NaN for rows without a label. If there is a single
            other label, -1 is a class.
        sample_weight : array-like of shape (n_samples,), default=None
            The weight of every row; None for weights of one.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return super().fit(X, y, sample_weight)

    @by_batch
    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            One column per class, in the order of `classes_`.
        """
        return np.exp(self.predict_log_proba(X))

    @by_batch
    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            One column per class, in the order of `classes_`.
        """
        return log_softmax(self._predict(X).astype(np.float64), axis=1)

    @by_batch
    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable classes.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            The classes.
        """
        best = self._predict(X).argmax(axis=1)
        return self.classes_[best]

    def _read_labels(self, y: Any, sample_weight: Any) -> tuple[np.ndarray, np.ndarray]:
        y = column_or_1d(y, warn=True)
        check_kinds_of_labels(y)
        has_label = _are_labels(y)
        if sample_weight is not None:
            has_label &= sample_weight > 0
        labels = y[has_label]
        if len(labels) == 0:
            raise ValueError("y holds no labels: all are missing, or have no weight.")
        assert_all_finite(labels, input_name="y")
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        return has_label, codes[:, None].astype(np.float32)

    def _weigh(self, labels: np.ndarray, weights: np.ndarray | None) -> np.ndarray | None:
        if self.class_weight is None:
            return weights
        check_class_weight(self.class_weight, self.classes_)
        classes = self.classes_[labels[:, 0].astype(int)]
        by_class = compute_sample_weight(self.class_weight, classes)
        return by_class if weights is None else weights * by_class

    def _strata(self, data: Rows) -> torch.Tensor:
        return data.source[:, -1].long().cpu()

    def _make_prediction(self) -> Labels:
        return Labels(len(self.classes_))


def _are_labels(y: np.ndarray) -> np.ndarray:
    """Return a mask of the labels: entries that are not missing, nor -1 beside two other labels."""
    present = ~pd.isna(y)
    if y.dtype.kind not in "iufO":
        return present
    others = np.array([entry != -1 for entry in y], dtype=bool) & present
    return others if len(set(y[others].tolist())) > 1 else present
