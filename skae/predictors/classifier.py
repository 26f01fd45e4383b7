"""EncoderClassifier: an encoder learned from all rows, and a classifier of its codes."""

from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.special import log_softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_sample_weight
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite, column_or_1d

from skae.nn.likelihoods import Labels
from skae.predictors.base import EncoderPredictor


class EncoderClassifier(ClassifierMixin, EncoderPredictor):
    r"""Classifier on top of an encoder that was learned from all rows, labelled or not.

    An autoencoder is fitted to all rows. A head then turns codes into probabilities of classes,

    .. math:: p(y \mid x) = \mathrm{softmax}(h(e(x))),

    and is trained on the rows that have a label, by itself or, after a while, with the encoder. The
    noise or corruption of the autoencoder's training goes on meanwhile.

    Parameters
    ----------
    autoencoder : autoencoder or FrozenEstimator, default=None
        What learns the encoder: an autoencoder of skae, which is cloned and fitted to all rows, or
        a fitted one, held in a `sklearn.frozen.FrozenEstimator`, which is used as it is. Training
        is on its device. None is `DenoisingAE()`.

    freeze : bool or int, default=20
        Whether the encoder stays as it is: if True, the head alone is trained; if False, all
        weights are; an int trains the head alone for so many epochs, and then all weights.

    hidden_layer_sizes : array-like of int, default=()
        The number of units of every hidden layer of the head, which sees standardised codes; with
        none it is linear.

    activation : str, default="gelu"
        The activation of the head's hidden layers: "elu", "gelu", "identity", "leaky_relu",
        "logistic", "relu", "silu" or "tanh".

    dropout : float, default=0.3
        The share of its inputs that every layer of the head loses in a training step, in [0, 1).

    class_weight : dict or "balanced", default=None
        The weights of the classes, by class; "balanced" makes all classes count alike; None counts
        every row as one.

    learning_rate : float, default=3e-3
        The (largest) learning rate of the optimiser, AdamW.

    learning_rate_schedule : {"one_cycle", "constant"}, default="one_cycle"
        Up from zero in the first fifth of the training and down to zero in the rest, or constant.

    weight_decay : float, default=0.01
        How fast the optimiser shrinks the weights, in units of the learning rate.

    batch_size : "auto" or int, default="auto"
        The number of rows of a training step; "auto" is 256, or all rows if they are fewer.

    max_epochs : "auto" or int, default="auto"
        The largest number of passes over the rows that have a label. "auto" makes about 25 steps
        for the root of their number: 250 for a hundred rows, 25,000 for a million.

    early_stopping : bool, default=True
        Whether to find out how long to train: labelled rows are held out until they gain no more,
        and then all train, for one and a half times the number of epochs that was best. If False,
        all train for `max_epochs`.

    validation_fraction : "auto" or float, default="auto"
        The share of the labelled rows that early stopping holds out, in (0, 1). "auto" is a tenth,
        or 20 rows where these are more, but at most a quarter.

    n_iter_no_change : "auto" or int, default="auto"
        The number of epochs without gain after which early stopping stops; "auto" is a quarter of
        `max_epochs`, and at least 10. The epochs in which the learning rate goes up do not
        count.

    tol : float, default=1e-4
        The gain that early stopping counts as one, in nats per row.

    net_params : dict, default=None
        Parameters of `skae.training.AutoencoderNet`, and so of `skorch.NeuralNet`, that override
        what is made of the others.

    random_state : int, RandomState instance or None, default=None
        An int makes a fit repeatable, to the bit, on one machine. It also seeds an autoencoder
        whose own is None. No global generator is used or changed.

    verbose : int, default=0
        Whether to print a line for every epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes.

    autoencoder_ : autoencoder
        The fitted autoencoder.

    encoder_ : torch.nn.Module
        The encoder as the training of the head left it, from rows to codes.

    net_ : skae.training.AutoencoderNet
        The trained net; ``net_.module_.decoder`` is the head.

    columns_ : skae.tables.Columns or skae.tables.MixedColumns
        The way between rows and encoded rows.

    n_iter_ : int
        The number of epochs of the last training: of all weights, or, frozen, of the head.

    loss_curve_ : list of float
        The mean loss of the training rows in each of them, in nats per row.

    validation_loss_curve_ : list of float or None
        The mean loss of the held-out rows after every epoch of the training that had some.

    n_features_in_ : int
        The number of features that `fit` saw.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, if `fit` got a frame with names that are all strings.

    See Also
    --------
    EncoderRegressor : The same for numbers.
    sklearn.semi_supervised.SelfTrainingClassifier : Any classifier, on labels and its own guesses.

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
    >>> some = np.where(np.arange(len(y)) < 100, y, -1)
    >>> classifier = EncoderClassifier(random_state=0).fit(X, some)
    >>> classifier.score(X[100:], y[100:]) > 0.8
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        **EncoderPredictor._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        autoencoder=None,
        *,
        freeze=20,
        hidden_layer_sizes=(),
        activation="gelu",
        dropout=0.3,
        class_weight=None,
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
        self.class_weight = class_weight
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
        """Fit the autoencoder to all rows, and the classifier to those that have a label.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,)
            Their classes; -1, None or NaN where a row has none. Beside a single other number, -1
            is a class.
        sample_weight : array-like of shape (n_samples,), default=None
            How much every row counts; None counts each as one.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return super().fit(X, y, sample_weight)

    def predict_proba(self, X):
        """Return the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        return np.exp(self.predict_log_proba(X))

    def predict_log_proba(self, X):
        """Return the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        return log_softmax(self._predict(X).astype(np.float64), axis=1)

    def predict(self, X):
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

    def _read_labels(self, y, sample_weight):
        y = column_or_1d(y, warn=True)
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

    def _weigh(self, labels, weights):
        if self.class_weight is None:
            return weights
        classes = self.classes_[labels[:, 0].astype(int)]
        by_class = compute_sample_weight(self.class_weight, classes)
        return by_class if weights is None else weights * by_class

    def _strata(self, data):
        return data.source[:, -1].long().cpu()

    def _make_likelihood(self):
        return Labels(len(self.classes_))


def _are_labels(y):
    """Tell which entries are labels: not missing, and not -1 where there are two others."""
    present = ~pd.isna(y)
    if y.dtype.kind not in "iufO":
        return present
    others = np.array([entry != -1 for entry in y], dtype=bool) & present
    return others if len(set(y[others].tolist())) > 1 else present
