"""A density for each class, and Bayes' rule."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from helpers import rows_of_a_shop
from scipy import sparse
from scipy.stats import multivariate_normal
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.metrics import log_loss
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KernelDensity

from skae import GenerativeClassifier, VAETransformer
from skae.tables import remembered

X, y = load_iris(return_X_y=True)
GAUSSIAN = GaussianMixture(reg_covar=0.0)


def exact(density=GAUSSIAN, **parameters):
    parameters = {"temperature": 1.0, "validation_fraction": 0.0, **parameters}
    return GenerativeClassifier(density, random_state=0, **parameters)


@pytest.fixture(scope="module")
def shop():
    frame = pd.concat([rows_of_a_shop()] * 2, ignore_index=True)
    return frame.drop(columns="kind"), frame["kind"].fillna("none").to_numpy()


@pytest.fixture(scope="module")
def classifier(shop):
    return GenerativeClassifier(VAETransformer(max_epochs=60), random_state=0).fit(*shop)


@pytest.fixture(scope="module")
def clusters():
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=4000)
    return 4 * np.eye(3)[labels] + rng.normal(size=(4000, 3)), labels


class TestBayes:
    """With densities that are known."""

    def test_of_gaussians_it_is_quadratic_discriminant_analysis(self):
        found = exact().fit(X, y)
        expected = QuadraticDiscriminantAnalysis(solver="eigen").fit(X, y)
        np.testing.assert_allclose(found.predict_proba(X), expected.predict_proba(X), atol=1e-9)

    def test_of_independent_gaussians_it_is_naive_bayes(self):
        density = GaussianMixture(covariance_type="diag", reg_covar=0.0)
        found, expected = exact(density).fit(X, y), GaussianNB(var_smoothing=0.0).fit(X, y)
        np.testing.assert_allclose(found.predict_proba(X), expected.predict_proba(X), atol=1e-9)

    def test_by_hand(self):
        classifier = exact().fit(X, y)
        densities = [
            multivariate_normal(X[y == c].mean(0), np.cov(X[y == c].T, bias=True)) for c in range(3)
        ]
        joint = np.stack([each.logpdf(X) for each in densities], axis=1) + np.log(1 / 3)
        expected = np.logaddexp.reduce(joint, axis=1)
        np.testing.assert_allclose(classifier.score_samples(X), expected)
        found = classifier.predict_log_proba(X)
        np.testing.assert_allclose(found, joint - expected[:, None], atol=1e-12)

    def test_the_prior_is_counted_or_given(self):
        rows, labels = X[:110], y[:110]
        np.testing.assert_allclose(exact().fit(rows, labels).class_prior_, [5 / 11, 5 / 11, 1 / 11])
        given = exact(class_prior=[2, 1, 1]).fit(rows, labels)
        np.testing.assert_allclose(given.class_prior_, [0.5, 0.25, 0.25])
        ratio = given.predict_log_proba(rows) - exact().fit(rows, labels).predict_log_proba(rows)
        expected = np.log([0.5, 0.25, 0.25]) - np.log([5 / 11, 5 / 11, 1 / 11])
        np.testing.assert_allclose(np.diff(ratio), np.diff(np.tile(expected, (110, 1))), atol=1e-9)

    def test_a_temperature_divides_the_likelihoods(self):
        warm, cold = exact(temperature=3.0).fit(X, y), exact().fit(X, y)
        ratios = [np.diff(each.predict_log_proba(X)) for each in (warm, cold)]
        np.testing.assert_allclose(3 * ratios[0], ratios[1])

    def test_weights_count_as_repeated_rows(self):
        repeats = 1 + np.arange(150) % 3
        density = KernelDensity(bandwidth=0.5)
        weighted = exact(density).fit(X, y, sample_weight=repeats.astype(float))
        repeated = exact(density).fit(np.repeat(X, repeats, axis=0), np.repeat(y, repeats))
        np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-5)

    def test_densities_that_take_no_weights(self):
        with pytest.raises(TypeError, match="GaussianMixture, the density, takes none"):
            exact().fit(X, y, sample_weight=np.ones(150))


class TestTemperature:
    """How sure the classes are."""

    def test_it_calibrates_a_density_that_is_too_sure(self):
        rng = np.random.default_rng(0)
        labels = rng.integers(2, size=2000)
        # The same number eight times over: a density of independent columns counts it eight times.
        rows = np.tile((labels + 1.5 * rng.normal(size=2000))[:, None], 8)
        rows += 0.1 * rng.normal(size=rows.shape)
        density = GaussianMixture(covariance_type="diag")
        auto, sure = exact(density, temperature="auto", validation_fraction=0.3), exact(density)
        losses = [
            log_loss(labels[1000:], each.fit(rows[:1000], labels[:1000]).predict_proba(rows[1000:]))
            for each in (auto, sure)
        ]
        assert 5 < auto.temperature_ < 12
        assert losses[0] < 0.65 < 1 < losses[1]

    def test_it_is_one_of_a_density_that_is_right(self):
        rng = np.random.default_rng(0)
        labels = rng.integers(2, size=20_000)
        rows = rng.normal(size=(20_000, 3)) + labels[:, None]
        classifier = GenerativeClassifier(GaussianMixture(), random_state=0).fit(rows, labels)
        assert classifier.temperature_ == pytest.approx(1, abs=0.2)

    def test_an_offset_mends_a_density_that_is_worse_than_the_other(self):
        rng = np.random.default_rng(0)
        labels = rng.integers(2, size=4000)
        # One class is a cube, which a normal distribution fits badly: its likelihoods are too low.
        cube, ball = rng.uniform(-3, 3, size=(4000, 12)), 1.5 * rng.normal(size=(4000, 12))
        rows = np.where(labels[:, None] == 1, cube, ball)
        parameters = {"temperature": "auto", "validation_fraction": 0.3}
        fitted = exact(**parameters).fit(rows[:2000], labels[:2000])
        assert fitted.offsets_[0] * fitted.offsets_[1] < 0
        probability = fitted.predict_proba(rows[2000:])
        plain = exact(temperature=fitted.temperature_).fit(rows[:2000], labels[:2000])
        losses = [
            log_loss(labels[2000:], each)
            for each in (probability, plain.predict_proba(rows[2000:]))
        ]
        assert losses[0] < losses[1]

    def test_few_rows_have_no_offsets(self):
        rows, labels = load_digits(return_X_y=True)
        train, test, own, other = train_test_split(rows, labels, train_size=200, random_state=0)
        parameters = {"temperature": "auto", "validation_fraction": 0.2}
        fitted = exact(PCA(10), **parameters).fit(train, own)
        assert not fitted.offsets_.any()
        plain = exact(PCA(10)).fit(train, own).score(test, other)
        assert fitted.score(test, other) == pytest.approx(plain, abs=0.01)

    def test_without_rows_that_are_held_out_it_is_one(self):
        fitted = exact(temperature="auto").fit(X, y)
        assert fitted.temperature_ == 1
        assert not fitted.offsets_.any()


class TestRejection:
    """Rows that no class explains."""

    def test_as_many_as_asked(self, clusters):
        rows, labels = clusters
        classifier = GenerativeClassifier(GaussianMixture(), random_state=0)
        classifier.fit(rows[:2000], labels[:2000])
        for level in (0.05, 0.2):
            assert classifier.reject(rows[2000:], level).mean() == pytest.approx(level, rel=0.35)
        assert classifier.reject(rows[:50] + 20).all()
        assert classifier.p_values(rows).min() > 0

    def test_by_counting(self):
        classifier = GenerativeClassifier(GaussianMixture(), random_state=0).fit(X, y)
        scores = np.stack([each.score_samples(X) for each in classifier.densities_], axis=1)
        expected = np.max(
            [
                (1 + (own[:, None] <= scores[:, c]).sum(0)) / (1 + len(own))
                for c, own in enumerate(classifier._held_out_)
            ],
            axis=0,
        )
        np.testing.assert_allclose(classifier.p_values(X), expected)
        assert [len(own) for own in classifier._held_out_] == [10, 10, 10]

    def test_a_level_below_all_p_values_is_refused(self):
        classifier = GenerativeClassifier(GaussianMixture(), random_state=0).fit(X, y)
        with pytest.raises(ValueError, match=r"level=0\.05 is below the smallest p-value, 1 / 11"):
            classifier.reject(X)
        assert classifier.reject(X + 10, level=0.1).all()

    def test_it_needs_rows_that_were_held_out(self):
        with pytest.raises(ValueError, match="There are no p-values, since no rows were held out"):
            exact().fit(X, y).reject(X)

    @pytest.mark.parametrize("level", [0.0, 1.0, -0.1])
    def test_bad_levels(self, level):
        classifier = GenerativeClassifier(GaussianMixture(), random_state=0).fit(X, y)
        with pytest.raises(ValueError, match="level"):
            classifier.reject(X, level)


class TestSamples:
    """Rows of the classes."""

    def test_of_classes_as_asked(self):
        classifier = exact().fit(X, y)
        asked = np.array([2, 0, 0, 1])
        rows, labels = classifier.sample(y=asked, random_state=0, return_y=True)
        np.testing.assert_array_equal(labels, asked)
        np.testing.assert_array_equal(classifier.predict(rows), asked)
        assert classifier.sample(5, y=1, random_state=0).shape == (5, 4)

    def test_of_classes_by_their_prior(self):
        classifier = exact(class_prior=[8, 1, 1]).fit(X, y)
        rows, labels = classifier.sample(2000, random_state=0, return_y=True)
        assert (labels == 0).mean() == pytest.approx(0.8, abs=0.04)
        for c in range(3):
            np.testing.assert_allclose(rows[labels == c].mean(0), X[y == c].mean(0), atol=0.3)

    def test_they_repeat_themselves(self):
        classifier = exact().fit(X, y)
        first, second, third = (classifier.sample(9, random_state=s) for s in (0, 0, 1))
        np.testing.assert_array_equal(first, second)
        assert not np.array_equal(first, third)

    @pytest.mark.parametrize("asked", [7, [0, 7]])
    def test_unknown_classes(self, asked):
        with pytest.raises(ValueError, match=r"y holds .*7.*, which is none of the classes"):
            exact().fit(X, y).sample(2, y=asked)


class TestAutoencoders:
    """The default density."""

    def test_tables_with_holes(self, classifier, shop):
        frame, labels = shop
        assert classifier.score(frame, labels) > 0.7
        assert np.isfinite(classifier.score_samples(frame)).all()
        rows, drawn = classifier.sample(50, random_state=0, return_y=True)
        assert rows.dtypes.equals(frame.dtypes)
        assert rows.index.equals(pd.RangeIndex(50))
        means = rows.groupby(drawn)["price"].mean()
        assert means["bike"] < means["car"] < means["van"]

    def test_all_classes_have_the_same_columns(self, classifier):
        for column in zip(*(each.columns_.scores for each in classifier.densities_), strict=True):
            for scores in column[1:]:
                np.testing.assert_array_equal(scores.edges, column[0].edges)
        assert len({repr(each.schema_) for each in classifier.densities_}) == 1

    def test_frames_of_polars(self, shop):
        frame, labels = shop
        density = VAETransformer(max_epochs=3)
        classifier = GenerativeClassifier(density, validation_fraction=0.0, random_state=0)
        classifier.fit(pl.from_pandas(frame), labels)
        assert isinstance(classifier.sample(6, random_state=0), pl.DataFrame)
        assert classifier.predict(pl.from_pandas(frame)).shape == (600,)

    def test_digits(self):
        rows, labels = load_digits(return_X_y=True)
        train, test, own, other = train_test_split(rows, labels, random_state=0, stratify=labels)
        density = VAETransformer(16, max_epochs=100, n_draws=10)
        classifier = GenerativeClassifier(density, random_state=0).fit(train, own)
        assert classifier.score(test, other) > 0.96
        assert log_loss(other, classifier.predict_proba(test)) < 0.15
        noise = np.random.default_rng(0).uniform(0, 16, size=(100, 64))
        assert classifier.reject(noise).all()
        assert classifier.reject(test).mean() < 0.1

    def test_what_is_remembered(self, classifier):
        found = remembered(classifier)
        assert set(found["column"]) >= {"price", "electric"}
        assert found.loc[found["column"] == "", "n"].sum() == 600

    def test_pickles_say_the_same(self, classifier, shop):
        again = pickle.loads(pickle.dumps(classifier))
        np.testing.assert_array_equal(
            again.predict_proba(shop[0]), classifier.predict_proba(shop[0])
        )

    def test_the_density_is_cloned(self, shop):
        density = VAETransformer(max_epochs=2)
        GenerativeClassifier(density, validation_fraction=0.0).fit(X, y)
        assert not hasattr(density, "net_")
        assert density.max_epochs == 2


class TestInput:
    """What goes in."""

    def test_other_densities(self):
        class Nearest(BaseEstimator):
            def fit(self, X):
                self.mean_ = np.mean(X, axis=0)
                return self

            def score_samples(self, X):
                return -np.linalg.norm(X - self.mean_, axis=1)

        assert exact(Nearest()).fit(X, y).score(X, y) > 0.9
        assert exact(PCA(2)).fit(X, y).score(X, y) > 0.9

    def test_labels_of_text(self):
        names = np.array(["setosa", "versicolor", "virginica"])[y]
        classifier = exact().fit(X, names)
        assert classifier.score(X, names) > 0.95
        assert list(classifier.classes_) == sorted(set(names))

    def test_sparse_rows(self):
        rows = sparse.csr_array(np.where(X > 1, X, 0))
        density = VAETransformer(2, max_epochs=2)
        classifier = GenerativeClassifier(density, validation_fraction=0.0).fit(rows, y)
        assert classifier.predict(rows).shape == (150,)

    def test_rows_that_are_impossible_in_all_classes(self):
        class Uniform(BaseEstimator):
            def fit(self, X):
                self.low_, self.high_ = X.min(0), X.max(0)
                return self

            def score_samples(self, X):
                inside = ((self.low_ <= X) & (self.high_ >= X)).all(1)
                return np.where(inside, 0.0, -np.inf)

        classifier = exact(Uniform()).fit(X, y)
        np.testing.assert_allclose(classifier.predict_proba(X[:2] + 100), 1 / 3)
        assert np.isneginf(classifier.score_samples(X[:2] + 100)).all()

    def test_a_class_that_is_too_small_is_named(self):
        labels = np.r_[y[:149], 3]
        with pytest.raises(
            ValueError,
            match="density of class 3 could not be fitted to its rows, of which it has 1",
        ):
            exact(GaussianMixture(2)).fit(X, labels)

    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({"density": "gaussian"}, "The 'density' parameter"),
            ({"class_prior": [1, 2]}, "must hold 3 numbers above 0"),
            ({"class_prior": [1, 2, 0]}, "must hold 3 numbers above 0"),
            ({"temperature": 0}, "The 'temperature' parameter"),
            ({"validation_fraction": 0.7}, "The 'validation_fraction' parameter"),
        ],
    )
    def test_bad_parameters(self, parameters, message):
        with pytest.raises(ValueError, match=message):
            clone(exact()).set_params(**parameters).fit(X, y)

    def test_a_fit_that_fails_leaves_the_one_before(self):
        classifier = exact().fit(X, y)
        before = classifier.predict_proba(X)
        with pytest.raises(ValueError, match="could not be fitted"):
            classifier.fit(X, np.arange(150) // 149)
        np.testing.assert_array_equal(classifier.predict_proba(X), before)
