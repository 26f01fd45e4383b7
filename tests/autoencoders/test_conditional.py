"""Rows given labels, numbers or frames of conditions."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from helpers import make_rows, rows_of_a_shop
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, Ridge

from skae import ConditionalVAE, VAETransformer
from skae.tables import remembered

X, y = load_digits(return_X_y=True)
TRAIN, TEST = slice(1300), slice(1300, None)


@pytest.fixture(scope="module")
def classifier():
    return LogisticRegression(max_iter=3000).fit(X[TRAIN] / 16, y[TRAIN])


@pytest.fixture(scope="module")
def digits():
    return ConditionalVAE(8, random_state=0).fit(X[TRAIN], y[TRAIN])


@pytest.fixture(scope="module")
def shop():
    frame = rows_of_a_shop()
    return frame.drop(columns=["kind", "price"]), frame[["kind", "price"]]


def quick(**parameters):
    return ConditionalVAE(**{"n_components": 3, "max_epochs": 5, "random_state": 0} | parameters)


class TestLabels:
    """A digit of the class that is asked for."""

    def test_samples_are_of_the_class(self, digits, classifier):
        asked = np.arange(500) % 10
        drawn = digits.sample(500, y=asked, random_state=0, noise=False)
        assert (classifier.predict(drawn / 16) == asked).mean() > 0.95
        sevens = digits.sample(100, y=7, random_state=0)
        assert (classifier.predict(sevens / 16) == 7).mean() > 0.9
        assert len(np.unique(sevens, axis=0)) == 100

    def test_classes_have_their_shares_where_none_is_asked_for(self, classifier):
        rare = np.flatnonzero((y < 2) & ((y == 0) | (np.arange(len(y)) % 5 == 0)))
        density = ConditionalVAE(8, random_state=0, max_epochs=60).fit(X[rare], y[rare])
        drawn = density.sample(1000, random_state=0, noise=False)
        share = (classifier.predict(drawn / 16) == 1).mean()
        assert share == pytest.approx((y[rare] == 1).mean(), abs=0.06)

    def test_the_condition_makes_rows_more_likely(self, digits):
        right, unknown = digits.score(X[TEST], y[TEST]), digits.score(X[TEST])
        wrong = digits.score(X[TEST], (y[TEST] + 1) % 10)
        assert right > unknown > wrong
        plain = VAETransformer(8, random_state=0).fit(X[TRAIN]).score(X[TEST])
        assert right > plain
        assert unknown > plain - 10

    def test_codes_say_what_the_condition_does_not(self, digits, classifier):
        codes = digits.transform(X[TEST], y[TEST])
        plain = VAETransformer(8, random_state=0).fit(X[TRAIN])
        known, told = (
            LogisticRegression(max_iter=3000)
            .fit(own[:250], y[TEST][:250])
            .score(own[250:], y[TEST][250:])
            for own in (codes, plain.transform(X[TEST]))
        )
        assert known < told - 0.1
        own, other = (digits.inverse_transform(codes, each) for each in (y[TEST], 0))
        assert (classifier.predict(own / 16) == y[TEST]).mean() > 0.9
        assert (classifier.predict(other / 16) == 0).mean() > 0.3
        np.testing.assert_allclose(digits.reconstruct(X[TEST], y[TEST]), own, atol=1e-3)

    def test_batches_are_beside_their_own_conditions(self, digits):
        many = np.tile(X[TEST], (40, 1))
        labels = np.tile(y[TEST], 40)
        scores = digits.score_samples(many, labels)
        np.testing.assert_allclose(scores[-497:], digits.score_samples(X[TEST], y[TEST]), rtol=1e-4)

    @pytest.mark.parametrize(
        "labels",
        [
            y[:300].astype(float),
            y[:300].astype(str),
            y[:300].tolist(),
            pd.Series(y[:300], index=np.arange(300) * 2),
            pd.Series(y[:300].astype(str)).astype("category"),
            pl.Series(y[:300]),
            torch.from_numpy(y[:300]),
            y[:300, None],
            y[:300] > 4,
        ],
        ids=lambda labels: f"{type(labels).__name__} {getattr(labels, 'dtype', '')}",
    )
    def test_containers(self, labels):
        density = quick(max_epochs=30).fit(X[:300], labels)
        label = labels[0].item() if hasattr(labels[0], "item") else labels[0]
        label = label[0] if np.ndim(label) else label
        assert density.sample(3, y=label).shape == (3, 64)
        one, many = density.score_samples(X[:1], label), density.score_samples(X[:300], labels)
        np.testing.assert_allclose(one, many[:1], rtol=1e-4)
        assert (many != density.score_samples(X[:300])).any()

    def test_unlabelled_rows(self):
        some = np.where(np.arange(300) % 2, y[:300], -1)
        density = quick().fit(X[:300], some)
        np.testing.assert_array_equal(
            density.score_samples(X[:300], np.full(300, -1)), density.score_samples(X[:300])
        )
        words = np.where(np.arange(300) % 2, y[:300].astype(str), None)
        assert quick().fit(X[:300], words).sample(2, y="3").shape == (2, 64)

    @pytest.mark.parametrize("parameters", [{"image_shape": (8, 8)}, {"skip_connections": True}])
    def test_other_networks(self, parameters):
        density = quick(**parameters).fit(X[:300], y[:300])
        assert density.sample(3, y=1).shape == (3, 64)

    @pytest.mark.parametrize("prior", ["gmm", "normal", "posterior"])
    def test_priors(self, prior):
        density = quick(prior=prior).fit(X[:600], y[:600])
        assert np.isfinite(density.sample(50, y=4, random_state=0)).all()
        first, second = (density.sample(50, y=4, random_state=0) for _ in range(2))
        np.testing.assert_array_equal(first, second)

    def test_the_sphere(self):
        density = quick(latent_distribution="von_mises_fisher").fit(X[:300], y[:300])
        assert np.isfinite(density.sample(5, y=2)).all()


class TestNumbersAndFrames:
    """Conditions of any kind."""

    def test_a_number(self):
        rows = make_rows(600)
        t, others = rows[:, 0], rows[:, 1:]
        density = ConditionalVAE(2, random_state=0).fit(others, t)
        asked = np.random.default_rng(0).uniform(-1.5, 1.5, 400)
        drawn = density.sample(400, y=asked, random_state=0)
        found = Ridge().fit(others, t).predict(drawn)
        assert np.corrcoef(found, asked)[0, 1] > 0.95
        assert abs(found - asked).mean() < 0.25

    def test_frames_beside_tables(self, shop):
        frame, conditions = shop
        density = ConditionalVAE(max_epochs=60, random_state=0).fit(frame, conditions)
        drawn = [
            density.sample(200, y={"kind": kind, "price": price}, random_state=0)
            for kind, price in (("bike", 12.0), ("van", 30.0))
        ]
        assert drawn[0].dtypes.equals(frame.dtypes)
        assert drawn[1]["seats"].mean() > drawn[0]["seats"].mean() + 2
        assert np.isfinite(density.score_samples(frame, conditions)).all()
        assert density.score(frame, conditions) > density.score(frame)
        whole = density.sample(random_state=0, n_samples=len(frame), y=conditions)
        assert len(whole) == len(frame)
        as_polars = pl.from_pandas(conditions)
        np.testing.assert_allclose(
            density.score_samples(frame, as_polars), density.score_samples(frame, conditions)
        )

    def test_what_is_held_of_conditions_is_listed(self, shop):
        density = quick().fit(*shop)
        assert remembered(density)["column"].isin(["kind", "price"]).any()


class TestMessages:
    """What is wrong with conditions is said."""

    def test_labels_that_fit_did_not_see(self, digits):
        with pytest.raises(ValueError, match="y holds 11, which fit did not see"):
            digits.sample(y=11)

    def test_numbers_of_rows(self, digits):
        with pytest.raises(ValueError, match=r"one for each of the 5 rows\. Got 3"):
            digits.score_samples(X[:5], y[:3])
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            quick().fit(X[:300], y[:299])

    def test_columns(self, shop):
        density = quick().fit(*shop)
        with pytest.raises(ValueError, match=r"y has not the columns \['price'\]"):
            density.sample(y={"kind": "van"})

    def test_given_and_y(self, digits):
        with pytest.raises(ValueError, match="'given' and 'y' cannot both be given"):
            digits.sample(y=1, given={0: 1.0})

    def test_without_conditions_it_is_the_plain_one(self):
        plain = VAETransformer(3, max_epochs=5, random_state=0).fit(X)
        density = quick().fit(X)
        np.testing.assert_array_equal(density.transform(X), plain.transform(X))
        np.testing.assert_array_equal(density.sample(3, 0), plain.sample(3, 0))
        with pytest.raises(ValueError, match="fit was given no conditions"):
            density.sample(y=1)


class TestLife:
    """Files, passes, weights."""

    def test_nothing_of_a_batch_is_kept(self, digits):
        chain = digits.net_.chain
        assert chain.encoder.conditions is None
        assert chain.decoder.conditions is None
        again = pickle.loads(pickle.dumps(digits))
        np.testing.assert_array_equal(
            again.sample(3, y=[1, 2, 3], random_state=0),
            digits.sample(3, y=[1, 2, 3], random_state=0),
        )

    def test_passes_and_warm_starts(self):
        density = quick().partial_fit(X[:300], y[:300]).partial_fit(X[300:600])
        assert density.sample(2, y=5).shape == (2, 64)
        again = quick(warm_start=True).fit(X[:300], y[:300]).fit(X[:300], y[:300])
        assert again.sample(2, y=5).shape == (2, 64)

    def test_weights_count(self):
        weights = (y[:600] < 3).astype(float)
        density = quick().fit(X[:600], y[:600], sample_weight=weights)
        with pytest.raises(ValueError, match="y holds 5, which fit did not see"):
            density.sample(y=5)

    def test_other_methods_take_rows_of_any_condition(self, digits):
        holes = X[:20].copy()
        holes[:, 10:20] = np.nan
        assert not np.isnan(digits.impute(holes)).any()
        assert digits.interpolate(X[0], X[1], 4).shape == (4, 64)
        assert digits.score_cells(X[:3]).shape == (3, 64)
        assert digits.sample(2, given={0: 0.0}).shape == (2, 64)
        codes = digits.encoder_(torch.from_numpy(X[:3]).float())
        np.testing.assert_allclose(codes.detach(), digits.transform(X[:3]), atol=1e-4)
