"""AEOutlierDetector: outliers by an ensemble of denoising autoencoders and by distances."""

from functools import partial
from typing import Any, Self

import narwhals as nw
import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, OutlierMixin

from skae.common.devices import resolve_device
from skae.common.documentation import Documented
from skae.common.parameters import estimator
from skae.common.processes import check_one_process
from skae.common.shared_parameters import DeviceParameters, TableParameters
from skae.common.sklearn_private import fit_context
from skae.common.state import FittedState
from skae.outliers.conformal import conformal_threshold, robust_threshold, share_threshold
from skae.outliers.coordinates import VIEWS
from skae.outliers.encoding import Rows
from skae.outliers.fitted import FittedAttributes, StopReason
from skae.outliers.inference import OutlierInference
from skae.outliers.memory import Memory, weighted_order
from skae.outliers.model import Regime, learn_model
from skae.outliers.parameters import DetectorParameters, EnsembleParameters, check_parameters
from skae.outliers.parts import References
from skae.outliers.training import EnsembleOptions, train_members
from skae.outliers.trimming import Trimming
from skae.saving.saves import Saves
from skae.tables.containers import frame_without_rows
from skae.tables.identifiers import warn_of_identifiers
from skae.tables.kinds import options_of
from skae.tables.streams import as_stream, rows_in_memory
from skae.tables.table import Table
from skae.tables.training_rows import checked_weights
from skae.training.checkpoints import checkpointed, draw_fit_seed
from skae.training.mode import Mode
from skae.training.net import AutoencoderNet
from skae.training.running import MOST_HISTORY, loss_curves, unchanged_on_failure
from skae.training.schedule import unless_auto

# The share of normal rows that "auto" flags.
_AUTO_SHARE = 0.01
# The share of rows that is trimmed, the number of groups of references, and the steps per root of
# the number of rows, without trimming and with it (docs/design.md, "Outliers").
_AUTO_TRIM = 0.1
_N_GROUPS = 4
_STEPS_OF_CLEAN, _STEPS_OF_TRIMMED = 25, 8


