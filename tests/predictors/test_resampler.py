"""More rows of rare classes."""

from collections import Counter

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from helpers import rows_of_a_shop
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from skae import AutoencoderTransformer, DenoisingAE, LatentResampler, VAETransformer

X, y = load_iris(return_X_y=True)
X, y = X[:120], y[:120]


def quick(**parameters):
    parameters = {"random_state": 0, **parameters}
    return LatentResampler(VAETransformer(max_epochs=2), **parameters)


@pytest.fixture(scope="module")
def frozen():
    """An autoencoder of all features, whose decoder is linear, in steps that leave it at PCA."""
    linear = AutoencoderTransformer(
        4, hidden_layer_sizes=(), noise=0, learning_rate=1e-9, max_epochs=1, random_state=0
    )
    return FrozenEstimator(linear.fit(X))


@pytest.fixture(scope="module")
def shop():
    frame = rows_of_a_shop()
    return frame.drop(columns="kind"), frame["kind"].fillna("none").rename("kind")


def new_of(sampler, X, y):
    """The new rows and their labels."""
    X_resampled, y_resampled = sampler.fit_resample(X, y)
    return X_resampled[len(y) :], y_resampled[len(y) :]


class TestStrategy:
    """Which classes get rows, and how many."""

    @pytest.mark.parametrize(
        ("strategy", "added"),
        [
            # Of two classes of the largest size, the first counts as the largest.
            ("auto", {"b": 5, "c": 0, "d": 7}),
            ("not majority", {"b": 5, "c": 0, "d": 7}),
            ("minority", {"d": 7}),
            ("not minority", {"a": 0, "b": 5, "c": 0}),
            ("all", {"a": 0, "b": 5, "c": 0, "d": 7}),
            ({"b": 9, "d": 3}, {"b": 4, "d": 0}),
            ({}, {}),
            (lambda y: {"d": int((y == "a").sum()) + 1}, {"d": 8}),
        ],
    )
    def test_numbers_of_rows(self, frozen, strategy, added):
        labels = np.repeat(list("abcd"), [10, 5, 10, 3])
        sampler = LatentResampler(frozen, sampling_strategy=strategy, random_state=0)
        rows, found = sampler.fit_resample(X[: len(labels)], labels)
        assert sampler.sampling_strategy_ == added
        expected = Counter(labels) + Counter(added)
        assert Counter(found.tolist()) == expected
        assert rows.shape == (len(found), 4)
        assert sampler.fit(X[: len(labels)], labels).sampling_strategy_ == added

    @pytest.mark.parametrize(("ratio", "n_added"), [(1, 80), (0.5, 30), (0.29, 9), (0.2, 0)])
    def test_ratio_of_two_classes(self, frozen, ratio, n_added):
        labels = np.where(np.arange(120) < 100, "many", "few")
        sampler = LatentResampler(frozen, sampling_strategy=ratio).fit(X, labels)
        assert sampler.sampling_strategy_ == {"few": n_added}

    @pytest.mark.parametrize(
        ("strategy", "labels", "error", "message"),
        [
            ("majority", y, ValueError, "'sampling_strategy' parameter of LatentResampler must be"),
            (1.5, y, ValueError, "'sampling_strategy' parameter of LatentResampler must be"),
            (0.5, y, ValueError, "may be a float for 2 classes only; y holds 3. Got 0.5"),
            (0.1, y == 2, ValueError, "must be at least 0.2, .* Got 0.1"),
            ({3: 60}, y, ValueError, r"must be classes of y, which are \[0, 1, 2\]. Got 3."),
            ({2: 10}, y, ValueError, "an int of at least 20 for class 2, .* Got 10"),
            ({2: 60.5}, y, ValueError, "an int of at least 20 for class 2, .* Got 60.5"),
            (len, y, TypeError, "must return a dict .* It returned 120"),
            ("auto", y * 0, ValueError, "y must hold 2 classes or more. All are 0"),
            ("auto", X[:, 0], ValueError, "Unknown label type: continuous"),
            ("auto", y[:-1], ValueError, "inconsistent numbers of samples"),
            ("auto", np.ones((120, 2), dtype=int), ValueError, "not one-hot"),
            ("auto", np.where(y == 0, np.nan, y), ValueError, "NaN"),
            ("auto", None, ValueError, "requires y to be passed"),
        ],
    )
    def test_what_is_wrong_is_said(self, frozen, strategy, labels, error, message):
        sampler = LatentResampler(frozen, sampling_strategy=strategy)
        for method in (sampler.fit, sampler.fit_resample):
            with pytest.raises(error, match=message):
                method(X, labels)

    def test_nothing_is_fitted_where_nothing_is_added(self):
        rows, labels = LatentResampler(VAETransformer(max_epochs=10**9)).fit_resample(
            X[:100], y[:100]
        )
        np.testing.assert_array_equal(rows, X[:100])
        np.testing.assert_array_equal(labels, y[:100])
        assert rows is not X


