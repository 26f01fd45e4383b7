"""EncoderRegressor: an encoder learned from all rows, and a regression on its codes."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import check_array

from skae._predictor import EncoderPredictor
from skae.nn.likelihoods import Targets


class EncoderRegressor(RegressorMixin, EncoderPredictor):
    r"""Regression on top of an encoder that was learned from all rows, labelled or not.

    An autoencoder is fitted to all rows. A head then turns codes into numbers,

    .. math:: y' = h(e(x)),

    and is trained on the rows that have a label, by itself or, after a while, with the encoder, to
    make the squared error small.

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
        Parameters of `skae.net.AutoencoderNet`, and so of `skorch.NeuralNet`, that override what
        is made of the others.

    random_state : int, RandomState instance or None, default=None
        An int makes a fit repeatable, to the bit, on one machine. It also seeds an autoencoder
        whose own is None. No global generator is used or changed.

    verbose : int, default=0
        Whether to print a line for every epoch.

    Attributes
    ----------
    autoencoder_ : autoencoder
        The fitted autoencoder.

    encoder_ : torch.nn.Module
        The encoder as the training of the head left it, from rows to codes.

    net_ : skae.net.AutoencoderNet
        The trained net; ``net_.module_.decoder`` is the head.

    columns_ : skae.columns.Columns or skae.mixed.MixedColumns
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
