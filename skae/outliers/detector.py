"""AEOutlierDetector: an ensemble of denoising autoencoders, and what is odd beside it."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import torch
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    OutlierMixin,
    _fit_context,
)
from sklearn.utils._param_validation import Interval, StrOptions

from skae.autoencoders.base import BaseAutoencoder
from skae.autoencoders.plain import AutoencoderTransformer
from skae.common.devices import resolve_device
from skae.common.documentation import documented_like
from skae.common.seeds import draw_seed
from skae.common.state import FittedState
from skae.outliers.conformal import conformal_threshold, robust_threshold, share_threshold
from skae.outliers.members import out_of_fold, train_members
from skae.outliers.memory import Memory
from skae.outliers.parts import Center, NearCodes, NearRows, Reconstruction
from skae.outliers.points import VIEWS, Points
from skae.outliers.readings import OutlierReadings
from skae.outliers.trimming import far_rows
from skae.tables.containers import frame_without_rows
from skae.tables.table import Table
from skae.training.running import unchanged_on_failure

_EXPLAINS = "reconstruction"
PARTS = ("reconstruction", "latent", "neighbors", "center")
_AUTO_SHARE = 0.01
_AUTO_TRIM = 0.1
_NEIGHBORS_OF_CLEAN, _NEIGHBORS_OF_TRIMMED = 1, 5
_STEPS_OF_CLEAN, _STEPS_OF_TRIMMED = 25, 8
_MAKE_THE_MODEL = (
    "n_members",
    "hidden_layer_sizes",
    "activation",
    "categorical_features",
    "max_categories",
    "min_frequency",
    "handle_unknown",
)
_SHARED = (
    "activation",
    "hidden_layer_sizes",
    "categorical_features",
    "max_categories",
    "min_frequency",
    "handle_unknown",
    "learning_rate",
    "learning_rate_schedule",
    "weight_decay",
    "batch_size",
    "max_epochs",
    "early_stopping",
    "n_iter_no_change",
    "tol",
    "device",
    "net_params",
    "random_state",
    "verbose",
)


@documented_like(AutoencoderTransformer)
class AEOutlierDetector(
    ClassNamePrefixFeaturesOutMixin,
    OutlierReadings,
    OutlierMixin,
    FittedState,
    BaseEstimator,
):
    r"""Outlier detector: codes of denoising autoencoders, near rows and the center.

    An ensemble of denoising autoencoders without a bottleneck learns from the rows, half of it from
    standardised numbers, the other half from their normal scores. It is one batched program; each
    member leaves out one fold of the rows, so that every row is held out from some. Up to four
    parts say how odd a row is:

    - "latent": the distance to the k-th nearest code, by each member among the codes of the fold
      that it left out.
    - "neighbors": the distance to the k-th nearest training row, in both views of the numbers.
    - "center": the distance within which half of the training rows are, in normal scores.
    - "reconstruction": the error of what the members make of the row.

    Each turns a quantity :math:`v` into a surprisal, the rarity of so large a value among rows that
    were held out, and the score is minus the mean of those in `parts`, in nats,

    .. math:: s(x) = -\frac1P \sum_p -\log P(V_p \ge v_p(x)).

    Rows may hold numbers, labels, booleans, times and holes.

    Parameters
    ----------
    novelty : bool, default=False
        Whether the training rows are known to be clean. If True, all are learned from, until the
        held-out error gains no more, the nearest neighbour counts, and the threshold is conformal.
        If False, outliers may be among them: the farthest are trimmed first, training is a third as
        long, and the fifth neighbour counts, so that a few outliers beside each other do not vouch
        for each other.

    contamination : "auto" or float, default="auto"
        With `novelty`, the share of new normal rows that are flagged, in (0, 0.5]; "auto" is 0.01.
        Without, the share of the training rows that are; "auto" flags those beyond what the inner
        nine tenths of the scores let expect of one normal row in a hundred, and at least one row in
        a hundred.

    parts : array-like of str, default=("latent", "neighbors", "center")
        The parts of the score: some of "latent", "neighbors", "center" and "reconstruction". The
        last is a weaker detector than the first, by the same autoencoders, and left out by default;
        it explains the score in any case.

    n_neighbors : "auto" or int, default="auto"
        Which of the nearest training rows counts; "auto" is the first with `novelty`, else the
        fifth.

    n_members : int, default=8
        The number of autoencoders, an even number and at least 4: half for each view, each of which
        leaves out one of as many folds.

    hidden_layer_sizes : "auto" or array-like of int, default="auto"
        The number of units of every hidden layer of an autoencoder; "auto" is (64, 64).

    trim_fraction : "auto" or float, default="auto"
        Without `novelty`, the share of the rows that nothing is learned from, in [0, 0.5]: those
        that are farthest from a twentieth of the others, and from half of them. "auto" is a tenth,
        or `contamination` where it is more.

    max_samples : int, default=10_000
        The number of rows, drawn at random, that are learned from; time and memory of `fit` are
        bounded by it, and so is what `partial_fit` keeps.

    learning_rate : float, default=2e-3
        The (largest) learning rate of the optimiser, AdamW.

    weight_decay : float, default=0.01
        How fast the optimiser shrinks the weights, in units of the learning rate.

    batch_size : "auto" or int, default="auto"
        The number of rows of a training step; "auto" is 256, or all rows if they are fewer.

    max_epochs : "auto" or int, default="auto"
        The largest number of passes over the rows. "auto" makes about 25 steps for the root of
        their number with `novelty`, else 8.

    early_stopping : bool, default=True
        Whether to keep the weights that are best on held-out rows, and to stop when they gain no
        more. No rows are lost to it: each is held out from some members.

    tol : float, default=1e-4
        The gain that early stopping counts as one, a mean squared error of standardised cells.

    {parameters}

    Attributes
    ----------
    offset_ : float
        The score below which a row is an outlier.

    n_trimmed_ : int
        The number of rows that nothing was learned from because they look like outliers.

    n_neighbors_ : int
        Which of the nearest rows counts; where there are fewer, the farthest of them.

    n_rows_ : int
        The number of rows that were given.

    best_epoch_ : int
        The epoch whose weights were kept; 0 is the start.

    stop_reason_ : {"n_iter_no_change", "max_epochs", "callback"}
        Why the training ended: for want of gain, after all epochs, or by a callback in
        `net_params`.

    n_iter_ : int
        The number of passes over the rows.

    loss_curve_, validation_loss_curve_ : list of float
        The mean squared error of the rows that members learn from, and of those held out from them,
        by epoch; the latter is None without early stopping, and after `partial_fit`.

    schema_ : skae.tables.Table
        What the columns are; printed, it is a table of them.

    columns_ : skae.outliers.points.Points
        The way from rows to points.

    parts_ : dict
        The parts of the score, by name.

    net_ : skae.training.AutoencoderNet
        The trained net; ``net_.module_`` is the ensemble.

    frame_ : narwhals.DataFrame or None
        The frame that was fitted to, without its rows; None for an array.

    n_features_in_ : int
        The number of columns.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, if the rows were a dataframe with names.

    See Also
    --------
    AutoencoderTransformer : An autoencoder with a code, whose `score_cells` judges single cells.
    VAETransformer : A density of tables.
    sklearn.ensemble.IsolationForest : Outliers as rows that few cuts set apart.
    skae.plotting.ExplanationDisplay : Draws what `explain` says.

    Notes
    -----
    The p-values are cross-conformal: no rows are set aside, and training rows have the scores that
    they would have if nothing had been learned from them: by members that left them out, without
    themselves among their neighbours and among what scales them. `fit_predict` tells of these
    scores. To `predict` and `score_samples` all rows are new ones, also those of `fit`, which then
    look more normal than they should; with `novelty` all of them, as their nearest neighbour is
    themselves.

    References
    ----------
    Vincent, P., Larochelle, H., Bengio, Y. and Manzagol, P.-A. (2008). Extracting and composing
    robust features with denoising autoencoders. ICML.

    Ramaswamy, S., Rastogi, R. and Shim, K. (2000). Efficient algorithms for mining outliers from
    large data sets. SIGMOD.

    Bouman, R. and Heskes, T. (2025). Autoencoders for anomaly detection are unreliable.
    arXiv:2501.13864.

    Vovk, V. (2015). Cross-conformal predictors. Annals of Mathematics and Artificial Intelligence
    74.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skae import AEOutlierDetector
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=200)
    >>> X = pd.DataFrame({"x": x, "y": 2 * x, "side": np.where(x > 0, "right", "left")})
    >>> detector = AEOutlierDetector(novelty=True, max_epochs=100, random_state=0).fit(X)
    >>> rows = pd.DataFrame({"x": [1.0, 1.0], "y": [2.0, -4.0], "side": ["right", "right"]})
    >>> detector.predict(rows)
    array([ 1, -1])
    >>> detector.explain(rows[1:], top=1)[["column", "value"]].to_string(index=False)
    'column value\n     y  -4.0'
    """

    _doc_link_module = "skae"
    _doc_link_template = BaseAutoencoder._doc_link_template
    _split_rows = staticmethod(out_of_fold)

    _parameter_constraints: ClassVar[dict] = {
        "novelty": ["boolean"],
        "contamination": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")],
        "parts": ["array-like"],
        "n_neighbors": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "n_members": [Interval(Integral, 4, None, closed="left")],
        "trim_fraction": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="both")],
        "max_samples": [Interval(Integral, 100, None, closed="left")],
        **{name: BaseAutoencoder._parameter_constraints[name] for name in _SHARED},
    }

    def __init__(
        self,
        *,
        novelty=False,
        contamination="auto",
        parts=("latent", "neighbors", "center"),
        n_neighbors="auto",
        n_members=8,
        hidden_layer_sizes="auto",
        activation="gelu",
        trim_fraction="auto",
        max_samples=10_000,
        categorical_features="from_dtype",
        max_categories=256,
        min_frequency=0.001,
        handle_unknown="other",
        learning_rate=2e-3,
        learning_rate_schedule="one_cycle",
        weight_decay=0.01,
        batch_size="auto",
        max_epochs="auto",
        early_stopping=True,
        n_iter_no_change="auto",
        tol=1e-4,
        device="auto",
        net_params=None,
        random_state=None,
        verbose=0,
    ):
        self.novelty = novelty
        self.contamination = contamination
        self.parts = parts
        self.n_neighbors = n_neighbors
        self.n_members = n_members
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.trim_fraction = trim_fraction
        self.max_samples = max_samples
        self.categorical_features = categorical_features
        self.max_categories = max_categories
        self.min_frequency = min_frequency
        self.handle_unknown = handle_unknown
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.device = device
        self.net_params = net_params
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Fit the detector to rows.

        Parameters
        ----------
        X : {array-like, tensor, dataframe} of shape (n_samples, n_features)
            The rows to learn from.
        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        with self._restored_on_failure():
            self._forget()
            self._fit_to(X)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Go on with more rows: they push older ones out of a memory of `max_samples` rows.

        The first call is `fit`, and learns what the columns are: give it a good sample. Each later
        one learns the scales, the neighbours and the threshold anew from the memory, and passes
        once over it. Which of the older rows are forgotten is drawn at random.

        Parameters
        ----------
        X : {array-like, tensor, dataframe} of shape (n_samples, n_features)
            The next rows to learn from.
        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        if not self.__sklearn_is_fitted__():
            return self.fit(X)
        with self._restored_on_failure():
            self._go_on_with(X)
        return self

    def fit_predict(self, X, y=None):
        """Fit the detector to rows, and tell which of them are outliers.

        The rows are judged by what has not learned from them, as new ones would be.

        Parameters
        ----------
        X : {array-like, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        labels : ndarray of int of shape (n_samples,)
            -1 for outliers and 1 for inliers.
        """
        with self._restored_on_failure():
            self.fit(X)
            is_complete = len(self._memory_) == self.n_rows_
            scores = np.empty(self.n_rows_) if is_complete else self.score_samples(X)
        scores[self._memory_.positions] = -self._held_out_
        return np.where(scores < self.offset_, -1, 1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "offset_")

    @property
    def _steps_per_root_row(self):
        return _STEPS_OF_CLEAN if self.novelty else _STEPS_OF_TRIMMED

    def _fit_to(self, X):
        self._check_parameters()
        self._remember_parameters(_MAKE_THE_MODEL)
        self.frame_ = frame_without_rows(X)
        frame = self._check_rows(X, reset=True)
        self._seed_ = draw_seed(self.random_state)
        rng = np.random.default_rng(self._seed_)
        positions = rng.permutation(len(frame))[: self.max_samples]
        sample = frame[positions.tolist()]
        schema = Table.learn(
            sample,
            categorical_features=self.categorical_features,
            max_categories=self.max_categories,
            min_frequency=self.min_frequency,
            handle_unknown=self.handle_unknown,
        )
        self.schema_ = schema.with_labels_of(frame)
        self._check_readable(frame)
        n_folds = min(self.n_members // len(VIEWS), len(positions))
        self._memory_ = Memory.of(self.schema_, sample, positions, n_folds, rng)
        self.n_rows_ = len(frame)
        self._learn(resolve_device((self.net_params or {}).get("device", self.device), X))

    def _go_on_with(self, X):
        self._validate_params()
        self._check_parameters()
        self._check_same_model()
        frame = self._check_rows(X)
        self._check_readable(frame)
        self._seed_ = self._seed_ + 1
        rng = np.random.default_rng(self._seed_)
        positions = rng.permutation(len(frame))[: self.max_samples]
        sample = frame[positions.tolist()]
        newer = Memory.of(self.schema_, sample, positions, self._members.n_folds, rng)
        self._memory_ = self._memory_.make_room(newer, self.max_samples, rng)
        self.n_rows_ += len(frame)
        with unchanged_on_failure(self.net_):
            self._learn(torch.device(self.net_.device), net=self.net_)

    def _check_readable(self, frame):
        """Raise what reading any of the rows would raise, whichever of them are learned from."""
        if len(frame) > self.max_samples:
            for _ in self._encode(frame):
                pass

    def _learn(self, device, net=None):
        """Learn all that there is to learn from the rows in the memory."""
        is_kept = self._find_kept()
        kept = self._memory_.take(is_kept)
        self.n_trimmed_ = int((~is_kept).sum())
        self.columns_ = Points.learn(self.schema_, kept.numbers, kept.states)
        points = self._points(kept.numbers, kept.states)
        options = {"seed": self._seed_, "device": device, "net": net}
        trained = train_members(self, points, kept.folds, self.columns_, **options)
        self.net_, self.best_epoch_ = trained
        self._note_training()
        self._make_parts(points, kept.folds)
        self._held_out_ = self._score_memory(kept, is_kept)
        self.offset_ = -self._find_threshold()

    def _make_parts(self, points, folds):
        self.n_neighbors_ = self.n_neighbors
        if self.n_neighbors == "auto":
            self.n_neighbors_ = _NEIGHBORS_OF_CLEAN if self.novelty else _NEIGHBORS_OF_TRIMMED
        parts = {
            "reconstruction": lambda: Reconstruction(self._members),
            "latent": lambda: NearCodes(self._members, points, folds, self.n_neighbors_),
            "neighbors": lambda: NearRows(points, self.n_neighbors_),
            "center": lambda: Center(points),
        }
        names = dict.fromkeys([*self.parts, _EXPLAINS])
        self._explaining_ = {name: parts[name]() for name in names}
        self.parts_ = {name: self._explaining_[name] for name in self.parts}

    def _score_memory(self, kept, is_kept):
        """Return the surprisals of the rows in the memory, as if nothing knew of them."""
        points = self._points(kept.numbers, kept.states, held_out=True)
        parts = self._explaining_.items()
        surprisals = {name: part.learn(points, kept.folds) for name, part in parts}
        found = np.empty(len(is_kept))
        found[is_kept] = self._mean(surprisals, self.parts_)
        if self.n_trimmed_:
            rest = self._memory_.take(~is_kept)
            found[~is_kept] = self._mean(self._surprisals([(rest.numbers, rest.states)]))
        return found

    def _find_kept(self):
        """Return which rows of the memory are learned from."""
        numbers, states = self._memory_.numbers, self._memory_.states
        if self.novelty:
            return np.ones(len(states), dtype=bool)
        share = self.trim_fraction
        if share == "auto":
            share = max(_AUTO_TRIM, 0 if self.contamination == "auto" else self.contamination)
        n_far = min(int(share * len(states)), len(states) - 2)
        columns = Points.learn(self.schema_, numbers, states)
        return ~far_rows(columns, numbers, states, n_far)

    def _find_threshold(self):
        """Return the surprisal beyond which a row is an outlier."""
        if self.novelty:
            share = _AUTO_SHARE if self.contamination == "auto" else self.contamination
            return conformal_threshold(self._held_out_, share)
        if self.contamination == "auto":
            return robust_threshold(self._held_out_, _AUTO_SHARE)
        return share_threshold(self._held_out_, self.contamination)

    def _note_training(self):
        history = self.net_.history
        held_out = [epoch["valid_loss"] for epoch in history if "valid_loss" in epoch]
        self.loss_curve_ = [epoch["train_loss"] for epoch in history]
        self.validation_loss_curve_ = held_out if len(held_out) == len(history) else None
        self.n_iter_ = len(history)
        if self.net_.stopping_:
            self.stop_reason_ = "n_iter_no_change"
        elif self.n_iter_ < self.net_.max_epochs:
            self.stop_reason_ = "callback"
        else:
            self.stop_reason_ = "max_epochs"

    def _check_parameters(self):
        parts = list(self.parts) if not isinstance(self.parts, str) else []
        if not parts or sorted(map(str, parts)) != sorted(set(map(str, parts)) & set(PARTS)):
            raise ValueError(
                f"The 'parts' parameter must hold some of {PARTS}, each at most once. "
                f"Got {self.parts!r}."
            )
        if self.n_members % len(VIEWS):
            raise ValueError(
                f"The 'n_members' parameter must be even, since half of the members see each view. "
                f"Got {self.n_members!r}."
            )