class TestRows:
    """What the new rows are."""

    @pytest.mark.parametrize("kind", ["interpolation", "draws"])
    def test_rows_that_were_there_come_first_and_are_the_same(self, kind):
        rows, labels = quick(kind=kind).fit_resample(X, y)
        np.testing.assert_array_equal(rows[:120], X)
        np.testing.assert_array_equal(labels, np.r_[y, np.full(30, 2)])

    def test_they_are_between_neighbours_of_their_class(self, frozen):
        sampler = LatentResampler(frozen, n_neighbors=3, random_state=0)
        added, _ = new_of(sampler, X, y)
        own = X[y == 2]
        distances = np.linalg.norm(own[:, None] - own, axis=2)
        pairs = [(i, j) for i in range(20) for j in np.argsort(distances[i])[1:4]]
        start = np.array([own[i] for i, _ in pairs])
        way = np.array([own[j] - own[i] for i, j in pairs])
        shares = ((added[:, None] - start) * way).sum(2) / (way**2).sum(1)
        off = np.linalg.norm(added[:, None] - start - shares[..., None].clip(0, 1) * way, axis=2)
        assert off.min(1).max() < 1e-3
        # They are new ones: at the ends of no pair, and not all the same way along.
        nearest = np.linalg.norm(added[:, None] - own, axis=2).min(1)
        assert (nearest > 1e-3).mean() > 0.9

    def test_all_neighbours_are_taken_of_a_small_class(self, frozen):
        labels = np.where(np.arange(120) < 2, "few", "many")
        added, _ = new_of(LatentResampler(frozen, random_state=0), X, labels)
        low, high = X[:2].min(0), X[:2].max(0)
        assert len(added) == 116
        assert (added >= low - 1e-3).all()
        assert (added <= high + 1e-3).all()
        np.testing.assert_allclose(added.mean(0), X[:2].mean(0), atol=0.05)

    def test_a_single_row_is_copied_and_the_user_is_told(self, frozen):
        labels = np.where(np.arange(120) < 1, "one", "many")
        with pytest.warns(UserWarning, match=r"single row .* copies: \['one'\]"):
            added, _ = new_of(LatentResampler(frozen), X, labels)
        np.testing.assert_array_equal(added, np.tile(X[:1], (118, 1)))

    def test_draws_have_the_distribution_of_the_class(self):
        rng = np.random.default_rng(0)
        labels = np.repeat([0, 1], [400, 200])
        rows = rng.normal(size=(600, 2)) + 6 * labels[:, None]
        sampler = LatentResampler(VAETransformer(max_epochs=60), kind="draws", random_state=0)
        added, _ = new_of(sampler, rows, labels)
        np.testing.assert_allclose(added.mean(0), rows[400:].mean(0), atol=0.5)
        np.testing.assert_allclose(added.std(0), rows[400:].std(0), atol=0.4)

    def test_a_density_of_one_row_is_refused(self):
        labels = np.where(np.arange(120) < 1, "one", "many")
        with pytest.raises(ValueError, match=r"a single one: \['one'\]"):
            quick(kind="draws").fit_resample(X, labels)

    @pytest.mark.parametrize("kind", ["interpolation", "draws"])
    def test_same_seed_same_rows(self, kind):
        first, again, other = (
            quick(kind=kind, random_state=seed).fit_resample(X, y)[0] for seed in (0, 0, 1)
        )
        np.testing.assert_array_equal(first, again)
        assert (first[120:] != other[120:]).any()

    @pytest.mark.parametrize("kind", ["interpolation", "draws"])
    def test_frozen_autoencoders_are_left_as_they_are(self, kind):
        fitted = VAETransformer(max_epochs=2, random_state=0).fit(X)
        before = fitted.transform(X)
        sampler = LatentResampler(FrozenEstimator(fitted), kind=kind, random_state=0)
        assert new_of(sampler, X, y)[0].shape == (30, 4)
        np.testing.assert_array_equal(fitted.transform(X), before)

    def test_default_is_a_variational_autoencoder(self, monkeypatch):
        made = []

        def fit(self, X, y=None, sample_weight=None):
            made.append(self.get_params()["random_state"])
            raise KeyboardInterrupt

        monkeypatch.setattr(VAETransformer, "fit", fit)
        with pytest.raises(KeyboardInterrupt):
            LatentResampler(random_state=0).fit_resample(X, y)
        assert made == [np.random.RandomState(0).randint(2**31)]

    def test_other_autoencoders_are_refused(self):
        with pytest.raises(TypeError, match="must be an autoencoder of skae"):
            LatentResampler(FrozenEstimator(PCA().fit(X))).fit_resample(X, y)
        with pytest.raises(NotFittedError):
            LatentResampler(FrozenEstimator(DenoisingAE())).fit_resample(X, y)
        with pytest.raises(ValueError, match="'autoencoder' parameter of LatentResampler must be"):
            LatentResampler(PCA()).fit_resample(X, y)