@estimator()
class AEOutlierDetector(
    ClassNamePrefixFeaturesOutMixin,
    OutlierInference,
    OutlierMixin,
    DetectorParameters,
    EnsembleParameters,
    TableParameters,
    DeviceParameters,
    FittedAttributes,
    FittedState,
    Saves,
    Documented,
    BaseEstimator,
):
    r"""Outlier detector: distances to near rows, reconstructions, and the distance to the center.

    An ensemble of denoising autoencoders without a bottleneck learns from the rows, half of it from
    standardised numbers, the other half from their normal scores. It is one batched program; each
    member leaves out one fold of the rows, so that every row is held out from some members. Three
    parts measure how anomalous a row is, and a fourth on request:

    - "neighbors": the distance to the nearest row of each of some groups of training rows, in both
      views of the numbers.
    - "reconstruction": the errors of the members' reconstructions, each given the errors of the
      other columns: that of a typical column, and the largest.
    - "center": the median distance to training rows, in normal scores.
    - "latent": the distance to the nearest code, for each member among the codes of the fold that
      it left out.

    Each turns quantities :math:`v` into surprisals, minus the log-probability that the quantity of
    a held-out row is at least as large. One that is sure is enough, and so are all parts together:
    with the surprisals :math:`s_{pi}` of the quantities of part :math:`p`, the score is

    .. math:: s(x) = -\max\Big(\max_{p,\, i} a_p s_{pi}(x),\
              \frac54 \cdot \frac1P \sum_p \bar s_p(x)\Big),

    where :math:`a_p` is 1 for "neighbors", 0.8 for "reconstruction" and 0 for the others.

    Rows may hold numbers, labels, booleans, times and missing cells. Sparse rows are made dense;
    `sklearn.decomposition.TruncatedSVD` in front reduces wide ones. A fitted detector, and so its
    file, holds encoded training rows, which new rows are compared with.

    See Also
    --------
    AutoencoderTransformer : An autoencoder with a code, whose `score_cells` scores single cells.
    VAETransformer : A density of tables.
    sklearn.ensemble.IsolationForest : Outliers as rows that few random splits isolate.
    skae.plotting.ExplanationDisplay : A plot of explanations.
    skae.tables.remembered : What of the training rows an estimator holds.

    Notes
    -----
    The p-values are cross-conformal: no rows are set aside, and the scores of training rows are
    those that they would have if nothing had been learned from them: by members that left them
    out, and with neighbours and scales of the other rows only. A row that is scored later and
    equals a training row is taken for it, and has its score; others are read as new ones. Where
    more than one in fifty training rows repeat others, equality tells nothing, and all are.

    Groups of more than a twentieth of the rows are modes of the data, and no outliers, unless
    `trim_fraction` says otherwise. `contamination="auto"` sees no gap where outliers lie as densely
    as the outermost normal rows.

    References
    ----------
    Vincent, P., Larochelle, H., Bengio, Y. and Manzagol, P.-A. (2008). Extracting and composing
    robust features with denoising autoencoders. ICML.

    Pang, G., Ting, K. M. and Albrecht, D. (2015). LeSiNN: detecting anomalies by identifying least
    similar nearest neighbours. ICDM workshops.

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

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: None = None, sample_weight: Any = None) -> Self:
        """Fit the detector to rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows to learn from.
        y : Ignored
            Not used, present for API consistency by convention.
        sample_weight : array-like of shape (n_samples,), default=None
            The weights of the rows; those without any are left out. None is the same for all.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._fit(X, sample_weight)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: None = None, sample_weight: Any = None) -> Self:
        """Update the detector with more rows, which replace older ones in a memory.

        The memory has `max_samples` rows. The first call is `fit`, and learns the types of the
        columns: give it a representative sample. Each later call learns the scales, the neighbours
        and the threshold from the memory again, and trains for one pass over it. The older rows
        that are replaced are drawn at random.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The next rows to learn from.
        y : Ignored
            Not used, present for API consistency by convention.
        sample_weight : array-like of shape (n_samples,), default=None
            The weights of the rows; those without any are left out. None is the same for all.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        if not self.__sklearn_is_fitted__():
            return self._fit(X, sample_weight, Mode.FIRST_PASS)
        with self._restored_on_failure():
            self._go_on_with(X, sample_weight)
        return self

    def fit_predict(self, X: Any, y: None = None, sample_weight: Any = None) -> np.ndarray:
        """Fit the detector to rows, and label them as outliers or inliers.

        The rows are scored by members that have not learned from them; equal rows have one label.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        y : Ignored
            Not used, present for API consistency by convention.
        sample_weight : array-like of shape (n_samples,), default=None
            The weights of the rows; those without any are left out. None is the same for all.

        Returns
        -------
        labels : ndarray of int of shape (n_samples,)
            -1 for outliers and 1 for inliers.
        """
        if as_stream(X) is not None:
            raise TypeError("fit_predict takes rows in memory. Call fit, then predict.")
        with self._restored_on_failure():
            self.fit(X, sample_weight=sample_weight)
            scores = self.training_scores_
            if np.isnan(scores).any():
                scores = np.where(np.isnan(scores), self.score_samples(X), scores)
        return np.where(scores < self.offset_, -1, 1)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return "offset_" in vars(self)

    def _fit(self, X: Any, sample_weight: Any, mode: Mode = Mode.FIT) -> Self:
        with self._restored_on_failure(), checkpointed(self, X, None, sample_weight, mode):
            self._forget()
            self._fit_to(X, sample_weight)
        return self

    def _fit_to(self, X: Any, sample_weight: Any) -> None:
        """Check the rows, learn the columns, keep a sample in the memory, learn from it."""
        check_one_process(type(self).__name__ + ".fit")
        check_parameters(self.parts, self.n_members)
        self._remember_parameters()
        self._seed_ = draw_fit_seed(self.random_state)
        X, n_rows, _ = rows_in_memory(X, self._seed_, sample_weight=sample_weight)
        self.frame_ = frame_without_rows(X)
        frame = self._check_rows(X, reset=True)
        weights = checked_weights(sample_weight, frame, fewest=2)
        rng = np.random.default_rng(self._seed_)
        positions = weighted_order(weights, rng)[: self.max_samples]
        sample = frame[positions.tolist()]
        table = Table.learn(sample, options_of(self), is_named=self.frame_ is not None)
        table.check_modelled()
        warn_of_identifiers(table)
        self.schema_ = table.with_labels_of(frame)
        self._check_readable(frame)
        n_folds = min(self.n_members // len(VIEWS), len(positions))
        chosen = weights[positions]
        self._memory_ = Memory.of(self.schema_, sample, chosen, positions, n_folds, rng)
        self.n_rows_ = n_rows or len(frame)
        self._learn(resolve_device((self.net_params or {}).get("device", self.device), X))
        self._note_training_scores(len(frame))

    def _go_on_with(self, X: Any, sample_weight: Any) -> None:
        """Check more rows, keep a sample of them in the memory, learn from the memory."""
        self._validate_params()
        check_parameters(self.parts, self.n_members)
        self._check_same_model()
        frame = self._check_rows(X)
        weights = checked_weights(sample_weight, frame)
        self._check_readable(frame)
        self._seed_ = self._seed_ + 1
        rng = np.random.default_rng(self._seed_)
        positions = weighted_order(weights, rng)[: self.max_samples]
        sample, n_folds = frame[positions.tolist()], self._model_.members.n_folds
        older, chosen = self._memory_, weights[positions]
        options = n_folds, rng, older.rounding
        newer = Memory.of(self.schema_, sample, chosen, positions, *options)
        self._memory_ = older.make_room(newer, self.max_samples, rng)
        self.n_rows_ += len(frame)
        with unchanged_on_failure(self.net_):
            self._learn(torch.device(self.net_.device), net=self.net_)
        self._note_training_scores(len(frame))

    def _check_readable(self, frame: nw.DataFrame) -> None:
        """Raise ValueError if any row cannot be encoded, also if it is not learned from."""
        if len(frame) > self.max_samples:
            rows = Rows.of(self.schema_, frame)
            for batch in [] if rows.are_numbers else rows.slices():
                rows.encode(batch)

    def _learn(self, device: torch.device, net: AutoencoderNet | None = None) -> None:
        """Learn from the rows in the memory."""
        steps = _STEPS_OF_CLEAN if self.novelty else _STEPS_OF_TRIMMED
        options = EnsembleOptions(self.n_members, self.hidden_layer_sizes, self.activation, steps)
        training = partial(
            train_members,
            parameters=self,
            options=options,
            seed=self._seed_,
            device=device,
            net=net,
        )
        learned = learn_model(self.schema_, self._memory_, self._regime(), training)
        self._model_, self.best_epoch_, self.n_trimmed_ = learned
        self.columns_, self.parts_ = self._model_.columns, self._model_.parts
        self.net_ = self._model_.members.net
        del self.net_.history[:-MOST_HISTORY]
        self.loss_curve_, self.validation_loss_curve_ = loss_curves(self.net_)
        self.n_iter_ = len(self.loss_curve_)
        self.stop_reason_ = self._find_stop_reason()
        self.offset_, self.contamination_ = self._find_threshold(self._model_.held_out)

    def _note_training_scores(self, n_rows: int) -> None:
        """Note the held-out scores of the rows that were just learned from, NaN for others."""
        self.training_scores_ = np.full(n_rows, np.nan)
        is_new = self._memory_.positions >= 0
        self.training_scores_[self._memory_.positions[is_new]] = -self._model_.held_out[is_new]

    def _regime(self) -> Regime:
        asked = unless_auto(self.contamination, 0.0)
        share = unless_auto(self.trim_fraction, max(_AUTO_TRIM, asked))
        finds_gap = isinstance(self.trim_fraction, str) and isinstance(self.contamination, str)
        references = References(
            unless_auto(self.n_references, None),
            1 if isinstance(self.n_neighbors, int) else _N_GROUPS,
            unless_auto(self.n_neighbors, 1),
        )
        trimming = Trimming(0.0 if self.novelty else share, finds_gap and not self.novelty)
        return Regime(tuple(self.parts), references, trimming)

    def _find_threshold(self, held_out: np.ndarray) -> tuple[float, float]:
        """Return the score below which a row is an outlier, and the share of outliers."""
        weights = self._memory_.weights
        share = unless_auto(self.contamination, _AUTO_SHARE)
        if self.novelty:
            return -conformal_threshold(held_out, share, weights), 0.0
        if isinstance(self.contamination, str):
            threshold, estimate = robust_threshold(held_out, share, weights, self._model_.is_far)
            return -threshold, estimate
        return -share_threshold(held_out, share, weights), float(share)

    def _find_stop_reason(self) -> StopReason:
        if self.net_.stopping_:
            return "n_iter_no_change"
        return "callback" if self.n_iter_ < self.net_.max_epochs else "max_epochs"
