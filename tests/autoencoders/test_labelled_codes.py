"""Codes of classes in parts of a law."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import rows_of_a_shop
from scipy.stats import kstest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import AdversarialAE
from skae.nn.laws import LAWS, Sampled
from skae.nn.matching import MATCHINGS, discrepancy, sliced_distance

X, y = load_digits(return_X_y=True)
FIVE = y < 5
X, y = X[FIVE], y[FIVE]


def make(**parameters):
    given = {"n_components": 2, "max_epochs": 60, "random_state": 0, "supervised": True}
    return AdversarialAE(**given | {"latent_distribution": "mixture"} | parameters)


def petal(fitted, codes, n_parts=5):
    """Return the class whose petal has its middle next to each code."""
    angles = 2 * np.pi * fitted._module.penalty.law.place.numpy() / n_parts
    middles = 1.5 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return ((codes[:, None, :2] - middles) ** 2).sum(2).argmin(1)


class TestLaws:
    """Parts of laws."""

    @pytest.mark.parametrize("name", LAWS)
    def test_parts_make_up_the_whole(self, name):
        torch.manual_seed(0)
        whole, parted = LAWS[name](2), LAWS[name](2, torch.full((10,), 0.1))
        first, second = (law.draw(torch.empty(4000, 2)) for law in (whole, parted))
        assert float(sliced_distance(first, second)) < 0.01
        lone = [parted.draw(torch.empty(500, 2), torch.full((500,), k)) for k in range(10)]
        assert max(float(each.std(0).min()) for each in lone) < 0.8

    def test_stretches_of_one_normal_unit(self):
        torch.manual_seed(0)
        law = LAWS["normal"](1, torch.tensor([0.5, 0.5]))
        codes = law.draw(torch.empty(3000, 1))
        assert kstest(codes[:, 0].numpy(), "norm").pvalue > 1e-3
        assert law.draw(torch.empty(100, 1), torch.zeros(100).long()).max() <= 0

    def test_shares(self):
        torch.manual_seed(0)
        law = LAWS["mixture"](2, torch.tensor([3.0, 1.0]))
        assert (law.draw(torch.empty(4000, 2))[:, 0] > 0).float().mean() == pytest.approx(
            0.75, abs=0.03
        )

    def test_classes_have_the_parts_near_their_codes(self):
        torch.manual_seed(0)
        law = LAWS["uniform"](1, torch.ones(3))
        law.place_near(torch.tensor([[1.0], [-1.0], [0.0]]))
        assert law.place.tolist() == [2, 0, 1]
        assert law.draw(torch.empty(100, 1), torch.zeros(100).long()).min() > 0.5

    def test_groups_of_a_sample(self):
        torch.manual_seed(0)
        codes, groups = torch.arange(6.0)[:, None], torch.tensor([0, 1, 2, 0, 1, 0])
        law = Sampled(codes, torch.ones(3), groups)
        for part, members in enumerate([{0.0, 3.0, 5.0}, {1.0, 4.0}, {2.0}]):
            found = law.draw(torch.empty(200, 1), torch.full((200,), part))
            assert set(found[:, 0].tolist()) == members


class TestDistances:
    """Distances of pairs of code and part."""

    def test_other_parts_are_not_compared(self):
        torch.manual_seed(0)
        z = torch.randn(400, 2)
        parts = torch.arange(400) % 2
        moved = z + 10 * (parts[:, None] == 1)
        swapped = z + 10 * (parts[:, None] == 0)
        kernel = lambda d: 1 / (1 + d)  # noqa: E731
        for distance in (sliced_distance, lambda a, b, p: discrepancy(a, b, kernel, p)):
            same, other = (float(distance(moved, each, parts)) for each in (moved, swapped))
            assert abs(same) < 0.02 * other


@pytest.mark.parametrize("matching", MATCHINGS)
def test_classes_have_their_parts(matching):
    strength = 100 if matching == "discriminator" else "auto"
    fitted = make(matching=matching, strength=strength).fit(X, y)
    codes = fitted.transform(X)
    assert (petal(fitted, codes) == y).mean() > 0.9
    assert list(fitted.classes_) == [0, 1, 2, 3, 4]
    assert fitted.law_distance_ < 6 * fitted.law_distance_of_itself_


def test_few_labels_pull_the_others():
    few = np.where(np.arange(len(y)) % 10 == 0, y, -1)
    fitted = make(strength=1000).fit(X, few)
    codes = fitted.transform(X)
    assert (petal(fitted, codes) == y).mean() > 0.7
    same = make(max_epochs=3).fit(X, np.where(few < 0, np.nan, few.astype(float))).transform(X)
    np.testing.assert_array_equal(make(max_epochs=3).fit(X, few).transform(X), same)


@pytest.mark.parametrize("prior", ["law", "gmm"])
def test_samples_of_a_class(prior):
    train, _, own, _ = train_test_split(X, y, random_state=0)
    fitted = make(n_components=6, prior=prior).fit(train, own)
    judge = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(X, y)
    asked = np.arange(500) % 5
    drawn = fitted.sample(500, 0, y=asked)
    assert (judge.predict(drawn) == asked).mean() > (0.8 if prior == "law" else 0.85)
    np.testing.assert_array_equal(drawn, fitted.sample(500, 0, y=asked))
    assert (judge.predict(fitted.sample(100, 0, y=3, noise=False)) == 3).mean() > 0.75
    shares = np.bincount(judge.predict(fitted.sample(1000, 0)), minlength=5) / 1000
    np.testing.assert_allclose(shares, 0.2, atol=0.15)


@pytest.mark.parametrize("law", ["normal", "uniform", "swiss_roll"])
def test_parts_of_other_laws_tell_classes(law):
    fitted = make(latent_distribution=law, strength=1000).fit(X, y)
    codes = fitted.transform(X)
    assert KNeighborsClassifier().fit(codes, y).score(codes, y) > 0.8
    if law == "uniform":
        place = (codes[:, 0] / np.sqrt(3) + 1) / 2 * 5
        own = fitted._module.penalty.law.place.numpy()[y]
        assert (np.abs(place - own - 0.5) < 0.6).mean() > 0.8


def test_groups_of_a_density():
    points = np.repeat(np.array([[-3.0, 0], [3, 0], [0, 3], [0, -3], [0, 0]]), 50, axis=0)
    law = GaussianMixture(5, random_state=0).fit(
        points + np.random.default_rng(0).normal(size=points.shape) / 5
    )
    fitted = make(latent_distribution=law).fit(X, y)
    codes = fitted.transform(X)
    middles = np.stack([codes[y == k].mean(0) for k in range(5)])
    assert np.linalg.norm(middles[:, None] - middles, axis=2)[np.triu_indices(5, 1)].min() > 1.5


def test_text_labels_tables_streams_and_pickles():
    frame = rows_of_a_shop()
    labels = pd.Series(np.where(frame.index % 2, "odd", "even"))
    fitted = make(n_components=3, max_epochs=5, warm_start=True).fit(frame, labels)
    assert list(fitted.classes_) == ["even", "odd"]
    drawn = pickle.loads(pickle.dumps(fitted)).sample(4, 0, y="odd")
    assert drawn.equals(fitted.sample(4, 0, y=["odd"] * 4))
    assert fitted.impute(frame).shape == frame.shape
    assert np.isfinite(fitted.partial_fit(frame, labels).score_samples(frame)).all()
    assert np.isfinite(fitted.fit(frame, labels).transform(frame)).all()
    weighted = make(n_components=3, max_epochs=2).fit(frame, labels, np.arange(len(frame)) % 3)
    assert np.isfinite(weighted.transform(frame)).all()


def test_without_supervision_labels_are_ignored():
    plain = [make(supervised=False, max_epochs=3).fit(X, each).transform(X) for each in (None, y)]
    np.testing.assert_array_equal(*plain)


def test_the_accuracy_of_the_discriminator_by_epoch():
    fitted = make(matching="discriminator", max_epochs=8).fit(X, y)
    assert len(fitted.discriminator_accuracy_curve_) == fitted.n_iter_
    assert all(0.3 < each <= 1 for each in fitted.discriminator_accuracy_curve_)
    assert make(max_epochs=2).fit(X, y).discriminator_accuracy_curve_ is None


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, r"'supervised' parameter is True, so fit needs y\. Got None"),
        (np.zeros(len(X), dtype=int), r"at least 2 classes\. Got \[0\]"),
        (np.linspace(0, 1, len(X)), "must hold labels. Got the number"),
        (y[:-1], "inconsistent numbers of samples"),
        (
            np.array(["a", 1] * (len(X) // 2) + ["a"] * (len(X) % 2), dtype=object),
            "labels of one type",
        ),
        (np.c_[y, y], "must be a column of labels. Got 2 columns"),
    ],
)
def test_bad_labels(labels, message):
    with pytest.raises(ValueError, match=message):
        make().fit(X, labels)


def test_bad_requests():
    fitted = make(max_epochs=2).fit(X, y)
    with pytest.raises(ValueError, match=r"y holds 7, which fit did not see\. It saw 0, 1"):
        fitted.sample(3, y=7)
    with pytest.raises(ValueError, match=r"one for each of the 3 rows\. Got 2"):
        fitted.sample(3, y=[0, 1])
    with pytest.raises(ValueError, match="which fit did not see"):
        fitted.partial_fit(X, y + 1)
    with pytest.raises(ValueError, match="must be None, since 'supervised' is False"):
        make(supervised=False, max_epochs=2).fit(X).sample(3, y=1)