class TestContainers:
    """Rows and labels leave in what they came in."""

    @pytest.mark.parametrize("kind", ["interpolation", "draws"])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8])
    def test_arrays(self, kind, dtype):
        rows = np.round(10 * X).astype(dtype)
        found, _ = quick(kind=kind).fit_resample(rows, y)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found[:120], rows)
        assert found[120:].min() >= 0
        assert found[120:].max() < 150

    @pytest.mark.parametrize("make", [sparse.csr_array, sparse.csr_matrix, sparse.csc_array])
    def test_sparse_rows(self, frozen, make):
        rows = make(np.where(X > 2, X, 0).astype(np.float32))
        found, _ = LatentResampler(frozen, random_state=0).fit_resample(rows, y)
        dense, _ = LatentResampler(frozen, random_state=0).fit_resample(rows.toarray(), y)
        assert type(found) is type(rows)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found.toarray(), dense, rtol=1e-5)

    def test_lists(self, frozen):
        rows, labels = LatentResampler(frozen).fit_resample(X.tolist(), y.tolist())
        assert isinstance(rows, list)
        assert isinstance(labels, list)
        assert rows[:120] == X.tolist()
        assert labels == [*y.tolist(), *[2] * 30]

    def test_tensors(self, frozen):
        rows = torch.from_numpy(X).float()
        found, _ = LatentResampler(frozen).fit_resample(rows, y)
        assert found.dtype == torch.float32
        assert found.shape == (150, 4)

    @pytest.mark.parametrize("kind", ["interpolation", "draws"])
    def test_tables_with_labels_and_holes(self, shop, kind):
        frame, labels = shop
        frame = frame.set_axis(np.arange(len(frame)) * 2)
        labels.index = frame.index
        sampler = quick(kind=kind)
        found, found_labels = sampler.fit_resample(frame, labels)
        assert set(Counter(found_labels).values()) == {max(Counter(labels).values())}
        assert found.dtypes.equals(frame.dtypes)
        assert found.index.equals(pd.RangeIndex(len(found)))
        assert found_labels.index.equals(found.index)
        assert found_labels.name == "kind"
        pd.testing.assert_frame_equal(found[: len(frame)], frame.reset_index(drop=True))
        assert sampler.n_features_in_ == 5
        assert sampler.feature_names_in_.tolist() == [*frame]
        assert sampler.get_feature_names_out().tolist() == [*frame]

    def test_missing_cells_stay_missing(self):
        rows = X.copy()
        rows[y == 2, 1] = np.nan
        added, _ = new_of(quick(), rows, y)
        np.testing.assert_array_equal(
            np.isnan(added), np.tile([False, True, False, False], (30, 1))
        )

    @pytest.mark.parametrize("library", ["pandas", "polars", "objects"])
    def test_numbers_and_times_stay_in_the_range_of_their_class(self, shop, library):
        frame, labels = shop
        frame = frame.assign(delay=pd.to_timedelta(frame["seats"], unit="D"), empty=np.nan)
        rows, autoencoder = frame, VAETransformer(max_epochs=2)
        if library == "polars":
            rows = pl.from_pandas(frame)
        if library == "objects":
            frame = frame[["price", "seats", "extras"]]
            rows, autoencoder = frame.to_numpy(dtype=object), clone(autoencoder)
            autoencoder.set_params(categorical_features=[1])
        found, found_labels = LatentResampler(autoencoder, random_state=0).fit_resample(
            rows, labels
        )
        found = found.to_pandas() if library == "polars" else pd.DataFrame(found)
        found.columns = frame.columns
        for name in frame.columns.drop(["electric", "empty"], errors="ignore"):
            own = frame[name].groupby(labels.to_numpy())
            new = found[name].infer_objects().groupby(found_labels.to_numpy())
            assert (new.min() >= own.min()).all(), name
            assert (new.max() <= own.max()).all(), name

    @pytest.mark.parametrize("kind", ["interpolation", "draws"])
    def test_frames_of_polars(self, shop, kind):
        frame, labels = pl.from_pandas(shop[0]), pl.from_pandas(shop[1])
        found, found_labels = quick(kind=kind).fit_resample(frame, labels)
        assert found.schema == frame.schema
        assert found[: len(frame)].equals(frame)
        assert isinstance(found_labels, pl.Series)
        assert len(found) == len(found_labels) > len(frame)

    def test_categories(self, shop):
        frame = shop[0].assign(colour=pd.Categorical(np.resize(["red", "blue"], len(shop[0]))))
        found, labels = quick().fit_resample(frame, shop[1].astype("category"))
        assert found.dtypes.equals(frame.dtypes)
        assert labels.dtype == shop[1].astype("category").dtype

    def test_an_autoencoder_of_frames_adds_rows_to_arrays_and_the_reverse(self):
        names = list("abcd")
        frame = pd.DataFrame(X, columns=names)
        of_frame = VAETransformer(max_epochs=2, random_state=0).fit(frame)
        of_array = VAETransformer(max_epochs=2, random_state=0).fit(X)
        for kind in ("interpolation", "draws"):
            sampler = LatentResampler(FrozenEstimator(of_frame), kind=kind, random_state=0)
            with pytest.warns(UserWarning, match="X does not have valid feature names"):
                found, _ = sampler.fit_resample(X, y)
            assert isinstance(found, np.ndarray)
            sampler = LatentResampler(FrozenEstimator(of_array), kind=kind, random_state=0)
            with pytest.warns(UserWarning, match="X has feature names"):
                found, _ = sampler.fit_resample(frame, y)
            assert found.dtypes.equals(frame.dtypes)

    def test_one_hot_labels(self, frozen):
        one_hot = np.eye(3, dtype=np.int8)[y]
        sampler = LatentResampler(frozen, random_state=0)
        rows, labels = sampler.fit_resample(X, one_hot)
        expected_rows, expected = sampler.fit_resample(X, y)
        np.testing.assert_array_equal(rows, expected_rows)
        np.testing.assert_array_equal(labels, np.eye(3)[expected])
        assert labels.dtype == np.int8

    def test_frames_of_labels(self, frozen):
        frame = pd.DataFrame({"kind": y}, index=np.arange(120) + 7)
        _, labels = LatentResampler(frozen).fit_resample(X, frame)
        assert labels.shape == (150, 1)
        assert labels.index.equals(pd.RangeIndex(150))
        assert (labels["kind"][120:] == 2).all()


