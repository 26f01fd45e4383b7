"""LatentResampler: more rows of rare classes, made by an autoencoder."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import field
from numbers import Real
from typing import Annotated, Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.validation import check_consistent_length

from skae.autoencoders.base import BaseAutoencoder
from skae.autoencoders.given import cloned, unfrozen
from skae.autoencoders.reader import Reader
from skae.autoencoders.variational import VAETransformer
from skae.common.annotations import Named, PositiveInt, RandomState
from skae.common.documentation import Documented
from skae.common.parameters import estimator
from skae.common.seeds import draw_seed
from skae.common.sklearn_private import Interval, fit_context, take_rows
from skae.common.state import FittedState
from skae.predictors.class_densities import fit_copies, fit_densities
from skae.predictors.resampled_rows import (
    in_container_of,
    labels_at,
    plain_rows,
    with_new_rows,
    within_range,
)
from skae.predictors.sampler_tags import TagsOfSampler, as_sampler
from skae.predictors.sampling_strategy import read_labels, rows_to_add
from skae.saving.saves import Saves
from skae.tables.checking import check_rows

_Word = Literal["auto", "minority", "not minority", "not majority", "all"]
_Ratio = Annotated[float, Interval(Real, 0, 1, closed="right")]
_Counts = Annotated[Mapping[Any, int], dict, Named("dict")]
_Rule = Annotated[Callable, callable, Named("callable")]


@estimator()
class LatentResampler(OneToOneFeatureMixin, FittedState, Saves, Documented, BaseEstimator):
    r"""Sampler that adds rows of rare classes, made by an autoencoder.

    With the codes :math:`z_i` of a row of the class and :math:`z_j` of one of its nearest
    neighbours in the class, a new row is the row :math:`x_i` moved from the one code towards the
    other by a random share of the way:

    .. math:: x = x_i + g\big(z_i + u (z_j - z_i)\big) - g(z_i), \quad u \sim U(0, 1),

    where :math:`g` is the decoder; numbers are then brought into the range that they have in the
    class, labels change where the expected ones do, and missing cells stay missing.

    It is used as the samplers of imbalanced-learn are, for instance in the pipelines of that
    package, and does not need it.

    See Also
    --------
    GenerativeClassifier : A classifier by one density for each class, which needs no balance.

    Notes
    -----
    Rows are added to what a classifier learns from, never to what it is judged by. They change
    which errors it prefers, as weights of classes and other thresholds do at less cost.

    References
    ----------
    Chawla, N. V., Bowyer, K. W., Hall, L. O. and Kegelmeyer, W. P. (2002). SMOTE: synthetic
    minority over-sampling technique. Journal of Artificial Intelligence Research, 16, 321-357.

    DeVries, T. and Taylor, G. W. (2017). Dataset augmentation in feature space. International
    Conference on Learning Representations, workshop track.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from skae import AutoencoderTransformer, LatentResampler
    >>> X, y = load_iris(return_X_y=True)
    >>> X, y = X[:120], y[:120]
    >>> sampler = LatentResampler(AutoencoderTransformer(2, max_epochs=20), random_state=0)
    >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
    >>> np.bincount(y), np.bincount(y_resampled)
    (array([50, 50, 20]), array([50, 50, 50]))
    >>> sampler.sampling_strategy_
    {1: 0, 2: 30}
    """

    autoencoder: (
        Annotated[BaseAutoencoder | FrozenEstimator, Named("autoencoder or FrozenEstimator")] | None
    ) = field(default=None, kw_only=False)
    """The autoencoder that makes rows: one of skae's, which is cloned and fitted to all rows, or a
    fitted one in a `sklearn.frozen.FrozenEstimator`, which is used as it is. None is
    `VAETransformer()`."""

    sampling_strategy: _Word | _Ratio | _Counts | _Rule = "auto"
    """Which classes get rows, and how many. "minority" is the smallest class, "not minority" every
    class but that, "not majority" every class but the largest, "all" every class; each gets as many
    rows as the largest has. "auto" is "not majority". A float in (0, 1] is, for two classes, the
    number of rows of the smaller over that of the larger afterwards. A dict is from classes to
    their numbers of rows afterwards, and a callable returns one, given the labels."""

    kind: Literal["interpolation", "draws"] = "interpolation"
    """How rows are made: between the codes of neighbours in a class, or drawn from a density of the
    class, which is the autoencoder trained anew on the rows of the class, with the columns of all
    rows."""

    n_neighbors: PositiveInt = 5
    """The number of nearest neighbours, in the space of codes, of which interpolation takes one;
    all other rows of a class that has no more."""

    random_state: RandomState = None
    """The seed of the rows, and of an autoencoder that has none of its own."""

    sampling_strategy_: dict[Any, int] = field(init=False)
    """The number of rows that each class gets; classes that the strategy leaves out are not in
    it."""

    n_features_in_: int = field(init=False)
    """The number of features that `fit` saw."""

    feature_names_in_: np.ndarray = field(init=False)
    """The names of the features, if `fit` was given a frame whose names are all strings."""

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any) -> Self:
        """Check rows and labels, and find how many rows each class gets; no row is made.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            The classes of the rows, or a matrix that is one where a row has a class.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        with self._restored_on_failure():
            self._forget()
            self._check(X, y)
        return self

    @fit_context(prefer_skip_nested_validation=False)
    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Return all rows and below them the new ones, in the order of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix, tensor, dataframe} of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            The classes of the rows, or a matrix that is one where a row has a class.

        Returns
        -------
        X_resampled : {ndarray, sparse matrix, tensor, list, dataframe} of shape \
                (n_samples_new, n_features)
            The rows, in the container and the types of X; the index of a pandas frame is a new one.
        y_resampled : {ndarray, list, series, dataframe} of shape (n_samples_new,) or \
                (n_samples_new, n_classes)
            The classes of the rows, in the container of y.

        Raises
        ------
        ValueError
            If there is a single class, `sampling_strategy` does not suit the classes, or a density
            cannot be fitted to the rows of a class.
        TypeError
            If `autoencoder` holds no autoencoder of skae.
        """
        with self._restored_on_failure():
            self._forget()
            labels = self._check(X, y)
            added = {name: n for name, n in self.sampling_strategy_.items() if n > 0}
            rows = plain_rows(X)
            parts = self._new_rows(rows, labels, added) if added else []
        first = [int(np.flatnonzero(labels == name)[0]) for name in added]
        places = np.append(np.arange(len(labels)), np.repeat(first, [*added.values()]))
        return with_new_rows(rows, parts, X), labels_at(y, places.astype(int))

    def remembered_columns(self) -> list[Any]:
        """Return nothing: rows are made by `fit_resample`, and none is kept."""
        return []

    def remembered_rows(self) -> list[Any]:
        """Return nothing, as `remembered_columns` does."""
        return []

    def __sklearn_tags__(self) -> TagsOfSampler:
        tags = as_sampler(super().__sklearn_tags__())
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        return tags

    @property
    def _given(self) -> BaseAutoencoder | FrozenEstimator:
        return VAETransformer() if self.autoencoder is None else self.autoencoder

    def _check(self, X: Any, y: Any) -> np.ndarray:
        """Return the labels, once rows and labels are valid and the strategy is known."""
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y "
                f"is None."
            )
        rows = plain_rows(X) if isinstance(X, list | tuple) else X
        if isinstance(self._given, FrozenEstimator):
            as_table = unfrozen(self._given).columns_.is_table
        else:
            as_table = self._given._reads_as_table(rows)
        check_rows(self, rows, as_table=as_table, reset=True)
        check_consistent_length(X, y)
        labels = read_labels(y)
        self.sampling_strategy_ = rows_to_add(self.sampling_strategy, labels)
        return labels

    def _new_rows(self, rows: Any, labels: np.ndarray, added: dict[Any, int]) -> list[Any]:
        """Return the new rows of every class that gets some."""
        seed = draw_seed(self.random_state)
        rng = np.random.default_rng(seed)
        if self.kind == "draws":
            densities = self._densities(rows, labels, [*added], seed)
            pairs = zip(densities, added.values(), strict=True)
            return [each.sample(n, random_state=int(rng.integers(2**31))) for each, n in pairs]
        return self._interpolated(rows, labels, added, seed, rng)

    def _interpolated(
        self,
        rows: Any,
        labels: np.ndarray,
        added: dict[Any, int],
        seed: int,
        rng: np.random.Generator,
    ) -> list[Any]:
        """Return rows between those of each class."""
        alone = _with_single_row(labels, added)
        if alone:
            warnings.warn(
                f"Classes with a single row have no neighbours to interpolate with, so that their "
                f"new rows are copies: {alone}.",
                UserWarning,
                stacklevel=2,
            )
        if isinstance(self._given, FrozenEstimator):
            autoencoder = unfrozen(self._given)
        else:
            autoencoder = cloned(self._given, seed).fit(rows)
        return [
            self._between(autoencoder, take_rows(rows, np.flatnonzero(labels == name)), n_rows, rng)
            for name, n_rows in added.items()
        ]

    def _densities(self, rows: Any, labels: np.ndarray, names: list[Any], seed: int) -> list[Any]:
        """Return a density of the rows of each class."""
        alone = _with_single_row(labels, names)
        if alone:
            raise ValueError(
                f"kind='draws' needs 2 rows or more of every class that gets some, and these have "
                f"a single one: {alone}. kind='interpolation' copies it."
            )
        codes, classes = np.full(len(labels), -1), np.array(names)
        for place, name in enumerate(names):
            codes[labels == name] = place
        if isinstance(self._given, FrozenEstimator):
            start = deepcopy(unfrozen(self._given))
            return fit_copies(start, rows, codes, classes, None, None)
        return fit_densities(self._given, rows, codes, classes, None, seed, None)

    def _between(
        self, autoencoder: BaseAutoencoder, rows: Any, n_rows: int, rng: np.random.Generator
    ) -> Any:
        """Return new rows from those of a class, each moved towards one of its neighbours."""
        start = rng.integers(len(rows), size=n_rows)
        moved = take_rows(rows, start)
        if len(rows) == 1:
            return moved
        reader = Reader.of(autoencoder)
        codes = reader.read(reader.chain.encode, reader.check(rows))
        n_neighbors = min(self.n_neighbors, len(rows) - 1)
        neighbors = NearestNeighbors(n_neighbors=n_neighbors).fit(codes)
        nearest = neighbors.kneighbors(return_distance=False)
        stop = nearest[start, rng.integers(n_neighbors, size=n_rows)]
        edited = autoencoder.edit(moved, codes[stop] - codes[start], rng.random(n_rows))
        return within_range(in_container_of(rows, edited), rows)


def _with_single_row(labels: np.ndarray, names: Iterable[Any]) -> list[Any]:
    return [name for name in names if (labels == name).sum() == 1]
