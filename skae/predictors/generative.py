"""GenerativeClassifier: a density of the rows of each class, and Bayes' rule."""

from dataclasses import field
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    assert_all_finite,
    check_consistent_length,
    column_or_1d,
)

from skae.autoencoders.variational import VAETransformer
from skae.common.annotations import Auto, Half, Named, PositiveFloat, RandomState
from skae.common.documentation import Documented
from skae.common.parameters import estimator
from skae.common.seeds import draw_seed
from skae.common.sklearn_private import HasMethods, fit_context, take_rows
from skae.common.state import FittedState
from skae.common.weights import check_weights
from skae.predictors.calibration import calibrate
from skae.predictors.class_densities import fit_densities, log_likelihoods
from skae.predictors.generative_inference import IMPOSSIBLE, GenerativeInference
from skae.saving.saves import Saves
from skae.tables.labels import check_kinds_of_labels

# The fewest rows of a class of which some are held out.
_FEWEST = 5


@estimator()
class GenerativeClassifier(
    GenerativeInference, ClassifierMixin, FittedState, Saves, Documented, BaseEstimator
):
    r"""Classifier by one density for each class, and Bayes' rule.

    With the likelihoods :math:`p(x \mid y)` of the classes' densities and their shares
    :math:`p(y)`,

    .. math:: p(y \mid x) \propto p(y)\, p(x \mid y)^{1 / T} e^{b_y}.

    A high-dimensional density is off by many nats, so that with :math:`T = 1` probabilities would
    be zero or one; temperature and offsets are fitted on held-out rows.

    Beside labels, it says how likely a row is in any class, rejects rows that no class explains,
    and draws rows of each class.

    See Also
    --------
    EncoderClassifier : A classifier on top of an encoder, which is more accurate with many labels.
    sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis : The same with a Gaussian for each
        class.

    Notes
    -----
    Autoencoders are fitted to all rows first, so that all classes have the same columns, and go on
    with those of each class.

    References
    ----------
    Ng, A. Y. and Jordan, M. I. (2002). On discriminative vs. generative classifiers: a comparison
    of logistic regression and naive Bayes. Advances in Neural Information Processing Systems 14.

    Guo, C., Pleiss, G., Sun, Y. and Weinberger, K. Q. (2017). On calibration of modern neural
    networks. International Conference on Machine Learning.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.mixture import GaussianMixture
    >>> from skae import GenerativeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = GenerativeClassifier(GaussianMixture(), random_state=0).fit(X, y)
    >>> classifier.score(X, y) > 0.95
    True
    >>> classifier.reject(X[:1] + 10, level=0.1)
    array([ True])
    """

    density: (
        Annotated[Any, HasMethods(["fit", "score_samples"]), Named("density estimator")] | None
    ) = field(default=None, kw_only=False)
    """The density of the rows of a class: any estimator with `fit` and `score_samples`, which is
    cloned for each. None is `VAETransformer()`."""

    class_prior: Annotated[ArrayLike, "array-like", Named("array-like")] | None = None
    """The probabilities of the classes, in the order of their labels; they are divided by their
    sum. None counts them."""

    temperature: Auto | PositiveFloat = "auto"
    """The number by which log-likelihoods are divided. "auto" is the one with the smallest log-loss
    on held-out rows, together with an offset for each class where each has 100 of them, since the
    density of one class may be better than that of another."""

    validation_fraction: Half = 0.2
    """The share of the rows of each class, in [0, 0.5], that are held out from a first fit, for the
    temperature, the offsets and the p-values; a second fit has all rows. With 0 there is one fit,
    `temperature` "auto" is 1, and there are neither offsets nor p-values."""

    n_jobs: int | None = None
    """The number of classes that are fitted at a time; -1 is one for each core, None is one."""

    random_state: RandomState = None
    """The seed of the densities that have none of their own, and of the rows that are held out."""

    classes_: np.ndarray = field(init=False)
    """The classes."""

    class_prior_: np.ndarray = field(init=False)
    """The probabilities of the classes."""

    densities_: list = field(init=False)
    """The fitted density of every class."""

    temperature_: float = field(init=False)
    """The number by which log-likelihoods are divided."""

    offsets_: np.ndarray = field(init=False)
    """What is then added to them for every class: 0 unless `temperature` is "auto"."""

    n_features_in_: int = field(init=False)
    """The number of features that `fit` saw."""

    feature_names_in_: np.ndarray = field(init=False)
    """The names of the features, if `fit` was given a frame whose names are all strings."""

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit a density to the rows of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,)
            The classes of the rows.
        sample_weight : array-like of shape (n_samples,), default=None
            The weight of every row; None for weights of one.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        with self._restored_on_failure():
            self._forget()
            self._fit_to(X, y, sample_weight)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        of_density = get_tags(self._density)
        tags.input_tags.sparse = of_density.input_tags.sparse
        tags.input_tags.allow_nan = of_density.input_tags.allow_nan
        return tags

    @property
    def _density(self) -> Any:
        return VAETransformer() if self.density is None else self.density

    def _fit_to(self, X: Any, y: Any, sample_weight: Any) -> None:
        """Check the labels, learn from a part, judge the others, learn from all."""
        X = self._check_rows(X, reset=True)
        y = column_or_1d(y, warn=True)
        check_kinds_of_labels(y)
        assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        check_consistent_length(X, y)
        weights = None
        if sample_weight is not None:
            weights = check_weights(sample_weight, len(y))
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.class_prior_ = self._find_prior(codes, weights)
        seed = draw_seed(self.random_state)
        is_out = held_out(codes, self.validation_fraction, np.random.default_rng(seed))
        scores = np.empty((0, len(self.classes_)))
        if is_out.any():
            kept, out = np.flatnonzero(~is_out), np.flatnonzero(is_out)
            part = None if weights is None else weights[kept]
            first = self._fit_densities(take_rows(X, kept), codes[kept], part, seed)
            scores = log_likelihoods(first, take_rows(X, out))
        self.temperature_, self.offsets_ = self._calibrate(scores, codes[is_out])
        self._held_out_ = [
            np.sort(scores[codes[is_out] == place, place]) for place in range(len(self.classes_))
        ]
        self.densities_ = self._fit_densities(X, codes, weights, seed)

    def _fit_densities(
        self, X: Any, codes: np.ndarray, weights: np.ndarray | None, seed: int
    ) -> list[Any]:
        options = weights, seed, self.n_jobs
        return fit_densities(self._density, X, codes, self.classes_, *options)

    def _find_prior(self, codes: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
        n_classes = len(self.classes_)
        if self.class_prior is None:
            counts = np.bincount(codes, weights, n_classes)
            return counts / counts.sum()
        prior = np.asarray(self.class_prior, dtype=float)
        is_valid = prior.shape == (n_classes,) and np.isfinite(prior).all() and (prior > 0).all()
        if not is_valid:
            raise ValueError(
                f"The 'class_prior' parameter must hold {n_classes} numbers above 0, one for each "
                f"class. Got {self.class_prior!r}."
            )
        return prior / prior.sum()

    def _calibrate(self, scores: np.ndarray, codes: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the temperature and the offsets, given log-likelihoods of held-out rows."""
        n_classes = len(self.classes_)
        if not isinstance(self.temperature, str):
            return float(self.temperature), np.zeros(n_classes)
        if len(scores) == 0 or n_classes == 1:
            return 1.0, np.zeros(n_classes)
        return calibrate(np.maximum(scores, IMPOSSIBLE), self._log_prior, codes)


def held_out(codes: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return a mask of the rows to hold out, a share of each class that has more than a few."""
    is_out = np.zeros(len(codes), dtype=bool)
    for place in np.unique(codes):
        own = rng.permutation(np.flatnonzero(codes == place))
        if len(own) >= _FEWEST:
            is_out[own[: int(share * len(own))]] = True
    return is_out