def imblearn_checks():
    """Return the mark of the checks of imbalanced-learn, or one that skips without it."""
    try:
        from imblearn.utils.estimator_checks import parametrize_with_checks
    except ImportError:
        return pytest.mark.skip(reason="needs imbalanced-learn")
    mark = parametrize_with_checks([quick(), quick(kind="draws")])
    names, checks = mark.args
    return pytest.mark.parametrize(names, list(checks), **mark.kwargs)


@imblearn_checks()
def test_imblearn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "name", ["check_param_validation", "check_dataframe_column_names_consistency"]
)
def test_imblearn_house_check(name):
    checks = pytest.importorskip("imblearn.utils.estimator_checks")
    getattr(checks, name)("LatentResampler", quick())


def test_it_is_a_step_of_a_pipeline_of_imblearn(frozen):
    pipelines = pytest.importorskip("imblearn.pipeline")
    pipeline = pipelines.make_pipeline(
        LatentResampler(frozen, random_state=0), LogisticRegression(max_iter=1000)
    )
    pipeline.fit(X, y)
    rows, labels = LatentResampler(frozen, random_state=0).fit_resample(X, y)
    alone = LogisticRegression(max_iter=1000).fit(rows, labels)
    np.testing.assert_allclose(pipeline.predict_proba(X), alone.predict_proba(X))
